//! Routes: the connection that the deliveries for an account of a shared endpoint belong to, and who may change it.

use hooktide_model::fault::Fault;
use hooktide_model::tenant::Tenant;
use hooktide_store::ports::{AttributeValue, Condition, Write};
use hooktide_store::records::connection::Connection;
use hooktide_store::records::endpoint::{Endpoint, Route, route_key};
use hooktide_store::records::{self, Upkeep};

use super::lookup::any_endpoint;
use super::release::Release;
use super::{Consent, Context, Refusal, transact};
use crate::replay;

/// The change of an account's route, ready to be written with what it belongs to.
pub(super) struct Rerouting {
    writes: Vec<Write>,
    /// The replay that releases held deliveries: its tenant and its id.
    release: Option<(Tenant, String)>,
}

impl Rerouting {
    /// Writes it together with `others`.
    pub(super) async fn commit(self, context: Context<'_>, mut others: Vec<Write>) -> Result<(), Refusal> {
        others.extend(self.writes);
        transact(context, others).await?;
        if let Some((owner, id)) = self.release {
            replay::announce(context.ports, &owner, &id, context.now).await;
        }
        Ok(())
    }
}

/// Routes the account of a connection to it: each account once, and only with the consent of the endpoint's owner.
///
/// The owner may, the tenants that the owner named may, and so may a tenant with a claim. Being named proves nothing about
/// an account, so what was held for it goes to the owner and to the holder of a claim, and otherwise waits until the owner
/// releases it.
pub(super) async fn connect(
    context: Context<'_>,
    connection: &Connection,
    consent: Option<&Consent>,
) -> Result<Rerouting, Refusal> {
    let tenant = context.tenant;
    let endpoint = any_endpoint(context, &connection.endpoint).await?.map(|stored| stored.record);
    let endpoint = endpoint.filter(|endpoint| endpoint.connection.is_none());
    let Some(account) = &connection.account else {
        return Err(Refusal::invalid("account", "a shared endpoint needs it, to know whose a delivery is"));
    };
    if consent.is_some_and(|consent| consent.endpoint != connection.endpoint || consent.account != *account) {
        return Err(Refusal::invalid("claim", "it is for another account or endpoint"));
    }
    let admits = |endpoint: &Endpoint| endpoint.admits(tenant) || consent.is_some();
    let endpoint = endpoint.filter(|endpoint| endpoint.provider == connection.provider && admits(endpoint));
    let Some(endpoint) = endpoint else {
        let detail = "there is no such endpoint of this provider, or its owner has not let you connect accounts to it; \
                      ask its owner for a claim, and give that as `claim`";
        return Err(Refusal::invalid("endpoint", detail));
    };
    if route_of(context, &endpoint, account).await?.is_some() {
        return Err(Refusal::conflict("This account is connected to this endpoint already."));
    }
    let route = Route { tenant: tenant.clone(), connection: connection.id.clone() };
    let key = route_key(&endpoint.provider, &endpoint.id, account);
    let mut writes = vec![records::insert(&key, &route, Upkeep::default())?];
    let consents = endpoint.tenant == *tenant || consent.is_some();
    let release = consents.then(|| Release::of_account(context, &endpoint, account, &connection.id));
    if let Some(Release { id, replay }) = &release {
        writes.extend(replay::begin(&endpoint.tenant, id, replay, context.now)?);
    }
    Ok(Rerouting { writes, release: release.map(|release| (endpoint.tenant, release.id)) })
}

/// Releases what was held on a connection's own endpoint for accounts that are no longer foreign to it: deliveries that an
/// app's secret proved, while the connection had another account or its settings did not name theirs.
///
/// The release is written together with the endpoint, so that what is held at the same time is held for the endpoint as it
/// was.
pub(super) fn release_own(context: Context<'_>, former: &Endpoint, endpoint: &Endpoint) -> Result<Rerouting, Fault> {
    let decides = |endpoint: &Endpoint| (endpoint.account.clone(), endpoint.settings.sources.clone());
    let Some(connection) = endpoint.connection.as_ref().filter(|_| decides(former) != decides(endpoint)) else {
        return Ok(Rerouting { writes: Vec::new(), release: None });
    };
    let Release { id, replay } = Release::of_own(context, endpoint, connection);
    let writes = replay::begin(&endpoint.tenant, &id, &replay, context.now)?;
    Ok(Rerouting { writes, release: Some((endpoint.tenant.clone(), id)) })
}

/// Routes another account to a connection, and the former one to nobody.
pub(super) async fn move_to(
    context: Context<'_>,
    former: &Connection,
    connection: &Connection,
    consent: Option<&Consent>,
) -> Result<Rerouting, Refusal> {
    let mut moved = connect(context, connection, consent).await?;
    moved.writes.extend(disconnect(context, former).await?);
    Ok(moved)
}

/// The write that removes the route of a connection's account, if the route belongs to this connection.
pub(super) async fn disconnect(context: Context<'_>, connection: &Connection) -> Result<Option<Write>, Fault> {
    let Some(account) = &connection.account else { return Ok(None) };
    let key = route_key(&connection.provider, &connection.endpoint, account);
    let stored = records::get::<Route>(context.table(), &key).await?.map(|stored| stored.record);
    // Somebody else may have connected the account since.
    let own = stored.is_some_and(|route| route.tenant == *context.tenant && route.connection == connection.id);
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let condition = Condition::All(vec![
        Condition::Equals("connection", text(&connection.id)),
        Condition::Equals("tenant", text(context.tenant.as_str())),
    ]);
    Ok(own.then_some(Write::Delete { key, condition: Some(condition) }))
}

/// The route of an account of an endpoint, if it is connected.
pub(super) async fn route_of(context: Context<'_>, endpoint: &Endpoint, account: &str) -> Result<Option<Route>, Fault> {
    let key = route_key(&endpoint.provider, &endpoint.id, account);
    Ok(records::get::<Route>(context.table(), &key).await?.map(|stored| stored.record))
}
