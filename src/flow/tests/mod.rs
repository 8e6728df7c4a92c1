//! The flow on a bench: requests with a journal and pending tasks as the engine has them, but
//! without its threads and clocks, so that every order of events can be tried.

mod matching;
mod model;
mod properties;
mod rules;
mod transitions;

use std::collections::VecDeque;

use super::input::Step;
use super::*;
use crate::protocol::{
    self, BitcoinNetwork, ChannelKind, ChannelVisibility, HostMessage, HostedChannelTerms, Offer,
    Secret,
};

const PEER: &str = "02864ef025fde8fb587d989186ce6a4a186895ee44a926bfc370e2c366597a3f8f";
const OTHER_PEER: &str = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798";
const OWN: &str = "0331f80652fb840239df8dc99205792bba2e559a05469915804c08420230e23c7c";

const K1: &str = "hush-k1";
const HOSTED_K1: &str = "5ec7e75ec7e7";
const CALLBACK: &str = "https://api.example.com/cb?token=unsaid-2";
const LNURL: &str = "https://example.com/c?q=unsaid-1";
/// What may stand in no text.
const SECRETS: [&str; 4] = [K1, HOSTED_K1, "unsaid-1", "unsaid-2"];

const NOW: u64 = 1_700_000_000;
const HOUR: u64 = 60 * 60;
const DAY: u64 = 24 * HOUR;

/// P2WPKH.
fn refund_script() -> Vec<u8> {
    [vec![0, 20], vec![7; 20]].concat()
}

const TERMS: HostedChannelTerms = HostedChannelTerms {
    capacity_msat: 1_000_000,
    initial_client_balance_msat: 0,
    max_htlc_value_in_flight_msat: 1_000_000,
    htlc_minimum_msat: 1,
    max_accepted_htlcs: 30,
};

fn request(kind: ChannelKind, id: &str, peer_id: &str) -> Request {
    let (callback, k1) = match kind {
        ChannelKind::Funded => (Some(CALLBACK), K1),
        ChannelKind::Hosted => (None, HOSTED_K1),
    };
    let uri = format!("{peer_id}@node.example.com");
    let offer = Offer::from_parts(kind, "example.com", callback, &uri, None, k1, false).unwrap();
    let lnurl = Secret::new(LNURL);
    Request::new(id.into(), lnurl, offer, BitcoinNetwork::Regtest, NOW * 1000)
}

fn proposed(channel_id: &str) -> IncomingChannel {
    IncomingChannel {
        peer_id: PEER.into(),
        channel_id: channel_id.into(),
        stage: ChannelStage::Proposed,
        former_channel_id: None,
        capacity_sat: Some(100_000),
        push_msat: None,
        is_announced: None,
    }
}

fn funded(channel_id: &str) -> IncomingChannel {
    IncomingChannel {
        stage: ChannelStage::Funded,
        ..proposed(channel_id)
    }
}

/// What the running call waits for, each sort at its place.
#[derive(Clone, Default)]
struct Tasks {
    asking: Option<Task>,
    connecting: Option<Task>,
    deadline: Option<Task>,
    check: Option<Task>,
    written: bool,
}

impl Tasks {
    fn start(&mut self, task: Task) {
        let place = match &task {
            Task::AskNode { .. } | Task::SendCallback(_) | Task::SendInvoke(_) => &mut self.asking,
            Task::Connect => &mut self.connecting,
            Task::Deadline => &mut self.deadline,
            Task::CheckLater { .. } => &mut self.check,
        };
        *place = Some(task);
    }
}

/// One step that was taken, and kept.
struct Taken {
    before: Request,
    input: Input,
    step: Step,
}

/// A request, what the journal holds of it, and what runs for it.
struct Bench {
    request: Request,
    now: u64,
    /// The journal takes nothing: what has to be stored before its effect fails.
    disk_full: bool,
    stored: Option<Request>,
    call: Option<Tasks>,
    /// The channel came before the service's answer, which is still awaited.
    answer_is_due: bool,
    /// What the last input led to.
    done: Vec<Action>,
    /// Ends that the wallet has not been handed yet, oldest first.
    on_their_way: VecDeque<u64>,
    log: Vec<Taken>,
}

