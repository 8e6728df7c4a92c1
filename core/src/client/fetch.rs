//! From an LNURL to a request: the one that it led to before, or a new one (section 8).

use std::sync::Arc;
use std::time::Duration;

use super::Client;
use crate::clock::Now;
use crate::error::LnurlChannelError;
use crate::http_rules::Proxy;
use crate::ids::{RequestId, TaskId, Waiter};
use crate::input::{HttpFailure, Journal, Reply};
use crate::output::{Answer, Output, Task};
use crate::protocol::{self, Ask, Lnurl, Offer, PeerPolicy, Secret};
use crate::request::{Credentials, Fetched, History, Progress, Record, Request, Run};
use crate::snapshot::ChannelRequestState;

/// How long a scanned LNURL leads to the offer that it led to before.
const SAME_OFFER: Duration = Duration::from_secs(60);

/// A GET that runs, for all who fetch this LNURL.
#[derive(Clone)]
pub struct Fetching {
    pub lnurl: Lnurl,
    pub task: TaskId,
    pub waiters: Vec<Waiter>,
    /// For the request that it may lead to.
    new_id: RequestId,
}

impl<J: Journal> Client<J> {
    pub(super) fn fetch(&mut self, now: Now, waiter: Waiter, lnurl: Lnurl, new_id: RequestId) {
        if self.is_closed {
            return self.answer(waiter, None, Err(LnurlChannelError::Cancelled));
        }
        if let Some(id) = self.same_request(now, &lnurl) {
            return self.answer(waiter, None, Ok(Answer::Request(id)));
        }
        if let Some(fetch) = self.fetches.iter_mut().find(|fetch| fetch.lnurl == lnurl) {
            fetch.waiters.push(waiter);
            return;
        }
        let allow = self.settings.allow_private_hosts;
        if let Some(offer) = protocol::offer_in_query(&lnurl, allow) {
            // It stands in the LNURL itself: nobody is asked for it.
            let added = offer.map_err(LnurlChannelError::from);
            let added = added.map(|offer| self.add(now, &lnurl, offer, new_id, None));
            return self.answer(waiter, None, added.map(Answer::Request));
        }
        let task = self.tasks.next(None);
        self.fetches.push(Fetching {
            lnurl: lnurl.clone(),
            task,
            waiters: vec![waiter],
            new_id,
        });
        self.outputs.push_back(Output::Run(task, Task::Get(lnurl)));
    }

    /// False if `waiter` waits for no fetch.
    pub(super) fn leave_fetch(&mut self, waiter: Waiter) -> bool {
        let mut fetches = self.fetches.iter_mut();
        let Some(fetch) = fetches.find(|fetch| fetch.waiters.contains(&waiter)) else {
            return false;
        };
        fetch.waiters.retain(|waiting| *waiting != waiter);
        if fetch.waiters.is_empty() {
            let task = fetch.task;
            self.fetches.retain(|fetch| fetch.task != task);
            self.outputs.push_back(Output::Stop(task));
        }
        true
    }

    pub(super) fn end_fetches(&mut self) {
        for fetch in std::mem::take(&mut self.fetches) {
            self.outputs.push_back(Output::Stop(fetch.task));
            for waiter in fetch.waiters {
                self.answer(waiter, None, Err(LnurlChannelError::Cancelled));
            }
        }
    }

    pub(super) fn got(&mut self, now: Now, task: TaskId, result: Result<Reply, HttpFailure>) {
        let Some(index) = self.fetches.iter().position(|fetch| fetch.task == task) else {
            return;
        };
        let fetch = self.fetches.swap_remove(index);
        let offer = result.map_err(|failure| failure.error).and_then(|reply| {
            let Reply { status, body, url } = reply;
            Ok(protocol::parse_offer(
                &body,
                status,
                &fetch.lnurl,
                &url,
                self.peers(),
            )?)
        });
        let added = offer.and_then(|offer| {
            self.check(&offer)?;
            Ok(self.add(now, &fetch.lnurl, offer, fetch.new_id, Some(task)))
        });
        if added.is_err() {
            self.outputs.push_back(Output::Stop(task));
        }
        for waiter in fetch.waiters {
            self.answer(waiter, None, added.clone().map(Answer::Request));
        }
    }

