//! A request in the form of its record.

use super::form::{
    ArrivalForm, BaselineForm, ChannelForm, ContactForm, CredentialsForm, EntryForm, OfferForm,
    RefusalForm, RequestForm, TermsForm, WantedForm,
};
use super::{EVENTS, KINDS, NETWORKS, STAGES, VERDICTS, VERSION, VISIBILITIES, name_of};
use crate::channel::{IncomingChannel, VerdictKind};
use crate::protocol::HostedChannelTerms;
use crate::request::{
    Arrival, AskAnswer, Baseline, Contact, Credentials, Entry, FundedWanted, Progress, Record,
    Refusal,
};

/// None of a request of which nothing is kept.
pub fn form_of(record: &Record) -> Option<RequestForm> {
    let (name, at, arrival, refusal, cancel_order, is_dismissed) = match &record.progress {
        Progress::Offered | Progress::Declined { .. } => return None,
        Progress::Accepted { at } => ("Accepted", Some(at), None, None, None, false),
        Progress::Asked(_) => ("Asked", None, None, None, None, false),
        Progress::Arrived {
            arrival,
            at,
            refusal,
            is_dismissed,
            ..
        } => (
            "Arrived",
            Some(at),
            Some(arrival),
            refusal.as_ref(),
            None,
            *is_dismissed,
        ),
        Progress::Refused {
            refusal,
            is_dismissed,
            ..
        } => ("Refused", None, None, Some(refusal), None, *is_dismissed),
        Progress::Cancelled {
            at,
            order,
            is_dismissed,
            ..
        } => (
            "Cancelled",
            Some(at),
            None,
            None,
            Some(*order),
            *is_dismissed,
        ),
    };
    let offer = &record.offer;
    Some(RequestForm {
        version: VERSION,
        request_id: record.id.to_string(),
        network: name_of(&NETWORKS, record.network),
        created_at_millis: record.created_at_millis,
        updated_at_seconds: record.updated_at_seconds,
        offer: OfferForm {
            kind: name_of(&KINDS, offer.kind),
            peer: offer.peer.to_uri(),
            service: offer.service.clone(),
            answered_by: offer.answered_by.clone(),
            callback_host: offer.callback_host.clone(),
            alias: offer.alias.clone(),
        },
        credentials: record.credentials.as_deref().map(credentials_form),
        refund_script: record
            .refund_script
            .as_ref()
            .map(|script| hex::encode(script.as_bytes())),
        progress: name,
        at_seconds: at.map(|at| at.unix_seconds),
        contact: record.progress.contact().map(contact_form),
        arrival: arrival.map(arrival_form),
        refusal: refusal.map(refusal_form),
        cancel_order,
        is_dismissed,
        history: record.history.entries.iter().map(entry_form).collect(),
        history_left_out: record.history.left_out,
    })
}

pub fn entry_form(entry: &Entry) -> EntryForm {
    EntryForm {
        at_seconds: entry.at_seconds,
        event: name_of(&EVENTS, entry.event),
        detail: entry.detail.as_deref().map(Into::into),
        verdict: entry.verdict.map(|verdict| name_of(&VERDICTS, verdict)),
    }
}

fn credentials_form(credentials: &Credentials) -> CredentialsForm {
    let callback = credentials.ask.callback();
    CredentialsForm {
        lnurl: credentials.lnurl.expose().to_owned(),
        k1: credentials.ask.k1().expose().to_owned(),
        callback: callback.map(|callback| callback.expose().to_owned()),
    }
}

fn contact_form(contact: &Contact) -> ContactForm {
    let (answer, words) = match &contact.answer {
        AskAnswer::Pending => ("Pending", None),
        AskAnswer::Agreed => ("Agreed", None),
        AskAnswer::Unclear { words } => ("Unclear", words.clone()),
    };
    ContactForm {
        node_id: contact.node_id.clone(),
        answer,
        words,
        asked_at_seconds: contact.asked_at.unix_seconds,
        order: contact.order,
        wanted: contact.funded().map(wanted_form),
    }
}

fn wanted_form(wanted: &FundedWanted) -> WantedForm {
    WantedForm {
        visibility: name_of(&VISIBILITIES, wanted.visibility),
        accepts_both: wanted.accepts_both,
        baseline: match &wanted.baseline {
            Baseline::Unknown => BaselineForm::Named("Unknown"),
            Baseline::TooMany => BaselineForm::Named("TooMany"),
            Baseline::Ids(ids) => BaselineForm::Ids(ids.clone()),
        },
        lost: wanted
            .lost
            .iter()
            .map(|(channel, verdict)| channel_form(channel, Some(*verdict)))
            .collect(),
    }
}

fn arrival_form(arrival: &Arrival) -> ArrivalForm {
    match arrival {
        Arrival::Funded { channel, verdict } => {
            ArrivalForm::Funded(channel_form(channel, Some(*verdict)))
        }
        Arrival::HostedOffered { terms, message } => host_form(message, Some(*terms)),
        Arrival::HostedExists { message } => host_form(message, None),
    }
}

pub fn host_form(message: &[u8], terms: Option<HostedChannelTerms>) -> ArrivalForm {
    ArrivalForm::Hosted {
        message: hex::encode(message),
        terms: terms.map(|terms| TermsForm {
            capacity_msat: terms.capacity_msat,
            initial_client_balance_msat: terms.initial_client_balance_msat,
            max_htlc_value_in_flight_msat: terms.max_htlc_value_in_flight_msat,
            htlc_minimum_msat: terms.htlc_minimum_msat,
            max_accepted_htlcs: terms.max_accepted_htlcs,
        }),
    }
}

pub fn channel_form(channel: &IncomingChannel, verdict: Option<VerdictKind>) -> ChannelForm {
    ChannelForm {
        channel_id: channel.channel_id.clone(),
        former_channel_id: channel.former_channel_id.clone(),
        stage: name_of(&STAGES, channel.stage),
        capacity_sat: channel.capacity_sat,
        push_msat: channel.push_msat,
        is_announced: channel.is_announced,
        is_zero_conf: channel.is_zero_conf,
        confirmations: channel.confirmations,
        confirmations_required: channel.confirmations_required,
        verdict: verdict.map(|verdict| name_of(&VERDICTS, verdict)),
    }
}

fn refusal_form(refusal: &Refusal) -> RefusalForm {
    RefusalForm {
        words: refusal.words.clone(),
        at_seconds: refusal.at.unix_seconds,
    }
}
