//! What services, hosts, nodes and peers say and do.

use lnurl_channel_core::protocol::{ChannelKind, Lnurl};
use lnurl_channel_core::{
    ChannelStage, HttpFailure, IncomingChannel, LnurlChannelError, NetworkProblem, NodeFacts,
    NodeFailure, NodeProblem, NodeReadiness, Reply, Task,
};
use url::Url;

use crate::hidden::Hidden;
use crate::samples::{OTHER_PEER, OWN, PEER, refund_script};

const K1: &str = "hush-k1";
/// The start of each host's.
const HOSTED_K1: &str = "5ec7e75ec7e7";
/// In the query of every LNURL.
pub const IN_LNURL: &str = "q=unsaid-1";
/// Parts of what is secret, which may stand in no text.
pub const SECRETS: [&str; 3] = ["hush", "5ec7e7", "unsaid"];

/// Number of the first offer that stands in an LNURL itself.
pub const FIRST_IN_QUERY: u8 = 240;

pub fn peer(how: u8) -> &'static str {
    [PEER, OTHER_PEER][usize::from(how & 1)]
}

pub fn is_in_query(how: u8) -> bool {
    how & 32 == 32
}

/// The number of the offer that stands in `lnurl(how)` itself.
pub fn offer_in_query(how: u8) -> u8 {
    FIRST_IN_QUERY + (how >> 6) * 2 + (how & 1)
}

pub fn lnurl(how: u8) -> Lnurl {
    let number = how >> 6;
    let url = match is_in_query(how) {
        false => format!("https://example.com/c?{IN_LNURL}&n={number}"),
        true => format!(
            "https://example.com/?{IN_LNURL}&tag=hostedChannelRequest&uri={}@node.example.com&k1={}",
            peer(how),
            hosted_k1(offer_in_query(how))
        ),
    };
    Lnurl::from_url(&url).expect("an LNURL")
}

fn callback(offer: u8) -> String {
    format!("https://api.example.com/cb/{offer}?token=unsaid-2")
}

/// Hex, of which the last byte is the offer's number.
fn hosted_k1(offer: u8) -> String {
    format!("{HOSTED_K1}{offer:02x}")
}

/// The number of the offer for which a task sends something.
pub fn offer_of(task: &Task) -> Option<u8> {
    match task {
        Task::Callback { url, .. } | Task::CancelNotice(url) => {
            let number = url.expose().strip_prefix("https://api.example.com/cb/");
            let number = number.and_then(|rest| rest.split('?').next()?.parse().ok());
            Some(number.expect("the callback of an offer"))
        }
        Task::Invoke { payload, .. } => payload.expose().last().copied(),
        _ => None,
    }
}

// ---- words that say the secrets aloud ----

/// Of whatever goes wrong before it is known what it is about.
pub fn echo_of_lnurl() -> String {
    format!("it broke on {IN_LNURL}")
}

pub fn echo(kind: ChannelKind, offer: u8) -> String {
    let rest = echo_of_lnurl();
    match kind {
        ChannelKind::Funded => format!("{rest}, {K1} and {}", callback(offer)),
        ChannelKind::Hosted => format!("{rest} and {}", hosted_k1(offer)),
    }
}

/// What is secret of any request here, in the forms in which it may be said.
pub fn hidden() -> Hidden {
    let lnurl = format!("https://example.com/c?{IN_LNURL}");
    Hidden::new(&[&lnurl, &callback(0)], &[K1, HOSTED_K1])
}

// ---- answers ----

