//! Row 4: the npm package `lnurl` as the service, on a real LND; the wallet's node is ldk-node.
//!
//! `row-4 CERT KEY FOLDER`: the certificate that the service shows, its key, and where
//! the wallet keeps what it stores.

use std::path::Path;
use std::sync::Arc;

use ldk_node::lightning_invoice::{Bolt11InvoiceDescription, Description};
use ldk_node::{ChannelDetails, Event};
use lnurl_channel::{
    ChannelKind, ChannelRequest, ChannelRequestState, ChannelStage, ChannelVerdict,
    ChannelVisibility, IncomingChannel, LnurlChannelError, NodeProblem, encode_lnurl,
};
use lnurl_channel_interop::support::block_on;
use lnurl_channel_interop::support::scene::{accept, funded_channel, state};
use lnurl_channel_interop::{Lnd, NpmLnurl, Offer, Proofs, refusal};

use interop_ldk_node::app::{App, Settings, wait_for};
use interop_ldk_node::chain;

const CAPACITY_SAT: u64 = 200_000;
const PUSH_SAT: u64 = 20_000;
/// What ldk-node waits for.
const BLOCKS: u32 = 6;
const PAID_MSAT: u64 = 5_000_000;
/// What the service answers when LND could not open, in its own words.
const FAILED: &str = "Unexpected error";
/// What ldk-node logs.
const NO_RESERVE: &str = "due to insufficient available on-chain reserves";
const NO_ANNOUNCED: &str = "Rejecting inbound announced channel";

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [cert, key, folder] = arguments.as_slice() else {
        eprintln!("usage: row-4 CERT KEY FOLDER");
        std::process::exit(2);
    };
    let row = Row::new(Path::new(cert), Path::new(key), Path::new(folder));
    row.has_no_hosted_channels();
    let offer = row.is_refused_without_a_reserve();
    row.is_funded();
    let (request, channel) = row.opens(&offer);
    row.is_ready(&request, &channel);
    row.is_paid_over_it();
    row.is_refused_an_announced_channel();
    row.awaits_again_after_a_failed_opening();
    row.stays_ready_after_a_closing(&request, &channel);
    row.app.stop();
}

struct Row {
    service: NpmLnurl,
    lnd: Lnd,
    app: App,
    proofs: Proofs,
}

impl Row {
    fn new(cert: &Path, key: &Path, folder: &Path) -> Self {
        let lnd = Lnd::named("service");
        let service = NpmLnurl::start(&lnd.backend(), cert, key);
        let authority = std::fs::read_to_string(cert).expect("the certificate is there");
        let app = App::start(folder, Settings::default(), authority);
        let proofs = Proofs::default();
        proofs.say(&format!(
            "lnurl {} runs on a real LND, the wallet on ldk-node",
            service.version()
        ));
        Self {
            service,
            lnd,
            app,
            proofs,
        }
    }

    fn offer(&self) -> Offer {
        self.service.offer(CAPACITY_SAT, PUSH_SAT)
    }

    fn scan(&self, offer: &Offer) -> Arc<ChannelRequest> {
        let request = self.app.fetch(&offer.lnurl);
        let peer = request.snapshot().offer.peer;
        assert_eq!(peer.to_uri(), self.lnd.address());
        request
    }

    fn has_no_hosted_channels(&self) {
        let url = format!(
            "https://localhost/?tag=hostedChannelRequest&k1=00&uri={}",
            self.lnd.address()
        );
        let request = self.app.fetch(&encode_lnurl(url).expect("a URL"));
        assert_eq!(request.snapshot().offer.kind, ChannelKind::Hosted);
        let Err(LnurlChannelError::NodeFailed { problem, reason }) = accept(&request) else {
            panic!("a hosted channel without custom messages");
        };
        assert_eq!(problem, NodeProblem::Unsupported);
        assert_eq!(state(&request), ChannelRequestState::Offered);
        self.proofs
            .say(&format!("a hosted offer: NodeFailed, {reason:?}"));
    }

    /// A new wallet's: nothing on chain, and ldk-node turns down a channel with anchors.
    fn is_refused_without_a_reserve(&self) -> Offer {
        let offer = self.offer();
        assert_eq!(refusal(accept(&self.scan(&offer))), FAILED);
        assert!(self.app.has_logged(NO_RESERVE));
        assert_eq!(self.app.verdicts(), []);
        let reason = self.service.failures().pop().expect("it failed");
        self.proofs.say(&format!(
            "nothing on chain: Refused, {FAILED:?} ({reason}); ldk-node shows the wallet nothing"
        ));
        offer
    }

    fn is_funded(&self) {
        let address = self.app.node.onchain_payment().new_address();
        chain::pay(&address.expect("an address").to_string());
        wait_for("the reserve", || {
            let balances = self.app.node.list_balances();
            (balances.spendable_onchain_balance_sats > 0).then_some(())
        });
    }

