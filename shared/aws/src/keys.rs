//! The deployment's root keys in Secrets Manager.
//!
//! The secret is made with the deployment and holds all keys there ever were: rotating adds one, as a new version of
//! the secret, and what the older ones sealed stays readable. A rotation is noticed within five minutes, and at once
//! where something is met that a newer key has sealed.

use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_secretsmanager::Client;
use hooktide_model::fault::Fault;
use hooktide_model::sealing::RootKeys;
use hooktide_store::ports::{Clock, Keys};

use crate::secret::StoredSecret;

/// The root keys in a secret.
#[derive(Debug)]
pub struct SecretsManagerKeys(StoredSecret<RootKeys>);

impl SecretsManagerKeys {
    /// The keys in the secret of this name or ARN.
    pub fn new(client: Client, secret: impl Into<String>, clock: Arc<dyn Clock>) -> Self {
        Self(StoredSecret::new(client, secret, clock, RootKeys::from_json))
    }
}

#[async_trait]
impl Keys for SecretsManagerKeys {
    async fn root(&self) -> Result<Arc<RootKeys>, Fault> {
        self.0.get().await
    }

    async fn root_with(&self, id: &str) -> Result<Arc<RootKeys>, Fault> {
        let keys = self.root().await?;
        if keys.knows(id) { Ok(keys) } else { self.0.get_anew().await }
    }
}
