//! `/v1/endpoints`: addresses of provider apps that serve many accounts.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use hooktide_model::address;
use hooktide_model::fault::Fault;
use hooktide_model::names::ProblemType;
use hooktide_model::tenant::Tenant;
use hooktide_store::key::{Area, Partition};
use hooktide_store::ports::{Query, Range, Write};
use hooktide_store::records::endpoint::{self, Endpoint, Owned, owned_key};
use hooktide_store::records::guest::Guest;
use hooktide_store::records::{self, Stored, Upkeep};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::checks::{account_of, check_settings, merge, name_of, provider_of};
use super::connections::{transact, webhook_url};
use super::handshakes::{HandshakeView, handshake_of};
use super::idempotency::{self, Repeatable, id_for};
use super::secrets::{self, GivenSecrets, SecretViews};
use crate::access::{Admin, May};
use crate::answer::{Answer, Body, Hashed, List, Refused, ok};
use crate::state::Api;

/// More endpoints than a tenant has.
const MOST: usize = 1_000;
/// How many tenants an endpoint names.
const MOST_GUESTS: usize = 100;
/// How much longer than any dead letter a removed endpoint is recognised, so that a letter of it stays its tenant's.
const TOMBSTONE: std::time::Duration = std::time::Duration::from_secs(30 * 24 * 3600);

/// An endpoint to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewEndpoint {
    /// The provider's id.
    provider: String,
    /// What people call it.
    #[serde(default)]
    name: Option<String>,
    /// What verifies deliveries: a text, or several, newest first.
    #[schema(value_type = Object)]
    secrets: GivenSecrets,
    /// What the provider calls the app; a note, since each connection names its own account.
    #[serde(default)]
    account: Option<String>,
    /// Settings.
    #[serde(default)]
    #[schema(value_type = Object)]
    settings: Map<String, Value>,
    /// Which other tenants may connect any account to it, without a claim; `["*"]` lets every tenant that knows its id.
    /// None by default: its owner connects accounts, or signs a claim for each.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    tenants: Vec<Guest>,
}

/// What of an endpoint can be changed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EndpointPatch {
    /// What people call it.
    name: Option<String>,
    /// Settings; `null` removes one.
    #[schema(value_type = Option<Object>)]
    settings: Option<Map<String, Value>>,
    /// Which other tenants may connect any account to it; in place of those that were named.
    #[schema(value_type = Option<Vec<String>>)]
    tenants: Option<Vec<Guest>>,
}

/// An endpoint.
#[derive(Serialize, ToSchema)]
pub(crate) struct EndpointView {
    id: String,
    provider: String,
    name: String,
    account: Option<String>,
    /// What the provider is told to call.
    webhook_url: String,
    #[schema(value_type = Object)]
    secrets: SecretViews,
    #[schema(value_type = Object)]
    settings: Map<String, Value>,
    /// Which other tenants may connect any account to it, without a claim.
    #[schema(value_type = Vec<String>)]
    tenants: Vec<Guest>,
    /// The last verification code that came to its address, to be entered at the provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    handshake: Option<HandshakeView>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

/// What deleting an endpoint erased.
#[derive(Serialize, ToSchema)]
pub(crate) struct ErasedEndpoint {
    /// How many endpoints.
    endpoints: usize,
    /// How many secrets.
    secrets: usize,
}

/// The endpoints that the tenant made.
#[utoipa::path(get, path = "/v1/endpoints", operation_id = "list_endpoints", responses((status = 200, body = List<EndpointView>)))]
pub(crate) async fn list(State(api): State<Arc<Api>>, may: May<Admin>) -> Answer<Json<List<EndpointView>>> {
    let partition = Partition::of(may.tenant(), Area::Endpoints);
    let mut items = Vec::new();
    for (reference, _) in records::list_all::<Owned>(api.table(), partition, "", MOST).await? {
        let Some((provider, id)) = reference.split_once('#') else { continue };
        let stored = records::get::<Endpoint>(api.table(), &endpoint::key(provider, id)).await?;
        let stands =
            |stored: &Stored<Endpoint>| stored.record.connection.is_none() && stored.record.deleted_at.is_none();
        if let Some(stored) = stored.filter(stands) {
            items.push(view(&api, stored.record).await?);
        }
    }
    Ok(ok(List { items, next: None }))
}

/// Makes an endpoint for a provider app. With `Idempotency-Key`, the same request again gives the same, and another one is 422.
/// Its owner's connections can then name it, one for each account, and those of the tenants that it lets in.
#[utoipa::path(post, path = "/v1/endpoints", operation_id = "create_endpoint", request_body = NewEndpoint,
    responses((status = 201, body = EndpointView), (status = 422)))]
