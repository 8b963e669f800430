//! `/v1/transactions`: payments, settlements, refunds.

pub(crate) mod list;
pub(crate) mod show;
