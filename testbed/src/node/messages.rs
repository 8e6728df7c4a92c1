//! Custom peer messages of any type, and who is connected.

use super::event::{EventHub, NodeEvent};
use bitcoin::secp256k1::PublicKey;
use lightning::io;
use lightning::ln::msgs::{DecodeError, Init, LightningError};
use lightning::ln::peer_handler::CustomMessageHandler;
use lightning::ln::wire::{CustomMessageReader, Type};
use lightning::types::features::{InitFeatures, NodeFeatures};
use lightning::util::ser::{LengthLimitedRead, Writeable, Writer};
use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use tokio::sync::watch;

/// BOLT-1: below it, types belong to Lightning itself.
const FIRST_CUSTOM_TYPE: u16 = 32768;

/// `hosted_channels` of bLIP-2, and the bit that older hosts look for.
const HOSTED_CHANNEL_FEATURES: [usize; 2] = [257, 32973];

#[derive(Debug, Clone)]
pub(super) struct CustomMessage {
    pub(super) message_type: u16,
    pub(super) payload: Vec<u8>,
}

impl Type for CustomMessage {
    fn type_id(&self) -> u16 {
        self.message_type
    }
}

impl Writeable for CustomMessage {
    fn write<W: Writer>(&self, writer: &mut W) -> Result<(), io::Error> {
        writer.write_all(&self.payload)
    }
}

pub(super) struct Messages {
    outbox: Mutex<Vec<(PublicKey, CustomMessage)>>,
    connected: watch::Sender<HashSet<PublicKey>>,
    events: Arc<EventHub>,
}

impl Messages {
    pub(super) fn new(events: Arc<EventHub>) -> Messages {
        Messages {
            outbox: Mutex::default(),
            connected: watch::Sender::default(),
            events,
        }
    }

    /// Queues a message, which leaves when the peer manager next processes its events.
    pub(super) fn queue(&self, peer: PublicKey, message: CustomMessage) {
        self.outbox.lock().unwrap().push((peer, message));
    }

    /// The peers that `init` was exchanged with. LDK tells this handler after the channel manager.
    pub(super) fn connected(&self) -> watch::Receiver<HashSet<PublicKey>> {
        self.connected.subscribe()
    }
}

impl CustomMessageReader for Messages {
    type CustomMessage = CustomMessage;

    fn read<R: LengthLimitedRead>(
        &self,
        message_type: u16,
        reader: &mut R,
    ) -> Result<Option<CustomMessage>, DecodeError> {
        if message_type < FIRST_CUSTOM_TYPE {
            return Ok(None);
        }
        let mut payload = vec![0; reader.remaining_bytes() as usize];
        reader
            .read_exact(&mut payload)
            .map_err(|_| DecodeError::ShortRead)?;
        Ok(Some(CustomMessage {
            message_type,
            payload,
        }))
    }
}

impl CustomMessageHandler for Messages {
    fn handle_custom_message(
        &self,
        message: CustomMessage,
        peer: PublicKey,
    ) -> Result<(), LightningError> {
        self.events.emit(NodeEvent::PeerMessage {
            peer_id: peer.to_string(),
            message_type: message.message_type,
            payload: message.payload,
        });
        Ok(())
    }

    fn get_and_clear_pending_msg(&self) -> Vec<(PublicKey, CustomMessage)> {
        std::mem::take(&mut *self.outbox.lock().unwrap())
    }

    fn peer_disconnected(&self, peer: PublicKey) {
        self.connected.send_modify(|peers| {
            peers.remove(&peer);
        });
        self.events.emit(NodeEvent::PeerDisconnected {
            peer_id: peer.to_string(),
        });
    }

    fn peer_connected(&self, peer: PublicKey, _: &Init, _: bool) -> Result<(), ()> {
        self.connected.send_modify(|peers| {
            peers.insert(peer);
        });
        self.events.emit(NodeEvent::PeerConnected {
            peer_id: peer.to_string(),
        });
        Ok(())
    }

    fn provided_node_features(&self) -> NodeFeatures {
        NodeFeatures::empty()
    }

    fn provided_init_features(&self, _: PublicKey) -> InitFeatures {
        let mut features = InitFeatures::empty();
        for bit in HOSTED_CHANNEL_FEATURES {
            features
                .set_optional_custom_bit(bit)
                .expect("both bits are in the custom range");
        }
        features
    }
}
