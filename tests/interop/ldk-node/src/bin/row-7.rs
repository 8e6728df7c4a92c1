//! Row 7: what `preflight` says of a channel, and what real nodes then do. The npm package `lnurl` is
//! the service, on an LND and on LDK nodes.
//!
//! `row-7 CERT KEY FOLDER DOCUMENT`: the certificate that the service shows, its key, where the nodes
//! keep what they store, and the document that has the table.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use interop_ldk_node::app::{App, Settings, wait_for};
use interop_ldk_node::chain::{self, Purse};
use interop_ldk_node::grid::{Announced, Cell, Deed, Finding, Funds, Grid, Objection};
use interop_ldk_node::grid::{tables, write};
use interop_ldk_node::peer::{Peer, PeerOpener};
use lnurl_channel::{
    ChannelConcern, ChannelOutcome, ChannelRequest, ChannelRequestState, LnurlChannelError,
};
use lnurl_channel_interop::support::block_on;
use lnurl_channel_interop::support::scene::state;
use lnurl_channel_interop::{Asked, Lnd, LndFront, LndOpener, NpmLnurl, Opener, Proofs, Terms};

const CAPACITY_SAT: u64 = 200_000;
/// Less than the 25,000 that ldk-node keeps for a channel with anchors.
const BELOW_SAT: u64 = 10_000;
/// More than it keeps for all the channels here.
const ABOVE_SAT: u64 = 2_000_000;
const PEER_SAT: u64 = 500_000_000;

/// Where the node takes a channel, and the peer gives it up: its words, and what they mean.
const GIVEN_UP: [(&str, &str); 1] = [(
    "non-zero-conf channel has min depth zero",
    "the node wants no block, and LND had not proposed zero-conf",
)];
const NO_ANCHORS: &str = "it has no anchors";
const PROPOSED_AGAIN: &str = "LDK proposed it again without anchors";

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [cert, key, folder, document] = arguments.as_slice() else {
        eprintln!("usage: row-7 CERT KEY FOLDER DOCUMENT");
        std::process::exit(2);
    };
    let parts = Parts::start(Path::new(cert), Path::new(key), Path::new(folder));
    let mut grids = Vec::new();
    parts.ldk_node(&mut grids);
    let changed = write(Path::new(document), "grid", &tables(&grids));
    parts.proofs.say(match changed {
        true => "the table has changed, and is written",
        false => "the table says so already",
    });
}

/// Peers of one implementation, and what each of them proposes.
struct Side {
    name: String,
    /// By whether they propose anchors.
    services: Vec<(Vec<Terms>, Service)>,
    left_out: Vec<&'static str>,
}

struct Service {
    is_ldk: bool,
    id: String,
    uri: String,
    terms: Arc<Mutex<Terms>>,
    front: LndFront,
    npm: NpmLnurl,
}

struct Parts {
    purse: Purse,
    folder: PathBuf,
    authority: String,
    sides: Vec<Side>,
    proofs: Proofs,
}

impl Parts {
    fn start(cert: &Path, key: &Path, folder: &Path) -> Self {
        let proofs = Proofs::default();
        let purse = Purse::fill();
        let ldk = [true, false].map(|anchors| {
            let peer = Peer::start(&folder.join(format!("peer-{anchors}")), anchors);
            let address = peer.node.onchain_payment().new_address();
            purse.pay(&address.expect("an address").to_string(), PEER_SAT);
            wait_for("the peer's funds", || {
                let balances = peer.node.list_balances();
                (balances.spendable_onchain_balance_sats > 0).then_some(())
            });
            let terms = Terms {
                anchors,
                zero_conf: false,
            };
            let service = Service::start(
                PeerOpener(peer),
                true,
                Arc::new(Mutex::new(terms)),
                cert,
                key,
            );
            (vec![terms], service)
        });
        let lnd = Parts::lnd(&ldk[0].1, cert, key);
        let ldk = Side {
            name: format!("LDK (ldk-node {})", "0.7.1"),
            services: ldk.into(),
            left_out: vec![
                "LDK never proposes a zero-conf channel: the node that takes it decides.",
            ],
        };
        proofs.say("the services run");
        Self {
            purse,
            folder: folder.to_owned(),
            authority: std::fs::read_to_string(cert).expect("the certificate is there"),
            sides: vec![lnd, ldk],
            proofs,
        }
    }

    fn lnd(other: &Service, cert: &Path, key: &Path) -> Side {
        let lnd = Lnd::named("service");
        let terms = |anchors, zero_conf| Terms { anchors, zero_conf };
        let all = vec![terms(true, false), terms(false, false), terms(true, true)];
        let opener = LndOpener {
            lnd,
            terms: Arc::new(Mutex::new(all[0])),
        };
        let set = opener.terms.clone();
        // The one that LND does not propose, to a peer that would hear of it.
        let connected = opener.lnd.ask(&["connect", &other.uri]);
        connected.expect("the peer listens");
        let asked = Asked {
            peer_id: other.id.clone(),
            capacity_sat: CAPACITY_SAT,
            push_sat: 0,
            private: true,
        };
        *set.lock().unwrap() = terms(false, true);
        opener.open(&asked).expect("LND opens it");
        // A zero-conf channel would be none of them.
        let pending = opener.lnd.ask(&["pendingchannels"]).expect("LND answers");
        assert_ne!(pending["pending_open_channels"], serde_json::json!([]));
        chain::mine(1);
        Side {
            name: "LND".to_owned(),
            services: vec![(all, Service::start(opener, false, set, cert, key))],
            left_out: vec![
                "LND proposes no zero-conf channel without anchors: told to, it proposes an ordinary one.",
            ],
        }
    }

