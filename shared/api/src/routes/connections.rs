//! `/v1/connections`: one account at one provider, of one tenant.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use hooktide_core::flows::replay;
use hooktide_core::key::{Area, Partition};
use hooktide_core::names::ProblemType;
use hooktide_core::ports::{TransactFault, Write};
use hooktide_core::providers::Provider;
use hooktide_core::records::connection::{self, Connection};
use hooktide_core::records::dead_letter::Shelf;
use hooktide_core::records::endpoint::{self, Endpoint, Route};
use hooktide_core::records::replay::{Filter, Replay};
use hooktide_core::records::{self, Stored, Upkeep};
use hooktide_core::tenant::Tenant;
use hooktide_core::{address, providers};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};

use super::endpoints::any_endpoint;
use super::erase::{self, Erased};
use super::handshakes::{HandshakeView, handshake_of};
use super::secrets::{self, GivenSecrets, SecretViews};
use crate::access::{May, Operate, Read};
use crate::answer::{Answer, Body, List, Params, Refused, ok};
use crate::state::Api;

/// The longest name and account.
const LONGEST_TEXT: usize = 255;
/// The largest settings, in bytes of JSON.
const LARGEST_SETTINGS: usize = 16 * 1024;
/// How fast what was held for an account is released, in messages a second.
const RELEASE_RATE: u32 = 100;

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
}

/// A JSON merge patch.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConnectionPatch {
    /// What people call it.
    name: Option<String>,
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
    /// Whether there is more to erase: delete it again. Its deliveries stopped at once.
    remaining: bool,
}

/// Which page.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct PageQuery {
    /// The `next` of an earlier answer.
    pub(crate) after: Option<String>,
    /// At most so many (100 by default, 1000 at the most).
    pub(crate) limit: Option<usize>,
}

/// The tenant's connections.
#[utoipa::path(get, path = "/v1/connections", operation_id = "list_connections", params(PageQuery), responses((status = 200, body = List<ConnectionView>)))]
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    may: May<Read>,
    Params(page): Params<PageQuery>,
) -> Answer<Json<List<ConnectionView>>> {
    let limit = super::changes::limit_of(page.limit)?;
    let partition = Partition::of(may.tenant(), Area::Connections);
    let range = page.after.map_or(hooktide_core::ports::Range::All, |last| records::after("", &last));
    let query = hooktide_core::ports::Query { partition, range, descending: false, limit };
    let (stored, more) = records::list::<Connection>(api.table(), &query).await?;
    let next = stored.last().filter(|_| more).map(|(id, _)| id.clone());
    let mut items = Vec::with_capacity(stored.len());
    for (_, stored) in stored {
        items.push(view(&api, stored.record).await?);
    }
    Ok(ok(List { items, next }))
}

/// Makes a connection. With `Idempotency-Key`, the same request again gives the same connection.
#[utoipa::path(post, path = "/v1/connections", operation_id = "create_connection", request_body = NewConnection,
    responses((status = 201, body = ConnectionView), (status = 409), (status = 422)))]
pub(crate) async fn create(
    State(api): State<Arc<Api>>,
    may: May<Operate>,
    headers: HeaderMap,
    Body(new): Body<NewConnection>,
) -> Answer<(StatusCode, Json<ConnectionView>)> {
    let tenant = may.tenant();
    let provider = provider_of(&new.provider)?;
    check_settings(&new.settings)?;
    let account = account_of(provider, new.account)?;
    let sorted = secrets::sort(provider, new.secrets)?;
    let id = id_for(&api, tenant, "connection", provider.id(), &headers).await?;
    let key = connection::key(tenant, &id);
    if headers.contains_key(IDEMPOTENCY_KEY)
        && let Some(stored) = records::get::<Connection>(api.table(), &key).await?
    {
        return Ok((StatusCode::CREATED, ok(view(&api, stored.record).await?)));
    }
    let connection = Connection {
        endpoint: new.endpoint.unwrap_or_else(|| id.clone()),
        credentials: secrets::seal(&api, tenant, &key, &sorted.credentials).await?,
        id,
        provider: provider.id().to_owned(),
        name: name_of(new.name, account.as_deref().unwrap_or(provider.id()))?,
        account,
        settings: new.settings,
        created_at: api.now(),
    };
    let insert = records::insert(&key, &connection, Upkeep::default())?;
    if connection.owns_endpoint() {
        secrets::require_all(provider, &sorted.verifying)?;
        let endpoint = own_endpoint(&api, tenant, &connection, &sorted.verifying).await?;
        // The same id may have been deleted before: what is left of it gives way.
        let former = records::get::<Endpoint>(api.table(), &endpoint.key()).await?;
        let former = former.filter(|former| former.record.deleted_at.is_some() && former.record.tenant == *tenant);
        let rev = former.map(|former| former.rev);
        let put = records::replace(&endpoint.key(), rev, &endpoint, Upkeep::default())?;
        transact(&api, vec![insert, put]).await?;
    } else {
        if !sorted.verifying.is_empty() {
            return Err(Refused::invalid("secrets", "what verifies deliveries belongs to the shared endpoint"));
        }
        connect_account(&api, tenant, &connection, insert).await?;
    }
    Ok((StatusCode::CREATED, ok(view(&api, connection).await?)))
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

/// Changes a connection's name or settings.
#[utoipa::path(patch, path = "/v1/connections/{id}", operation_id = "change_connection", request_body = ConnectionPatch,
    responses((status = 200, body = ConnectionView), (status = 404), (status = 422)))]
