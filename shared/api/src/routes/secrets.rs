//! Secrets: taken in, sealed, shown only by their key ids; several may be live, so that rotation needs no downtime.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use hooktide_model::fault::Fault;
use hooktide_model::names::ProblemType;
use hooktide_model::problem::FieldError;
use hooktide_model::secret::Secret;
use hooktide_model::tenant::Tenant;
use hooktide_providers::{CREDENTIALS, Need, Provider};
use hooktide_store::ports::Key;
use hooktide_store::records;
use hooktide_store::records::endpoint::{self, Endpoint, LastVerified, SealedSecret, last_verified_key};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::checks::provider_of;
use super::connections::{self, connection_of};
use super::endpoints::endpoint_of;
use crate::access::{Admin, May, Operate};
use crate::answer::{Answer, Body, Refused};
use crate::state::Api;

/// How many secrets of one name may be live: each costs a MAC for every delivery.
const MOST_LIVE: usize = 8;
/// The longest secret, in bytes.
const LONGEST: usize = 4096;

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

/// Secrets by name, as they are shown.
pub(crate) type SecretViews = BTreeMap<String, Vec<SecretView>>;

/// The sealed secrets of a request, sorted by what they are for.
#[derive(Default)]
pub(crate) struct Sorted {
    /// What verifies deliveries.
    pub(crate) verifying: Vec<(String, Secret)>,
    /// What the provider's API wants.
    pub(crate) credentials: Vec<(String, Secret)>,
}

/// Checks names and values, all at once.
pub(crate) fn sort(provider: &dyn Provider, given: GivenSecrets) -> Answer<Sorted> {
    let mut sorted = Sorted::default();
    let mut errors = Vec::new();
    for (name, values) in given {
        let field = format!("secrets.{name}");
        let values = match values {
            Given::One(value) => vec![value],
            Given::Several(values) => values,
        };
        let into = if is_among(provider.needs(), &name) {
            &mut sorted.verifying
        } else if is_among(CREDENTIALS, &name) {
            &mut sorted.credentials
        } else {
            errors.push(FieldError { field, detail: unknown_name(provider) });
            continue;
        };
        if values.is_empty() || values.len() > MOST_LIVE {
            errors.push(FieldError { field: field.clone(), detail: format!("give 1 to {MOST_LIVE} secrets") });
        }
        for value in values {
            match check(provider, &name, &value) {
                Ok(()) => into.push((name.clone(), Secret::new(value))),
                Err(detail) => errors.push(FieldError { field: field.clone(), detail }),
            }
        }
    }
    if errors.is_empty() { Ok(sorted) } else { Err(Refused::all_invalid(errors)) }
}

/// Without what verifies deliveries, all of them would be refused: say so at once.
pub(crate) fn require_all(provider: &dyn Provider, verifying: &[(String, Secret)]) -> Answer<()> {
    let given = |need: &Need| verifying.iter().any(|(name, _)| name == need.name);
    let needs = provider.needs();
    // Where none is needed always, one of several suffices.
    let one_of_several = !needs.is_empty() && needs.iter().all(|need| !need.required) && !needs.iter().any(given);
    let missing = needs.iter().filter(|need| one_of_several || need.required && !given(need));
    let errors: Vec<FieldError> = missing
        .map(|need| FieldError { field: format!("secrets.{}", need.name), detail: format!("give {}", need.about) })
        .collect();
    if errors.is_empty() { Ok(()) } else { Err(Refused::all_invalid(errors)) }
}

/// Seals secrets for the record at `key`, in their order.
pub(crate) async fn seal(
    api: &Api,
    tenant: &Tenant,
    key: &Key,
    secrets: &[(String, Secret)],
) -> Result<Vec<SealedSecret>, Fault> {
    let keys = api.ports().keys.root().await?;
    let record = endpoint::sealed_for(key);
    let place = (tenant, record.as_str());
    let seal = |(name, secret): &(String, Secret)| {
        SealedSecret::seal(name, secret, place, &keys, &api.ports().entropy, api.now())
    };
    secrets.iter().map(seal).collect()
}

