//! `/v1/connections`: one account at one provider, of one tenant.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use hooktide_model::address;
use hooktide_model::names::ProblemType;
use hooktide_model::secret::Secret;
use hooktide_model::tenant::Tenant;
use hooktide_store::key::{Area, Partition};
use hooktide_store::ports::{Key, TransactFault, Write};
use hooktide_store::records::connection::{self, Connection};
use hooktide_store::records::endpoint::{self, Endpoint};
use hooktide_store::records::{self, Stored, Upkeep};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::checks::{account_of, check_settings, merge, name_of, provider_of};
use super::claims::{self, Claim};
use super::erase::{self, Erased};
use super::handshakes::{HandshakeView, handshake_of};
use super::idempotency::{self, Repeatable, id_for};
use super::routing;
use super::secrets::{self, GivenSecrets, SecretViews};
use crate::access::{May, Operate, Read};
use crate::answer::{Answer, Body, Hashed, List, Params, Refused, ok};
use crate::paging::{PageQuery, limit_of};
use crate::patched::Patched;
use crate::state::Api;

/// A connection to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewConnection {
    /// The provider's id.
    provider: String,
    /// What people call it.
    #[serde(default)]
    name: Option<String>,
    /// The provider's account: for Shopify the shop's domain.
    #[serde(default)]
    account: Option<String>,
    /// What verifies deliveries, and API credentials: a text, or several, newest first.
    #[serde(default)]
    #[schema(value_type = Object)]
    secrets: GivenSecrets,
    /// Settings.
    #[serde(default)]
    #[schema(value_type = Object)]
    settings: Map<String, Value>,
    /// The endpoint of a provider app that serves many accounts; without it, the connection gets its own.
    #[serde(default)]
    endpoint: Option<String>,
    /// The consent of that endpoint's owner, where the tenant is not named by it; endpoint and account default to the
    /// claim's.
    #[serde(default)]
    claim: Option<String>,
}

/// A JSON merge patch.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConnectionPatch {
    /// What people call it.
    name: Option<String>,
    /// The provider's account; `null` removes it, where the endpoint is the connection's own. What is known of the
    /// former account's entities stays.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    account: Patched<String>,
    /// The consent of a shared endpoint's owner to the new account, where the tenant is not named by it.
    claim: Option<String>,
    /// Settings; `null` removes one.
    #[schema(value_type = Option<Object>)]
    settings: Option<Map<String, Value>>,
}

/// A connection.
#[derive(Serialize, ToSchema)]
pub(crate) struct ConnectionView {
    id: String,
    provider: String,
    name: String,
    account: Option<String>,
    /// The endpoint that its deliveries come to; its own has the same id.
    endpoint: String,
    /// What the provider is told to call.
    webhook_url: String,
    #[schema(value_type = Object)]
    secrets: SecretViews,
    #[schema(value_type = Object)]
    settings: Map<String, Value>,
    /// The last verification code that came to its own address, to be entered at the provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    handshake: Option<HandshakeView>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

/// What deleting a connection erased.
#[derive(Serialize, ToSchema)]
pub(crate) struct Deleted {
    erased: Erased,
    /// Whether there is more to erase than one request does. A job goes on with it, a minute later; to hurry, delete the
    /// connection again. Its deliveries stopped at once.
    remaining: bool,
}

/// The tenant's connections.
#[utoipa::path(get, path = "/v1/connections", operation_id = "list_connections", params(PageQuery), responses((status = 200, body = List<ConnectionView>)))]
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    may: May<Read>,
    Params(page): Params<PageQuery>,
) -> Answer<Json<List<ConnectionView>>> {
    let limit = limit_of(page.limit)?;
    let partition = Partition::of(may.tenant(), Area::Connections);
    let range = page.after.map_or(hooktide_store::ports::Range::All, |last| records::after("", &last));
    let query = hooktide_store::ports::Query { partition, range, descending: false, limit };
    let (stored, more) = records::list::<Connection>(api.table(), &query).await?;
    let next = stored.last().filter(|_| more).map(|(id, _)| id.clone());
    let mut items = Vec::with_capacity(stored.len());
    for (_, stored) in stored.into_iter().filter(|(_, stored)| stored.record.deleted_at.is_none()) {
        items.push(view(&api, stored.record).await?);
    }
    Ok(ok(List { items, next }))
}

