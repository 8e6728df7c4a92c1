//! What becomes of a request: values in, values and actions out. No clock, no I/O, no async, so that
//! every order of events is a fast test.

mod error;
mod input;
mod matcher;
mod request;
mod step;
mod types;
mod unrequested;

pub use error::LnurlChannelError;
pub use input::{Action, Asked, Input, NodeFacts, Store, Task};
pub use matcher::{for_host_message, judge};
pub use request::{Credentials, KnownChannel, Progress, Request};
pub use types::{
    ChannelEvent, ChannelOutcome, ChannelRequestState, ChannelStage, ChannelVerdict,
    IncomingChannel,
};
pub use unrequested::Unrequested;

#[cfg(test)]
mod tests;
