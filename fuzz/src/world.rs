//! Two requests to one peer in a world that does anything, watched by an onlooker.
//!
//! What the engine does around a step is done here by other means: a step that has to be stored is
//! undone where the disk is full, and a restart reads what the journal's records say.

use std::collections::{HashMap, VecDeque};

use crate::flow::{
    Action, Asked, ChannelOutcome, ChannelRequestState, ChannelStage, ChannelVerdict,
    IncomingChannel, Input, LnurlChannelError, NodeFacts, Request, Store, Task, Unrequested,
    for_host_message, judge,
};
use crate::protocol::{self, BitcoinNetwork, ChannelKind, ChannelVisibility, Offer, Secret};
use crate::record::{self, Rules};
use crate::samples::{OWN, PEER, refund_script};

const K1: &str = "hush-k1";
const HOSTED_K1: &str = "5ec7e75ec7e7";
const CALLBACK: &str = "https://api.example.com/cb?token=unsaid-2";
const LNURL: &str = "https://example.com/c?q=unsaid-1";
/// Parts of them, which may stand in no text.
const SECRETS: [&str; 3] = ["hush", "5ec7e7", "unsaid"];

const START: u64 = 1_700_000_000;
const CHANNELS: u8 = 6;

const RULES: Rules = Rules {
    network: BitcoinNetwork::Regtest,
    allow_private_hosts: false,
};

/// The kinds of the two requests.
pub struct Kinds([ChannelKind; 2]);

impl Kinds {
    pub fn from_bits(bits: u8) -> Self {
        Self([bits & 1, bits & 2].map(|bit| match bit {
            0 => ChannelKind::Funded,
            _ => ChannelKind::Hosted,
        }))
    }
}

pub struct World {
    entries: [Entry; 2],
    unrequested: Unrequested,
    /// The record of the unrequested channels.
    stored_unrequested: Option<String>,
    now: u64,
    disk_full: bool,
    /// The world also does what the engine never would.
    is_wild: bool,
    /// The verdict on each channel id.
    verdicts: HashMap<String, ChannelVerdict>,
    /// Something was judged that no record holds: after a restart its verdict may be another.
    forgets: bool,
}

impl World {
    pub fn new(kinds: Kinds, is_wild: bool) -> Self {
        let [first, second] = kinds.0;
        Self {
            entries: [Entry::new(first, "r0"), Entry::new(second, "r1")],
            unrequested: Unrequested::default(),
            stored_unrequested: None,
            now: START,
            disk_full: false,
            is_wild,
            verdicts: HashMap::new(),
            forgets: false,
        }
    }

    /// What the first byte says happens, in the way that the second says.
    pub fn happen(&mut self, what: u8, how: u8) {
        let at = usize::from(how >> 7);
        let way = how & 127;
        match what % 20 {
            16 => self.report(channel(way)),
            17 => self.disk_full = way & 1 == 1,
            // At most 96 of these: less than the day after which a request is forgotten.
            18 => self.now += u64::from(way) * 7,
            19 => self.restart(),
            9 => self.host_answers(way),
            what => {
                let input = input(what, way, &self.entries[at]);
                self.feed(at, input);
            }
        }
        self.check();
    }

    /// The user can always leave: a pause ends each call, once.
    pub fn end(&mut self) {
        for at in 0..self.entries.len() {
            self.feed(at, Input::Pause);
            let entry = &self.entries[at];
            assert!(!entry.request.is_running());
            assert_eq!(entry.onlooker.calls, entry.onlooker.ends, "an open call");
        }
        self.check();
    }

    /// The records that are on the disk now.
    pub fn records(&self) -> impl Iterator<Item = &str> {
        let requests = self.entries.iter().map(|entry| entry.stored.as_ref());
        let requests = requests.flatten().map(|(record, _)| record.as_str());
        requests.chain(self.stored_unrequested.as_deref())
    }

    fn feed(&mut self, at: usize, input: Input) {
        let entry = &mut self.entries[at];
        if entry.could_get(&input) || self.is_wild && !takes_back(&input) {
            entry.feed(self.now, self.disk_full, input);
        }
    }

