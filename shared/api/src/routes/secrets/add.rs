//! `POST /v1/connections/{id}/secrets/{name}`, and the same of endpoints.

use axum::Json;
use axum::extract::Path;
use axum::http::StatusCode;
use hooktide_flows::connect;
use hooktide_model::secret::Secret;
use jiff::Timestamp;
use serde::Deserialize;
use utoipa::ToSchema;

use super::SecretView;
use crate::access::{Admin, May, Operate};
use crate::answer::{Answer, Body, created};

/// A secret to be added.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewSecret {
    /// The secret.
    value: String,
    /// When the other secrets of this name stop counting: seconds from now, or a time. Never by default.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    retire_others_after: Option<RetireAfter>,
}

/// A span in seconds, or a time.
#[derive(Deserialize)]
#[serde(untagged)]
enum RetireAfter {
    Seconds(u32),
    At(Timestamp),
}

impl NewSecret {
    fn at(self, now: Timestamp) -> connect::NewSecret {
        let others_retire_at = self.retire_others_after.map(|after| match after {
            RetireAfter::Seconds(seconds) => now + std::time::Duration::from_secs(u64::from(seconds)),
            RetireAfter::At(time) => time,
        });
        connect::NewSecret { value: Secret::new(self.value), others_retire_at }
    }
}

/// Adds a secret to a connection; it counts at once.
#[utoipa::path(post, path = "/v1/connections/{id}/secrets/{name}", operation_id = "add_connection_secret", request_body = NewSecret,
    responses((status = 201, body = SecretView), (status = 404), (status = 422)))]
pub(crate) async fn add_to_connection(
    may: May<Operate>,
    Path((id, name)): Path<(String, String)>,
    Body(new): Body<NewSecret>,
) -> Answer<(StatusCode, Json<SecretView>)> {
    let context = may.context();
    let sealed = connect::add_secret(context, &id, &name, new.at(context.now)).await?;
    Ok(created(SecretView::of(&sealed, None)))
}

/// Adds a secret to an endpoint; it counts at once.
#[utoipa::path(post, path = "/v1/endpoints/{id}/secrets/{name}", operation_id = "add_endpoint_secret", request_body = NewSecret,
    responses((status = 201, body = SecretView), (status = 404), (status = 422)))]
pub(crate) async fn add_to_endpoint(
    may: May<Admin>,
    Path((id, name)): Path<(String, String)>,
    Body(new): Body<NewSecret>,
) -> Answer<(StatusCode, Json<SecretView>)> {
    let context = may.context();
    let sealed = connect::add_secret_to_endpoint(context, &id, &name, new.at(context.now)).await?;
    Ok(created(SecretView::of(&sealed, None)))
}
