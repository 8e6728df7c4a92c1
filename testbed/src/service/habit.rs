//! What services are seen to do, and how connections are seen to fail.

use std::fmt;
use std::str::FromStr;

macro_rules! habits {
    ($($(#[$documentation:meta])* $name:ident,)*) => {
        /// A way of an offer's service to differ from plain good behaviour.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Habit {
            $($(#[$documentation])* $name,)*
        }

        impl Habit {
            /// Every habit, in the order of its definition.
            pub const ALL: &[Habit] = &[$(Habit::$name,)*];
        }
    };
}

habits! {
    /// Answers OK, and never opens a channel.
    OkAndNeverOpens,
    /// Asks its node for a channel, which the node refuses to open, and answers OK all the same.
    OkAfterFailedOpen,
    /// Proposes the channel, and answers once the wallet has reacted to it, or after a second.
    OpensBeforeAnswer,
    /// Answers once the channel is negotiated; with HTTP 500 when it fails or takes too long.
    AnswersAfterNegotiation,
    /// The callback's query holds `k1` already, and a `k1` that comes twice is refused.
    K1InCallbackQuery,
    /// The callback's query is signed: it has to come back byte for byte.
    SignedCallback,
    /// The callback is a path without scheme and host.
    RelativeCallback,
    /// The callback has another host than the LNURL: 127.0.0.1 instead of localhost.
    CallbackOnAnotherHost,
    /// `k1` is the word `none`, whoever asks.
    K1None,
    /// Every GET of the offer makes a new `k1`; the older ones stay valid.
    NewK1PerGet,
    /// Answers OK to a cancel, and goes on as if it had not come.
    IgnoresCancel,
    /// Opens on `private` with `cancel=1`; refuses a cancel without `private` with HTTP 400.
    ReadsPrivateCancelAsAccept,
    /// Answers `status: ERROR` with an HTTP status of its own, `OfferOptions::http_status`.
    ErrorWithHttpStatus,
    /// Answers HTTP 404 with `{"detail": …}` and no `status`.
    ErrorAsDetail,
    /// Answers `OfferOptions::body` as it is, with `OfferOptions::http_status`.
    AnswersWithBody,
    /// A gateway answers HTTP 502 with a page of HTML.
    HtmlFromGateway,
    /// Answers `status: ERROR` with a reason, and HTTP 200.
    ErrorAnswer,
    /// Answers HTTP 302 with a place at the same service, which then answers.
    Redirects,
    /// Answers HTTP 302 with the same place over plain http.
    RedirectsToPlainHttp,
    /// Reads the request, and never answers.
    SilentCallback,
    /// Reads the request, and resets the connection.
    ResetAfterRequest,
    /// The host never answers an invocation.
    SilentHost,
    /// The host knows a secret once: the second invocation with it is an error.
    OneTimeSecretBurnt,
    /// The host puts an extra length before the payload, as older hosts do.
    LegacyHostedLength,
    /// The host already has a channel with the wallet: answers `last_cross_signed_state`.
    HostedChannelExists,
    /// The peer ends the connection once the wallet has accepted, and opens anew when it is back.
    DropsConnectionBeforeFunding,
    /// The peer proposes five channels, one after the other, and never funds one.
    ProposalsDieSilently,
    /// Every channel that the peer proposes has the same temporary id.
    ReusesTemporaryId,
    /// The peer closes the first channel once it is funded, and opens another.
    ClosesBeforeReady,
    /// The peer opens a second channel once the first is funded.
    OpensTwice,
    /// The stranger opens the channel, from a connection of its own to the testbed's wallet.
    AnotherPeerOpens,
    /// The channel is announced, whatever the wallet asked for.
    OpensAnnounced,
}

impl fmt::Display for Habit {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        write!(formatter, "{self:?}")
    }
}

impl FromStr for Habit {
    type Err = String;

    fn from_str(name: &str) -> Result<Habit, String> {
        Habit::ALL
            .iter()
            .copied()
            .find(|habit| habit.to_string() == name)
            .ok_or_else(|| format!("no such habit: {name}"))
    }
}