    fn opens(&self, offer: &Offer) -> (Arc<ChannelRequest>, ChannelDetails) {
        let before = self.app.verdicts().len();
        let request = self.scan(offer);
        let arrived = funded_channel(accept(&request));
        let shown = self.channel(&arrived);
        let expected = IncomingChannel {
            peer_id: self.lnd.id(),
            stage: ChannelStage::Funded,
            channel_id: Some(shown.channel_id.to_string()),
            former_channel_id: Some(former_id(&self.app, &shown)),
            capacity_sat: Some(CAPACITY_SAT),
            push_msat: None,
            is_announced: Some(false),
            is_zero_conf: Some(false),
            confirmations: Some(0),
            confirmations_required: Some(BLOCKS),
        };
        assert_eq!(arrived, expected);
        assert_eq!(state(&request), ChannelRequestState::Arrived);
        let mut peers = self.app.node.list_peers().into_iter();
        let peer = peers.find(|peer| peer.node_id == shown.counterparty_node_id);
        assert!(peer.is_some_and(|peer| peer.is_persisted), "remembered");
        let request_id = request.request_id();
        let verdicts = self.app.verdicts();
        assert_eq!(
            verdicts[before..],
            [ChannelVerdict::Expected { request_id }]
        );
        let callback = self.service.callbacks().pop().expect("it was called back");
        assert_eq!(callback["k1"], offer.k1);
        assert_eq!(callback["private"], "1");
        self.proofs.say(
            "funded, and scanned once more: an unannounced channel of the service's capacity, \
             shown at ChannelPending, and its peer remembered from then on",
        );
        (request, shown)
    }

    fn is_ready(&self, request: &ChannelRequest, channel: &ChannelDetails) {
        chain::mine(6);
        self.app.event("the channel is ready", |event| match event {
            Event::ChannelReady { channel_id, .. } if *channel_id == channel.channel_id => Some(()),
            _ => None,
        });
        assert_eq!(state(request), ChannelRequestState::Ready);
        assert_eq!(self.lightning_sat(), PUSH_SAT);
        wait_for("the channel at LND", || {
            let active = self.lnd.ask(&["listchannels", "--active_only"]).ok()?;
            active["channels"].get(0).map(|shown| {
                assert_eq!(shown["capacity"], CAPACITY_SAT.to_string());
                assert_eq!(shown["private"], true);
            })
        });
        self.proofs
            .say("six blocks: ready, with what the service pushed");
    }

    fn lightning_sat(&self) -> u64 {
        self.app.node.list_balances().total_lightning_balance_sats
    }

    fn is_paid_over_it(&self) {
        let text = Description::new("row 4".into()).expect("it is short");
        let description = Bolt11InvoiceDescription::Direct(text);
        let payment = self.app.node.bolt11_payment();
        let invoice = payment.receive(PAID_MSAT, &description, 3600);
        let invoice = invoice.expect("an invoice").to_string();
        // LND's router hears of the channel a little later than the rest of LND.
        wait_for("LND's payment", || {
            self.lnd
                .ask(&["payinvoice", "--force", "--json", &invoice])
                .ok()
        });
        self.app.event("the payment", |event| match event {
            Event::PaymentReceived { amount_msat, .. } => {
                assert_eq!(*amount_msat, PAID_MSAT);
                Some(())
            }
            _ => None,
        });
        self.proofs.say("LND pays an invoice over it");
    }

    fn is_refused_an_announced_channel(&self) {
        let request = self.scan(&self.offer());
        let result = block_on(request.accept(ChannelVisibility::Announced));
        assert_eq!(refusal(result), FAILED);
        assert!(self.app.has_logged(NO_ANNOUNCED));
        block_on(request.dismiss()).expect("the user has seen it");
        let reason = self.service.failures().pop().expect("it failed");
        self.proofs
            .say(&format!("announced: Refused, {FAILED:?} ({reason})"));
    }

    fn awaits_again_after_a_failed_opening(&self) {
        let request = self.scan(&self.offer());
        let channel = self.channel(&funded_channel(accept(&request)));
        let peer = channel.counterparty_node_id;
        let closed = self
            .app
            .node
            .force_close_channel(&channel.user_channel_id, peer, None);
        closed.expect("ldk-node closes it");
        self.closed(&channel);
        // The service answers once the channel is negotiated: before or after it is closed.
        let state = wait_for("the request that waits again", || {
            let waits = [
                ChannelRequestState::Awaiting,
                ChannelRequestState::OutcomeUnknown,
            ];
            Some(state(&request)).filter(|state| waits.contains(state))
        });
        block_on(request.cancel()).expect("it waits");
        self.proofs.say(&format!(
            "closed before it was ready: the request waits again, {state:?}"
        ));
    }

    fn stays_ready_after_a_closing(&self, request: &ChannelRequest, channel: &ChannelDetails) {
        let peer = channel.counterparty_node_id;
        let closed = self.app.node.close_channel(&channel.user_channel_id, peer);
        closed.expect("ldk-node closes it");
        self.closed(channel);
        assert_eq!(state(request), ChannelRequestState::Ready);
        self.proofs
            .say("closed after it was ready: the request had its channel");
    }

    fn channel(&self, arrived: &IncomingChannel) -> ChannelDetails {
        let mut channels = self.app.node.list_channels().into_iter();
        let channel = channels.find(|c| Some(c.channel_id.to_string()) == arrived.channel_id);
        channel.expect("ldk-node has the channel")
    }

    /// Waits until the app has handled the event.
    fn closed(&self, channel: &ChannelDetails) {
        self.app.event("the closing", |event| match event {
            Event::ChannelClosed { channel_id, .. } if *channel_id == channel.channel_id => {
                Some(())
            }
            _ => None,
        });
    }
}

fn former_id(app: &App, channel: &ChannelDetails) -> String {
    app.event("the channel is pending", |event| match event {
        Event::ChannelPending {
            channel_id,
            former_temporary_channel_id,
            ..
        } if *channel_id == channel.channel_id => Some(former_temporary_channel_id.to_string()),
        _ => None,
    })
}
