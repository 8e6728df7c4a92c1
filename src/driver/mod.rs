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

/// Where results, and the passing of time, are told. Each is a step of its own, which ends when its
/// outputs are carried out.
trait Feed: Send + Sync {
    fn feed(self: Arc<Self>, input: Input) -> Step<()>;

    /// Whether a task is still to begin, or to send.
    fn wants(self: Arc<Self>, task: TaskId) -> Step<bool>;
}

/// A step of the core that waits for its turn, and takes it on a thread of its own.
type Step<T> = Pin<Box<dyn Future<Output = T> + Send>>;