/// Makes a connection. With `Idempotency-Key`, the same request again gives the same connection, and another one is 422.
#[utoipa::path(post, path = "/v1/connections", operation_id = "create_connection", request_body = NewConnection,
    responses((status = 201, body = ConnectionView), (status = 409), (status = 422)))]
pub(crate) async fn create(
    State(api): State<Arc<Api>>,
    may: May<Operate>,
    headers: HeaderMap,
    Hashed(new, hash): Hashed<NewConnection>,
) -> Answer<(StatusCode, Json<ConnectionView>)> {
    let tenant = may.tenant();
    let provider = provider_of(&new.provider)?;
    check_settings(&new.settings)?;
    let claim = claim_of(&api, tenant, new.claim.as_deref()).await?;
    let account = new.account.or_else(|| claim.as_ref().map(|claim| claim.account.clone()));
    let account = account_of(provider, account)?;
    let endpoint = new.endpoint.or_else(|| claim.as_ref().map(|claim| claim.endpoint.clone()));
    let sorted = secrets::sort(provider, new.secrets)?;
    let mut request = Repeatable::new(&api, tenant, &headers, hash).await?;
    let of = (tenant, "connection", provider.id());
    let stands = |connection: &Connection| connection.deleted_at.is_none();
    idempotency::refuse_other_provider(&api, of, &headers, |_, id| connection::key(tenant, id), stands).await?;
    let id = id_for(&api, tenant, "connection", provider.id(), &headers).await?;
    let key = connection::key(tenant, &id);
    let connection = Connection {
        endpoint: endpoint.unwrap_or_else(|| id.clone()),
        credentials: secrets::seal(&api, tenant, &key, &sorted.credentials).await?,
        id,
        provider: provider.id().to_owned(),
        name: name_of(new.name, account.as_deref().unwrap_or(provider.id()))?,
        account,
        settings: new.settings,
        created_at: api.now(),
        request: Some(request.fingerprint.clone()),
        deleted_at: None,
    };
    loop {
        if request.keyed
            && let Some(made) = made_before(&api, &key, &request).await?
        {
            return Ok((StatusCode::CREATED, ok(view(&api, made).await?)));
        }
        match make(&api, tenant, &connection, &sorted.verifying, claim.as_ref()).await {
            Ok(()) => return Ok((StatusCode::CREATED, ok(view(&api, connection).await?))),
            Err(refused) if request.looks_again(&refused) => {}
            Err(refused) => return Err(refused),
        }
    }
}

/// The connection that an earlier request with the same key and body made.
async fn made_before(api: &Api, key: &Key, request: &Repeatable) -> Answer<Option<Connection>> {
    let Some(Stored { record, .. }) = records::get::<Connection>(api.table(), key).await? else { return Ok(None) };
    if record.deleted_at.is_some() {
        let detail = "The connection that was made with this key is being erased; take another key, or try again in a \
                      few minutes.";
        return Err(Refused::new(ProblemType::Conflict, detail));
    }
    request.made(record.request.as_deref())?;
    Ok(Some(record))
}

