//! The exact requests of the adapters, and what they make of answers that emulators do not give. The answers have the
//! form of the services' own API references.

mod dynamodb;
mod eventbridge;
mod sqs;
