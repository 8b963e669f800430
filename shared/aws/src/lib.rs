//! The ports over AWS, for the Lambda functions.
//!
//! [`table`] is DynamoDB, [`queue`] SQS, [`bus`] EventBridge, [`keys`] and [`secret`] Secrets Manager, and [`blobs`] S3. `fault.rs` sorts
//! what their SDKs report, once. Each adapter only carries calls over: what a call says is decided in the core, and the
//! contract suites that the local host passes are passed here too.

pub mod blobs;
pub mod bus;
pub mod clients;
pub mod clock;
mod fault;
pub mod keys;
pub mod queue;
mod resend;
pub mod secret;
pub mod table;