pub(crate) async fn change(
    State(api): State<Arc<Api>>,
    may: May<Operate>,
    Path(id): Path<String>,
    Body(patch): Body<ConnectionPatch>,
) -> Answer<Json<ConnectionView>> {
    let mut stored = connection_of(&api, may.tenant(), &id).await?;
    if let Some(name) = patch.name {
        stored.record.name = name_of(Some(name), "")?;
    }
    let settings = patch.settings.unwrap_or_default();
    // Its own endpoint has them as well: receivers read nothing else.
    let in_endpoint = !settings.is_empty() && stored.record.owns_endpoint();
    for (name, value) in settings {
        merge(&mut stored.record.settings, name, value);
    }
    check_settings(&stored.record.settings)?;
    let Stored { rev, record: connection } = stored;
    let key = connection::key(may.tenant(), &connection.id);
    let mut writes = vec![records::replace(&key, Some(rev), &connection, Upkeep::default())?];
    if in_endpoint {
        let Stored { rev, record } = super::endpoints::endpoint_of(&api, may.tenant(), &connection.id).await?;
        let endpoint = Endpoint { settings: connection.settings.clone(), ..record };
        writes.push(records::replace(&endpoint.key(), Some(rev), &endpoint, Upkeep::default())?);
    }
    api.table().transact(writes).await.map_err(records::overtaken)?;
    Ok(ok(view(&api, connection).await?))
}

/// Deletes a connection: its deliveries stop at once, what is known of its things is erased, the journal is kept.
#[utoipa::path(delete, path = "/v1/connections/{id}", operation_id = "delete_connection", responses((status = 200, body = Deleted), (status = 404)))]
pub(crate) async fn delete(
    State(api): State<Arc<Api>>,
    may: May<Operate>,
    Path(id): Path<String>,
) -> Answer<Json<Deleted>> {
    let stored = connection_of(&api, may.tenant(), &id).await?;
    let (erased, remaining) = erase::connection(&api, may.tenant(), stored).await?;
    Ok(ok(Deleted { erased, remaining }))
}

async fn own_endpoint(
    api: &Api,
    tenant: &Tenant,
    connection: &Connection,
    verifying: &[(String, hooktide_core::secret::Secret)],
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
        deleted_at: None,
    })
}

/// Connects an account of a shared endpoint, and releases what was held for it.
///
/// Whom the endpoint's owner named, or whoever knows its id, may connect an account to it; each account once.
async fn connect_account(api: &Api, tenant: &Tenant, connection: &Connection, insert: Write) -> Answer<()> {
    let endpoint = any_endpoint(api, &connection.endpoint).await?;
    let endpoint =
        endpoint.filter(|stored| stored.record.takes(tenant) && stored.record.provider == connection.provider);
    let Some(Stored { record: endpoint, .. }) = endpoint else {
        return Err(Refused::invalid("endpoint", "there is no such endpoint of this provider"));
    };
    let Some(account) = &connection.account else {
        return Err(Refused::invalid("account", "a shared endpoint needs it, to know whose a delivery is"));
    };
    if super::endpoints::route_of(api, &endpoint, account).await?.is_some() {
        return Err(Refused::new(ProblemType::Conflict, "This account is connected to this endpoint already."));
    }
    let route = Route { tenant: tenant.clone(), connection: connection.id.clone() };
    let route_key = endpoint::route_key(&endpoint.provider, &endpoint.id, account);
    let release = Replay {
        shelf: Shelf::Held { endpoint: endpoint.id.clone(), account: account.clone() },
        filter: Filter::default(),
        rate_per_second: RELEASE_RATE,
        started_at: api.now(),
        after: None,
        sent: 0,
        finished_at: None,
    };
    // An account may be connected anew under the same id: each time, what was held meanwhile is released.
    let id = format!("release-{}-{}", connection.id, connection.created_at.as_millisecond());
    let mut writes = vec![insert, records::insert(&route_key, &route, Upkeep::default())?];
    writes.extend(replay::begin(&endpoint.tenant, &id, &release, api.now())?);
    transact(api, writes).await?;
    replay::announce(api.ports(), &endpoint.tenant, &id, api.now()).await;
    Ok(())
}

