//! The testbed's own tests: its parts are there, and its habits are what they say.

mod channel;
mod client;
mod control;
mod hosted;
mod transport;
