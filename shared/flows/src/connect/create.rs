//! Makes a connection with its own endpoint, or for one account of a shared one.

use hooktide_model::secret::Secret;
use hooktide_model::settings::rules::Rules;
use hooktide_store::ports::Key;
use hooktide_store::records::connection::{self, Connection};
use hooktide_store::records::endpoint::{self, Endpoint};
use hooktide_store::records::{self, Stored, Upkeep};
use serde_json::{Map, Value};

use super::fields::{account_of, name_of, provider_of, settings_of};
use super::secrets::{self, GivenSecrets};
use super::wake::wake;
use super::{Consent, Context, Refusal, Repeat, callable, routing, transact};

/// A connection to be made.
#[derive(Debug, Clone, Default)]
pub struct NewConnection {
    /// The provider's id.
    pub provider: String,
    /// Its name among people; the account's, or the provider's, by default.
    pub name: Option<String>,
    /// The provider's account.
    pub account: Option<String>,
    /// What verifies deliveries, and API credentials.
    pub secrets: GivenSecrets,
    /// Settings, by their names.
    pub settings: Map<String, Value>,
    /// The shared endpoint that its deliveries come to; its own without one.
    pub endpoint: Option<String>,
    /// The consent of that endpoint's owner. Endpoint and account default to it.
    pub consent: Option<Consent>,
}

/// Makes a connection. The same request again returns the same connection.
pub async fn create(context: Context<'_>, new: NewConnection, repeat: &Repeat) -> Result<Connection, Refusal> {
    let provider = provider_of(&new.provider)?;
    let settings = settings_of(provider, &new.settings)?;
    callable::check(context.settings, provider, &settings, None)?;
    let consent = new.consent.as_ref();
    let account = new.account.or_else(|| consent.map(|consent| consent.account.clone()));
    let account = account.map(|account| account_of(provider, &account)).transpose()?;
    let endpoint = new.endpoint.or_else(|| consent.map(|consent| consent.endpoint.clone()));
    let sorted = secrets::sort(provider, new.secrets)?;
    let exists = |connection: &Connection| connection.deleted_at.is_none();
    let place = ("connection", provider.id());
    repeat.refuse_other_provider(context, place, |_, id| connection::key(context.tenant, id), exists).await?;
    let id = repeat.id(context, place.0, place.1).await?;
    let key = connection::key(context.tenant, &id);
    let connection = Connection {
        endpoint: endpoint.unwrap_or_else(|| id.clone()),
        credentials: secrets::seal(context, &key, &sorted.credentials).await?,
        id,
        provider: provider.id().to_owned(),
        name: name_of(new.name, account.as_deref().unwrap_or(provider.id()))?,
        account,
        settings,
        rules: Rules::default(),
        created_at: context.now,
        request: repeat.fingerprint(),
        deleted_at: None,
    };
    let mut tries = 0;
    loop {
        if repeat.has_key()
            && let Some(made) = made_before(context, &key, repeat).await?
        {
            wake(context, &made).await?;
            return Ok(made);
        }
        tries += 1;
        match store(context, &connection, &sorted.verifying, consent).await {
            Ok(()) => {
                wake(context, &connection).await?;
                return Ok(connection);
            }
            Err(refusal) if repeat.looks_again(&refusal, tries) => {}
            Err(refusal) => return Err(refusal),
        }
    }
}

/// The connection that an earlier request with the same key and body made.
async fn made_before(context: Context<'_>, key: &Key, repeat: &Repeat) -> Result<Option<Connection>, Refusal> {
    let Some(Stored { record, .. }) = records::get::<Connection>(context.table(), key).await? else { return Ok(None) };
    if record.deleted_at.is_some() {
        let detail = "The connection that was made with this key is being erased; take another key, or try again in a \
                      few minutes.";
        return Err(Refusal::conflict(detail));
    }
    repeat.made(record.request.as_deref())?;
    Ok(Some(record))
}

/// Stores a new connection with an endpoint of its own, or with the route of its account at a shared one.
async fn store(
    context: Context<'_>,
    connection: &Connection,
    verifying: &[(String, Secret)],
    consent: Option<&Consent>,
) -> Result<(), Refusal> {
    let insert = records::insert(&connection::key(context.tenant, &connection.id), connection, Upkeep::default())?;
    if !connection.owns_endpoint() {
        if !verifying.is_empty() {
            return Err(Refusal::invalid("secrets", "what verifies deliveries belongs to the shared endpoint"));
        }
        return routing::connect(context, connection, consent).await?.commit(context, vec![insert]).await;
    }
    secrets::require_all(provider_of(&connection.provider)?, verifying)?;
    let endpoint = own_endpoint(context, connection, verifying).await?;
    // The same id may have been deleted before: the new connection replaces its remains.
    let former = records::get::<Endpoint>(context.table(), &endpoint.key()).await?;
    let former = former.filter(|former| former.record.deleted_at.is_some() && former.record.tenant == *context.tenant);
    let rev = former.map(|former| former.rev);
    let put = records::replace(&endpoint.key(), rev, &endpoint, Upkeep::default())?;
    transact(context, vec![insert, put]).await
}

async fn own_endpoint(
    context: Context<'_>,
    connection: &Connection,
    verifying: &[(String, Secret)],
) -> Result<Endpoint, Refusal> {
    let key = endpoint::key(&connection.provider, &connection.id);
    Ok(Endpoint {
        id: connection.id.clone(),
        provider: connection.provider.clone(),
        tenant: context.tenant.clone(),
        name: connection.name.clone(),
        connection: Some(connection.id.clone()),
        account: connection.account.clone(),
        tenants: Vec::new(),
        settings: connection.settings.clone(),
        secrets: secrets::seal(context, &key, verifying).await?,
        created_at: connection.created_at,
        request: None,
        deleted_at: None,
    })
}
