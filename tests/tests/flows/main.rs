//! Flows while ports fail: nothing is lost, and nothing has its effect twice.

mod budgets;
mod erasure;
mod every_step;
mod hints;
mod one_run;
mod pages;
mod races;
mod redelivery;
mod refresh;
mod scenario;
mod ticks;
mod tries;
