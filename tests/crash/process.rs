//! The process that is killed, and the one that goes on in its folder.
//!
//! What the wallet gets to know goes to the standard error, a line at a time: it is there whatever
//! becomes of the process.

use std::io::{BufRead, Write};
use std::sync::Arc;

use lnurl_channel::{
    BitcoinNetwork, ChannelClient, ChannelListener, ChannelRequest, ChannelRequestSnapshot,
    ChannelRequestState, ChannelStage, ChannelStep, ChannelVerdict, ClientConfig, IncomingChannel,
    LnurlChannelError, WalletNodeError,
};

use super::flow::Flow;
use super::support::listener::Listener;
use super::support::plain::{NODE_ID, PlainNode, expected};
use super::support::scene::{
    CallResult, Running, accept, fetch, kept, start_accept, state, wait_until,
};
use super::support::wallet::channel;
use super::support::{Watched, block_on};

pub const FLOW: &str = "CRASH_FLOW";
pub const STORAGE: &str = "CRASH_STORAGE";
pub const LNURL: &str = "CRASH_LNURL";
pub const PROXY: &str = "CRASH_PROXY";
/// The target node's key.
pub const PEER: &str = "CRASH_PEER";
/// The id of the other request in the folder, and the key of the node that it was asked of.
pub const BYSTANDER: &str = "CRASH_BYSTANDER";
pub const BYSTANDERS_PEER: &str = "CRASH_BYSTANDERS_PEER";
/// What the process before this one has said; not set in the first.
pub const SAID: &str = "CRASH_SAID";

/// Said once a channel that nobody asked for was reported.
pub const KNOWN_AS_UNREQUESTED: &str = "it is known as unrequested";
/// Said before the user scans once more where the service, or the host, was asked already.
pub const ASKS_AGAIN: &str = "asks again";
/// Said when the host has the message.
pub const SENT_TO_HOST: &str = "sent to the host";
/// Said once the end is dismissed.
const DISMISSED: &str = "dismissed";

/// The channel of the request that is to be forgotten. Its peer is the bystander's.
pub const FORGOTTEN_CHANNEL: &str = "e1";

const LAST_CROSS_SIGNED_STATE: u16 = 65531;
/// The least that it has.
const STATE_BYTES: usize = 197;

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

/// The wallet knows that a restart finds this, or something further on: the request's state, or that
/// it is no longer kept.
fn told(state: Option<ChannelRequestState>) {
    say(&format!("told {state:?}"));
}

/// Says what it hears before anybody acts upon it.
struct Teller {
    flow: Flow,
    heard: Watched<ChannelStep>,
}

impl ChannelListener for Teller {
    fn on_request_changed(
        &self,
        request: ChannelRequestSnapshot,
        step: ChannelStep,
    ) -> Result<(), WalletNodeError> {
        match request.state {
            // In memory: a restart does not find these.
            ChannelRequestState::Connecting => {}
            ChannelRequestState::Requesting => told(Some(ChannelRequestState::OutcomeUnknown)),
            ChannelRequestState::Opening => {}
            // Nobody was asked, so that nothing is kept of it.
            ChannelRequestState::Cancelled if self.flow == Flow::NotConnected => told(None),
            state => told(Some(state)),
        }
        self.heard.push(step);
        Ok(())
    }
}

fn open(node: Arc<PlainNode>, listener: Arc<dyn ChannelListener>) -> Arc<ChannelClient> {
    let config = ClientConfig {
        network: BitcoinNetwork::Regtest,
        storage_dir: Some(given(STORAGE)),
        proxy: Some(given(PROXY)),
        allow_private_hosts: true,
        ..ClientConfig::default()
    };
    Arc::new(
        ChannelClient::new(Box::new(node), Box::new(listener), config)
            .expect("the folder can be opened"),
    )
}

