//! From an LNURL to a request: the one that it led to before, or a new one.

use std::sync::Arc;

use tokio::sync::OnceCell;

use super::calls::joined;
use super::driver::Engine;
use super::http::Sessions;
use super::runtime;
use super::{lock, random};
use crate::flow::{ChannelRequestState, LnurlChannelError, Request};
use crate::protocol::{self, Lnurl, Offer, Secret};

type Fetched = Result<String, LnurlChannelError>;

/// Fetches of one LNURL at once share one GET. Should the one who does it be dropped, the next
/// one does.
pub type SharedFetch = Arc<OnceCell<Fetched>>;

impl Engine {
    /// The id of the request behind `lnurl`.
    pub async fn fetch(self: &Arc<Self>, lnurl: Lnurl) -> Fetched {
        let engine = self.clone();
        let mut closing = self.closing.subscribe();
        let task = runtime::spawn(async move {
            tokio::select! {
                // First of all: what is known already is ready at once too.
                biased;
                _ = closing.wait_for(|closing| *closing) => Err(LnurlChannelError::Cancelled),
                fetched = engine.fetch_shared(&lnurl) => fetched,
            }
        });
        let _ended_with_this = task
            .as_ref()
            .map(|task| runtime::Job::of(task.abort_handle()));
        joined(task).await?
    }

    async fn fetch_shared(&self, lnurl: &Lnurl) -> Fetched {
        let url = lnurl.url();
        let fetch = lock(&self.fetches).entry(url.clone()).or_default().clone();
        let _forgotten_after = SharedBy {
            engine: self,
            url,
            fetch: fetch.clone(),
        };
        let find = async || match self.same_request(&lnurl.url()) {
            // Looked for only here, where no fetch of this LNURL can end meanwhile.
            Some(id) => Ok(id),
            None => self.fetch_new(lnurl).await,
        };
        fetch.get_or_init(find).await.clone()
    }

    /// The request that this LNURL led to, if it is under way, or still the offer on the screen.
    fn same_request(&self, url: &str) -> Option<String> {
        let mut table = lock(&self.table);
        table.forget_old();
        let same = table.sorted(|request| {
            request
                .credentials
                .as_ref()
                .is_some_and(|c| c.lnurl.expose() == url)
        });
        let under_way = same.iter().rfind(|request| {
            let state = request.state();
            request.is_running() || state == ChannelRequestState::Connecting || state.awaits()
        });
        let offered = same.iter().rfind(|request| {
            let fresh = table
                .entries
                .get(&request.id)
                .is_some_and(|entry| entry.is_fresh());
            request.state() == ChannelRequestState::Offered && fresh
        });
        under_way.or(offered).map(|request| request.id.clone())
    }

    async fn fetch_new(&self, lnurl: &Lnurl) -> Fetched {
        let sessions = Sessions::new();
        let offer = self.fetch_offer(lnurl, &sessions).await?;
        let id = random::request_id()?;
        let mut table = lock(&self.table);
        let created_at_millis = table.next_created_at_millis();
        let request = Request::new(
            id.clone(),
            Secret::new(lnurl.url()),
            offer,
            self.settings.network,
            created_at_millis,
        );
        table.insert(request, sessions);
        Ok(id)
    }

    async fn fetch_offer(
        &self,
        lnurl: &Lnurl,
        sessions: &Sessions,
    ) -> Result<Offer, LnurlChannelError> {
        let allow_private_hosts = self.settings.allow_private_hosts;
        if let Some(offer) = protocol::offer_in_query(lnurl, allow_private_hosts) {
            return Ok(offer?);
        }
        let reply = self
            .http
            .get_in_time(lnurl.as_url(), sessions)
            .await
            .map_err(|failure| failure.error)?;
        let offer = protocol::parse_offer(
            &reply.body,
            reply.status,
            lnurl,
            &reply.url,
            allow_private_hosts,
        );
        let offer = offer?;
        if let Some(callback) = &offer.callback {
            // With the proxy's rules too: better now than when the user has agreed.
            self.http.check_text(callback.expose())?;
        }
        Ok(offer)
    }
}

/// One who waits for a shared fetch. When it ends, or this is dropped, and nobody else waits for
/// it, the next fetch is a new one.
struct SharedBy<'a> {
    engine: &'a Engine,
    url: String,
    fetch: SharedFetch,
}

impl Drop for SharedBy<'_> {
    fn drop(&mut self) {
        let mut fetches = lock(&self.engine.fetches);
        let current = fetches.get(&self.url);
        let is_current = current.is_some_and(|current| Arc::ptr_eq(current, &self.fetch));
        // The map's, this one's, and that of the one who waits.
        let last = Arc::strong_count(&self.fetch) <= 3;
        if is_current && (last || self.fetch.initialized()) {
            fetches.remove(&self.url);
        }
    }
}
