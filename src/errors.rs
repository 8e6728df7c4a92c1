//! How the errors of `io` become those of the core, and with them the one that wallets see.

use lnurl_channel_core::protocol::UrlProblem;
use lnurl_channel_core::{HttpFailure, LnurlChannelError};

use crate::io::{HttpCause, HttpError, JournalError};

impl From<HttpCause> for LnurlChannelError {
    fn from(cause: HttpCause) -> Self {
        match cause {
            HttpCause::Rule(error) => error,
            HttpCause::PrivateAddress => Self::UnsafeUrl {
                problem: UrlProblem::PrivateAddress,
                reason: "its name leads to local or private addresses only: the login page of a network (a captive portal) is the likely cause".into(),
            },
            HttpCause::Network { problem, reason } => Self::Unreachable { problem, reason },
            HttpCause::BadAnswer(reason) => Self::InvalidResponse {
                reason: reason.into(),
            },
            HttpCause::Setup(reason) => Self::InvalidConfig { reason },
        }
    }
}

impl From<HttpError> for HttpFailure {
    fn from(error: HttpError) -> Self {
        Self {
            error: error.cause.into(),
            was_sent: error.was_sent,
            may_retry: error.may_retry,
        }
    }
}

impl From<JournalError> for LnurlChannelError {
    fn from(error: JournalError) -> Self {
        let reason = error.to_string();
        Self::StorageFailed { reason }
    }
}

/// Without random numbers there is no id for a request.
pub fn no_random_numbers() -> LnurlChannelError {
    LnurlChannelError::StorageFailed {
        reason: "the system gives no random numbers".into(),
    }
}
