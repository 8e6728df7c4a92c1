//! Names that lead astray: a DNS server, and private addresses that count who comes.
//!
//! Both need the system's resolver to ask us, so that a cell with names is played by a process of
//! its own, in a network of its own (`network.c`).

use std::fs;
use std::net::{IpAddr, Ipv4Addr, TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;

use super::certificates::Authority;
use super::listener::{Listener, bind};
use super::runner::{self, Cell};
use super::support::c::compile;
use super::support::scene::wait_until;

/// The service's address. It looks like any other on the internet, and in this network is ours.
pub const PUBLIC: Ipv4Addr = Ipv4Addr::new(11, 22, 33, 44);
/// Where nobody may come.
const PRIVATE: [&str; 5] = [
    "127.0.0.1",
    "10.0.0.1",
    "192.168.0.1",
    "100.64.0.1",
    "169.254.169.254",
];
const PRIVATE_V6: [&str; 2] = ["::1", "fc00::1"];
/// A name that is private whatever the fault.
const INSIDE: &[u8] = b"\x06inside\x07example\x00";

/// What is wrong with the service's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameFault {
    None,
    /// It leads to these addresses.
    LeadsTo(&'static [&'static str]),
    /// It leads to the service once, and to this address from then on.
    Rebinds(&'static str),
    NotFound,
    ServerFails,
    Silent,
    HasNoAddress,
}

impl NameFault {
    pub fn needs_v6(self) -> bool {
        matches!(self, NameFault::LeadsTo(to) if to.iter().any(|to| to.contains(':')))
    }
}

struct Shared {
    fault: Mutex<NameFault>,
    struck: AtomicBool,
    trapped: AtomicUsize,
}

pub struct Names {
    shared: Arc<Shared>,
    _traps: Vec<Listener>,
}

impl Names {
    /// A trap is set at `port` of every private address.
    pub fn start(port: u16) -> Names {
        let shared = Arc::new(Shared {
            fault: Mutex::new(NameFault::None),
            struck: AtomicBool::new(false),
            trapped: AtomicUsize::new(0),
        });
        let socket = UdpSocket::bind("127.0.0.1:53").expect("a network of our own");
        let serving = shared.clone();
        thread::spawn(move || serving.serve(&socket));
        let mut traps = Vec::new();
        for address in PRIVATE.iter().chain(&PRIVATE_V6) {
            let address: IpAddr = address.parse().unwrap();
            let Ok(listener) = bind(address, port) else {
                assert!(address.is_ipv6(), "{address} is ours");
                continue;
            };
            let counting = shared.clone();
            traps.push(Listener::start(listener, move |_| {
                counting.trapped.fetch_add(1, Ordering::SeqCst);
            }));
            // A trap that would catch nobody would show nothing.
            TcpStream::connect((address, port)).unwrap();
        }
        let count = traps.len();
        wait_until("the traps work", || {
            shared.trapped.load(Ordering::SeqCst) == count
        });
        shared.trapped.store(0, Ordering::SeqCst);
        Names {
            shared,
            _traps: traps,
        }
    }

    pub fn set(&self, fault: NameFault) {
        *self.shared.fault.lock().unwrap() = fault;
    }

    /// Whether the fault that is set, if one is, has met somebody.
    pub fn has_struck(&self) -> bool {
        let fault = *self.shared.fault.lock().unwrap();
        fault == NameFault::None || self.shared.struck.load(Ordering::SeqCst)
    }

    /// How many came to a private address.
    pub fn trapped(&self) -> usize {
        self.shared.trapped.load(Ordering::SeqCst)
    }
}

// ---- DNS ----

const A: u16 = 1;
const AAAA: u16 = 28;
const SERVER_FAILS: u8 = 2;
const NOT_FOUND: u8 = 3;

impl Shared {
    fn serve(&self, socket: &UdpSocket) {
        let mut query = [0; 512];
        while let Ok((length, from)) = socket.recv_from(&mut query) {
            if let Some(answer) = self.answer(&query[..length]) {
                socket.send_to(&answer, from).unwrap();
            }
        }
    }

