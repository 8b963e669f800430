//! Faults, sorted once by what to do next.
//!
//! Every failure that leaves a seam (a port, a provider, a flow) is of one of three sorts, and the sort alone decides
//! what the caller does: the HTTP status, the batch failure and the retry all come from one `match` without a `_` arm,
//! so a fourth sort does not compile until somebody decides what it means.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What went wrong, sorted by what to do next.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Trying again cannot help: keep it in the dead letters, answer 200.
    #[error("{class}: {detail}")]
    Permanent {
        /// The class that the dead letters file it under.
        class: ErrorClass,
        /// What was wrong, for the operator; never a secret or a body.
        detail: String,
    },
    /// Not now, but later: 503, or back to the queue without using up a try.
    #[error("{detail}")]
    Retryable {
        /// What is unavailable.
        detail: String,
        /// When the other side asked for another try, if it did.
        after: Option<Duration>,
    },
    /// Hooktide's own fault, or an unclassified one: 500, or back to the queue with one try used.
    #[error("{detail}")]
    Failed {
        /// What happened, for the log.
        detail: String,
    },
}

impl Fault {
    /// Makes a [`Fault::Permanent`] of `class`.
    pub fn permanent(class: ErrorClass, detail: impl Into<String>) -> Self {
        Self::Permanent { class, detail: detail.into() }
    }

    /// Makes a [`Fault::Retryable`] that names no time.
    pub fn retryable(detail: impl Into<String>) -> Self {
        Self::Retryable { detail: detail.into(), after: None }
    }

    /// Makes a [`Fault::Failed`].
    pub fn failed(detail: impl Into<String>) -> Self {
        Self::Failed { detail: detail.into() }
    }
}

/// Why a delivery was refused. The text goes to the log; the sender learns only that it was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AuthFault {
    /// The endpoint has no secret of the name that the provider signs with.
    #[error("no secret is configured")]
    NoSecret,
    /// The signature header is missing or empty.
    #[error("the signature is missing")]
    Missing,
    /// The signature header is duplicated, too long, or not strictly encoded.
    #[error("the signature is malformed")]
    Malformed,
    /// No live secret makes this signature over these bytes.
    #[error("the signature fits no live secret")]
    Mismatch,
    /// The signed time is too far from now.
    #[error("the signed time is outside the tolerance")]
    Expired,
}

/// The classes that the dead letters file failures under. The names never change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ErrorClass {
    /// The delivery is signed, but not of the form that the provider documents.
    Unreadable,
    /// The body that a message refers to is gone or is not the one that was received.
    BodyLost,
    /// Three tries failed.
    TriesExhausted,
    /// The queue gave up after too many crashes.
    QueueGaveUp,
    /// The account of the notice is not connected to anybody.
    UnknownAccount,
    /// The endpoint that received it has no record, and no sign that it was removed.
    EndpointMissing,
    /// The notice asks to disclose or erase personal data, which is still to be done.
    PrivacyRequest,
    /// The topic is unknown here and may be about money.
    UnknownPayment,
}

impl ErrorClass {
    /// The name in the API and in records.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unreadable => "unreadable",
            Self::BodyLost => "body-lost",
            Self::TriesExhausted => "tries-exhausted",
            Self::QueueGaveUp => "queue-gave-up",
            Self::UnknownAccount => "unknown-account",
            Self::EndpointMissing => "endpoint-missing",
            Self::PrivacyRequest => "privacy-request",
            Self::UnknownPayment => "unknown-payment",
        }
    }
}

impl std::fmt::Display for ErrorClass {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
