//! The callback of a funded channel: who asks for what, and the channel that follows.

use super::Core;
use super::habit::Habit;
use super::offer::OfferOptions;
use super::routes::{Reply, error, ok};
use crate::http::query_pairs;
use crate::node::{Funding, INIT_GRACE, Lightning, OpenChannel, Opening};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// How long `Habit::OpensBeforeAnswer` waits for the wallet's reaction.
const PROPOSAL_GRACE: Duration = Duration::from_secs(1);
/// How many channels `Habit::ProposalsDieSilently` proposes.
const SILENT_PROPOSALS: usize = 5;
/// How long a peer that dropped the connection waits for the wallet to come back.
const RETURN_TIMEOUT: Duration = Duration::from_secs(60);
/// How long an opening may last that nobody waits for.
const OPENING_TIMEOUT: Duration = Duration::from_secs(600);
/// Less than LDK opens.
const REFUSED_CAPACITY_SAT: u64 = 1;

/// A callback that holds what LUD-02 wants.
struct Wish {
    k1: String,
    remote_id: String,
    /// None in a cancel.
    private: Option<bool>,
    cancel: bool,
}

/// One channel that is to be opened.
#[derive(Clone)]
struct Job {
    core: Arc<Core>,
    offer_id: u64,
    options: OfferOptions,
    opener: Arc<Lightning>,
    k1: String,
    channel: OpenChannel,
    /// LDK's choice if there is none.
    temporary_channel_id: Option<String>,
}

pub(super) async fn answer(
    core: &Arc<Core>,
    offer_id: u64,
    options: OfferOptions,
    query: &str,
) -> Reply {
    let wish = match Wish::parse(query) {
        Ok(wish) => wish,
        Err(reason) => return error(400, &reason),
    };
    let is_known = |offer: &mut super::offer::Offer| offer.k1s.contains(&wish.k1);
    if core.book.with(offer_id, is_known) != Some(true) {
        return error(400, "unknown k1");
    }
    if wish.cancel && options.has(Habit::IgnoresCancel) {
        return Reply::Response(ok());
    }
    if wish.cancel && !options.has(Habit::ReadsPrivateCancelAsAccept) {
        cancel(core, offer_id);
        return Reply::Response(ok());
    }
    match wish.private {
        Some(private) => accept(core, offer_id, options, &wish, private).await,
        None => error(400, "private is missing"),
    }
}

impl Wish {
    fn parse(query: &str) -> Result<Wish, String> {
        let mut fields = HashMap::new();
        for (key, value) in query_pairs(query) {
            let is_ours = ["k1", "remoteid", "private", "cancel"].contains(&key.as_str());
            if is_ours && fields.insert(key.clone(), value).is_some() {
                return Err(format!("{key} comes twice"));
            }
        }
        let flag = |key: &str| match fields.get(key).map(String::as_str) {
            None => Ok(None),
            Some("0") => Ok(Some(false)),
            Some("1") => Ok(Some(true)),
            Some(_) => Err(format!("{key} is neither 0 nor 1")),
        };
        let text = |key: &str| fields.get(key).cloned().ok_or(format!("{key} is missing"));
        let remote_id = text("remoteid")?;
        if !is_node_id(&remote_id) {
            return Err("remoteid is not a node id in lower case".to_owned());
        }
        Ok(Wish {
            k1: text("k1")?,
            remote_id,
            private: flag("private")?,
            cancel: flag("cancel")?.unwrap_or(false),
        })
    }
}

fn is_node_id(text: &str) -> bool {
    let is_lower_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    text.len() == 66 && text.bytes().all(is_lower_hex)
}

fn cancel(core: &Core, offer_id: u64) {
    let openings = core.book.with(offer_id, |offer| {
        offer.cancelled = true;
        std::mem::take(&mut offer.openings)
    });
    for (opener, opening) in openings.unwrap_or_default() {
        withdraw(&opener, &opening);
    }
}

async fn accept(
    core: &Arc<Core>,
    offer_id: u64,
    options: OfferOptions,
    wish: &Wish,
    private: bool,
) -> Reply {
    if options.has(Habit::OkAndNeverOpens) {
        return Reply::Response(ok());
    }
    let opener = match opener(core, offer_id, &options, wish).await {
        Ok(opener) => opener,
        Err(reason) => return error(400, reason),
    };
    let channel = OpenChannel {
        peer_id: wish.remote_id.clone(),
        capacity_sat: options.capacity_sat,
        push_msat: options.push_msat,
        announced: !private || options.has(Habit::OpensAnnounced),
    };
    let reuses_id = options.has(Habit::ReusesTemporaryId);
    let job = Job {
        core: core.clone(),
        offer_id,
        options,
        temporary_channel_id: reuses_id.then(|| hex::encode(crate::random::<32>())),
        opener,
        k1: wish.k1.clone(),
        channel,
    };
    if let Err(reason) = job.claim() {
        return error(400, reason);
    }
    job.answer().await
}

/// The node that opens the channel, once it is connected with the wallet.
async fn opener(
    core: &Core,
    offer_id: u64,
    options: &OfferOptions,
    wish: &Wish,
) -> Result<Arc<Lightning>, &'static str> {
    let opener = if options.has(Habit::AnotherPeerOpens) {
        core.connect_stranger(&wish.remote_id).await;
        core.stranger.clone()
    } else {
        core.book.node(offer_id).ok_or("no such offer")?
    };
    if opener.wait_for_peer(&wish.remote_id, INIT_GRACE).await {
        Ok(opener)
    } else {
        Err("the wallet is not connected with the node")
    }
}

