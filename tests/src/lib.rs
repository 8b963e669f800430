//! What the integration tests of Hooktide share.

pub mod bodies;
pub mod contracts;
pub mod faults;
pub mod world;
