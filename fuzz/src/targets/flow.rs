//! The flow, driven by anything in any order: two requests, a journal of records, a disk that fills
//! up, and kills.
//!
//! The first byte chooses the kinds of the requests, and whether the world does what the engine
//! never would. After it, two bytes are one happening each.

use crate::world::{Kinds, World};

const MAX_HAPPENINGS: usize = 96;

pub fn run(input: &[u8]) {
    let Some((first, rest)) = input.split_first() else {
        return;
    };
    let mut world = World::new(Kinds::from_bits(*first), first & 4 != 0);
    for happening in rest.chunks_exact(2).take(MAX_HAPPENINGS) {
        world.happen(happening[0], happening[1]);
    }
    world.end();
}
