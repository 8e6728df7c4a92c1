//! The two clocks, and the one timer of a client.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use lnurl_channel_core::{Input, Now};
use tokio::sync::watch;

use super::Feed;
use crate::io::runtime;

pub struct Clock {
    start: Instant,
    /// When `Input::TimePassed` is due, since the start.
    due: watch::Sender<Option<Duration>>,
    /// The timer was started: with the first thing that is due.
    runs: AtomicBool,
}

impl Clock {
    pub fn start() -> Self {
        Self {
            start: Instant::now(),
            due: watch::channel(None).0,
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
        self.due.send_if_modified(|current| {
            let changed = *current != due;
            *current = due;
            changed
        });
        if due.is_some() && !self.runs.swap(true, Ordering::Relaxed) {
            let weak = Arc::downgrade(feed);
            let timer = run(self.start, self.due.subscribe(), weak);
            let started = runtime::spawn(timer).is_some();
            self.runs.store(started, Ordering::Relaxed);
        }
    }
}

/// Ends with the client.
async fn run<F: Feed>(start: Instant, mut due: watch::Receiver<Option<Duration>>, feed: Weak<F>) {
    loop {
        let next = *due.borrow_and_update();
        let passed = async {
            match next {
                Some(at) => tokio::time::sleep_until((start + at).into()).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            changed = due.changed() => if changed.is_err() { return },
            () = passed => match feed.upgrade() {
                Some(feed) => feed.feed(Input::TimePassed),
                None => return,
            },
        }
    }
}
