//! What holds whatever happens, in any order: of the inputs that the engine could bring, of what
//! the wallet reports, of a disk that fails, and of restarts.

use std::collections::HashMap;

use proptest::prelude::*;

use super::ChannelRequestState::{Connecting, Offered};
use super::*;

/// Something that happens. What cannot happen when its turn comes is left out.
#[derive(Clone, Debug)]
enum Happening {
    /// An input, by name, to the request at this place.
    Input(usize, &'static str),
    /// A task of the running call ends, in one of its ways.
    TaskEnds(usize, usize),
    /// The wallet reports a channel by number.
    Channel(usize, Report),
    ChannelFails(usize),
    /// The host sends a message.
    Host(&'static str),
    Disk {
        full: bool,
    },
    Wait(u64),
    Restart,
}

#[derive(Clone, Copy, Debug)]
struct Report {
    stage: ChannelStage,
    is_announced: Option<bool>,
}

/// Named twice, it comes twice as often.
const USER: [&str; 9] = [
    "accept",
    "accept",
    "accept announced",
    "accept announced",
    "resume",
    "resume",
    "pause",
    "decline",
    "cancel",
];
const HOST: [&str; 4] = ["host offers", "host exists", "host refuses", "host babbles"];
const TASK_ENDS: [&str; 16] = [
    "node ok",
    "node ok",
    "node ok",
    "node failed",
    "connected",
    "connected",
    "connected",
    "connect failed",
    "written",
    "written",
    "agreed",
    "agreed",
    "refused",
    "lost",
    "not sent",
    "time over",
];
const CHANNELS: usize = 5;

fn happening() -> impl Strategy<Value = Happening> {
    let at = 0..2_usize;
    let stage = prop_oneof![Just(ChannelStage::Proposed), Just(ChannelStage::Funded)];
    let report = (stage, any::<Option<bool>>()).prop_map(|(stage, is_announced)| Report {
        stage,
        is_announced,
    });
    let rest = ["check", "returned", "not returned"];
    prop_oneof![
        4 => (at.clone(), prop::sample::select(&USER[..])).prop_map(|(at, name)| Happening::Input(at, name)),
        20 => (at.clone(), 0..16_usize).prop_map(|(at, way)| Happening::TaskEnds(at, way)),
        3 => (at, prop::sample::select(rest.to_vec())).prop_map(|(at, name)| Happening::Input(at, name)),
        3 => (0..CHANNELS, report).prop_map(|(channel, report)| Happening::Channel(channel, report)),
        1 => (0..CHANNELS).prop_map(Happening::ChannelFails),
        1 => prop::sample::select(&HOST[..]).prop_map(Happening::Host),
        1 => prop::bool::weighted(0.2).prop_map(|full| Happening::Disk { full }),
        1 => (0..HOUR / 4).prop_map(Happening::Wait),
        1 => Just(Happening::Restart),
    ]
}

fn happenings() -> impl Strategy<Value = Vec<Happening>> {
    prop::collection::vec(happening(), 0..60)
}

fn kinds() -> impl Strategy<Value = [ChannelKind; 2]> {
    let kind = prop::sample::select(vec![
        ChannelKind::Funded,
        ChannelKind::Funded,
        ChannelKind::Hosted,
    ]);
    [kind.clone(), kind]
}

/// Of every second channel, the node tells the temporary id.
fn channel(number: usize, report: Report) -> IncomingChannel {
    let temporary = format!("a{number}");
    let is_funded = report.stage == ChannelStage::Funded;
    let id = if is_funded {
        format!("f{number}")
    } else {
        temporary.clone()
    };
    IncomingChannel {
        stage: report.stage,
        is_announced: report.is_announced,
        former_channel_id: (is_funded && number.is_multiple_of(2)).then_some(temporary),
        ..proposed(&id)
    }
}

/// What is known of a request from outside, and what was seen to be sent for it.
#[derive(Clone, Default)]
struct Seen {
    accepted: bool,
    /// What asks was, or may have been, sent.
    asked: bool,
    asked_before_call: bool,
    sent_in_call: usize,
    cancels: usize,
}

impl Seen {
    /// Check one step against what was seen before it.
    fn take(&mut self, taken: &Taken) {
        let Taken {
            before,
            input,
            step,
        } = taken;
        let runs_before = before.is_running();
        match input {
            Input::Accept(_) | Input::Resume => {
                self.accepted |= matches!(input, Input::Accept(_));
                self.asked_before_call = self.asked;
                self.sent_in_call = 0;
            }
            // Provably unsent: what this call did counts for nothing.
            Input::Asked(Asked::NotSent(_)) => self.asked = self.asked_before_call,
            _ => {}
        }
        let begins = matches!(input, Input::Accept(_) | Input::Resume);
        let mut ends = 0;
        for action in &step.actions {
            match action {
                Action::Emit(_) => continue,
                Action::SendCancel(url) => self.check_cancel(url.expose()),
                Action::Run(task) => {
                    assert!(runs_before || begins, "a task without a call: {task:?}");
                    self.check_task(task, input, step);
                }
                Action::End(_) => {
                    assert!(runs_before || begins, "an end without a call");
                    ends += 1;
                }
            }
        }
        assert!(ends <= 1, "a call ended twice");
    }

    fn check_cancel(&mut self, url: &str) {
        assert!(self.asked, "told of a cancel, without having been asked");
        assert!(!url.contains("private"), "{url}");
        self.cancels += 1;
        assert_eq!(self.cancels, 1, "a cancel was sent twice");
    }

    fn check_task(&mut self, task: &Task, input: &Input, step: &Step) {
        match task {
            Task::SendCallback(_) | Task::SendInvoke(_) => {
                assert!(self.accepted, "asked without consent");
                assert!(*input == Input::Connected(Ok(())), "asked unconnected");
                assert_eq!(
                    step.store,
                    Store::BeforeEffect,
                    "asked before it was stored"
                );
                self.sent_in_call += 1;
                assert_eq!(self.sent_in_call, 1, "asked twice in a call");
                self.asked = true;
            }
            Task::AskNode { .. } | Task::Connect => assert!(self.accepted, "{task:?}"),
            Task::Deadline | Task::CheckLater { .. } => {}
        }
    }

    /// Check how things stand after a step.
    fn check(&self, bench: &Bench) {
        assert_eq!(bench.request.is_running(), bench.call.is_some());
        if let Some(call) = &bench.call {
            let connects_to_ask = call.connecting.is_some() && self.sent_in_call == 0;
            assert!(
                call.asking.is_some() || call.deadline.is_some() || connects_to_ask,
                "nothing will end this call"
            );
        }
        if self.asked {
            let progress = &bench.request.progress;
            assert!(progress.asked, "it is forgotten that it was asked");
            assert!(!matches!(progress.state, Offered | Connecting));
            let stored = bench.stored.as_ref().expect("asked, and not stored");
            assert!(
                stored.progress.asked,
                "the journal forgot that it was asked"
            );
            assert!(!matches!(stored.state(), Offered | Connecting));
        }
    }
}

struct World {
    benches: Vec<Bench>,
    seen: Vec<Seen>,
    unrequested: Unrequested,
    now: u64,
    /// The verdict on each channel id.
    verdicts: HashMap<String, ChannelVerdict>,
    /// Of channels that were judged while the disk was full, a restart knows nothing.
    unwritten: bool,
}

impl World {
    fn new(kinds: [ChannelKind; 2]) -> Self {
        let requests = ["0", "1"].into_iter().zip(kinds);
        let benches = requests.map(|(id, kind)| Bench::new(request(kind, id, PEER)));
        Self {
            benches: benches.collect(),
            seen: vec![Seen::default(); 2],
            unrequested: Unrequested::default(),
            now: NOW,
            verdicts: HashMap::new(),
            unwritten: false,
        }
    }

    fn after(kinds: [ChannelKind; 2], happenings: &[Happening]) -> Self {
        let mut world = Self::new(kinds);
        for happening in happenings {
            world.happen(happening);
        }
        world
    }

    fn happen(&mut self, happening: &Happening) {
        match *happening {
            Happening::Input(at, name) => self.input(at, name),
            Happening::TaskEnds(at, way) => self.end_task(at, way),
            Happening::Channel(number, report) => self.report(channel(number, report)),
            Happening::ChannelFails(number) => self.fail(number),
            Happening::Host(name) => self.host(name),
            Happening::Disk { full } => {
                for bench in &mut self.benches {
                    bench.disk_full = full;
                }
            }
            Happening::Wait(seconds) => {
                self.now += seconds;
                for bench in &mut self.benches {
                    bench.now = self.now;
                }
            }
            Happening::Restart => self.restart(),
        }
        self.check();
    }

    fn input(&mut self, at: usize, name: &str) {
        let bench = &mut self.benches[at];
        let input = named(name, bench);
        if bench.could_get(&input) {
            // An error is the caller's; that it changes nothing, the bench has checked.
            let _ = bench.input(input);
        }
    }

    fn end_task(&mut self, at: usize, way: usize) {
        let bench = &self.benches[at];
        let can = |name: &&&str| bench.could_get(&named(name, bench));
        let ways: Vec<&str> = TASK_ENDS.iter().filter(can).copied().collect();
        if let Some(way) = way.checked_rem(ways.len()) {
            self.input(at, ways[way]);
        }
    }

    fn report(&mut self, channel: IncomingChannel) {
        self.unwritten |= self.benches.iter().any(|bench| bench.disk_full);
        let verdict = report(
            &mut self.benches,
            &mut self.unrequested,
            self.now,
            channel.clone(),
        );
        let known = self
            .verdicts
            .entry(channel.channel_id.clone())
            .or_insert_with(|| verdict.clone());
        assert_eq!(verdict, *known, "another verdict on {channel:?}");
        if let Some(former) = &channel.former_channel_id {
            let known = self
                .verdicts
                .entry(former.clone())
                .or_insert(verdict.clone());
            assert_eq!(verdict, *known, "another verdict on {channel:?}");
        }
    }

    fn fail(&mut self, number: usize) {
        for id in [format!("a{number}"), format!("f{number}")] {
            for bench in &mut self.benches {
                let failed = Input::ChannelFailed(id.clone());
                bench.input(failed).expect("a fact was refused");
            }
        }
    }

    fn host(&mut self, name: &str) {
        let requests: Vec<&Request> = self.benches.iter().map(|bench| &bench.request).collect();
        let Some(id) = for_host_message(&requests, PEER).map(|r| r.id.clone()) else {
            return;
        };
        let at = self.benches.iter().position(|bench| bench.request.id == id);
        self.input(at.unwrap(), name);
    }

    /// Only where no verdict is lost with what was not stored.
    fn restart(&mut self) {
        let is_kept = |bench: &Bench| {
            let judged = !bench.request.progress.known_channels.is_empty();
            bench.stored.is_some() || !judged
        };
        if self.unwritten || !self.benches.iter().all(is_kept) {
            return;
        }
        for bench in &mut self.benches {
            if bench.stored.is_some() {
                bench.restart();
            } else {
                *bench = Bench {
                    now: bench.now,
                    disk_full: bench.disk_full,
                    ..Bench::new(request(bench.request.offer.kind, &bench.request.id, PEER))
                };
            }
        }
    }

    fn check(&mut self) {
        for (bench, seen) in self.benches.iter_mut().zip(&mut self.seen) {
            for taken in std::mem::take(&mut bench.log) {
                seen.take(&taken);
                check_silence(&taken);
            }
            seen.check(bench);
            no_secret_in(&format!("{:?}", bench.request));
        }
    }
}

fn check_silence(taken: &Taken) {
    no_secret_in(&format!("{:?} {:?}", taken.before, taken.step));
}

fn no_secret_in(text: &str) {
    for secret in SECRETS {
        assert!(!text.contains(secret), "{secret} is in {text}");
    }
}

/// The ends of tasks that bring a call to its end, the worse first.
const FAILURES: [&str; 5] = [
    "node failed",
    "lost",
    "not sent",
    "time over",
    "connect failed",
];
const DELAYS: [&str; 6] = [
    "node ok",
    "connected",
    "check",
    "written",
    "agreed",
    "time over",
];

/// Feed the first of `names` that can come, until the call is over.
fn steps_to_the_end(bench: &mut Bench, names: &[&str]) -> usize {
    let mut steps = 0;
    let mut checks = 0;
    while bench.call.is_some() {
        let can = |name: &&&str| {
            let is_new = match **name {
                "check" => checks < 3,
                "written" => bench.call.as_ref().is_some_and(|call| !call.written),
                _ => true,
            };
            is_new && bench.could_get(&named(name, bench))
        };
        let name = names.iter().find(can).expect("nothing can come: it hangs");
        checks += usize::from(*name == "check");
        bench.feed(&[name]).unwrap();
        steps += 1;
        assert!(steps < 20, "it does not end");
    }
    steps
}

fn config() -> ProptestConfig {
    ProptestConfig {
        // An interpreter takes its time.
        cases: if cfg!(miri) { 4 } else { 256 },
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config())]

    /// Consent, once, stored first, never forgotten, one end, the same verdict, no secret: `Seen`
    /// and `World` check them after each step.
    #[test]
    fn the_rules_hold_in_any_order(kinds in kinds(), happenings in happenings()) {
        World::after(kinds, &happenings);
    }

    #[test]
    fn every_path_ends(kinds in kinds(), happenings in happenings()) {
        for names in [&FAILURES[..], &DELAYS] {
            let mut world = World::after(kinds, &happenings);
            for bench in &mut world.benches {
                steps_to_the_end(bench, names);
            }
            world.check();
        }
    }

    /// The user can always leave: a pause ends any call, and sends nothing.
    #[test]
    fn a_pause_ends_any_call(kinds in kinds(), happenings in happenings()) {
        let mut world = World::after(kinds, &happenings);
        for bench in &mut world.benches {
            let was_running = bench.call.is_some();
            bench.feed(&["pause"]).unwrap();
            let ended = [Action::End(Err(LnurlChannelError::Cancelled))];
            prop_assert_eq!(&bench.done[..], if was_running { &ended[..] } else { &[] });
        }
        world.check();
    }
}

/// Lest the properties hold of nothing: the happenings do lead everywhere.
#[test]
#[cfg_attr(miri, ignore = "too many happenings for an interpreter")]
fn the_happenings_lead_everywhere() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;

    let mut runner = TestRunner::deterministic();
    let mut reached = std::collections::HashSet::new();
    let (mut verdicts, mut cancels) = (std::collections::HashSet::new(), 0);
    for _ in 0..300 {
        let tree = (kinds(), happenings()).new_tree(&mut runner).unwrap();
        let (kinds, happenings) = tree.current();
        let world = World::after(kinds, &happenings);
        reached.extend(world.benches.iter().map(|b| (b.state(), b.call.is_some())));
        verdicts.extend(world.verdicts.values().map(std::mem::discriminant));
        cancels += world.seen.iter().map(|seen| seen.cancels).sum::<usize>();
    }
    // A call runs in `Connecting`, `Requesting`, `Awaiting`, `OutcomeUnknown`, and on `Refused`
    // when it is accepted again; none in all the others, nor any without one in `Requesting`.
    assert_eq!(reached.len(), 13, "{reached:?}");
    assert_eq!(verdicts.len(), 5);
    assert!(cancels > 0);
}
