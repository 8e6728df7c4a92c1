//! The process that is killed, and the one that goes on in its folder.
//!
//! What the wallet gets to know goes to the standard error, a line at a time: it is there whatever
//! becomes of the process.

use std::io::{BufRead, Write};
use std::sync::Arc;

use lnurl_channel::{
    BitcoinNetwork, ChannelClient, ChannelEvent, ChannelRequest, ChannelRequestState, ChannelStage,
    ChannelVerdict, ClientConfig, IncomingChannel, LnurlChannelError, WalletNodeError,
};

use super::flow::Flow;
use super::support::block_on;
use super::support::plain::{NODE_ID, PlainNode};
use super::support::scene::{
    CallResult, Running, fetch, start_accept, start_resume, unfinished, wait_until,
};

pub const FLOW: &str = "CRASH_FLOW";
pub const STORAGE: &str = "CRASH_STORAGE";
pub const LNURL: &str = "CRASH_LNURL";
pub const PROXY: &str = "CRASH_PROXY";
/// The target node's key.
pub const PEER: &str = "CRASH_PEER";
/// The id of the other request in the folder.
pub const BYSTANDER: &str = "CRASH_BYSTANDER";
/// What the process before this one has said; not set in the first.
pub const SAID: &str = "CRASH_SAID";

/// Said once a channel that nobody asked for was reported.
pub const KNOWN_AS_UNREQUESTED: &str = "it is known as unrequested";
/// Said before the user asks once more where the service, or the host, was asked already.
pub const ASKS_AGAIN: &str = "asks again";
/// Said when the host has the message.
pub const SENT_TO_HOST: &str = "sent to the host";

const LAST_CROSS_SIGNED_STATE: u16 = 65531;

pub fn run_if_asked() {
    let Ok(flow) = std::env::var(FLOW) else {
        return;
    };
    let said = std::env::var(SAID).ok();
    let life = Life::begin(Flow::named(&flow), said.is_none());
    match said {
        None => life.first(),
        Some(said) => life.second(&said),
    }
}

fn given(name: &str) -> String {
    std::env::var(name).unwrap()
}

/// A whole line at once, so that none is ever cut.
fn say(line: &str) {
    let line = format!("{line}\n");
    std::io::stderr().write_all(line.as_bytes()).unwrap();
}

/// The wallet knows this state of the request, or that it is no longer kept.
fn told(state: Option<ChannelRequestState>) {
    say(&format!("told {state:?}"));
}

fn open(node: Arc<PlainNode>) -> Arc<ChannelClient> {
    let config = ClientConfig {
        network: BitcoinNetwork::Regtest,
        storage_dir: Some(given(STORAGE)),
        proxy: Some(given(PROXY)),
        allow_private_hosts: true,
        ..ClientConfig::default()
    };
    Arc::new(ChannelClient::new(node, config).expect("the folder can be opened"))
}

fn node(flow: Flow, first: bool) -> PlainNode {
    PlainNode {
        node_id: Box::new(|()| {
            told(Some(ChannelRequestState::Connecting));
            Ok(NODE_ID.to_owned())
        }),
        connect: Box::new(move |_| Ok(!(first && flow == Flow::NotConnected))),
        send: Box::new(move |_| {
            if first && flow == Flow::HostedNotSent {
                let reason = "no room for it".to_owned();
                return Err(WalletNodeError::Failed { reason });
            }
            say(SENT_TO_HOST);
            Ok(true)
        }),
        on_event: Box::new(move |event| {
            match event {
                ChannelEvent::Requesting { .. } => told(Some(ChannelRequestState::OutcomeUnknown)),
                ChannelEvent::AwaitingChannel { .. } => told(Some(flow.waits_as())),
                ChannelEvent::Arrived { .. } => told(Some(ChannelRequestState::Arrived)),
                ChannelEvent::Connecting { .. } | ChannelEvent::Reconnecting { .. } => {}
            }
            Ok(())
        }),
        ..PlainNode::default()
    }
}

struct Life {
    flow: Flow,
    node: Arc<PlainNode>,
    client: Arc<ChannelClient>,
}

impl Life {
    fn begin(flow: Flow, first: bool) -> Life {
        let node = Arc::new(node(flow, first));
        let client = open(node.clone());
        Life { flow, node, client }
    }

