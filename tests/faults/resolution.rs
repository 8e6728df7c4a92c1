//! The service's name leads astray: to private addresses, elsewhere at the second look-up, nowhere.

use super::*;
use NameFault::{HasNoAddress, LeadsTo, NotFound, Rebinds, ServerFails, Silent};

/// Addresses that are not for the open internet, as DNS can give them.
const PRIVATE: [&[&str]; 10] = [
    &["127.0.0.1"],
    &["10.0.0.1"],
    &["192.168.0.1"],
    &["100.64.0.1"],
    &["169.254.169.254"],
    &["0.0.0.0"],
    &["::1"],
    &["fc00::1"],
    &["::ffff:10.0.0.1"],
    &["64:ff9b::a00:1"],
];

pub fn names() -> Vec<Cell> {
    let mut cells = Vec::new();
    for addresses in PRIVATE {
        let name = format!("the name leads to {}", addresses[0]);
        let fault = LeadsTo(addresses);
        cells.extend(never_connected(&name, fault, Kind::UnsafeUrl));
    }
    for (name, fault) in [
        ("the name is unknown", NotFound),
        ("the name server fails", ServerFails),
        ("the name server is silent", Silent),
        ("the name has no address", HasNoAddress),
    ] {
        cells.extend(never_connected(name, fault, Kind::Unreachable));
    }
    for (name, fault) in [
        (
            "the name leads to 10.0.0.1 and to the service",
            LeadsTo(&["10.0.0.1", "11.22.33.44"]),
        ),
        (
            "the name leads to 10.0.0.1 after the first look-up",
            Rebinds("10.0.0.1"),
        ),
    ] {
        cells.extend(connected(name, fault));
    }
    cells.extend(redirected(
        "redirect to a name that leads to 10.0.0.1",
        || Inject::Service(Fault::Redirect(302, "https://inside.example:{port}/hop/0")),
    ));
    cells.extend(redirected(
        "redirect to the same name, which leads to 10.0.0.1 by then",
        || Inject::Name(Rebinds("10.0.0.1"), Fault::Redirect(302, "/hop/0")),
    ));
    let tried_again = cell(
        Stage::Callback,
        "the service is down, and its name leads to 10.0.0.1 at the next try",
        Inject::Name(Rebinds("10.0.0.1"), Fault::Refused),
        End::Fails(Kind::UnsafeUrl),
    );
    cells.push(tried_again.keeps(Offered).seen(1, 0, 0));
    let named = cells.into_iter().map(|cell| cell.at(Place::Named));
    named.collect()
}

fn never_connected(name: &str, fault: NameFault, kind: Kind) -> [Cell; 3] {
    let of = |stage, end| cell(stage, name, Inject::Name(fault, Fault::None), end);
    let asked = of(Stage::Callback, End::Fails(kind)).keeps(Offered);
    let cancelled = of(Stage::Cancel, End::Works).keeps(Cancelled);
    [
        of(Stage::Fetch, End::Fails(kind)),
        asked.seen(1, 0, 0),
        cancelled.seen(1, 1, 0),
    ]
}

fn connected(name: &str, fault: NameFault) -> [Cell; 3] {
    let of = |stage, end| cell(stage, name, Inject::Name(fault, Fault::None), end);
    let asked = of(Stage::Callback, End::Fails(Kind::NoChannel)).keeps(Awaiting);
    let cancelled = of(Stage::Cancel, End::Works).keeps(Cancelled);
    [
        of(Stage::Fetch, End::Works).seen(1, 0, 0),
        asked.seen(1, 1, 0),
        cancelled.seen(1, 1, 1),
    ]
}

fn redirected(name: &str, inject: impl Fn() -> Inject) -> [Cell; 3] {
    let of = |stage, end| cell(stage, name, inject(), end);
    let lost = of(Stage::Callback, End::Fails(Kind::NoChannel)).keeps(OutcomeUnknown);
    let cancelled = of(Stage::Cancel, End::Works).keeps(Cancelled);
    [
        of(Stage::Fetch, End::Fails(Kind::UnsafeUrl)).seen(1, 0, 0),
        lost.seen(1, 1, 0),
        cancelled.seen(1, 1, 1),
    ]
}