impl Bench {
    fn new(request: Request) -> Self {
        Self {
            request,
            now: NOW,
            disk_full: false,
            stored: None,
            call: None,
            answer_is_due: false,
            done: Vec::new(),
            on_their_way: VecDeque::new(),
            log: Vec::new(),
        }
    }

    fn of(kind: ChannelKind) -> Self {
        Self::new(request(kind, "r", PEER))
    }

    fn state(&self) -> ChannelRequestState {
        self.request.state()
    }

    /// Feed `input` and do what follows, as the engine does.
    fn input(&mut self, input: Input) -> Result<(), LnurlChannelError> {
        self.done.clear();
        self.take_task(&input);
        let begins = matches!(input, Input::Accept(_) | Input::Resume) && self.call.is_none();
        if begins {
            self.call = Some(Tasks::default());
        }
        let is_result = matches!(
            input,
            Input::NodeAsked(_) | Input::Connected(_) | Input::Written | Input::Asked(_)
        );
        match self.step(input) {
            Ok(()) => Ok(()),
            Err(LnurlChannelError::StorageFailed { reason }) if is_result => {
                self.step(Input::StoreFailed(reason))
            }
            Err(error) => {
                if begins {
                    self.call = None;
                }
                Err(error)
            }
        }
    }

    fn step(&mut self, input: Input) -> Result<(), LnurlChannelError> {
        let before = self.request.clone();
        let step = match self.request.step(self.now, input.clone()) {
            Ok(step) => step,
            Err(error) => {
                assert_eq!(self.request, before, "an error changed the request");
                return Err(error);
            }
        };
        match step.store {
            Store::No => {}
            _ if !self.request.accepted => self.stored = None,
            Store::BeforeEffect if self.disk_full => {
                self.request = before;
                let reason = "the disk is full".into();
                return Err(LnurlChannelError::StorageFailed { reason });
            }
            Store::Fact if self.disk_full => {}
            Store::Fact | Store::BeforeEffect => self.write(),
        }
        for action in &step.actions {
            self.perform(action.clone());
        }
        self.log.push(Taken {
            before,
            input,
            step,
        });
        Ok(())
    }

    /// The journal drops the secrets of a request that is done.
    fn write(&mut self) {
        let mut stored = self.request.clone();
        if stored.is_done() {
            stored.credentials = None;
        }
        self.stored = Some(stored);
    }

    fn perform(&mut self, action: Action) {
        match &action {
            Action::Run(task) => {
                let call = self.call.as_mut().expect("a task without a call");
                call.start(task.clone());
            }
            Action::End(result) => {
                let call = self.call.take().expect("an end without a call");
                let asks = !matches!(call.asking, None | Some(Task::AskNode { .. }));
                self.answer_is_due |= result.is_ok() && asks;
                if tells_the_end(result) {
                    self.on_their_way.push_back(self.request.ends());
                }
            }
            Action::Emit(_) | Action::SendCancel(_) => {}
        }
        self.done.push(action);
    }