    fn host_answers(&mut self, way: u8) {
        let requests = self.entries.each_ref().map(|entry| &entry.request);
        let Some(id) = for_host_message(&requests, PEER).map(|r| r.id.clone()) else {
            return;
        };
        let at = usize::from(self.entries[1].request.id == id);
        let answer = host_message(way, &self.entries[at].request);
        self.feed(at, answer);
    }

    /// As the engine does: judge, then remember. Reported again, it changes nothing.
    fn report(&mut self, channel: IncomingChannel) {
        let verdict = self.report_once(&channel);
        let before = self
            .entries
            .each_ref()
            .map(|entry| entry.request.progress.clone());
        assert_eq!(self.report_once(&channel), verdict, "another verdict");
        let after = self
            .entries
            .each_ref()
            .map(|entry| entry.request.progress.clone());
        assert_eq!(after, before, "a replay changes something");
    }

    fn report_once(&mut self, channel: &IncomingChannel) -> ChannelVerdict {
        self.forgets |= self.disk_full;
        let channel = channel.clone().normalised();
        let requests = self.entries.each_ref().map(|entry| &entry.request);
        let verdict = judge(&requests, &self.unrequested, &channel, self.now);
        match verdict.request_id() {
            None => {
                if self.unrequested.remember(&channel) && !self.disk_full {
                    self.stored_unrequested = Some(record::write_unrequested(&self.unrequested));
                }
            }
            Some(id) => {
                let at = usize::from(id == "r1");
                let judged = Input::Judged(channel.clone(), verdict.clone());
                self.entries[at].feed(self.now, self.disk_full, judged);
            }
        }
        for id in channel.ids() {
            let known = self.verdicts.entry(id.to_owned());
            let known = known.or_insert_with(|| verdict.clone());
            assert_eq!(verdict, *known, "another verdict on {channel:?}");
        }
        verdict
    }

    fn restart(&mut self) {
        for entry in &mut self.entries {
            let judged = !entry.request.progress.known_channels.is_empty();
            self.forgets |= judged && entry.stored.is_none();
            entry.restart();
        }
        self.unrequested = match &self.stored_unrequested {
            Some(content) => record::read_unrequested(content.as_bytes()).expect("our own record"),
            None => Unrequested::default(),
        };
        if std::mem::take(&mut self.forgets) {
            self.verdicts.clear();
        }
        // Proposals that nobody asked for do not outlive the connection.
        self.verdicts.retain(|id, verdict| {
            *verdict != ChannelVerdict::Unrequested || self.unrequested.contains(PEER, id)
        });
    }

    fn check(&self) {
        for entry in &self.entries {
            entry.check(self.is_wild);
        }
    }
}

/// What the running call waits for, each sort at its place.
#[derive(Default)]
struct Tasks {
    asking: Option<Task>,
    connects: bool,
    deadline_runs: bool,
    written: bool,
}

/// A request, what the journal holds of it, and what runs for it.
struct Entry {
    request: Request,
    /// Its record, and what it says.
    stored: Option<(String, Request)>,
    call: Option<Tasks>,
    /// The channel came before the service's answer, which is still awaited.
    answer_is_due: bool,
    /// Ends that the wallet has not been handed yet, oldest first.
    on_their_way: VecDeque<u64>,
    onlooker: Onlooker,
}

impl Entry {
    fn new(kind: ChannelKind, id: &str) -> Self {
        Self {
            request: request(kind, id),
            stored: None,
            call: None,
            answer_is_due: false,
            on_their_way: VecDeque::new(),
            onlooker: Onlooker::default(),
        }
    }

    /// Takes `input`, and where the step before an effect cannot be stored, the failure of that.
    fn feed(&mut self, now: u64, disk_full: bool, input: Input) {
        self.take_task(&input);
        let begins = matches!(input, Input::Accept(_) | Input::Resume) && self.call.is_none();
        if begins {
            self.call = Some(Tasks::default());
        }
        let is_result = matches!(
            input,
            Input::NodeAsked(_) | Input::Connected(_) | Input::Written | Input::Asked(_)
        );
        match self.step(now, disk_full, input) {
            Ok(()) => {}
            Err(LnurlChannelError::StorageFailed { reason }) if is_result => {
                let failed = Input::StoreFailed(reason);
                self.step(now, disk_full, failed)
                    .expect("a failure was refused");
            }
            Err(_) if begins => self.call = None,
            Err(_) => {}
        }
    }

