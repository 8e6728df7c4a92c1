//! What can happen.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    Fetch,
    TakeAnswer,
    Accept,
    AskAgain,
    Cancel,
    Dismiss,
    Pause,
    /// Somebody who waits leaves.
    Leave,
    LetGo,
    CheckPeers,
    PeerConnection,
    ChannelClosed,
    Proposed,
    Funded,
    Ready,
    HostMessage,
    /// What is due next is due now.
    Due,
    TimePasses,
    ClockIsSet,
    DiskFills,
    Killed,
    Shutdown,
    /// A task that runs, or was stopped, comes to its end.
    TaskEnds,
    Preflight,
    AwaitReady,
}

impl What {
    const ALL: [Self; 25] = [
        Self::Fetch,
        Self::TakeAnswer,
        Self::Accept,
        Self::AskAgain,
        Self::Cancel,
        Self::Dismiss,
        Self::Pause,
        Self::Leave,
        Self::LetGo,
        Self::CheckPeers,
        Self::PeerConnection,
        Self::ChannelClosed,
        Self::Proposed,
        Self::Funded,
        Self::Ready,
        Self::HostMessage,
        Self::Due,
        Self::TimePasses,
        Self::ClockIsSet,
        Self::DiskFills,
        Self::Killed,
        Self::Shutdown,
        Self::TaskEnds,
        Self::Preflight,
        Self::AwaitReady,
    ];

    /// The end of a task more often than anything else.
    pub fn of(byte: u8) -> Self {
        let known = Self::ALL.get(usize::from(byte % 32));
        known.copied().unwrap_or(Self::TaskEnds)
    }

    pub fn as_byte(self) -> u8 {
        self as u8
    }
}