fn node(flow: Flow, first: bool) -> PlainNode {
    PlainNode {
        node_id: Box::new(|()| {
            told(Some(ChannelRequestState::Offered));
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
        ..PlainNode::default()
    }
}

struct Life {
    flow: Flow,
    node: Arc<PlainNode>,
    teller: Arc<Teller>,
    client: Arc<ChannelClient>,
    /// The ids of the channel that comes, as proposed and as funded. The first life's may be closed.
    channel: [&'static str; 2],
}

impl Life {
    fn begin(flow: Flow, first: bool) -> Life {
        let heard = Watched::default();
        let (node, teller) = (
            Arc::new(node(flow, first)),
            Arc::new(Teller { flow, heard }),
        );
        let client = open(node.clone(), teller.clone());
        Life {
            flow,
            node,
            teller,
            client,
            channel: match first {
                true => ["01", "f1"],
                false => ["03", "f3"],
            },
        }
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
            Flow::NotConnected => {
                let error = call.end().unwrap_err();
                assert!(matches!(error, LnurlChannelError::NodeFailed { .. }));
                block_on(request.cancel()).unwrap();
            }
            Flow::HostedNotSent => {
                let error = call.end().unwrap_err();
                assert!(matches!(error, LnurlChannelError::NodeFailed { .. }));
            }
            Flow::Refused => {
                let error = call.end().unwrap_err();
                assert!(matches!(error, LnurlChannelError::Refused { .. }));
                block_on(request.dismiss()).unwrap();
                say(DISMISSED);
            }
            _ => self.first_with_answer(&request, call),
        }
    }

    fn first_with_answer(&self, request: &Arc<ChannelRequest>, call: Running<CallResult>) {
        self.wait_for_answer();
        match self.flow {
            Flow::Arrives => {
                self.deliver(request, call);
                self.client
                    .report_channel_closed(given(PEER), Some("f1".into()), None);
                told(Some(ChannelRequestState::Awaiting));
                self.expect(request, ["02", "f2"]);
                accept(request).unwrap();
                let ready = channel(&given(PEER), ChannelStage::Ready, "f2");
                assert_eq!(self.report(&ready), expected(request));
                told(Some(ChannelRequestState::Ready));
                block_on(request.dismiss()).unwrap();
                say(DISMISSED);
            }
            Flow::Paused => {
                request.pause();
                assert_eq!(call.end(), Err(LnurlChannelError::Cancelled));
                self.expect(request, self.channel);
                accept(request).unwrap();
            }
            Flow::Cancelled => {
                block_on(request.cancel()).unwrap();
                call.end().unwrap_err();
                told(Some(ChannelRequestState::Cancelled));
            }
            _ => self.deliver(request, call),
        }
    }

    // ---- the second life ----

    fn second(&self, said: &str) {
        assert_eq!(self.node.called.all(), [], "nothing by itself");
        self.assert_bystander(&self.client);
        let mut ids = said.lines().filter_map(|line| line.strip_prefix("id "));
        let request = ids
            .next_back()
            .and_then(|id| self.client.request(id.into()));
        say(&format!("state {:?}", request.as_ref().map(|r| state(r))));
        let mut expected: Vec<String> = request.iter().map(|r| r.request_id()).collect();
        expected.push(given(BYSTANDER));
        let kept = kept(&self.client);
        let is_there = |id| kept.contains(id);
        assert!(expected.iter().all(is_there), "{kept:?}");
        if said.lines().any(|line| line == DISMISSED) {
            let request = request.as_ref().expect("an end is kept");
            assert!(request.snapshot().is_dismissed);
        }

        let last = self.complete(request, said);
        let (id, end) = (last.request_id(), state(&last));
        assert!(has_ended(end), "it came to {end:?}");
        block_on(self.client.shutdown());
        let client = open(Arc::default(), Arc::<Listener>::default());
        self.assert_bystander(&client);
        let kept = client.request(id).expect("kept across one more restart");
        assert_eq!(state(&kept), end);
    }

    /// The other request awaits its channel. An older one of the same peer is not taken for it.
    fn assert_bystander(&self, client: &ChannelClient) {
        let bystander = client.request(given(BYSTANDER));
        let bystander = bystander.expect("the other request is kept");
        if self.flow == Flow::Opening {
            let peer = given(BYSTANDERS_PEER);
            let old = channel(&peer, ChannelStage::Funded, FORGOTTEN_CHANNEL);
            let verdict = client.report_incoming_channel(old);
            assert_ne!(verdict, expected(&bystander));
        }
        assert_eq!(state(&bystander), ChannelRequestState::Awaiting);
    }

    /// The next try: what the state asks for, and to its end. The request that ends.
    fn complete(&self, request: Option<Arc<ChannelRequest>>, said: &str) -> Arc<ChannelRequest> {
        use ChannelRequestState::{
            Arrived, Awaiting, Cancelled, Connecting, Offered, Opening, OutcomeUnknown, Ready,
            Refused, Requesting,
        };
        let request = request.unwrap_or_else(|| self.fetch());
        match state(&request) {
            Offered => self.accept(&request, said),
            Awaiting | OutcomeUnknown => {
                let again = self.fetch();
                assert_eq!(again.request_id(), request.request_id(), "the same request");
                let call = start_accept(&request);
                wait_until("the call runs", || request.snapshot().is_running);
                self.deliver_after(&request, call, said);
            }
            Arrived | Ready => drop(accept(&request).expect("what has arrived")),
            // The wallet knows of the end, so that only a new scan leads further.
            Refused | Cancelled => {
                say(ASKS_AGAIN);
                accept(&request).expect_err("the same end");
                let next = self.fetch();
                assert_ne!(next.request_id(), request.request_id());
                self.accept(&next, said);
                return next;
            }
            Connecting | Requesting | Opening => panic!("no call runs: {request:?}"),
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
        let answered =
            |step: &ChannelStep| matches!(step, ChannelStep::Agreed | ChannelStep::AnswerUnclear);
        let heard = self
            .teller
            .heard
            .wait_until(|steps| steps.iter().any(answered));
        assert!(heard, "the service answers");
    }

    fn deliver(&self, request: &ChannelRequest, call: Running<CallResult>) {
        if self.flow.is_hosted() {
            let message = vec![0x5a; STATE_BYTES];
            let report = |message| {
                self.client
                    .report_peer_message(given(PEER), LAST_CROSS_SIGNED_STATE, message)
            };
            assert!(report(message), "the host's message is the request's");
        } else {
            self.expect(request, self.channel);
        }
        call.end().unwrap();
    }

    /// A channel is proposed and funded, and nodes replay.
    fn expect(&self, request: &ChannelRequest, [proposed, funded]: [&str; 2]) {
        let proposal = channel(&given(PEER), ChannelStage::Proposed, proposed);
        assert_eq!(self.report(&proposal), expected(request));
        let channel = IncomingChannel {
            former_channel_id: Some(proposed.to_owned()),
            ..channel(&given(PEER), ChannelStage::Funded, funded)
        };
        for _ in 0..2 {
            assert_eq!(self.report(&channel), expected(request));
        }
    }

    fn report(&self, channel: &IncomingChannel) -> ChannelVerdict {
        self.client.report_incoming_channel(channel.clone())
    }
}

fn has_ended(state: ChannelRequestState) -> bool {
    use ChannelRequestState::{Arrived, Cancelled, Ready, Refused};
    matches!(state, Arrived | Ready | Refused | Cancelled)
}

fn unrequested() -> IncomingChannel {
    channel(&given(PEER), ChannelStage::Funded, "09")
}
