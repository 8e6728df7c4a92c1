//! The library's own files, on shuttle: a scheduler that decides which thread goes on at each point
//! where threads meet, and that tells when none can. Nothing in the library knows of it: the name
//! `tokio` stands for shuttle's here, and `lock` and `thread_local!` for ours. Ours are also the
//! clock, HTTP, the runtime and randomness.
//!
//! A time limit of `io` is never reached. What the core wants done at a time is done as `Time` says.

#![allow(
    dead_code,
    unused_imports,
    reason = "the library's files are used in part"
)]

use std::cell::Cell;

shuttle::thread_local! {
    static FLAG: Cell<bool> = const { Cell::new(false) };
}

/// A flag that each of shuttle's threads has for itself, though all of them run on one.
struct ThreadsFlag;

impl ThreadsFlag {
    fn get(&self) -> bool {
        FLAG.with(Cell::get)
    }

    fn set(&self, value: bool) {
        FLAG.with(|flag| flag.set(value));
    }
}

/// The library has one of them.
macro_rules! thread_local {
    (static $name:ident: Cell<bool> = const { Cell::new(false) };) => {
        static $name: crate::ThreadsFlag = crate::ThreadsFlag;
    };
}

pub mod driver;
#[path = "../../src/errors.rs"]
mod errors;
pub mod io;
