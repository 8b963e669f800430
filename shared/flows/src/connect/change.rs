//! Changing a connection's name, account or settings.

use crate::follow::busy::choose;
use hooktide_model::settings::rules::RulesChange;
use hooktide_store::records::connection::{self, Connection};
use hooktide_store::records::endpoint::Endpoint;
use hooktide_store::records::{self, Stored, Upkeep, tag};
use serde_json::{Map, Value};

use super::fields::{account_of, name_of, patched, provider_of, settings_of};
use super::lookup::{connection_of, endpoint_of};
use super::wake::wake;
use super::{Consent, Context, Patched, Refusal, callable, routing, transact};

/// A change of a connection.
#[derive(Debug, Clone, Default)]
pub struct ConnectionChange {
    /// Its name among people.
    pub name: Option<String>,
    /// The provider's account. What is known of the former account's entities stays.
    pub account: Patched<String>,
    /// The consent of a shared endpoint's owner to the new account.
    pub consent: Option<Consent>,
    /// Settings; `null` removes one.
    pub settings: Map<String, Value>,
    /// Sync rules.
    pub rules: RulesChange,
}

/// Changes a connection.
pub async fn change(context: Context<'_>, id: &str, change: ConnectionChange) -> Result<Connection, Refusal> {
    let Stored { rev, record: former } = connection_of(context, id).await?;
    let mut connection = former.clone();
    if let Some(name) = change.name {
        connection.name = name_of(Some(name), "")?;
    }
    match change.account {
        Patched::Kept => {}
        Patched::Removed => connection.account = None,
        Patched::Set(account) => {
            connection.account = Some(account_of(provider_of(&connection.provider)?, &account)?);
        }
    }
    let settings = patched(&connection.settings, change.settings);
    let provider = provider_of(&connection.provider)?;
    connection.settings = settings_of(provider, &settings)?;
    callable::check(context.settings, provider, &connection.settings, Some(&former.settings))?;
    connection.rules = connection.rules.changed(change.rules);
    let key = connection::key(context.tenant, &connection.id);
    let raise = tag::raise(context.tenant, tag::CONNECTIONS, 0);
    let mut writes = vec![records::replace(&key, Some(rev), &connection, Upkeep::default())?, raise];
    let moved = former.account != connection.account;
    match connection.owns_endpoint() {
        false if moved => {
            let moved = routing::move_to(context, &former, &connection, change.consent.as_ref()).await?;
            moved.commit(context, writes).await?;
        }
        // Its own endpoint has them as well: receivers and processors read nothing else.
        true if moved || former.settings != connection.settings => {
            let Stored { rev, record } = endpoint_of(context, &connection.id).await?;
            let (account, settings) = (connection.account.clone(), connection.settings.clone());
            let endpoint = Endpoint { account, settings, ..record.clone() };
            writes.push(records::replace(&endpoint.key(), Some(rev), &endpoint, Upkeep::default())?);
            routing::release_own(context, &record, &endpoint)?.commit(context, writes).await?;
        }
        true | false => transact(context, writes).await?,
    }
    let is_on = |connection: &Connection| connection.rules.realtime_sync_enabled;
    if moved || former.settings != connection.settings || is_on(&former) != is_on(&connection) {
        wake(context, &connection).await?;
    }
    if former.settings != connection.settings {
        choose::follow(context, &connection).await?;
    }
    Ok(connection)
}