    fn fetch(&self) -> Arc<ChannelRequest> {
        let request = fetch(&self.client, &given(LNURL)).expect("a healthy service");
        say(&format!("id {}", request.request_id()));
        request
    }

    // ---- the first life ----

    fn first(&self) {
        match self.flow {
            Flow::Opening => return,
            Flow::Unrequested => {
                let verdict = self.report(&unrequested());
                assert_eq!(verdict, ChannelVerdict::Unrequested);
                say(KNOWN_AS_UNREQUESTED);
            }
            _ => {}
        }
        let request = self.fetch();
        let call = start_accept(&request);
        match self.flow {
            Flow::NotConnected | Flow::HostedNotSent => {
                let error = call.end().unwrap_err();
                assert!(matches!(error, LnurlChannelError::NodeFailed { .. }));
                told(None);
            }
            Flow::Refused => {
                let error = call.end().unwrap_err();
                assert!(matches!(error, LnurlChannelError::Refused { .. }));
                told(Some(ChannelRequestState::Refused));
            }
            _ => self.first_with_answer(&request, call),
        }
    }

    fn first_with_answer(&self, request: &Arc<ChannelRequest>, call: Running<CallResult>) {
        self.wait_for_answer();
        match self.flow {
            Flow::Arrives => {
                self.deliver(request, call);
                self.fund_and_fail();
                told(Some(ChannelRequestState::Awaiting));
                self.expect(request, &channel(2));
                block_on(request.resume()).unwrap();
                told(Some(ChannelRequestState::Arrived));
            }
            Flow::Paused => {
                pause(request, call);
                told(Some(ChannelRequestState::OutcomeUnknown));
                self.expect(request, &channel(1));
                block_on(request.resume()).unwrap();
            }
            Flow::Cancelled => {
                block_on(request.cancel()).unwrap();
                call.end().unwrap_err();
                told(Some(ChannelRequestState::Cancelled));
            }
            Flow::Declined => {
                pause(request, call);
                request.decline().unwrap();
                told(Some(ChannelRequestState::Declined));
            }
            _ => self.deliver(request, call),
        }
    }

    /// The channel that was proposed is funded, and fails.
    fn fund_and_fail(&self) {
        let funded = IncomingChannel {
            channel_id: "f1".repeat(32),
            former_channel_id: Some(channel(1).channel_id),
            stage: ChannelStage::Funded,
            ..channel(1)
        };
        let verdict = self.report(&funded);
        assert!(matches!(verdict, ChannelVerdict::Expected { .. }));
        let ChannelVerdict::Expected { .. } = self.report(&funded) else {
            panic!("nodes replay");
        };
        self.client
            .report_channel_failed(funded.peer_id, funded.channel_id);
    }

    // ---- the second life ----

    fn second(&self, said: &str) {
        assert_eq!(self.node.called.all(), [], "nothing by itself");
        self.assert_bystander(&self.client);
        let mut ids = said.lines().filter_map(|line| line.strip_prefix("id "));
        let request = ids
            .next_back()
            .and_then(|id| self.client.request(id.into()));
        say(&format!("state {:?}", request.as_ref().map(|r| r.state())));
        let expected = request.as_ref().filter(|request| !has_ended(request));
        let mut expected: Vec<String> = expected.iter().map(|r| r.request_id()).collect();
        expected.push(given(BYSTANDER));
        let unfinished = unfinished(&self.client);
        let is_there = |id| unfinished.contains(id);
        assert!(expected.iter().all(is_there), "{unfinished:?}");

        let last = self.complete(request, said);
        let (id, state) = (last.request_id(), last.state());
        assert!(has_ended(&last), "it came to {state:?}");
        block_on(self.client.shutdown());
        let client = open(Arc::default());
        self.assert_bystander(&client);
        let kept = client.request(id).expect("kept across one more restart");
        assert_eq!(kept.state(), state);
    }

    fn assert_bystander(&self, client: &ChannelClient) {
        let bystander = client.request(given(BYSTANDER));
        let bystander = bystander.expect("the other request is kept");
        assert_eq!(bystander.state(), ChannelRequestState::Awaiting);
    }

