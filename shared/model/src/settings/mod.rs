//! Settings that people give.

pub mod connection;
pub mod rules;
mod value;
