//! Both flows on real Lightning nodes, in one process:
//!
//! ```text
//! cargo run --example demo                  # a channelRequest and a hostedChannelRequest, to the end
//! cargo run --example demo -- --lnurl TEXT  # decode and fetch any LNURL, and print its offer
//! ```

#[path = "../tests/support/mod.rs"]
#[allow(dead_code, reason = "the tests use more of it than the demo")]
mod support;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use lnurl_channel::{
    ChannelClient, ChannelEvent, ChannelKind, ChannelOffer, ChannelOutcome, ChannelRequest,
    ChannelVerdict, ChannelVisibility, ClientConfig, LnurlChannelError, decode_lnurl,
};
use lnurl_channel_testbed::{Kind, OfferOptions, Testbed};

use support::{Sight, Wallet, block_on, config_for};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        [] => exit(show_both_flows()),
        ["--lnurl", text] => exit(block_on(show_offer(text))),
        _ => {
            eprintln!("usage: demo [--lnurl TEXT]");
            ExitCode::from(2)
        }
    }
}

fn exit(result: Result<(), String>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("failed: {problem}");
            ExitCode::FAILURE
        }
    }
}

/// One line a step, with the time since the start.
struct Steps(Instant);

impl Steps {
    fn say(&self, text: impl AsRef<str>) {
        self.say_at(Instant::now(), text);
    }

    fn say_at(&self, at: Instant, text: impl AsRef<str>) {
        let millis = at.saturating_duration_since(self.0).as_secs_f64() * 1000.0;
        println!("{millis:8.1} ms  {}", text.as_ref());
    }
}

fn show_both_flows() -> Result<(), String> {
    let steps = Steps(Instant::now());
    let testbed = Testbed::start().map_err(|error| format!("the testbed: {error}"))?;
    let wallet = Wallet::new(&testbed, config_for(&testbed)).map_err(|error| error.describe())?;
    steps.say(format!("wallet node {}", testbed.wallet().id()));
    steps.say(format!("target node {}", testbed.target().uri()));

    let funded = block_on(follow(&steps, &testbed, &wallet, Kind::Channel))?;
    let hosted = block_on(follow(&steps, &testbed, &wallet, Kind::Hosted))?;
    let invocations = testbed
        .service()
        .wait_for_invocations(Duration::from_secs(1), 1);
    let invoked = invocations.and_then(|invocations| invocations.into_iter().next());
    let invoked = invoked.ok_or("the host has received no invoke_hosted_channel")?;
    block_on(wallet.client.shutdown());
    steps.say("done");

    println!();
    println!("summary");
    println!("  channelRequest        {}", summary(&funded));
    println!(
        "  hostedChannelRequest  the host received invoke_hosted_channel, {} bytes, from {}",
        invoked.payload.len(),
        invoked.peer_id
    );
    println!("                        {}", summary(&hosted));
    Ok(())
}

/// One flow, from the text in the QR code to what arrives.
async fn follow(
    steps: &Steps,
    testbed: &Testbed,
    wallet: &Wallet,
    kind: Kind,
) -> Result<ChannelOutcome, String> {
    let options = OfferOptions {
        kind,
        push_msat: 5_000_000,
        ..OfferOptions::default()
    };
    let scanned = testbed.service().offer(options).lnurl;
    println!();
    steps.say(format!("scanned {scanned}"));
    let request = fetch(steps, &wallet.client, &scanned)
        .await
        .map_err(|e| e.describe())?;
    print_offer(steps, &request.offer());
    steps.say("the user agrees");
    let accepted = request.accept(ChannelVisibility::Unannounced).await;
    print_sights(steps, wallet, &request);
    let outcome = accepted.map_err(|error| error.describe())?;
    steps.say(summary(&outcome));
    match (kind, &outcome) {
        (Kind::Channel, ChannelOutcome::Opening { .. })
        | (Kind::Hosted, ChannelOutcome::HostedOffered { .. }) => Ok(outcome),
        _ => Err("something else arrived than was asked for".into()),
    }
}

async fn fetch(
    steps: &Steps,
    client: &ChannelClient,
    scanned: &str,
) -> Result<Arc<ChannelRequest>, LnurlChannelError> {
    let lnurl = decode_lnurl(scanned.to_owned())?;
    steps.say(format!("decoded, of {}", lnurl.host()));
    client.fetch(lnurl).await
}

