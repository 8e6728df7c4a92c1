//! What may happen, in any order.

use proptest::prelude::*;

use super::super::samples::*;
use crate::protocol::ChannelKind::{self, Funded, Hosted};
use crate::protocol::ChannelVisibility::{self, Announced, Unannounced};
use crate::*;

/// What there is to scan. A service has another `k1` for each who asks.
pub const OFFERED: [(ChannelKind, &str); 6] = [
    (Funded, PEER),
    (Funded, PEER),
    (Funded, PEER),
    (Funded, OTHER_PEER),
    (Hosted, PEER),
    (Hosted, OTHER_PEER),
];

pub const PEERS: [&str; 2] = [PEER, OTHER_PEER];
/// Ids of channels, and temporary ones. Peers use both as they like.
pub const IDS: [&str; 6] = ["f1", "f2", "f3", "a1", "a2", "01d0"];
pub const TEMPORARY: [Option<&str>; 4] = [None, None, Some("a1"), Some("a2")];
pub const TOLD: [Option<bool>; 4] = [None, None, Some(false), Some(true)];
/// In seconds. The last is more than a day.
pub const SPANS: [u64; 6] = [1, 10, 31, 200, 601, 90_000];
/// In milliseconds since 1970: some day in 1970, in 2027, and in 2100.
pub const CLOCKS: [u64; 3] = [1_000, START_MILLIS + 5_000_000, 4_102_444_800_000];

#[derive(Clone, Copy, Debug)]
pub enum UserAct {
    Accept(ChannelVisibility),
    AskAgain(ChannelVisibility),
    Cancel,
    Dismiss,
    Pause,
    LetGo,
}

/// The numbers choose among what there is.
#[derive(Clone, Copy, Debug)]
pub enum Act {
    Scan(usize),
    /// The wallet made the GET by itself.
    TakeAnswer(usize),
    User(usize, UserAct),
    /// A future of the wallet is dropped.
    Leave(usize),
    /// Something that runs goes on, or ends: how, says the second number.
    Goes(usize, usize),
    /// So does something that has ended already, or that nobody needs any more.
    GoesLate(usize, usize),
    Reports {
        peer: usize,
        stage: ChannelStage,
        id: usize,
        former: usize,
        announced: usize,
    },
    /// Of an id; of none, if there is none of this number.
    Closed(usize, usize),
    HostSays(usize, usize),
    Connection(usize, bool),
    CheckPeers,
    IsDue,
    /// By one of the spans, with every instant that the client names, or asleep.
    Passes(usize, bool),
    SetClock(usize),
    DiskIsFull,
    DiskHasRoom,
    Killed,
    Shutdown,
}

pub fn any_user_act() -> impl Strategy<Value = UserAct> {
    prop_oneof![
        6 => Just(UserAct::Accept(Unannounced)),
        1 => Just(UserAct::Accept(Announced)),
        2 => Just(UserAct::AskAgain(Unannounced)),
        1 => Just(UserAct::AskAgain(Announced)),
        1 => Just(UserAct::Cancel),
        1 => Just(UserAct::Dismiss),
        2 => Just(UserAct::Pause),
        1 => Just(UserAct::LetGo),
    ]
}

pub fn any_stage() -> impl Strategy<Value = ChannelStage> {
    prop_oneof![
        Just(ChannelStage::Proposed),
        Just(ChannelStage::Funded),
        Just(ChannelStage::Ready),
    ]
}

pub fn any_report() -> impl Strategy<Value = Act> {
    let chosen = (0..2_usize, any_stage(), 0..6_usize, 0..4_usize, 0..4_usize);
    chosen.prop_map(|(peer, stage, id, former, announced)| Act::Reports {
        peer,
        stage,
        id,
        former,
        announced,
    })
}

pub fn any_act() -> impl Strategy<Value = Act> {
    let one = || 0..12_usize;
    prop_oneof![
        6 => (0..6_usize).prop_map(Act::Scan),
        1 => (0..6_usize).prop_map(Act::TakeAnswer),
        24 => (one(), any_user_act()).prop_map(|(request, act)| Act::User(request, act)),
        2 => one().prop_map(Act::Leave),
        40 => (one(), one()).prop_map(|(task, how)| Act::Goes(task, how)),
        2 => (one(), one()).prop_map(|(task, how)| Act::GoesLate(task, how)),
        12 => any_report(),
        3 => (0..2_usize, 0..7_usize).prop_map(|(peer, id)| Act::Closed(peer, id)),
        3 => (0..2_usize, 0..3_usize).prop_map(|(peer, what)| Act::HostSays(peer, what)),
        3 => (0..2_usize, any::<bool>()).prop_map(|(peer, is)| Act::Connection(peer, is)),
        1 => Just(Act::CheckPeers),
        4 => Just(Act::IsDue),
        3 => (0..6_usize, any::<bool>()).prop_map(|(span, sleeps)| Act::Passes(span, sleeps)),
        1 => (0..3_usize).prop_map(Act::SetClock),
        2 => Just(Act::DiskIsFull),
        2 => Just(Act::DiskHasRoom),
        2 => Just(Act::Killed),
        1 => Just(Act::Shutdown),
    ]
}

pub fn any_acts() -> impl Strategy<Value = Vec<Act>> {
    proptest::collection::vec(any_act(), 1..40)
}
