//! The UDL and the Rust items say the same; Rust may say more, such as which errors there are. The tests
//! that SECURITY.md names are there, and so is what the documents link to. The README is short.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Paragraphs of documentation by item: `Type`, `Type.member`, or `.function`.
type Docs = BTreeMap<String, Vec<String>>;

#[test]
fn the_udl_and_the_rust_items_say_the_same() {
    let udl = fs::read_to_string(root().join("src/lnurl_channel.udl")).unwrap();
    let udl = docs(&udl, udl_item);
    assert!(udl.len() > 100, "{} items", udl.len());
    let mut rust = Docs::new();
    for path in rust_files() {
        for (item, paragraphs) in docs(&fs::read_to_string(path).unwrap(), rust_item) {
            rust.entry(item).or_default().extend(paragraphs);
        }
    }
    let mut differences = Vec::new();
    for (item, paragraphs) in &udl {
        // The module's own words are the crate's.
        if item == "lnurl_channel" {
            continue;
        }
        match rust.get(item) {
            None => differences.push(format!("{item}: no documented item in Rust")),
            Some(found) => {
                let missing = paragraphs.iter().filter(|text| !found.contains(text));
                differences
                    .extend(missing.map(|text| format!("{item}: {text:?} not in {found:?}")));
            }
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn the_tests_that_security_names_are_there() {
    let text = fs::read_to_string(root().join("SECURITY.md")).unwrap();
    let mut named = 0;
    let mut missing = Vec::new();
    for line in text.lines() {
        let mut file = None;
        // Every second part stands between backquotes; a file's tests follow it directly.
        let parts: Vec<&str> = line.split('`').collect();
        for pair in parts.chunks(2) {
            let [between, code] = pair else { continue };
            if code.ends_with(".rs") && code.contains('/') {
                file = fs::read_to_string(root().join(code)).ok();
                missing.extend(file.is_none().then(|| code.to_string()));
                continue;
            }
            let is_name = code
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
            let follows = [": ", ", "].contains(between);
            if let Some(file) = file.as_ref().filter(|_| is_name && follows) {
                named += 1;
                if !file.contains(&format!("fn {code}()")) {
                    missing.push(code.to_string());
                }
            }
        }
    }
    assert!(named > 80, "{named} tests");
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn what_the_documents_link_to_is_there() {
    let mut documents = vec![root().join("README.md"), root().join("CONTRIBUTING.md")];
    let docs = fs::read_dir(root().join("docs")).unwrap();
    documents.extend(docs.map(|entry| entry.unwrap().path()));
    documents.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    let mut links = 0;
    let mut missing = Vec::new();
    for document in &documents {
        let text = fs::read_to_string(document).unwrap();
        for part in text.split("](").skip(1) {
            let target = part.split(')').next().unwrap();
            if target.contains("://") {
                continue;
            }
            links += 1;
            let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
            let file = document.parent().unwrap().join(path);
            // A picture is no text.
            let is_there = if anchor.is_empty() {
                file.is_file()
            } else {
                fs::read_to_string(&file)
                    .is_ok_and(|text| anchors(&text).contains(&anchor.to_owned()))
            };
            if is_there {
                continue;
            }
            missing.push(format!("{}: {target}", document.display()));
        }
    }
    assert!(links > 30, "{links} links");
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn the_readme_has_at_most_900_words() {
    let words = fs::read_to_string(root().join("README.md"))
        .unwrap()
        .split_whitespace()
        .count();
    assert!(words <= 900, "{words}");
}

/// The headings as links name them.
fn anchors(text: &str) -> Vec<String> {
    let headings = text.lines().filter(|line| line.starts_with('#'));
    headings
        .map(|line| {
            let heading = line.trim_start_matches('#').trim().to_lowercase();
            let kept = heading
                .chars()
                .filter(|c| c.is_alphanumeric() || " -_".contains(*c));
            kept.map(|c| if c == ' ' { '-' } else { c }).collect()
        })
        .collect()
}

/// What a line names.
enum Item {
    /// A type, or a block of its methods: what follows is inside of it.
    Type(String),
    Member(String),
    /// The end of what a `Type` began.
    End,
}

fn docs(text: &str, item_of: fn(&str) -> Option<Item>) -> Docs {
    let mut docs = Docs::new();
    let (mut container, mut lines) = (String::new(), Vec::new());
    for line in text.lines() {
        if let Some(doc) = line.trim_start().strip_prefix("///") {
            lines.push(doc.trim());
            continue;
        }
        // Attributes stand between the documentation and the item.
        if line.trim_start().starts_with(['[', '#']) {
            continue;
        }
        let name = match item_of(line) {
            Some(Item::Type(name)) => {
                container = name;
                container.clone()
            }
            Some(Item::Member(name)) => format!("{container}.{name}"),
            Some(Item::End) => {
                container.clear();
                String::new()
            }
            None => String::new(),
        };
        if !name.is_empty() && !lines.is_empty() {
            docs.entry(name).or_default().extend(paragraphs(&lines));
        }
        lines.clear();
    }
    docs
}

fn paragraphs(lines: &[&str]) -> Vec<String> {
    let paragraphs = lines.split(|line| line.is_empty());
    paragraphs.map(|lines| lines.join(" ")).collect()
}

fn udl_item(line: &str) -> Option<Item> {
    let code = line.trim();
    let code = code.strip_prefix("callback ").unwrap_or(code);
    if line == "};" {
        return Some(Item::End);
    }
    for word in ["namespace ", "interface ", "dictionary ", "enum "] {
        if let Some(rest) = code.strip_prefix(word) {
            let name = word_of(rest);
            // Functions of the namespace stand in no type.
            let is_namespace = word == "namespace ";
            return Some(Item::Type(if is_namespace { String::new() } else { name }));
        }
    }
    if let Some(quoted) = code.strip_prefix('"') {
        return Some(Item::Member(word_of(quoted)));
    }
    if code.starts_with("constructor") {
        return Some(Item::Member("new".into()));
    }
    // A method, or a field with its default: the last word before either.
    let declaration = code.split(['(', '=', ';']).next()?;
    let name = declaration.split_whitespace().next_back()?;
    Some(Item::Member(word_of(name)))
}

fn rust_item(line: &str) -> Option<Item> {
    let code = line.trim();
    if line == "}" {
        return Some(Item::End);
    }
    for word in ["pub struct ", "pub enum ", "pub trait ", "impl "] {
        if let Some(rest) = line.strip_prefix(word) {
            return Some(Item::Type(word_of(rest)));
        }
    }
    let code = code.strip_prefix("pub ").unwrap_or(code);
    let code = code.strip_prefix("async ").unwrap_or(code);
    let name = word_of(code.strip_prefix("fn ").unwrap_or(code));
    (!name.is_empty()).then_some(Item::Member(name))
}

fn word_of(text: &str) -> String {
    let word = text.split(|c: char| !c.is_alphanumeric() && c != '_');
    word.take(1).collect()
}

fn rust_files() -> Vec<PathBuf> {
    let mut folders = vec![root().join("src"), root().join("core/src")];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    found
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}
