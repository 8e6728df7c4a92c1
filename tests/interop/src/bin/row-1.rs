//! Row 1: the npm package `lnurl` as the service, two LDK nodes.
//!
//! `row-1 CERT KEY`: the certificate that the service shows, and its key.

use std::path::Path;
use std::sync::Arc;

use lnurl_channel::{
    ChannelOutcome, ChannelRequest, ChannelRequestState, ChannelStage, ChannelVerdict,
    ChannelVisibility, ClientConfig, IncomingChannel, LnurlChannelError, encode_lnurl,
};
use lnurl_channel_interop::support::block_on;
use lnurl_channel_interop::support::listener::Listener;
use lnurl_channel_interop::support::scene::{
    accept, fetch, funded_channel, patient_config, start, start_accept, state, wait_until,
};
use lnurl_channel_interop::support::wallet::Wallet;
use lnurl_channel_interop::{Asked, LndFront, NpmLnurl, Offer, Proofs, Reaction, refusal};
use lnurl_channel_testbed::Testbed;
use serde_json::json;

const CAPACITY_SAT: u64 = 100_000;
const PUSH_SAT: u64 = 1_500;
/// What the service answers, in its own words.
const USED: &str = "Maximum number of uses already reached";
const UNKNOWN: &str = "Invalid secret";
const NO_VISIBILITY: &str = "Missing required parameter: \"private\"";
const FAILED: &str = "Unexpected error";

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [cert, key] = arguments.as_slice() else {
        eprintln!("usage: row-1 CERT KEY");
        std::process::exit(2);
    };
    let row = Row::new(Path::new(cert), Path::new(key));
    let unannounced = row.opens_unannounced();
    row.opens_announced();
    row.refuses_a_used_secret(&unannounced);
    row.refuses_a_wrong_secret();
    row.fails_to_open_and_then_opens();
    row.hears_nothing_of_an_offer_that_is_turned_down();
    row.opens_nothing_after_a_cancel_midway();
    row.takes_no_cancel_for_an_accept();
    row.would_take_private_for_an_accept();
}

struct Row {
    service: NpmLnurl,
    front: LndFront,
    wallet: Wallet,
    testbed: Testbed,
    proofs: Proofs,
}

impl Row {
    fn new(cert: &Path, key: &Path) -> Self {
        let testbed = Testbed::start().expect("the nodes start");
        let front = LndFront::start(testbed.target());
        let service = NpmLnurl::start(&front.backend(), cert, key);
        let authority = std::fs::read_to_string(cert).expect("the certificate is there");
        let config = ClientConfig {
            extra_root_certificates: Some(authority),
            ..patient_config(&testbed)
        };
        let wallet = Wallet::new(testbed.wallet(), Arc::new(Listener::default()), config);
        let wallet = wallet.expect("the configuration is good");
        let proofs = Proofs::default();
        proofs.say(&format!(
            "lnurl {} runs on the target node",
            service.version()
        ));
        Self {
            service,
            front,
            wallet,
            testbed,
            proofs,
        }
    }

    fn offer(&self) -> Offer {
        self.service.offer(CAPACITY_SAT, PUSH_SAT)
    }

    fn scan(&self, offer: &Offer) -> Arc<ChannelRequest> {
        let request = fetch(&self.wallet.client, &offer.lnurl).expect("the service offers");
        let peer = request.snapshot().offer.peer;
        assert_eq!(peer.node_id, self.testbed.target().id());
        request
    }

