//! What a bench found: tables in Markdown, which `benches/run` puts together.

use std::fmt::Display;
use std::fs;
use std::time::Duration;

/// The section of one bench in `benches/RESULTS.md`.
pub struct Report {
    name: &'static str,
    text: String,
}

impl Report {
    pub fn new(name: &'static str) -> Self {
        let text = String::new();
        Self { name, text }
    }

    pub fn title(&mut self, title: &str) {
        self.text += &format!("\n## {title}\n");
    }

    pub fn paragraph(&mut self, text: &str) {
        self.text += &format!("\n{text}\n");
    }

    pub fn table<const N: usize>(&mut self, head: [&str; N], rows: &[[String; N]]) {
        self.text += "\n";
        self.row(&head);
        self.text += &format!("|{}\n", "---|".repeat(N));
        for row in rows {
            self.row(row);
        }
    }

    fn row(&mut self, cells: &[impl Display]) {
        for cell in cells {
            self.text += &format!("| {cell} ");
        }
        self.text += "|\n";
    }

    /// Where `benches/run` looks for it; and on the screen.
    pub fn write(self) {
        println!("{}", self.text);
        let path = format!("{}/{}.md", env!("CARGO_TARGET_TMPDIR"), self.name);
        fs::write(path, self.text).expect("the target folder can be written");
    }
}

/// A goal, and whether it is reached.
pub fn goal(goal: &str, is_met: bool) -> String {
    let verdict = if is_met { "met" } else { "**missed**" };
    format!("{goal}: {verdict}")
}

pub fn median<T: PartialOrd + Copy>(mut values: Vec<T>) -> T {
    values.sort_by(|a, b| a.partial_cmp(b).expect("no figure is NaN"));
    values[values.len() / 2]
}

pub fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}
