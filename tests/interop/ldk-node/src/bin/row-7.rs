//! Row 7: what `preflight` says of a channel, and what real nodes then do. The npm package `lnurl` is
//! the service, on an LND and on LDK nodes.
//!
//! `row-7 CERT KEY FOLDER DOCUMENT VERSIONS`: the certificate that the service shows, its key, where the
//! nodes keep what they store, the document that has the tables, and what they are to say of the nodes.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use interop_ldk_node::app::{App, Settings, wait_for};
use interop_ldk_node::chain::{self, Purse};
use interop_ldk_node::grid::{Announced, Cell, Deed, Finding, Funds, Grid, Objection, Pair};
use interop_ldk_node::grid::{listed, table, tables, write};
use interop_ldk_node::peer::{Peer, PeerOpener};
use interop_ldk_node::wallets::{LdkWallet, Wallet};
use lnurl_channel::{
    ChannelClient, ChannelConcern, ChannelOutcome, ChannelRequest, ChannelRequestState,
    LnurlChannelError,
};
use lnurl_channel_interop::support::block_on;
use lnurl_channel_interop::support::scene::{fetch, state};
use lnurl_channel_interop::{
    Asked, Lnd, LndFront, LndOpener, LndWallet, NpmLnurl, Opener, Proofs, Terms,
};

const CAPACITY_SAT: u64 = 200_000;
/// Less than the 25,000 that ldk-node keeps for a channel with anchors.
const BELOW_SAT: u64 = 10_000;
/// More than it keeps for all the channels here.
const ABOVE_SAT: u64 = 2_000_000;
const PEER_SAT: u64 = 500_000_000;
/// More than any node lets channels wait for their first block.
const COINS: usize = 6;

/// What the second table has.
const FULL: [&str; 6] = [
    "the wallet's node",
    "peer",
    "channels that wait",
    "`preflight`",
    "the node",
    "concerns afterwards",
];
const NO_ANCHORS: &str = "it has no anchors";
const PROPOSED_AGAIN: &str = "LDK proposed it again without anchors";

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [cert, key, folder, document, versions] = arguments.as_slice() else {
        eprintln!("usage: row-7 CERT KEY FOLDER DOCUMENT VERSIONS");
        std::process::exit(2);
    };
    let parts = Parts::start(Path::new(cert), Path::new(key), Path::new(folder));
    let (mut full, mut grids) = (Vec::new(), Vec::new());
    for kind in KINDS {
        parts.full(&kind, &mut full);
    }
    for kind in KINDS {
        parts.grids(&kind, &mut grids);
    }
    let document = Path::new(document);
    let changed = [
        write(document, "grid", &tables(versions, &grids)),
        write(document, "pending", &table(&FULL, &full)),
    ];
    let changed = changed.contains(&true);
    parts.proofs.say(match changed {
        true => "the table has changed, and is written",
        false => "the table says so already",
    });
}

/// Wallets on one implementation.
struct Kind {
    name: &'static str,
    funds: &'static [Funds],
    /// For each wallet, what it is asked for.
    announced: &'static [&'static [Announced]],
    left_out: &'static [&'static str],
    /// Enough for as many channels as it lets wait.
    full: Funds,
    start: fn(&Parts, Setting) -> Box<dyn Wallet>,
}

#[derive(Clone, Copy)]
struct Setting {
    funds: Funds,
    trusted: bool,
    announced: &'static [Announced],
}

impl Kind {
    fn settings(&self) -> Vec<Setting> {
        let mut settings = Vec::new();
        for &funds in self.funds {
            for trusted in [false, true] {
                settings.extend(self.announced.iter().map(|&announced| Setting {
                    funds,
                    trusted,
                    announced,
                }));
            }
        }
        settings
    }
}

const KINDS: [Kind; 3] = [
    Kind {
        name: "ldk-node",
        funds: &[Funds::None, Funds::Below, Funds::Above],
        announced: &[&[Announced::No, Announced::Yes], &[Announced::SetUp]],
        left_out: &[],
        full: Funds::Above,
        start: Parts::start_ldk_node,
    },
    Kind {
        name: "LND",
        funds: &[Funds::None, Funds::Below, Funds::Above],
        announced: &[&[Announced::No, Announced::Yes]],
        left_out: &["LND needs nothing set up for announced channels."],
        full: Funds::None,
        start: Parts::start_lnd,
    },
    Kind {
        name: "LDK",
        funds: &[Funds::None],
        // One wallet each: it sees no block, and lets four channels wait for one.
        announced: &[&[Announced::No], &[Announced::Yes]],
        left_out: &[
            "LDK by itself has no funds on chain, and keeps no reserve: that is the wallet's to do.",
            "It needs nothing set up for announced channels.",
        ],
        full: Funds::None,
        start: Parts::start_ldk,
    },
];