pub fn answer_with_offer(how: u8, offer: u8) -> Vec<u8> {
    let uri = format!("{}@node.example.com", peer(how));
    let body = match how & 6 {
        6 => {
            let (k1, alias) = (hosted_k1(offer), echo(ChannelKind::Hosted, offer));
            let own = format!(r#""k1":"{k1}","alias":"{alias}""#);
            format!(r#"{{"tag":"hostedChannelRequest","uri":"{uri}",{own}}}"#)
        }
        _ => {
            let own = format!(r#""k1":"{K1}","callback":"{}""#, callback(offer));
            format!(r#"{{"tag":"channelRequest","uri":"{uri}",{own}}}"#)
        }
    };
    body.into_bytes()
}

/// With an offer that has this number, if it has one.
pub fn answer_to_get(way: u8, offer: u8) -> Result<Reply, HttpFailure> {
    let body = match way & 7 {
        0..=4 => answer_with_offer(way, offer),
        5 => {
            let reason = echo(ChannelKind::Funded, offer);
            let known = format!(r#""k1":"{K1}","callback":"{}""#, callback(offer));
            format!(r#"{{"status":"ERROR","reason":"{reason}",{known}}}"#).into_bytes()
        }
        6 => format!("<html>{}", echo_of_lnurl()).into_bytes(),
        _ => return Err(unreachable(NetworkProblem::NoConnection, false, true)),
    };
    let host = match way & 8 {
        0 => "example.com",
        _ => "www.example.com",
    };
    let url = Url::parse(&format!("https://{host}/c?q=unsaid-4"));
    Ok(Reply {
        status: 200,
        body,
        url: url.expect("a URL"),
    })
}

pub fn answer_to_callback(way: u8, offer: u8) -> Result<Reply, HttpFailure> {
    let echo = echo(ChannelKind::Funded, offer);
    let body = match way & 7 {
        0..=2 => r#"{"status":"OK"}"#.to_owned(),
        3 => format!(r#"{{"status":"ERROR","reason":"{echo}"}}"#),
        4 => format!(r#"{{"detail":"{echo}"}}"#),
        5 => String::new(),
        _ => return Err(unreachable(NetworkProblem::ConnectionLost, true, false)),
    };
    let url = Url::parse(&callback(offer)).expect("a URL");
    Ok(Reply {
        status: 200,
        body: body.into_bytes(),
        url,
    })
}

pub fn unreachable(problem: NetworkProblem, was_sent: bool, may_retry: bool) -> HttpFailure {
    let reason = "no route".to_owned();
    HttpFailure {
        error: LnurlChannelError::Unreachable { problem, reason },
        was_sent,
        may_retry,
    }
}

// ---- the node ----

pub fn node_facts(
    way: u8,
    asks_readiness: bool,
    asks_script: bool,
    echo: String,
) -> Result<NodeFacts, NodeFailure> {
    let facts = |node_id: &str, script: Vec<u8>, channels: usize| NodeFacts {
        node_id: node_id.into(),
        readiness: asks_readiness.then(|| NodeReadiness {
            channel_ids: (0..channels).map(|at| format!("F{at}")).collect(),
            ..readiness(way)
        }),
        refund_script: asks_script.then_some(script),
    };
    match way & 15 {
        0..=8 => Ok(facts(&OWN.to_ascii_uppercase(), refund_script(), 0)),
        9 => Ok(facts(OWN, refund_script(), 2)),
        10 => Ok(facts(OWN, refund_script(), 300)),
        11 => Ok(facts(PEER, refund_script(), 0)),
        12 => Ok(facts("not a key", refund_script(), 0)),
        13 => Ok(facts(OWN, vec![0x51], 0)),
        _ => Err(NodeFailure {
            problem: NodeProblem::Failed,
            reason: echo,
        }),
    }
}

/// It tells nothing, or can do nothing.
fn readiness(way: u8) -> NodeReadiness {
    if way & 16 == 0 {
        return NodeReadiness::default();
    }
    let count = u32::from(way & 3);
    NodeReadiness {
        onchain_sat: Some(1),
        anchor_reserve_sat: Some(10_000),
        accepts_announced: Some(way & 1 == 0),
        accepts_unannounced: Some(way & 1 == 1),
        accepts_zero_conf: Some(false),
        pending_channels: Some(count),
        max_pending_channels: Some(2),
        reaches_onion: Some(false),
        has_custom_messages: Some(way & 2 == 2),
        ..NodeReadiness::default()
    }
}

pub fn connected(way: u8, echo: String) -> Result<(), NodeFailure> {
    match way & 3 {
        0..=2 => Ok(()),
        _ => Err(NodeFailure {
            problem: NodeProblem::NotConnected,
            reason: echo,
        }),
    }
}

pub fn invoked(way: u8, offer: u8) -> Result<(), NodeFailure> {
    let problem = match way & 3 {
        0 | 1 => return Ok(()),
        2 => NodeProblem::TimedOut,
        _ => NodeProblem::Unsupported,
    };
    let reason = echo(ChannelKind::Hosted, offer);
    Err(NodeFailure { problem, reason })
}

/// Of every second channel, the node tells the temporary id. Some reports no node should make.
pub fn channel(stage: ChannelStage, how: u8) -> IncomingChannel {
    let number = how >> 1 & 3;
    let temporary = format!("a{number}");
    let is_proposal = stage == ChannelStage::Proposed;
    let channel_id = match (is_proposal, how >> 5) {
        (_, 7) => Some(String::new()),
        (_, 6) => Some("F".repeat(129)),
        (true, 5) => None,
        (true, _) => Some(temporary.clone()),
        (false, _) => Some(format!("F{number}")),
    };
    IncomingChannel {
        // Reports come in any case.
        peer_id: peer(how).to_ascii_uppercase(),
        stage,
        channel_id,
        former_channel_id: (!is_proposal && number < 2).then_some(temporary),
        capacity_sat: (how & 32 == 0).then_some(100_000),
        push_msat: None,
        is_announced: [None, Some(false), Some(true), Some(false)][usize::from(how >> 3 & 3)],
        is_zero_conf: (how & 64 == 64).then_some(true),
        confirmations: (stage == ChannelStage::Ready).then_some(3),
        confirmations_required: None,
    }
}

// ---- the host ----

pub fn host_message(how: u8, echo: &str) -> (u16, Vec<u8>) {
    let terms = [
        &[0, 0, 0, 0, 0, 0, 9, 9, 0, 0, 0, 0, 0, 0, 0, 1, 0, 30][..],
        &[0, 0, 0, 0, 0, 0, 9, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    ];
    match how >> 1 & 7 {
        0 => (65533, terms.concat()),
        1 => (65531, vec![0; 197]),
        2 => (65531, vec![0; 3]),
        3 => (65533, vec![1, 2, 3]),
        4 => (1, terms.concat()),
        _ => (63497, error_payload(how >> 4, echo)),
    }
}

/// The secrets stand about where the words are cut.
fn error_payload(way: u8, echo: &str) -> Vec<u8> {
    let text = "x".repeat(440 + 4 * usize::from(way)) + echo;
    let length = u16::try_from(text.len()).expect("a short text");
    [&[0; 32][..], &length.to_be_bytes(), text.as_bytes()].concat()
}
