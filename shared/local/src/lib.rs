//! The local host: everything in one process, on one folder, without a cloud account.
//!
//! The same flows as in Lambda, over an embedded DynamoDB ([`table`]), a durable queue ([`queue`]) and a folder of
//! blobs. [`host`] plugs them together and has a `tick` that drains what is due, so that tests never sleep;
//! [`server`] puts HTTP and workers around it.

pub mod bus;
pub mod clock;
mod demo;
mod forgetting;
pub mod home;
pub mod host;
mod http;
pub mod keys;
mod pressure;
pub mod queue;
pub mod server;
pub mod simulators;
pub mod table;
mod webhooks;
