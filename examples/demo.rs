//! A phone's wallet scans two LNURLs, and gets a channel from each. Everything is real, on this
//! machine: two LDK nodes that talk over TCP, and a service over HTTPS.
//!
//! ```text
//! cargo run --example demo                  # a funded channel (LUD-02) and a hosted one (LUD-07)
//! cargo run --example demo -- --lnurl TEXT  # decode any LNURL, fetch its offer, and print it
//! ```
//!
//! The wallet itself is in `tests/support/wallet.rs`: how it lends its node to the library, and how it
//! tells the library what the node shows.

#[path = "../tests/support/mod.rs"]
#[allow(dead_code, reason = "the tests use more of it than the demo")]
mod support;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use lnurl_channel::{
    ChannelClient, ChannelKind, ChannelListener, ChannelOffer, ChannelOutcome, ChannelRequest,
    ChannelRequestSnapshot, ChannelStep, ChannelVisibility, ClientConfig, IncomingChannel,
    LnurlChannelError, WalletNodeError, decode_lnurl,
};
use lnurl_channel_testbed::{Kind, NodeEvent, OfferOptions, Testbed};

use support::plain::PlainNode;
use support::wallet::Wallet;
use support::{Watched, block_on, config_for};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let shown = match arguments.as_slice() {
        [] => show_both_flows(),
        ["--lnurl", text] => show_offer(text),
        _ => {
            eprintln!("usage: demo [--lnurl TEXT]");
            return ExitCode::from(2);
        }
    };
    match shown {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("failed: {error}");
            ExitCode::FAILURE
        }
    }
}

fn show_both_flows() -> Result<(), LnurlChannelError> {
    let testbed = Testbed::start().expect("ports on this machine");
    // Your app creates one client at its start, and keeps it.
    let screen = Arc::<Screen>::default();
    let wallet = Wallet::new(testbed.wallet(), screen.clone(), config_for(&testbed))?;

    println!("# A channel that the peer funds\n");
    let request = block_on(scan(&wallet.client, &new_lnurl(&testbed, Kind::Channel)))?;
    let concerns = block_on(request.preflight(ChannelVisibility::Unannounced))?;
    println!("`preflight` finds in the way: {concerns:?}. The user agrees.");
    let outcome = block_on(request.accept(ChannelVisibility::Unannounced))?;
    println!("`accept` returns: {}", in_words(&outcome));
    println!("Six blocks come, while `await_ready` waits.");
    mine(&testbed);
    let channel = block_on(request.await_ready())?;
    println!("`await_ready` returns: {}", channel_in_words(&channel));
    screen
        .shown
        .wait_until(|steps| steps.contains(&ChannelStep::Ready));
    println!("\nIts receipt, for a support team:\n{}", request.receipt());

    println!("\n# A channel that the peer hosts\n");
    let request = block_on(scan(&wallet.client, &new_lnurl(&testbed, Kind::Hosted)))?;
    println!("The user agrees.");
    let outcome = block_on(request.accept(ChannelVisibility::Unannounced))?;
    println!("`accept` returns: {}", in_words(&outcome));

    block_on(wallet.client.shutdown());
    Ok(())
}

/// From the text in the QR code to an offer. The service learns nothing about the wallet.
async fn scan(
    client: &ChannelClient,
    scanned: &str,
) -> Result<Arc<ChannelRequest>, LnurlChannelError> {
    println!("Scanned {scanned}");
    let lnurl = decode_lnurl(scanned.to_owned())?;
    println!(
        "It is of {}. The user is asked whether to contact it.",
        lnurl.authority()
    );
    let request = client.fetch(lnurl).await?;
    print_offer(&request.snapshot().offer);
    Ok(request)
}

