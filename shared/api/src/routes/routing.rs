//! Which connection the deliveries for an account of a shared endpoint belong to: who may say so, and how that changes.

use hooktide_flows::replay;
use hooktide_model::names::ProblemType;
use hooktide_model::tenant::Tenant;
use hooktide_store::ports::{AttributeValue, Condition, Write};
use hooktide_store::records::connection::Connection;
use hooktide_store::records::dead_letter::Shelf;
use hooktide_store::records::endpoint::{Endpoint, Route, SOURCES, route_key};
use hooktide_store::records::replay::{Filter, Replay};
use hooktide_store::records::{self, Stored, Upkeep};

use super::claims::Claim;
use super::connections::transact;
use super::endpoints::any_endpoint;
use crate::answer::{Answer, Refused};
use crate::state::Api;

/// How fast what was held for an account is released, in messages a second.
const RELEASE_RATE: u32 = 100;

/// The replay that sends what was held for an account of a shared endpoint.
pub(crate) struct Release {
    pub(crate) id: String,
    pub(crate) replay: Replay,
}

impl Release {
    /// A new one: an account may be connected anew, and each time what was held meanwhile is released.
    pub(crate) fn new(api: &Api, endpoint: &Endpoint, account: &str, connection: &str) -> Self {
        Self::of(api, Shelf::Held { endpoint: endpoint.id.clone(), account: account.to_owned() }, connection)
    }

    fn of(api: &Api, shelf: Shelf, connection: &str) -> Self {
        let replay = Replay {
            shelf,
            filter: Filter::default(),
            rate_per_second: RELEASE_RATE,
            started_at: api.now(),
            after: None,
            sent: 0,
            finished_at: None,
        };
        let id = format!("release-{connection}-{}", api.ports().entropy.time_ordered_id(api.now()));
        Self { id, replay }
    }
}

/// The change of whose an account's deliveries are, ready to be written with what it belongs to.
pub(crate) struct Rerouting {
    writes: Vec<Write>,
    /// The replay that releases held deliveries: its tenant and its id.
    release: Option<(Tenant, String)>,
}

impl Rerouting {
    /// Writes it together with `others`.
    pub(crate) async fn commit(self, api: &Api, mut others: Vec<Write>) -> Answer<()> {
        others.extend(self.writes);
        transact(api, others).await?;
        if let Some((owner, id)) = self.release {
            replay::announce(api.ports(), &owner, &id, api.now()).await;
        }
        Ok(())
    }
}

/// Routes the account of a connection to it: each account once, and only with the consent of the endpoint's owner.
///
/// The owner may, whom the owner named may, and who has a claim may. Being named proves nothing about an account, so
/// what was held for it goes to the owner and to who has a claim, and otherwise waits until the owner releases it.
pub(crate) async fn connect(
    api: &Api,
    tenant: &Tenant,
    connection: &Connection,
    claim: Option<&Claim>,
) -> Answer<Rerouting> {
    let endpoint = any_endpoint(api, &connection.endpoint).await?.map(|stored| stored.record);
    let endpoint = endpoint.filter(|endpoint| endpoint.connection.is_none());
    let Some(account) = &connection.account else {
        return Err(Refused::invalid("account", "a shared endpoint needs it, to know whose a delivery is"));
    };
    if claim.is_some_and(|claim| claim.endpoint != connection.endpoint || claim.account != *account) {
        return Err(Refused::invalid("claim", "it is for another account or endpoint"));
    }
    let admits = |endpoint: &Endpoint| endpoint.admits(tenant) || claim.is_some();
    let endpoint = endpoint.filter(|endpoint| endpoint.provider == connection.provider && admits(endpoint));
    let Some(endpoint) = endpoint else {
        let detail = "there is no such endpoint of this provider, or its owner has not let you connect accounts to it; \
                      ask its owner for a claim, and give that as `claim`";
        return Err(Refused::invalid("endpoint", detail));
    };
    if route_of(api, &endpoint, account).await?.is_some() {
        return Err(Refused::new(ProblemType::Conflict, "This account is connected to this endpoint already."));
    }
    let route = Route { tenant: tenant.clone(), connection: connection.id.clone() };
    let key = route_key(&endpoint.provider, &endpoint.id, account);
    let mut writes = vec![records::insert(&key, &route, Upkeep::default())?];
    let consents = endpoint.tenant == *tenant || claim.is_some();
    let release = consents.then(|| Release::new(api, &endpoint, account, &connection.id));
    if let Some(Release { id, replay }) = &release {
        writes.extend(replay::begin(&endpoint.tenant, id, replay, api.now())?);
    }
    Ok(Rerouting { writes, release: release.map(|release| (endpoint.tenant, release.id)) })
}

/// Releases what was held on a connection's own endpoint for accounts that are no longer foreign to it: deliveries that an
/// app's secret proved, while the connection had another account or its settings did not name theirs.
///
/// The release is written together with the endpoint, so that what is held at the same time is held for the endpoint as it
/// was.
pub(crate) fn release_own(api: &Api, former: &Endpoint, endpoint: &Endpoint) -> Answer<Rerouting> {
    let decides = |endpoint: &Endpoint| (endpoint.account.clone(), endpoint.settings.get(SOURCES).cloned());
    let Some(connection) = endpoint.connection.as_ref().filter(|_| decides(former) != decides(endpoint)) else {
        return Ok(Rerouting { writes: Vec::new(), release: None });
    };
    let shelf = Shelf::Own { provider: endpoint.provider.clone(), endpoint: endpoint.id.clone() };
    let Release { id, replay } = Release::of(api, shelf, connection);
    let writes = replay::begin(&endpoint.tenant, &id, &replay, api.now())?;
    Ok(Rerouting { writes, release: Some((endpoint.tenant.clone(), id)) })
}

/// Routes another account to a connection, and the former one to nobody.
pub(crate) async fn move_to(
    api: &Api,
    tenant: &Tenant,
    former: &Connection,
    connection: &Connection,
    claim: Option<&Claim>,
) -> Answer<Rerouting> {
    let mut moved = connect(api, tenant, connection, claim).await?;
    moved.writes.extend(disconnect(api, tenant, former).await?);
    Ok(moved)
}

/// The write that routes the account of a connection to nobody; none if it is not this connection's.
pub(crate) async fn disconnect(api: &Api, tenant: &Tenant, connection: &Connection) -> Answer<Option<Write>> {
    let Some(account) = &connection.account else { return Ok(None) };
    let key = route_key(&connection.provider, &connection.endpoint, account);
    let stored = records::get::<Route>(api.table(), &key).await?.map(|stored| stored.record);
    // Somebody else may have connected the account since.
    let own = stored.is_some_and(|route| route.tenant == *tenant && route.connection == connection.id);
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let condition = Condition::All(vec![
        Condition::Equals("connection", text(&connection.id)),
        Condition::Equals("tenant", text(tenant.as_str())),
    ]);
    Ok(own.then_some(Write::Delete { key, condition: Some(condition) }))
}

/// The route of an account of an endpoint, if it is connected.
pub(crate) async fn route_of(api: &Api, endpoint: &Endpoint, account: &str) -> Answer<Option<Stored<Route>>> {
    let key = route_key(&endpoint.provider, &endpoint.id, account);
    Ok(records::get::<Route>(api.table(), &key).await?)
}
