//! Records of the first edition, 0.1, in today's form.

use super::form::{
    ArrivalForm, BaselineForm, ChannelForm, ContactForm, CredentialsForm, OfferForm, RefusalForm,
    RequestForm, WantedForm,
};
use super::read::read_terms;
use super::write::host_form;
use super::{
    KINDS, MAX_COUNTER, NETWORKS, STAGES, Unreadable, VERDICTS, VERSION, VISIBILITIES,
    is_channel_id, is_node_id, name_of, optional, read_name,
};
use crate::channel::{ChannelStage, VerdictKind};
use crate::ids::RequestId;
use crate::protocol::json::Object;
use crate::protocol::{
    self, ChannelKind, ChannelVisibility, HostMessage, INIT_HOSTED_CHANNEL,
    LAST_CROSS_SIGNED_STATE, Lnurl,
};
use crate::verdicts::{KnownChannel, StoredVerdict};

/// A request's record in today's form, and the verdicts on other channels of its peer. What is wrong
/// in it is left for today's checks to find.
pub fn migrate(
    id: RequestId,
    old: &Object,
) -> Result<(RequestForm, Vec<KnownChannel>), Unreadable> {
    let old = Old::read(old).ok_or(())?;
    let arrival = old.arrival().ok_or(())?;
    let progress = match (old.state.as_str(), old.was_asked) {
        ("Offered" | "Connecting", false) => "Accepted",
        ("Declined" | "Cancelled", false) => return Err(Unreadable::Obsolete),
        ("Requesting" | "Awaiting" | "OutcomeUnknown", true) => "Asked",
        // 0.1 counted a proposal as the arrival. It is gone since the restart.
        ("Arrived", true) if arrival.is_none() => "Asked",
        ("Arrived", true) => "Arrived",
        ("Refused", true) => "Refused",
        ("Declined" | "Cancelled", true) => "Cancelled",
        _ => return Err(Unreadable::Damaged),
    };
    let ended_at = match progress {
        "Accepted" | "Asked" => None,
        _ => Some(old.json.number("ended_at").ok_or(())?),
    };
    let cancel_order = ended_at.map(|at| {
        let millis = at.saturating_mul(1000);
        millis.clamp(old.order() + 1, MAX_COUNTER)
    });
    let is = |name: &str| progress == name;
    let form = RequestForm {
        version: VERSION,
        request_id: id.to_string(),
        network: old.name(&NETWORKS, "network").ok_or(())?,
        created_at_millis: old.created_at_millis,
        updated_at_seconds: ended_at.unwrap_or(old.created_at()),
        offer: old.offer().ok_or(())?,
        refund_script: optional(old.json, "refund_script", Object::text).ok_or(())?,
        progress,
        at_seconds: match progress {
            "Accepted" => Some(old.created_at()),
            "Refused" => None,
            _ => ended_at,
        },
        contact: old.contact().ok_or(())?,
        arrival,
        refusal: ended_at
            .filter(|_| is("Refused"))
            .map(|at_seconds| RefusalForm {
                words: None,
                at_seconds,
            }),
        cancel_order: cancel_order.filter(|_| is("Cancelled")),
        is_dismissed: ended_at.is_some() && old.json.flag("returned").ok_or(())?,
        credentials: old.credentials,
        // 0.1 kept none.
        history: Vec::new(),
        history_left_out: 0,
    };
    Ok((form, read_known_channels(id, old.json).ok_or(())?))
}

/// A record of 0.1, and what of it is needed more than once.
struct Old<'a> {
    json: &'a Object,
    offer: Object,
    kind: ChannelKind,
    state: String,
    was_asked: bool,
    created_at_millis: u64,
    credentials: Option<CredentialsForm>,
    /// None where both were asked for, one after the other.
    visibility: Option<ChannelVisibility>,
}

impl<'a> Old<'a> {
    fn read(json: &'a Object) -> Option<Self> {
        let offer = json.object("offer")?;
        let was_asked = json.flag("asked")?;
        if json.is_absent("node_id") == was_asked {
            return None;
        }
        Some(Self {
            kind: read_name(&KINDS, &offer, "kind")?,
            state: json.text("state")?,
            was_asked,
            created_at_millis: json.number("created_at_millis")?,
            credentials: optional(json, "credentials", |json, key| {
                read_credentials(&json.object(key)?)
            })?,
            visibility: optional(json, "visibility", |json, key| {
                read_name(&VISIBILITIES, json, key)
            })?,
            offer,
            json,
        })
    }

    /// 0.1 did not store when it asked: not before the offer was fetched.
    fn created_at(&self) -> u64 {
        self.created_at_millis / 1000
    }

    /// 0.1 did not count what it asked and cancelled. The times at hand give the same order.
    fn order(&self) -> u64 {
        self.created_at_millis.clamp(1, MAX_COUNTER - 1)
    }

