//! The two clocks, and the one timer of a client.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use lnurl_channel_core::{Input, Now};
use tokio::sync::Notify;

use super::Feed;
use crate::io::{lock, runtime};

pub struct Clock {
    start: Instant,
    timer: Arc<Timer>,
    /// The timer was started: with the first thing that is due.
    runs: AtomicBool,
}

#[derive(Default)]
struct Timer {
    /// When `Input::TimePassed` is due, since the start.
    due: Mutex<Option<Duration>>,
    changed: Notify,
}

impl Clock {
    pub fn start() -> Self {
        Self {
            start: Instant::now(),
            timer: Arc::default(),
            runs: AtomicBool::new(false),
        }
    }

    pub fn now(&self) -> Now {
        // A clock before 1970 is wrong, and the core takes it as such.
        let unix = SystemTime::now().duration_since(UNIX_EPOCH);
        let unix_millis = unix.unwrap_or_default().as_millis();
        Now {
            since_start: self.start.elapsed(),
            unix_millis: u64::try_from(unix_millis).unwrap_or(u64::MAX),
        }
    }

    /// Have `Input::TimePassed` fed at `due`, and not at any other time.
    pub fn wake_at<F: Feed + 'static>(&self, due: Option<Duration>, feed: &Arc<F>) {
        let before = std::mem::replace(&mut *lock(&self.timer.due), due);
        if before != due {
            self.timer.changed.notify_one();
        }
        if due.is_some() && !self.runs.swap(true, Ordering::Relaxed) {
            let timer = run(self.start, self.timer.clone(), Arc::downgrade(feed));
            let started = runtime::spawn(timer).is_some();
            self.runs.store(started, Ordering::Relaxed);
        }
    }
}

impl Drop for Clock {
    /// The timer ends with the client.
    fn drop(&mut self) {
        self.timer.changed.notify_one();
    }
}

async fn run<F: Feed>(start: Instant, timer: Arc<Timer>, feed: Weak<F>) {
    loop {
        let due = *lock(&timer.due);
        let changed = timer.changed.notified();
        let has_passed = match due {
            Some(at) => {
                let in_time = tokio::time::timeout_at((start + at).into(), changed);
                in_time.await.is_err()
            }
            None => {
                changed.await;
                false
            }
        };
        let Some(feed) = feed.upgrade() else { return };
        if has_passed {
            feed.feed(Some(Input::TimePassed), None).await;
        }
    }
}
