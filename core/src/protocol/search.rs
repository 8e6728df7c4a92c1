//! Finds many strings in a text at once (Aho and Corasick), however they are percent-encoded in it.
//!
//! The time is linear in the text and in the strings: a service chooses both.

use std::ops::Range;

use super::text::escaped_byte;

/// The state in which nothing of a string has been read. Also stands for "none".
const NOTHING: usize = 0;

/// A string that is looked for, or the start of one. Numbers of other nodes are small: of a few
/// kilobytes of strings.
#[derive(Clone, Copy, Default)]
struct Node {
    byte: u8,
    /// How many bytes it has.
    length: u32,
    /// The length of the longest whole string that it ends with; 0 where there is none.
    found: u32,
    first_longer: u32,
    /// Another one that goes on from the same shorter one.
    sibling: u32,
    /// The longest start of a string that it ends with, other than itself.
    within: u32,
}

/// The strings that are looked for, as a tree of their starts.
///
/// The case of ASCII letters does not matter, and `+` is a space, as forms encode it.
pub struct Search {
    nodes: Vec<Node>,
}

/// One way of reading the text, from its start to where the search is.
#[derive(Default)]
struct Reading {
    state: usize,
    /// Where in the text each byte that was read starts.
    starts: Vec<u32>,
    /// How many of these are before the first that was decoded.
    decoded_from: usize,
}

/// What is found.
pub struct Found {
    /// For each byte of the text, the end of a string that starts with it; or else 0. Strings that lie
    /// within another one are left out.
    pub until: Vec<u32>,
    /// How much work it took, in nodes that were looked at.
    #[cfg_attr(not(test), allow(dead_code))]
    pub steps: usize,
    /// The last step: from which state, by which byte, and to which.
    last: ((usize, u8), usize),
}

impl Search {
    pub fn new() -> Self {
        Self {
            nodes: vec![Node::default()],
        }
    }

    /// Adds a string to look for. The empty one is never found.
    pub fn add(&mut self, wanted: &[u8]) {
        let mut state = NOTHING;
        for byte in wanted.iter().copied().map(folded) {
            let next = self.longer(state, byte, &mut 0);
            state = match next {
                NOTHING => self.insert(state, byte),
                next => next,
            };
        }
        self.nodes[state].found = self.nodes[state].length;
    }

    fn insert(&mut self, state: usize, byte: u8) -> usize {
        let new = self.nodes.len();
        let parent = &mut self.nodes[state];
        let node = Node {
            byte,
            length: parent.length + 1,
            sibling: parent.first_longer,
            ..Node::default()
        };
        parent.first_longer = new as u32;
        self.nodes.push(node);
        new
    }

    /// Finds all that was added. Where the text `was_cut`, what may be the start of a string at its end
    /// counts as found.
    ///
    /// The text is read in three ways, as what reads as an escape may be one by chance: as it stands;
    /// decoded; and decoded from within the last escape on, for a string that starts there.
    pub fn find(mut self, text: &[u8], was_cut: bool) -> Found {
        let mut found = Found {
            until: vec![0; text.len()],
            steps: self.link(),
            last: ((usize::MAX, 0), NOTHING),
        };
        let (mut literal, mut decoded) = (Reading::default(), Reading::default());
        let mut from_within = Reading::default();
        let mut at = 0;
        while at < text.len() {
            let escaped = escaped_byte(&text[at..]);
            let end = at + if escaped.is_some() { 3 } else { 1 };
            self.read_as_it_stands(&mut literal, text, at..end, &mut found);
            let byte = escaped.unwrap_or(text[at]);
            self.read(&mut decoded, byte, at..end, &mut found);
            self.read(&mut from_within, byte, at..end, &mut found);
            if escaped.is_some() && !self.begins_within(&from_within) {
                from_within.state = NOTHING;
                self.read_as_it_stands(&mut from_within, text, at + 1..end, &mut found);
                from_within.decoded_from = from_within.starts.len();
            }
            at = end;
        }
        if was_cut {
            for reading in [&literal, &decoded, &from_within] {
                self.mark(reading, self.length(reading), text.len(), &mut found);
            }
        }
        found
    }

