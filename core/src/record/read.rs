//! A request's record, checked part by part.

use std::sync::Arc;

use super::{
    EVENTS, KINDS, MAX_COUNTER, NETWORKS, Rules, STAGES, Unreadable, VERDICTS, VISIBILITIES,
    is_channel_id, is_node_id, optional, read_channel_id, read_name,
};
use crate::channel::{ChannelStage, IncomingChannel, VerdictKind};
use crate::clock::{Now, Stamp};
use crate::ids::RequestId;
use crate::protocol::json::Object;
use crate::protocol::{
    self, ChannelKind, ChannelOffer, HostMessage, HostedChannelTerms, INIT_HOSTED_CHANNEL,
    LAST_CROSS_SIGNED_STATE, Lnurl, Offer, OfferParts, RefundScript, Secret, Secrets,
};
use crate::request::{
    Arrival, AskAnswer, Baseline, Contact, Credentials, DAY, Entry, FundedWanted, History,
    MAX_WORDS, Progress, Record, Refusal, Wanted,
};

/// Longest detail of an entry: a channel's id.
const MAX_DETAIL: usize = 128;

pub fn record(
    id: RequestId,
    stored: &Object,
    rules: Rules,
    now: Now,
) -> Result<Record, Unreadable> {
    let (offer, credentials) = read_offer(stored, rules)?;
    let secrets = credentials
        .as_ref()
        .map_or_else(Secrets::default, |c| c.ask.secrets(&c.lnurl));
    let contact = stored.object("contact");
    let secrets = match contact.and_then(|contact| contact.text("node_id")) {
        Some(node_id) => secrets.and(&node_id),
        None => secrets,
    };
    let reader = Reader {
        offer: &offer,
        secrets,
        now,
    };
    let progress = reader.progress(stored).ok_or(())?;
    let refund_script = optional(stored, "refund_script", read_script).ok_or(())?;
    if !may_be(
        offer.kind,
        &progress,
        refund_script.is_some(),
        credentials.is_some(),
    ) {
        return Err(Unreadable::Damaged);
    }
    let network = read_name(&NETWORKS, stored, "network").ok_or(())?;
    let record = Record {
        id,
        network,
        created_at_millis: read_counter(stored, "created_at_millis").ok_or(())?,
        updated_at_seconds: read_counter(stored, "updated_at_seconds").ok_or(())?,
        credentials: credentials.filter(|_| progress.needs_credentials(now, DAY)),
        refund_script,
        progress,
        // What a support team reads, and nothing goes by.
        history: read_history(stored).unwrap_or_default(),
        offer: Arc::new(offer),
    };
    match network == rules.network {
        true => Ok(record),
        false => Err(Unreadable::NotNow),
    }
}

/// Checked as an offer from the network is.
fn read_offer(
    stored: &Object,
    rules: Rules,
) -> Result<(ChannelOffer, Option<Box<Credentials>>), Unreadable> {
    let offer = stored.object("offer").ok_or(())?;
    let text = |key| optional(&offer, key, Object::text).ok_or(());
    let (service, answered_by, alias) = (text("service")?, text("answered_by")?, text("alias")?);
    let (callback_host, uri) = (text("callback_host")?, offer.text("peer").ok_or(())?);
    let credentials = optional(stored, "credentials", Object::object).ok_or(())?;
    let (callback, k1) = match &credentials {
        Some(credentials) => (
            optional(credentials, "callback", Object::text).ok_or(())?,
            credentials.text("k1").ok_or(())?,
        ),
        // Stand-ins: what it takes to ask is gone, and what is shown is checked all the same.
        None => (
            callback_host
                .as_ref()
                .map(|host| format!("https://{host}/")),
            String::new(),
        ),
    };
    let parts = OfferParts {
        kind: read_name(&KINDS, &offer, "kind").ok_or(())?,
        service: service.as_deref(),
        answered_by: answered_by.as_deref(),
        callback: callback.as_deref(),
        uri: &uri,
        alias: alias.as_deref(),
        k1: &k1,
    };
    let checked = match Offer::from_parts(parts, rules.allow_private_hosts) {
        Ok(checked) => checked,
        // Only what the configuration forbids.
        Err(_) if Offer::from_parts(parts, true).is_ok() => return Err(Unreadable::NotNow),
        Err(_) => return Err(Unreadable::Damaged),
    };
    if checked.shown.callback_host != callback_host {
        return Err(Unreadable::Damaged);
    }
    let Some(credentials) = credentials else {
        return Ok((checked.shown, None));
    };
    let lnurl = credentials.text("lnurl").ok_or(())?;
    let lnurl = Lnurl::from_url(&lnurl).map_err(|_| Unreadable::Damaged)?;
    if service.is_some_and(|service| service != lnurl.authority()) {
        return Err(Unreadable::Damaged);
    }
    let credentials = Credentials {
        lnurl: Secret::new(lnurl.url()),
        ask: checked.ask,
    };
    Ok((checked.shown, Some(Box::new(credentials))))
}

