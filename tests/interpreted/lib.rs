//! The rules and the flow, without what they serve.

#![allow(dead_code, unused_imports, reason = "the layers above are not here")]

#[path = "../../src/flow/mod.rs"]
mod flow;
#[path = "../../src/protocol/mod.rs"]
mod protocol;
