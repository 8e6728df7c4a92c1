//! Feeds the core and carries out its outputs, in order. `run` holds the one lock; the other files hold
//! maps from ids to handles, and know neither the core nor each other. No rule of the protocol stands
//! here.

mod clock;
mod events;
mod run;
mod tasks;
mod view;
mod waiters;

use std::pin::Pin;
use std::sync::Arc;

use lnurl_channel_core::{Input, TaskId};

pub use run::Driver;
pub use view::Published;

/// Where results, and the passing of time, are told.
trait Feed: Send + Sync {
    /// Hear `input`, if there is one, when it is its turn. Returns whether `task` is still to begin, or to send;
    /// false without one.
    fn feed(self: Arc<Self>, input: Option<Input>, task: Option<TaskId>) -> Step<bool>;
}

/// A step of the core, which ends when its outputs are carried out.
type Step<T> = Pin<Box<dyn Future<Output = T> + Send>>;
