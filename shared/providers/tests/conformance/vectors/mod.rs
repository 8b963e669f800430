//! What others published of their own signatures. But for the wrappers of `broken`, only these know a provider by name.

mod clover;
mod ebay;
mod google_calendar;
mod meta;
mod microsoft_graph;
mod paysafe;
mod shopify;
mod square;
mod standard_webhooks;
mod whatnot;
mod woocommerce;
