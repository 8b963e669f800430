//! What the integration tests of Hooktide share.

pub mod contracts;
pub mod world;
