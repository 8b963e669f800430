//! The adapters of AWS: the ports' promises against emulated services, and the exact requests against recorded answers.

mod bus;
mod dynamodb;
mod front;
mod keys;
mod queues;
mod storage;
mod wire;
