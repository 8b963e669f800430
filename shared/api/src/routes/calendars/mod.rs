//! `/v1/connections/{id}/calendars`: which calendars of a connection block time in others, and which are blocked.

pub(crate) mod choose;
pub(crate) mod list;
