//! Reports of channels, and the verdicts on them (5b).

use super::Client;
use crate::channel::{
    ChannelStage, ChannelVerdict, IncomingChannel, VerdictKind, normalised, normalised_id,
};
use crate::clock::Now;
use crate::ids::RequestId;
use crate::input::Journal;
use crate::matcher::{
    FundedMatch, Memory, ProposalMatch, for_host_message, for_unseen_proposal, match_funded,
    match_proposal,
};
use crate::protocol;
use crate::request::{Progress, Request};
use crate::verdicts::{KnownChannel, StoredVerdict};

impl<J: Journal> Client<J> {
    /// The verdict on a channel. What of it survives a restart is stored when this returns.
    pub fn report_incoming_channel(
        &mut self,
        now: Now,
        channel: IncomingChannel,
    ) -> ChannelVerdict {
        // After the end it could not be stored: what the next client would not know is not expected.
        let Some(channel) = normalised(channel).filter(|_| !self.is_closed) else {
            return ChannelVerdict::Unrequested;
        };
        let is_known = self.peers.contains_key(&channel.peer_id);
        if !is_known && protocol::check_node_id(&channel.peer_id).is_err() {
            return ChannelVerdict::Unrequested;
        }
        self.heard_of_peer(now, &channel.peer_id);
        match (channel.stage, channel.channel_id.clone()) {
            (ChannelStage::Proposed, _) => self.take_proposal(now, channel),
            (ChannelStage::Funded | ChannelStage::Ready, Some(id)) => {
                self.take_funded(now, channel, id)
            }
            (ChannelStage::Funded | ChannelStage::Ready, None) => ChannelVerdict::Unrequested,
        }
    }

    fn take_proposal(&mut self, now: Now, channel: IncomingChannel) -> ChannelVerdict {
        match match_proposal(&self.of_peer(&channel.peer_id), &channel, now) {
            ProposalMatch::Standing(id) => VerdictKind::Expected.of(id),
            ProposalMatch::New(id) => {
                self.apply(now, id, |request, context| {
                    request.proposed(context, channel)
                });
                VerdictKind::Expected.of(id)
            }
            ProposalMatch::Mismatched(id) => {
                self.apply(now, id, |request, _| request.mismatched());
                VerdictKind::WrongVisibility.of(id)
            }
            ProposalMatch::TurnedDown(kind, id) => kind.of(id),
            ProposalMatch::Unrequested => ChannelVerdict::Unrequested,
        }
    }

    fn take_funded(
        &mut self,
        now: Now,
        channel: IncomingChannel,
        channel_id: String,
    ) -> ChannelVerdict {
        let peer_id = channel.peer_id.clone();
        let memory = Memory {
            verdict: self.verdicts.of(&peer_id, &channel_id),
            is_full: self.verdicts.is_full(&peer_id),
        };
        let requests = self.of_peer(&peer_id);
        match match_funded(&requests, memory, &channel, &channel_id, now) {
            FundedMatch::Own(id) => {
                self.apply(now, id, |request, _| request.channel_reported(&channel));
                self.verdict_on_own(id)
            }
            FundedMatch::Lost(id) => self.take_lost(now, id, channel, &channel_id),
            FundedMatch::Known(verdict) => verdict.shown(),
            FundedMatch::Arrives(id, kind) => {
                self.arrive(now, id, channel, kind);
                kind.of(id)
            }
            FundedMatch::TurnedDown(kind, id) => {
                self.remember(&peer_id, channel_id, StoredVerdict::Of(kind, id));
                kind.of(id)
            }
            FundedMatch::Unrequested { is_stored } => {
                if is_stored {
                    self.remember(&peer_id, channel_id, StoredVerdict::Unrequested);
                }
                ChannelVerdict::Unrequested
            }
        }
    }

    fn arrive(&mut self, now: Now, id: RequestId, channel: IncomingChannel, kind: VerdictKind) {
        if kind == VerdictKind::WrongVisibility {
            self.apply(now, id, |request, _| request.mismatched_but_funded());
        }
        let funded = channel.clone();
        self.apply(now, id, |request, context| {
            request.arrive_funded(context, funded, kind)
        });
        if channel.stage == ChannelStage::Ready {
            self.apply(now, id, |request, _| request.channel_reported(&channel));
        }
    }

    fn verdict_on_own(&self, id: RequestId) -> ChannelVerdict {
        let request = self.requests.get(&id);
        match request.and_then(|request| request.channel()) {
            Some((_, kind)) => kind.of(id),
            None => ChannelVerdict::Unrequested,
        }
    }

