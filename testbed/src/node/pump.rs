//! The loop that takes LDK's events, acts on them, and shows them.

use super::chain::funding_transaction;
use super::event::NodeEvent;
use super::ldk::Lightning;
use super::opening::{Funding, OpeningState};
use bitcoin::secp256k1::PublicKey;
use bitcoin::{Amount, Transaction};
use lightning::events::{Event, EventsProvider, InboundChannelFunds};
use lightning::ln::types::ChannelId;
use std::cell::RefCell;
use std::sync::Arc;

pub(super) async fn run(node: Arc<Lightning>) {
    loop {
        for event in node.take_events() {
            node.act_on(&event);
            if let Some(event) = show(event) {
                node.events.emit(event);
            }
        }
        node.parts.peers.process_events();
        tokio::select! {
            () = node.parts.manager.get_event_or_persistence_needed_future() => {}
            () = node.parts.monitor.get_update_future() => {}
        }
    }
}

impl Lightning {
    /// LDK's events are collected first: what they ask for would call back into its locks.
    fn take_events(&self) -> Vec<Event> {
        let events = RefCell::new(Vec::new());
        let collect = |event| {
            events.borrow_mut().push(event);
            Ok(())
        };
        self.parts.manager.process_pending_events(&collect);
        self.parts.monitor.process_pending_events(&collect);
        events.into_inner()
    }

    /// Moves a channel on that this node opens.
    fn act_on(&self, event: &Event) {
        match event {
            Event::FundingGenerationReady {
                temporary_channel_id,
                counterparty_node_id,
                channel_value_satoshis,
                output_script,
                user_channel_id,
            } => {
                let value = Amount::from_sat(*channel_value_satoshis);
                let transaction = funding_transaction(value, output_script.clone());
                let (channel, peer) = (*temporary_channel_id, *counterparty_node_id);
                self.fund(*user_channel_id, channel, peer, transaction);
            }
            Event::ChannelPending {
                channel_id,
                user_channel_id,
                ..
            } => {
                let funded = OpeningState::Funded(channel_id.to_string());
                self.openings.advance(*user_channel_id, funded);
            }
            Event::ChannelClosed {
                user_channel_id,
                reason,
                ..
            } => {
                let failed = OpeningState::Failed(reason.to_string());
                self.openings.advance(*user_channel_id, failed);
            }
            _ => {}
        }
    }

    fn fund(&self, key: u128, channel: ChannelId, peer: PublicKey, transaction: Transaction) {
        self.openings.advance(key, OpeningState::Accepted);
        match self.openings.funding(key) {
            Some(Funding::Disconnect) => return self.parts.peers.disconnect_by_node_id(peer),
            Some(Funding::Never) => return,
            Some(Funding::Send) | None => {}
        }
        let manager = &self.parts.manager;
        if let Err(error) = manager.funding_transaction_generated(channel, peer, transaction) {
            let failed = OpeningState::Failed(format!("{error:?}"));
            self.openings.advance(key, failed);
        }
    }
}

fn show(event: Event) -> Option<NodeEvent> {
    Some(match event {
        Event::OpenChannelRequest {
            temporary_channel_id,
            counterparty_node_id,
            funding_satoshis,
            channel_negotiation_type,
            channel_type,
            is_announced,
            ..
        } => NodeEvent::OpenChannelRequest {
            peer_id: counterparty_node_id.to_string(),
            channel_id: temporary_channel_id.to_string(),
            capacity_sat: funding_satoshis,
            push_msat: match channel_negotiation_type {
                InboundChannelFunds::PushMsat(push_msat) => push_msat,
                InboundChannelFunds::DualFunded => 0,
            },
            is_announced,
            is_zero_conf: channel_type.requires_zero_conf(),
        },
        Event::ChannelPending {
            channel_id,
            former_temporary_channel_id,
            counterparty_node_id,
            ..
        } => NodeEvent::ChannelPending {
            peer_id: counterparty_node_id.to_string(),
            channel_id: channel_id.to_string(),
            former_channel_id: former_temporary_channel_id.map(|id| id.to_string()),
        },
        Event::ChannelReady {
            channel_id,
            counterparty_node_id,
            ..
        } => NodeEvent::ChannelReady {
            peer_id: counterparty_node_id.to_string(),
            channel_id: channel_id.to_string(),
        },
        Event::ChannelClosed {
            channel_id,
            reason,
            counterparty_node_id,
            ..
        } => NodeEvent::ChannelClosed {
            peer_id: counterparty_node_id.map_or_else(String::new, |id| id.to_string()),
            channel_id: channel_id.to_string(),
            reason: reason.to_string(),
        },
        _ => return None,
    })
}
