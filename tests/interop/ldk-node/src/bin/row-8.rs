//! Row 8: from the channel that arrived to a payment over it, through a restart in the middle. The npm
//! package `lnurl` is the service, on an LND; the wallet's node is ldk-node, then another LND.
//!
//! `row-8 CERT KEY FOLDER`: the certificate that the service shows, its key, and where the wallets keep
//! what they store.

use std::ops::RangeInclusive;
use std::path::Path;

use interop_ldk_node::app::{App, Settings, wait_for};
use interop_ldk_node::chain::{self, Purse};
use interop_ldk_node::wallets::Payee;
use lnurl_channel::{
    ChannelRequest, ChannelRequestSnapshot, ChannelRequestState, ChannelStage, ChannelStep,
    IncomingChannel, LnurlChannelError,
};
use lnurl_channel_interop::support::scene::{accept, fetch, funded_channel, start, state};
use lnurl_channel_interop::{Lnd, LndWallet, NpmLnurl, Proofs};

const CAPACITY_SAT: u64 = 200_000;
const PUSH_SAT: u64 = 20_000;
const FUNDS_SAT: u64 = 1_000_000;
const PAID_MSAT: u64 = 5_000_000;
/// What LDK logs then.
const NO_REESTABLISH: &str = "channel_ready when we needed a channel_reestablish";
/// Blocks before the wallet is restarted, and one more comes meanwhile.
const BEFORE: u32 = 1;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [cert, key, folder] = arguments.as_slice() else {
        eprintln!("usage: row-8 CERT KEY FOLDER");
        std::process::exit(2);
    };
    let (cert, key, folder) = (Path::new(cert), Path::new(key), Path::new(folder));
    let purse = Purse::fill();
    let authority = std::fs::read_to_string(cert).expect("the certificate is there");
    let lnd = Lnd::named("service");
    let row = Row {
        service: NpmLnurl::start(&lnd.backend(), cert, key),
        lnd,
        proofs: Proofs::default(),
    };

    let start_app = || {
        let folder = folder.join("ldk-node");
        App::start(&folder, Settings::default(), authority.clone())
    };
    let app = start_app();
    let address = app.node.onchain_payment().new_address();
    purse.pay(&address.expect("an address").to_string(), FUNDS_SAT);
    wait_for("the wallet's funds", || {
        let balances = app.node.list_balances();
        (balances.spendable_onchain_balance_sats > 0).then_some(())
    });
    row.is_paid_after_a_restart("ldk-node", app, start_app);

    let start_wallet = || {
        let folder = folder.join("lnd");
        LndWallet::start("wallet", &folder, Vec::new(), authority.clone())
    };
    row.is_paid_after_a_restart("LND", start_wallet(), start_wallet);
}

struct Row {
    service: NpmLnurl,
    lnd: Lnd,
    proofs: Proofs,
}