/// How sealed secrets are shown, with when each last verified a delivery of `endpoint`.
pub(crate) async fn views(
    api: &Api,
    provider: &str,
    endpoint: &str,
    sealed: &[&SealedSecret],
) -> Result<SecretViews, Fault> {
    let keys: Vec<Key> = sealed.iter().map(|secret| last_verified_key(provider, endpoint, &secret.key_id)).collect();
    let found = if keys.is_empty() { Vec::new() } else { api.table().get_many(&keys).await? };
    let mut views = SecretViews::new();
    for (secret, item) in sealed.iter().zip(found) {
        let last = item.map(records::decode::<LastVerified>).transpose()?;
        views.entry(secret.name.clone()).or_default().push(SecretView {
            key_id: secret.key_id.to_string(),
            created_at: secret.created_at,
            last_verified_at: last.map(|last| last.record.at),
            retires_at: secret.retires_at,
        });
    }
    Ok(views)
}

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
    /// Puts the new secret first, and lets the others of its name end.
    fn put_into(&self, sealed: SealedSecret, secrets: &mut Vec<SealedSecret>, now: Timestamp) {
        let retires_at = self.retire_others_after.as_ref().map(|after| match after {
            RetireAfter::Seconds(seconds) => now + Duration::from_secs(u64::from(*seconds)),
            RetireAfter::At(time) => *time,
        });
        // What no longer counts need not be kept.
        secrets.retain(|secret| secret.retires_at.is_none_or(|retires_at| retires_at > now));
        for other in secrets.iter_mut().filter(|secret| secret.name == sealed.name) {
            other.retires_at = match (other.retires_at, retires_at) {
                (Some(own), Some(new)) => Some(own.min(new)),
                (own, new) => own.or(new),
            };
        }
        secrets.insert(0, sealed);
    }
}

/// Adds a secret to a connection; it counts at once.
#[utoipa::path(post, path = "/v1/connections/{id}/secrets/{name}", operation_id = "add_connection_secret", request_body = NewSecret,
    responses((status = 201, body = SecretView), (status = 404), (status = 422)))]
pub(crate) async fn add_to_connection(
    State(api): State<Arc<Api>>,
    may: May<Operate>,
    Path((id, name)): Path<(String, String)>,
    Body(new): Body<NewSecret>,
) -> Answer<(StatusCode, Json<SecretView>)> {
    let mut connection = connection_of(&api, may.tenant(), &id).await?;
    let provider = provider_of(&connection.record.provider)?;
    if is_among(provider.needs(), &name) {
        if !connection.record.owns_endpoint() {
            let detail = "the secrets of a shared endpoint are added to the endpoint";
            return Err(Refused::invalid("name", detail));
        }
        let endpoint = endpoint_of(&api, may.tenant(), &connection.record.endpoint).await?;
        return add(&api, endpoint.rev, endpoint.record, &name, new).await;
    }
    if !is_among(CREDENTIALS, &name) {
        return Err(Refused::invalid("name", unknown_name(provider)));
    }
    check(provider, &name, &new.value).map_err(|detail| Refused::invalid("value", detail))?;
    let key = records::connection::key(may.tenant(), &id);
    let sealed = seal_one(&api, may.tenant(), &key, &name, &new.value).await?;
    new.put_into(sealed.clone(), &mut connection.record.credentials, api.now());
    check_count(&connection.record.credentials, &name)?;
    connections::store(&api, may.tenant(), connection).await?;
    Ok((StatusCode::CREATED, Json(view(&sealed))))
}

/// Removes a secret of a connection.
#[utoipa::path(delete, path = "/v1/connections/{id}/secrets/{name}/{key_id}", operation_id = "remove_connection_secret",
    responses((status = 204), (status = 404), (status = 409)))]
pub(crate) async fn remove_from_connection(
    State(api): State<Arc<Api>>,
    may: May<Operate>,
    Path((id, name, key_id)): Path<(String, String, String)>,
) -> Answer<StatusCode> {
    let mut connection = connection_of(&api, may.tenant(), &id).await?;
    if connection.record.owns_endpoint() {
        let endpoint = endpoint_of(&api, may.tenant(), &connection.record.endpoint).await?;
        if endpoint.record.secrets.iter().any(|secret| secret.name == name) {
            return remove(&api, endpoint.rev, endpoint.record, &name, &key_id).await;
        }
    }
    let before = connection.record.credentials.len();
    connection.record.credentials.retain(|secret| secret.name != name || secret.key_id.0 != key_id);
    if connection.record.credentials.len() == before {
        return Err(Refused::not_found("secret"));
    }
    connections::store(&api, may.tenant(), connection).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Adds a secret to an endpoint; it counts at once.
#[utoipa::path(post, path = "/v1/endpoints/{id}/secrets/{name}", operation_id = "add_endpoint_secret", request_body = NewSecret,
    responses((status = 201, body = SecretView), (status = 404), (status = 422)))]
pub(crate) async fn add_to_endpoint(
    State(api): State<Arc<Api>>,
    may: May<Admin>,
    Path((id, name)): Path<(String, String)>,
    Body(new): Body<NewSecret>,
) -> Answer<(StatusCode, Json<SecretView>)> {
    let endpoint = endpoint_of(&api, may.tenant(), &id).await?;
    let provider = provider_of(&endpoint.record.provider)?;
    if !is_among(provider.needs(), &name) {
        return Err(Refused::invalid("name", unknown_name(provider)));
    }
    add(&api, endpoint.rev, endpoint.record, &name, new).await
}