    fn step(&mut self, now: u64, disk_full: bool, input: Input) -> Result<(), LnurlChannelError> {
        let before = self.request.clone();
        let step = match self.request.step(now, input.clone()) {
            Ok(step) => step,
            Err(error) => {
                assert_eq!(self.request, before, "an error changed the request");
                no_secret_in(&format!("{error:?} {error}"));
                return Err(error);
            }
        };
        match step.store {
            Store::No => {}
            _ if !self.request.accepted => self.stored = None,
            Store::BeforeEffect if disk_full => {
                self.request = before;
                let reason = "the disk is full".into();
                return Err(LnurlChannelError::StorageFailed { reason });
            }
            Store::Fact if disk_full => {}
            Store::Fact | Store::BeforeEffect => self.store(),
        }
        no_secret_in(&format!("{step:?} {:?}", self.request));
        self.onlooker
            .see(before.is_running(), &input, step.store, &step.actions);
        for action in step.actions {
            self.perform(action);
        }
        Ok(())
    }

    /// A record says what the request is, all but the call and, in the end, the secrets.
    fn store(&mut self) {
        let record = record::write(&self.request);
        if self.request.is_done() {
            no_secret_in(&record);
        }
        let read = read_back(&record, &self.request.id);
        let mut progress = self.request.progress.clone();
        if progress.state == ChannelRequestState::Requesting {
            progress.state = ChannelRequestState::OutcomeUnknown;
        }
        assert_eq!(read.progress, progress);
        assert_eq!(read.offer, self.request.offer);
        let kept = self.request.credentials.as_ref();
        assert_eq!(
            read.credentials.as_ref(),
            kept.filter(|_| !self.request.is_done())
        );
        self.stored = Some((record, read));
    }

    fn perform(&mut self, action: Action) {
        match action {
            Action::Run(task) => {
                let call = self.call.as_mut().expect("a task without a call");
                match task {
                    Task::AskNode { .. } | Task::SendCallback(_) | Task::SendInvoke(_) => {
                        call.asking = Some(task);
                    }
                    Task::Connect => call.connects = true,
                    Task::Deadline => call.deadline_runs = true,
                    Task::CheckLater { .. } => {}
                }
            }
            Action::End(result) => {
                let call = self.call.take().expect("an end without a call");
                let asks = !matches!(call.asking, None | Some(Task::AskNode { .. }));
                self.answer_is_due |= result.is_ok() && asks;
                if tells_the_end(&result) {
                    self.on_their_way.push_back(self.request.ends());
                }
            }
            Action::Emit(_) | Action::SendCancel(_) => {}
        }
    }

    /// The task that `input` is the result of has ended.
    fn take_task(&mut self, input: &Input) {
        if matches!(input, Input::Returned(_) | Input::NotReturned(_)) {
            self.on_their_way.pop_front();
        }
        let Some(call) = &mut self.call else {
            self.answer_is_due &= !matches!(input, Input::Asked(_));
            return;
        };
        match input {
            Input::NodeAsked(_) | Input::Asked(_) => call.asking = None,
            Input::Connected(_) => call.connects = false,
            Input::TimeOver => call.deadline_runs = false,
            Input::Written => call.written = true,
            _ => {}
        }
    }

