//! All requests of a client, in memory and in the journal. Whoever holds the table holds the lock,
//! so nothing in here calls out or waits.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tokio::task::JoinHandle;

use super::calls::RunningCall;
use super::events::EventQueue;
use super::http::Sessions;
use super::journal::{Journal, UNREQUESTED_CHANNELS};
use super::record::{self, Rules, Unreadable};
use super::runtime::Job;
use super::settings::Settings;
use crate::flow::{
    Action, ChannelVerdict, IncomingChannel, Input, LnurlChannelError, Request, Store, Unrequested,
    judge,
};

/// How long a scanned LNURL leads to the offer that it led to before.
const SAME_OFFER: Duration = Duration::from_secs(60);

/// One request and what runs for it.
pub struct Entry {
    pub request: Request,
    /// When it was fetched; none if it is from an earlier run.
    pub fetched: Option<Instant>,
    /// What the fetch left for the first callback.
    pub sessions: Option<Sessions>,
    /// Held by each `ChannelRequest` of the wallet.
    pub handle: Arc<()>,
    pub call: Option<RunningCall>,
    /// Still asking the service, after the arrival that ended the call.
    pub asking: Option<Job>,
    /// The number of the call that asked last.
    pub last_ask: u64,
    pub events: EventQueue,
    /// Ended so long ago that its record was removed.
    is_removed: bool,
    /// The service is being told of a cancel.
    pub notice: Option<JoinHandle<()>>,
}

impl Entry {
    fn new(request: Request, fetched: Option<Instant>) -> Box<Self> {
        Box::new(Self {
            request,
            fetched,
            sessions: None,
            handle: Arc::new(()),
            call: None,
            asking: None,
            last_ask: 0,
            events: EventQueue::default(),
            is_removed: false,
            notice: None,
        })
    }

    /// Fetched so recently that the same LNURL is the same offer.
    pub fn is_fresh(&self) -> bool {
        self.fetched
            .is_some_and(|fetched| fetched.elapsed() < SAME_OFFER)
    }
}

pub struct Table {
    /// Boxed: a map keeps room for twice as many, and more while it grows.
    pub entries: HashMap<String, Box<Entry>>,
    /// No call begins any more.
    pub closed: bool,
    journal: Journal,
    unrequested: Unrequested,
    /// There is a record of them that this run can't read: it is left for one that can.
    leaves_unrequested: bool,
    /// Records whose last writing failed; they are written with the next.
    unwritten: HashSet<String>,
    last_created_at_millis: u64,
}

impl Table {
    pub fn open(settings: &Settings) -> Result<Self, LnurlChannelError> {
        let (journal, records) = Journal::open(settings.storage_dir.as_deref())?;
        let journal_has_unrequested = journal.has(UNREQUESTED_CHANNELS);
        let mut table = Self {
            entries: HashMap::new(),
            closed: false,
            journal,
            unrequested: Unrequested::default(),
            leaves_unrequested: journal_has_unrequested,
            unwritten: HashSet::new(),
            last_created_at_millis: 0,
        };
        let rules = Rules {
            network: settings.network,
            allow_private_hosts: settings.allow_private_hosts,
        };
        for (name, content) in records {
            if let Err(Unreadable::Damaged) = table.load(&name, &content, rules) {
                table.journal.set_aside(&name);
            }
        }
        table.forget_old();
        Ok(table)
    }

    fn load(&mut self, name: &str, content: &[u8], rules: Rules) -> Result<(), Unreadable> {
        if name == UNREQUESTED_CHANNELS {
            let read = record::read_unrequested(content);
            self.leaves_unrequested = read == Err(Unreadable::NotNow);
            self.unrequested = read?;
            return Ok(());
        }
        let request = record::read(name, content, rules)?;
        self.last_created_at_millis = self.last_created_at_millis.max(request.created_at_millis);
        self.entries
            .insert(name.to_owned(), Entry::new(request, None));
        Ok(())
    }

    /// Take in a request that was just fetched.
    pub fn insert(&mut self, request: Request, sessions: Sessions) {
        let id = request.id.clone();
        let mut entry = Entry::new(request, Some(Instant::now()));
        entry.sessions = Some(sessions);
        self.entries.insert(id, entry);
    }

    /// The service is told nothing any more that was not told before.
    pub fn stop_asking(&mut self, id: &str) {
        if let Some(entry) = self.entries.get_mut(id) {
            entry.asking = None;
        }
    }

    /// A time for a new request: now, and later than that of every other.
    pub fn next_created_at_millis(&mut self) -> u64 {
        let now = since_1970().as_millis();
        let now = u64::try_from(now).unwrap_or(u64::MAX);
        self.last_created_at_millis = now.max(self.last_created_at_millis.saturating_add(1));
        self.last_created_at_millis
    }