/// Removes a secret of an endpoint.
#[utoipa::path(delete, path = "/v1/endpoints/{id}/secrets/{name}/{key_id}", operation_id = "remove_endpoint_secret",
    responses((status = 204), (status = 404), (status = 409)))]
pub(crate) async fn remove_from_endpoint(
    State(api): State<Arc<Api>>,
    may: May<Admin>,
    Path((id, name, key_id)): Path<(String, String, String)>,
) -> Answer<StatusCode> {
    let endpoint = endpoint_of(&api, may.tenant(), &id).await?;
    remove(&api, endpoint.rev, endpoint.record, &name, &key_id).await
}

async fn add(
    api: &Api,
    rev: u64,
    mut endpoint: Endpoint,
    name: &str,
    new: NewSecret,
) -> Answer<(StatusCode, Json<SecretView>)> {
    let provider = provider_of(&endpoint.provider)?;
    check(provider, name, &new.value).map_err(|detail| Refused::invalid("value", detail))?;
    let sealed = seal_one(api, &endpoint.tenant, &endpoint.key(), name, &new.value).await?;
    new.put_into(sealed.clone(), &mut endpoint.secrets, api.now());
    check_count(&endpoint.secrets, name)?;
    store(api, rev, &endpoint).await?;
    Ok((StatusCode::CREATED, Json(view(&sealed))))
}

async fn remove(api: &Api, rev: u64, mut endpoint: Endpoint, name: &str, key_id: &str) -> Answer<StatusCode> {
    let now = api.now();
    let live = |endpoint: &Endpoint| {
        let of_name = endpoint.secrets.iter().filter(|secret| secret.name == name);
        of_name.filter(|secret| secret.retires_at.is_none_or(|retires_at| now < retires_at)).count()
    };
    let (before, live_before) = (endpoint.secrets.len(), live(&endpoint));
    endpoint.secrets.retain(|secret| secret.name != name || secret.key_id.0 != key_id);
    if endpoint.secrets.len() == before {
        return Err(Refused::not_found("secret"));
    }
    if live_before > 0 && live(&endpoint) == 0 {
        let detail =
            "It is the only live secret of its name, and without one every delivery is refused. Add another first.";
        return Err(Refused::new(ProblemType::Conflict, detail));
    }
    store(api, rev, &endpoint).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn store(api: &Api, rev: u64, endpoint: &Endpoint) -> Result<(), Fault> {
    let key = endpoint::key(&endpoint.provider, &endpoint.id);
    let write = records::replace(&key, Some(rev), endpoint, records::Upkeep::default())?;
    api.table().write(write).await.map(drop).map_err(records::raced)
}

async fn seal_one(api: &Api, tenant: &Tenant, key: &Key, name: &str, value: &str) -> Result<SealedSecret, Fault> {
    let mut sealed = seal(api, tenant, key, &[(name.to_owned(), Secret::new(value))]).await?;
    sealed.pop().ok_or_else(|| Fault::failed("a secret was not sealed"))
}

fn view(sealed: &SealedSecret) -> SecretView {
    let key_id = sealed.key_id.to_string();
    SecretView { key_id, created_at: sealed.created_at, last_verified_at: None, retires_at: None }
}

fn is_among(needs: &[Need], name: &str) -> bool {
    needs.iter().any(|need| need.name == name)
}

fn unknown_name(provider: &dyn Provider) -> String {
    let names: Vec<&str> = provider.needs().iter().chain(CREDENTIALS).map(|need| need.name).collect();
    format!("{} knows the secrets {}", provider.id(), names.join(", "))
}

fn check(provider: &dyn Provider, name: &str, value: &str) -> Result<(), String> {
    if value.is_empty() || value.len() > LONGEST {
        return Err(format!("a secret has 1 to {LONGEST} bytes"));
    }
    if value.trim() != value {
        return Err("it begins or ends with white space, which was hardly meant".into());
    }
    provider.check_secret(name, &Secret::new(value)).map_err(str::to_owned)
}

fn check_count(secrets: &[SealedSecret], name: &str) -> Answer<()> {
    if secrets.iter().filter(|secret| secret.name == name).count() <= MOST_LIVE {
        return Ok(());
    }
    let detail = format!("At most {MOST_LIVE} secrets of a name are live at once; remove one first.");
    Err(Refused::new(ProblemType::Conflict, detail))
}
