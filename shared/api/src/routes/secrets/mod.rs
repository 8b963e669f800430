//! Secrets: taken in, shown only by their key ids; several may be live, so that rotation needs no downtime.

pub(crate) mod add;
pub(crate) mod remove;

use std::collections::BTreeMap;

use hooktide_flows::connect;
use hooktide_model::fault::Fault;
use hooktide_model::secret::Secret;
use hooktide_store::ports::Key;
use hooktide_store::records;
use hooktide_store::records::endpoint::{LastVerified, SealedSecret, last_verified_key};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::state::Api;

/// One secret or several, newest first.
#[derive(Deserialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum Given {
    /// One.
    One(String),
    /// Several.
    Several(Vec<String>),
}

/// Secrets by name, as a request gives them.
pub(crate) type GivenSecrets = BTreeMap<String, Given>;

/// Takes the secrets of a request over.
pub(super) fn given(secrets: GivenSecrets) -> connect::GivenSecrets {
    let values = |given| match given {
        Given::One(value) => vec![Secret::new(value)],
        Given::Several(values) => values.into_iter().map(Secret::new).collect(),
    };
    secrets.into_iter().map(|(name, given)| (name, values(given))).collect()
}

/// A secret as it is shown.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SecretView {
    /// Which of the secrets of its name; the activity says which one verified a delivery.
    key_id: String,
    /// When it was stored.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it last verified a delivery, give or take five minutes.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_verified_at: Option<Timestamp>,
    /// From when on it no longer counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    retires_at: Option<Timestamp>,
}

impl SecretView {
    fn of(sealed: &SealedSecret, last_verified_at: Option<Timestamp>) -> Self {
        let SealedSecret { key_id, created_at, retires_at, .. } = sealed;
        Self { key_id: key_id.to_string(), created_at: *created_at, last_verified_at, retires_at: *retires_at }
    }
}

/// Secrets by name, as they are shown.
pub(crate) type SecretViews = BTreeMap<String, Vec<SecretView>>;

/// Shows sealed secrets, with the time when each last verified a delivery of `endpoint`.
pub(super) async fn views(
    api: &Api,
    provider: &str,
    endpoint: &str,
    sealed: &[&SealedSecret],
) -> Result<SecretViews, Fault> {
    let keys: Vec<Key> = sealed.iter().map(|secret| last_verified_key(provider, endpoint, &secret.key_id)).collect();
    let found = if keys.is_empty() { Vec::new() } else { api.table().get_many(&keys).await? };
    let mut views = SecretViews::new();
    for (secret, item) in sealed.iter().zip(found) {
        let last = item.map(records::decode::<LastVerified>).transpose()?.map(|last| last.record.at);
        views.entry(secret.name.clone()).or_default().push(SecretView::of(secret, last));
    }
    Ok(views)
}
