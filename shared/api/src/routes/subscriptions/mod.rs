//! `/v1/subscriptions`: the providers' promises to send webhooks.

pub(crate) mod enable;
pub(crate) mod list;
