//! The client: offers fetched, requests kept, reports taken.

use std::sync::Arc;

use super::config::ClientConfig;
use super::request::ChannelRequest;
use crate::engine::{Engine, WalletNode};
use crate::flow::{ChannelVerdict, IncomingChannel, LnurlChannelError};
use crate::protocol::Lnurl;

/// Fetches channel offers and follows them to the channel. Create one and keep it.
pub struct ChannelClient {
    engine: Arc<Engine>,
}

impl ChannelClient {
    /// Reads the requests kept in `ClientConfig.storage_dir` and watches for their channels.
    ///
    /// Sends nothing. Create it before the node starts, so that no channel goes unreported.
    ///
    /// # Errors
    ///
    /// `InvalidConfig`, and `StorageFailed` if the folder can't be used, or another client uses it.
    pub fn new(node: Arc<dyn WalletNode>, config: ClientConfig) -> Result<Self, LnurlChannelError> {
        Ok(Self {
            engine: Engine::new(node, config.into_settings()?)?,
        })
    }

    /// Fetch the offer behind `lnurl`. The service learns nothing about the wallet.
    ///
    /// Where a request from this LNURL has been accepted and has no answer yet, that one is
    /// returned, and nothing is fetched.
    ///
    /// # Errors
    ///
    /// `UnsupportedTag`, `UnsafeUrl`, `TorRequired`, `Unreachable`, `InvalidResponse`, `Refused`;
    /// `InvalidConfig` for an onion service over plain http with a proxy elsewhere; `Cancelled`
    /// after `shutdown`.
    pub async fn fetch(&self, lnurl: Arc<Lnurl>) -> Result<Arc<ChannelRequest>, LnurlChannelError> {
        let id = self.engine.fetch(lnurl.as_ref().clone()).await?;
        self.request(id).ok_or(LnurlChannelError::Cancelled)
    }

    /// Requests that were accepted and whose end no call has returned yet, from earlier runs too,
    /// oldest first.
    pub fn unfinished_requests(&self) -> Vec<Arc<ChannelRequest>> {
        let ids = self.engine.unfinished();
        ids.into_iter().filter_map(|id| self.request(id)).collect()
    }

    /// A request by its id, ended ones of this run included.
    pub fn request(&self, request_id: String) -> Option<Arc<ChannelRequest>> {
        ChannelRequest::of(&self.engine, request_id).map(Arc::new)
    }

    /// Report an incoming channel, at each stage that the node shows. Inbound channels only.
    ///
    /// Where the node asks before it accepts, report first and follow the verdict. Returns as soon
    /// as the report is stored; waits for no network and no callback.
    pub fn report_incoming_channel(&self, channel: IncomingChannel) -> ChannelVerdict {
        self.engine.report_incoming_channel(channel)
    }

    /// Report that a channel failed before it was ready: its request awaits a channel again.
    pub fn report_channel_failed(&self, peer_id: String, channel_id: String) {
        self.engine.report_channel_failed(&peer_id, &channel_id);
    }

    /// Report a custom message from a peer. Waits for nothing. True if it belongs to a request;
    /// its payload is then in the outcome.
    pub fn report_peer_message(
        &self,
        peer_id: String,
        message_type: u16,
        payload: Vec<u8>,
    ) -> bool {
        self.engine
            .report_peer_message(&peer_id, message_type, payload)
    }

    /// Check the peers of running requests now: on return to the foreground, on a new network.
    pub fn check_peers(&self) {
        self.engine.check_peers();
    }

    /// End all calls as `pause` does, and let go of the node and of the storage folder.
    pub async fn shutdown(&self) {
        self.engine.shutdown().await;
    }
}
