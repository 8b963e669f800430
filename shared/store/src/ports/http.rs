//! The way out to other services than the deployment's own.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use hooktide_model::fault::Fault;
use http::{Request, Response};

/// A request to another service.
#[derive(Debug, Clone)]
pub struct Call {
    /// The request, to an absolute address.
    pub request: Request<Bytes>,
    /// What the answer may take.
    pub limits: Limits,
    /// Where the request may go.
    pub to: Destination,
}

/// What an answer may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How long the request and its answer may take together; one that takes longer is a retryable fault.
    pub time: Duration,
    /// The largest body that is read, in bytes; a larger one is a failed fault.
    pub size: usize,
}

/// Where a request may go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// One of the origins that the operator fixed, which are providers' APIs.
    Operator,
    /// The host of a connection, such as `my-shop.myshopify.com`, by HTTPS.
    Connection(String),
    /// The host of a connection, or another of the same site ([`hooktide_model::network::is_same_site`]), by HTTPS.
    Site(String),
    /// Any host.
    Public,
}

/// The only way out to other services than the deployment's own.
///
/// Implementations follow no redirect. Unless the operator fixed or listed the host, they connect to public addresses only,
/// and look at the address itself each time they connect, since a name may lead elsewhere the next time.
#[async_trait]
pub trait Http: Send + Sync {
    /// Sends a request. Any status is an answer.
    async fn send(&self, call: Call) -> Result<Response<Bytes>, Fault>;
}

/// Reaches nobody.
#[async_trait]
impl Http for () {
    async fn send(&self, _call: Call) -> Result<Response<Bytes>, Fault> {
        Err(Fault::retryable("there is no way out"))
    }
}
