//! Runs the flow: takes each step, does what follows from it, and brings back what came of that.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use tokio::task::JoinHandle;

use super::calls::joined;
use super::fetch::SharedFetch;
use super::http::{Http, Sessions};
use super::lock;
use super::runtime::{self, Job};
use super::settings::Settings;
use super::table::{Entry, Table};
use super::tasks;
use super::wallet::{self, Wallet, WalletNode};
use crate::flow::{
    Action, Asked, ChannelVerdict, IncomingChannel, Input, LnurlChannelError, Request, Task,
    for_host_message,
};
use crate::protocol;

/// What all of a client's objects share.
pub struct Engine {
    pub(super) settings: Settings,
    pub(super) http: Http,
    pub(super) wallet: Arc<Wallet>,
    pub(super) table: Mutex<Table>,
    pub(super) fetches: Mutex<HashMap<String, SharedFetch>>,
    pub(super) closing: tokio::sync::watch::Sender<bool>,
    calls: AtomicU64,
}

impl Engine {
    pub fn new(
        node: Arc<dyn WalletNode>,
        settings: Settings,
    ) -> Result<Arc<Self>, LnurlChannelError> {
        Ok(Arc::new(Self {
            http: Http::new(&settings)?,
            wallet: Arc::new(Wallet::new(node, &settings)),
            table: Mutex::new(Table::open(&settings)?),
            fetches: Mutex::default(),
            closing: tokio::sync::watch::channel(false).0,
            calls: AtomicU64::new(1),
            settings,
        }))
    }

    // ---- what a wallet reads ----

    pub fn read<T>(&self, id: &str, read: impl FnOnce(&Entry) -> T) -> Option<T> {
        let table = lock(&self.table);
        table.entries.get(id).map(|entry| read(entry))
    }

    pub(super) fn take_sessions(&self, id: &str) -> Sessions {
        let mut table = lock(&self.table);
        let entry = table.entries.get_mut(id);
        let sessions = entry.and_then(|entry| entry.sessions.take());
        sessions.unwrap_or_else(Sessions::none)
    }

    /// Ids of the requests that were accepted and whose end no call has returned, oldest first.
    pub fn unfinished(&self) -> Vec<String> {
        lock(&self.table).ids(Request::is_unfinished)
    }

    // ---- what a wallet does ----

    pub fn decline(self: &Arc<Self>, id: &str) -> Result<(), LnurlChannelError> {
        let mut table = lock(&self.table);
        if table.closed {
            return Err(LnurlChannelError::Cancelled);
        }
        self.apply(&mut table, id, Input::Decline)?;
        table.stop_asking(id);
        Ok(())
    }

    /// Cancel midway. Once the step is stored, it goes on even if the wallet's future is dropped.
    pub async fn cancel(self: &Arc<Self>, id: &str) -> Result<(), LnurlChannelError> {
        let (engine, id) = (self.clone(), id.to_owned());
        let notice = joined(runtime::spawn(async move { engine.begin_cancel(&id) })).await??;
        if let Some(notice) = notice {
            // Cancelled even if the service cannot be told.
            let _ = notice.await;
        }
        Ok(())
    }

    fn begin_cancel(
        self: &Arc<Self>,
        id: &str,
    ) -> Result<Option<JoinHandle<()>>, LnurlChannelError> {
        let mut table = lock(&self.table);
        if table.closed {
            return Err(LnurlChannelError::Cancelled);
        }
        self.apply(&mut table, id, Input::Cancel)?;
        table.stop_asking(id);
        Ok(table
            .entries
            .get_mut(id)
            .and_then(|entry| entry.notice.take()))
    }

    // ---- what a wallet reports ----

    pub fn report_incoming_channel(self: &Arc<Self>, channel: IncomingChannel) -> ChannelVerdict {
        let mut table = lock(&self.table);
        if table.closed {
            // It could not be stored: what the next client would not know is not expected here.
            return ChannelVerdict::Unrequested;
        }
        let (verdict, actions) = table.judge(channel);
        if let Some(id) = verdict.request_id() {
            self.perform_all(&mut table, id, actions);
        }
        verdict
    }

    pub fn report_channel_failed(self: &Arc<Self>, peer_id: &str, channel_id: &str) {
        let mut table = lock(&self.table);
        let peer_id = peer_id.to_ascii_lowercase();
        for id in table.ids(|request| request.peer().node_id == peer_id) {
            let failed = Input::ChannelFailed(channel_id.to_ascii_lowercase());
            // That a channel failed is a fact: the step is never refused.
            let _ = self.apply(&mut table, &id, failed);
        }
    }

