//! Subscriptions: requests to a provider to send webhooks, and to go on sending them.

use std::time::Duration;

use jiff::Timestamp;

use super::{Answer, Api, Ask, Refusal};
use hooktide_model::secret::{Secret, Secrets};
use hooktide_model::settings::connection::ConnectionSettings;

/// The subscriptions that a provider offers through its API.
pub trait Subscriptions: Api {
    /// What a connection subscribes to, as data.
    fn plan(&self) -> &'static Plan;

    /// The question that takes a step.
    fn ask(&self, task: &SubscriptionTask<'_>, step: &SubscriptionStep<'_>) -> Ask;

    /// Reads the answer to that question. Answers that are no success are sorted by [`Api::sort`], unless they have a meaning
    /// here (a subscription that is gone).
    fn read(&self, task: &SubscriptionTask<'_>, step: &SubscriptionStep<'_>, answer: &Answer) -> SubscriptionResult;

    /// Whether an id says all that is needed to end its subscription. One that does not is replaced by the id that the next
    /// message of the subscription brings.
    fn is_whole(&self, _id: &str) -> bool {
        true
    }
}

/// What comes of a step.
pub type SubscriptionResult = Result<Subscribed, Refusal>;

/// What a connection subscribes to.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// The topics, each a subscription of its own; where the resource has parts, one for each part. A provider whose
    /// subscription has a list of topics gives the whole list one name.
    pub topics: &'static [Covering],
    /// The longest life of a subscription, which is asked for; absent where subscriptions do not end by themselves.
    pub life: Option<Duration>,
    /// Whether a subscription can be prolonged. Else a new one is made before the old one ends.
    pub renews: bool,
    /// Whether one subscription covers all accounts of an app, and so belongs to the endpoint and not to a connection.
    pub app_wide: bool,
    /// Whether the provider lists an account's subscriptions.
    pub lists: bool,
}

/// A topic, and the resource whose changes it reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Covering {
    /// The resource, as the profile has it.
    pub resource: &'static str,
    /// The topic, as the provider has it.
    pub topic: &'static str,
}

/// The subscription that a step is about.
#[derive(Debug, Clone, Copy)]
pub struct SubscriptionTask<'a> {
    /// The account at the provider, if the connection names one.
    pub account: Option<&'a str>,
    /// The connection's settings.
    pub settings: &'a ConnectionSettings,
    /// The topic.
    pub topic: &'a str,
    /// The part of the resource, where it has parts.
    pub part: Option<&'a str>,
    /// The webhook address.
    pub url: &'a str,
    /// What verifies the deliveries, for providers that are given the secret with the subscription.
    pub secrets: &'a Secrets,
    /// Our reference, which the provider sends back where it can: letters, digits and hyphens, 64 at the most. The same for a
    /// registration that is tried again.
    pub reference: &'a str,
    /// The token that proves deliveries, where the provider's are derived ([`crate::Profile::derives_tokens`]).
    pub token: Option<&'a str>,
    /// The base address of the API, without a slash at the end.
    pub api: &'a str,
    /// The time of asking.
    pub now: Timestamp,
}

/// A step in the life of a subscription. `id` is the provider's, as an earlier step gave it; opaque to all but the provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SubscriptionStep<'a> {
    /// Creates the subscription.
    Register,
    /// Prolongs the subscription.
    Renew {
        /// The provider's id.
        id: &'a str,
    },
    /// Checks whether the subscription exists and is enabled.
    Probe {
        /// The provider's id.
        id: &'a str,
    },
    /// Ends the subscription.
    End {
        /// The provider's id.
        id: &'a str,
    },
    /// Lists the account's subscriptions, whatever their topic.
    List {
        /// Where the list goes on.
        after: Option<&'a str>,
    },
}

/// The outcome of a step.
#[derive(Debug)]
pub enum Subscribed {
    /// The subscription exists.
    Active(Registered),
    /// The subscription to be made exists already, under an id that the answer does not say: the list does.
    Taken,
    /// The provider sends nobody anything about the resource, so it can only be polled.
    Unsupported,
    /// The subscription does not exist (any more).
    Gone,
    /// The subscription exists, but the provider sends nothing for it; the text says why.
    Disabled(&'static str),
    /// A page of the account's subscriptions, and where the list goes on.
    Listed(Vec<Listed>, Option<String>),
}

/// A subscription that exists.
#[derive(Debug)]
pub struct Registered {
    /// The provider's id.
    pub id: String,
    /// The time at which it ends, if it does.
    pub expires_at: Option<Timestamp>,
    /// The secret that verifies its deliveries, by its name among the provider's needs, where the provider makes it up.
    pub secret: Option<(&'static str, Secret)>,
}

/// A subscription in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The provider's id.
    pub id: String,
    /// The topic, as [`Covering::topic`] has it; empty if it is none that is asked for, or more than one.
    pub topic: String,
    /// The webhook address.
    pub url: String,
    /// Whether deliveries are sent.
    pub enabled: bool,
    /// The reference that it was made with, where that decides whether its deliveries can be verified; empty if it was made by
    /// others.
    pub reference: Option<String>,
}