    /// Whether the engine could bring `input` now.
    fn could_get(&self, input: &Input) -> bool {
        let none = Tasks::default();
        let call = self.call.as_ref().unwrap_or(&none);
        let sends_callback = matches!(call.asking, Some(Task::SendCallback(_)));
        let sends_invoke = matches!(call.asking, Some(Task::SendInvoke(_)));
        match input {
            Input::Accept(_) | Input::Pause | Input::Decline | Input::Cancel => true,
            // The engine joins a running call.
            Input::Resume => self.call.is_none(),
            Input::NodeAsked(_) => matches!(call.asking, Some(Task::AskNode { .. })),
            Input::Connected(_) => call.connects,
            Input::Written => sends_callback,
            // Of an answer that comes when the call is over, the engine only brings a yes.
            Input::Asked(Asked::Agreed) if self.call.is_none() => self.answer_is_due,
            Input::Asked(Asked::Agreed) => sends_invoke || sends_callback && call.written,
            Input::Asked(Asked::Refused(_)) => sends_callback && call.written,
            Input::Asked(Asked::Lost(_)) => sends_invoke || sends_callback,
            Input::Asked(Asked::NotSent(LnurlChannelError::NodeFailed { .. })) => sends_invoke,
            Input::Asked(Asked::NotSent(_)) => sends_callback && !call.written,
            // For whom it is, the matcher has said.
            Input::HostAnswered(..) | Input::Judged(..) | Input::ChannelFailed(_) => true,
            Input::CheckDue => self.call.is_some(),
            Input::TimeOver => call.deadline_runs,
            Input::StoreFailed(_) => false,
            Input::Returned(_) | Input::NotReturned(_) => !self.on_their_way.is_empty(),
        }
    }

    /// The end that the wallet is handed next.
    fn next_end(&self) -> u64 {
        let next = self.on_their_way.front().copied();
        next.unwrap_or(self.request.ends())
    }

    /// The app is killed and started again: there is what the journal says, and else nothing.
    fn restart(&mut self) {
        let id = self.request.id.clone();
        let kind = self.request.offer.kind;
        self.request = match &self.stored {
            Some((_, request)) => request.clone(),
            None => {
                assert!(!self.onlooker.asked, "asked, and not stored");
                // It is gone; another takes its place.
                self.onlooker = Onlooker::default();
                request(kind, &id)
            }
        };
        self.call = None;
        self.answer_is_due = false;
        self.on_their_way.clear();
        self.onlooker.restart(&self.request);
    }

    fn check(&self, is_wild: bool) {
        use ChannelRequestState::{Connecting, Offered};
        assert_eq!(self.request.is_running(), self.call.is_some());
        let onlooker = &self.onlooker;
        let running = usize::from(self.request.is_running());
        assert_eq!(onlooker.calls, onlooker.ends + running, "an end too few");
        if let Some(call) = &self.call
            && !is_wild
        {
            let connects_to_ask = call.connects && onlooker.asks_in_call == 0;
            assert!(
                call.asking.is_some() || call.deadline_runs || connects_to_ask,
                "nothing will end this call"
            );
        }
        if onlooker.asked {
            let (_, stored) = self.stored.as_ref().expect("asked, and not stored");
            for request in [&self.request, stored] {
                assert!(request.progress.asked, "it is forgotten that it was asked");
                let state = request.state();
                assert!(
                    !matches!(state, Offered | Connecting),
                    "{state:?} denies it"
                );
                assert!(state.has_ended() || request.is_unfinished());
            }
        }
    }
}

/// What left the device, as someone outside keeps it in mind. No kill makes them forget.
#[derive(Default)]
struct Onlooker {
    accepts: usize,
    asks: usize,
    /// Asked, or possibly so.
    asked: bool,
    /// The same, before the running call.
    asked_before_call: bool,
    asks_in_call: usize,
    /// The running call was begun by an `accept`.
    may_ask: bool,
    told_of_cancel: bool,
    /// The user left for good, so that nothing more may be sent.
    left: bool,
    calls: usize,
    ends: usize,
}

impl Onlooker {
    fn see(&mut self, was_running: bool, input: &Input, store: Store, actions: &[Action]) {
        let begins = matches!(input, Input::Accept(_) | Input::Resume);
        if begins {
            assert!(!was_running, "two calls at once");
            self.calls += 1;
            self.asked_before_call = self.asked;
            self.asks_in_call = 0;
            self.may_ask = matches!(input, Input::Accept(_));
            self.accepts += usize::from(self.may_ask);
        }
        // Provably unsent: what this call did counts for nothing.
        if matches!(input, Input::Asked(Asked::NotSent(_))) && was_running {
            self.asked = self.asked_before_call;
        }
        let mut ends = 0;
        for action in actions {
            match action {
                Action::Run(Task::SendCallback(url)) => {
                    check_ask_url(url.expose());
                    self.see_ask(input, store);
                }
                Action::Run(Task::SendInvoke(_)) => self.see_ask(input, store),
                Action::Run(Task::AskNode { .. } | Task::Connect) => self.see_node_at_work(),
                Action::SendCancel(url) => self.see_cancel(url.expose(), store),
                Action::End(_) => ends += 1,
                Action::Run(_) | Action::Emit(_) => {}
            }
        }
        assert!(ends <= usize::from(was_running || begins), "ended twice");
        self.ends += ends;
        self.left |= matches!(input, Input::Decline | Input::Cancel);
    }

