//! What becomes of a request: values in, values and actions out. No clock, no I/O, no async, so that
//! every order of events is a fast test.

mod error;
mod matcher;
mod request;
mod types;

pub use error::LnurlChannelError;
pub use matcher::{Unrequested, for_host_message, judge};
pub use request::{
    Action, Asked, Credentials, Input, KnownChannel, NodeFacts, Progress, Request, Store, Task,
};
pub use types::{
    ChannelEvent, ChannelOutcome, ChannelRequestState, ChannelStage, ChannelVerdict,
    IncomingChannel,
};
