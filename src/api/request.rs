//! A request, as the wallet holds it.

use std::fmt;
use std::sync::Arc;

use crate::engine::Engine;
use crate::flow::{ChannelOutcome, ChannelRequestState, Input, LnurlChannelError, Request};
use crate::protocol::{ChannelOffer, ChannelVisibility};

/// One offer, and what became of it.
pub struct ChannelRequest {
    engine: Arc<Engine>,
    id: String,
    offer: Arc<ChannelOffer>,
    created_at_seconds: u64,
    /// While the wallet holds this, the engine keeps the offer.
    _handle: Arc<()>,
}

impl ChannelRequest {
    pub(super) fn of(engine: &Arc<Engine>, id: String) -> Option<Self> {
        engine.read(&id, |entry| Self {
            engine: engine.clone(),
            id: id.clone(),
            offer: entry.request.offer.clone(),
            created_at_seconds: entry.request.created_at_millis / 1000,
            _handle: entry.handle.clone(),
        })
    }

    /// Stable across restarts; names the request in events and verdicts.
    pub fn request_id(&self) -> String {
        self.id.clone()
    }

    pub fn offer(&self) -> ChannelOffer {
        self.offer.as_ref().clone()
    }

    /// When the offer was fetched, in seconds since 1970.
    pub fn created_at_seconds(&self) -> u64 {
        self.created_at_seconds
    }

    pub fn state(&self) -> ChannelRequestState {
        // The engine keeps every request that somebody holds.
        self.read(Request::state)
            .unwrap_or(ChannelRequestState::Declined)
    }

    /// Whether an `accept` or a `resume` is running.
    pub fn is_running(&self) -> bool {
        self.read(Request::is_running).unwrap_or(false)
    }

    /// What arrived, once something has.
    pub fn outcome(&self) -> Option<ChannelOutcome> {
        self.read(|request| request.progress.outcome.clone())
            .flatten()
    }

    fn read<T>(&self, read: impl FnOnce(&Request) -> T) -> Option<T> {
        self.engine.read(&self.id, |entry| read(&entry.request))
    }

    /// Connect to the peer, ask for the channel, and wait until it arrives.
    ///
    /// Asks the service once. After `NoChannel` or `OutcomeUnknown` it asks again, which only the
    /// user should decide. `visibility` is ignored when hosted.
    ///
    /// # Errors
    ///
    /// `NodeFailed`, `Unreachable`, `UnsafeUrl`, `TorRequired` and `StorageFailed`: nothing was
    /// sent. `Refused`, `InvalidResponse`: the service, or the host, answered. `NoChannel`,
    /// `OutcomeUnknown`: it may still come. `Cancelled`, `WrongState`.
    pub async fn accept(
        &self,
        visibility: ChannelVisibility,
    ) -> Result<ChannelOutcome, LnurlChannelError> {
        let accept = Input::Accept(visibility);
        let mut waiter = self.engine.call(&self.id, accept).await?;
        waiter.wait().await
    }

    /// Keep the peer connected and wait on, without asking. Returns at once what has arrived.
    ///
    /// Joins a call that is running. A host answers only on the connection that it was asked on.
    ///
    /// # Errors
    ///
    /// `NoChannel`, `OutcomeUnknown`, `Refused`, `InvalidResponse`, `Cancelled`, `WrongState`; and
    /// those of the `accept` that it joined.
    pub async fn resume(&self) -> Result<ChannelOutcome, LnurlChannelError> {
        let mut waiter = self.engine.call(&self.id, Input::Resume).await?;
        waiter.wait().await
    }

    /// Stop a running `accept` or `resume`. Nothing is sent, and `resume` goes on later.
    ///
    /// The call ends with `Cancelled`. False if none was running.
    pub fn pause(&self) -> bool {
        self.engine.pause(&self.id)
    }

    /// Turn the offer down, or forget it. Nothing is sent to anyone.
    ///
    /// # Errors
    ///
    /// `WrongState` while a call runs and after the end; `StorageFailed`.
    pub fn decline(&self) -> Result<(), LnurlChannelError> {
        self.engine.decline(&self.id)
    }

    /// Cancel midway: stop the running call, tell the service if it was asked, and refuse a late
    /// channel. Cancelled even if the service cannot be told.
    ///
    /// # Errors
    ///
    /// `WrongState` once the channel has arrived, or the offer was declined; `StorageFailed`.
    pub async fn cancel(&self) -> Result<(), LnurlChannelError> {
        self.engine.cancel(&self.id).await
    }
}

impl fmt::Debug for ChannelRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChannelRequest")
            .field("request_id", &self.id)
            .field("service", &self.offer.service)
            .field("state", &self.state())
            .finish_non_exhaustive()
    }
}
