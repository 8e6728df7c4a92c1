//! What runs for the core: each task takes its time, and comes back as an input.

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use litemap::LiteMap;
use lnurl_channel_core::protocol::{self, Secret};
use lnurl_channel_core::{HttpFailure, Input, LnurlChannelError, Reply, Task, TaskId};
use tokio::task::{AbortHandle, JoinHandle};
use url::Url;

use super::Feed;
use crate::io::{Http, OnConnected, Opened, Session, Wallet, lock, runtime};

type Work = Pin<Box<dyn Future<Output = Option<Input>> + Send>>;

pub struct Tasks {
    http: Http,
    wallet: Arc<Wallet>,
    running: Mutex<LiteMap<TaskId, AbortHandle>>,
    /// What tasks leave to those that follow, until these take it.
    left: Mutex<Vec<(TaskId, Left)>>,
}

/// What the GET of an offer leaves to its callback, and then what was opened for that.
struct Left {
    session: Session,
    /// The GET, of what was opened.
    fetched_by: Option<TaskId>,
    opened: Arc<Mutex<Option<Opened>>>,
    /// Opens a connection, until this is dropped.
    opening: Option<JoinHandle<()>>,
}

impl Left {
    fn of(session: Session) -> Self {
        Self {
            session,
            fetched_by: None,
            opened: Arc::default(),
            opening: None,
        }
    }
}

impl Drop for Left {
    fn drop(&mut self) {
        if let Some(opening) = &self.opening {
            opening.abort();
        }
    }
}

impl Tasks {
    pub fn new(http: Http, wallet: Arc<Wallet>) -> Arc<Self> {
        Arc::new(Self {
            http,
            wallet,
            running: Mutex::default(),
            left: Mutex::default(),
        })
    }

    pub fn start(self: &Arc<Self>, id: TaskId, task: Task, feed: Arc<dyn Feed>) {
        let Some(work) = self.work(id, task, &feed) else {
            return;
        };
        let tasks = self.clone();
        // A task that ends at once waits until it is in the map.
        let mut running = lock(&self.running);
        let task = runtime::spawn(async move {
            let input = work.await;
            lock(&tasks.running).remove(&id);
            if let Some(input) = input {
                feed.feed(Some(input), None).await;
            }
        });
        task.map(|task| running.insert(id, task.abort_handle()));
    }

    /// Stop a task, and forget what it left. A call into the wallet goes on in its thread, unheard.
    pub fn stop(&self, id: TaskId) {
        if let Some(left) = self.take_left(Some(id))
            && let Some(fetch) = left.fetched_by
        {
            // The request's next call goes on with the session.
            lock(&self.left).push((fetch, Left::of(left.session.clone())));
        }
        if let Some(task) = lock(&self.running).remove(&id) {
            task.abort();
        }
    }

    pub fn stop_all(&self) {
        lock(&self.left).clear();
        let running = std::mem::take(&mut *lock(&self.running));
        for task in running.values() {
            task.abort();
        }
    }

    /// What a task left, if it has and nobody took it.
    fn take_left(&self, task: Option<TaskId>) -> Option<Left> {
        let mut left = lock(&self.left);
        let at = left.iter().position(|(id, _)| Some(*id) == task)?;
        Some(left.swap_remove(at).1)
    }

    fn open(
        self: &Arc<Self>,
        id: TaskId,
        url: &Secret,
        connect_within: Duration,
        fetched_by: Option<TaskId>,
    ) {
        let Ok(url) = parse(url) else { return };
        let left = self.take_left(fetched_by);
        let mut left = left.unwrap_or_else(|| Left::of(Session::of_one_request()));
        let (tasks, session, opened) = (self.clone(), left.session.clone(), left.opened.clone());
        let open = async move {
            tasks
                .http
                .open(&url, &session, connect_within, opened)
                .await
        };
        left.opening = runtime::spawn(open);
        left.fetched_by = fetched_by;
        lock(&self.left).push((id, left));
    }

    /// What only waits should take little room: each sort of task has just its own. None for
    /// `OpenConnection`, whose work stands in `Left`.
    fn work(self: &Arc<Self>, id: TaskId, task: Task, feed: &Arc<dyn Feed>) -> Option<Work> {
        let tasks = self.clone();
        Some(match task {
            Task::Get(lnurl) => {
                let session = Session::new();
                lock(&self.left).push((id, Left::of(session.clone())));
                Box::pin(async move {
                    let got = tasks.http.get_in_time(lnurl.as_url(), &session).await;
                    Some(Input::Got(id, got.map_err(HttpFailure::from)))
                })
            }
            Task::AskNode {
                request,
                readiness_for,
                refund_script,
            } => Box::pin(async move {
                let asked = tasks.wallet.ask(request, readiness_for, refund_script);
                Some(Input::NodeAsked(id, asked.await))
            }),
            Task::Connect(peer) => {
                let feed = feed.clone();
                Box::pin(async move {
                    let is_wanted = feed.feed(None, Some(id));
                    let connected = tasks.wallet.connect(peer, is_wanted).await;
                    Some(Input::Connected(id, connected))
                })
            }
            Task::OpenConnection {
                url,
                connect_within,
                fetched_by,
            } => {
                self.open(id, &url, connect_within, fetched_by);
                return None;
            }
            Task::Callback {
                url,
                connect_within,
                opened_by,
            } => {
                let left = self.take_left(opened_by);
                let feed = feed.clone();
                Box::pin(async move {
                    let ended = tasks.call_back(id, &url, connect_within, left, feed);
                    Some(Input::CallbackEnded(id, ended.await))
                })
            }
            Task::Invoke {
                peer_id,
                message_type,
                payload,
            } => Box::pin(async move {
                let payload = payload.expose().to_vec();
                let sent = tasks.wallet.send_message(peer_id, message_type, payload);
                Some(Input::Invoked(id, sent.await))
            }),
            Task::CancelNotice(url) => Box::pin(async move {
                if let Ok(url) = parse(&url) {
                    let session = Session::of_one_request();
                    // Its answer changes nothing.
                    let _ = tasks.http.get_in_time(&url, &session).await;
                }
                Some(Input::CancelSent(id))
            }),
            Task::ReleasePeer(peer) => Box::pin(async move {
                tasks.wallet.release(peer).await;
                None
            }),
        })
    }

    async fn call_back(
        &self,
        id: TaskId,
        url: &Secret,
        connect_within: Duration,
        left: Option<Left>,
        feed: Arc<dyn Feed>,
    ) -> Result<Reply, HttpFailure> {
        let url = parse(url).map_err(|error| HttpFailure {
            error,
            was_sent: false,
            may_retry: false,
        })?;
        let on_connected: OnConnected = Arc::new(move || {
            let written = Input::CallbackWritten(id);
            feed.clone().feed(Some(written), Some(id))
        });
        let mut left = left.unwrap_or_else(|| Left::of(Session::of_one_request()));
        if let Some(opening) = &mut left.opening {
            // Further than a new one would be, unless it is stuck, as after a change of networks. Without
            // a connection, another is made.
            let _ = tokio::time::timeout(connect_within / 2, opening).await;
        }
        let (session, opened) = (&left.session, left.opened.clone());
        let http = &self.http;
        let get = http.get(&url, session, connect_within, opened, on_connected);
        get.await.map_err(HttpFailure::from)
    }
}

fn parse(url: &Secret) -> Result<Url, LnurlChannelError> {
    let url = protocol::parse_url(url.expose());
    url.map_err(|problem| problem.into_error(protocol::Error::InvalidResponse).into())
}
