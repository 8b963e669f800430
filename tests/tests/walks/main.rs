//! Whole walks: from a signed request to the feed, on a clock that stands until it is moved.

mod abuse;
mod bad_clocks;
mod bad_input;
mod bad_messages;
mod belonging;
mod claim_checks;
mod dead_letters;
mod events;
mod feed;
mod feed_tokens;
mod first;
mod replay;
mod secrets;
mod shared_endpoint;
