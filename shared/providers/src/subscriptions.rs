//! Subscriptions: requests to a provider to send webhooks, and to go on sending them.

use jiff::Timestamp;

use super::{Answer, Api, Ask, Refusal, Task};

/// The subscriptions that a provider offers.
pub trait Subscriptions: Api {
    /// The question that takes a step.
    fn first(&self, task: &Task<'_>, step: &SubscriptionStep<'_>) -> Ask;

    /// Reads the answer to that question.
    fn read(&self, task: &Task<'_>, step: &SubscriptionStep<'_>, answer: &Answer) -> Result<Subscribed, Refusal>;
}

/// A step in the life of a subscription. `id` is the provider's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SubscriptionStep<'a> {
    /// Creates the subscription.
    Register {
        /// The webhook address.
        url: &'a str,
        /// Our reference, which the provider sends back.
        reference: &'a str,
    },
    /// Prolongs the subscription.
    Renew {
        /// The provider's id.
        id: &'a str,
    },
    /// Checks whether the subscription exists.
    Probe {
        /// The provider's id.
        id: &'a str,
    },
    /// Ends the subscription.
    End {
        /// The provider's id.
        id: &'a str,
    },
}

/// The state of a subscription after a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subscribed {
    /// The subscription exists.
    Active {
        /// The provider's id.
        id: String,
        /// The time at which it ends, if it does.
        expires_at: Option<Timestamp>,
    },
    /// The subscription does not exist.
    Gone,
}
