//! Feeds the core and carries out its outputs, in order. `run` holds the one lock; the other files hold
//! maps from ids to handles, and know neither the core nor each other. No rule of the protocol stands
//! here.

mod clock;
mod events;
mod run;
mod tasks;
mod view;
mod waiters;

use std::sync::Arc;

use lnurl_channel_core::{Input, TaskId};

pub use run::Driver;
pub use view::Published;

/// Where results, and the passing of time, are told.
trait Feed: Send + Sync {
    fn feed(self: Arc<Self>, input: Input);

    /// Whether a task is still to begin, or to send.
    fn wants(&self, task: TaskId) -> bool;
}
