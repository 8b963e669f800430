//! Settings that people give.

pub mod company;
pub mod connection;
pub mod rules;
mod value;
