//! The API: every route, by everybody who may and may not.

mod access;
mod bounds;
mod idempotency;
mod isolation;
mod resources;
mod tokens;
