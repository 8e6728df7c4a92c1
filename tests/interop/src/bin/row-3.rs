//! Row 3: the npm package `lnurl` as the service, on a real LND; the wallet's node is LDK.
//!
//! `row-3 CERT KEY`: the certificate that the service shows, and its key.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use lnurl_channel::{
    ChannelRequest, ChannelRequestState, ChannelStage, ChannelVerdict, ChannelVisibility,
    ClientConfig, IncomingChannel,
};
use lnurl_channel_interop::support::block_on;
use lnurl_channel_interop::support::listener::Listener;
use lnurl_channel_interop::support::scene::{
    accept, fetch, funded_channel, patient_config, state, wait_until,
};
use lnurl_channel_interop::support::wallet::Wallet;
use lnurl_channel_interop::{Lnd, NpmLnurl, Offer, Proofs, channel_id_of, refusal};
use lnurl_channel_testbed::Testbed;
use serde_json::Value;

const CAPACITY_SAT: u64 = 100_000;
const PUSH_SAT: u64 = 1_500;
/// Less than LND opens.
const TOO_LITTLE_SAT: u64 = 10_000;
/// What the service answers, in its own words.
const USED: &str = "Maximum number of uses already reached";
const FAILED: &str = "Unexpected error";

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [cert, key] = arguments.as_slice() else {
        eprintln!("usage: row-3 CERT KEY");
        std::process::exit(2);
    };
    let row = Row::new(Path::new(cert), Path::new(key));
    let unannounced = row.opens_unannounced();
    row.fails_and_opens_announced_after_a_block();
    row.refuses_a_used_secret(&unannounced);
    row.opens_no_channel_too_small_for_lnd();
    row.hears_when_the_wallet_turns_a_channel_down();
}

struct Row {
    service: NpmLnurl,
    lnd: Lnd,
    wallet: Wallet,
    testbed: Testbed,
    proofs: Proofs,
}

impl Row {
    fn new(cert: &Path, key: &Path) -> Self {
        let testbed = Testbed::start().expect("the wallet's node starts");
        let lnd = Lnd::named("service");
        let service = NpmLnurl::start(&lnd.backend(), cert, key);
        let authority = std::fs::read_to_string(cert).expect("the certificate is there");
        let config = ClientConfig {
            extra_root_certificates: Some(authority),
            ..patient_config(&testbed)
        };
        let wallet = Wallet::new(testbed.wallet(), Arc::new(Listener::default()), config);
        let wallet = wallet.expect("the configuration is good");
        let proofs = Proofs::default();
        proofs.say(&format!("lnurl {} runs on a real LND", service.version()));
        Self {
            service,
            lnd,
            wallet,
            testbed,
            proofs,
        }
    }

    fn scan(&self, offer: &Offer) -> Arc<ChannelRequest> {
        let request = fetch(&self.wallet.client, &offer.lnurl).expect("the service offers");
        let peer = request.snapshot().offer.peer;
        assert_eq!(peer.to_uri(), self.lnd.address());
        request
    }

    fn offers(&self) -> (Offer, Arc<ChannelRequest>) {
        let offer = self.service.offer(CAPACITY_SAT, PUSH_SAT);
        let request = self.scan(&offer);
        (offer, request)
    }

    /// Accepts, and sees the channel that was offered arrive, at both nodes.
    fn opens(&self, request: &ChannelRequest, visibility: ChannelVisibility) {
        let before = self.service.successes();
        let channel = funded_channel(block_on(request.accept(visibility)));
        let announced = visibility == ChannelVisibility::Announced;
        let expected = IncomingChannel {
            peer_id: self.lnd.id(),
            stage: ChannelStage::Funded,
            channel_id: channel.channel_id.clone(),
            former_channel_id: channel.former_channel_id.clone(),
            capacity_sat: Some(CAPACITY_SAT),
            push_msat: Some(PUSH_SAT * 1000),
            is_announced: Some(announced),
            is_zero_conf: None,
            confirmations: None,
            confirmations_required: None,
        };
        assert_eq!(channel, expected);
        assert_eq!(state(request), ChannelRequestState::Arrived);
        wait_until("the service's answer", || {
            self.service.successes() == before + 1
        });
        self.was_proposed(&channel, request);

        // The same channel, with its id made of the funding transaction.
        let shown = self.pending(&channel.channel_id.expect("a funded channel has an id"));
        assert_eq!(shown["remote_node_pub"], self.testbed.wallet().id());
        assert_eq!(shown["capacity"], CAPACITY_SAT.to_string());
        assert_eq!(shown["remote_balance"], PUSH_SAT.to_string());
        assert_eq!(shown["private"], !announced);
    }

