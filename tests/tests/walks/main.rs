//! Whole walks: from a signed request to the feed, on a clock that stands until it is moved.

mod abuse;
mod bad_clocks;
mod bad_input;
mod bad_messages;
mod belonging;
mod first;
mod secrets;
