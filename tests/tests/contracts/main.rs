//! Every implementation of a port keeps the port's promises.

mod table;