impl Job {
    async fn answer(self) -> Reply {
        if self.options.has(Habit::OkAfterFailedOpen) {
            self.open_in_vain();
            return Reply::Response(ok());
        }
        if self.options.has(Habit::AnswersAfterNegotiation) {
            return match self.run(self.options.negotiation_timeout).await {
                Ok(()) => Reply::Response(ok()),
                Err(reason) => error(500, &reason),
            };
        }
        if self.options.has(Habit::OpensBeforeAnswer) {
            return self.answer_after_proposal().await;
        }
        let run = async move { drop(self.run(OPENING_TIMEOUT).await) };
        Reply::ResponseThen(ok(), Box::pin(run))
    }

    async fn answer_after_proposal(self) -> Reply {
        let opening = match self.propose() {
            Ok(opening) => opening,
            Err(reason) => return error(500, &reason),
        };
        let proposed = opening.clone();
        tokio::spawn(async move { self.see_through(opening, OPENING_TIMEOUT).await });
        proposed.answered(PROPOSAL_GRACE).await;
        Reply::Response(ok())
    }

    fn open_in_vain(&self) {
        let mut channel = self.channel.clone();
        channel.capacity_sat = REFUSED_CAPACITY_SAT;
        let opened = self.opener.open(&channel, None, Funding::Send);
        debug_assert!(opened.is_err());
        self.release();
    }

    /// Keeps `k1` for this channel, as long as it does not fail.
    fn claim(&self) -> Result<(), &'static str> {
        let claimed = self.core.book.with(self.offer_id, |offer| {
            if offer.cancelled {
                return Err("the offer was cancelled");
            }
            let is_new = offer.claimed.insert(self.k1.clone());
            // `none` names nobody, so nobody has used it.
            if is_new || self.options.has(Habit::K1None) {
                Ok(())
            } else {
                Err("k1 was used")
            }
        });
        claimed.unwrap_or(Err("no such offer"))
    }

    fn release(&self) {
        self.core
            .book
            .with(self.offer_id, |offer| offer.claimed.remove(&self.k1));
    }

    async fn run(&self, timeout: Duration) -> Result<(), String> {
        let opening = self.propose()?;
        self.see_through(opening, timeout).await
    }

    fn propose(&self) -> Result<Opening, String> {
        let funding = if self.options.has(Habit::DropsConnectionBeforeFunding) {
            Funding::Disconnect
        } else if self.options.has(Habit::ProposalsDieSilently) {
            Funding::Never
        } else {
            Funding::Send
        };
        self.open(funding).inspect_err(|_| self.release())
    }

    /// Goes on from the first proposal. After a failure, `k1` may be used again.
    async fn see_through(&self, opening: Opening, timeout: Duration) -> Result<(), String> {
        let result = self.fund_all(opening, timeout).await;
        if result.is_err() {
            self.release();
        }
        result
    }

    async fn fund_all(&self, opening: Opening, timeout: Duration) -> Result<(), String> {
        if self.options.has(Habit::ProposalsDieSilently) {
            return self.let_all_die(opening).await;
        }
        let first = self.funded(opening, timeout).await;
        if self.options.has(Habit::DropsConnectionBeforeFunding) {
            self.wait_for_return().await?;
            self.funded(self.open(Funding::Send)?, timeout).await?;
        } else {
            let channel_id = first?;
            if self.options.has(Habit::ClosesBeforeReady) {
                let peer_id = &self.channel.peer_id;
                self.opener.close_channel(peer_id, &channel_id)?;
                self.funded(self.open(Funding::Send)?, timeout).await?;
            }
        }
        if self.options.has(Habit::OpensTwice) {
            self.funded(self.open(Funding::Send)?, timeout).await?;
        }
        Ok(())
    }

    /// Each is left alone once the wallet has reacted to it.
    async fn let_all_die(&self, first: Opening) -> Result<(), String> {
        first.answered(PROPOSAL_GRACE).await;
        for _ in 1..SILENT_PROPOSALS {
            self.open(Funding::Never)?.answered(PROPOSAL_GRACE).await;
        }
        Ok(())
    }

    async fn wait_for_return(&self) -> Result<(), String> {
        let peer_id = &self.channel.peer_id;
        if self.opener.wait_for_peer(peer_id, RETURN_TIMEOUT).await {
            Ok(())
        } else {
            Err("the wallet did not come back".to_owned())
        }
    }

    /// Waits for the funding, which gives the channel its id, and withdraws a proposal that waits too long.
    async fn funded(&self, opening: Opening, timeout: Duration) -> Result<String, String> {
        let funded = opening.funded(timeout).await;
        if funded.is_err() {
            withdraw(&self.opener, &opening);
        }
        funded
    }

    fn open(&self, funding: Funding) -> Result<Opening, String> {
        let opened = self.core.book.with(self.offer_id, |offer| {
            if offer.cancelled {
                return Err("the offer was cancelled".to_owned());
            }
            let id = self.temporary_channel_id.as_deref();
            let opening = self.opener.open(&self.channel, id, funding)?;
            offer.openings.push((self.opener.clone(), opening.clone()));
            Ok(opening)
        });
        opened.unwrap_or_else(|| Err("no such offer".to_owned()))
    }
}

/// Takes a proposal back. A funded channel stays: LDK knows it by another id.
fn withdraw(opener: &Lightning, opening: &Opening) {
    let channel_id = opening.temporary_channel_id();
    drop(opener.close_channel(opening.peer_id(), channel_id));
}
