//! The promises of ports, for every implementation of them.

pub mod blobs;
pub mod bus;
pub mod keys;
pub mod queue;
pub mod table;