    /// A channel that was closed before it was ready is reported again.
    fn take_lost(
        &mut self,
        now: Now,
        id: RequestId,
        channel: IncomingChannel,
        channel_id: &str,
    ) -> ChannelVerdict {
        let Some(request) = self.requests.get(&id) else {
            return ChannelVerdict::Unrequested;
        };
        let Some((_, kind)) = request.lost_channel(channel_id) else {
            return ChannelVerdict::Unrequested;
        };
        match &request.record.progress {
            Progress::Cancelled { .. } => VerdictKind::Unwanted.of(id),
            Progress::Arrived { .. } => VerdictKind::Duplicate.of(id),
            _ if channel.stage == ChannelStage::Ready => {
                self.arrive(now, id, channel, kind);
                self.verdict_on_own(id)
            }
            _ => kind.of(id),
        }
    }

    pub(super) fn remember(&mut self, peer_id: &str, channel_id: String, verdict: StoredVerdict) {
        let known = KnownChannel {
            channel_id,
            verdict,
        };
        let was_asked = |peer: &str| {
            let ids = self
                .peers
                .get(peer)
                .into_iter()
                .flat_map(|peer| &peer.requests);
            let mut requests = ids.filter_map(|id| self.requests.get(id));
            requests.any(|request| request.record.progress.contact().is_some())
        };
        for peer_id in self.verdicts.add(peer_id, known, was_asked) {
            self.write_verdicts(peer_id);
        }
    }

    pub(super) fn report_channel_closed(
        &mut self,
        now: Now,
        peer_id: &str,
        channel_id: Option<String>,
        reason: Option<String>,
    ) {
        let peer_id = peer_id.to_ascii_lowercase();
        let Some(channel_id) = normalised_id(channel_id).filter(|_| !self.is_closed) else {
            return;
        };
        match channel_id {
            Some(channel_id) => {
                for id in self.ids_of_peer(&peer_id) {
                    self.close_channel(now, id, &channel_id, reason.clone());
                }
            }
            None => self.close_unnamed(now, &peer_id, reason),
        }
    }

    fn close_channel(&mut self, now: Now, id: RequestId, channel_id: &str, reason: Option<String>) {
        let Some(request) = self.requests.get(&id) else {
            return;
        };
        if request.run.proposals.is_standing_id(channel_id) {
            self.apply(now, id, |request, _| request.proposal_ended(Some(reason)));
        } else if request.is_channel(channel_id) {
            let oldest = request.oldest_lost();
            if let Some(old_id) = oldest.and_then(|channel| channel.channel_id.clone()) {
                let peer_id = request.peer_id().to_owned();
                self.remember(&peer_id, old_id, StoredVerdict::Unrequested);
            }
            self.apply(now, id, |request, _| request.channel_lost(reason));
        }
    }

    /// The node turned a proposal down before it showed it, or shows none by an id.
    fn close_unnamed(&mut self, now: Now, peer_id: &str, reason: Option<String>) {
        let requests = self.of_peer(peer_id);
        let standing = |request: &&&Request| request.run.proposals.standing().is_some();
        let with_proposal: Vec<RequestId> =
            requests.iter().filter(standing).map(|r| r.id()).collect();
        if let [id] = with_proposal[..] {
            self.apply(now, id, |request, _| request.proposal_ended(Some(reason)));
        } else if let Some(id) = for_unseen_proposal(&requests, now) {
            self.apply(now, id, |request, _| request.unseen_proposal_failed(reason));
        }
    }

    /// Whether a peer's message belongs to a request.
    pub fn report_peer_message(
        &mut self,
        now: Now,
        peer_id: &str,
        message_type: u16,
        payload: &[u8],
    ) -> bool {
        if self.is_closed {
            return false;
        }
        let peer_id = peer_id.to_ascii_lowercase();
        let Some(request) = for_host_message(&self.of_peer(&peer_id)) else {
            return false;
        };
        let contact = request.record.progress.contact();
        let own_id = contact
            .map(|contact| contact.node_id.as_str())
            .unwrap_or_default();
        let message = protocol::read_host_message(message_type, payload, own_id, &peer_id);
        let Some(message) = message else { return false };
        let id = request.id();
        self.heard_of_peer(now, &peer_id);
        self.apply(now, id, |request, context| {
            request.host_answered(context, message)
        });
        true
    }
}
