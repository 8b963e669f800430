//! Questions to providers, and their answers. Nothing here does the asking.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};

/// A question to a provider.
#[derive(Debug)]
pub enum Ask {
    /// A request to its API.
    Http(Request<Bytes>),
}

/// The answer of a provider's API.
pub type Answer = Response<Bytes>;

/// An answer that is no success, sorted by what to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The credentials do not count: somebody has to authorise us again.
    #[error("the credentials are refused")]
    Refused,
    /// The credentials count, but not for this: whoever gave them has to allow more.
    #[error("the credentials do not allow it")]
    Forbidden,
    /// What is asked is closed to us, and other credentials would not help. The text says why, and what to do.
    #[error("{0}")]
    Closed(&'static str),
    /// The cursor is too old: everything has to be read again.
    #[error("what was asked for has expired")]
    Expired,
    /// Too much was asked.
    #[error("too much was asked")]
    Limited {
        /// When to ask again, if the provider says so.
        after: Option<Duration>,
    },
    /// The provider does not answer as it should, for now.
    #[error("no answer that can be used")]
    Unavailable {
        /// When to ask again, if the provider says so.
        after: Option<Duration>,
    },
    /// The question is wrong: to ask it again cannot help.
    #[error("the question is refused")]
    Invalid,
    /// The answer has not the form that is documented: HTML, an error page, JSON of another shape. The text says what it lacks.
    #[error("an answer that cannot be read: {0}")]
    Unreadable(&'static str),
    /// The answer to a write was lost, so that nobody knows whether it was done.
    #[error("the answer was lost")]
    Unknown,
}

impl Refusal {
    /// The time after which to ask again, if the provider says so.
    pub fn after(self) -> Option<Duration> {
        match self {
            Self::Limited { after } | Self::Unavailable { after } => after,
            Self::Refused
            | Self::Forbidden
            | Self::Closed(_)
            | Self::Expired
            | Self::Invalid
            | Self::Unreadable(_)
            | Self::Unknown => None,
        }
    }
}
