//! The connection whose subscriptions are looked at, and what it should subscribe to.

use super::context::Context;
use super::desired::{self, Wanted};
use crate::asking::account::{self, Account};
use crate::connect::secrets::MOST_LIVE;
use crate::connect::webhook_url;
use crate::course;
use crate::inclusion;
use crate::sync::start;
use hooktide_model::fault::Fault;
use hooktide_model::secret::{Secret, Secrets};
use hooktide_providers::Subscriptions;
use hooktide_store::records::connection::{self, Connection};
use hooktide_store::records::endpoint::{self, Endpoint, SealedSecret, sealed_for};
use hooktide_store::records::resource::Resource;
use hooktide_store::records::{self, Stored, Upkeep};

/// A connection with what its provider is asked with.
pub(super) struct Watched {
    pub(super) account: Account,
    pub(super) facet: &'static dyn Subscriptions,
    /// The webhook address.
    pub(super) url: String,
    /// What verifies deliveries.
    pub(super) secrets: Secrets,
}

/// A connection, as its subscriptions see it.
pub(super) enum Found {
    /// Its provider can be asked.
    Watched(Box<Watched>),
    /// Nobody can be asked now, and the subscriptions stay as they are.
    Unasked,
    /// Nobody can end what the provider of a connection that is gone still has: that ends by itself, or is refused.
    Gone,
}

impl Watched {
    /// The connection. One that is deleted is there as long as it has credentials to end its subscriptions with.
    pub(super) async fn find(context: &Context<'_>, id: &str) -> Result<Found, Fault> {
        let table = &*context.ports.table;
        let connection = records::get::<Connection>(table, &connection::key(context.tenant, id)).await?;
        let Some(Stored { record: connection, .. }) = connection else { return Ok(Found::Gone) };
        let is_deleted = connection.deleted_at.is_some();
        Ok(match Self::of(context, connection).await? {
            Some(watched) => Found::Watched(Box::new(watched)),
            None if is_deleted => Found::Gone,
            None => Found::Unasked,
        })
    }

    /// The connection, if its provider takes subscriptions by API.
    async fn of(context: &Context<'_>, connection: Connection) -> Result<Option<Self>, Fault> {
        let Context { ports, settings, tenant, now, .. } = *context;
        let Some(account) = account::whole(ports, settings, tenant, connection, now).await? else { return Ok(None) };
        let facet = account.provider.subscriptions();
        let Some(facet) = facet.filter(|facet| !facet.plan().app_wide || account.connection.owns_endpoint()) else {
            return Ok(None);
        };
        let connection = &account.connection;
        if connection.credentials.is_empty() {
            return Ok(None);
        }
        let key = endpoint::key(&connection.provider, &connection.endpoint);
        let endpoint = records::get::<Endpoint>(&*ports.table, &key).await?;
        let Some(endpoint) = endpoint.map(|stored| stored.record) else { return Ok(None) };
        let url = endpoint.address(webhook_url(settings, &connection.provider, &connection.endpoint));
        let secrets = endpoint.open_secrets(&*ports.keys, account.provider.profile().derives_tokens).await?;
        Ok(Some(Self { account, facet, url, secrets }))
    }

    /// What the connection should subscribe to: nothing, where it is to be polled, or deleted.
    pub(super) async fn wanted(&self, context: &Context<'_>) -> Result<Vec<Wanted>, Fault> {
        let connection = &self.account.connection;
        let is_deleted = connection.deleted_at.is_some();
        if is_deleted || course::of(context.ports, context.tenant, connection).await?.fixed().is_some() {
            return Ok(Vec::new());
        }
        let resources = start::known(context.ports, context.tenant, &connection.id).await?;
        let resources = resources.into_iter().map(|stored| stored.record);
        let choices = inclusion::chosen(context.ports, context.tenant, &connection.id).await?;
        let is_read = |resource: &Resource| !resource.is_gone && inclusion::is_read(&choices, resource);
        let resources: Vec<Resource> = resources.filter(is_read).collect();
        let source = self.account.provider.source();
        let has_parts = |name: &str| source.is_some_and(|source| source.has_parts(name));
        Ok(desired::wanted(self.facet.plan(), has_parts, &resources))
    }

    /// Stores the secret that a provider made up with a subscription, among those that verify deliveries.
    pub(super) async fn learn(
        &self,
        context: &Context<'_>,
        secret: Option<&(&'static str, Secret)>,
    ) -> Result<(), Fault> {
        let Context { ports, now, .. } = *context;
        let Some((name, secret)) = secret else { return Ok(()) };
        if self.secrets.live(name, now).any(|live| live.secret == *secret) {
            return Ok(());
        }
        let connection = &self.account.connection;
        let key = endpoint::key(&connection.provider, &connection.endpoint);
        let Some(Stored { rev, record: mut endpoint }) = records::get::<Endpoint>(&*ports.table, &key).await? else {
            return Ok(());
        };
        let (root, place) = (ports.keys.root().await?, sealed_for(&key));
        let sealed = SealedSecret::seal(name, secret, (&endpoint.tenant, place.as_str()), &root, &ports.entropy, now)?;
        endpoint.secrets.insert(0, sealed);
        // Keys of subscriptions that are gone verify nothing any more.
        let mut kept = 0;
        endpoint.secrets.retain(|secret| {
            kept += usize::from(secret.name == *name);
            secret.name != *name || kept <= MOST_LIVE
        });
        let write = records::replace(&key, Some(rev), &endpoint, Upkeep::default())?;
        ports.table.write(write).await.map(drop).map_err(records::raced)
    }
}