    /// Accepts, and sees that the channel is the one that was offered.
    fn opens(&self, offer: &Offer, request: &ChannelRequest, visibility: ChannelVisibility) {
        let announced = visibility == ChannelVisibility::Announced;
        let before = self.front.funded().len();
        let channel = funded_channel(block_on(request.accept(visibility)));
        let expected = IncomingChannel {
            peer_id: self.testbed.target().id(),
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
        self.was_proposed(&channel, request);
        let asked = Asked {
            peer_id: self.testbed.wallet().id(),
            capacity_sat: CAPACITY_SAT,
            push_sat: PUSH_SAT,
            private: !announced,
        };
        assert_eq!(self.front.asked().last(), Some(&asked));
        let private = if announced { "0" } else { "1" };
        let wallet = self.testbed.wallet().id();
        let sent = json!({"k1": offer.k1, "remoteid": wallet, "private": private});
        wait_until("the callback", || {
            self.service.callbacks().last() == Some(&sent)
        });
        self.front.wait_for_funded(before + 1);
        // A node takes only so many channels of one peer that are not confirmed.
        self.testbed.mine(6);
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

    fn opens_unannounced(&self) -> Offer {
        let offer = self.offer();
        let request = self.scan(&offer);
        self.front.react(Reaction::OpenAndHold);
        self.opens(&offer, &request, ChannelVisibility::Unannounced);
        assert_eq!(self.service.successes(), 0, "the service keeps its answer");
        self.front.react(Reaction::Open);
        wait_until("the service's answer", || self.service.successes() == 1);
        let callbacks = self.service.callbacks().len();
        assert!(matches!(
            accept(&request),
            Ok(ChannelOutcome::Funded { .. })
        ));
        assert_eq!(self.service.callbacks().len(), callbacks);
        self.proofs.say(
            "private=1: an unannounced channel of the service's amounts; accept ended once it was \
             funded, before the service answered, and accepted again asks nobody",
        );
        offer
    }

    fn opens_announced(&self) {
        let offer = self.offer();
        let request = self.scan(&offer);
        self.opens(&offer, &request, ChannelVisibility::Announced);
        wait_until("the service's answer", || self.service.successes() == 2);
        self.proofs.say("private=0: an announced channel");
    }

    fn refuses_a_used_secret(&self, used: &Offer) {
        let asked = self.front.asked().len();
        let request = self.scan(used);
        assert_eq!(refusal(accept(&request)), USED);
        assert_eq!(state(&request), ChannelRequestState::Refused);
        assert_eq!(self.front.asked().len(), asked);
        block_on(request.dismiss()).expect("the user has seen it");
        self.proofs.say(&format!(
            "used k1: the offer is still shown; accept is Refused, {USED:?}"
        ));
    }

    fn refuses_a_wrong_secret(&self) {
        let offer = self.offer();
        let wrong = "00".repeat(32);
        let url = offer.url.replace(&offer.k1, &wrong);
        let lnurl = encode_lnurl(url).expect("a URL");
        let fetched = fetch(&self.wallet.client, &lnurl).map(|request| request.request_id());
        let words = Some(UNKNOWN.to_owned());
        assert_eq!(fetched, Err(LnurlChannelError::Refused { words }));

        let asked = self.front.asked().len();
        let wallet = self.testbed.wallet().id();
        let query = format!("k1={wrong}&remoteid={wallet}&private=1");
        let refused = json!({"status": "ERROR", "reason": UNKNOWN});
        assert_eq!(self.service.call_by_hand(&query), (400, refused));
        assert_eq!(self.front.asked().len(), asked);
        self.proofs.say(&format!(
            "wrong k1: fetch is Refused, {UNKNOWN:?}; so is a callback by hand"
        ));
    }

    fn fails_to_open_and_then_opens(&self) {
        let offer = self.offer();
        let request = self.scan(&offer);
        self.front.react(Reaction::Fail);
        assert_eq!(refusal(accept(&request)), FAILED);
        self.front.react(Reaction::Open);
        let anew = self.scan(&offer);
        self.opens(&offer, &anew, ChannelVisibility::Unannounced);
        self.proofs.say(&format!(
            "failed opening: HTTP 500 is Refused, {FAILED:?}; scanned once more, it opens"
        ));
    }

    fn hears_nothing_of_an_offer_that_is_turned_down(&self) {
        let asked = self.front.asked().len();
        let callbacks = self.service.callbacks().len();
        let offer = self.offer();
        let request = self.scan(&offer);
        block_on(request.cancel()).expect("an offer can be turned down");
        assert_eq!(state(&request), ChannelRequestState::Cancelled);
        // The offer is still good, and what opens it is the first callback that the service sees.
        let anew = self.scan(&offer);
        self.opens(&offer, &anew, ChannelVisibility::Unannounced);
        assert_eq!(self.service.callbacks().len(), callbacks + 1);
        assert_eq!(self.front.asked().len(), asked + 1);
        self.proofs
            .say("turned down: the service hears nothing, opens nothing, and its k1 stays good");
    }

    fn opens_nothing_after_a_cancel_midway(&self) {
        let funded = self.front.funded().len();
        let asked = self.front.asked().len();
        let failures = self.service.failures().len();
        let offer = self.offer();
        let request = self.scan(&offer);
        self.front.react(Reaction::Hold);
        let call = start_accept(&request);
        self.front.wait_for_asked(asked + 1);
        self.cancel(&offer, &request);
        assert_eq!(
            call.end(),
            Err::<ChannelOutcome, _>(LnurlChannelError::Cancelled)
        );
        assert_eq!(self.service.failures()[failures], USED);

        self.front.react(Reaction::Open);
        wait_until("the failed opening", || {
            self.service.failures().len() == failures + 2
        });
        let request_id = request.request_id();
        let unwanted = ChannelVerdict::Unwanted { request_id };
        let verdicts = self.wallet.verdicts.all();
        assert!(
            verdicts.iter().any(|(_, made)| *made == unwanted),
            "{verdicts:?}"
        );
        assert_eq!(self.front.asked().len(), asked + 1);
        assert_eq!(self.front.funded().len(), funded);
        self.proofs.say(&format!(
            "cancel while the service opens: it answers 400 {USED:?} and proposes all the same; \
             the wallet turns that down as Unwanted"
        ));
    }

    /// What `cancel` sends, to a service that has not spent the `k1`. After a refusal nothing is sent.
    fn takes_no_cancel_for_an_accept(&self) {
        let offer = self.offer();
        let request = self.scan(&offer);
        self.front.react(Reaction::Fail);
        assert_eq!(refusal(accept(&request)), FAILED);
        self.front.react(Reaction::Open);
        let (asked, callbacks) = (self.front.asked().len(), self.service.callbacks().len());
        block_on(request.cancel()).expect("a refused request can be cancelled");
        assert_eq!(self.service.callbacks().len(), callbacks);

        let wallet = self.testbed.wallet().id();
        let query = format!("k1={}&remoteid={wallet}&cancel=1", offer.k1);
        let refused = json!({"status": "ERROR", "reason": NO_VISIBILITY});
        assert_eq!(self.service.call_by_hand(&query), (400, refused));
        assert_eq!(self.front.asked().len(), asked);

        let anew = self.scan(&offer);
        self.opens(&offer, &anew, ChannelVisibility::Unannounced);
        self.proofs.say(&format!(
            "cancel=1 without private: 400 {NO_VISIBILITY:?}; nothing is opened, the k1 stays good"
        ));
    }

    /// Ends with the service's answer to it.
    fn cancel(&self, offer: &Offer, request: &Arc<ChannelRequest>) {
        let failures = self.service.failures().len();
        let cancelled = request.clone();
        let call = start(async move { cancelled.cancel().await });
        assert_eq!(call.end(), Ok(()));
        assert_eq!(state(request), ChannelRequestState::Cancelled);
        let wallet = self.testbed.wallet().id();
        let sent = json!({"k1": offer.k1, "remoteid": wallet, "cancel": "1"});
        wait_until("the callback", || {
            self.service.callbacks().last() == Some(&sent)
        });
        wait_until("the answer to the cancel", || {
            self.service.failures().len() > failures
        });
    }

    fn would_take_private_for_an_accept(&self) {
        let asked = self.front.asked().len();
        let offer = self.offer();
        let wallet = self.testbed.wallet().id();
        let query = format!("k1={}&remoteid={wallet}&private=1&cancel=1", offer.k1);
        let _ = self.service.call_by_hand(&query);
        assert_eq!(self.front.asked().len(), asked + 1);
        self.proofs.say(
            "cancel=1 with private, which the library never sends: the service opens a channel",
        );
    }
}