    fn peer_ids(&self) -> Vec<String> {
        let services = self.sides.iter().flat_map(|side| &side.services);
        services.map(|(_, service)| service.id.clone()).collect()
    }

    /// ldk-node as the wallet's node: one for each of its settings, and on it the cells of all peers.
    fn ldk_node(&self, grids: &mut Vec<(String, Grid, Vec<&str>)>) {
        let mut found: Vec<Grid> = self.sides.iter().map(|_| Grid::default()).collect();
        for funds in [Funds::None, Funds::Below, Funds::Above] {
            for trusted in [false, true] {
                for set_up in [false, true] {
                    let app = self.start_ldk_node(funds, trusted, set_up);
                    let announced = match set_up {
                        true => &[Announced::SetUp][..],
                        false => &[Announced::No, Announced::Yes],
                    };
                    for (side, grid) in self.sides.iter().zip(&mut found) {
                        for &announced in announced {
                            for (terms, service) in &side.services {
                                for &Terms { anchors, zero_conf } in terms {
                                    let cell = Cell {
                                        funds,
                                        trusted,
                                        announced,
                                        anchors,
                                        zero_conf,
                                    };
                                    grid.add(cell, self.try_ldk_node(&app, service, cell));
                                }
                            }
                        }
                    }
                    app.stop();
                }
            }
        }
        for (side, grid) in self.sides.iter().zip(found) {
            let name = format!("ldk-node, from {}", side.name);
            self.proofs.say(&format!("{name}: {} cells", grid.cells()));
            grids.push((name, grid, side.left_out.clone()));
        }
    }

    fn start_ldk_node(&self, funds: Funds, trusted: bool, announces: bool) -> App {
        let ids = self.peer_ids().into_iter();
        let settings = Settings {
            announces,
            trusted: ids
                .filter(|_| trusted)
                .map(|id| id.parse().expect("a key"))
                .collect(),
        };
        let name = format!("wallet-{funds:?}-{trusted}-{announces}");
        let app = App::start(&self.folder.join(name), settings, self.authority.clone());
        let amount = match funds {
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
        app
    }

    fn try_ldk_node(&self, app: &App, service: &Service, cell: Cell) -> Finding {
        let logged = app.log().len();
        let tried = service.try_cell(app, cell);
        let log = app.log().split_off(logged);
        let deed = match &tried.result {
            Ok(()) => {
                let snapshot = tried.request.snapshot();
                let channel = snapshot.channel.expect("the channel that came");
                // LDK asks the node that takes the channel, and LND waits for a block of its own
                // where it has not proposed otherwise.
                let ready_at_once = cell.trusted && (cell.zero_conf || service.is_ldk);
                let is_ready = || state(&tried.request) == ChannelRequestState::Ready;
                match ready_at_once {
                    true => wait_for("the channel without a block", || is_ready().then_some(())),
                    false => assert!(!is_ready(), "{cell:?}: ready without a block"),
                }
                let id = channel.channel_id.expect("a funded channel has an id");
                confirm(app, &id);
                let rejected = log
                    .iter()
                    .any(|line| line.contains("Rejecting inbound Anchor"));
                let why = match (tried.predicted.is_empty(), rejected) {
                    (true, _) => None,
                    (false, true) => Some(PROPOSED_AGAIN),
                    (false, false) => (!cell.anchors).then_some(NO_ANCHORS),
                };
                Deed::Took { ready_at_once, why }
            }
            Err(words) => {
                let reasons = tried.concerns.iter().filter_map(|concern| match concern {
                    ChannelConcern::ProposalFailed { reason } => reason.as_deref(),
                    _ => None,
                });
                match reasons.chain([words.as_str()]).find_map(Objection::of) {
                    Some(objection) => Deed::TurnedDown(objection),
                    None => {
                        let known = GIVEN_UP.iter().find(|(part, _)| words.contains(part));
                        let (_, why) = known.unwrap_or_else(|| {
                            panic!("{cell:?}: {words}; {:?}; {log:#?}", tried.concerns)
                        });
                        Deed::GivenUp(why)
                    }
                }
            }
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

/// Mines the channel's funding, and waits until the wallet's node counts it.
fn confirm(app: &App, channel_id: &str) {
    let shown = || {
        let mut channels = app.node.list_channels().into_iter();
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

/// What came of a cell. The peer's words where the channel did not come.
struct Tried {
    request: Arc<ChannelRequest>,
    predicted: Vec<ChannelConcern>,
    concerns: Vec<ChannelConcern>,
    result: Result<(), String>,
}

impl Service {
    fn start(
        opener: impl Opener + 'static,
        is_ldk: bool,
        terms: Arc<Mutex<Terms>>,
        cert: &Path,
        key: &Path,
    ) -> Self {
        let (id, uri) = (opener.id(), opener.uri());
        let front = LndFront::start(opener);
        let npm = NpmLnurl::start(&front.backend(), cert, key);
        Self {
            is_ldk,
            id,
            uri,
            terms,
            front,
            npm,
        }
    }

    fn try_cell(&self, app: &App, cell: Cell) -> Tried {
        *self.terms.lock().unwrap() = Terms {
            anchors: cell.anchors,
            zero_conf: cell.zero_conf,
        };
        let failures = self.front.failed().len();
        let request = app.fetch(&self.npm.offer(CAPACITY_SAT, 0).lnurl);
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
