//! What a running call does: each task takes its time, and comes back as an input of the flow.

use std::sync::Arc;
use std::time::{Duration, Instant};

use url::Url;

use super::driver::Engine;
use super::http::{HttpFailure, OnConnected, Sessions};
use super::random;
use super::wallet::CallFailure;
use crate::flow::{Asked, Input, LnurlChannelError, Task};
use crate::protocol::{self, Answer, INVOKE_HOSTED_CHANNEL, PeerAddress, Secret};

/// Tries of a callback that provably was not sent, after the first.
const RETRIES: u32 = 2;
/// The first retry comes after half of this to all of it, the second after twice that.
const RETRY_AFTER: Duration = Duration::from_millis(300);
/// Connects that fail in a row come further and further apart, up to this many times the interval.
const MAX_BACKOFF: u32 = 8;

/// A running call, as its tasks and those who wait for it know it.
pub struct CallContext {
    pub engine: Arc<Engine>,
    pub id: String,
    /// Tells the results of this call's tasks from those of an earlier call.
    pub number: u64,
}

impl CallContext {
    /// What only waits takes most of the time, and should take little room: what is large is boxed,
    /// since a future has room for the largest of its branches.
    pub async fn run(&self, task: Task) -> Input {
        let settings = &self.engine.settings;
        match task {
            Task::AskNode { refund_script } => {
                let asked = Box::pin(self.engine.wallet.ask(&self.id, refund_script)).await;
                Input::NodeAsked(asked.map_err(CallFailure::into_reason))
            }
            Task::Connect => Input::Connected(Box::pin(self.connect()).await),
            Task::SendCallback(url) => Input::Asked(Box::pin(self.send_callback(url)).await),
            Task::SendInvoke(payload) => Input::Asked(Box::pin(self.send_invoke(payload)).await),
            Task::Deadline => {
                tokio::time::sleep(settings.channel_timeout).await;
                Input::TimeOver
            }
            Task::CheckLater { failed_connects } => {
                let doublings = failed_connects.saturating_sub(1).min(MAX_BACKOFF.ilog2());
                tokio::time::sleep(settings.reconnect * 2_u32.pow(doublings)).await;
                Input::CheckDue
            }
        }
    }

    fn peer(&self) -> Result<PeerAddress, String> {
        let peer = self
            .engine
            .read(&self.id, |entry| entry.request.peer().clone());
        // A request whose call runs is in the table.
        peer.ok_or_else(|| "the request is forgotten".into())
    }

    async fn connect(&self) -> Result<(), String> {
        self.engine.wallet.connect(self.peer()?).await
    }

    async fn send_callback(&self, url: Secret) -> Asked {
        let Ok(url) = protocol::parse_url(url.expose()) else {
            // It was built from a callback that passed the same check.
            let reason = "the callback cannot be parsed".into();
            return Asked::NotSent(LnurlChannelError::UnsafeUrl { reason });
        };
        // The deadline ends the call, and with it this task; but an arrival lets it run out.
        let to_connect = self.engine.http.time_limit(&url);
        let limit = self.engine.settings.channel_timeout + to_connect;
        let mut closing = self.engine.closing.subscribe();
        let lost = || Asked::Lost("the service has not answered".into());
        tokio::select! {
            biased;
            _ = closing.wait_for(|closing| *closing) => lost(),
            asked = tokio::time::timeout(limit, self.ask_until_sent(&url)) => {
                asked.unwrap_or_else(|_| lost())
            }
        }
    }

    /// Asks again only while it is certain that nothing was sent, and only as long as reaching the
    /// service may take.
    async fn ask_until_sent(&self, url: &Url) -> Asked {
        let secrets = self.engine.read(&self.id, |entry| entry.request.secrets());
        let secrets = secrets.unwrap_or_default();
        let sessions = self.engine.take_sessions(&self.id);
        let http = &self.engine.http;
        let until = Instant::now() + http.time_limit(url);
        let mut retries = 0;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let failure = match http.get(url, &sessions, left, self.on_connected()).await {
                Ok(reply) => {
                    return match protocol::parse_answer(&reply.body, reply.status, &secrets) {
                        Answer::Ok => Asked::Agreed,
                        Answer::Refused(reason) => Asked::Refused(reason),
                        Answer::Unknown(reason) => Asked::Lost(reason),
                    };
                }
                Err(failure) => failure,
            };
            match failure {
                HttpFailure {
                    sent: true, error, ..
                } => return Asked::Lost(lost_reason(error)),
                HttpFailure { retry: true, .. } if retries < RETRIES && Instant::now() < until => {
                    let wait = RETRY_AFTER * 2_u32.pow(retries);
                    tokio::time::sleep(wait.mul_f64(0.5 + random::share() / 2.0)).await;
                    retries += 1;
                }
                HttpFailure { error, .. } => return Asked::NotSent(error),
            }
        }
    }

    fn on_connected(&self) -> OnConnected {
        let (engine, id, number) = (self.engine.clone(), self.id.clone(), self.number);
        Arc::new(move || engine.bring_back(&id, number, Input::Written))
    }

    async fn send_invoke(&self, payload: Secret<Vec<u8>>) -> Asked {
        let not_sent = |reason| Asked::NotSent(LnurlChannelError::NodeFailed { reason });
        let peer_id = match self.peer() {
            Ok(peer) => peer.node_id,
            Err(reason) => return not_sent(reason),
        };
        let (wallet, payload) = (&self.engine.wallet, payload.expose().to_vec());
        match wallet
            .send_message(peer_id, INVOKE_HOSTED_CHANNEL, payload)
            .await
        {
            Ok(()) => Asked::Agreed,
            Err(CallFailure::TimedOut(reason)) => Asked::Lost(reason),
            Err(CallFailure::Failed(reason)) => not_sent(reason),
        }
    }
}

/// Tell the service of a cancel: once, within the time limit of a request. Its answer changes
/// nothing.
pub async fn send_cancel(engine: Arc<Engine>, url: Secret) {
    let Ok(url) = protocol::parse_url(url.expose()) else {
        return;
    };
    let mut closing = engine.closing.subscribe();
    let sessions = Sessions::none();
    tokio::select! {
        biased;
        _ = closing.wait_for(|closing| *closing) => {}
        _ = engine.http.get_in_time(&url, &sessions) => {}
    }
}

/// What a lost answer was lost to, as part of a sentence.
fn lost_reason(error: LnurlChannelError) -> String {
    use LnurlChannelError::{InvalidConfig, InvalidResponse, Unreachable, UnsafeUrl};
    match error {
        UnsafeUrl { reason }
        | Unreachable { reason }
        | InvalidResponse { reason }
        | InvalidConfig { reason } => reason,
        other => other.to_string(),
    }
}
