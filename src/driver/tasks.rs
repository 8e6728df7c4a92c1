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
    /// What the GETs of offers left for the callbacks of these, until they are on their way.
    sessions: Mutex<Vec<(TaskId, Session)>>,
    /// Connections for callbacks, until these take them.
    openings: Mutex<Vec<(TaskId, Opening)>>,
}

/// A connection that is being opened, or stands. Dropped, it is closed.
struct Opening {
    session: Session,
    opened: Arc<Mutex<Option<Opened>>>,
    task: JoinHandle<()>,
}

impl Drop for Opening {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Tasks {
    pub fn new(http: Http, wallet: Arc<Wallet>) -> Arc<Self> {
        Arc::new(Self {
            http,
            wallet,
            running: Mutex::default(),
            sessions: Mutex::default(),
            openings: Mutex::default(),
        })
    }

    pub fn start(self: &Arc<Self>, id: TaskId, task: Task, feed: Arc<dyn Feed>) {
        let work = self.work(id, task, &feed);
        let tasks = self.clone();
        // A task that ends at once waits until it is in the map.
        let mut running = lock(&self.running);
        let task = runtime::spawn(async move {
            let input = work.await;
            lock(&tasks.running).remove(&id);
            if let Some(input) = input {
                feed.feed(input).await;
            }
        });
        task.map(|task| running.insert(id, task.abort_handle()));
    }

    /// Stop a task, and forget what it left. A call into the wallet goes on in its thread, unheard.
    pub fn stop(&self, id: TaskId) {
        self.take_session(id);
        self.take_opening(id);
        if let Some(task) = lock(&self.running).remove(&id) {
            task.abort();
        }
    }

    pub fn stop_all(&self) {
        lock(&self.sessions).clear();
        lock(&self.openings).clear();
        let running = std::mem::take(&mut *lock(&self.running));
        for task in running.values() {
            task.abort();
        }
    }

    fn take_session(&self, fetch: TaskId) -> Option<Session> {
        take(&self.sessions, fetch)
    }

    fn take_opening(&self, id: TaskId) -> Option<Opening> {
        take(&self.openings, id)
    }

    fn open(
        self: &Arc<Self>,
        id: TaskId,
        url: &Secret,
        connect_within: Duration,
        fetched_by: Option<TaskId>,
    ) {
        let Ok(url) = parse(url) else { return };
        let left = fetched_by.and_then(|fetch| self.take_session(fetch));
        let session = left.unwrap_or_else(Session::of_one_request);
        let opened = Arc::default();
        let (tasks, of_task, slot) = (self.clone(), session.clone(), Arc::clone(&opened));
        let open = async move { tasks.http.open(&url, &of_task, connect_within, slot).await };
        if let Some(task) = runtime::spawn(open) {
            let opening = Opening {
                session,
                opened,
                task,
            };
            lock(&self.openings).push((id, opening));
        }
    }

    /// What only waits should take little room: each sort of task has just its own.
    fn work(self: &Arc<Self>, id: TaskId, task: Task, feed: &Arc<dyn Feed>) -> Work {
        let tasks = self.clone();
        match task {
            Task::Get(lnurl) => {
                let session = Session::new();
                lock(&self.sessions).push((id, session.clone()));
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
                    let connected = tasks.wallet.connect(peer, feed.wants(id)).await;
                    Some(Input::Connected(id, connected))
                })
            }
            Task::OpenConnection {
                url,
                connect_within,
                fetched_by,
            } => {
                self.open(id, &url, connect_within, fetched_by);
                Box::pin(async { None })
            }
            Task::Callback {
                url,
                connect_within,
                opened_by,
            } => {
                let opening = opened_by.and_then(|id| self.take_opening(id));
                let feed = feed.clone();
                Box::pin(async move {
                    let ended = tasks.call_back(id, &url, connect_within, opening, feed);
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
        }
    }

    async fn call_back(
        &self,
        id: TaskId,
        url: &Secret,
        connect_within: Duration,
        opening: Option<Opening>,
        feed: Arc<dyn Feed>,
    ) -> Result<Reply, HttpFailure> {
        let url = parse(url).map_err(|error| HttpFailure {
            error,
            was_sent: false,
            may_retry: false,
        })?;
        let on_connected: OnConnected = Arc::new(move || {
            let feed = feed.clone();
            Box::pin(async move {
                feed.clone().feed(Input::CallbackWritten(id)).await;
                feed.wants(id).await
            })
        });
        let (session, opened) = match opening {
            // One that is still being opened is as far as a new one would be, or further.
            Some(mut opening) => {
                // Without a connection, another is made.
                let _ = (&mut opening.task).await;
                (opening.session.clone(), opening.opened.clone())
            }
            None => (Session::of_one_request(), Arc::default()),
        };
        let http = &self.http;
        let get = http.get(&url, &session, connect_within, opened, on_connected);
        get.await.map_err(HttpFailure::from)
    }
}

fn take<T>(all: &Mutex<Vec<(TaskId, T)>>, id: TaskId) -> Option<T> {
    let mut all = lock(all);
    let at = all.iter().position(|(of, _)| *of == id)?;
    Some(all.swap_remove(at).1)
}

fn parse(url: &Secret) -> Result<Url, LnurlChannelError> {
    let url = protocol::parse_url(url.expose());
    url.map_err(|problem| problem.into_error(protocol::Error::InvalidResponse).into())
}