    pub fn report_peer_message(
        self: &Arc<Self>,
        peer_id: &str,
        message_type: u16,
        payload: Vec<u8>,
    ) -> bool {
        let peer_id = peer_id.to_ascii_lowercase();
        let mut table = lock(&self.table);
        if table.closed {
            return false;
        }
        let of_peer = table.of_peer(&peer_id);
        let Some(request) = for_host_message(&of_peer, &peer_id) else {
            return false;
        };
        let own_id = request.progress.node_id.clone().unwrap_or_default();
        let answer = protocol::read_host_message(message_type, &payload, &own_id, &peer_id);
        let Some(answer) = answer else { return false };
        let id = request.id.clone();
        // What the host says is a fact: the step is never refused.
        let _ = self.apply(&mut table, &id, Input::HostAnswered(answer, payload));
        true
    }

    pub fn check_peers(self: &Arc<Self>) {
        self.apply_to_running(&mut lock(&self.table), &Input::CheckDue);
    }

    /// End all calls as a pause does, and let go of the node and of the folder.
    pub async fn shutdown(self: &Arc<Self>) {
        let engine = self.clone();
        // Called from within a callback, it cannot wait for that one.
        let own_callbacks = wallet::callbacks_on_this_thread();
        let shutdown = runtime::spawn(async move {
            engine.close_calls();
            engine.wallet.close();
            engine.wallet.idle(own_callbacks).await;
            lock(&engine.table).close();
        });
        // Without a runtime nothing ever ran.
        if joined(shutdown).await.is_err() {
            lock(&self.table).close();
        }
    }

    fn close_calls(self: &Arc<Self>) {
        let mut table = lock(&self.table);
        table.closed = true;
        self.closing.send_replace(true);
        self.apply_to_running(&mut table, &Input::Pause);
    }

    fn apply_to_running(self: &Arc<Self>, table: &mut Table, input: &Input) {
        for id in table.ids(Request::is_running) {
            // Neither a pause nor the passing of time is ever refused.
            let _ = self.apply(table, &id, input.clone());
        }
    }

    // ---- steps and what follows ----

    pub(super) fn next_call_number(&self) -> u64 {
        self.calls.fetch_add(1, Ordering::Relaxed)
    }

    pub(super) fn apply(
        self: &Arc<Self>,
        table: &mut Table,
        id: &str,
        input: Input,
    ) -> Result<(), LnurlChannelError> {
        let actions = table.step(id, input)?;
        self.perform_all(table, id, actions);
        Ok(())
    }

    /// What came of a task of call `number`: nothing, if that call has ended since. Only that the
    /// service agreed is worth knowing even after the channel's arrival has ended the call.
    pub(super) fn bring_back(self: &Arc<Self>, id: &str, number: u64, input: Input) {
        let mut table = lock(&self.table);
        let Some(entry) = table.entries.get(id) else {
            return;
        };
        let current = entry.call.as_ref().map(|call| call.context.number);
        let late = current.is_none() && entry.last_ask == number;
        let late_yes = late && input == Input::Asked(Asked::Agreed);
        if current != Some(number) && !late_yes {
            return;
        }
        if let Err(LnurlChannelError::StorageFailed { reason }) = self.apply(&mut table, id, input)
        {
            // It only ends the call, which is never refused.
            let _ = self.apply(&mut table, id, Input::StoreFailed(reason));
        }
    }

    fn perform_all(self: &Arc<Self>, table: &mut Table, id: &str, actions: Vec<Action>) {
        for action in actions {
            self.perform(table, id, action);
        }
    }

    fn perform(self: &Arc<Self>, table: &mut Table, id: &str, action: Action) {
        match action {
            Action::Emit(event) => self.emit(table, id, event),
            Action::End(result) => self.end_call(table, id, result),
            Action::SendCancel(url) => {
                if let Some(entry) = table.entries.get_mut(id) {
                    entry.notice = runtime::spawn(tasks::send_cancel(self.clone(), url));
                }
            }
            Action::Run(task) => self.start(table, id, task),
        }
    }

    /// Start a task of the running call. It takes the place of an earlier one of its sort.
    fn start(self: &Arc<Self>, table: &mut Table, id: &str, task: Task) {
        let Some(entry) = table.entries.get_mut(id) else {
            return;
        };
        let Some(call) = &mut entry.call else { return };
        let place = match &task {
            Task::AskNode { .. } | Task::SendCallback(_) | Task::SendInvoke(_) => &mut call.asking,
            Task::Connect => &mut call.connecting,
            Task::Deadline => &mut call.deadline,
            Task::CheckLater { .. } => &mut call.check,
        };
        if matches!(task, Task::SendCallback(_)) {
            entry.last_ask = call.context.number;
            entry.asking = None;
        }
        let call = call.context.clone();
        *place = Job::spawn(async move {
            let input = call.run(task).await;
            call.engine.forget_task(&call.id);
            call.engine.bring_back(&call.id, call.number, input);
        });
    }

    /// The task that calls this is about to end: its room is not kept until the call ends.
    fn forget_task(&self, id: &str) {
        let mut table = lock(&self.table);
        let Some(entry) = table.entries.get_mut(id) else {
            return;
        };
        let task = tokio::task::id();
        entry.asking.take_if(|job| job.is(task));
        if let Some(call) = &mut entry.call {
            call.forget(task);
        }
    }
}