    fn length(&self, reading: &Reading) -> u32 {
        self.nodes[reading.state].length
    }

    /// Whether what it has read of a string begins within an escape. Otherwise the reading that decodes
    /// throughout has it too.
    fn begins_within(&self, reading: &Reading) -> bool {
        let length = self.length(reading) as usize;
        reading.starts.len() < reading.decoded_from + length
    }

    fn read_as_it_stands(
        &self,
        reading: &mut Reading,
        text: &[u8],
        part: Range<usize>,
        found: &mut Found,
    ) {
        for (at, byte) in part.clone().zip(&text[part]) {
            self.read(reading, *byte, at..at + 1, found);
        }
    }

    /// Goes on by one byte, which stands `at` in the text.
    fn read(&self, reading: &mut Reading, byte: u8, at: Range<usize>, found: &mut Found) {
        reading.starts.push(at.start as u32);
        let read = (reading.state, byte);
        // Mostly, another reading has just been there.
        if found.last.0 != read {
            let next = self.next(reading.state, folded(byte), &mut found.steps);
            found.last = (read, next);
        }
        reading.state = found.last.1;
        self.mark(reading, self.nodes[reading.state].found, at.end, found);
    }

    /// The last `length` bytes that were read are part of what is found.
    fn mark(&self, reading: &Reading, length: u32, end: usize, found: &mut Found) {
        let Some(first) = reading.starts.len().checked_sub(length as usize) else {
            return;
        };
        if let Some(&start) = reading.starts.get(first) {
            let until = &mut found.until[start as usize];
            *until = (*until).max(end as u32);
        }
    }

    /// The longest start of a string that the text ends with, one byte further on.
    fn next(&self, mut state: usize, byte: u8, steps: &mut usize) -> usize {
        loop {
            let longer = self.longer(state, byte, steps);
            if longer != NOTHING || state == NOTHING {
                return longer;
            }
            state = self.nodes[state].within as usize;
        }
    }

    fn longer(&self, state: usize, byte: u8, steps: &mut usize) -> usize {
        let mut longer = self.nodes[state].first_longer as usize;
        while longer != NOTHING && self.nodes[longer].byte != byte {
            *steps += 1;
            longer = self.nodes[longer].sibling as usize;
        }
        *steps += 1;
        longer
    }

    /// Finds `within` of all nodes, the shorter ones first. Returns the steps that it took.
    fn link(&mut self) -> usize {
        let mut steps = 0;
        let mut queue = vec![NOTHING];
        let mut done = 0;
        while let Some(&state) = queue.get(done) {
            done += 1;
            let Node {
                within,
                first_longer,
                ..
            } = self.nodes[state];
            let mut longer = first_longer as usize;
            while longer != NOTHING {
                queue.push(longer);
                let node = self.nodes[longer];
                if state != NOTHING {
                    let within = self.next(within as usize, node.byte, &mut steps);
                    let found = node.found.max(self.nodes[within].found);
                    self.nodes[longer] = Node {
                        within: within as u32,
                        found,
                        ..node
                    };
                }
                longer = node.sibling as usize;
            }
        }
        steps
    }
}

