//! The API: every route, by everybody who may and may not.

mod access;
mod resources;
