//! The client, driven by anything in any order, in virtual time.
//!
//! The first byte says how it ends. After it, two bytes are one happening each: what, and how.

use crate::world::{What, World};

const MAX_HAPPENINGS: usize = 96;

pub fn run(input: &[u8]) {
    let Some((first, rest)) = input.split_first() else {
        return;
    };
    let mut world = World::new();
    for happening in rest.chunks_exact(2).take(MAX_HAPPENINGS) {
        world.happen(What::of(happening[0]), happening[1]);
    }
    world.end(*first);
}