    fn answer(&self, query: &[u8]) -> Option<Vec<u8>> {
        let name_length = query[12..].iter().position(|byte| *byte == 0)? + 1;
        let (name, rest) = query[12..].split_at(name_length);
        let kind = u16::from_be_bytes([rest[0], rest[1]]);
        let question = &query[12..12 + name_length + 4];
        let mut fault = self.fault.lock().unwrap();
        if name == INSIDE {
            return Some(answer(query, question, 0, kind, &["10.0.0.1"]));
        }
        let struck = *fault != NameFault::None;
        self.struck.fetch_or(struck, Ordering::SeqCst);
        let service = PUBLIC.to_string();
        let (code, addresses) = match *fault {
            NameFault::None => (0, vec![service.as_str()]),
            NameFault::LeadsTo(addresses) => (0, addresses.to_vec()),
            NameFault::Rebinds(address) => {
                if kind == A {
                    *fault = NameFault::LeadsTo(private(address));
                }
                (0, vec![service.as_str()])
            }
            NameFault::NotFound => (NOT_FOUND, vec![]),
            NameFault::ServerFails => (SERVER_FAILS, vec![]),
            NameFault::HasNoAddress => (0, vec![]),
            NameFault::Silent => return None,
        };
        Some(answer(query, question, code, kind, &addresses))
    }
}

/// As a list that lives for ever.
fn private(address: &str) -> &'static [&'static str] {
    let place = PRIVATE.iter().position(|private| *private == address);
    std::slice::from_ref(&PRIVATE[place.expect("an address with a trap")])
}

/// Good for no time at all, so that nobody keeps it.
fn answer(query: &[u8], question: &[u8], code: u8, kind: u16, addresses: &[&str]) -> Vec<u8> {
    let addresses = addresses.iter().map(|text| text.parse().unwrap());
    let of_kind: Vec<Vec<u8>> = addresses
        .filter_map(|address| match (kind, address) {
            (A, IpAddr::V4(address)) => Some(address.octets().to_vec()),
            (AAAA, IpAddr::V6(address)) => Some(address.octets().to_vec()),
            _ => None,
        })
        .collect();
    let mut answer = query[..2].to_vec();
    answer.extend([0x81, 0x80 | code, 0, 1, 0, of_kind.len() as u8, 0, 0, 0, 0]);
    answer.extend(question);
    for address in of_kind {
        answer.extend([0xc0, 12]);
        answer.extend(kind.to_be_bytes());
        answer.extend([0, 1, 0, 0, 0, 0, 0, address.len() as u8]);
        answer.extend(address);
    }
    answer
}

// ---- the network ----

const CELL: &str = "LNURL_CHANNEL_FAULTS_CELL";
/// What `network.c` ends with where it is not permitted.
const NOT_PERMITTED: i32 = 77;

/// Panics where the cell does not hold; an error if this machine gives us no network of our own.
pub fn run_in_own_network(number: usize, cell: &Cell) -> Result<(), String> {
    if !cfg!(target_os = "linux") {
        return Err("only Linux gives a network of our own".into());
    }
    static TOOLS: OnceLock<Tools> = OnceLock::new();
    let tools = TOOLS.get_or_init(Tools::new);
    let mut addresses = vec![PUBLIC.to_string()];
    // Loopback has its own.
    addresses.extend(PRIVATE[1..].iter().map(|address| address.to_string()));
    if cell.needs_v6() {
        addresses.push(PRIVATE_V6[1].to_owned());
    }
    let output = Command::new(&tools.program)
        .args([&tools.resolv, &tools.nsswitch])
        .arg(addresses.join(","))
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "in_own_network", "--nocapture"])
        .env(CELL, number.to_string())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    match output.status.code() {
        Some(0) => Ok(()),
        Some(NOT_PERMITTED) => Err(format!("no network of our own: {}", said.trim())),
        _ => panic!("{said}"),
    }
}

pub fn run_if_asked(cells: impl FnOnce() -> Vec<Cell>) {
    let Ok(number) = std::env::var(CELL) else {
        return;
    };
    let cell = cells().swap_remove(number.parse().unwrap());
    runner::run(&cell, &Authority::new()).expect("names can be injected here");
}

struct Tools {
    program: PathBuf,
    resolv: PathBuf,
    nsswitch: PathBuf,
}

impl Tools {
    fn new() -> Tools {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("faults-network");
        fs::create_dir_all(&folder).unwrap();
        let tools = Tools {
            program: folder.join("network"),
            resolv: folder.join("resolv.conf"),
            nsswitch: folder.join("nsswitch.conf"),
        };
        compile("tests/faults/network.c", &tools.program, &[]);
        let resolv = "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n";
        fs::write(&tools.resolv, resolv).unwrap();
        fs::write(&tools.nsswitch, "hosts: files dns\n").unwrap();
        tools
    }
}
