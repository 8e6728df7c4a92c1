//! Plays one cell.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use lnurl_channel::{
    ChannelClient, ChannelRequest, ChannelRequestState, ClientConfig, LnurlChannelError,
};

use super::certificates::Authority;
use super::disk::{Disk, DiskFault};
use super::names::NameFault;
use super::proxy::ProxyFault;
use super::service::{Fault, Seen};
use super::support::block_on;
use super::support::plain::unwanted;
use super::support::scene::{kept, start_accept, state, wait_for_state, wait_until};
use super::world::{How, Method, Node, Place, World, once_free};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    Fetch,
    Connect,
    Callback,
    Wait,
    HostedSend,
    HostedWait,
    Cancel,
    Journal,
}

impl Stage {
    pub const ALL: [Stage; 8] = [
        Stage::Fetch,
        Stage::Connect,
        Stage::Callback,
        Stage::Wait,
        Stage::HostedSend,
        Stage::HostedWait,
        Stage::Cancel,
        Stage::Journal,
    ];
}

/// Something done while the channel is awaited.
pub type Meanwhile = fn(&World, &Arc<ChannelRequest>);

/// What becomes of a record.
pub type Damage = fn(&str) -> Vec<u8>;

/// Makes a folder unusable; what it returns mends that.
pub type Unusable = fn(&World) -> Box<dyn FnOnce()>;

/// Which write fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Point {
    Accept,
    Ask,
    HostedAsk,
    Answer,
    Report,
    Cancel,
    Dismiss,
}

