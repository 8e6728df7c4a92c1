//! The fault matrix: every stage of a request, against every fault that makes sense there.
//!
//! A cell injects its fault for real, and then asks four things: how the call ends, which state is
//! kept, what the service has seen, and whether the next try, with the fault gone, works. The
//! matrix is printed, and written to `target/fault-matrix.md`.
#![cfg(unix)]

#[allow(dead_code, reason = "each test file uses its part")]
mod support;

#[path = "faults/cells.rs"]
mod cells;
#[path = "faults/certificates.rs"]
mod certificates;
#[path = "faults/disk.rs"]
mod disk;
#[path = "faults/listener.rs"]
mod listener;
#[path = "faults/names.rs"]
mod names;
#[path = "faults/proxy.rs"]
mod proxy;
#[path = "faults/runner.rs"]
mod runner;
#[path = "faults/service.rs"]
mod service;
#[path = "faults/world.rs"]
mod world;

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use certificates::Authority;
use runner::{Cell, Stage};
use world::Place;

/// Most cells wait for a time limit, so that many can run at once on few processors.
const AT_ONCE: usize = 16;

enum Verdict {
    Holds,
    Fails(String),
    /// This machine does not let us inject the fault.
    NotInjected(String),
}

struct Row {
    number: usize,
    cell: Cell,
    verdict: Verdict,
    took: Duration,
}

#[test]
fn every_stage_survives_every_fault() {
    be_quiet_about_what_is_injected();
    let start = Instant::now();
    let rows = run_all(cells::all());
    let table = table(&rows, start.elapsed());
    // Not through `println`, which a test that passes keeps to itself.
    std::io::stdout().write_all(table.as_bytes()).unwrap();
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    std::fs::write(target.join("fault-matrix.md"), &table).unwrap();
    let failed = rows
        .iter()
        .filter(|row| matches!(row.verdict, Verdict::Fails(_)));
    assert_eq!(failed.count(), 0, "cells fail, see the table");
}

#[test]
fn cells_are_distinct() {
    let cells = cells::all();
    let mut names: Vec<String> = cells.iter().map(Cell::name).collect();
    names.sort();
    let twice = names.windows(2).find(|pair| pair[0] == pair[1]);
    assert_eq!(twice, None);
    assert!(names.len() >= 150, "{}", names.len());
}

#[test]
fn no_cell_expects_two_callbacks_for_one_offer() {
    let asks_once = |cell: &Cell| cell.seen.callbacks <= cell.seen.offers;
    assert!(cells::all().iter().all(asks_once));
}

/// Holds a folder's lock for `another_process_holds_the_folder`; by itself it does nothing.
#[test]
fn lock_holder() {
    runner::hold_lock_if_asked();
}

/// Plays a cell with names; by itself it does nothing.
#[test]
fn in_own_network() {
    names::run_if_asked(cells::all);
}

fn run_all(cells: Vec<Cell>) -> Vec<Row> {
    let authority = Authority::new();
    let queue: Mutex<VecDeque<_>> = Mutex::new(cells.into_iter().enumerate().collect());
    let rows = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let next = queue.lock().unwrap().pop_front();
                    let Some((number, cell)) = next else { return };
                    let row = run(number, cell, &authority);
                    rows.lock().unwrap().push(row);
                }
            });
        }
    });
    let mut rows = rows.into_inner().unwrap();
    rows.sort_by_key(|row| row.number);
    rows
}

fn run(number: usize, cell: Cell, authority: &Authority) -> Row {
    let start = Instant::now();
    let play = || match cell.place {
        Place::Named => names::run_in_own_network(number, &cell),
        _ => runner::run(&cell, authority),
    };
    let verdict = match catch_unwind(AssertUnwindSafe(play)) {
        Ok(Ok(())) => Verdict::Holds,
        Ok(Err(why)) => Verdict::NotInjected(why),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| text.to_string()));
            Verdict::Fails(text.unwrap_or_default().replace('\n', " "))
        }
    };
    Row {
        number: number + 1,
        cell,
        verdict,
        took: start.elapsed(),
    }
}

fn be_quiet_about_what_is_injected() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if panic.payload().downcast_ref::<&str>() != Some(&"injected") {
            usual(panic);
        }
    }));
}

fn table(rows: &[Row], took: Duration) -> String {
    let mut text = String::from(
        "# Fault matrix\n\n\
         Seen: offers / callbacks / cancels / redirect hops / hosted messages, before the next try.\n\n\
         | # | stage | fault | ends with | state kept | seen | ms | verdict |\n\
         |---|---|---|---|---|---|---|---|\n",
    );
    for row in rows {
        let verdict = match &row.verdict {
            Verdict::Holds => "holds".to_owned(),
            Verdict::Fails(why) => format!("**FAILS**: {}", why.replace('|', "/")),
            Verdict::NotInjected(why) => format!("not injected: {why}"),
        };
        let (number, cell, ms) = (row.number, row.cell.columns(), row.took.as_millis());
        writeln!(text, "| {number} | {cell} | {ms} | {verdict} |").unwrap();
    }
    text.push_str("\n| stage | cells | hold | fail | not injected |\n|---|---|---|---|---|\n");
    for stage in Stage::ALL {
        let of_stage: Vec<&Row> = rows.iter().filter(|row| row.cell.stage == stage).collect();
        total(&mut text, &format!("{stage:?}"), &of_stage);
    }
    total(&mut text, "all", &rows.iter().collect::<Vec<_>>());
    writeln!(text, "\nIn {:.1} s.", took.as_secs_f32()).unwrap();
    text
}

fn total(text: &mut String, name: &str, rows: &[&Row]) {
    let count = |wanted: fn(&Verdict) -> bool| rows.iter().filter(|r| wanted(&r.verdict)).count();
    let holds = count(|verdict| matches!(verdict, Verdict::Holds));
    let fails = count(|verdict| matches!(verdict, Verdict::Fails(_)));
    let not = count(|verdict| matches!(verdict, Verdict::NotInjected(_)));
    writeln!(
        text,
        "| {name} | {} | {holds} | {fails} | {not} |",
        rows.len()
    )
    .unwrap();
}
