//! A clock that stands still; or what is due comes when the scheduler lets it, before or after
//! anything else.

use std::cell::Cell;
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use lnurl_channel_core::{Input, Now};
use shuttle::rand::{Rng, thread_rng};
use tokio::task::yield_now;

use super::Feed;
use crate::io::{lock, runtime};

/// The first second of 2027.
const START_MILLIS: u64 = 1_798_761_600_000;

/// What is due comes within so many steps: a call may take fewer, or more.
const MOST_STEPS: usize = 400;

shuttle::thread_local! {
    static PASSES: Cell<bool> = const { Cell::new(false) };
}

/// Of the clients that this thread makes from here on.
pub fn let_time_pass(passes: bool) {
    PASSES.with(|flag| flag.set(passes));
}

pub struct Clock {
    passes: bool,
    times: Arc<Mutex<Times>>,
}

#[derive(Default)]
struct Times {
    now: Duration,
    due: Option<Duration>,
    timer_runs: bool,
}

impl Clock {
    pub fn start() -> Self {
        Self {
            passes: PASSES.with(Cell::get),
            times: Arc::default(),
        }
    }

    pub fn now(&self) -> Now {
        let since_start = lock(&self.times).now;
        let millis = u64::try_from(since_start.as_millis()).unwrap_or(u64::MAX);
        Now {
            since_start,
            unix_millis: START_MILLIS.saturating_add(millis),
        }
    }

    pub fn wake_at<F: Feed + 'static>(&self, due: Option<Duration>, feed: &Arc<F>) {
        let mut times = lock(&self.times);
        times.due = due;
        if self.passes && due.is_some() && !times.timer_runs {
            times.timer_runs = true;
            drop(times);
            runtime::spawn(run(self.times.clone(), Arc::downgrade(feed)));
        }
    }
}

/// Ends when nothing is due.
async fn run<F: Feed>(times: Arc<Mutex<Times>>, feed: Weak<F>) {
    loop {
        for _ in 0..thread_rng().gen_range(1..MOST_STEPS) {
            yield_now().await;
        }
        let Some(feed) = feed.upgrade() else { return };
        {
            let mut times = lock(&times);
            let Some(due) = times.due else {
                times.timer_runs = false;
                return;
            };
            times.now = times.now.max(due);
        }
        feed.feed(Some(Input::TimePassed), None).await;
    }
}
