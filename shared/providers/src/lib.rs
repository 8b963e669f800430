//! Providers: one folder of pure functions each, with its evidence (README, recorded requests, snapshots).

mod api;
mod arrival;
mod ask;
mod base;
mod clover;
mod ebay;
mod google_calendar;
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
mod sample;
mod shopify;
#[cfg(feature = "simulators")]
pub mod simulator;
mod source;
mod square;
mod standard_webhooks;
mod store_images;
mod subscriptions;
pub mod verified;
mod webhooks;
mod whatnot;
mod woocommerce;

pub use self::api::{Api, ApiToken, KeyStep, KeyTask, RemoteKeys};
pub use self::arrival::Arrival;
pub use self::ask::{Answer, Ask, Refusal};
pub use self::base::Base;
pub use self::profile::{Becomes, BusEvent, Covers, Need, Profile, Proof, Scheme, Topic};
pub use self::protocols::oauth2;
pub use self::provider::Provider;
pub use self::sample::{Sample, Unsigned, signing_with};
pub use self::source::{Next, Page, Part, Reach, Source, Task};
pub use self::subscriptions::{
    Covering, Listed, Plan, Registered, Subscribed, SubscriptionResult, SubscriptionStep, SubscriptionTask,
    Subscriptions,
};
pub use self::webhooks::{HandshakeReply, Label, Proved, Webhooks};

/// All providers, in alphabetical order, one line each.
pub const ALL: &[&dyn Provider] = &[
    &clover::Clover,
    &ebay::Ebay,
    &google_calendar::GoogleCalendar,
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

/// The webhooks of the provider of that id.
pub fn webhooks_by_id(id: &str) -> Option<&'static dyn Webhooks> {
    by_id(id)?.webhooks()
}
