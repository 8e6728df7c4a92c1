//! What would stand in the way of a channel, by what the wallet's node tells of itself.

use crate::protocol::{ChannelKind, ChannelOffer, ChannelVisibility};
use crate::snapshot::ChannelConcern;

/// What the wallet's node can do for a channel from one peer. Leave out what it cannot tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodeReadiness {
    /// Ids of all channels that the node has with this peer, pending ones too, as it reports them,
    /// so that none of them is taken for the new one.
    pub channel_ids: Vec<String>,
    /// Spendable on chain, less what the node keeps for the channels that it has.
    pub onchain_sat: Option<u64>,
    /// What the node keeps on chain for one more channel with anchors from this peer; 0 if nothing.
    pub anchor_reserve_sat: Option<u64>,
    /// Whether it takes announced channels from this peer.
    pub accepts_announced: Option<bool>,
    /// Whether it takes unannounced channels from this peer.
    pub accepts_unannounced: Option<bool>,
    /// Whether it takes channels from this peer that can be used before they are confirmed.
    pub accepts_zero_conf: Option<bool>,
    /// Channels of this peer that are pending.
    pub pending_channels: Option<u32>,
    /// How many pending channels of this peer it takes at a time.
    pub max_pending_channels: Option<u32>,
    /// Whether it connects to onion addresses.
    pub reaches_onion: Option<bool>,
    /// Whether it sends and receives custom messages, which hosted channels need.
    pub has_custom_messages: Option<bool>,
}

impl NodeReadiness {
    /// What would stand in the way of accepting `offer`. What the node does not tell does not.
    pub fn concerns(
        &self,
        offer: &ChannelOffer,
        visibility: ChannelVisibility,
    ) -> Vec<ChannelConcern> {
        let onion = offer.peer.is_onion() && self.reaches_onion == Some(false);
        let onion = onion.then_some(ChannelConcern::OnionUnreachable);
        let of_kind = match offer.kind {
            ChannelKind::Hosted => {
                let unsupported = self.has_custom_messages == Some(false);
                [
                    unsupported.then_some(ChannelConcern::HostedUnsupported),
                    None,
                    None,
                ]
            }
            ChannelKind::Funded => [
                self.missing_reserve(),
                self.refused_visibility(visibility),
                self.too_many_pending(),
            ],
        };
        onion
            .into_iter()
            .chain(of_kind.into_iter().flatten())
            .collect()
    }

    fn missing_reserve(&self) -> Option<ChannelConcern> {
        let missing_sat = self.anchor_reserve_sat?.saturating_sub(self.onchain_sat?);
        (missing_sat > 0).then_some(ChannelConcern::AnchorReserve { missing_sat })
    }

    fn refused_visibility(&self, visibility: ChannelVisibility) -> Option<ChannelConcern> {
        let accepts = match visibility {
            ChannelVisibility::Announced => self.accepts_announced,
            ChannelVisibility::Unannounced => self.accepts_unannounced,
        };
        (accepts == Some(false)).then_some(ChannelConcern::VisibilityRefused { visibility })
    }

    fn too_many_pending(&self) -> Option<ChannelConcern> {
        let pending = self.pending_channels?;
        let is_full = pending >= self.max_pending_channels?;
        is_full.then_some(ChannelConcern::TooManyPending { pending })
    }
}

#[cfg(test)]
mod tests {
    use ChannelConcern::{
        AnchorReserve, HostedUnsupported, OnionUnreachable, TooManyPending, VisibilityRefused,
    };
    use ChannelKind::{Funded, Hosted};
    use ChannelVisibility::{Announced, Unannounced};

    use super::*;
    use crate::protocol::PeerAddress;

    const ONION: &str = "juhanurmihxlp77nkq76byazcldy2hlmovfu2epvl5ankdibsot4csyd.onion";

    fn offer(kind: ChannelKind, host: &str) -> ChannelOffer {
        ChannelOffer {
            kind,
            peer: PeerAddress {
                node_id: String::new(),
                host: host.into(),
                port: 9735,
            },
            service: None,
            answered_by: None,
            callback_host: None,
            alias: None,
        }
    }

    /// A node that can do nothing, and has nothing.
    fn unable() -> NodeReadiness {
        NodeReadiness {
            channel_ids: Vec::new(),
            onchain_sat: Some(0),
            anchor_reserve_sat: Some(10_000),
            accepts_announced: Some(false),
            accepts_unannounced: Some(false),
            accepts_zero_conf: Some(false),
            pending_channels: Some(4),
            max_pending_channels: Some(4),
            reaches_onion: Some(false),
            has_custom_messages: Some(false),
        }
    }

    #[test]
    fn what_is_not_known_is_no_concern() {
        let nothing = NodeReadiness::default();
        for kind in [Funded, Hosted] {
            for visibility in [Announced, Unannounced] {
                assert_eq!(nothing.concerns(&offer(kind, ONION), visibility), []);
            }
        }
        // Each needs both of its facts.
        for half in [
            NodeReadiness {
                anchor_reserve_sat: Some(10_000),
                pending_channels: Some(4),
                ..NodeReadiness::default()
            },
            NodeReadiness {
                onchain_sat: Some(0),
                max_pending_channels: Some(0),
                ..NodeReadiness::default()
            },
        ] {
            assert_eq!(half.concerns(&offer(Funded, "a.example"), Unannounced), []);
        }
    }

    #[test]
    fn each_fact_that_stands_in_the_way_is_named() {
        let funded = |host, visibility| unable().concerns(&offer(Funded, host), visibility);
        let reserve = AnchorReserve {
            missing_sat: 10_000,
        };
        let pending = TooManyPending { pending: 4 };
        let refused = |visibility| VisibilityRefused { visibility };
        assert_eq!(
            funded("a.example", Unannounced),
            [reserve.clone(), refused(Unannounced), pending.clone()]
        );
        assert_eq!(
            funded(ONION, Announced),
            [OnionUnreachable, reserve, refused(Announced), pending]
        );
        let hosted = |host| unable().concerns(&offer(Hosted, host), Unannounced);
        assert_eq!(hosted("a.example"), [HostedUnsupported]);
        assert_eq!(hosted(ONION), [OnionUnreachable, HostedUnsupported]);
    }

    #[test]
    fn what_just_suffices_is_no_concern() {
        let able = NodeReadiness {
            onchain_sat: Some(10_000),
            accepts_announced: Some(true),
            max_pending_channels: Some(5),
            reaches_onion: Some(true),
            has_custom_messages: Some(true),
            ..unable()
        };
        for kind in [Funded, Hosted] {
            assert_eq!(able.concerns(&offer(kind, ONION), Announced), []);
        }
        let short = NodeReadiness {
            onchain_sat: Some(9_999),
            ..able
        };
        let missing = [AnchorReserve { missing_sat: 1 }];
        assert_eq!(short.concerns(&offer(Funded, ONION), Announced), missing);
    }
}