/// Peers of one implementation.
struct Side {
    name: &'static str,
    services: Vec<Service>,
    left_out: &'static str,
}

impl Side {
    fn cells(&self, setting: Setting) -> Vec<(&Service, Cell)> {
        let mut cells = Vec::new();
        for &announced in setting.announced {
            for service in &self.services {
                cells.extend(service.proposes.iter().map(|terms| {
                    let cell = Cell {
                        funds: setting.funds,
                        trusted: setting.trusted,
                        announced,
                        anchors: terms.anchors,
                        zero_conf: terms.zero_conf,
                    };
                    (service, cell)
                }));
            }
        }
        cells
    }
}

/// A peer of the wallet's, and an LNURL service on it.
struct Service {
    id: String,
    is_ldk: bool,
    proposes: Vec<Terms>,
    /// What its node is told to propose now.
    terms: Arc<Mutex<Terms>>,
    front: LndFront,
    npm: NpmLnurl,
}

struct Parts {
    purse: Purse,
    folder: PathBuf,
    authority: String,
    sides: [Side; 2],
    wallets: AtomicUsize,
    proofs: Proofs,
}

impl Parts {
    fn start(cert: &Path, key: &Path, folder: &Path) -> Self {
        let proofs = Proofs::default();
        let purse = Purse::fill();
        let peers =
            [true, false].map(|anchors| Peer::start(&folder.join(format!("{anchors}")), anchors));
        for peer in &peers {
            let address = peer.node.onchain_payment().new_address();
            purse.pay(&address.expect("an address").to_string(), PEER_SAT);
            wait_for("the peer's funds", || {
                let balances = peer.node.list_balances();
                (balances.spendable_onchain_balance_sats > 0).then_some(())
            });
        }
        let lnd = Side {
            name: "LND",
            services: vec![Parts::lnd(&purse, &peers[0], cert, key)],
            left_out: "LND proposes no zero-conf channel without anchors: told to, it proposes an ordinary one.",
        };
        let ldk = Side {
            name: "LDK (ldk-node)",
            services: peers.map(|peer| Parts::ldk(peer, cert, key)).into(),
            left_out: "LDK never proposes a zero-conf channel: the node that takes it decides.",
        };
        proofs.say("the services run");
        Self {
            purse,
            folder: folder.to_owned(),
            authority: std::fs::read_to_string(cert).expect("the certificate is there"),
            sides: [lnd, ldk],
            wallets: AtomicUsize::new(0),
            proofs,
        }
    }

    fn ldk(peer: Arc<Peer>, cert: &Path, key: &Path) -> Service {
        let terms = Terms {
            anchors: peer.anchors,
            zero_conf: false,
        };
        let told = Arc::new(Mutex::new(terms));
        Service::start(PeerOpener(peer), vec![terms], told, cert, key)
    }

    fn lnd(purse: &Purse, other: &Arc<Peer>, cert: &Path, key: &Path) -> Service {
        let lnd = Lnd::named("service");
        let terms = |anchors, zero_conf| Terms { anchors, zero_conf };
        // To open several channels without a block in between, it takes several coins.
        for _ in 0..COINS {
            let address = lnd.ask(&["newaddress", "p2wkh"]).expect("LND answers");
            purse.pay(address["address"].as_str().expect("a text"), PEER_SAT);
        }
        let proposes = vec![terms(true, false), terms(false, false), terms(true, true)];
        // The one that is left out, to a peer that would hear of it.
        let told = Arc::new(Mutex::new(terms(false, true)));
        let opener = LndOpener {
            lnd: lnd.clone(),
            terms: told.clone(),
        };
        let connected = lnd.ask(&["connect", &PeerOpener(other.clone()).uri()]);
        connected.expect("the peer listens");
        let asked = Asked {
            peer_id: other.id.clone(),
            capacity_sat: CAPACITY_SAT,
            push_sat: 0,
            private: true,
        };
        opener.open(&asked).expect("LND opens it");
        // A zero-conf channel would be none of them.
        let pending = lnd.ask(&["pendingchannels"]).expect("LND answers");
        assert_ne!(pending["pending_open_channels"], serde_json::json!([]));
        chain::confirm_next();
        Service::start(opener, proposes, told, cert, key)
    }

