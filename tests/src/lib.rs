//! What the integration tests of Hooktide share.

pub mod bodies;
pub mod client;
pub mod contracts;
pub mod emulator;
pub mod faults;
pub mod server;
pub mod wire;
pub mod world;
