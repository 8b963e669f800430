//! The routes: a file for each resource, or a folder with a file for each verb.

pub(crate) mod activity;
pub(crate) mod busy;
pub(crate) mod calendars;
pub(crate) mod changes;
pub(crate) mod claims;
pub(crate) mod connections;
pub(crate) mod dead_letters;
pub(crate) mod endpoints;
pub(crate) mod events;
pub(crate) mod feed_tokens;
pub(crate) mod handshakes;
pub(crate) mod health;
pub(crate) mod oauth;
pub(crate) mod privacy;
pub(crate) mod queues;
pub(crate) mod resources;
pub(crate) mod samples;
pub(crate) mod secrets;
pub(crate) mod subscriptions;
pub(crate) mod sync;
pub(crate) mod test_tools;
pub(crate) mod tokens;
pub(crate) mod waiting;
pub(crate) mod webhooks;
