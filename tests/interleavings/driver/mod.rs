//! The driver, but for the clock, which is ours.

mod clock;
#[path = "../../../src/driver/events.rs"]
mod events;
#[path = "../../../src/driver/run.rs"]
mod run;
#[path = "../../../src/driver/tasks.rs"]
mod tasks;
#[path = "../../../src/driver/view.rs"]
mod view;
#[path = "../../../src/driver/waiters.rs"]
mod waiters;

use std::pin::Pin;
use std::sync::Arc;

use lnurl_channel_core::{Input, TaskId};

pub use clock::let_time_pass;
pub use run::Driver;
pub use view::Published;

trait Feed: Send + Sync {
    fn feed(self: Arc<Self>, input: Option<Input>, task: Option<TaskId>) -> Step<bool>;
}

type Step<T> = Pin<Box<dyn Future<Output = T> + Send>>;