fn print_offer(steps: &Steps, offer: &ChannelOffer) {
    let kind = match offer.kind {
        ChannelKind::Funded => "open a channel to you",
        ChannelKind::Hosted => "host a channel for you",
    };
    steps.say(format!("{} offers to {kind}", offer.service));
    if let Some(host) = &offer.callback_host {
        steps.say(format!("  asked at  {host}"));
    }
    steps.say(format!("  node      {}", offer.peer.node_id));
    steps.say(format!("  address   {}", offer.peer.socket_address()));
    if let Some(alias) = &offer.alias {
        steps.say(format!("  alias     {alias}"));
    }
}

fn print_sights(steps: &Steps, wallet: &Wallet, request: &ChannelRequest) {
    let sights = wallet.node.sights();
    for (at, _, sight) in sights
        .iter()
        .filter(|(_, id, _)| *id == request.request_id())
    {
        match sight {
            Sight::Event(event) => steps.say_at(*at, name_of(event)),
            Sight::Judged(channel, verdict) => steps.say_at(
                *at,
                format!(
                    "the node reports a {:?} channel: {}",
                    channel.stage,
                    name_of_verdict(verdict)
                ),
            ),
        }
    }
}

fn name_of(event: &ChannelEvent) -> String {
    match event {
        ChannelEvent::Connecting { peer } => format!("connecting to {}", peer.socket_address()),
        ChannelEvent::Requesting { .. } => "connected; asking for the channel".into(),
        ChannelEvent::AwaitingChannel { .. } => "asked; awaiting the channel".into(),
        ChannelEvent::Reconnecting { attempt, .. } => format!("reconnecting, attempt {attempt}"),
        ChannelEvent::Arrived { .. } => "arrived".into(),
    }
}

fn name_of_verdict(verdict: &ChannelVerdict) -> &'static str {
    match verdict {
        ChannelVerdict::Expected { .. } => "expected",
        ChannelVerdict::Duplicate { .. } => "a duplicate",
        ChannelVerdict::WrongVisibility { .. } => "of the wrong visibility",
        ChannelVerdict::Unwanted { .. } => "unwanted",
        ChannelVerdict::Unrequested => "unrequested",
    }
}

fn summary(outcome: &ChannelOutcome) -> String {
    match outcome {
        ChannelOutcome::Opening { channel } => format!(
            "open_channel from {}: {} sat, {} msat pushed, {}",
            channel.peer_id,
            channel
                .capacity_sat
                .map_or("?".into(), |sat| sat.to_string()),
            channel
                .push_msat
                .map_or("?".into(), |msat| msat.to_string()),
            match channel.is_announced {
                Some(true) => "announced",
                Some(false) => "unannounced",
                None => "visibility unknown",
            }
        ),
        ChannelOutcome::HostedOffered { terms, .. } => format!(
            "init_hosted_channel: capacity {} msat, of which yours {} msat",
            terms.capacity_msat, terms.initial_client_balance_msat
        ),
        ChannelOutcome::HostedExists { .. } => "the host holds a channel with you already".into(),
    }
}

/// Any LNURL, up to its offer. The service learns nothing about a wallet, and nothing is accepted.
async fn show_offer(text: &str) -> Result<(), String> {
    let steps = Steps(Instant::now());
    let client = ChannelClient::new(Arc::new(NoNode), ClientConfig::default());
    let client = client.map_err(|error| error.describe())?;
    let request = fetch(&steps, &client, text)
        .await
        .map_err(|error| error.describe())?;
    print_offer(&steps, &request.offer());
    Ok(())
}

/// Stands where the wallet's node would: without `accept` it is not called.
struct NoNode;

impl lnurl_channel::WalletNode for NoNode {
    fn node_id(&self) -> Result<String, lnurl_channel::WalletNodeError> {
        unsupported()
    }

    fn connect(
        &self,
        _peer: lnurl_channel::PeerAddress,
    ) -> Result<bool, lnurl_channel::WalletNodeError> {
        unsupported()
    }

    fn send_peer_message(
        &self,
        _peer_id: String,
        _message_type: u16,
        _payload: Vec<u8>,
    ) -> Result<bool, lnurl_channel::WalletNodeError> {
        unsupported()
    }

    fn refund_script_pubkey(
        &self,
        _request_id: String,
    ) -> Result<Vec<u8>, lnurl_channel::WalletNodeError> {
        unsupported()
    }

    fn on_channel_event(
        &self,
        _request_id: String,
        _event: ChannelEvent,
    ) -> Result<(), lnurl_channel::WalletNodeError> {
        unsupported()
    }
}

fn unsupported<T>() -> Result<T, lnurl_channel::WalletNodeError> {
    Err(lnurl_channel::WalletNodeError::Unsupported {
        reason: "there is no node".into(),
    })
}