/// What the cell does to the world.
pub enum Inject {
    Service(Fault),
    /// The service fails, and yet the channel comes.
    ServiceAndChannel(Fault),
    /// The service fails until the node has connected, and the channel comes if that was all.
    UntilConnected(Fault),
    /// The service fails while the node connects, and goes on to.
    FromConnect(Fault),
    Proxy(ProxyFault),
    /// The service's name leads astray, and the service may fail besides.
    Name(NameFault, Fault),
    /// This LNURL; `{port}` is the service's.
    Url(&'static str),
    Wallet(Method, How),
    /// The wallet's code fails, and yet the channel comes.
    WalletAndChannel(Method, How),
    Meanwhile(Meanwhile),
    Disk(Point, DiskFault),
    /// The record of one of two requests becomes this.
    Record(Damage),
    /// The folder is unusable when a client opens it.
    Folder(Unusable),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    InvalidLnurl,
    UnsupportedTag,
    UnsafeUrl,
    TorRequired,
    Unreachable,
    InvalidResponse,
    OwnNode,
    Refused,
    NodeFailed,
    NoChannel,
    Cancelled,
    WrongState,
    StorageFailed,
    InvalidConfig,
}

impl Kind {
    fn of(error: &LnurlChannelError) -> Kind {
        use LnurlChannelError as E;
        match error {
            E::InvalidLnurl { .. } => Kind::InvalidLnurl,
            E::UnsupportedTag { .. } => Kind::UnsupportedTag,
            E::UnsafeUrl { .. } => Kind::UnsafeUrl,
            E::TorRequired { .. } => Kind::TorRequired,
            E::Unreachable { .. } => Kind::Unreachable,
            E::InvalidResponse { .. } => Kind::InvalidResponse,
            E::Refused { .. } => Kind::Refused,
            E::NodeFailed { .. } => Kind::NodeFailed,
            E::OwnNode => Kind::OwnNode,
            E::NoChannel { .. } => Kind::NoChannel,
            E::Cancelled => Kind::Cancelled,
            E::WrongState { .. } => Kind::WrongState,
            E::StorageFailed { .. } => Kind::StorageFailed,
            E::InvalidConfig { .. } => Kind::InvalidConfig,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Works,
    Fails(Kind),
}

pub struct Cell {
    pub stage: Stage,
    pub fault: String,
    pub place: Place,
    pub inject: Inject,
    pub end: End,
    /// None where there is no request yet.
    pub state: Option<ChannelRequestState>,
    pub seen: Seen,
    /// The fault has ended the client, so that the next try needs another.
    pub reopen: bool,
}

impl Cell {
    pub fn name(&self) -> String {
        format!("{:?} | {}", self.stage, self.fault)
    }

    pub fn columns(&self) -> String {
        let end = match self.end {
            End::Works => "success".to_owned(),
            End::Fails(kind) => format!("{kind:?}"),
        };
        let state = self.state.map_or("none".to_owned(), |s| format!("{s:?}"));
        let s = self.seen;
        let seen = [s.offers, s.callbacks, s.cancels, s.hops, s.messages];
        let seen = seen.map(|count| count.to_string()).join("/");
        format!("{} | {end} | {state} | {seen}", self.name())
    }

    pub fn needs_v6(&self) -> bool {
        matches!(self.inject, Inject::Name(fault, _) if fault.needs_v6())
    }

    fn hosted(&self) -> bool {
        let hosted_write = matches!(self.inject, Inject::Disk(Point::HostedAsk, _));
        hosted_write || matches!(self.stage, Stage::HostedSend | Stage::HostedWait)
    }
}

/// Panics where the cell does not hold; an error if the fault cannot be injected here.
pub fn run(cell: &Cell, authority: &Authority) -> Result<(), String> {
    let disk = match cell.inject {
        Inject::Disk(_, fault) => Disk::for_fault(fault)?,
        _ => Disk::plain(),
    };
    let world = World::new(cell.place, cell.hosted(), disk, authority);
    match (&cell.inject, cell.stage) {
        (Inject::Record(damage), _) => damaged_record(cell, &world, *damage),
        (Inject::Folder(damage), _) => unusable_folder(cell, &world, *damage),
        (Inject::Disk(point, fault), _) => failing_write(cell, &world, *point, *fault),
        (_, Stage::Fetch) => fetch(cell, &world),
        (_, Stage::Cancel) => cancel(cell, &world),
        _ => accept_and_wait(cell, &world),
    }
    assert_eq!(world.trapped(), 0, "connections to private addresses");
    let early = world.service.early_callbacks();
    assert_eq!(early, 0, "callbacks before the node was connected");
    Ok(())
}

// ---- the stages ----

fn fetch(cell: &Cell, world: &World) {
    let url = match &cell.inject {
        Inject::Url(url) => url.replace("{port}", &world.service.port().to_string()),
        _ => world.service.url(),
    };
    inject(cell, world);
    assert_ends(cell, world.fetch_from(&url).map(drop));
    assert_eq!(kept(&world.client()), [""; 0]);
    assert_seen(cell, world);
    for method in [
        Method::NodeId,
        Method::Readiness,
        Method::Connect,
        Method::Change,
    ] {
        assert_eq!(world.node.count(method), 0, "the wallet was not asked");
    }
    world.assert_struck();
    world.heal();
    let request = world.fetch().expect("the next fetch works");
    world.complete(&request);
}

fn accept_and_wait(cell: &Cell, world: &World) {
    let request = world.fetch().expect("a healthy service");
    let during = matches!(cell.inject, Inject::Meanwhile(_));
    if !during {
        inject(cell, world);
    }
    let call = start_accept(&request);
    match &cell.inject {
        Inject::Meanwhile(act) => {
            wait_for_state(&request, ChannelRequestState::Awaiting);
            act(world, &request);
        }
        Inject::ServiceAndChannel(fault) => {
            wait_until("the service was asked", || {
                let seen = world.seen();
                seen.callbacks > 0
                    || matches!(fault, Fault::ResetUnread) && world.service.has_struck()
            });
            world.deliver(&request);
        }
        Inject::WalletAndChannel(..) | Inject::UntilConnected(..) => {
            wait_for_state(&request, ChannelRequestState::Awaiting);
            world.deliver(&request);
        }
        _ => {}
    }
    assert_ends(cell, call.end().map(drop));
    assert_kept(cell, world, &request);
    go_on(cell, world, &request);
}

fn cancel(cell: &Cell, world: &World) {
    let request = world.awaiting();
    inject(cell, world);
    let start = Instant::now();
    assert_ends(cell, block_on(request.cancel()));
    assert!(start.elapsed() < Duration::from_secs(9), "it took too long");
    assert_kept(cell, world, &request);
    let verdict = world
        .client()
        .report_incoming_channel(super::world::proposal(super::service::PEER_ID));
    assert_eq!(verdict, unwanted(&request), "a late channel");
    block_on(request.cancel()).expect("a second cancel does nothing");
    assert_seen(cell, world);
    world.assert_struck();
    world.heal();
    world.complete(&request);
}

fn failing_write(cell: &Cell, world: &World, point: Point, fault: DiskFault) {
    let request = match point {
        Point::Cancel => world.awaiting(),
        Point::Dismiss => world.refused(),
        _ => world.fetch().expect("a healthy service"),
    };
    let break_it = {
        let (disk, id) = (world.disk.clone(), request.request_id());
        move || disk.break_for(fault, &id)
    };
    let result = match point {
        Point::Cancel => {
            break_it();
            block_on(request.cancel())
        }
        Point::Dismiss => {
            break_it();
            block_on(request.dismiss())
        }
        Point::Report => {
            let call = start_accept(&request);
            wait_for_state(&request, ChannelRequestState::Awaiting);
            break_it();
            world.deliver(&request);
            call.end().map(drop)
        }
        Point::Accept | Point::Ask | Point::HostedAsk | Point::Answer => {
            match point {
                Point::Accept => break_it(),
                Point::Answer => world.service.on_callback(Box::new(break_it)),
                _ => world.node.within(Method::Connect, Box::new(break_it)),
            }
            start_accept(&request).end().map(drop)
        }
    };
    assert_ends(cell, result);
    assert_kept(cell, world, &request);
    if point == Point::Accept {
        assert_eq!(world.node.count(Method::Connect), 0);
    }
    world.heal();
    let unwritten = match point {
        Point::Answer => Some("\"Agreed\""),
        Point::Report => Some("\"Arrived\""),
        _ => None,
    };
    if let Some(unwritten) = unwritten {
        let record = fs::read_to_string(world.disk.file(&request.request_id(), "json"));
        assert!(!record.unwrap().contains(unwritten), "it was written");
    }
    world.complete(&request);
    let end = state(&request);
    world.reopen().expect("the folder is well");
    let next = world.client().request(request.request_id());
    let next = next.expect("the record is there");
    assert_eq!(state(&next), end, "after a restart");
}

fn damaged_record(cell: &Cell, world: &World, damage: Damage) {
    let (damaged, other) = (world.awaiting(), world.awaiting_another());
    block_on(world.client().shutdown());
    let path = world.disk.file(&damaged.request_id(), "json");
    let whole = fs::read_to_string(&path).unwrap();
    let content = damage(&whole);
    assert_ne!(content, whole.as_bytes(), "there is no damage");
    fs::write(&path, &content).unwrap();
    assert_ends(cell, world.reopen());
    let client = world.client();
    assert_eq!(kept(&client), [other.request_id()]);
    assert!(client.request(damaged.request_id()).is_none());
    // Set aside without its secrets, or left for the later version that wrote it.
    let aside = world.disk.file(&damaged.request_id(), "damaged");
    match fs::read(aside) {
        Ok(aside) => assert!(!String::from_utf8_lossy(&aside).contains("hush")),
        Err(_) => assert_eq!(fs::read(&path).unwrap(), content, "kept to the letter"),
    }
    assert_seen(cell, world);
    let other = client.request(other.request_id()).unwrap();
    assert_eq!(Some(state(&other)), cell.state);
    world.complete(&other);
}

fn unusable_folder(cell: &Cell, world: &World, damage: Unusable) {
    let request = world.awaiting();
    block_on(world.client().shutdown());
    let mend = damage(world);
    assert_ends(cell, world.open().map(drop));
    assert_seen(cell, world);
    mend();
    world.reopen().expect("the folder is well");
    let request = world.client().request(request.request_id());
    let request = request.expect("nothing was lost");
    assert_eq!(Some(state(&request)), cell.state);
    world.complete(&request);
}

// ---- what they share ----

fn inject(cell: &Cell, world: &World) {
    match &cell.inject {
        Inject::Service(fault) | Inject::ServiceAndChannel(fault) => {
            world.service.set(fault.clone());
        }
        Inject::UntilConnected(fault) | Inject::FromConnect(fault) => {
            world.service.set(fault.clone());
            let service = world.service.clone();
            let heals = matches!(cell.inject, Inject::UntilConnected(_));
            let meet = move || {
                wait_until("the fault is met", || service.has_struck());
                if heals {
                    service.set(Fault::None);
                }
            };
            world.node.within(Method::Connect, Box::new(meet));
        }
        Inject::Proxy(fault) => world.proxy.as_ref().unwrap().set(*fault),
        Inject::Name(name, fault) => {
            world.names.as_ref().unwrap().set(*name);
            world.service.set(fault.clone());
        }
        Inject::Wallet(method, how) | Inject::WalletAndChannel(method, how) => {
            world.node.set(*method, how.clone());
        }
        _ => {}
    }
}

fn go_on(cell: &Cell, world: &World, request: &Arc<ChannelRequest>) {
    world.assert_struck();
    world.heal();
    if !cell.reopen {
        world.complete(request);
        return;
    }
    world.reopen().expect("the folder is well");
    match world.client().request(request.request_id()) {
        Some(request) => world.complete(&request),
        // Nothing is kept of it.
        None => world.complete(&world.fetch().expect("the next fetch works")),
    }
}

fn assert_ends(cell: &Cell, result: Result<(), LnurlChannelError>) {
    let end = match &result {
        Ok(()) => End::Works,
        Err(error) => End::Fails(Kind::of(error)),
    };
    assert_eq!(end, cell.end, "{result:?}");
}

fn assert_kept(cell: &Cell, world: &World, request: &ChannelRequest) {
    assert_eq!(Some(state(request)), cell.state);
    assert_seen(cell, world);
}

/// A service may still be reading what the client has sent, so that it is given a moment.
fn assert_seen(cell: &Cell, world: &World) {
    let start = Instant::now();
    while world.seen() != cell.seen && start.elapsed() < Duration::from_millis(500) {
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(world.seen(), cell.seen, "what was seen");
}

// ---- another process ----

const LOCK_FOLDER: &str = "LNURL_CHANNEL_FAULTS_LOCK";

/// Another process, with a client on the folder, until it is killed.
pub fn another_process_holds_the_folder(world: &World) -> Box<dyn FnOnce()> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "lock_holder", "--nocapture"])
        .env(LOCK_FOLDER, world.disk.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().ends_with("locked")));
    Box::new(move || end(&mut child))
}

fn end(child: &mut Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

pub fn hold_lock_if_asked() {
    let Ok(folder) = std::env::var(LOCK_FOLDER) else {
        return;
    };
    let config = ClientConfig {
        storage_dir: Some(folder),
        ..ClientConfig::default()
    };
    let open = || {
        ChannelClient::new(
            Box::new(Arc::<Node>::default()),
            Box::new(Arc::<Node>::default()),
            config.clone(),
        )
    };
    let _client = once_free(open).unwrap();
    println!("locked");
    std::io::stdout().flush().unwrap();
    // Until killed, or until the test is gone.
    let _ = std::io::stdin().read(&mut [0]);
}
