//! What services, hosts, peers and nodes say in the tests.

use std::time::Duration;

use crate::protocol::{BitcoinNetwork, ChannelKind, Lnurl};
use crate::*;

pub const PEER: &str = "02864ef025fde8fb587d989186ce6a4a186895ee44a926bfc370e2c366597a3f8f";
pub const OTHER_PEER: &str = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798";
pub const OWN: &str = "0331f80652fb840239df8dc99205792bba2e559a05469915804c08420230e23c7c";

/// A whole second in 2027.
pub const START_MILLIS: u64 = 1_800_000_000_000;

pub const SECOND: Duration = Duration::from_secs(1);
pub const MINUTE: Duration = Duration::from_secs(60);
pub const DAY: Duration = Duration::from_secs(24 * 60 * 60);

pub const SETTINGS: Settings = Settings {
    network: BitcoinNetwork::Regtest,
    allow_private_hosts: false,
    proxy: Proxy::None,
    request_timeout: Duration::from_secs(30),
    connect_timeout: Duration::from_secs(30),
    channel_timeout: Duration::from_secs(180),
    reconnect: Duration::from_secs(15),
};

/// A service with its offer. Each has secrets of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Service {
    pub number: u64,
    pub kind: ChannelKind,
    pub peer_id: &'static str,
}

impl Service {
    /// From `PEER`.
    pub fn new(kind: ChannelKind, number: u64) -> Self {
        Self {
            number,
            kind,
            peer_id: PEER,
        }
    }

    pub fn lnurl(&self) -> Lnurl {
        let number = self.number;
        Lnurl::from_url(&format!(
            "https://service.example/c{number}?q=unsaid-{number}"
        ))
        .unwrap()
    }

    pub fn k1(&self) -> String {
        match self.kind {
            ChannelKind::Funded => format!("hush-{}-", self.number),
            ChannelKind::Hosted => format!("5ec7e7{:04x}", self.number),
        }
    }

    pub fn body(&self) -> String {
        let (k1, peer_id) = (self.k1(), self.peer_id);
        match self.kind {
            ChannelKind::Funded => format!(
                r#"{{"tag":"channelRequest","uri":"{peer_id}@node.example:9735","k1":"{k1}","callback":"https://api.example/cb?token=unsaid-cb"}}"#
            ),
            ChannelKind::Hosted => format!(
                r#"{{"tag":"hostedChannelRequest","uri":"{peer_id}@node.example:9735","k1":"{k1}","alias":"A host"}}"#
            ),
        }
    }
}

pub const OK: &str = r#"{"status":"OK"}"#;
/// It repeats a secret, as services do.
pub const REFUSAL: &str = r#"{"status":"ERROR","reason":"no room for hush-1-"}"#;
pub const UNCLEAR: &str = "<html>hush-1- token=unsaid-cb</html>";

pub fn reply(body: &str, url: &url::Url) -> Reply {
    Reply {
        status: 200,
        body: body.into(),
        url: url.clone(),
    }
}

/// Its reason repeats a secret, as whatever quotes a peer may.
pub fn node_failure(secret: &str) -> NodeFailure {
    NodeFailure {
        problem: NodeProblem::NotConnected,
        reason: format!("no route for {secret}"),
    }
}

pub fn http_failure(was_sent: bool, may_retry: bool) -> HttpFailure {
    let problem = NetworkProblem::NoConnection;
    let reason = "no route".into();
    HttpFailure {
        error: LnurlChannelError::Unreachable { problem, reason },
        was_sent,
        may_retry,
    }
}

pub fn channel(stage: ChannelStage, id: &str) -> IncomingChannel {
    IncomingChannel {
        peer_id: PEER.into(),
        stage,
        channel_id: Some(id.into()),
        former_channel_id: None,
        capacity_sat: Some(100_000),
        push_msat: None,
        is_announced: None,
        is_zero_conf: None,
        confirmations: None,
        confirmations_required: None,
    }
}

pub fn proposed(id: &str) -> IncomingChannel {
    channel(ChannelStage::Proposed, id)
}

pub fn funded(id: &str) -> IncomingChannel {
    channel(ChannelStage::Funded, id)
}

pub fn ready(id: &str) -> IncomingChannel {
    channel(ChannelStage::Ready, id)
}

pub fn announced(channel: IncomingChannel) -> IncomingChannel {
    IncomingChannel {
        is_announced: Some(true),
        ..channel
    }
}

pub fn unannounced(channel: IncomingChannel) -> IncomingChannel {
    IncomingChannel {
        is_announced: Some(false),
        ..channel
    }
}

/// With the temporary id that it had.
pub fn formerly(former: &str, channel: IncomingChannel) -> IncomingChannel {
    IncomingChannel {
        former_channel_id: Some(former.into()),
        ..channel
    }
}

pub fn from_peer(peer_id: &str, channel: IncomingChannel) -> IncomingChannel {
    IncomingChannel {
        peer_id: peer_id.into(),
        ..channel
    }
}
