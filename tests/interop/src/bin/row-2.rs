//! Row 2: a host on Core Lightning's `pyln-proto`, the wallet on an LDK node.
//!
//! `row-2 CERT KEY`: the certificate that the host's offers come with, and its key.

use std::path::Path;
use std::sync::Arc;

use lnurl_channel::{
    ChannelKind, ChannelOutcome, ChannelRequest, ChannelRequestState, ClientConfig,
    HostedChannelTerms, LnurlChannelError,
};
use lnurl_channel_interop::support::listener::Listener;
use lnurl_channel_interop::support::scene::{
    CallResult, accept, ask_again, fetch, hasty_config, patient_config, start_accept, state,
};
use lnurl_channel_interop::support::wallet::Wallet;
use lnurl_channel_interop::{Invocation, Proofs, PylnHost, refusal};
use lnurl_channel_testbed::Testbed;

const REGTEST: &str = "06226e46111a0b59caaf126043eb5bbf28c34f3a5e332a1fc7b2b73cf188910f";
/// The script that the wallet of the tests refunds to.
const SCRIPT: &str = "00141111111111111111111111111111111111111111";
/// bLIP-2's bit, and the one for older hosts.
const HOSTED_CHANNELS: [u64; 2] = [257, 32973];
/// What `host.py` offers, and how it refuses.
const TERMS: HostedChannelTerms = HostedChannelTerms {
    capacity_msat: 100_000_000,
    initial_client_balance_msat: 7_000,
    max_htlc_value_in_flight_msat: 90_000_000,
    htlc_minimum_msat: 1_000,
    max_accepted_htlcs: 12,
};
const REFUSAL: &str = "this secret is for somebody else";

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [cert, key] = arguments.as_slice() else {
        eprintln!("usage: row-2 CERT KEY");
        std::process::exit(2);
    };
    let (cert, key) = (Path::new(cert), Path::new(key));
    let proofs = Proofs::default();
    let testbed = Testbed::start().expect("the nodes start");
    let host = PylnHost::start(cert, key);
    proofs.say(&format!("pyln-proto {} listens", host.version()));

    let row = Row::new(&proofs, &testbed, &host, cert, patient_config(&testbed));
    row.is_invoked_byte_for_byte();
    row.offers_what_already_exists();
    row.refuses();
    row.is_not_invoked_anew_by_a_reconnect();
    drop(row);
    let row = Row::new(&proofs, &testbed, &host, cert, hasty_config(&testbed));
    row.is_silent();
}

struct Row<'a> {
    proofs: &'a Proofs,
    testbed: &'a Testbed,
    host: &'a PylnHost,
    wallet: Wallet,
}

impl<'a> Row<'a> {
    fn new(
        proofs: &'a Proofs,
        testbed: &'a Testbed,
        host: &'a PylnHost,
        cert: &Path,
        config: ClientConfig,
    ) -> Self {
        let authority = std::fs::read_to_string(cert).expect("the certificate is there");
        let config = ClientConfig {
            extra_root_certificates: Some(authority),
            ..config
        };
        let wallet = Wallet::new(testbed.wallet(), Arc::new(Listener::default()), config);
        let wallet = wallet.expect("the configuration is good");
        Self {
            proofs,
            testbed,
            host,
            wallet,
        }
    }

    fn scan(&self, lnurl: &str) -> Arc<ChannelRequest> {
        let request = fetch(&self.wallet.client, lnurl).expect("the host offers");
        let offer = request.snapshot().offer;
        assert_eq!(offer.kind, ChannelKind::Hosted);
        assert_eq!(offer.peer.node_id, self.host.node_id());
        request
    }

    /// What the host has to have decoded from an invocation with this secret.
    fn invocation(&self, k1: &str) -> Invocation {
        let message = format!("ffff{REGTEST}0016{SCRIPT}{:04x}{k1}", k1.len() / 2);
        Invocation {
            peer_id: self.testbed.wallet().id(),
            message: message.clone(),
            chain_is_regtest: true,
            refund_script_pubkey: SCRIPT.to_owned(),
            secret: k1.to_owned(),
            again: message,
        }
    }