    fn see_ask(&mut self, input: &Input, store: Store) {
        self.see_node_at_work();
        assert!(*input == Input::Connected(Ok(())), "asked unconnected");
        assert_eq!(store, Store::BeforeEffect, "asked, then stored");
        assert!(self.may_ask, "a resume asked");
        self.asks += 1;
        assert!(self.asks <= self.accepts, "asked twice by itself");
        self.asks_in_call += 1;
        assert_eq!(self.asks_in_call, 1, "asked twice in a call");
        self.asked = true;
    }

    fn see_node_at_work(&self) {
        assert!(self.accepts > 0, "the node is used without consent");
        assert!(!self.left, "something happens after the user left");
    }

    fn see_cancel(&mut self, url: &str, store: Store) {
        assert!(self.asked, "told of a cancel, without having been asked");
        assert!(!self.told_of_cancel, "told of a cancel twice");
        assert_eq!(store, Store::BeforeEffect, "told, then stored");
        assert!(url.contains("cancel=1") && !url.contains("private="));
        self.told_of_cancel = true;
    }

    fn restart(&mut self, request: &Request) {
        // A call that was killed ends with the app.
        self.ends = self.calls;
        // That nothing was sent may not have been stored: then it may have been.
        self.asked |= request.progress.asked;
    }
}

fn check_ask_url(url: &str) {
    let ours = format!("&k1={K1}&remoteid={OWN}&private=");
    let visibility = url.strip_prefix(&format!("{CALLBACK}{ours}"));
    assert!(matches!(visibility, Some("0" | "1")), "{url}");
}

/// What tells that nothing was sent: from the engine, or it would be believed.
fn takes_back(input: &Input) -> bool {
    matches!(
        input,
        Input::NodeAsked(_) | Input::Asked(Asked::NotSent(_)) | Input::StoreFailed(_)
    )
}

fn tells_the_end(result: &Result<ChannelOutcome, LnurlChannelError>) -> bool {
    use LnurlChannelError::{Cancelled, NoChannel, OutcomeUnknown};
    !matches!(
        result,
        Err(Cancelled | NoChannel { .. } | OutcomeUnknown { .. })
    )
}

fn read_back(record: &str, id: &str) -> Request {
    record::read(id, record.as_bytes(), RULES).expect("our own record")
}

fn request(kind: ChannelKind, id: &str) -> Request {
    let (callback, k1) = match kind {
        ChannelKind::Funded => (Some(CALLBACK), K1),
        ChannelKind::Hosted => (None, HOSTED_K1),
    };
    let uri = format!("{PEER}@node.example.com");
    let offer = Offer::from_parts(kind, "example.com", callback, &uri, None, k1, false);
    let offer = offer.expect("a good offer");
    let lnurl = Secret::new(LNURL);
    Request::new(id.into(), lnurl, offer, RULES.network, START * 1000)
}

/// Of every second channel, the node tells the temporary id.
fn channel(way: u8) -> IncomingChannel {
    let number = way % CHANNELS;
    let stage = match way / CHANNELS % 2 {
        0 => ChannelStage::Proposed,
        _ => ChannelStage::Funded,
    };
    let is_announced = [None, Some(false), Some(true)][usize::from(way / CHANNELS / 2) % 3];
    let temporary = format!("a{number}");
    let is_funded = stage == ChannelStage::Funded;
    IncomingChannel {
        // Reports come in any case.
        peer_id: PEER.to_ascii_uppercase(),
        channel_id: match stage {
            ChannelStage::Proposed => temporary.clone(),
            ChannelStage::Funded => format!("F{number}"),
        },
        stage,
        former_channel_id: (is_funded && number.is_multiple_of(2)).then_some(temporary),
        capacity_sat: Some(100_000),
        push_msat: None,
        is_announced,
    }
}

