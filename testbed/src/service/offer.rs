//! The offers that a service has made, and what became of each.

use super::habit::Habit;
use crate::node::{Lightning, Opening};
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What an LNURL stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `channelRequest` (LUD-02).
    Channel,
    /// `hostedChannelRequest` (LUD-07).
    Hosted,
}

/// How the service is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Over {
    /// HTTPS, with a certificate of the testbed's own authority.
    Https,
    /// Plain HTTP at an onion name, which only the testbed's proxy knows.
    Onion,
}

/// The request that a fault strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The first GET.
    Offer,
    Callback,
}

/// What an offer is to be like. The default is a funded channel, over HTTPS, without bad habits.
#[derive(Debug, Clone)]
pub struct OfferOptions {
    pub kind: Kind,
    pub over: Over,
    pub habits: Vec<Habit>,
    pub capacity_sat: u64,
    /// What the wallet gets: pushed in a funded channel, its initial balance in a hosted one.
    pub push_msat: u64,
    /// Where errors, redirects, silence and resets strike.
    pub fault_step: Step,
    /// Of `Habit::ErrorWithHttpStatus` and `Habit::AnswersWithBody`.
    pub http_status: u16,
    /// Of `Habit::AnswersWithBody`.
    pub body: String,
    /// How long `Habit::AnswersAfterNegotiation` waits for the wallet.
    pub negotiation_timeout: Duration,
}

impl Default for OfferOptions {
    fn default() -> OfferOptions {
        OfferOptions {
            kind: Kind::Channel,
            over: Over::Https,
            habits: Vec::new(),
            capacity_sat: 100_000,
            push_msat: 0,
            fault_step: Step::Callback,
            http_status: 400,
            body: String::new(),
            negotiation_timeout: Duration::from_secs(20),
        }
    }
}

impl OfferOptions {
    pub(super) fn has(&self, habit: Habit) -> bool {
        self.habits.contains(&habit)
    }
}

/// An offer as a wallet gets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceOffer {
    /// Names the offer in requests and invocations.
    pub id: u64,
    /// Upper-case bech32.
    pub lnurl: String,
    /// What the LNURL decodes to.
    pub url: String,
    /// The offer's first `k1`.
    pub k1: String,
}

/// An offer as the service remembers it.
pub(super) struct Offer {
    pub(super) options: OfferOptions,
    /// The node that it names.
    pub(super) node: Arc<Lightning>,
    pub(super) k1s: Vec<String>,
    was_shown: bool,
    /// Each `k1` that a channel was opened for, or is being opened.
    pub(super) claimed: HashSet<String>,
    pub(super) cancelled: bool,
    pub(super) openings: Vec<(Arc<Lightning>, Opening)>,
}

impl Offer {
    fn new(options: OfferOptions, node: Arc<Lightning>) -> Offer {
        let mut offer = Offer {
            options,
            node,
            k1s: Vec::new(),
            was_shown: false,
            claimed: HashSet::new(),
            cancelled: false,
            openings: Vec::new(),
        };
        offer.k1s.push(offer.make_k1());
        offer
    }

    fn make_k1(&self) -> String {
        if self.options.has(Habit::K1None) {
            return "none".to_owned();
        }
        hex::encode(crate::random::<32>())
    }

    /// The `k1` for one GET of the offer.
    pub(super) fn k1_to_show(&mut self) -> String {
        if self.options.has(Habit::NewK1PerGet) && self.was_shown {
            self.k1s.push(self.make_k1());
        }
        self.was_shown = true;
        self.k1s.last().expect("the first is made at once").clone()
    }
}

/// All offers, by their ids.
#[derive(Default)]
pub(super) struct OfferBook(Mutex<HashMap<u64, Offer>>);

impl OfferBook {
    /// Adds an offer, and returns its id and its first `k1`.
    pub(super) fn add(&self, options: OfferOptions, node: Arc<Lightning>) -> (u64, String) {
        let mut offers = self.0.lock().unwrap();
        let id = offers.len() as u64 + 1;
        let offer = Offer::new(options, node);
        let k1 = offer.k1s[0].clone();
        offers.insert(id, offer);
        (id, k1)
    }

    /// Looks at, or changes, an offer; none if there is no such offer.
    pub(super) fn with<R>(&self, id: u64, use_it: impl FnOnce(&mut Offer) -> R) -> Option<R> {
        self.0.lock().unwrap().get_mut(&id).map(use_it)
    }

    pub(super) fn options(&self, id: u64) -> Option<OfferOptions> {
        self.with(id, |offer| offer.options.clone())
    }

    pub(super) fn node(&self, id: u64) -> Option<Arc<Lightning>> {
        self.with(id, |offer| offer.node.clone())
    }

    /// The hosted offer that a secret belongs to.
    pub(super) fn hosted_by_secret(&self, secret: &[u8]) -> Option<u64> {
        let k1 = hex::encode(secret);
        let offers = self.0.lock().unwrap();
        let belongs = |offer: &Offer| offer.options.kind == Kind::Hosted && offer.k1s.contains(&k1);
        let found = offers.iter().find(|(_, offer)| belongs(offer));
        found.map(|(id, _)| *id)
    }
}
