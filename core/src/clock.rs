//! Two clocks: one that nobody sets, for limits and ages, and one that the user sets, for what is shown
//! and stored.

use std::time::Duration;

/// The first second of 2026. A clock that shows an earlier time is wrong.
const FIRST_PLAUSIBLE_SECOND: u64 = 1_767_225_600;

/// One moment, on both clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// Since the client was created, on a clock that nobody sets. All time limits and ages go by it.
    pub since_start: Duration,
    /// Milliseconds since 1970, on the clock that the user sets. For what is shown and stored.
    pub unix_millis: u64,
}

/// A moment that is stored by the clock that the user sets, and whose age goes by one that nobody
/// sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    pub unix_seconds: u64,
    /// Since the client was created; before that, negative.
    since_start_seconds: i64,
}

impl Stamp {
    pub fn at(now: Now) -> Self {
        Self {
            unix_seconds: now.unix_millis / 1000,
            since_start_seconds: seconds(now.since_start.as_secs()),
        }
    }

    /// A moment of an earlier run. One that lies in the future, or before 2026, is taken as now.
    pub fn loaded(unix_seconds: u64, now: Now) -> Self {
        let stamp = Self::at(now);
        if unix_seconds > stamp.unix_seconds || unix_seconds < FIRST_PLAUSIBLE_SECOND {
            return stamp;
        }
        let age = seconds(stamp.unix_seconds - unix_seconds);
        Self {
            unix_seconds,
            since_start_seconds: stamp.since_start_seconds.saturating_sub(age),
        }
    }

    pub fn age(self, now: Now) -> Duration {
        let age = seconds(now.since_start.as_secs()).saturating_sub(self.since_start_seconds);
        Duration::from_secs(u64::try_from(age).unwrap_or(0))
    }

    /// When it is `age` old, on the clock of `Now::since_start`.
    pub fn plus(self, age: Duration) -> Duration {
        let seconds = self
            .since_start_seconds
            .saturating_add(seconds(age.as_secs()));
        Duration::from_secs(u64::try_from(seconds).unwrap_or(0))
    }
}

fn seconds(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_plausible_second_is_that_of_2026() {
        let now = Now {
            since_start: Duration::from_secs(100),
            unix_millis: 1_800_000_000_000,
        };
        let loaded = |unix_seconds| Stamp::loaded(unix_seconds, now);
        let first = loaded(1_767_225_600);
        assert_eq!(first.unix_seconds, 1_767_225_600);
        assert_eq!(first.age(now), Duration::from_secs(32_774_400));
        assert_eq!(loaded(1_767_225_599), Stamp::at(now));
    }
}
