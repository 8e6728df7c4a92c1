//! Every input in every state: what follows, and where it leads.

use super::play::{FUNDED_PLACES, HOSTED_PLACES, Place, Play};
use crate::protocol::ChannelKind;

const FUNDED: &str = include_str!("transitions_funded.txt");
const HOSTED: &str = include_str!("transitions_hosted.txt");

/// What follows in a place.
struct Row<'a> {
    place: &'a str,
    outputs: &'a str,
    state: &'a str,
    writes: &'a str,
    after: Option<&'a str>,
}

/// The rows of the acts that a section names.
struct Section<'a> {
    acts: Vec<&'a str>,
    rows: Vec<Row<'a>>,
}

fn sections(table: &str) -> Vec<Section<'_>> {
    let mut sections = Vec::new();
    for line in table.lines() {
        if let Some(acts) = line.strip_prefix("# ") {
            sections.push(Section {
                acts: acts.split("; ").collect(),
                rows: Vec::new(),
            });
        } else if let Some(section) = sections.last_mut()
            && !line.is_empty()
            && !line.starts_with("--")
        {
            section.rows.extend(rows(line));
        }
    }
    sections
}

fn rows(line: &str) -> Vec<Row<'_>> {
    let columns: Vec<&str> = line.split('|').map(str::trim).collect();
    let [places, outputs, state, writes, ref after @ ..] = columns[..] else {
        panic!("not a row: {line}");
    };
    let row = |place| Row {
        place,
        outputs,
        state,
        writes,
        after: after.first().copied(),
    };
    places.split("; ").map(row).collect()
}

/// Returns how many pairs of a place and an act were possible.
fn check(kind: ChannelKind, table: &str, places: &[Place]) -> usize {
    let names: Vec<&str> = places.iter().map(|(name, ..)| *name).collect();
    let names = [vec!["offered"], names].concat();
    let plays: Vec<Play> = names.iter().map(|name| Play::at(kind, name)).collect();
    let mut possible = 0;
    for Section { acts, rows } in sections(table) {
        let unknown = rows
            .iter()
            .find(|row| row.place != "*" && !names.contains(&row.place));
        assert!(unknown.is_none(), "{:?}", unknown.map(|row| row.place));
        for act in acts {
            for (name, play) in names.iter().zip(&plays) {
                let named = |row: &&Row| row.place == *name;
                let any = |row: &&Row| row.place == "*";
                let row = rows.iter().find(named).or_else(|| rows.iter().find(any));
                possible += usize::from(check_act(play.clone(), act, name, row));
            }
        }
    }
    possible
}

/// False if nothing can bring the act in this place.
fn check_act(mut play: Play, act: &str, place: &str, row: Option<&Row>) -> bool {
    let before = format!("{:?}", play.state());
    let (began_at, written) = (play.bench.now.since_start, play.bench.writes());
    if !play.try_act(act) {
        let is_expected = row.is_some_and(|row| row.place != "*");
        assert!(!is_expected, "{act:?} is not possible when {place}");
        return false;
    }
    // A new client counts from zero.
    let written = if act == "restart" { 0 } else { written };
    let snapshot = play.bench.snapshots.get(&play.request);
    let state = snapshot.map_or("gone".into(), |snapshot| format!("{:?}", snapshot.state));
    let writes = (play.bench.writes() - written).to_string();
    let is = (play.bench.shown(), state.as_str(), writes.as_str());
    let nothing = Row {
        place,
        outputs: "",
        state: "same",
        writes: "0",
        after: None,
    };
    let row = row.unwrap_or(&nothing);
    let state = if row.state == "same" {
        &before
    } else {
        row.state
    };
    assert_eq!(
        is,
        (row.outputs.into(), state, row.writes),
        "{act} when {place}"
    );
    if let Some(after) = row.after {
        let passed = play.bench.now.since_start - began_at;
        assert_eq!(after, format!("after {passed:?}"), "{act} when {place}");
    }
    true
}

#[test]
fn every_input_in_every_state_of_a_funded_request() {
    let possible = check(ChannelKind::Funded, FUNDED, &FUNDED_PLACES);
    assert_eq!(possible, 760);
}

#[test]
fn every_input_in_every_state_of_a_hosted_request() {
    let possible = check(ChannelKind::Hosted, HOSTED, &HOSTED_PLACES);
    assert_eq!(possible, 250);
}
