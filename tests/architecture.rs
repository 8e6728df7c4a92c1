//! Each layer knows only those below it: `api`, `driver`, `io`, and the crate `lnurl-channel-core`.

use std::fs;
use std::path::{Path, PathBuf};

/// A layer's folder, and what none of its files may name.
const FORBIDDEN: [(&str, &[&str]); 4] = [
    (
        "core/src",
        &[
            "tokio",
            "uniffi",
            "reqwest",
            "std::fs",
            "std::io",
            "std::env",
            "std::process",
            "std::thread",
            "std::sync::Mutex",
            "Instant",
            "SystemTime",
            "TcpStream",
            "UdpSocket",
            "ToSocketAddrs",
        ],
    ),
    ("src/io", &["crate::driver", "crate::api"]),
    (
        "src/driver",
        &["crate::api", "reqwest", "rustls", "std::fs"],
    ),
    ("src/api", &["reqwest", "tokio", "std::fs"]),
];

/// Where a rule would have to be written down. The core has them.
const WORDS_OF_RULES: [&str; 5] = [
    "ChannelRequestState",
    "ChannelStage",
    "ChannelVerdict::",
    "Progress",
    "retries",
];

#[test]
fn layers_know_only_those_below() {
    for (layer, forbidden) in FORBIDDEN {
        for (path, code) in files(layer) {
            for word in forbidden {
                assert!(!code.contains(word), "{} names {word}", path.display());
            }
        }
    }
}

#[test]
fn what_ships_is_built_with_the_locked_dependencies() {
    for script in ["android/build-native.sh", "ios/build-xcframework.sh"] {
        let text = fs::read_to_string(root().join(script)).unwrap();
        let builds: Vec<&str> = text
            .lines()
            .filter(|line| line.contains("rustc --"))
            .collect();
        assert!(!builds.is_empty(), "{script} builds nothing");
        for build in builds {
            assert!(build.contains("rustc --locked "), "{script}: {build}");
        }
    }
}

#[test]
fn imports_in_braces_are_no_way_around() {
    for (layer, above) in [("src/io", &["driver", "api"][..]), ("src/driver", &["api"])] {
        for (path, code) in files(layer) {
            for statement in code.split("use crate::{").skip(1) {
                let imported = statement.split(';').next().unwrap_or_default();
                let words = imported.split(|c: char| !c.is_alphanumeric() && c != '_');
                let found: Vec<&str> = words.filter(|word| above.contains(word)).collect();
                assert!(found.is_empty(), "{} imports {found:?}", path.display());
            }
        }
    }
}

#[test]
fn the_core_depends_on_nothing_that_does_io() {
    let manifest = fs::read_to_string(root().join("core/Cargo.toml")).unwrap();
    let (_, dependencies) = manifest.split_once("\n[dependencies]\n").unwrap();
    let dependencies = dependencies.split("\n[").next().unwrap().lines();
    let names = dependencies.filter_map(|line| line.split_once(" = ").map(|(name, _)| name));
    let mut names: Vec<&str> = names.filter(|name| !name.starts_with('#')).collect();
    names.sort_unstable();
    let pure = [
        "bech32",
        "crypto-bigint",
        "hex",
        "litemap",
        "serde",
        "serde_json",
        "sha2",
        "sha3",
        "thiserror",
        "url",
    ];
    assert_eq!(names, pure);
}

#[test]
fn one_file_names_the_http_client() {
    let all = files("src");
    let naming = all.iter().filter(|(_, code)| code.contains("reqwest"));
    let naming: Vec<&Path> = naming.map(|(path, _)| path.as_path()).collect();
    assert_eq!(naming, [root().join("src/io/http.rs")]);
}

#[test]
fn the_maps_of_the_driver_do_not_know_each_other() {
    let others = ["clock", "events", "run", "tasks", "view", "waiters"];
    for (path, code) in files("src/driver") {
        let name = path.file_stem().unwrap().to_str().unwrap();
        if matches!(name, "mod" | "run") {
            continue;
        }
        for other in others.iter().filter(|other| **other != name) {
            for import in ["super::", "crate::driver::"] {
                let import = format!("{import}{other}");
                assert!(!code.contains(&import), "{} names {import}", path.display());
            }
        }
        assert!(
            !code.contains("super::{"),
            "{} imports several",
            path.display()
        );
    }
}

#[test]
fn no_rule_stands_in_driver_or_io() {
    for (path, code) in files("src/driver").into_iter().chain(files("src/io")) {
        for word in WORDS_OF_RULES {
            assert!(!code.contains(word), "{} names {word}", path.display());
        }
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

/// All Rust files below `folder` of the repository, without their comments and tests: those may name
/// what they like.
fn files(folder: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    collect(&root().join(folder), &mut found);
    assert!(!found.is_empty(), "{folder} is empty");
    found
}

fn collect(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let is_test = path.file_stem().is_some_and(|name| name == "tests");
        if is_test {
            continue;
        }
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let code = fs::read_to_string(&path).unwrap();
            let code = code.split("#[cfg(test)]\nmod tests {").next().unwrap();
            let lines = code.lines().filter(|l| !l.trim_start().starts_with("//"));
            found.push((path, lines.collect::<Vec<_>>().join("\n")));
        }
    }
}
