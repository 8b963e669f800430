//! What the integration tests of Hooktide share.

pub mod agenda;
pub mod bent;
pub mod blocking;
pub mod bodies;
pub mod budgets;
pub mod client;
pub mod connected;
pub mod contracts;
pub mod deliveries;
pub mod emulator;
pub mod faults;
pub mod fuzzing;
pub mod gateway;
pub mod memory;
pub mod merchant;
pub mod plain_table;
pub mod provided;
pub mod receiving;
pub mod seasons;
pub mod server;
pub mod simulated;
pub mod simulation;
pub mod usage;
pub mod wire;
pub mod world;
