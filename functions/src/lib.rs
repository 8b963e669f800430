//! Hooktide as Lambda functions: the same flows as anywhere, over the ports of [`hooktide_aws`].
//!
//! Each function is a small `main.rs` in a folder of its own. What they share is here: the environment, read once and
//! with all faults in one message ([`environment`]); the host that plugs the ports ([`host`]); requests as the HTTP API
//! hands them over ([`gateway`]), and messages as SQS does ([`batch`]); the distribution in front of that, where there is one ([`front`]); logs and metrics ([`log`], [`metrics`]).

pub mod batch;
pub mod ending;
pub mod environment;
pub mod front;
pub mod gateway;
pub mod host;
pub mod log;
pub mod metrics;