    fn name<T: Copy + PartialEq>(
        &self,
        names: &[(T, &'static str)],
        key: &str,
    ) -> Option<&'static str> {
        Some(name_of(names, read_name(names, self.json, key)?))
    }

    /// 0.1's service is a host without its port. Of an offer in the LNURL itself, which nobody vouches
    /// for, it is the peer's host.
    fn offer(&self) -> Option<OfferForm> {
        let uri = self.offer.text("peer")?;
        let peer = protocol::parse_node_uri(&uri).ok()?;
        let service = self.offer.text("service")?;
        let lnurl = self.credentials.as_ref();
        let lnurl = lnurl.map(|credentials| Lnurl::from_url(&credentials.lnurl));
        let service = match lnurl {
            _ if self.kind == ChannelKind::Hosted && service == peer.host => None,
            Some(lnurl) => Some(lnurl.ok()?.authority()),
            None => Some(service),
        };
        Some(OfferForm {
            kind: name_of(&KINDS, self.kind),
            peer: uri,
            service,
            answered_by: None,
            callback_host: optional(&self.offer, "callback_host", Object::text)?,
            alias: optional(&self.offer, "alias", Object::text)?,
        })
    }

    /// None of a request that nobody was asked for.
    fn contact(&self) -> Option<Option<ContactForm>> {
        if !self.was_asked {
            return Some(None);
        }
        let has_agreed = optional(self.json, "agreed", Object::flag)?;
        let answer = match (self.state.as_str(), has_agreed) {
            ("OutcomeUnknown", _) => "Unclear",
            (_, Some(true)) => "Agreed",
            _ => "Pending",
        };
        let visibility = self.visibility.unwrap_or(ChannelVisibility::Unannounced);
        let wanted = WantedForm {
            visibility: name_of(&VISIBILITIES, visibility),
            accepts_both: self.visibility.is_none(),
            baseline: BaselineForm::Named("Unknown"),
            lost: Vec::new(),
        };
        Some(Some(ContactForm {
            node_id: self.json.text("node_id")?,
            answer,
            words: None,
            asked_at_seconds: self.created_at(),
            order: self.order(),
            wanted: (self.kind == ChannelKind::Funded).then_some(wanted),
        }))
    }

    /// None where nothing arrived that counts as an arrival today.
    fn arrival(&self) -> Option<Option<ArrivalForm>> {
        let outcome = optional(self.json, "outcome", Object::object)?;
        match (self.state == "Arrived", outcome) {
            (true, Some(outcome)) => match outcome.object("channel") {
                Some(channel) => self.channel(&channel),
                None => Some(Some(migrate_host_answer(&outcome)?)),
            },
            (false, None) => Some(None),
            _ => None,
        }
    }

    fn channel(&self, channel: &Object) -> Option<Option<ArrivalForm>> {
        let id = |key: &str| channel.text(key).filter(|id| is_channel_id(id));
        let stage = read_name(&STAGES, channel, "stage")?;
        let Some(channel_id) = id("channel_id").filter(|_| stage != ChannelStage::Proposed) else {
            return Some(None);
        };
        let is_announced = optional(channel, "is_announced", Object::flag)?;
        // 0.1 expected what was funded, whatever its visibility.
        let fits = match (self.visibility, is_announced) {
            (Some(wanted), Some(is)) => is == (wanted == ChannelVisibility::Announced),
            _ => true,
        };
        let verdict = match fits {
            true => VerdictKind::Expected,
            false => VerdictKind::WrongVisibility,
        };
        Some(Some(ArrivalForm::Funded(ChannelForm {
            channel_id: Some(channel_id),
            former_channel_id: id("former_channel_id"),
            stage: name_of(&STAGES, stage),
            capacity_sat: optional(channel, "capacity_sat", Object::number)?,
            push_msat: optional(channel, "push_msat", Object::number)?,
            is_announced,
            is_zero_conf: None,
            confirmations: None,
            confirmations_required: None,
            verdict: Some(name_of(&VERDICTS, verdict)),
        })))
    }
}

fn read_credentials(credentials: &Object) -> Option<CredentialsForm> {
    Some(CredentialsForm {
        lnurl: credentials.text("lnurl")?,
        k1: credentials.text("k1")?,
        callback: optional(credentials, "callback", Object::text)?,
    })
}

/// 0.1 kept the message as it came, with an older host's length in front.
fn migrate_host_answer(outcome: &Object) -> Option<ArrivalForm> {
    let message = hex::decode(outcome.text("message")?).ok()?;
    let terms = optional(outcome, "terms", |outcome, key| {
        read_terms(&outcome.object(key)?)
    })?;
    let message_type = match terms {
        None => LAST_CROSS_SIGNED_STATE,
        Some(_) => INIT_HOSTED_CHANNEL,
    };
    match protocol::read_host_message(message_type, &message, "", "")?.ok()? {
        HostMessage::Init { message, .. } | HostMessage::LastCrossSignedState { message } => {
            Some(host_form(&message, terms))
        }
        HostMessage::Error(_) => None,
    }
}

/// What 0.1 expected is left out: but for the arrival, those were proposals, and what of them was funded
/// since is judged anew. What it turned down stays so, under each id that it had.
fn read_known_channels(request: RequestId, old: &Object) -> Option<Vec<KnownChannel>> {
    let mut verdicts = Vec::new();
    for known in old.list("known_channels")? {
        let kind = read_name(&VERDICTS, &known, "verdict")?;
        let ids = known.texts("ids")?.into_iter();
        let ids = ids.filter(|id| kind != VerdictKind::Expected && is_channel_id(id));
        verdicts.extend(ids.map(|channel_id| KnownChannel {
            channel_id,
            verdict: StoredVerdict::Of(kind, request),
        }));
    }
    Some(verdicts)
}

/// Read 0.1's record of the channels that nobody asked for: peers, and ids of their channels.
pub fn read_unrequested_channels(content: &[u8]) -> Result<Vec<(String, String)>, Unreadable> {
    let stored = Object::parse(content).map_err(|_| Unreadable::Damaged)?;
    if stored.number("version").ok_or(())? > 1 {
        return Err(Unreadable::NotNow);
    }
    let mut channels = Vec::new();
    for channel in stored.list("channels").ok_or(())? {
        let peer_id = channel.text("peer_id").ok_or(())?;
        let ids = channel.texts("ids").ok_or(())?.into_iter();
        // 0.1 took whatever the wallet reported.
        let ids = ids.filter(|id| is_node_id(&peer_id) && is_channel_id(id));
        channels.extend(ids.map(|id| (peer_id.clone(), id)));
    }
    Ok(channels)
}