/// Whether a run can lead to this combination.
fn may_be(
    kind: ChannelKind,
    progress: &Progress,
    has_refund_script: bool,
    has_credentials: bool,
) -> bool {
    match (kind, progress) {
        (_, Progress::Accepted { .. }) if !has_credentials => false,
        (ChannelKind::Funded, _) => !has_refund_script,
        (ChannelKind::Hosted, Progress::Asked(_)) => has_refund_script,
        // A host that said no is not listened to any more.
        (ChannelKind::Hosted, Progress::Arrived { refusal, .. }) => refusal.is_none(),
        (ChannelKind::Hosted, _) => true,
    }
}

/// What the parts of a record are checked against.
struct Reader<'a> {
    offer: &'a ChannelOffer,
    secrets: Secrets,
    now: Now,
}

/// None of these returns what is wrong: the record is damaged.
impl Reader<'_> {
    fn progress(&self, stored: &Object) -> Option<Progress> {
        let contact = self.part(stored, "contact", Self::contact)?;
        let arrival = self.part(stored, "arrival", Self::arrival)?;
        let refusal = self.part(stored, "refusal", Self::refusal)?;
        let at = optional(stored, "at_seconds", |stored, key| self.stamp(stored, key))?;
        let cancel_order = optional(stored, "cancel_order", read_counter)?;
        let is_dismissed = stored.flag("is_dismissed")?;
        let name = stored.text("progress")?;
        Some(
            match (name.as_str(), contact, at, arrival, refusal, cancel_order) {
                ("Accepted", None, Some(at), None, None, None) if !is_dismissed => {
                    Progress::Accepted { at }
                }
                ("Asked", Some(contact), None, None, None, None) if !is_dismissed => {
                    Progress::Asked(contact)
                }
                ("Arrived", Some(contact), Some(at), Some(arrival), refusal, None) => {
                    Progress::Arrived {
                        contact,
                        arrival,
                        at,
                        refusal,
                        is_dismissed,
                    }
                }
                ("Refused", Some(contact), None, None, Some(refusal), None) => Progress::Refused {
                    contact,
                    refusal,
                    is_dismissed,
                },
                ("Cancelled", Some(contact), Some(at), None, None, Some(order))
                    if order > contact.order =>
                {
                    Progress::Cancelled {
                        contact,
                        at,
                        order,
                        is_dismissed,
                    }
                }
                _ => return None,
            },
        )
    }

    fn contact(&self, stored: &Object) -> Option<Contact> {
        let words = self.words(stored)?;
        let answer = match (stored.text("answer")?.as_str(), words) {
            ("Pending", None) => AskAnswer::Pending,
            ("Agreed", None) => AskAnswer::Agreed,
            ("Unclear", words) => AskAnswer::Unclear { words },
            _ => return None,
        };
        let wanted = self.part(stored, "wanted", Self::wanted)?;
        let wanted = match (self.offer.kind, wanted) {
            (ChannelKind::Funded, Some(wanted)) => Wanted::Funded(wanted),
            (ChannelKind::Hosted, None) => Wanted::Hosted,
            _ => return None,
        };
        let node_id = stored.text("node_id")?;
        let is_possible = is_node_id(&node_id) && node_id != self.offer.peer.node_id;
        is_possible.then_some(Contact {
            node_id,
            answer,
            asked_at: self.stamp(stored, "asked_at_seconds")?,
            order: read_counter(stored, "order").filter(|order| *order > 0)?,
            wanted,
        })
    }

    fn wanted(&self, stored: &Object) -> Option<FundedWanted> {
        let lost = stored.list("lost")?;
        let lost = lost
            .iter()
            .map(|stored| self.channel(stored))
            .collect::<Option<Vec<_>>>()?;
        // One that was ready is never lost.
        let is_possible = lost
            .iter()
            .all(|(lost, _)| lost.stage == ChannelStage::Funded);
        is_possible.then_some(FundedWanted {
            visibility: read_name(&VISIBILITIES, stored, "visibility")?,
            accepts_both: stored.flag("accepts_both")?,
            baseline: read_baseline(stored)?,
            lost,
        })
    }

    fn arrival(&self, stored: &Object) -> Option<Arrival> {
        match self.offer.kind {
            ChannelKind::Funded => {
                let (channel, verdict) = self.channel(stored)?;
                Some(Arrival::Funded { channel, verdict })
            }
            ChannelKind::Hosted => read_host_answer(stored),
        }
    }

    fn channel(&self, stored: &Object) -> Option<(IncomingChannel, VerdictKind)> {
        let channel = IncomingChannel {
            peer_id: self.offer.peer.node_id.clone(),
            stage: read_name(&STAGES, stored, "stage")?,
            channel_id: Some(read_channel_id(stored, "channel_id")?),
            former_channel_id: optional(stored, "former_channel_id", read_channel_id)?,
            capacity_sat: optional(stored, "capacity_sat", Object::number)?,
            push_msat: optional(stored, "push_msat", Object::number)?,
            is_announced: optional(stored, "is_announced", Object::flag)?,
            is_zero_conf: optional(stored, "is_zero_conf", Object::flag)?,
            confirmations: optional(stored, "confirmations", read_small_number)?,
            confirmations_required: optional(stored, "confirmations_required", read_small_number)?,
        };
        let verdict = read_name(&VERDICTS, stored, "verdict")?;
        let is_possible = channel.stage != ChannelStage::Proposed
            && matches!(
                verdict,
                VerdictKind::Expected | VerdictKind::WrongVisibility
            );
        is_possible.then_some((channel, verdict))
    }

    /// An object that may be missing, but not wrong.
    fn part<T>(
        &self,
        stored: &Object,
        key: &str,
        read: impl FnOnce(&Self, &Object) -> Option<T>,
    ) -> Option<Option<T>> {
        optional(stored, key, |stored, key| read(self, &stored.object(key)?))
    }

    fn refusal(&self, stored: &Object) -> Option<Refusal> {
        Some(Refusal {
            words: self.words(stored)?,
            at: self.stamp(stored, "at_seconds")?,
        })
    }

    fn words(&self, stored: &Object) -> Option<Option<String>> {
        let words = optional(stored, "words", Object::text)?;
        let words = words.map(|words| protocol::presentable(&words, &self.secrets, MAX_WORDS));
        Some(words.filter(|words| !words.is_empty()))
    }

    fn stamp(&self, stored: &Object, key: &str) -> Option<Stamp> {
        Some(Stamp::loaded(stored.number(key)?, self.now))
    }
}

