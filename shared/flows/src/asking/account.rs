//! The account that a provider is asked for: its connection, its credentials, and where its API is.

use http::HeaderValue;
use http::uri::Authority;

use crate::{Ports, Settings};
use hooktide_model::fault::Fault;
use hooktide_model::secret::Secrets;
use hooktide_model::tenant::Tenant;
use hooktide_providers::{Api, Base, Provider};
use hooktide_store::ports::Destination;
use hooktide_store::records;
use hooktide_store::records::authorization::{self, Authorization};
use hooktide_store::records::connection::{self, Connection};
use hooktide_store::records::endpoint::{self, Endpoint, SealedSecret, open_all, sealed_for};

/// The account that a provider is asked for.
pub(crate) struct Account {
    pub(crate) connection: Connection,
    pub(crate) provider: &'static dyn Provider,
    pub(crate) api: &'static dyn Api,
    /// Where its API is; `None` where the connection does not say it.
    pub(crate) way: Option<Way>,
    /// The credentials of its connection, and what verifies its deliveries.
    pub(crate) secrets: Secrets,
}

/// Where an API is, and how it is reached.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Way {
    /// The base address, without a slash at the end.
    pub(crate) base: String,
    /// Where requests may go.
    pub(crate) to: Destination,
    /// The host that requests name, where it is another than that of the address.
    pub(crate) host: Option<HeaderValue>,
}

/// The account of a connection; `None` if the connection is gone, or its provider has no API that is known here.
pub(crate) async fn of(
    ports: &Ports,
    settings: &Settings,
    tenant: &Tenant,
    id: &str,
) -> Result<Option<Account>, Fault> {
    let stored = records::get::<Connection>(&*ports.table, &connection::key(tenant, id)).await?;
    let connection = stored.map(|stored| stored.record).filter(|connection| connection.deleted_at.is_none());
    match connection {
        Some(connection) => whole(ports, settings, tenant, connection).await,
        None => Ok(None),
    }
}

/// A connection with what is needed to ask its provider; `None` if the provider has no API that is known here.
pub(crate) async fn whole(
    ports: &Ports,
    settings: &Settings,
    tenant: &Tenant,
    connection: Connection,
) -> Result<Option<Account>, Fault> {
    let provider = hooktide_providers::by_id(&connection.provider);
    let Some((provider, api)) = provider.and_then(|provider| Some((provider, provider.api()?))) else {
        return Ok(None);
    };
    let secrets = secrets(ports, tenant, &connection).await?;
    let way = way(settings, provider, &connection);
    Ok(Some(Account { connection, provider, api, way, secrets }))
}

/// The credentials of a connection, those that were got by a refresh first, and what verifies its deliveries.
async fn secrets(ports: &Ports, tenant: &Tenant, connection: &Connection) -> Result<Secrets, Fault> {
    let root = ports.keys.root().await?;
    let open = |sealed: &[SealedSecret], key| open_all(sealed, &root, tenant, &sealed_for(&key));
    let refreshed_key = authorization::key(tenant, &connection.id);
    let refreshed = records::get::<Authorization>(&*ports.table, &refreshed_key).await?;
    let refreshed = refreshed.map(|stored| stored.record.tokens).unwrap_or_default();
    let own = open(&connection.credentials, connection::key(tenant, &connection.id))?;
    let mut secrets = open(&refreshed, refreshed_key)?.with(own.into_all());
    let endpoint_key = endpoint::key(&connection.provider, &connection.endpoint);
    if let Some(endpoint) = records::get::<Endpoint>(&*ports.table, &endpoint_key).await? {
        let opened = endpoint.record.open_secrets(&*ports.keys, false).await?;
        secrets = secrets.with(opened.into_all());
    }
    Ok(secrets)
}

/// Where the API of a connection is. The operator may have moved it to another origin.
pub(crate) fn way(settings: &Settings, provider: &dyn Provider, connection: &Connection) -> Option<Way> {
    let natural = match provider.api()?.base() {
        Base::Fixed(base) => base.to_owned(),
        Base::OfConnection(base) => base(connection.account.as_deref(), &connection.settings)?,
    };
    let uri: http::Uri = natural.parse().ok()?;
    let authority = uri.authority()?;
    if let Some(origin) = settings.apis.get(provider.id()) {
        let base = format!("{origin}{}", uri.path().trim_end_matches('/'));
        return Some(Way { base, to: Destination::Operator, host: named(authority) });
    }
    let to = match provider.api()?.base() {
        Base::Fixed(_) => Destination::Operator,
        Base::OfConnection(_) => Destination::Connection(authority.host().to_owned()),
    };
    Some(Way { base: natural, to, host: None })
}

/// The host as a request names it.
fn named(authority: &Authority) -> Option<HeaderValue> {
    HeaderValue::from_str(authority.as_str()).ok()
}
