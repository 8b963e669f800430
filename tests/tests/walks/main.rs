//! Whole walks: from a signed request to the feed, on a clock that stands until it is moved.

mod abuse;
mod accounts;
mod addresses;
mod bad_clocks;
mod bad_input;
mod bad_messages;
mod belonging;
mod claim_checks;
mod claims;
mod dead_letters;
mod event_bridge;
mod events;
mod feed;
mod feed_tokens;
mod first;
mod foreign_accounts;
mod handshakes;
mod items;
mod privacy;
mod remote_keys;
mod replay;
mod secrets;
mod shared_endpoint;
mod tenants;
mod ties;
