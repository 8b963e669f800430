//! The ports' promises, as checks that every implementation passes.

pub mod table;
