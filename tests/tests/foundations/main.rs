//! What is dear to change later, each promise with its test.

mod budgets;
mod everything;
mod identity;
mod journal;
mod keys;
mod sealing;
mod times;
mod versions;