/// A connection of the tenant.
pub(crate) async fn connection_of(api: &Api, tenant: &Tenant, id: &str) -> Answer<Stored<Connection>> {
    let stored = records::get::<Connection>(api.table(), &connection::key(tenant, id)).await?;
    stored.ok_or_else(|| Refused::not_found("connection"))
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

/// The header that makes repeating a request harmless.
const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// A new id for a resource; the same one for the same idempotency key.
pub(crate) async fn id_for(
    api: &Api,
    tenant: &Tenant,
    resource: &str,
    provider: &str,
    headers: &HeaderMap,
) -> Answer<String> {
    let keys = api.ports().keys.root().await?;
    match headers.get(IDEMPOTENCY_KEY) {
        None => Ok(address::new_id(provider, &keys, &api.ports().entropy)),
        Some(key) if key.len() <= LONGEST_TEXT => {
            let parts = [tenant.as_str().as_bytes(), resource.as_bytes(), provider.as_bytes(), key.as_bytes()];
            let seed = parts.join(&0);
            Ok(address::id_from(provider, &seed, &keys))
        }
        Some(_) => Err(Refused::invalid(IDEMPOTENCY_KEY, "it has at most 255 characters")),
    }
}

/// What the provider is told to call.
pub(crate) fn webhook_url(api: &Api, provider: &str, endpoint: &str) -> String {
    format!("{}{}", api.settings().public_url, address::webhook_path(provider, endpoint))
}

/// The provider of that id.
pub(crate) fn provider_of(id: &str) -> Answer<&'static dyn Provider> {
    providers::by_id(id).ok_or_else(|| {
        let known: Vec<&str> = providers::ALL.iter().map(|provider| provider.id()).collect();
        Refused::invalid("provider", format!("it is one of {}", known.join(", ")))
    })
}

/// Checks a name, or takes another.
pub(crate) fn name_of(name: Option<String>, otherwise: &str) -> Answer<String> {
    let name = name.unwrap_or_else(|| otherwise.to_owned());
    if name.trim().is_empty() || name.chars().count() > LONGEST_TEXT {
        return Err(Refused::invalid("name", "it has 1 to 255 characters"));
    }
    Ok(name)
}

/// Checks an account, and makes it the same for every way of writing it.
pub(crate) fn account_of(provider: &dyn Provider, account: Option<String>) -> Answer<Option<String>> {
    let Some(account) = account else { return Ok(None) };
    let account = provider.normalise_account(&account);
    if account.is_empty() || account.len() > LONGEST_TEXT || account.chars().any(|c| c.is_control() || c == '#') {
        return Err(Refused::invalid("account", "it has 1 to 255 characters, and no control characters or #"));
    }
    Ok(Some(account))
}

/// Checks how large settings are.
pub(crate) fn check_settings(settings: &Map<String, Value>) -> Answer<()> {
    let size = serde_json::to_vec(settings).map_or(usize::MAX, |text| text.len());
    if size > LARGEST_SETTINGS {
        return Err(Refused::invalid("settings", "they have at most 16 KB"));
    }
    if settings.get("notification_url").is_some_and(|url| !is_address(url)) {
        let detail = "it is what the provider was told to call, exactly, such as https://hooks.example.com/path";
        return Err(Refused::invalid("settings.notification_url", detail));
    }
    Ok(())
}

fn is_address(value: &Value) -> bool {
    value.as_str().is_some_and(|text| {
        (text.starts_with("https://") || text.starts_with("http://")) && text.len() <= 2048 && text.is_ascii()
    })
}

/// RFC 7396.
pub(crate) fn merge(object: &mut Map<String, Value>, name: String, patch: Value) {
    match patch {
        Value::Null => drop(object.remove(&name)),
        Value::Object(patch) => {
            let entry = object.entry(name).or_insert_with(|| Value::Object(Map::new()));
            if !entry.is_object() {
                *entry = Value::Object(Map::new());
            }
            if let Value::Object(inner) = entry {
                patch.into_iter().for_each(|(name, value)| merge(inner, name, value));
            }
        }
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => drop(object.insert(name, patch)),
    }
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