    /// The task that `input` is the result of has ended. The check is left: `check_peers` may
    /// bring a `CheckDue` at any time.
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
            Input::Connected(_) => call.connecting = None,
            Input::TimeOver => call.deadline = None,
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
            Input::Connected(_) => call.connecting.is_some(),
            Input::Written => sends_callback,
            // Of an answer that comes when the call is over, the engine only brings a yes.
            Input::Asked(Asked::Agreed) if self.call.is_none() => self.answer_is_due,
            Input::Asked(Asked::Agreed) => sends_invoke || sends_callback && call.written,
            Input::Asked(Asked::Refused(_)) => sends_callback && call.written,
            Input::Asked(Asked::Lost(_)) => sends_invoke || sends_callback,
            Input::Asked(Asked::NotSent(LnurlChannelError::NodeFailed { .. })) => sends_invoke,
            Input::Asked(Asked::NotSent(_)) => sends_callback && !call.written,
            Input::HostAnswered(..) => {
                for_host_message(&[&self.request], &self.request.peer().node_id).is_some()
            }
            Input::Judged(..) | Input::ChannelFailed(_) => true,
            Input::CheckDue => self.call.is_some(),
            Input::TimeOver => call.deadline.is_some(),
            Input::StoreFailed(_) => false,
            Input::Returned(_) | Input::NotReturned(_) => !self.on_their_way.is_empty(),
        }
    }

    /// The end that the wallet is handed next.
    fn next_end(&self) -> u64 {
        let next = self.on_their_way.front().copied();
        next.unwrap_or(self.request.ends())
    }

    /// What the wallet reports of a channel reaches the request by way of the matcher.
    fn report(&mut self, channel: IncomingChannel) -> ChannelVerdict {
        self.done.clear();
        let now = self.now;
        report(
            std::slice::from_mut(self),
            &mut Unrequested::default(),
            now,
            channel,
        )
    }

    /// The app is killed and started again.
    fn restart(&mut self) {
        let stored = self.stored.clone().expect("nothing was stored");
        self.request = Request::restored(
            stored.id,
            stored.offer,
            stored.network,
            stored.created_at_millis,
            stored.credentials,
            stored.progress,
        );
        self.call = None;
        self.answer_is_due = false;
        self.on_their_way.clear();
        self.done.clear();
    }

    /// The one URL or payload that went out to ask for the channel.
    fn sent_callback(&self) -> Option<&str> {
        self.done.iter().find_map(|action| match action {
            Action::Run(Task::SendCallback(url)) => Some(url.expose()),
            _ => None,
        })
    }

    fn sent_cancel(&self) -> Option<&str> {
        self.done.iter().find_map(|action| match action {
            Action::SendCancel(url) => Some(url.expose()),
            _ => None,
        })
    }

    fn end(&self) -> Option<&Result<ChannelOutcome, LnurlChannelError>> {
        self.done.iter().find_map(|action| match action {
            Action::End(result) => Some(result),
            _ => None,
        })
    }
}

/// As the engine does: judge, then remember.
fn report(
    benches: &mut [Bench],
    unrequested: &mut Unrequested,
    now: u64,
    channel: IncomingChannel,
) -> ChannelVerdict {
    let channel = channel.normalised();
    let requests: Vec<&Request> = benches.iter().map(|bench| &bench.request).collect();
    let verdict = judge(&requests, unrequested, &channel, now);
    match verdict.request_id() {
        None => {
            unrequested.remember(&channel);
        }
        Some(id) => {
            let bench = benches.iter_mut().find(|bench| bench.request.id == id);
            let judged = Input::Judged(channel, verdict.clone());
            bench
                .expect("a verdict on no request")
                .input(judged)
                .expect("a fact was refused");
        }
    }
    verdict
}

fn tells_the_end(result: &Result<ChannelOutcome, LnurlChannelError>) -> bool {
    use LnurlChannelError::{Cancelled, NoChannel, OutcomeUnknown};
    !matches!(
        result,
        Err(Cancelled | NoChannel { .. } | OutcomeUnknown { .. })
    )
}

fn node_facts(refund_script: Option<Vec<u8>>) -> NodeFacts {
    NodeFacts {
        node_id: OWN.into(),
        refund_script,
    }
}

