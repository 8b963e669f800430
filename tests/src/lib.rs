//! What the integration tests of Hooktide share.

pub mod contracts;