fn print_offer(offer: &ChannelOffer) {
    let who = offer.service.as_deref().unwrap_or("The LNURL itself");
    let what = match offer.kind {
        ChannelKind::Funded => "open a channel to you",
        ChannelKind::Hosted => "host a channel for you",
    };
    println!("{who} offers to {what}:");
    println!("  node  {}", offer.peer.node_id);
    println!("  at    {}, port {}", offer.peer.host, offer.peer.port);
    if let Some(alias) = &offer.alias {
        println!("  named {alias}");
    }
}

/// What the user sees while a request goes on.
#[derive(Default)]
struct Screen {
    shown: Watched<ChannelStep>,
}

impl ChannelListener for Screen {
    fn on_request_changed(
        &self,
        request: ChannelRequestSnapshot,
        step: ChannelStep,
    ) -> Result<(), WalletNodeError> {
        let channel = request.channel.as_ref().map(channel_in_words);
        let channel = channel.unwrap_or_default();
        let line = match step {
            ChannelStep::Connecting => "the node connects to the peer".to_owned(),
            ChannelStep::Requesting => "connected; the channel is requested".to_owned(),
            ChannelStep::Agreed => "the request was taken; the channel is awaited".to_owned(),
            ChannelStep::AnswerUnclear => "the answer is unclear; the channel may come".to_owned(),
            ChannelStep::Reconnecting => "the connection was lost; it is made anew".to_owned(),
            ChannelStep::Proposed => format!("the peer sends open_channel: {channel}"),
            ChannelStep::Mismatched => "the peer proposes what was not asked for".to_owned(),
            ChannelStep::OpeningFailed => "the channel failed; the next is awaited".to_owned(),
            ChannelStep::Arrived if request.channel.is_none() => "the host answers".to_owned(),
            ChannelStep::Arrived => format!("the channel is funded: {channel}"),
            ChannelStep::Progressed => format!("the channel is being confirmed: {channel}"),
            ChannelStep::Ready => format!("the channel can be used: {channel}"),
            ChannelStep::Changed => return Ok(()),
        };
        println!("  {:10} {line}", format!("{:?}", request.state));
        self.shown.push(step);
        Ok(())
    }
}

fn in_words(outcome: &ChannelOutcome) -> String {
    match outcome {
        ChannelOutcome::Funded { channel } => format!("funded, {}", channel_in_words(channel)),
        ChannelOutcome::HostedOffered { terms, .. } => format!(
            "the host offers a channel of {} msat, of which {} msat are yours",
            terms.capacity_msat, terms.initial_client_balance_msat
        ),
        ChannelOutcome::HostedExists { .. } => "the host has a channel with you already".into(),
    }
}

fn channel_in_words(channel: &IncomingChannel) -> String {
    let id = channel.channel_id.as_deref().unwrap_or("no id yet");
    let capacity = channel.capacity_sat.unwrap_or_default();
    let push = channel.push_msat.unwrap_or_default();
    format!("{id}, {capacity} sat, of which {push} msat are yours")
}

// ---- the other side ----

/// What a service prints as a QR code.
fn new_lnurl(testbed: &Testbed, kind: Kind) -> String {
    let options = OfferOptions {
        kind,
        push_msat: 5_000_000,
        ..OfferOptions::default()
    };
    testbed.service().offer(options).lnurl
}

/// Confirms the channel, once the peer has broadcast it.
fn mine(testbed: &Testbed) {
    let peer = testbed.target();
    let next_event = || peer.next_event(Duration::from_secs(10));
    while let Some(event) = next_event() {
        if matches!(event, NodeEvent::ChannelPending { .. }) {
            break;
        }
    }
    testbed.mine(6);
}

/// Any LNURL, up to its offer: without `accept`, the node is not used.
fn show_offer(text: &str) -> Result<(), LnurlChannelError> {
    let node = Arc::<PlainNode>::default();
    let client = ChannelClient::new(
        Box::new(node),
        Box::new(Arc::<Screen>::default()),
        ClientConfig::default(),
    )?;
    block_on(scan(&client, text))?;
    Ok(())
}