    /// The node asked before it took the channel, under the temporary id.
    fn was_proposed(&self, channel: &IncomingChannel, request: &ChannelRequest) {
        let verdicts = self.wallet.verdicts.all().into_iter();
        let mut proposals = verdicts.filter(|(proposal, _)| {
            proposal.stage == ChannelStage::Proposed
                && proposal.channel_id == channel.former_channel_id
        });
        let request_id = request.request_id();
        let expected = ChannelVerdict::Expected { request_id };
        assert_eq!(proposals.next().map(|(_, made)| made), Some(expected));
    }

    /// What LND says of a channel that awaits its confirmation.
    fn pending(&self, channel_id: &str) -> Value {
        let shown = self.lnd.ask(&["pendingchannels"]).expect("LND answers");
        let channels = shown["pending_open_channels"].as_array().expect("a list");
        let mut channels = channels.iter().map(|pending| &pending["channel"]);
        let found = channels.find(|channel| {
            let point = channel["channel_point"].as_str().expect("a text");
            channel_id_of(point) == channel_id
        });
        found.expect("LND shows the channel").clone()
    }

    fn opens_unannounced(&self) -> Offer {
        let (offer, request) = self.offers();
        self.opens(&request, ChannelVisibility::Unannounced);
        self.proofs.say(
            "private=1: an unannounced channel of the service's amounts, proposed, then funded, \
             under the same id at both nodes",
        );
        offer
    }

    /// The change of the first funding is all that LND has, and it is not confirmed.
    fn fails_and_opens_announced_after_a_block(&self) {
        let (offer, request) = self.offers();
        self.is_refused_as_failed(&request, CAPACITY_SAT, "not enough witness outputs");
        self.confirm_change();
        self.opens(&self.scan(&offer), ChannelVisibility::Announced);
        self.proofs
            .say("private=0, scanned once more after a block: the same, announced");
    }

    /// The service keeps the reason to itself, so LND is asked for the same once more.
    fn is_refused_as_failed(&self, request: &ChannelRequest, amount: u64, reason: &str) {
        assert_eq!(refusal(accept(request)), FAILED);
        assert_eq!(state(request), ChannelRequestState::Refused);
        let words = self.open_by_hand(amount).expect_err("LND can't");
        assert!(words.contains(reason), "{words}");
        self.proofs.say(&format!(
            "LND fails, {words:?}: HTTP 500 is Refused, {FAILED:?}"
        ));
    }

    fn open_by_hand(&self, amount: u64) -> Result<Value, String> {
        let wallet = self.testbed.wallet().id();
        self.lnd.ask(&["openchannel", &wallet, &amount.to_string()])
    }

    /// LND spends nothing that is not confirmed.
    fn confirm_change(&self) {
        let chain = std::env::var("BITCOIN_CLI").expect("BITCOIN_CLI is set");
        let mined = Command::new(chain)
            .args(["generatetodescriptor", "1", "raw(51)"])
            .output();
        assert!(mined.expect("bitcoin-cli runs").status.success());
        wait_until("the confirmed change", || {
            let balance = self.lnd.ask(&["walletbalance"]).expect("LND answers");
            balance["confirmed_balance"] != "0"
        });
    }

    fn refuses_a_used_secret(&self, used: &Offer) {
        let request = self.scan(used);
        assert_eq!(refusal(accept(&request)), USED);
        self.proofs.say(&format!("used k1: Refused, {USED:?}"));
    }

    fn opens_no_channel_too_small_for_lnd(&self) {
        let request = self.scan(&self.service.offer(TOO_LITTLE_SAT, 0));
        self.is_refused_as_failed(&request, TOO_LITTLE_SAT, "channel is too small");
    }

    /// LND opens a channel that no request waits for.
    fn hears_when_the_wallet_turns_a_channel_down(&self) {
        self.confirm_change();
        let words = self.open_by_hand(CAPACITY_SAT);
        let words = words.expect_err("the wallet takes no channel that nobody asked for");
        assert!(words.contains("received funding error"), "{words}");
        let verdicts = self.wallet.verdicts.all();
        let (_, verdict) = verdicts.last().expect("the wallet was told of it");
        assert!(
            matches!(verdict, ChannelVerdict::Duplicate { .. }),
            "{verdict:?}"
        );
        self.proofs.say(&format!(
            "unasked: the wallet turns it down as {verdict:?}, LND hears {words:?}"
        ));
    }
}