pub(crate) async fn create(
    State(api): State<Arc<Api>>,
    may: May<Admin>,
    headers: HeaderMap,
    Hashed(new, hash): Hashed<NewEndpoint>,
) -> Answer<(StatusCode, Json<EndpointView>)> {
    let provider = provider_of(&new.provider)?;
    check_settings(&new.settings)?;
    check_guests(&new.tenants)?;
    let sorted = secrets::sort(provider, new.secrets)?;
    if !sorted.credentials.is_empty() {
        return Err(Refused::invalid("secrets", "API credentials belong to connections, not to an endpoint"));
    }
    secrets::require_all(provider, &sorted.verifying)?;
    let mut request = Repeatable::new(&api, may.tenant(), &headers, hash).await?;
    let of = (may.tenant(), "endpoint", provider.id());
    let stands = |endpoint: &Endpoint| endpoint.deleted_at.is_none();
    idempotency::refuse_other_provider(&api, of, &headers, endpoint::key, stands).await?;
    let id = id_for(&api, may.tenant(), "endpoint", provider.id(), &headers).await?;
    let key = endpoint::key(provider.id(), &id);
    let endpoint = Endpoint {
        secrets: secrets::seal(&api, may.tenant(), &key, &sorted.verifying).await?,
        id,
        provider: provider.id().to_owned(),
        tenant: may.tenant().clone(),
        name: name_of(new.name, provider.id())?,
        connection: None,
        account: account_of(provider, new.account)?,
        settings: new.settings,
        tenants: new.tenants,
        created_at: api.now(),
        request: Some(request.fingerprint.clone()),
        deleted_at: None,
    };
    let owned = owned_key(may.tenant(), provider.id(), &endpoint.id);
    let writes = vec![
        records::insert(&key, &endpoint, Upkeep::default())?,
        records::insert(&owned, &Owned { since: endpoint.created_at }, Upkeep::default())?,
    ];
    loop {
        let there = if request.keyed { records::get::<Endpoint>(api.table(), &key).await? } else { None };
        if let Some(Stored { record, .. }) = there.filter(|stored| stored.record.deleted_at.is_none()) {
            request.made(record.request.as_deref())?;
            return Ok((StatusCode::CREATED, ok(view(&api, record).await?)));
        }
        match transact(&api, writes.clone()).await {
            Ok(()) => return Ok((StatusCode::CREATED, ok(view(&api, endpoint).await?))),
            Err(refused) if request.looks_again(&refused) => {}
            Err(refused) => return Err(refused),
        }
    }
}

/// One endpoint.
#[utoipa::path(get, path = "/v1/endpoints/{id}", operation_id = "show_endpoint", responses((status = 200, body = EndpointView), (status = 404)))]
pub(crate) async fn show(
    State(api): State<Arc<Api>>,
    may: May<Admin>,
    Path(id): Path<String>,
) -> Answer<Json<EndpointView>> {
    let stored = shared_endpoint_of(&api, may.tenant(), &id).await?;
    Ok(ok(view(&api, stored.record).await?))
}

/// Changes an endpoint.
#[utoipa::path(patch, path = "/v1/endpoints/{id}", operation_id = "change_endpoint", request_body = EndpointPatch,
    responses((status = 200, body = EndpointView), (status = 404)))]
pub(crate) async fn change(
    State(api): State<Arc<Api>>,
    may: May<Admin>,
    Path(id): Path<String>,
    Body(patch): Body<EndpointPatch>,
) -> Answer<Json<EndpointView>> {
    let Stored { rev, record: mut endpoint } = shared_endpoint_of(&api, may.tenant(), &id).await?;
    if let Some(name) = patch.name {
        endpoint.name = name_of(Some(name), &endpoint.provider)?;
    }
    for (name, value) in patch.settings.unwrap_or_default() {
        merge(&mut endpoint.settings, name, value);
    }
    check_settings(&endpoint.settings)?;
    if let Some(tenants) = patch.tenants {
        check_guests(&tenants)?;
        endpoint.tenants = tenants;
    }
    let write = records::replace(&endpoint.key(), Some(rev), &endpoint, Upkeep::default())?;
    api.table().write(write).await.map_err(records::raced)?;
    Ok(ok(view(&api, endpoint).await?))
}