/// Whatever can go wrong says the secrets aloud.
fn echo(request: &Request) -> String {
    match request.offer.kind {
        ChannelKind::Funded => format!("it broke on {K1}, {CALLBACK} and {LNURL}"),
        ChannelKind::Hosted => format!("it broke on {HOSTED_K1} and {LNURL}"),
    }
}

fn input(what: u8, way: u8, entry: &Entry) -> Input {
    let request = &entry.request;
    let visibility = match way & 1 {
        0 => ChannelVisibility::Unannounced,
        _ => ChannelVisibility::Announced,
    };
    match what {
        0 | 1 => Input::Accept(visibility),
        2 => Input::Resume,
        3 => Input::Pause,
        4 => Input::Decline,
        5 => Input::Cancel,
        6 => Input::NodeAsked(node_answer(way, request)),
        7 => Input::Connected(match way & 3 {
            3 => Err(echo(request)),
            _ => Ok(()),
        }),
        8 => Input::Written,
        10 => Input::ChannelFailed(match way & 1 {
            0 => format!("a{}", way / 2 % CHANNELS),
            _ => format!("f{}", way / 2 % CHANNELS),
        }),
        11 => Input::CheckDue,
        12 => Input::TimeOver,
        13 => Input::Returned(entry.next_end()),
        14 => Input::NotReturned(entry.next_end()),
        _ => Input::Asked(asked(way, request)),
    }
}

fn node_answer(way: u8, request: &Request) -> Result<NodeFacts, String> {
    let asks_script =
        request.offer.kind == ChannelKind::Hosted && request.progress.refund_script.is_none();
    let facts = |node_id: &str, script: Vec<u8>| NodeFacts {
        node_id: node_id.into(),
        refund_script: asks_script.then_some(script),
    };
    match way & 15 {
        12 => Err(echo(request)),
        13 => Ok(facts(PEER, refund_script())),
        14 => Ok(facts("not a key", refund_script())),
        15 => Ok(facts(OWN, vec![0x51])),
        _ => Ok(facts(&OWN.to_ascii_uppercase(), refund_script())),
    }
}

fn asked(way: u8, request: &Request) -> Asked {
    match way & 7 {
        0..=2 => Asked::Agreed,
        // The engine has cleaned these.
        3 | 4 => Asked::Refused("no room".into()),
        5 | 6 => Asked::Lost("the connection was reset".into()),
        _ if request.offer.kind == ChannelKind::Hosted => {
            let reason = echo(request);
            Asked::NotSent(LnurlChannelError::NodeFailed { reason })
        }
        _ => {
            let reason = "no route".into();
            Asked::NotSent(LnurlChannelError::Unreachable { reason })
        }
    }
}

/// Read as it would come from the host.
fn host_message(way: u8, request: &Request) -> Input {
    let terms = [
        &[0, 0, 0, 0, 0, 0, 9, 9, 0, 0, 0, 0, 0, 0, 0, 1, 0, 30][..],
        &[0, 0, 0, 0, 0, 0, 9, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    ];
    let (message_type, payload) = match way & 3 {
        0 => (65533, terms.concat()),
        1 => (65531, vec![1, 2, 3]),
        2 => (63497, error_payload(way, request)),
        _ => (65533, vec![1, 2, 3]),
    };
    let answer = protocol::read_host_message(message_type, &payload, OWN, PEER);
    Input::HostAnswered(answer.expect("a hosted channel's message"), payload)
}

/// The secrets stand about where the words are cut.
fn error_payload(way: u8, request: &Request) -> Vec<u8> {
    let text = "x".repeat(384 + usize::from(way)) + &echo(request);
    let length = u16::try_from(text.len()).expect("a short text");
    [&[0; 32][..], &length.to_be_bytes(), text.as_bytes()].concat()
}

fn no_secret_in(text: &str) {
    for secret in SECRETS {
        assert!(!text.contains(secret), "{secret} is in {text}");
    }
}
