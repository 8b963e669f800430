//! Flows while ports fail: nothing is lost, and nothing has its effect twice.

mod every_step;
mod redelivery;
mod scenario;