    /// The flow's step and the journal's, in this order: an effect comes after its record. What
    /// is returned is still to be done.
    pub fn step(&mut self, id: &str, input: Input) -> Result<Vec<Action>, LnurlChannelError> {
        let Some(entry) = self.entries.get_mut(id) else {
            return Ok(Vec::new());
        };
        let before = entry.request.clone();
        let was_kept = before.accepted;
        let step = entry.request.step(now(), input)?;
        let kept = entry.request.accepted;
        match step.store {
            Store::No => {}
            _ if !kept => {
                if was_kept {
                    self.journal.remove(id);
                    self.unwritten.remove(id);
                }
            }
            Store::Fact => self.write_fact(id),
            Store::BeforeEffect => {
                if let Err(error) = self.write(id) {
                    if let Some(entry) = self.entries.get_mut(id) {
                        entry.request = before;
                    }
                    return Err(error);
                }
            }
        }
        Ok(step.actions)
    }

    fn write(&mut self, id: &str) -> Result<(), LnurlChannelError> {
        let Some(entry) = self.entries.get_mut(id) else {
            return Ok(());
        };
        entry.is_removed = false;
        self.journal.write(id, &record::write(&entry.request))?;
        self.unwritten.remove(id);
        self.catch_up();
        Ok(())
    }

    /// Something happened, whether or not it can be written now.
    fn write_fact(&mut self, id: &str) {
        if self.write(id).is_err() {
            self.unwritten.insert(id.to_owned());
        }
    }

    /// The disk took a record: it may take those that it did not take before.
    fn catch_up(&mut self) {
        for id in std::mem::take(&mut self.unwritten) {
            let content = match self.entries.get(&id) {
                Some(entry) => record::write(&entry.request),
                None if id == UNREQUESTED_CHANNELS => record::write_unrequested(&self.unrequested),
                None => continue,
            };
            if self.journal.write(&id, &content).is_err() {
                self.unwritten.insert(id);
            }
        }
    }

    /// The verdict on a channel, remembered and stored, and what follows from it.
    pub fn judge(&mut self, channel: IncomingChannel) -> (ChannelVerdict, Vec<Action>) {
        let channel = channel.normalised();
        let of_peer = self.of_peer(&channel.peer_id);
        let verdict = judge(&of_peer, &self.unrequested, &channel, now());
        let Some(id) = verdict.request_id().map(str::to_owned) else {
            if self.unrequested.remember(&channel) {
                self.write_unrequested();
            }
            return (verdict, Vec::new());
        };
        // A judged channel is a fact: its step is never refused.
        let actions = self
            .step(&id, Input::Judged(channel, verdict.clone()))
            .unwrap_or_default();
        (verdict, actions)
    }

    /// True once it is on the disk.
    fn write_unrequested(&mut self) -> bool {
        if self.leaves_unrequested {
            return false;
        }
        let content = record::write_unrequested(&self.unrequested);
        let result = self.journal.write(UNREQUESTED_CHANNELS, &content);
        match result {
            Ok(()) => {
                self.unwritten.remove(UNREQUESTED_CHANNELS);
                self.catch_up();
            }
            Err(_) => drop(self.unwritten.insert(UNREQUESTED_CHANNELS.to_owned())),
        }
        result.is_ok()
    }

    /// The requests to a peer (its key in lower case), oldest first.
    pub fn of_peer(&self, peer_id: &str) -> Vec<&Request> {
        self.sorted(|request| request.peer().node_id == peer_id)
    }

    /// The ids of requests, oldest first.
    pub fn ids(&self, wanted: impl Fn(&Request) -> bool) -> Vec<String> {
        let requests = self.sorted(wanted).into_iter();
        requests.map(|request| request.id.clone()).collect()
    }

    pub fn sorted(&self, wanted: impl Fn(&Request) -> bool) -> Vec<&Request> {
        let requests = self.entries.values().map(|entry| &entry.request);
        let mut requests: Vec<&Request> = requests.filter(|request| wanted(request)).collect();
        requests.sort_unstable_by_key(|request| request.created_at_millis);
        requests
    }

    /// Remove the records that no channel is related to any more, and offers that the wallet has
    /// let go of.
    pub fn forget_old(&mut self) {
        let now = now();
        self.remove_records(now);
        self.entries.retain(|_, entry| {
            let held = Arc::strong_count(&entry.handle) > 1;
            let of_an_earlier_run = entry.fetched.is_none();
            let forgotten = of_an_earlier_run && entry.request.is_forgotten(now);
            let let_go = !entry.request.accepted && !entry.is_fresh();
            held || !(forgotten || let_go)
        });
    }

    /// What is known of their channels is on the disk before they go.
    fn remove_records(&mut self, now: u64) {
        let mut forgotten = Vec::new();
        let mut is_news = self.unwritten.contains(UNREQUESTED_CHANNELS);
        for (id, entry) in &self.entries {
            if entry.request.is_forgotten(now) && !entry.is_removed {
                is_news |= self.unrequested.outlive(&entry.request);
                forgotten.push(id.clone());
            }
        }
        if is_news && !self.write_unrequested() {
            return;
        }
        for id in &forgotten {
            self.journal.remove(id);
            if let Some(entry) = self.entries.get_mut(id) {
                entry.is_removed = true;
            }
        }
    }

    /// Let go of the folder.
    pub fn close(&mut self) {
        self.catch_up();
        self.journal.close();
    }
}

/// Seconds since 1970.
fn now() -> u64 {
    since_1970().as_secs()
}

fn since_1970() -> Duration {
    // A clock before 1970 is wrong; nothing depends on it but what is shown.
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
}
