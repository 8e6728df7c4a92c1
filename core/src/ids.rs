//! Names of requests, tasks and waiters.

use std::fmt;

/// 128 random bits, derived from nothing. Its text is 32 hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId([u8; 16]);

impl RequestId {
    pub fn of_random(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    pub fn parse(text: &str) -> Option<Self> {
        let mut bytes = [0; 16];
        hex::decode_to_slice(text, &mut bytes).ok()?;
        Some(Self(bytes))
    }

    /// A share between 0 and 1, to spread retries of different requests over time.
    pub(crate) fn share(self, index: usize) -> f64 {
        f64::from(self.0[index % self.0.len()]) / f64::from(u8::MAX)
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Somebody who waits for an answer: a future of the wallet. The driver numbers them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Waiter(pub u64);

/// A piece of work that the client asked for. No two of a client have the same number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskId {
    number: u64,
    /// The request whose task it is; none if it may be of use to several, or to none.
    pub(crate) request: Option<RequestId>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TaskIds(u64);

impl TaskIds {
    pub fn next(&mut self, request: Option<RequestId>) -> TaskId {
        self.0 += 1;
        TaskId {
            number: self.0,
            request,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_shown_as_its_hex_digits_and_read_from_them() {
        let text = "00112233445566778899aabbccddeeff";
        let id = RequestId::parse(text).unwrap();
        assert_eq!(
            (format!("{id}"), format!("{id:?}")),
            (text.into(), text.into())
        );
        assert_eq!(RequestId::parse(&text[..30]), None);
    }

    #[test]
    fn an_id_has_a_share_for_each_of_its_bytes_and_begins_again_behind_the_last() {
        let bytes = std::array::from_fn(|index| [0, 51, 255][index % 3]);
        let id = RequestId::of_random(bytes);
        let shares = [0, 1, 2, 15, 16, 17].map(|index| id.share(index));
        assert_eq!(shares, [0.0, 0.2, 1.0, 0.0, 0.0, 0.2]);
    }
}