/// Inputs by the names that the tables use. Whatever can go wrong says the secrets aloud.
fn named(name: &str, bench: &Bench) -> Input {
    let request = &bench.request;
    let is_hosted = request.offer.kind == ChannelKind::Hosted;
    let k1 = if is_hosted { HOSTED_K1 } else { K1 };
    let echo = || format!("it broke on {k1}");
    let message = || vec![1, 2, 3];
    let asks_script = is_hosted && request.progress.refund_script.is_none();
    match name {
        "accept" => Input::Accept(ChannelVisibility::Unannounced),
        "accept announced" => Input::Accept(ChannelVisibility::Announced),
        "resume" => Input::Resume,
        "pause" => Input::Pause,
        "decline" => Input::Decline,
        "cancel" => Input::Cancel,
        "node ok" => Input::NodeAsked(Ok(node_facts(asks_script.then(refund_script)))),
        "node failed" => Input::NodeAsked(Err(echo())),
        "connected" => Input::Connected(Ok(())),
        "connect failed" => Input::Connected(Err(echo())),
        "written" => Input::Written,
        "agreed" => Input::Asked(Asked::Agreed),
        "refused" => Input::Asked(Asked::Refused("no room".into())),
        "lost" => Input::Asked(Asked::Lost("the connection was reset".into())),
        "not sent" if is_hosted => Input::Asked(Asked::NotSent(LnurlChannelError::NodeFailed {
            reason: echo(),
        })),
        "not sent" => Input::Asked(Asked::NotSent(LnurlChannelError::Unreachable {
            reason: "no route".into(),
        })),
        "host offers" => Input::HostAnswered(Ok(HostMessage::Init(TERMS)), message()),
        "host exists" => Input::HostAnswered(Ok(HostMessage::LastCrossSignedState), message()),
        "host refuses" => Input::HostAnswered(Ok(HostMessage::Error(echo())), message()),
        "host babbles" => {
            let error = protocol::Error::InvalidResponse("bytes are missing".into());
            Input::HostAnswered(Err(error), message())
        }
        "failed" => Input::ChannelFailed("aa".into()),
        "check" => Input::CheckDue,
        "time over" => Input::TimeOver,
        "returned" => Input::Returned(bench.next_end()),
        "not returned" => Input::NotReturned(bench.next_end()),
        _ => panic!("no input is named {name}"),
    }
}

impl Bench {
    /// Feed inputs by name.
    fn feed(&mut self, names: &[&str]) -> Result<(), LnurlChannelError> {
        for name in names {
            match *name {
                "proposed" => drop(self.report(proposed("aa"))),
                "funded" => drop(self.report(funded("aa"))),
                _ => {
                    let input = named(name, self);
                    assert!(self.could_get(&input), "nothing brings {name:?} now");
                    self.input(input)?;
                }
            }
        }
        Ok(())
    }

    fn at(kind: ChannelKind, names: &[&str]) -> Self {
        let mut bench = Self::of(kind);
        bench.feed(names).unwrap();
        bench
    }
}

/// Inputs that lead to a state.
const REQUESTING: [&str; 3] = ["accept", "node ok", "connected"];
const AWAITING: [&str; 5] = ["accept", "node ok", "connected", "written", "agreed"];
const UNKNOWN: [&str; 5] = ["accept", "node ok", "connected", "written", "lost"];
const REFUSED: [&str; 5] = ["accept", "node ok", "connected", "written", "refused"];

/// What was done, in short: `!` before an event.
fn shown(actions: &[Action]) -> String {
    let shown: Vec<String> = actions.iter().map(shown_action).collect();
    shown.join(" ")
}

fn shown_action(action: &Action) -> String {
    let name = |debug: String| {
        let end = debug.find(|c: char| !c.is_alphanumeric());
        debug[..end.unwrap_or(debug.len())].to_owned()
    };
    match action {
        Action::Emit(event) => format!("!{}", name(format!("{event:?}"))),
        Action::Run(Task::AskNode {
            refund_script: true,
        }) => "AskNode+script".into(),
        Action::Run(task) => name(format!("{task:?}")),
        Action::SendCancel(_) => "SendCancel".into(),
        Action::End(Ok(_)) => "End(channel)".into(),
        Action::End(Err(error)) => format!("End({})", name(format!("{error:?}"))),
    }
}
