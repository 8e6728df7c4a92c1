//! A request, as the wallet holds it.

use std::fmt;
use std::sync::Arc;

use lnurl_channel_core::protocol::ChannelVisibility;
use lnurl_channel_core::{
    ChannelConcern, ChannelOutcome, ChannelRequestSnapshot, IncomingChannel, LnurlChannelError,
};

use crate::driver::{Driver, Published};

/// One offer, and what became of it.
pub struct ChannelRequest {
    driver: Arc<Driver>,
    /// While the wallet holds this, the offer is kept.
    published: Arc<Published>,
}

impl ChannelRequest {
    pub(super) fn new(driver: &Arc<Driver>, published: Arc<Published>) -> Arc<Self> {
        Arc::new(Self {
            driver: driver.clone(),
            published,
        })
    }

    /// Stable across restarts; names the request in snapshots and verdicts.
    pub fn request_id(&self) -> String {
        self.published.id().to_string()
    }

    /// How the request stands. Never waits: right for the main thread.
    pub fn snapshot(&self) -> ChannelRequestSnapshot {
        self.published.snapshot().as_ref().clone()
    }

    /// Ask the wallet's node what would stand in the way of accepting. Nothing is sent.
    ///
    /// An empty list means that nothing is known to.
    ///
    /// # Errors
    ///
    /// `OwnNode`; `NodeFailed`; `Cancelled` after `shutdown`.
    pub async fn preflight(
        &self,
        visibility: ChannelVisibility,
    ) -> Result<Vec<ChannelConcern>, LnurlChannelError> {
        self.driver.preflight(self.published.id(), visibility).await
    }

    /// Connect to the peer, ask for the channel, and wait until it arrives: funded, or offered by
    /// the host.
    ///
    /// Asks the service once, and only in `Offered`. Called again it waits on, asking nobody: after
    /// `NoChannel`, a pause or a restart. After the end it gives the same end at once. While a call
    /// runs it joins that one. `visibility` counts only when it asks, and not when hosted.
    ///
    /// # Errors
    ///
    /// `OwnNode`, `NodeFailed`, `Unreachable`, `UnsafeUrl`, `TorRequired`, `InvalidConfig` and
    /// `StorageFailed`: nobody was asked for a channel. `Refused`: the service, or the host, said
    /// no. `InvalidResponse`: the host's answer breaks the protocol. `NoChannel`: it may still
    /// come. `Cancelled`: paused or cancelled, or the client was shut down.
    pub async fn accept(
        &self,
        visibility: ChannelVisibility,
    ) -> Result<ChannelOutcome, LnurlChannelError> {
        self.driver.accept(self.published.id(), visibility).await
    }

    /// Ask the service once more, though the channel may still come. Only the user should decide
    /// so.
    ///
    /// In `Awaiting` and `OutcomeUnknown`, while no call runs. Sends nothing if a channel comes
    /// while it connects. The service may open two channels, or refuse the second request.
    ///
    /// # Errors
    ///
    /// As `accept`, and `WrongState`.
    pub async fn ask_again(
        &self,
        visibility: ChannelVisibility,
    ) -> Result<ChannelOutcome, LnurlChannelError> {
        self.driver.ask_again(self.published.id(), visibility).await
    }

    /// Keep the peer connected until the channel that arrived can be used.
    ///
    /// Has no time limit: confirmations take as long as they take. Ends with `NoChannel` if the channel
    /// is closed first, and with `WrongState` before it has arrived. Called again it goes on, after a
    /// restart too. Not for hosted channels.
    ///
    /// # Errors
    ///
    /// `WrongState` before the channel has arrived; `NoChannel`; `Cancelled`: paused, or the client
    /// was shut down.
    pub async fn await_ready(&self) -> Result<IncomingChannel, LnurlChannelError> {
        self.driver.await_ready(self.published.id()).await
    }

    /// Stop the running call, for all who wait for it. Nothing is sent; `accept` or `await_ready`
    /// goes on later.
    ///
    /// The call ends with `Cancelled`. Does nothing if none is running.
    pub fn pause(&self) {
        self.driver.pause(self.published.id());
    }

    /// Turn the offer down, or cancel midway: stop the running call, tell the service if it was
    /// asked, and refuse a late channel. Cancelled even if the service cannot be told.
    ///
    /// # Errors
    ///
    /// `WrongState` once the channel has arrived; `StorageFailed`; `Cancelled` after `shutdown`.
    pub async fn cancel(&self) -> Result<(), LnurlChannelError> {
        self.driver.cancel(self.published.id()).await
    }

    /// The user has seen how the request ended, or that its channel arrived.
    ///
    /// # Errors
    ///
    /// `WrongState` before that; `StorageFailed`; `Cancelled` after `shutdown`.
    pub async fn dismiss(&self) -> Result<(), LnurlChannelError> {
        self.driver.dismiss(self.published.id()).await
    }

    /// What happened, step by step with times, as JSON for a support team. It holds no secret.
    pub fn receipt(&self) -> String {
        self.published.receipt()
    }
}

impl fmt::Debug for ChannelRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let snapshot = self.published.snapshot();
        f.debug_struct("ChannelRequest")
            .field("request_id", &snapshot.request_id)
            .field("service", &snapshot.offer.service)
            .field("state", &snapshot.state)
            .finish_non_exhaustive()
    }
}
