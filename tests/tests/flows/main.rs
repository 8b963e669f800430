//! Flows while ports fail: nothing is lost, and nothing has its effect twice.

mod budgets;
mod entities;
mod erasure;
mod every_step;
mod hints;
mod kept_answers;
mod listings;
mod nights;
mod one_run;
mod pages;
mod parked;
mod races;
mod redelivery;
mod refresh;
mod scenario;
mod slow;
mod ticks;
mod tries;
