//! Row 1: the npm package `lnurl` as the service, two LDK nodes.
//!
//! `row-1 CERT KEY`: the certificate that the service shows, and its key.

use std::path::Path;
use std::sync::Arc;

use lnurl_channel::{
    ChannelOutcome, ChannelRequest, ChannelRequestState, ChannelStage, ChannelVerdict,
    ChannelVisibility, ClientConfig, IncomingChannel, LnurlChannelError, encode_lnurl,
};
use lnurl_channel_interop::support::scene::{
    CallResult, fetch, opening, patient_config, start, start_accept, wait_until,
};
use lnurl_channel_interop::support::{Sight, Wallet, block_on};
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
    row.hears_nothing_of_a_decline();
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
        let wallet = Wallet::new(&testbed, config).expect("the configuration is good");
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
        assert_eq!(request.offer().peer.node_id, self.testbed.target().id());
        request
    }

    fn accept(&self, request: &ChannelRequest, visibility: ChannelVisibility) -> CallResult {
        block_on(request.accept(visibility))
    }

    /// Accepts, and sees that the channel is the one that was offered.
    fn opens(&self, offer: &Offer, request: &ChannelRequest, visibility: ChannelVisibility) {
        let announced = visibility == ChannelVisibility::Announced;
        let before = self.front.funded().len();
        let channel = opening(self.accept(request, visibility));
        let expected = IncomingChannel {
            peer_id: self.testbed.target().id(),
            channel_id: channel.channel_id.clone(),
            stage: ChannelStage::Proposed,
            former_channel_id: None,
            capacity_sat: Some(CAPACITY_SAT),
            push_msat: Some(PUSH_SAT * 1000),
            is_announced: Some(announced),
        };
        assert_eq!(channel, expected);
        assert_eq!(request.state(), ChannelRequestState::Arrived);
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

    fn opens_unannounced(&self) -> Offer {
        let offer = self.offer();
        let request = self.scan(&offer);
        self.front.react(Reaction::OpenAndHold);
        self.opens(&offer, &request, ChannelVisibility::Unannounced);
        assert_eq!(self.service.successes(), 0, "the service keeps its answer");
        self.front.react(Reaction::Open);
        wait_until("the service's answer", || self.service.successes() == 1);
        self.proofs.say(
            "private=1: an unannounced channel of the service's amounts; accept ended at \
             open_channel, the service answered only after the funding",
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
        let result = self.accept(&request, ChannelVisibility::Unannounced);
        assert_eq!(refusal(result), USED);
        assert_eq!(request.state(), ChannelRequestState::Refused);
        assert_eq!(self.front.asked().len(), asked);
        // A wallet that has shown it lets go of it, so that no later channel is taken for it.
        request.decline().expect("a refused request can be let go");
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
        let reason = UNKNOWN.to_owned();
        assert_eq!(fetched, Err(LnurlChannelError::Refused { reason }));

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
        let result = self.accept(&request, ChannelVisibility::Unannounced);
        assert_eq!(refusal(result), FAILED);
        self.front.react(Reaction::Open);
        self.opens(&offer, &request, ChannelVisibility::Unannounced);
        self.proofs.say(&format!(
            "failed opening: HTTP 500 is Refused, {FAILED:?}; accepted once more, it opens"
        ));
    }

    fn hears_nothing_of_a_decline(&self) {
        let asked = self.front.asked().len();
        let callbacks = self.service.callbacks().len();
        let offer = self.offer();
        let request = self.scan(&offer);
        request.decline().expect("an offer can be declined");
        assert_eq!(request.state(), ChannelRequestState::Declined);
        // The offer is still good, and what opens it is the first callback that the service sees.
        let anew = self.scan(&offer);
        self.opens(&offer, &anew, ChannelVisibility::Unannounced);
        assert_eq!(self.service.callbacks().len(), callbacks + 1);
        assert_eq!(self.front.asked().len(), asked + 1);
        self.proofs
            .say("decline: the service hears nothing, opens nothing, and its k1 stays good");
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
        let verdict = ChannelVerdict::Unwanted { request_id };
        let judged = |sight: &Sight| matches!(sight, Sight::Judged(_, made) if *made == verdict);
        let sights = self.wallet.node.sights();
        assert!(
            sights.iter().any(|(_, _, sight)| judged(sight)),
            "{sights:?}"
        );
        assert_eq!(self.front.asked().len(), asked + 1);
        assert_eq!(self.front.funded().len(), funded);
        self.proofs.say(&format!(
            "cancel while the service opens: it answers 400 {USED:?} and proposes all the same; \
             the wallet turns that down as Unwanted"
        ));
    }

    fn takes_no_cancel_for_an_accept(&self) {
        let offer = self.offer();
        let request = self.scan(&offer);
        self.front.react(Reaction::Fail);
        let result = self.accept(&request, ChannelVisibility::Unannounced);
        assert_eq!(refusal(result), FAILED);
        self.front.react(Reaction::Open);
        let asked = self.front.asked().len();
        self.cancel(&offer, &request);
        assert_eq!(self.service.failures().last().unwrap(), NO_VISIBILITY);
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
        assert_eq!(request.state(), ChannelRequestState::Cancelled);
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
