//! What a request goes through until the process is killed, and what its record goes through.

use lnurl_channel::ChannelRequestState::{
    self, Arrived, Awaiting, Cancelled, Offered, OutcomeUnknown, Ready, Refused,
};
use lnurl_channel_testbed::{Habit, Kind, OfferOptions, Over};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// The channel is proposed and funded, is closed, and another comes, which becomes ready.
    Arrives,
    /// The host answers.
    Hosted,
    /// The node cannot send the host's message.
    HostedNotSent,
    /// The node does not reach the peer, and the user gives up.
    NotConnected,
    /// The service says no, and the user has seen it.
    Refused,
    /// The service's answer is lost, and yet the channel comes.
    AnswerLost,
    /// The call is paused while the service is silent.
    Paused,
    Cancelled,
    /// A channel that nobody asked for comes first, and is replayed while the request awaits its own.
    Unrequested,
    /// The folder holds a record that was never finished, a damaged one, and one to be forgotten.
    Opening,
}

impl Flow {
    pub const ALL: [Flow; 10] = [
        Flow::Arrives,
        Flow::Hosted,
        Flow::HostedNotSent,
        Flow::NotConnected,
        Flow::Refused,
        Flow::AnswerLost,
        Flow::Paused,
        Flow::Cancelled,
        Flow::Unrequested,
        Flow::Opening,
    ];

    pub fn named(name: &str) -> Flow {
        let mut all = Flow::ALL.into_iter();
        let found = all.find(|flow| format!("{flow:?}") == name);
        found.expect("the name of a flow")
    }

    pub fn is_hosted(self) -> bool {
        matches!(self, Flow::Hosted | Flow::HostedNotSent)
    }

    /// In the clear to the proxy, so that the shim sees which request it is.
    pub fn offer(self) -> OfferOptions {
        let (kind, habit) = match self {
            Flow::Hosted | Flow::HostedNotSent => (Kind::Hosted, Habit::SilentHost),
            Flow::Refused => (Kind::Channel, Habit::ErrorAnswer),
            Flow::AnswerLost => (Kind::Channel, Habit::ResetAfterRequest),
            Flow::Paused => (Kind::Channel, Habit::SilentCallback),
            _ => (Kind::Channel, Habit::OkAndNeverOpens),
        };
        OfferOptions {
            kind,
            over: Over::Onion,
            habits: vec![habit],
            ..OfferOptions::default()
        }
    }

    /// What a restart finds, from a process that is killed at once to one that is not killed: the
    /// request's state, or none if it is not in the folder.
    pub fn path(self) -> &'static [Option<ChannelRequestState>] {
        const ACCEPTED: Option<ChannelRequestState> = Some(Offered);
        const ASKED: Option<ChannelRequestState> = Some(OutcomeUnknown);
        const AWAITING: Option<ChannelRequestState> = Some(Awaiting);
        const ARRIVED: Option<ChannelRequestState> = Some(Arrived);
        match self {
            Flow::Arrives => &[
                None,
                ACCEPTED,
                ASKED,
                AWAITING,
                ARRIVED,
                AWAITING,
                ARRIVED,
                Some(Ready),
            ],
            Flow::Hosted | Flow::Unrequested => &[None, ACCEPTED, ASKED, AWAITING, ARRIVED],
            Flow::HostedNotSent => &[None, ACCEPTED, ASKED, ACCEPTED],
            Flow::NotConnected => &[None, ACCEPTED, None],
            Flow::Refused => &[None, ACCEPTED, ASKED, Some(Refused)],
            Flow::AnswerLost | Flow::Paused => &[None, ACCEPTED, ASKED, ARRIVED],
            Flow::Cancelled => &[None, ACCEPTED, ASKED, AWAITING, Some(Cancelled)],
            Flow::Opening => &[None],
        }
    }
}
