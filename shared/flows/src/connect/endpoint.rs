//! Shared endpoints: addresses of provider apps that serve many accounts.

use std::time::Duration;

use hooktide_model::fault::Fault;
use hooktide_store::key::Partition;
use hooktide_store::ports::{Query, Range, Write};
use hooktide_store::records::endpoint::{self, Endpoint, Owned, owned_key};
use hooktide_store::records::guest::Guest;
use hooktide_store::records::{self, Stored, Upkeep};
use serde_json::{Map, Value};

use super::fields::{account_of, name_of, patched, provider_of, settings_of_endpoint, webhooks_of};
use super::lookup::shared_endpoint_of;
use super::secrets::{self, GivenSecrets};
use super::{Context, Refusal, Repeat, transact};

/// How many tenants an endpoint names: they are read with every delivery.
const MOST_GUESTS: usize = 100;
/// How much longer than any dead letter a removed endpoint is recognised, so that a letter of it stays its tenant's.
const TOMBSTONE: Duration = Duration::from_secs(30 * 24 * 3600);

/// A shared endpoint to be made.
#[derive(Debug, Clone, Default)]
pub struct NewEndpoint {
    /// The provider's id.
    pub provider: String,
    /// Its name among people; the provider's by default.
    pub name: Option<String>,
    /// What verifies deliveries.
    pub secrets: GivenSecrets,
    /// The provider's name of the app; a note.
    pub account: Option<String>,
    /// Settings.
    pub settings: Map<String, Value>,
    /// The other tenants that may connect any account to it.
    pub tenants: Vec<Guest>,
}

/// A change of a shared endpoint.
#[derive(Debug, Clone, Default)]
pub struct EndpointChange {
    /// Its name among people.
    pub name: Option<String>,
    /// Settings; `null` removes one.
    pub settings: Map<String, Value>,
    /// The other tenants that may connect any account to it, in place of those before.
    pub tenants: Option<Vec<Guest>>,
}

/// Makes a shared endpoint. The same request again returns the same endpoint.
pub async fn create_endpoint(context: Context<'_>, new: NewEndpoint, repeat: &Repeat) -> Result<Endpoint, Refusal> {
    let provider = provider_of(&new.provider)?;
    webhooks_of(provider.id())?;
    let settings = settings_of_endpoint(&new.settings)?;
    check_guests(&new.tenants)?;
    let sorted = secrets::sort(provider, new.secrets)?;
    if !sorted.credentials.is_empty() {
        return Err(Refusal::invalid("secrets", "API credentials belong to connections, not to an endpoint"));
    }
    secrets::require_all(provider, &sorted.verifying)?;
    let exists = |endpoint: &Endpoint| endpoint.deleted_at.is_none();
    repeat.refuse_other_provider(context, ("endpoint", provider.id()), endpoint::key, exists).await?;
    let id = repeat.id(context, "endpoint", provider.id()).await?;
    let key = endpoint::key(provider.id(), &id);
    let endpoint = Endpoint {
        secrets: secrets::seal(context, &key, &sorted.verifying).await?,
        id,
        provider: provider.id().to_owned(),
        tenant: context.tenant.clone(),
        name: name_of(new.name, provider.id())?,
        connection: None,
        account: new.account.map(|account| account_of(provider, &account)).transpose()?,
        settings,
        tenants: new.tenants,
        created_at: context.now,
        request: repeat.fingerprint(),
        deleted_at: None,
    };
    let owned = owned_key(context.tenant, provider.id(), &endpoint.id);
    let writes = vec![
        records::insert(&key, &endpoint, Upkeep::default())?,
        records::insert(&owned, &Owned { since: endpoint.created_at }, Upkeep::default())?,
    ];
    let mut tries = 0;
    loop {
        let there = if repeat.has_key() { records::get::<Endpoint>(context.table(), &key).await? } else { None };
        if let Some(Stored { record, .. }) = there.filter(|stored| exists(&stored.record)) {
            repeat.made(record.request.as_deref())?;
            return Ok(record);
        }
        tries += 1;
        match transact(context, writes.clone()).await {
            Ok(()) => return Ok(endpoint),
            Err(refusal) if repeat.looks_again(&refusal, tries) => {}
            Err(refusal) => return Err(refusal),
        }
    }
}

/// Changes a shared endpoint.
pub async fn change_endpoint(context: Context<'_>, id: &str, change: EndpointChange) -> Result<Endpoint, Refusal> {
    let Stored { rev, record: mut endpoint } = shared_endpoint_of(context, id).await?;
    if let Some(name) = change.name {
        endpoint.name = name_of(Some(name), &endpoint.provider)?;
    }
    endpoint.settings = settings_of_endpoint(&patched(&endpoint.settings, change.settings))?;
    if let Some(tenants) = change.tenants {
        check_guests(&tenants)?;
        endpoint.tenants = tenants;
    }
    let write = records::replace(&endpoint.key(), Some(rev), &endpoint, Upkeep::default())?;
    context.table().write(write).await.map_err(records::raced)?;
    Ok(endpoint)
}

/// Removes a shared endpoint that no connection uses any more. Returns the number of secrets that went.
pub async fn remove_endpoint(context: Context<'_>, id: &str) -> Result<usize, Refusal> {
    let stored = shared_endpoint_of(context, id).await?;
    let partition = Partition::routes(&stored.record.provider, id);
    let query = Query { partition, range: Range::All, descending: false, limit: 1 };
    if !context.table().query(&query).await?.items.is_empty() {
        return Err(Refusal::conflict("Connections still use this endpoint; delete them first."));
    }
    let key = owned_key(context.tenant, &stored.record.provider, id);
    let reference = Write::Delete { key, condition: None };
    transact(context, vec![tombstone(context, &stored)?, reference]).await?;
    Ok(stored.record.secrets.len())
}

/// The write that ends an endpoint: its secrets are removed at once, and late deliveries are recognised for a while.
pub(super) fn tombstone(context: Context<'_>, stored: &Stored<Endpoint>) -> Result<Write, Fault> {
    let gone = Endpoint { secrets: Vec::new(), deleted_at: Some(context.now), ..stored.record.clone() };
    let upkeep = Upkeep::until(context.now + context.settings.keep_dead_letters + TOMBSTONE);
    records::replace(&gone.key(), Some(stored.rev), &gone, upkeep)
}

fn check_guests(tenants: &[Guest]) -> Result<(), Refusal> {
    if tenants.len() <= MOST_GUESTS {
        return Ok(());
    }
    Err(Refusal::invalid("tenants", format!("name at most {MOST_GUESTS}; sign claims for more")))
}
