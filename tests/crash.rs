//! Killed with SIGKILL at every call that writes the journal, and at every one that reaches the
//! network; and the same with the power cut, which also takes what was not synced.
//!
//! This binary runs itself again, with a shim that counts those calls in front of the C library.
//! A second process then goes on in the same folder: nothing is lost, nothing is asked for twice,
//! and no state claims less than what was sent.
#![cfg(all(target_os = "linux", target_env = "gnu"))]

#[allow(dead_code, reason = "each test file uses its part")]
mod support;

#[path = "crash/flow.rs"]
mod flow;
#[path = "crash/process.rs"]
mod process;
#[path = "crash/runner.rs"]
mod runner;

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::sync::Mutex;
use std::time::Instant;

use flow::Flow;
use runner::{Death, Run, Setting};

/// Each takes a processor for a moment, and waits for the other process or the service for another.
const AT_ONCE: usize = 4;

/// Not a test of its own: the other one runs this binary again, with this name and a flow.
#[test]
fn process() {
    process::run_if_asked();
}

#[test]
fn killed_at_every_step_it_loses_nothing_and_asks_once() {
    let start = Instant::now();
    let setting = Setting::new();
    let whole = Flow::ALL.map(|flow| setting.run(flow, Death::None));
    let mut deaths = VecDeque::new();
    for run in &whole {
        for (place, unsynced) in run.places() {
            deaths.push_back((run.flow, Death::Kill(place)));
            if unsynced {
                deaths.push_back((run.flow, Death::PowerCut(place)));
            }
        }
    }
    let runs = run_all(&setting, deaths);

    let mut table = String::from(
        "# Kills\n\n| flow | records written | kills | power cuts | found, in the order of the kills |\n\
         |---|---|---|---|---|\n",
    );
    for run in &whole {
        let (flow, writes) = (run.flow, run.journal_writes());
        let kills = run.places().count();
        let cuts = run.places().filter(|(_, unsynced)| *unsynced).count();
        let found = found(run, &runs);
        writeln!(
            table,
            "| {flow:?} | {writes} | {kills} | {cuts} | {found} |"
        )
        .unwrap();
    }
    // By now every service has read all that was ever sent to it.
    for run in whole.iter().chain(runs.iter().map(|(_, run)| run)) {
        let asked = setting.callbacks(run.offer) + run.sent_to_host();
        assert!(
            asked <= 1 + run.asked_again(),
            "{:?}: {}",
            run.flow,
            run.said
        );
    }
    let took = start.elapsed().as_secs_f32();
    writeln!(table, "\n{} processes killed, in {took:.1} s.", runs.len()).unwrap();
    // Not through `println`, which a test that passes keeps to itself.
    std::io::stdout().write_all(table.as_bytes()).unwrap();
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    std::fs::write(target.join("kills.md"), &table).unwrap();
}

fn run_all(setting: &Setting, deaths: VecDeque<(Flow, Death)>) -> Vec<(Death, Run)> {
    let (queue, runs) = (Mutex::new(deaths), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let next = queue.lock().unwrap().pop_front();
                    let Some((flow, death)) = next else { return };
                    let run = setting.run(flow, death);
                    runs.lock().unwrap().push((death, run));
                }
            });
        }
    });
    runs.into_inner().unwrap()
}

/// The states that were found, in the order of the places, each as often as in a row: the flow's
/// path, from its start to its end.
fn found(whole: &Run, runs: &[(Death, Run)]) -> String {
    let mut kills: Vec<(usize, &Run)> = Vec::new();
    for (death, run) in runs {
        if let (Death::Kill(place), true) = (death, run.flow == whole.flow) {
            kills.push((*place, run));
        }
    }
    kills.sort_by_key(|(place, _)| *place);
    let states: Vec<_> = kills.iter().map(|(_, run)| run.found).collect();
    let in_a_row: Vec<_> = states.chunk_by(|one, next| one == next).collect();
    let path: Vec<_> = in_a_row.iter().map(|same| same[0]).collect();
    assert_eq!(path, whole.flow.path(), "{:?}", whole.flow);
    let parts = in_a_row.iter().map(|same| {
        let state = same[0].map_or("none".to_owned(), |state| format!("{state:?}"));
        format!("{state} {}", same.len())
    });
    parts.collect::<Vec<_>>().join(", ")
}
