//! The real server as a process: killed, cut off from power, out of disk space, read by many, and stopped.
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "what does not work here fails the test")]

mod command;
mod commands;
mod crash;
mod demo;
mod feed;
mod finding;
#[cfg(target_os = "linux")]
mod full_disk;
mod log;
#[cfg(target_os = "linux")]
mod power;
mod readers;
mod refusals;
mod secrets;
#[cfg(target_os = "linux")]
mod shim;
mod stopping;
mod strangers;
mod topics;
mod traffic;