/// What a host answered: the terms are those of its message, and the message is one that is taken.
fn read_host_answer(stored: &Object) -> Option<Arrival> {
    let terms = optional(stored, "terms", |stored, key| {
        read_terms(&stored.object(key)?)
    })?;
    let message = hex::decode(stored.text("message")?).ok()?;
    let message_type = match terms {
        Some(_) => INIT_HOSTED_CHANNEL,
        None => LAST_CROSS_SIGNED_STATE,
    };
    // In the older form, of which no second reading is possible.
    let length = u16::try_from(message.len()).ok()?;
    let payload = [&length.to_be_bytes()[..], &message].concat();
    let answer = match protocol::read_host_message(message_type, &payload, "", "")?.ok()? {
        HostMessage::Init { terms, message } => (Some(terms), message),
        HostMessage::LastCrossSignedState { message } => (None, message),
        HostMessage::Error(_) => return None,
    };
    if answer != (terms, message.clone()) {
        return None;
    }
    Some(match terms {
        Some(terms) => Arrival::HostedOffered { terms, message },
        None => Arrival::HostedExists { message },
    })
}

pub fn read_terms(stored: &Object) -> Option<HostedChannelTerms> {
    Some(HostedChannelTerms {
        capacity_msat: stored.number("capacity_msat")?,
        initial_client_balance_msat: stored.number("initial_client_balance_msat")?,
        max_htlc_value_in_flight_msat: stored.number("max_htlc_value_in_flight_msat")?,
        htlc_minimum_msat: stored.number("htlc_minimum_msat")?,
        max_accepted_htlcs: stored.number("max_accepted_htlcs")?.try_into().ok()?,
    })
}

fn read_history(stored: &Object) -> Option<History> {
    let entries = stored.list("history")?;
    let entries = entries.iter().map(read_entry);
    let left_out = read_small_number(stored, "history_left_out")?;
    History::of(entries.collect::<Option<_>>()?, left_out)
}

fn read_entry(stored: &Object) -> Option<Entry> {
    let detail = optional(stored, "detail", Object::text)?;
    let is_plain = |byte| byte == b' ' || u8::is_ascii_graphic(&byte);
    let is_detail = |text: &String| text.len() <= MAX_DETAIL && text.bytes().all(is_plain);
    if !detail.as_ref().is_none_or(is_detail) {
        return None;
    }
    Some(Entry {
        at_seconds: read_counter(stored, "at_seconds")?,
        event: read_name(&EVENTS, stored, "event")?,
        detail: detail.map(Into::into),
        verdict: optional(stored, "verdict", |stored, key| {
            read_name(&VERDICTS, stored, key)
        })?,
    })
}

fn read_baseline(stored: &Object) -> Option<Baseline> {
    match stored.text("baseline").as_deref() {
        Some("Unknown") => Some(Baseline::Unknown),
        Some("TooMany") => Some(Baseline::TooMany),
        Some(_) => None,
        None => {
            let ids = stored.texts("baseline")?;
            let are_ids = ids.iter().all(|id| is_channel_id(id));
            let baseline = are_ids.then(|| Baseline::of(ids))?;
            (baseline != Baseline::TooMany).then_some(baseline)
        }
    }
}

fn read_script(stored: &Object, key: &str) -> Option<RefundScript> {
    let script = hex::decode(stored.text(key)?).ok()?;
    protocol::parse_refund_script(script).ok()
}

fn read_counter(stored: &Object, key: &str) -> Option<u64> {
    stored.number(key).filter(|number| *number <= MAX_COUNTER)
}

fn read_small_number(stored: &Object, key: &str) -> Option<u32> {
    stored.number(key)?.try_into().ok()
}