    /// As `Input::Fetch`, with an answer that the wallet fetched by itself, without a redirect.
    pub fn take_answer(
        &mut self,
        now: Now,
        lnurl: &Lnurl,
        body: &[u8],
        new_id: RequestId,
    ) -> Result<RequestId, LnurlChannelError> {
        const STATUS: u16 = 200;
        if self.is_closed {
            return Err(LnurlChannelError::Cancelled);
        }
        if let Some(id) = self.same_request(now, lnurl) {
            return Ok(id);
        }
        let offer = protocol::parse_offer(body, STATUS, lnurl, lnurl.as_url(), self.peers())?;
        self.check(&offer)?;
        Ok(self.add(now, lnurl, offer, new_id, None))
    }

    fn peers(&self) -> PeerPolicy {
        PeerPolicy {
            allow_private_hosts: self.settings.allow_private_hosts,
            has_proxy: self.settings.proxy != Proxy::None,
        }
    }

    /// The request that this LNURL led to, if it is under way, or still the offer on the screen.
    fn same_request(&self, now: Now, lnurl: &Lnurl) -> Option<RequestId> {
        use ChannelRequestState::{
            Awaiting, Connecting, Offered, Opening, OutcomeUnknown, Requesting,
        };
        let url = lnurl.url();
        let is_same = |request: &&&Request| {
            let credentials = request.record.credentials.as_ref();
            credentials.is_some_and(|credentials| credentials.lnurl.expose() == url)
        };
        let all = self.requests.values().map(|request| &**request);
        let same: Vec<&Request> = all
            .collect::<Vec<_>>()
            .iter()
            .filter(is_same)
            .copied()
            .collect();
        let under_way = |request: &&&Request| {
            let states = [Connecting, Requesting, Awaiting, OutcomeUnknown, Opening];
            states.contains(&request.state())
        };
        let offered = |request: &&&Request| request.state() == Offered && is_fresh(request, now);
        let newest = |wanted: &dyn Fn(&&&Request) -> bool| {
            let found = same.iter().filter(|request| wanted(request));
            found.max_by_key(|request| request.record.created_at_millis)
        };
        let found = newest(&under_way).or_else(|| newest(&offered))?;
        Some(found.id())
    }

    /// With the proxy's rules too: better now than when the user has agreed.
    fn check(&self, offer: &Offer) -> Result<(), LnurlChannelError> {
        let Ask::Funded { callback, .. } = &offer.ask else {
            return Ok(());
        };
        let url = protocol::parse_url(callback.expose())
            .map_err(|problem| problem.into_error(protocol::Error::InvalidResponse))?;
        let settings = &self.settings;
        settings.proxy.check(&url, settings.allow_private_hosts)
    }

    fn add(
        &mut self,
        now: Now,
        lnurl: &Lnurl,
        offer: Offer,
        id: RequestId,
        by: Option<TaskId>,
    ) -> RequestId {
        let created_at_millis = now.unix_millis.max(self.last_created_at_millis + 1);
        self.last_created_at_millis = created_at_millis;
        let peer = self.peers.get(&offer.shown.peer.node_id);
        let is_peer_connected = peer.is_some_and(|peer| peer.is_connected);
        let at = now.since_start;
        self.insert(Request {
            record: Record {
                id,
                offer: Arc::new(offer.shown),
                network: self.settings.network,
                created_at_millis,
                updated_at_seconds: now.unix_millis / 1000,
                credentials: Some(Box::new(Credentials {
                    lnurl: Secret::new(lnurl.url()),
                    ask: offer.ask,
                })),
                refund_script: None,
                progress: Progress::Offered,
                history: History::default(),
            },
            run: Run {
                fetched: Some(Fetched { at, by }),
                is_peer_connected,
                ..Run::default()
            },
        });
        id
    }

    /// The wallet holds none of these: those that were never accepted are forgotten, unless the same
    /// LNURL may still lead to them.
    pub(super) fn let_go(&mut self, now: Now, ids: &[RequestId]) {
        for id in ids {
            let request = self.requests.get(id);
            if request.is_some_and(|r| !r.run.was_accepted && !is_fresh(r, now)) {
                self.forget(*id);
            }
        }
    }
}

fn is_fresh(request: &Request, now: Now) -> bool {
    let fetched = request.run.fetched;
    fetched.is_some_and(|fetched| now.since_start < fetched.at + SAME_OFFER)
}
