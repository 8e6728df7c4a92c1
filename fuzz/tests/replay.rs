//! Replays what the fuzzer found, and its seeds, without the fuzzer and on any toolchain.

use std::fs;
use std::panic::{catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};

use lnurl_channel_fuzz::targets::text::check_cleaned;
use lnurl_channel_fuzz::{TARGETS, seeds};

#[test]
fn every_target_holds_for_its_seeds() {
    for (name, run) in TARGETS {
        let seeds = seeds::of(name);
        assert!(!seeds.is_empty(), "{name} has no seed");
        seeds.iter().for_each(|seed| run(seed));
    }
}

/// A world that no call comes through would find nothing.
#[test]
fn the_seeds_of_the_client_lead_to_all_ten_states() {
    assert_eq!(seeds::states_of_client(), 10);
}

/// The tables of what cannot be seen, against Unicode's own data.
#[test]
fn text_is_cleaned_of_what_unicode_calls_unseen() {
    let all: Vec<char> = ('\0'..=char::MAX).collect();
    for some in all.chunks(256) {
        let each = some.iter().flat_map(|c| ['a', *c, 'b']);
        check_cleaned(&each.collect::<String>());
    }
}

#[test]
fn every_target_holds_for_its_corpus() {
    for (name, run) in TARGETS {
        let inputs = inputs(&corpus().join(name));
        assert!(!inputs.is_empty(), "{name} has no corpus");
        for path in &inputs {
            let input = fs::read(path).expect("an input cannot be read");
            if let Err(panic) = catch_unwind(|| run(&input)) {
                eprintln!("{name} fails on {}", path.display());
                resume_unwind(panic);
            }
        }
        println!("{name}: {} inputs replayed", inputs.len());
    }
}

/// One that was renamed, or that the table leaves out, would go unseen.
#[test]
fn every_corpus_has_its_target() {
    let names: Vec<&str> = TARGETS.iter().map(|(name, _)| *name).collect();
    for entry in inputs(&corpus()) {
        let name = entry.file_name().and_then(|name| name.to_str());
        assert!(name.is_some_and(|name| names.contains(&name)), "{name:?}");
    }
    let targets = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz_targets");
    assert_eq!(inputs(&targets).len(), names.len());
}

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus")
}

fn inputs(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder);
    let entries = entries.unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}