/// Stores a new connection: with an endpoint of its own, or with the account of a shared one.
async fn make(
    api: &Api,
    tenant: &Tenant,
    connection: &Connection,
    verifying: &[(String, Secret)],
    claim: Option<&Claim>,
) -> Answer<()> {
    let insert = records::insert(&connection::key(tenant, &connection.id), connection, Upkeep::default())?;
    if !connection.owns_endpoint() {
        if !verifying.is_empty() {
            return Err(Refused::invalid("secrets", "what verifies deliveries belongs to the shared endpoint"));
        }
        return routing::connect(api, tenant, connection, claim).await?.commit(api, vec![insert]).await;
    }
    secrets::require_all(provider_of(&connection.provider)?, verifying)?;
    let endpoint = own_endpoint(api, tenant, connection, verifying).await?;
    // The same id may have been deleted before: what is left of it gives way.
    let former = records::get::<Endpoint>(api.table(), &endpoint.key()).await?;
    let former = former.filter(|former| former.record.deleted_at.is_some() && former.record.tenant == *tenant);
    let rev = former.map(|former| former.rev);
    let put = records::replace(&endpoint.key(), rev, &endpoint, Upkeep::default())?;
    transact(api, vec![insert, put]).await
}

/// One connection.
#[utoipa::path(get, path = "/v1/connections/{id}", operation_id = "show_connection", responses((status = 200, body = ConnectionView), (status = 404)))]
pub(crate) async fn show(
    State(api): State<Arc<Api>>,
    may: May<Read>,
    Path(id): Path<String>,
) -> Answer<Json<ConnectionView>> {
    let stored = connection_of(&api, may.tenant(), &id).await?;
    Ok(ok(view(&api, stored.record).await?))
}

/// Changes a connection's name, account or settings.
#[utoipa::path(patch, path = "/v1/connections/{id}", operation_id = "change_connection", request_body = ConnectionPatch,
    responses((status = 200, body = ConnectionView), (status = 404), (status = 409), (status = 422)))]
pub(crate) async fn change(
    State(api): State<Arc<Api>>,
    may: May<Operate>,
    Path(id): Path<String>,
    Body(patch): Body<ConnectionPatch>,
) -> Answer<Json<ConnectionView>> {
    let tenant = may.tenant();
    let Stored { rev, record: former } = connection_of(&api, tenant, &id).await?;
    let mut connection = former.clone();
    if let Some(name) = patch.name {
        connection.name = name_of(Some(name), "")?;
    }
    match patch.account {
        Patched::Kept => {}
        Patched::Removed => connection.account = None,
        Patched::Set(account) => {
            connection.account = account_of(provider_of(&connection.provider)?, Some(account))?;
        }
    }
    for (name, value) in patch.settings.unwrap_or_default() {
        merge(&mut connection.settings, name, value);
    }
    check_settings(&connection.settings)?;
    let claim = claim_of(&api, tenant, patch.claim.as_deref()).await?;
    let mut writes =
        vec![records::replace(&connection::key(tenant, &connection.id), Some(rev), &connection, Upkeep::default())?];
    let moved = former.account != connection.account;
    match connection.owns_endpoint() {
        false if moved => {
            let moved = routing::move_to(&api, tenant, &former, &connection, claim.as_ref()).await?;
            moved.commit(&api, writes).await?;
        }
        // Its own endpoint has them as well: receivers and processors read nothing else.
        true if moved || former.settings != connection.settings => {
            let Stored { rev, record } = super::endpoints::endpoint_of(&api, tenant, &connection.id).await?;
            let (account, settings) = (connection.account.clone(), connection.settings.clone());
            let endpoint = Endpoint { account, settings, ..record.clone() };
            writes.push(records::replace(&endpoint.key(), Some(rev), &endpoint, Upkeep::default())?);
            routing::release_own(&api, &record, &endpoint)?.commit(&api, writes).await?;
        }
        true | false => transact(&api, writes).await?,
    }
    Ok(ok(view(&api, connection).await?))
}

/// Deletes a connection: its deliveries stop at once, what is known of its things is erased, the journal is kept. A job
/// looks again a minute later, for what was under way; until then, deleting it again is answered the same.
#[utoipa::path(delete, path = "/v1/connections/{id}", operation_id = "delete_connection", responses((status = 200, body = Deleted), (status = 404)))]
pub(crate) async fn delete(
    State(api): State<Arc<Api>>,
    may: May<Operate>,
    Path(id): Path<String>,
) -> Answer<Json<Deleted>> {
    let (erased, remaining) = erase::connection(&api, may.tenant(), &id).await?;
    Ok(ok(Deleted { erased, remaining }))
}

