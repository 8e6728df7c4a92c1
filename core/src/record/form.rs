//! What stands in a record, in this order. A field's name stays what it is: later versions read what
//! this one wrote.

use serde::Serialize;

/// Of a request.
#[derive(Serialize)]
pub struct RequestForm {
    pub version: u64,
    pub request_id: String,
    pub network: &'static str,
    pub created_at_millis: u64,
    pub updated_at_seconds: u64,
    pub offer: OfferForm,
    pub credentials: Option<CredentialsForm>,
    pub refund_script: Option<String>,
    pub progress: &'static str,
    pub at_seconds: Option<u64>,
    pub contact: Option<ContactForm>,
    pub arrival: Option<ArrivalForm>,
    pub refusal: Option<RefusalForm>,
    pub cancel_order: Option<u64>,
    pub is_dismissed: bool,
    pub history: Vec<EntryForm>,
    pub history_left_out: u32,
}

#[derive(Serialize)]
pub struct OfferForm {
    pub kind: &'static str,
    pub peer: String,
    pub service: Option<String>,
    pub answered_by: Option<String>,
    pub callback_host: Option<String>,
    pub alias: Option<String>,
}

#[derive(Serialize)]
pub struct CredentialsForm {
    pub lnurl: String,
    pub k1: String,
    pub callback: Option<String>,
}

#[derive(Serialize)]
pub struct ContactForm {
    pub node_id: String,
    pub answer: &'static str,
    pub words: Option<String>,
    pub asked_at_seconds: u64,
    pub order: u64,
    /// None of a hosted channel.
    pub wanted: Option<WantedForm>,
}

#[derive(Serialize)]
pub struct WantedForm {
    pub visibility: &'static str,
    pub accepts_both: bool,
    pub baseline: BaselineForm,
    pub lost: Vec<ChannelForm>,
}

#[derive(Serialize)]
#[serde(untagged)]
pub enum BaselineForm {
    Named(&'static str),
    Ids(Vec<String>),
}

#[derive(Serialize)]
#[serde(untagged)]
pub enum ArrivalForm {
    Funded(ChannelForm),
    Hosted {
        message: String,
        terms: Option<TermsForm>,
    },
}

/// A channel, in records and receipts, without the peer, which is the offer's.
#[derive(Serialize)]
pub struct ChannelForm {
    /// None only while it is `Proposed`, which no record is.
    pub channel_id: Option<String>,
    pub former_channel_id: Option<String>,
    pub stage: &'static str,
    pub capacity_sat: Option<u64>,
    pub push_msat: Option<u64>,
    pub is_announced: Option<bool>,
    pub is_zero_conf: Option<bool>,
    pub confirmations: Option<u32>,
    pub confirmations_required: Option<u32>,
    /// None only in a receipt, of a channel whose report its history has lost.
    pub verdict: Option<&'static str>,
}

#[derive(Serialize)]
pub struct TermsForm {
    pub capacity_msat: u64,
    pub initial_client_balance_msat: u64,
    pub max_htlc_value_in_flight_msat: u64,
    pub htlc_minimum_msat: u64,
    pub max_accepted_htlcs: u16,
}

/// An entry of the history, in records and receipts.
#[derive(Serialize)]
pub struct EntryForm {
    pub at_seconds: u64,
    pub event: &'static str,
    pub detail: Option<String>,
    pub verdict: Option<&'static str>,
}

#[derive(Serialize)]
pub struct RefusalForm {
    pub words: Option<String>,
    pub at_seconds: u64,
}

/// Of a peer's verdicts.
#[derive(Serialize)]
pub struct VerdictsForm {
    pub version: u64,
    pub peer_id: String,
    pub channels: Vec<KnownForm>,
}

#[derive(Serialize)]
pub struct KnownForm {
    pub channel_id: String,
    pub verdict: &'static str,
    /// None of a channel that nobody asked for.
    pub request_id: Option<String>,
}
