//! Whatever users, nodes, services, peers, clocks and disks do, in any order. `checks.rs` looks after
//! each input; here stands what holds in the end. `World` looks after what one channel is told over time.

mod acts;
mod restart;
mod world;

use std::time::Duration;

use proptest::prelude::*;

use super::samples::*;
use crate::*;
use acts::{Act, any_acts};
use world::{GoesOn, World};

/// Connecting the node, reaching the callback's host, waiting for the channel, and the last `connect`.
/// What is asked of the node before that has its limit in the driver.
const LONGEST_CALL: Duration = Duration::from_secs(30 + 30 + 180 + 30);

fn config() -> ProptestConfig {
    ProptestConfig {
        cases: if cfg!(miri) { 4 } else { 2_000 },
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// The dearer checks are made in some cases.
fn any_thoroughness() -> impl Strategy<Value = bool> {
    proptest::bool::weighted(0.01)
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn everyone_who_waits_gets_one_answer_by_the_end(
        acts in any_acts(),
        is_thorough in any_thoroughness(),
    ) {
        let mut world = World::after(&acts, is_thorough);
        world.act(Act::Shutdown);
        prop_assert!(world.bench.waiting.is_empty());
        prop_assert_eq!(world.running(), Vec::<&ChannelRequestSnapshot>::new());
        for waiter in &world.waiters {
            prop_assert!(world.bench.answers.contains_key(waiter));
        }
        let left = world.bench.tasks_where(|task| !matches!(task, Task::Connect(_)));
        prop_assert_eq!(left, vec![], "a `connect` may hang; nothing else goes on");
        prop_assert_eq!(world.bench.client.poll_timeout(), None);
    }

    #[test]
    fn no_call_lasts_longer_than_its_limits_whatever_hangs(
        acts in any_acts(),
        goes_on in proptest::sample::select(vec![
            GoesOn::Nothing,
            GoesOn::UntilConnected,
            GoesOn::UntilWritten,
        ]),
        is_thorough in any_thoroughness(),
    ) {
        let mut world = World::after(&acts, is_thorough);
        world.let_run_out(goes_on);
        prop_assert_eq!(world.running(), Vec::<&ChannelRequestSnapshot>::new());
        prop_assert!(world.bench.waiting.is_empty());
        // From then on nothing begins by itself.
        world.bench.advance(DAY * 2);
        let runs = |output: &Output| match output {
            Output::Run(_, task) => !matches!(task, Task::ReleasePeer(_)),
            _ => false,
        };
        prop_assert!(!world.bench.done.iter().any(runs), "{:?}", world.bench.done);
    }

    #[test]
    fn a_phone_that_sleeps_for_as_long_as_a_call_may_take_ends_it_soon_after(
        acts in any_acts(),
        is_thorough in any_thoroughness(),
    ) {
        let mut world = World::after(&acts, is_thorough);
        world.bench.sleep(LONGEST_CALL);
        // One last `connect`.
        let end = world.bench.now.since_start + SETTINGS.connect_timeout;
        while world.go_on_to_next(end) {}
        let limited = |task: &Task| matches!(task, Task::AskNode { .. } | Task::Invoke { .. });
        let in_driver = world.bench.tasks_where(limited).len();
        prop_assert!(world.running().len() <= in_driver, "{:?}", world.running());
    }

    #[test]
    fn a_restart_shows_what_was_shown_but_for_what_lives_in_a_run(
        acts in any_acts(),
        is_thorough in any_thoroughness(),
    ) {
        let mut world = World::after(&acts, is_thorough);
        if world.is_shut_down {
            // What was not written by then is lost with the run.
            world.act(Act::Killed);
        }
        world.write_all();
        let before = world.in_run();
        world.act(Act::Killed);
        for (id, in_run) in &before {
            in_run.check(world.bench.snapshots.get(id));
        }
        prop_assert!(world.bench.snapshots.keys().all(|id| before.contains_key(id)));
        // And so do the verdicts.
        let known: Vec<_> = world.verdicts.keys().copied().collect();
        for (peer, id) in known {
            world.report(peer, id, from_peer(peer, funded(id)));
        }
    }
}
