//! An input of several texts, one to a line, so that a person can read and write it.

/// Takes an input apart from its start.
pub struct Lines<'a>(&'a [u8]);

impl<'a> Lines<'a> {
    pub fn new(input: &'a [u8]) -> Self {
        Self(input)
    }

    /// The next line, or what is left.
    pub fn bytes(&mut self) -> &'a [u8] {
        let end = self.0.iter().position(|byte| *byte == b'\n');
        let (line, rest) = match end {
            Some(end) => (&self.0[..end], &self.0[end + 1..]),
            None => (self.0, &[][..]),
        };
        self.0 = rest;
        line
    }

    /// The next line, where it is text.
    pub fn text(&mut self) -> Option<&'a str> {
        std::str::from_utf8(self.bytes()).ok()
    }

    /// A line whose bits are switches; none of them is on where it is empty.
    pub fn switches(&mut self) -> u8 {
        self.bytes().first().copied().unwrap_or(0)
    }

    /// All that follows.
    pub fn rest(self) -> &'a [u8] {
        self.0
    }
}
