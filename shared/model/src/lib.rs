//! The words of Hooktide as types: what travels, what is known, what can go wrong.
//!
//! Nothing here waits, reads a clock or knows a store; times and data are arguments.

pub mod address;
pub mod calendar;
pub mod entropy;
pub mod envelope;
pub mod fault;
pub mod job_kind;
pub mod names;
pub mod network;
pub mod notice;
pub mod part;
pub mod payment;
pub mod place;
pub mod problem;
pub mod product;
pub mod sealing;
pub mod secret;
pub mod settings;
pub mod signing;
pub mod tenant;
