//! The deployment's root keys in Secrets Manager, read through and for a while.
//!
//! The secret is made with the deployment and holds all keys there ever were: rotating adds one, as a new version of
//! the secret, and what the older ones sealed stays readable. A rotation is noticed within five minutes, and at once
//! where something is met that a newer key has sealed.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_secretsmanager::Client;
use hooktide_core::fault::Fault;
use hooktide_core::ports::{Clock, Keys};
use hooktide_core::sealing::RootKeys;
use jiff::Timestamp;
use tokio::sync::Mutex;
use tracing::warn;

use crate::fault;

/// What faults name.
const SERVICE: &str = "Secrets Manager";
/// How long the keys are used as they were read.
const LIFETIME: Duration = Duration::from_secs(300);
/// How long they are used at the least, whoever asks for newer ones: made-up key ids must not cause calls without end.
const PATIENCE: Duration = Duration::from_secs(10);

/// The root keys in a secret.
pub struct SecretsManagerKeys {
    client: Client,
    secret: String,
    clock: Arc<dyn Clock>,
    /// Held while reading, so that requests that come together cause one call.
    read: Mutex<Option<(Timestamp, Arc<RootKeys>)>>,
}

impl SecretsManagerKeys {
    /// The keys in the secret of this name or ARN.
    pub fn new(client: Client, secret: impl Into<String>, clock: Arc<dyn Clock>) -> Self {
        Self { client, secret: secret.into(), clock, read: Mutex::new(None) }
    }

    /// The keys, if they were read within `lifetime`; else read now.
    async fn read_within(&self, lifetime: Duration) -> Result<Arc<RootKeys>, Fault> {
        let mut read = self.read.lock().await;
        let now = self.clock.now();
        let known = match &*read {
            // A clock that was set back makes everything stale, never everything fresh.
            Some((since, keys)) if (*since..*since + lifetime).contains(&now) => return Ok(Arc::clone(keys)),
            known => known.as_ref().map(|(_, keys)| Arc::clone(keys)),
        };
        match (self.fetch().await, known) {
            (Ok(keys), _) => {
                let keys = Arc::new(keys);
                *read = Some((now, Arc::clone(&keys)));
                Ok(keys)
            }
            // Keys stay valid for ever: older ones serve while newer ones are not to be had.
            (Err(fault), Some(keys)) => {
                warn!(%fault, "the root keys could not be read anew");
                // Not with every request: each would wait until the call is given up.
                let since = now - LIFETIME + PATIENCE;
                *read = Some((since, Arc::clone(&keys)));
                Ok(keys)
            }
            (Err(fault), None) => Err(fault),
        }
    }

    async fn fetch(&self) -> Result<RootKeys, Fault> {
        let call = self.client.get_secret_value().secret_id(&self.secret);
        let answer = call.send().await.map_err(|error| fault::sort(SERVICE, &error))?;
        RootKeys::from_json(answer.secret_string().unwrap_or_default())
    }
}

impl std::fmt::Debug for SecretsManagerKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SecretsManagerKeys").field("secret", &self.secret).finish_non_exhaustive()
    }
}

#[async_trait]
impl Keys for SecretsManagerKeys {
    async fn root(&self) -> Result<Arc<RootKeys>, Fault> {
        self.read_within(LIFETIME).await
    }

    async fn root_with(&self, id: &str) -> Result<Arc<RootKeys>, Fault> {
        let keys = self.root().await?;
        if keys.knows(id) { Ok(keys) } else { self.read_within(PATIENCE).await }
    }
}