    /// Asks for an offer that the host answers with its terms.
    fn is_offered(
        &self,
        request: &ChannelRequest,
        k1: &str,
        ask: impl Fn(&ChannelRequest) -> CallResult,
    ) {
        let (invoked, answered) = (self.host.invocations(), self.host.answers());
        let outcome = ask(request);
        assert_eq!(
            self.host.wait_for_invocation(invoked + 1),
            self.invocation(k1)
        );
        let (name, message) = self.host.wait_for_answer(answered + 1);
        assert_eq!(name, "init_hosted_channel");
        let terms = TERMS;
        assert_eq!(
            outcome,
            Ok(ChannelOutcome::HostedOffered { terms, message })
        );
        assert_eq!(state(request), ChannelRequestState::Arrived);
    }

    fn is_invoked_byte_for_byte(&self) {
        for k1 in ["5a".repeat(32), String::new()] {
            let request = self.scan(&self.host.offer(&k1, "offer"));
            let offer = request.snapshot().offer;
            let service = offer.service.expect("it was fetched");
            assert!(service.starts_with("localhost:"), "{service}");
            assert_eq!(offer.alias.as_deref(), Some("pyln-proto"));
            self.is_offered(&request, &k1, accept);
        }
        let longest = "c3".repeat(128);
        let request = self.scan(&self.host.inline_offer(&longest, "offer"));
        assert_eq!(request.snapshot().offer.service, None);
        self.is_offered(&request, &longest, accept);

        let features = self.host.wait_for_connection(1);
        assert!(HOSTED_CHANNELS.iter().all(|bit| features.contains(bit)));
        assert_eq!(self.host.connections(), 1);
        self.proofs.say(
            "65535 with secrets of 32, 0 and 128 bytes, fetched and in the LNURL itself: decoded \
             by pyln-proto field by field, and byte for byte the same when encoded anew",
        );
        self.proofs.say(
            "65533 as pyln-proto encodes it: HostedOffered, with the host's terms and its very bytes",
        );
    }

    fn offers_what_already_exists(&self) {
        let answered = self.host.answers();
        let request = self.scan(&self.host.offer(&"e0".repeat(32), "exists"));
        let outcome = accept(&request);
        let (name, message) = self.host.wait_for_answer(answered + 1);
        assert_eq!(name, "last_cross_signed_state");
        assert_eq!(outcome, Ok(ChannelOutcome::HostedExists { message }));
        self.proofs
            .say("65531: HostedExists, with the host's very bytes");
    }

    fn refuses(&self) {
        let request = self.scan(&self.host.offer(&"0f".repeat(32), "refuse"));
        assert_eq!(refusal(accept(&request)), REFUSAL);
        assert_eq!(state(&request), ChannelRequestState::Refused);
        self.proofs
            .say(&format!("63497: Refused, in the host's words: {REFUSAL:?}"));
    }

    fn is_not_invoked_anew_by_a_reconnect(&self) {
        let (invoked, connected) = (self.host.invocations(), self.host.connections());
        let k1 = "aa".repeat(32);
        let request = self.scan(&self.host.offer(&k1, "hang up"));
        let call = start_accept(&request);
        let invocation = self.invocation(&k1);
        assert_eq!(self.host.wait_for_invocation(invoked + 1), invocation);
        self.host.wait_for_connection(connected + 1);
        request.pause();
        assert_eq!(call.end(), Err(LnurlChannelError::Cancelled));

        // On one connection the order is kept: an invocation by itself would stand before this one.
        self.is_offered(&request, &k1, ask_again);
        assert_eq!(self.host.invocations(), invoked + 2);
        assert_eq!(self.host.connections(), connected + 1);
        self.proofs.say(
            "the host hangs up: connected anew by itself, invoked anew only by the user's ask_again",
        );
    }

    fn is_silent(&self) {
        let invoked = self.host.invocations();
        let request = self.scan(&self.host.offer(&"dd".repeat(32), "silence"));
        let result = accept(&request);
        let Err(LnurlChannelError::NoChannel {
            service_agreed,
            concerns,
            ..
        }) = result
        else {
            panic!("{result:?}");
        };
        assert!(service_agreed && concerns.is_empty(), "{concerns:?}");
        self.host.wait_for_invocation(invoked + 1);
        assert_eq!(self.host.invocations(), invoked + 1);
        assert_eq!(state(&request), ChannelRequestState::Awaiting);
        self.proofs
            .say("a host that stays silent: NoChannel when the time is over");
    }
}
