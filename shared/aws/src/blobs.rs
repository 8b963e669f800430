//! The blob store on S3.

use std::sync::Arc;
use std::time::Duration;

use hooktide_model::fault::Fault;
use hooktide_store::ports::Blobs;
use object_store::aws::AmazonS3Builder;
use object_store::{BackoffConfig, ClientOptions, RetryConfig};

/// How long one request may take.
const REQUEST: Duration = Duration::from_secs(5);
/// How long a call may take with its repetitions.
const CALL: Duration = Duration::from_secs(9);
/// How often a request is repeated.
const REPETITIONS: usize = 3;

/// The bucket called `name`, with region, credentials and endpoint from the environment.
pub fn bucket(name: &str) -> Result<Arc<dyn Blobs>, Fault> {
    let retry = RetryConfig { max_retries: REPETITIONS, retry_timeout: CALL, backoff: BackoffConfig::default() };
    let options = ClientOptions::new().with_timeout(REQUEST).with_connect_timeout(REQUEST);
    // Only where the endpoint was given as plain HTTP, which is an emulator's.
    let options = options.with_allow_http(true);
    let builder = AmazonS3Builder::from_env().with_bucket_name(name).with_retry(retry).with_client_options(options);
    let store = builder.build().map_err(|error| Fault::failed(format!("the bucket {name}: {error}")))?;
    Ok(Arc::new(store))
}
