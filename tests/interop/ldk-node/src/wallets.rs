//! The wallets of rows 7 and 8, whatever their nodes, all in one form.

use std::path::Path;
use std::sync::Arc;

use ldk_node::Event;
use ldk_node::lightning_invoice::{Bolt11InvoiceDescription, Description};
use lnurl_channel::{ChannelClient, ClientConfig};
use lnurl_channel_interop::support::listener::Listener;
use lnurl_channel_interop::support::scene::patient_config;
use lnurl_channel_interop::support::wallet::Wallet as TestbedWallet;
use lnurl_channel_interop::{LndWallet, channel_id_of};
use lnurl_channel_testbed::Testbed;
use serde_json::Value;

use crate::app::{App, wait_for};
use crate::chain;

/// More than any node here wants before a channel is ready.
const BLOCKS: u32 = 6;

pub trait Wallet {
    fn client(&self) -> &ChannelClient;

    /// What its node keeps to itself: for a test that fails.
    fn log(&self) -> Vec<String> {
        Vec::new()
    }

    /// Mines the channel's funding, and waits until the node counts it as pending no more.
    fn confirm(&self, channel_id: &str);

    fn stop(self: Box<Self>);
}

/// A wallet that is paid over its channel.
pub trait Payee: Wallet {
    fn listener(&self) -> &Listener;

    fn invoice(&self, amount_msat: u64) -> String;

    /// Whether this very amount has come.
    fn is_paid(&self, amount_msat: u64) -> bool;
}

impl Payee for App {
    fn listener(&self) -> &Listener {
        &self.listener
    }

    fn invoice(&self, amount_msat: u64) -> String {
        let text = Description::new("paid over the channel".into()).expect("it is short");
        let description = Bolt11InvoiceDescription::Direct(text);
        let payment = self.node.bolt11_payment();
        let invoice = payment.receive(amount_msat, &description, 3600);
        invoice.expect("an invoice").to_string()
    }

    fn is_paid(&self, amount: u64) -> bool {
        self.events().iter().any(|event| {
            matches!(event, Event::PaymentReceived { amount_msat, .. } if *amount_msat == amount)
        })
    }
}

impl Payee for LndWallet {
    fn listener(&self) -> &Listener {
        &self.listener
    }

    fn invoice(&self, amount_msat: u64) -> String {
        let amount = amount_msat.to_string();
        let made = self
            .lnd
            .ask(&["addinvoice", "--amt_msat", &amount, "--private"]);
        let made = made.expect("LND makes invoices");
        let invoice = made["payment_request"].as_str();
        invoice.expect("an invoice").to_owned()
    }

    fn is_paid(&self, amount_msat: u64) -> bool {
        let invoices = self.lnd.ask(&["listinvoices"]).expect("LND answers");
        let mut invoices = invoices["invoices"].as_array().into_iter().flatten();
        let amount = amount_msat.to_string();
        invoices.any(|invoice| invoice["state"] == "SETTLED" && invoice["amt_paid_msat"] == amount)
    }
}

impl Wallet for App {
    fn client(&self) -> &ChannelClient {
        &self.client
    }

    fn log(&self) -> Vec<String> {
        App::log(self)
    }

    fn confirm(&self, channel_id: &str) {
        let shown = || {
            let mut channels = self.node.list_channels().into_iter();
            channels
                .find(|channel| channel.channel_id.to_string() == channel_id)
                .expect("the channel is there")
        };
        let funding = shown().funding_txo.expect("it is funded");
        chain::confirm(&funding.txid.to_string());
        wait_for("its first block", || {
            (shown().confirmations >= Some(1)).then_some(())
        });
    }

    fn stop(self: Box<Self>) {
        App::stop(*self);
    }
}

impl Wallet for LndWallet {
    fn client(&self) -> &ChannelClient {
        &self.client
    }

    fn confirm(&self, channel_id: &str) {
        let ask = |what: &str| self.lnd.ask(&[what]).expect("LND answers");
        let (pending, open) = (ask("pendingchannels"), ask("listchannels"));
        let pending = pending["pending_open_channels"].as_array().into_iter();
        let pending = pending.flatten().map(|listed| &listed["channel"]);
        let open = open["channels"].as_array().into_iter().flatten();
        let mut points = pending.chain(open).filter_map(channel_point);
        let point = points.find(|point| channel_id_of(point) == channel_id);
        let point = point.expect("the channel is there");
        let (transaction, _) = point.split_once(':').expect("a hash and a number");
        chain::confirm(transaction);
        chain::mine(BLOCKS - 1);
        wait_for("the channel that is pending no more", || {
            let open = ask("listchannels");
            let mut open = open["channels"].as_array().into_iter().flatten();
            let is_open = open.any(|channel| channel_point(channel).as_deref() == Some(&*point));
            (is_open && ask("getinfo")["synced_to_chain"] == true).then_some(())
        });
    }

    fn stop(self: Box<Self>) {
        LndWallet::stop(*self);
    }
}

fn channel_point(channel: &Value) -> Option<String> {
    channel["channel_point"].as_str().map(ToOwned::to_owned)
}

/// A wallet on LDK itself, as the library's own tests have it. Its chain is one of its own.
pub struct LdkWallet {
    wallet: TestbedWallet,
    /// Ends with it.
    _testbed: Testbed,
}

impl LdkWallet {
    pub fn start(trusted: Vec<String>, folder: &Path, authority: String) -> Self {
        let testbed = Testbed::start().expect("the wallet's node starts");
        let config = ClientConfig {
            storage_dir: Some(folder.to_string_lossy().into_owned()),
            extra_root_certificates: Some(authority),
            channel_timeout_seconds: 60,
            ..patient_config(&testbed)
        };
        let listener = Arc::new(Listener::default());
        let wallet = TestbedWallet::trusting(trusted, testbed.wallet(), listener, config);
        Self {
            wallet: wallet.expect("the configuration is good"),
            _testbed: testbed,
        }
    }
}

impl Wallet for LdkWallet {
    fn client(&self) -> &ChannelClient {
        &self.wallet.client
    }

    /// Its peer's side of it: the node itself sees no block.
    fn confirm(&self, _channel_id: &str) {
        chain::confirm_next();
    }

    fn stop(self: Box<Self>) {}
}
