//! Forms that several providers share.

pub(crate) mod address;
pub(crate) mod amounts;
pub(crate) mod answers;
pub(crate) mod bearer;
pub(crate) mod clock;
pub(crate) mod cursor;
pub(crate) mod graphql;
pub mod icalendar;
pub mod oauth2;
pub(crate) mod percent;
pub(crate) mod query;
pub(crate) mod rest;
pub(crate) mod signed_message;
