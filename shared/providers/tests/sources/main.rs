//! Sources and subscriptions against the simulators of their providers: without a socket, one file a provider.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop at what cannot be")]

mod caldav;
mod calendars;
mod driver;
mod google_calendar;
mod ics;
mod microsoft_graph;
mod paysafe;
mod recorded;
mod shopify;
mod square;
mod woocommerce;