async fn own_endpoint(
    api: &Api,
    tenant: &Tenant,
    connection: &Connection,
    verifying: &[(String, Secret)],
) -> Answer<Endpoint> {
    let key = endpoint::key(&connection.provider, &connection.id);
    Ok(Endpoint {
        id: connection.id.clone(),
        provider: connection.provider.clone(),
        tenant: tenant.clone(),
        name: connection.name.clone(),
        connection: Some(connection.id.clone()),
        account: connection.account.clone(),
        tenants: Vec::new(),
        settings: connection.settings.clone(),
        secrets: secrets::seal(api, tenant, &key, verifying).await?,
        created_at: connection.created_at,
        request: None,
        deleted_at: None,
    })
}

async fn claim_of(api: &Api, tenant: &Tenant, text: Option<&str>) -> Answer<Option<Claim>> {
    match text {
        Some(text) => claims::open(api, tenant, text).await.map(Some),
        None => Ok(None),
    }
}

/// A connection of the tenant.
pub(crate) async fn connection_of(api: &Api, tenant: &Tenant, id: &str) -> Answer<Stored<Connection>> {
    let stored = records::get::<Connection>(api.table(), &connection::key(tenant, id)).await?;
    let stands = |stored: &Stored<Connection>| stored.record.deleted_at.is_none();
    stored.filter(stands).ok_or_else(|| Refused::not_found("connection"))
}

/// Stores a changed connection.
pub(crate) async fn store(api: &Api, tenant: &Tenant, stored: Stored<Connection>) -> Answer<()> {
    let key = connection::key(tenant, &stored.record.id);
    let write = records::replace(&key, Some(stored.rev), &stored.record, Upkeep::default())?;
    api.table().write(write).await.map_err(records::raced)?;
    Ok(())
}

async fn view(api: &Api, connection: Connection) -> Answer<ConnectionView> {
    let mut sealed: Vec<_> = connection.credentials.iter().collect();
    let key = endpoint::key(&connection.provider, &connection.endpoint);
    let endpoint = match connection.owns_endpoint() {
        true => records::get::<Endpoint>(api.table(), &key).await?,
        false => None,
    };
    sealed.extend(endpoint.iter().flat_map(|endpoint| &endpoint.record.secrets));
    let computed = webhook_url(api, &connection.provider, &connection.endpoint);
    Ok(ConnectionView {
        handshake: match connection.owns_endpoint() {
            true => handshake_of(api, &connection.provider, &connection.endpoint).await?,
            false => None,
        },
        secrets: secrets::views(api, &connection.provider, &connection.endpoint, &sealed).await?,
        webhook_url: endpoint.map_or(computed.clone(), |endpoint| endpoint.record.address(computed)),
        id: connection.id,
        provider: connection.provider,
        name: connection.name,
        account: connection.account,
        endpoint: connection.endpoint,
        settings: connection.settings,
        created_at: connection.created_at,
    })
}

/// What the provider is told to call.
pub(crate) fn webhook_url(api: &Api, provider: &str, endpoint: &str) -> String {
    format!("{}{}", api.settings().public_url, address::webhook_path(provider, endpoint))
}

/// Writes all, or answers that something of it exists or has changed.
pub(crate) async fn transact(api: &Api, writes: Vec<Write>) -> Answer<()> {
    match api.table().transact(writes).await {
        Ok(()) => Ok(()),
        Err(TransactFault::Cancelled(reasons)) if records::exists(&reasons) => {
            let detail = "It exists already, or somebody changed it at the same time; read it again.";
            Err(Refused::new(ProblemType::Conflict, detail))
        }
        Err(fault) => Err(Refused::from(records::overtaken(fault))),
    }
}