    /// All cells of one kind of wallet, with a wallet for each of its settings.
    fn grids(&self, kind: &Kind, tried: &mut Vec<Pair>) {
        let mut grids = [Grid::default(), Grid::default()];
        for setting in kind.settings() {
            let wallet = (kind.start)(self, setting);
            for (side, grid) in self.sides.iter().zip(&mut grids) {
                for (service, cell) in side.cells(setting) {
                    grid.add(cell, self.try_cell(&*wallet, service, cell));
                }
            }
            wallet.stop();
        }
        for (side, grid) in self.sides.iter().zip(grids) {
            let name = format!("{}, from {}", kind.name, side.name);
            self.proofs.say(&format!("{name}: {} cells", grid.cells()));
            tried.push(Pair {
                name,
                grid,
                left_out: [&[side.left_out], kind.left_out].concat(),
            });
        }
    }

    /// As many channels of one peer as its node lets wait for a block, and one more.
    fn full(&self, kind: &Kind, rows: &mut Vec<Vec<String>>) {
        let setting = Setting {
            funds: kind.full,
            trusted: false,
            announced: &[Announced::No],
        };
        let wallet = (kind.start)(self, setting);
        for side in &self.sides {
            // Its ordinary one.
            let (service, cell) = side.cells(setting)[0];
            let mut waiting = Vec::new();
            let refused = loop {
                let tried = service.try_cell(wallet.client(), cell);
                if tried.result.is_err() {
                    break tried;
                }
                assert_eq!(tried.predicted, [], "{}: {waiting:?}", kind.name);
                waiting.push(tried.channel_id());
            };
            assert_eq!(refused.objection(), Some(Objection::Pending));
            let pending = u32::try_from(waiting.len()).expect("a few");
            assert_eq!(
                refused.predicted,
                [ChannelConcern::TooManyPending { pending }]
            );
            self.proofs.say(&format!(
                "{}, from {}: {pending} channels wait, and one more is turned down: {:?}, {:?}",
                kind.name, side.name, refused.predicted, refused.concerns
            ));
            rows.push(vec![
                kind.name.to_owned(),
                side.name.to_owned(),
                pending.to_string(),
                listed(&refused.predicted),
                "turned it down".to_owned(),
                listed(&refused.concerns),
            ]);
            wallet.confirm(&waiting[0]);
        }
        wallet.stop();
    }

    fn trusted(&self, setting: Setting) -> Vec<String> {
        let services = self.sides.iter().flat_map(|side| &side.services);
        let ids = services.map(|service| service.id.clone());
        ids.filter(|_| setting.trusted).collect()
    }

    fn start_ldk_node(&self, setting: Setting) -> Box<dyn Wallet> {
        let trusted = self.trusted(setting).into_iter();
        let settings = Settings {
            announces: setting.announced.contains(&Announced::SetUp),
            trusted: trusted.map(|id| id.parse().expect("a key")).collect(),
        };
        let app = App::start(&self.next_folder(), settings, self.authority.clone());
        let amount = match setting.funds {
            Funds::None => 0,
            Funds::Below => BELOW_SAT,
            Funds::Above => ABOVE_SAT,
        };
        if amount > 0 {
            let address = app.node.onchain_payment().new_address();
            self.purse
                .pay(&address.expect("an address").to_string(), amount);
            wait_for("the wallet's funds", || {
                let balances = app.node.list_balances();
                (balances.spendable_onchain_balance_sats == amount).then_some(())
            });
        }
        Box::new(app)
    }

    /// The same LND for all settings: its funds grow from one to the next.
    fn start_lnd(&self, setting: Setting) -> Box<dyn Wallet> {
        let lnd = Lnd::named("wallet");
        let confirmed = || {
            let balance = lnd.ask(&["walletbalance"]).expect("LND answers");
            let confirmed = balance["confirmed_balance"].as_str().expect("a text");
            confirmed.parse::<u64>().expect("a number")
        };
        let wanted = match setting.funds {
            Funds::None => 0,
            Funds::Below => BELOW_SAT,
            Funds::Above => BELOW_SAT + ABOVE_SAT,
        };
        if let missing @ 1.. = wanted - confirmed() {
            let address = lnd.ask(&["newaddress", "p2wkh"]).expect("LND answers");
            let address = address["address"].as_str().expect("a text").to_owned();
            self.purse.pay(&address, missing);
        }
        wait_for("the wallet's funds", || {
            (confirmed() == wanted).then_some(())
        });
        Box::new(LndWallet::start(
            "wallet",
            &self.next_folder(),
            self.trusted(setting),
            self.authority.clone(),
        ))
    }

