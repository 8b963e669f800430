//! Settings that people give.

pub mod connection;
mod value;