impl Row {
    fn is_paid_after_a_restart<W: Payee>(&self, name: &str, wallet: W, restart: impl Fn() -> W) {
        let offer = self.service.offer(CAPACITY_SAT, PUSH_SAT);
        let request = fetch(wallet.client(), &offer.lnurl).expect("an offer");
        let arrived = funded_channel(accept(&request));
        assert_eq!(arrived.stage, ChannelStage::Funded);
        let required = wait_for("what the node wants", || {
            shown(&request).confirmations_required
        });
        assert!(required > BEFORE + 1, "{name} wants {required} blocks");
        self.says(name, &shown(&request));

        let waiting = request.clone();
        let waiting = start(async move { waiting.await_ready().await });
        self.confirmed(name, &wallet, &request, 1..=BEFORE);
        assert!(waiting.runs(), "{name}: it is not ready yet");
        let id = request.request_id();
        drop(request);
        Box::new(wallet).stop();
        let ended = waiting.end();
        assert!(
            matches!(ended, Err(LnurlChannelError::Cancelled)),
            "{ended:?}"
        );
        chain::mine(1);
        self.proofs.say(&format!(
            "{name}: the wallet is stopped, and a block comes meanwhile"
        ));

        let wallet = restart();
        let request = wallet.client().request(id);
        let request = request.expect("the request is kept");
        assert_eq!(state(&request), ChannelRequestState::Arrived);
        assert_eq!(shown(&request).channel_id, arrived.channel_id);
        let waiting = request.clone();
        let waiting = start(async move { waiting.await_ready().await });
        wait_for("the peer's connection", || {
            request.snapshot().is_peer_connected.then_some(())
        });
        self.counts(name, &wallet, &request, BEFORE + 1);
        self.confirmed(name, &wallet, &request, BEFORE + 2..=required - 1);
        assert!(waiting.runs(), "{name}: it is not ready yet");
        chain::mine(1);
        wait_for("the channel that can be used", || {
            (state(&request) == ChannelRequestState::Ready).then_some(())
        });
        let ready = waiting.end().expect("it becomes ready");
        assert_eq!(ready.stage, ChannelStage::Ready);
        assert_eq!(ready.channel_id, arrived.channel_id);
        assert_eq!(ready.capacity_sat, Some(CAPACITY_SAT));
        assert_eq!(state(&request), ChannelRequestState::Ready);
        assert_eq!(ready.confirmations, Some(required));
        wallet.listener().wait_for(ChannelStep::Ready, 1);
        if wallet
            .log()
            .iter()
            .any(|line| line.contains(NO_REESTABLISH))
        {
            self.proofs.say(&format!(
                "{name}: LND had sent no channel_reestablish; connected anew, it did"
            ));
        }
        self.says(name, &ready);
        self.pays(name, &wallet);
        Box::new(wallet).stop();
    }

    /// A block at a time, until the node has counted so many.
    fn confirmed(
        &self,
        name: &str,
        wallet: &impl Payee,
        request: &ChannelRequest,
        counts: RangeInclusive<u32>,
    ) {
        for count in counts {
            match count {
                // The first one has the funding.
                1 => chain::confirm_next(),
                _ => chain::mine(1),
            }
            self.counts(name, wallet, request, count);
        }
    }

    /// In the snapshot, and told to the listener.
    fn counts(&self, name: &str, wallet: &impl Payee, request: &ChannelRequest, count: u32) {
        wait_for(&format!("{count} blocks"), || {
            (shown(request).confirmations == Some(count)).then_some(())
        });
        let is_told = |(snapshot, step): &(ChannelRequestSnapshot, ChannelStep)| {
            let channel = snapshot.channel.as_ref();
            *step == ChannelStep::Progressed
                && channel.is_some_and(|channel| channel.confirmations == Some(count))
        };
        let heard = &wallet.listener().heard;
        assert!(
            heard.wait_until(|heard| heard.iter().any(is_told)),
            "{name}: not told of {count} blocks, but {:?}",
            wallet.listener().steps()
        );
        let channel = shown(request);
        assert_eq!(channel.stage, ChannelStage::Funded);
        assert_eq!(state(request), ChannelRequestState::Arrived);
        self.says(name, &channel);
    }

    fn says(&self, name: &str, channel: &IncomingChannel) {
        let blocks = |count: Option<u32>| count.map_or("?".to_owned(), |it| it.to_string());
        self.proofs.say(&format!(
            "{name}: {:?}, {} of {} blocks",
            channel.stage,
            blocks(channel.confirmations),
            blocks(channel.confirmations_required)
        ));
    }

    fn pays(&self, name: &str, wallet: &impl Payee) {
        let invoice = wallet.invoice(PAID_MSAT);
        // LND's router hears of the channel a little later than the rest of LND.
        wait_for("LND's payment", || {
            self.lnd
                .ask(&["payinvoice", "--force", "--json", &invoice])
                .ok()
        });
        wait_for("the payment", || wallet.is_paid(PAID_MSAT).then_some(()));
        self.proofs
            .say(&format!("{name}: {PAID_MSAT} msat paid over the channel"));
    }
}

fn shown(request: &ChannelRequest) -> IncomingChannel {
    let channel = request.snapshot().channel;
    channel.expect("the channel that arrived")
}
