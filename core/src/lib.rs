//! The rules of lnurl-channel: values in, values out. No file, socket, clock or thread.
//!
//! [`Client`] owns all requests, calls, deadlines and verdicts. Whoever drives it feeds it with
//! [`Input`]s, carries out its [`Output`]s in order, and calls it again when [`Client::poll_timeout`]
//! says so. Below it, [`protocol`] reads and writes what goes over the network. "(5b, F2)" in a
//! comment names a rule of `docs/protocol.md`.

#![forbid(unsafe_code)]

mod channel;
mod client;
mod clock;
mod error;
mod http_rules;
mod ids;
mod input;
mod matcher;
mod output;
mod problem;
pub mod protocol;
mod readiness;
mod record;
mod request;
mod settings;
mod snapshot;
mod verdicts;

pub use channel::{ChannelOutcome, ChannelStage, ChannelVerdict, IncomingChannel};
pub use client::Client;
pub use clock::Now;
pub use error::LnurlChannelError;
pub use http_rules::{Hops, MAX_BODY_BYTES, MAX_CONNECTION_AGE, Proxy};
pub use ids::{RequestId, TaskId, Waiter};
pub use input::{HttpFailure, Input, Journal, NodeFacts, NodeFailure, Reply, Stored};
pub use output::{Answer, Output, Task};
pub use problem::{NetworkProblem, NodeProblem};
pub use readiness::NodeReadiness;
pub use record::receipt;
pub use request::History;
pub use settings::Settings;
pub use snapshot::{ChannelConcern, ChannelRequestSnapshot, ChannelRequestState, ChannelStep};

/// For the fuzzers: how the journal's records are read and written.
#[cfg(feature = "internals")]
pub mod internals {
    pub use crate::record::{
        Loaded, Rules, Unreadable, read, read_unrequested_channels, read_verdicts, redacted, write,
        write_verdicts,
    };
}

#[cfg(test)]
mod tests;
