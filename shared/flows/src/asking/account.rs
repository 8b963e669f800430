//! The account that a provider is asked for: its connection, its credentials, and where its API is.

use std::sync::{Arc, Mutex, PoisonError};

use http::HeaderValue;
use http::uri::Authority;
use jiff::Timestamp;

use super::budget::Leased;
use super::credentials::Credentials;
use crate::settings::origin;
use crate::{Ports, Settings};
use hooktide_model::fault::Fault;
use hooktide_model::secret::Secrets;
use hooktide_model::tenant::Tenant;
use hooktide_providers::oauth2::OAuth;
use hooktide_providers::{Api, Base, Provider};
use hooktide_store::ports::Destination;
use hooktide_store::records;
use hooktide_store::records::connection::{self, Connection};

/// The account that a provider is asked for.
pub(crate) struct Account {
    pub(crate) tenant: Tenant,
    pub(crate) connection: Connection,
    pub(crate) provider: &'static dyn Provider,
    pub(crate) api: &'static dyn Api,
    /// Where its API is; `None` where the connection does not say it.
    pub(crate) way: Option<Way>,
    /// Where its tokens are asked for, if there is such a place.
    pub(super) tokens: Option<Way>,
    /// What it is asked with now: a refresh puts others in its place.
    credentials: Mutex<Arc<Credentials>>,
    /// What it is asked about in this run: a resource, or nothing, where it is about subscriptions.
    pub(super) about: String,
    /// What this run has of its budget.
    pub(super) leased: futures::lock::Mutex<Leased>,
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

impl Account {
    /// The same, asked about a resource.
    pub(crate) fn about(self, resource: &str) -> Self {
        Self { about: resource.to_owned(), ..self }
    }

    /// Whether its own credentials prove a request to this path, and not those of an app.
    pub(super) fn proves(&self, path: &str) -> bool {
        self.oauth().is_none_or(|oauth| (oauth.covers)(path))
    }

    /// The setting of a connection that says where its API is.
    pub(super) fn says_where(&self) -> &'static str {
        let takes = |name| self.provider.profile().settings.contains(&name);
        match (takes("url"), takes("site")) {
            (true, _) => "the setting `url`",
            (false, true) => "an account, or the setting `site`",
            (false, false) => "an account",
        }
    }

    /// What it is asked with now.
    pub(super) fn credentials(&self) -> Arc<Credentials> {
        Arc::clone(&self.credentials.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Asks with these from now on.
    pub(super) fn use_credentials(&self, credentials: Credentials) -> Arc<Credentials> {
        let credentials = Arc::new(credentials);
        *self.credentials.lock().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&credentials);
        credentials
    }

    /// The secrets that it is asked with now.
    pub(crate) fn secrets(&self) -> Secrets {
        self.credentials().secrets.clone()
    }

    /// How its access tokens are got, if by OAuth.
    pub(crate) fn oauth(&self) -> Option<&'static OAuth> {
        self.api.oauth()
    }
}

/// The account of a connection; `None` if the connection is gone, or its provider has no API that is known here.
pub(crate) async fn of(
    ports: &Ports,
    settings: &Settings,
    tenant: &Tenant,
    id: &str,
    now: Timestamp,
) -> Result<Option<Account>, Fault> {
    let stored = records::get::<Connection>(&*ports.table, &connection::key(tenant, id)).await?;
    let connection = stored.map(|stored| stored.record).filter(|connection| connection.deleted_at.is_none());
    match connection {
        Some(connection) => whole(ports, settings, tenant, connection, now).await,
        None => Ok(None),
    }
}

/// A connection with what is needed to ask its provider; `None` if the provider has no API that is known here.
pub(crate) async fn whole(
    ports: &Ports,
    settings: &Settings,
    tenant: &Tenant,
    connection: Connection,
    now: Timestamp,
) -> Result<Option<Account>, Fault> {
    let provider = hooktide_providers::by_id(&connection.provider);
    let Some((provider, api)) = provider.and_then(|provider| Some((provider, provider.api()?))) else {
        return Ok(None);
    };
    let credentials = Mutex::new(Arc::new(Credentials::of(ports, tenant, &connection, now).await?));
    let way = way(settings, provider, &connection);
    let tokens = api.oauth().and_then(|oauth| oauth_way(settings, provider, &connection, oauth.token));
    let (leased, about) = (futures::lock::Mutex::default(), String::new());
    Ok(Some(Account { tenant: tenant.clone(), connection, provider, api, way, tokens, credentials, about, leased }))
}

/// Where the API of a connection is. The operator may have moved it to another origin.
pub(crate) fn way(settings: &Settings, provider: &dyn Provider, connection: &Connection) -> Option<Way> {
    let base = provider.api()?.base();
    moved(base, connection, settings.apis.get(provider.id()).map(String::as_str))
}

/// Where a page of a provider's OAuth is for a connection. The operator may have moved it, also together with the API where
/// both are at one origin.
pub(crate) fn oauth_way(
    settings: &Settings,
    provider: &dyn Provider,
    connection: &Connection,
    page: Base,
) -> Option<Way> {
    let origin_of = |base| origin(&natural(base, connection)?);
    let api = provider.api()?.base();
    let with_api = || settings.apis.get(provider.id()).filter(|_| origin_of(api) == origin_of(page));
    moved(page, connection, settings.oauths.get(provider.id()).or_else(with_api).map(String::as_str))
}

/// An address as the provider has it.
fn natural(base: Base, connection: &Connection) -> Option<String> {
    match base {
        Base::Fixed(base) => Some(base.to_owned()),
        Base::OfConnection(base) | Base::OfSite(base) => base(connection.account.as_deref(), &connection.settings),
    }
}

/// The way to an address, or to the same path at the origin that it was moved to.
fn moved(base: Base, connection: &Connection, to: Option<&str>) -> Option<Way> {
    let natural = natural(base, connection)?;
    let uri: http::Uri = natural.parse().ok()?;
    let authority = uri.authority()?;
    if let Some(origin) = to {
        let base = format!("{origin}{}", uri.path().trim_end_matches('/'));
        return Some(Way { base, to: Destination::Operator, host: named(authority) });
    }
    let to = match base {
        Base::Fixed(_) => Destination::Operator,
        Base::OfConnection(_) => Destination::Connection(authority.host().to_owned()),
        Base::OfSite(_) => Destination::Site(authority.host().to_owned()),
    };
    Some(Way { base: natural, to, host: None })
}

/// The host as a request names it.
fn named(authority: &Authority) -> Option<HeaderValue> {
    HeaderValue::from_str(authority.as_str()).ok()
}