/// Deletes an endpoint that no connection uses any more.
#[utoipa::path(delete, path = "/v1/endpoints/{id}", operation_id = "delete_endpoint",
    responses((status = 200, body = Object, description = "`{\"erased\": {...}}`"), (status = 404), (status = 409)))]
pub(crate) async fn delete(
    State(api): State<Arc<Api>>,
    may: May<Admin>,
    Path(id): Path<String>,
) -> Answer<Json<serde_json::Value>> {
    let stored = shared_endpoint_of(&api, may.tenant(), &id).await?;
    let partition = Partition::routes(&stored.record.provider, &id);
    let query = Query { partition, range: Range::All, descending: false, limit: 1 };
    if !api.table().query(&query).await?.items.is_empty() {
        let detail = "Connections still use this endpoint; delete them first.";
        return Err(Refused::new(ProblemType::Conflict, detail));
    }
    let secrets = stored.record.secrets.len();
    let reference = Write::Delete { key: owned_key(may.tenant(), &stored.record.provider, &id), condition: None };
    transact(&api, vec![tombstone(&api, &stored)?, reference]).await?;
    Ok(ok(serde_json::json!({ "erased": ErasedEndpoint { endpoints: 1, secrets } })))
}

/// The write that ends an endpoint: its secrets go at once, and what still comes is recognised for a while.
pub(crate) fn tombstone(api: &Api, stored: &Stored<Endpoint>) -> Result<Write, Fault> {
    let now = api.now();
    let gone = Endpoint { secrets: Vec::new(), deleted_at: Some(now), ..stored.record.clone() };
    records::replace(
        &gone.key(),
        Some(stored.rev),
        &gone,
        Upkeep::until(now + api.settings().keep_dead_letters + TOMBSTONE),
    )
}

/// An endpoint of the tenant, also one that is a connection's own.
pub(crate) async fn endpoint_of(api: &Api, tenant: &Tenant, id: &str) -> Answer<Stored<Endpoint>> {
    let found = any_endpoint(api, id).await?;
    found.filter(|stored| stored.record.tenant == *tenant).ok_or_else(|| Refused::not_found("endpoint"))
}

/// An endpoint of whatever tenant, found by the provider that its id is marked with.
pub(crate) async fn any_endpoint(api: &Api, id: &str) -> Answer<Option<Stored<Endpoint>>> {
    let keys = api.ports().keys.root().await?;
    let Some(provider) = hooktide_providers::ALL.iter().find(|provider| address::is_ours(provider.id(), id, &keys))
    else {
        return Ok(None);
    };
    let stored = records::get::<Endpoint>(api.table(), &endpoint::key(provider.id(), id)).await?;
    Ok(stored.filter(|stored| stored.record.deleted_at.is_none()))
}

/// An endpoint of the tenant that serves many accounts.
pub(crate) async fn shared_endpoint_of(api: &Api, tenant: &Tenant, id: &str) -> Answer<Stored<Endpoint>> {
    let stored = endpoint_of(api, tenant, id).await?;
    if stored.record.connection.is_some() { Err(Refused::not_found("endpoint")) } else { Ok(stored) }
}

async fn view(api: &Api, endpoint: Endpoint) -> Answer<EndpointView> {
    let sealed: Vec<_> = endpoint.secrets.iter().collect();
    let computed = webhook_url(api, &endpoint.provider, &endpoint.id);
    Ok(EndpointView {
        handshake: handshake_of(api, &endpoint.provider, &endpoint.id).await?,
        secrets: secrets::views(api, &endpoint.provider, &endpoint.id, &sealed).await?,
        webhook_url: endpoint.address(computed),
        id: endpoint.id,
        provider: endpoint.provider,
        name: endpoint.name,
        account: endpoint.account,
        settings: endpoint.settings,
        tenants: endpoint.tenants,
        created_at: endpoint.created_at,
    })
}

/// Checks how many tenants are named: they are read with every delivery.
fn check_guests(tenants: &[Guest]) -> Answer<()> {
    if tenants.len() <= MOST_GUESTS {
        return Ok(());
    }
    Err(Refused::invalid("tenants", format!("name at most {MOST_GUESTS}; sign claims for more")))
}
