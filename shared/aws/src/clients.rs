//! The SDKs' clients, over one HTTP client.

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};

/// How long one request may take.
const REQUEST: Duration = Duration::from_secs(4);
/// How long a call may take with its repetitions: a receiver must answer its provider within 10 s, a few within 5 s.
const CALL: Duration = Duration::from_secs(9);
/// How often a request is sent at the most.
const TRIES: u32 = 3;

/// What all clients share: region, credentials and endpoint from the environment, and our bounds of time.
pub async fn configuration() -> SdkConfig {
    let timeouts = TimeoutConfig::builder().operation_attempt_timeout(REQUEST).operation_timeout(CALL).build();
    let retries = RetryConfig::standard().with_max_attempts(TRIES);
    aws_config::defaults(BehaviorVersion::latest()).timeout_config(timeouts).retry_config(retries).load().await
}

/// For [`crate::table`].
pub fn table(configuration: &SdkConfig) -> aws_sdk_dynamodb::Client {
    aws_sdk_dynamodb::Client::new(configuration)
}

/// For [`crate::queue`].
pub fn queue(configuration: &SdkConfig) -> aws_sdk_sqs::Client {
    aws_sdk_sqs::Client::new(configuration)
}

/// For [`crate::bus`].
pub fn bus(configuration: &SdkConfig) -> aws_sdk_eventbridge::Client {
    aws_sdk_eventbridge::Client::new(configuration)
}

/// For [`crate::keys`].
pub fn secrets(configuration: &SdkConfig) -> aws_sdk_secretsmanager::Client {
    aws_sdk_secretsmanager::Client::new(configuration)
}
