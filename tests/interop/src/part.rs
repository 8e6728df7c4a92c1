//! A part in a process of its own, which speaks lines of JSON and ends with its standard input.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::support::Watched;

/// Stands for the end of what a part says.
const ENDED: &str = "ended";

/// A running part. Dropping it ends it; so does the end of this process, whichever it is.
pub struct Part {
    name: String,
    child: Child,
    input: Mutex<ChildStdin>,
    lines: Arc<Watched<Value>>,
}

impl Part {
    /// Starts `program` with a script of this folder, such as `parts/npm-lnurl/service.js`.
    pub fn start(program: impl AsRef<OsStr>, script: &str, arguments: &[&str]) -> Self {
        let mut child = Command::new(program)
            .arg(folder().join(script))
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{script} can't be started: {error}"));
        let input = Mutex::new(child.stdin.take().expect("it is piped"));
        let output = BufReader::new(child.stdout.take().expect("it is piped"));
        let lines = Arc::new(Watched::default());
        let seen = lines.clone();
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                seen.push(serde_json::from_str(&line).unwrap_or(Value::String(line)));
            }
            seen.push(json!({ ENDED: true }));
        });
        Self {
            name: script.to_owned(),
            child,
            input,
            lines,
        }
    }

    pub fn tell(&self, line: &Value) {
        writeln!(self.input.lock().unwrap(), "{line}").expect("the part listens");
    }

    /// Everything under `key` that the part has said so far.
    pub fn said(&self, key: &str) -> Vec<Value> {
        let lines = self.lines.all().into_iter();
        lines
            .filter_map(|mut line| line.get_mut(key).map(Value::take))
            .collect()
    }

    /// Waits until the part has said `key` so many times, and returns the last of them.
    pub fn wait_for(&self, key: &str, count: usize) -> Value {
        let settled = |lines: &[Value]| {
            let found = lines.iter().filter(|line| line.get(key).is_some()).count();
            found >= count || lines.iter().any(|line| line.get(ENDED).is_some())
        };
        // A few times the usual limit: it may be read from a cold disk first.
        let _ = (0..3).any(|_| self.lines.wait_until(settled));
        self.said(key)
            .into_iter()
            .nth(count - 1)
            .unwrap_or_else(|| {
                panic!(
                    "{} has not said {key} {count} times, but {:?}",
                    self.name,
                    self.lines.all()
                )
            })
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `tests/interop`.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}