fn folded(byte: u8) -> u8 {
    match byte {
        b'+' => b' ',
        byte => byte.to_ascii_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The parts of `text` that are found.
    fn found<'a>(wanted: &[&str], text: &'a str, was_cut: bool) -> Vec<&'a str> {
        let mut search = Search::new();
        for wanted in wanted {
            search.add(wanted.as_bytes());
        }
        let until = search.find(text.as_bytes(), was_cut).until;
        let found = until.iter().enumerate().filter(|(_, end)| **end > 0);
        found.map(|(at, end)| &text[at..*end as usize]).collect()
    }

    #[test]
    fn the_longest_string_at_each_place_is_found() {
        let wanted = ["abc", "bcd", "bc", "c", "abcdx"];
        assert_eq!(found(&wanted, "abcd", false), ["abc", "bcd"]);
        assert_eq!(found(&wanted, "ABCDX", false), ["ABCDX", "BCD"]);
        assert_eq!(found(&["aab"], "aaab", false), ["aab"]);
        assert_eq!(
            found(&["abab", "ba"], "ababab", false),
            ["abab", "ba", "abab", "ba"]
        );
        assert_eq!(found(&["a", "", "ü"], "xaü", false), ["a", "ü"]);
        assert!(found(&[], "abc", true).is_empty() && found(&[""], "abc", true).is_empty());
        assert!(found(&["abc"], "", true).is_empty());
    }

    #[test]
    fn escapes_are_read_in_every_way() {
        for (wanted, text, expected) in [
            (
                "a b",
                "<a%20b a+b a b %61%20%62>",
                &["a%20b", "a+b", "a b", "%61%20%62"][..],
            ),
            (
                "a%20b",
                "a%20b a%2520b %61%25%32%30%62",
                &["a%20b", "a%2520b", "%61%25%32%30%62"],
            ),
            ("cafe", "100%cafe", &["cafe"]),
            (
                "cafe!",
                "%cafe%21 %%cafe! %ccafe%21",
                &["cafe%21", "cafe!", "cafe%21"],
            ),
            ("afe!", "%cafe%21", &["afe%21"]),
            ("100%", "100%41 100%%41", &["100%", "100%"]),
            ("%", "%zz%", &["%", "%"]),
            // Nobody writes it so: from within the escape on, its `%` is not read.
            ("%20b!", "%20b%21", &[]),
        ] {
            assert_eq!(
                found(&[wanted], text, false),
                expected,
                "{wanted} in {text}"
            );
        }
    }

    /// What may be another string, which the decoding reading follows too, keeps none from being found.
    #[test]
    fn a_string_that_starts_within_a_later_escape_is_found() {
        let wanted = ["a!x", "1c c"];
        assert_eq!(found(&wanted, "%20a%21c%20c", false), ["1c%20c"]);
        assert_eq!(found(&wanted, "%20a%21x", false), ["a%21x"]);
    }

    #[test]
    fn the_start_of_a_string_counts_where_the_text_was_cut() {
        for (text, expected) in [
            ("xab", &["ab"][..]),
            ("x%61b", &["%61b"]),
            ("xabx", &[]),
            ("aaab%2", &[]),
            ("aaab%20", &["ab%20"]),
            ("%ab%20", &["ab%20"]),
        ] {
            assert_eq!(found(&["ab cd"], text, true), expected, "{text}");
            assert!(found(&["ab cd"], text, false).is_empty(), "{text}");
        }
    }

    #[test]
    fn each_node_that_is_looked_at_is_a_step() {
        let mut search = Search::new();
        search.add(b"ab");
        search.add(b"ac");
        // Two for each of `ab` and `ac`, in vain, to see what they end with; then one a byte.
        assert_eq!(search.find(b"ac", false).steps, 6);
    }

    /// Strings and texts that lead a search from each place of the text far on, and then astray.
    #[test]
    #[cfg_attr(miri, ignore = "too long a text for an interpreter")]
    fn the_work_is_linear_in_the_text_and_the_strings() {
        let long = "a".repeat(1000);
        let similar: Vec<String> = (0..64)
            .map(|i| format!("{}{i}b{long}", "a".repeat(i)))
            .collect();
        let same_start: Vec<String> = (0..64).map(|i| format!("{long}{i:02}")).collect();
        let nested: Vec<String> = (1..65)
            .map(|i| format!("{}1%61", "%61".repeat(i)))
            .collect();
        for wanted in [similar, same_start, nested] {
            for piece in ["a", "%61", "a%61", "1%61", "ab", "aaaaaaab", "%"] {
                let text = piece.repeat((64 << 10) / piece.len());
                let mut search = Search::new();
                for wanted in &wanted {
                    search.add(wanted.as_bytes());
                }
                let bytes: usize = wanted.iter().map(String::len).sum();
                let steps = search.find(text.as_bytes(), true).steps;
                // Three readings of two steps a byte, each of which looks at one node or two.
                assert!(steps < 16 * (text.len() + bytes), "{piece}: {steps}");
            }
        }
    }
}