    /// The next try: what the state asks for, and to its end. The request that ends.
    fn complete(&self, request: Option<Arc<ChannelRequest>>, said: &str) -> Arc<ChannelRequest> {
        use ChannelRequestState::{
            Arrived, Awaiting, Cancelled, Connecting, Declined, Offered, OutcomeUnknown, Refused,
            Requesting,
        };
        let request = request.unwrap_or_else(|| self.fetch());
        match request.state() {
            Offered | Connecting => self.accept(&request, said),
            Requesting | Awaiting | OutcomeUnknown => {
                let again = self.fetch();
                assert_eq!(again.request_id(), request.request_id(), "the same request");
                let call = start_resume(&request);
                wait_until("the call runs", || request.is_running());
                self.deliver_after(&request, call, said);
            }
            Arrived => drop(block_on(request.resume()).expect("what has arrived")),
            Refused if unfinished(&self.client).contains(&request.request_id()) => {
                say(ASKS_AGAIN);
                self.accept(&request, said);
            }
            // The wallet knows of the end, so that only a new scan leads further.
            Refused | Cancelled | Declined => {
                say(ASKS_AGAIN);
                let next = self.fetch();
                assert_ne!(next.request_id(), request.request_id());
                self.accept(&next, said);
                return next;
            }
        }
        request
    }

    fn accept(&self, request: &Arc<ChannelRequest>, said: &str) {
        let call = start_accept(request);
        if self.flow == Flow::Refused {
            let error = call.end().unwrap_err();
            assert!(matches!(error, LnurlChannelError::Refused { .. }));
            return;
        }
        self.wait_for_answer();
        self.deliver_after(request, call, said);
    }

    /// The channel comes; before it, one that comes again.
    fn deliver_after(&self, request: &Arc<ChannelRequest>, call: Running<CallResult>, said: &str) {
        if said.lines().any(|line| line == KNOWN_AS_UNREQUESTED) {
            let verdict = self.report(&unrequested());
            assert_eq!(verdict, ChannelVerdict::Unrequested, "it was judged before");
        }
        self.deliver(request, call);
    }

    // ---- both ----

    /// As long as the service may take. Where it stays silent, the one who started us tells when it
    /// was asked.
    fn wait_for_answer(&self) {
        if self.flow == Flow::Paused {
            std::io::stdin()
                .lock()
                .read_line(&mut String::new())
                .unwrap();
            return;
        }
        self.node
            .wait_for_event(|event| matches!(event, ChannelEvent::AwaitingChannel { .. }));
    }

    fn deliver(&self, request: &ChannelRequest, call: Running<CallResult>) {
        if self.flow.is_hosted() {
            let message = vec![0x5a; 96];
            let report = |message| {
                self.client
                    .report_peer_message(given(PEER), LAST_CROSS_SIGNED_STATE, message)
            };
            assert!(report(message), "the host's message is the request's");
        } else {
            self.expect(request, &channel(1));
        }
        call.end().unwrap();
    }

    fn expect(&self, request: &ChannelRequest, channel: &IncomingChannel) {
        let request_id = request.request_id();
        let expected = ChannelVerdict::Expected { request_id };
        assert_eq!(self.report(channel), expected);
    }

    fn report(&self, channel: &IncomingChannel) -> ChannelVerdict {
        self.client.report_incoming_channel(channel.clone())
    }
}

fn pause(request: &ChannelRequest, call: Running<CallResult>) {
    assert!(request.pause());
    assert_eq!(call.end(), Err(LnurlChannelError::Cancelled));
}

fn has_ended(request: &ChannelRequest) -> bool {
    use ChannelRequestState::{Arrived, Cancelled, Declined, Refused};
    matches!(request.state(), Arrived | Cancelled | Declined | Refused)
}

fn channel(number: u8) -> IncomingChannel {
    IncomingChannel {
        peer_id: given(PEER),
        channel_id: hex::encode([number; 32]),
        stage: ChannelStage::Proposed,
        former_channel_id: None,
        capacity_sat: Some(100_000),
        push_msat: Some(0),
        is_announced: Some(false),
    }
}

fn unrequested() -> IncomingChannel {
    IncomingChannel {
        stage: ChannelStage::Funded,
        ..channel(9)
    }
}