    fn start_ldk(&self, setting: Setting) -> Box<dyn Wallet> {
        Box::new(LdkWallet::start(
            self.trusted(setting),
            &self.next_folder(),
            self.authority.clone(),
        ))
    }

    /// For the next wallet.
    fn next_folder(&self) -> PathBuf {
        let number = self.wallets.fetch_add(1, Ordering::Relaxed);
        self.folder.join(format!("wallet-{number}"))
    }

    fn try_cell(&self, wallet: &dyn Wallet, service: &Service, cell: Cell) -> Finding {
        let logged = wallet.log().len();
        let tried = service.try_cell(wallet.client(), cell);
        let deed = match &tried.result {
            Ok(()) => {
                // LDK asks the node that takes the channel, and LND waits for a block of its own
                // where it has not proposed otherwise.
                let ready_at_once = cell.trusted && (cell.zero_conf || service.is_ldk);
                let is_ready = || state(&tried.request) == ChannelRequestState::Ready;
                match ready_at_once {
                    true => wait_for("the channel without a block", || is_ready().then_some(())),
                    false => assert!(!is_ready(), "{cell:?}: ready without a block"),
                }
                wallet.confirm(&tried.channel_id());
                let why = match tried.objection() {
                    _ if tried.predicted.is_empty() => None,
                    Some(Objection::Reserve) => Some(PROPOSED_AGAIN),
                    _ => (!cell.anchors).then_some(NO_ANCHORS),
                };
                Deed::Took { ready_at_once, why }
            }
            Err(_) => Deed::TurnedDown(tried.objection().unwrap_or_else(|| {
                let log = wallet.log().split_off(logged);
                panic!(
                    "{cell:?}: {:?}; {:?}; {log:#?}",
                    tried.result, tried.concerns
                )
            })),
        };
        let finding = Finding {
            predicted: tried.predicted,
            deed,
            concerns: tried.concerns,
        };
        self.proofs.say(&format!("{cell:?}: {finding:?}"));
        finding.keeps_the_promises(&cell);
        finding
    }
}

/// What came of a cell. The peer's words where the channel did not come.
struct Tried {
    request: Arc<ChannelRequest>,
    predicted: Vec<ChannelConcern>,
    concerns: Vec<ChannelConcern>,
    result: Result<(), String>,
}

impl Tried {
    fn channel_id(&self) -> String {
        let channel = self.request.snapshot().channel;
        let id = channel.expect("the channel that came").channel_id;
        id.expect("a funded channel has an id")
    }

    /// What the node had against the channel, or against one that was proposed before it.
    fn objection(&self) -> Option<Objection> {
        // LND keeps the reason from its peer, and the wallet has it from its own report.
        if self.concerns.contains(&ChannelConcern::ZeroConfRefused) {
            return Some(Objection::ZeroConf);
        }
        let reasons = self.concerns.iter().filter_map(|concern| match concern {
            ChannelConcern::ProposalFailed { reason } => reason.as_deref(),
            _ => None,
        });
        let words = self.result.as_ref().err().map(String::as_str);
        reasons.chain(words).find_map(Objection::of)
    }
}

impl Service {
    fn start(
        opener: impl Opener + 'static,
        proposes: Vec<Terms>,
        terms: Arc<Mutex<Terms>>,
        cert: &Path,
        key: &Path,
    ) -> Self {
        let id = opener.id();
        let is_ldk = id != Lnd::named("service").id();
        let front = LndFront::start(opener);
        let npm = NpmLnurl::start(&front.backend(), cert, key);
        Self {
            id,
            is_ldk,
            proposes,
            terms,
            front,
            npm,
        }
    }

    fn try_cell(&self, client: &ChannelClient, cell: Cell) -> Tried {
        *self.terms.lock().unwrap() = Terms {
            anchors: cell.anchors,
            zero_conf: cell.zero_conf,
        };
        let failures = self.front.failed().len();
        let offer = self.npm.offer(CAPACITY_SAT, 0);
        let request = fetch(client, &offer.lnurl).expect("an offer");
        let visibility = cell.announced.visibility();
        let predicted = block_on(request.preflight(visibility)).expect("the node answers");
        let result = match block_on(request.accept(visibility)) {
            Ok(ChannelOutcome::Funded { .. }) => Ok(()),
            Err(LnurlChannelError::Refused { .. }) => {
                let failed = self.front.failed().split_off(failures);
                Err(failed.into_iter().next().expect("the peer tells why"))
            }
            other => panic!("{cell:?}: {other:?}"),
        };
        let concerns = request.snapshot().concerns;
        Tried {
            request,
            predicted,
            concerns,
            result,
        }
    }
}
