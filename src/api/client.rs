//! The client: offers fetched, requests kept, reports taken.

use std::sync::Arc;

use lnurl_channel_core::{
    ChannelRequestSnapshot, ChannelVerdict, IncomingChannel, LnurlChannelError,
};

use super::config::ClientConfig;
use super::lnurl::Lnurl;
use super::request::ChannelRequest;
use crate::driver::Driver;
use crate::io::{ChannelListener, WalletNode};

/// Fetches channel offers and follows them to the channel. Create one and keep it.
pub struct ChannelClient {
    driver: Arc<Driver>,
}

impl ChannelClient {
    /// Reads the requests kept in `storage_dir` and watches for their channels.
    ///
    /// Sends nothing. Create it before the node starts, so that no channel goes unreported, and one
    /// only for each node.
    ///
    /// # Errors
    ///
    /// `InvalidConfig`; `StorageFailed` if the folder or a record in it cannot be read or used, or
    /// another client uses it.
    pub fn new(
        node: Box<dyn WalletNode>,
        listener: Box<dyn ChannelListener>,
        config: ClientConfig,
    ) -> Result<Self, LnurlChannelError> {
        let driver = Driver::new(node.into(), listener.into(), config.check()?)?;
        Ok(Self { driver })
    }

    /// Fetch the offer behind `lnurl`. The service learns nothing about the wallet.
    ///
    /// Where a request from this LNURL is under way (`Connecting` to `Opening`), or was fetched less
    /// than a minute ago, that one is returned, and nothing is fetched.
    ///
    /// # Errors
    ///
    /// `UnsupportedTag`, `UnsafeUrl`, `TorRequired`, `Unreachable`, `InvalidResponse`, `Refused`;
    /// `InvalidConfig` for an onion service over plain http with a proxy elsewhere; `Cancelled`
    /// after `shutdown`.
    pub async fn fetch(&self, lnurl: Arc<Lnurl>) -> Result<Arc<ChannelRequest>, LnurlChannelError> {
        let published = self.driver.fetch(lnurl.0.clone()).await?;
        Ok(ChannelRequest::new(&self.driver, published))
    }

    /// Go on from an answer that the wallet fetched from `lnurl` by itself, body as it came.
    ///
    /// For wallets that fetch every LNURL first and then look at its tag. Under the same rules as
    /// `fetch`.
    ///
    /// # Errors
    ///
    /// As `fetch`, without those of the network.
    pub fn take_answer(
        &self,
        lnurl: Arc<Lnurl>,
        answer: String,
    ) -> Result<Arc<ChannelRequest>, LnurlChannelError> {
        let published = self.driver.take_answer(&lnurl.0, &answer)?;
        Ok(ChannelRequest::new(&self.driver, published))
    }

    /// All requests that were ever accepted, from earlier runs too, newest first; ended ones for 30
    /// days, looked at when a client is created. Never waits.
    pub fn requests(&self) -> Vec<ChannelRequestSnapshot> {
        self.driver.requests()
    }

    /// A request by its id, to act on it.
    pub fn request(&self, request_id: String) -> Option<Arc<ChannelRequest>> {
        let published = self.driver.request(&request_id)?;
        Some(ChannelRequest::new(&self.driver, published))
    }

    /// Report an incoming channel, at each stage that the node shows. Inbound channels only.
    ///
    /// Where the node asks before it accepts, report first and follow the verdict. Reporting the
    /// same again does no harm, and what is left out keeps what was reported before. It is stored
    /// when this returns. Waits for no network and no callback, but may write to the disk.
    pub fn report_incoming_channel(&self, channel: IncomingChannel) -> ChannelVerdict {
        self.driver.report_incoming_channel(channel)
    }

    /// Report that a channel was closed, failed, or was turned down by the node itself. If it never
    /// was `Ready`, its request awaits another. `reason` is the node's own word for it.
    ///
    /// Without a `channel_id`: a proposal of this peer that the node turned down before it showed
    /// it.
    pub fn report_channel_closed(
        &self,
        peer_id: String,
        channel_id: Option<String>,
        reason: Option<String>,
    ) {
        self.driver
            .report_channel_closed(peer_id, channel_id, reason);
    }

    /// Report that a peer was connected or disconnected, if the node tells. A lost connection is
    /// then made anew at once.
    pub fn report_peer_connection(&self, peer_id: String, is_connected: bool) {
        self.driver.report_peer_connection(peer_id, is_connected);
    }

    /// Report a custom message from a peer. True if it belongs to a request; its payload is then in
    /// the outcome. Waits for no network and no callback.
    pub fn report_peer_message(
        &self,
        peer_id: String,
        message_type: u16,
        payload: Vec<u8>,
    ) -> bool {
        self.driver
            .report_peer_message(&peer_id, message_type, &payload)
    }

    /// Check the peers of running requests now: on return to the foreground, on a new network.
    pub fn check_peers(&self) {
        self.driver.check_peers();
    }

    /// End all calls as `pause` does, let go of the storage folder at once, and of the node when no
    /// callback runs any more.
    pub async fn shutdown(&self) {
        self.driver.shutdown().await;
    }
}
