//! Providers: one folder of pure functions each, with its evidence (README, recorded requests, snapshots).

mod api;
mod arrival;
mod ask;
mod base;
mod caldav;
mod clover;
mod ebay;
mod google_calendar;
mod ics;
mod json;
mod lenient;
mod meta;
mod microsoft_graph;
mod money;
mod paysafe;
mod profile;
mod protocols;
mod provider;
mod reading;
mod recurrence;
mod sample;
mod shopify;
#[cfg(feature = "simulators")]
pub mod simulator;
mod source;
mod square;
mod standard_webhooks;
mod store_images;
mod subscriptions;
mod target;
pub mod verified;
mod webhooks;
mod whatnot;
mod woocommerce;
mod zones;

pub use self::api::{Api, ApiToken, KeyStep, KeyTask, RemoteKeys};
pub use self::arrival::Arrival;
pub use self::ask::{Answer, Ask, Refusal};
pub use self::base::Base;
pub use self::profile::{Becomes, BusEvent, Covers, Need, Profile, Proof, Scheme, Topic};
pub use self::protocols::{icalendar, oauth2};
pub use self::provider::Provider;
pub use self::recurrence::{Instance, Instances, instances};
pub use self::sample::{Sample, Unsigned, signing_with};
pub use self::source::{Next, Page, Part, Reach, Source, Task};
pub use self::subscriptions::{
    Covering, Listed, Plan, Registered, Subscribed, SubscriptionResult, SubscriptionStep, SubscriptionTask,
    Subscriptions,
};
pub use self::target::{Block, Moment, Target, There, WriteStep, WriteTask, Written};
pub use self::webhooks::{HandshakeReply, Label, Proved, Webhooks};

/// All providers, in alphabetical order, one line each.
pub const ALL: &[&dyn Provider] = &[
    &caldav::Caldav,
    &clover::Clover,
    &ebay::Ebay,
    &google_calendar::GoogleCalendar,
    &ics::Ics,
    &meta::Meta,
    &microsoft_graph::MicrosoftGraph,
    &paysafe::Paysafe,
    &shopify::Shopify,
    &square::Square,
    &standard_webhooks::StandardWebhooks,
    &whatnot::Whatnot,
    &woocommerce::WooCommerce,
];

/// The provider of that id.
pub fn by_id(id: &str) -> Option<&'static dyn Provider> {
    ALL.iter().copied().find(|provider| provider.id() == id)
}

/// The providers that send webhooks; the others are polled.
pub fn with_webhooks() -> impl Iterator<Item = &'static dyn Provider> {
    ALL.iter().copied().filter(|provider| provider.webhooks().is_some())
}

/// The webhooks of the provider of that id.
pub fn webhooks_by_id(id: &str) -> Option<&'static dyn Webhooks> {
    by_id(id)?.webhooks()
}
