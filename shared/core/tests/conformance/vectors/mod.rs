//! What others published of their own signatures. But for the wrappers of `broken`, only these know a provider by name.

mod clover;
mod paysafe;
mod ebay;
mod meta;
mod google_calendar;
mod microsoft_graph;
mod shopify;
mod standard_webhooks;
mod whatnot;
mod square;
mod woocommerce;
