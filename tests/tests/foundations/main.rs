//! What is dear to change later, each promise with its test.

mod identity;
mod journal;
mod keys;
mod versions;
