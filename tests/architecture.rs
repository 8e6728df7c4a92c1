//! Each layer knows only those below it: `api`, `engine`, `flow`, `protocol`.

use std::fs;
use std::path::{Path, PathBuf};

/// The layer's folder, and what none of its files may name.
const FORBIDDEN: [(&str, &[&str]); 4] = [
    (
        "protocol",
        &[
            "tokio",
            "uniffi",
            "reqwest",
            "crate::flow",
            "crate::engine",
            "crate::api",
        ],
    ),
    (
        "flow",
        &[
            "tokio",
            "uniffi",
            "reqwest",
            "crate::engine",
            "crate::api",
            "std::time",
            "std::fs",
            "std::net",
            "std::thread",
        ],
    ),
    ("engine", &["crate::api"]),
    ("api", &["reqwest", "crate::engine::http"]),
];

#[test]
fn layers_know_only_those_below() {
    for (layer, forbidden) in FORBIDDEN {
        for (path, code) in files(&source().join(layer)) {
            for word in forbidden {
                assert!(!code.contains(word), "{} names {word}", path.display());
            }
        }
    }
}

#[test]
fn imports_in_braces_are_no_way_around() {
    for (layer, above) in [
        ("protocol", &["flow", "engine", "api"][..]),
        ("flow", &["engine", "api"]),
        ("engine", &["api"]),
    ] {
        for (path, code) in files(&source().join(layer)) {
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
fn one_file_names_the_http_client() {
    let all = files(&source());
    let naming = all.iter().filter(|(_, code)| {
        let imported = code.contains("reqwest::{") && code.contains("Client");
        code.contains("reqwest::Client") || imported
    });
    let naming: Vec<&Path> = naming.map(|(path, _)| path.as_path()).collect();
    assert_eq!(naming, [source().join("engine/http.rs")]);
}

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// All Rust files below `folder`, without their comments: those may name what they like.
fn files(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let code = fs::read_to_string(&path).unwrap();
            let lines = code.lines().filter(|l| !l.trim_start().starts_with("//"));
            found.push((path, lines.collect::<Vec<_>>().join("\n")));
        }
    }
    assert!(!found.is_empty(), "{} is empty", folder.display());
    found
}
