//! Addresses that lead where they should not: redirects, and the LNURL itself.

use super::*;

pub fn redirects() -> Vec<Cell> {
    use Kind::{InvalidResponse, TorRequired, UnsafeUrl};
    let local = [
        ("to itself", 302, "{self}", InvalidResponse, 0),
        ("in a circle", 301, "/hop/{other}", InvalidResponse, 2),
        ("without end", 307, "/hop/{next}", InvalidResponse, 3),
        (
            "from https to http",
            308,
            "http://localhost:{port}/hop/0",
            UnsafeUrl,
            0,
        ),
        (
            "to another scheme",
            302,
            "ftp://localhost:{port}/hop/0",
            UnsafeUrl,
            0,
        ),
        ("to javascript", 302, "javascript:alert(1)", UnsafeUrl, 0),
        (
            "with user info",
            302,
            "https://a:b@localhost:{port}/hop/0",
            UnsafeUrl,
            0,
        ),
        (
            "with a backslash",
            302,
            "https://localhost:{port}\\@evil.example/hop/0",
            UnsafeUrl,
            0,
        ),
        ("to port 0", 302, "https://localhost:0/hop/0", UnsafeUrl, 0),
        (
            "to an onion service, without a proxy",
            302,
            "http://juhanurmihxlp77nkq76byazcldy2hlmovfu2epvl5ankdibsot4csyd.onion/hop/0",
            UnsafeUrl,
            0,
        ),
        (
            "to an onion service over https, without a proxy",
            303,
            "https://juhanurmihxlp77nkq76byazcldy2hlmovfu2epvl5ankdibsot4csyd.onion/hop/0",
            TorRequired,
            0,
        ),
        ("to no URL", 302, "https://", InvalidResponse, 0),
    ];
    let private = PRIVATE.map(|(what, url)| (what, 302, url, UnsafeUrl, 0));
    let onion = [
        (
            "from an onion service to clearnet",
            302,
            "https://service.example/hop/0",
            UnsafeUrl,
            0,
        ),
        (
            "from an onion service to a host of this machine",
            302,
            "http://localhost:{port}/hop/0",
            UnsafeUrl,
            0,
        ),
        (
            "from an onion service to an invalid one",
            302,
            "http://expyuzz4wqqyqhjn.onion/hop/0",
            UnsafeUrl,
            0,
        ),
    ];
    let places = [
        (Place::Local, local.to_vec()),
        (Place::Public, private.to_vec()),
        (Place::Onion, onion.to_vec()),
    ];
    let mut cells = Vec::new();
    for (place, redirects) in places {
        for (name, status, location, kind, hops) in redirects {
            cells.extend(redirect(name, status, location, kind, hops).map(|cell| cell.at(place)));
        }
    }
    cells
}

fn redirect(name: &str, status: u16, location: &'static str, kind: Kind, hops: usize) -> [Cell; 3] {
    let name = format!("redirect {name}");
    let inject = || Inject::Service(Fault::Redirect(status, location));
    let fetch = cell(Stage::Fetch, &name, inject(), End::Fails(kind));
    let lost = End::Fails(Kind::NoChannel);
    let callback = cell(Stage::Callback, &name, inject(), lost);
    let cancel = cell(Stage::Cancel, &name, inject(), End::Works);
    let cells = [
        fetch.seen(1, 0, 0),
        callback.keeps(OutcomeUnknown).seen(1, 1, 0),
        cancel.keeps(Cancelled).seen(1, 1, 1),
    ];
    cells.map(|mut cell| {
        cell.seen.hops = hops;
        cell
    })
}

/// Addresses that are not for the open internet, in many spellings.
const PRIVATE: [(&str, &str); 20] = [
    ("to 127.0.0.1", "https://127.0.0.1:{port}/hop/0"),
    ("to 127.1", "https://127.1:{port}/hop/0"),
    ("to 2130706433", "https://2130706433:{port}/hop/0"),
    ("to 0x7f.1", "https://0x7f.1:{port}/hop/0"),
    ("to 0177.0.0.1", "https://0177.0.0.1:{port}/hop/0"),
    ("to 0.0.0.0", "https://0.0.0.0:{port}/hop/0"),
    ("to 10.0.0.1", "https://10.0.0.1:{port}/hop/0"),
    ("to 172.16.0.1", "https://172.16.0.1:{port}/hop/0"),
    ("to 192.168.0.1", "https://192.168.0.1:{port}/hop/0"),
    ("to 100.64.0.1", "https://100.64.0.1:{port}/hop/0"),
    ("to 169.254.169.254", "https://169.254.169.254:{port}/hop/0"),
    ("to ::1", "https://[::1]:{port}/hop/0"),
    (
        "to ::ffff:127.0.0.1",
        "https://[::ffff:127.0.0.1]:{port}/hop/0",
    ),
    ("to ::127.0.0.1", "https://[::127.0.0.1]:{port}/hop/0"),
    (
        "to 64:ff9b::127.0.0.1",
        "https://[64:ff9b::7f00:1]:{port}/hop/0",
    ),
    ("to fc00::1", "https://[fc00::1]:{port}/hop/0"),
    ("to fe80::1", "https://[fe80::1]:{port}/hop/0"),
    ("to localhost", "https://localhost:{port}/hop/0"),
    ("to localhost with a dot", "https://localhost.:{port}/hop/0"),
    ("to router.local", "https://router.local:{port}/hop/0"),
];

/// The LNURL itself leads where it should not.
pub fn addresses() -> Vec<Cell> {
    let unsafe_ = PRIVATE.map(|(name, url)| {
        let name = name.replace("to ", "LNURL of ");
        let inject = Inject::Url(url);
        cell(Stage::Fetch, &name, inject, End::Fails(Kind::UnsafeUrl)).at(Place::Public)
    });
    let mut cells = Vec::from(unsafe_);
    for (name, url, kind) in [
        (
            "LNURL of plain http",
            "http://localhost:{port}/offer",
            Kind::UnsafeUrl,
        ),
        (
            "LNURL with user info",
            "https://a@localhost:{port}/offer",
            Kind::UnsafeUrl,
        ),
        (
            "LNURL with a backslash",
            "https://localhost:{port}\\@evil.example/offer",
            Kind::UnsafeUrl,
        ),
        (
            "LNURL of an onion service, without a proxy",
            "http://juhanurmihxlp77nkq76byazcldy2hlmovfu2epvl5ankdibsot4csyd.onion/offer",
            Kind::TorRequired,
        ),
        (
            "LNURL of an onion service of version 2",
            "http://expyuzz4wqqyqhjn.onion/offer",
            Kind::UnsafeUrl,
        ),
        (
            "LNURL for something else",
            "https://localhost:{port}/offer?tag=login",
            Kind::UnsupportedTag,
        ),
    ] {
        cells.push(cell(Stage::Fetch, name, Inject::Url(url), End::Fails(kind)));
    }
    cells
}
