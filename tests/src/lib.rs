//! What the integration tests of Hooktide share.

pub mod client;
pub mod contracts;
pub mod server;
pub mod world;
