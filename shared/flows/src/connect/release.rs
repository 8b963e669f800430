//! Releasing deliveries that were held for an account: a replay of its shelf.

use hooktide_model::tenant::Tenant;
use hooktide_store::records::dead_letter::Shelf;
use hooktide_store::records::endpoint::{Endpoint, Route};
use hooktide_store::records::replay::{Filter, Replay};

use super::fields::{account_of, provider_of};
use super::lookup::endpoint_of;
use super::{Context, Refusal, routing};
use crate::foreign::is_foreign;
use crate::replay;

/// How fast held deliveries are released, in messages a second.
const RELEASE_RATE: u32 = 100;
/// How many held deliveries are counted, at the most.
const COUNTED: usize = 10_000;

/// The replay that sends held deliveries.
pub(super) struct Release {
    pub(super) id: String,
    pub(super) replay: Replay,
}

impl Release {
    /// Releases what a shared endpoint holds for an account. An account may be connected anew, and each time what was held
    /// meanwhile is released.
    pub(super) fn of_account(context: Context<'_>, endpoint: &Endpoint, account: &str, connection: &str) -> Self {
        Self::of(context, Shelf::Held { endpoint: endpoint.id.clone(), account: account.to_owned() }, connection)
    }

    /// Releases what a connection's own endpoint holds for accounts that are not foreign to it.
    pub(super) fn of_own(context: Context<'_>, endpoint: &Endpoint, connection: &str) -> Self {
        let shelf = Shelf::Own { provider: endpoint.provider.clone(), endpoint: endpoint.id.clone() };
        Self::of(context, shelf, connection)
    }

    fn of(context: Context<'_>, shelf: Shelf, connection: &str) -> Self {
        let replay = Replay {
            shelf,
            filter: Filter::default(),
            rate_per_second: RELEASE_RATE,
            started_at: context.now,
            after: None,
            sent: 0,
            finished_at: None,
        };
        let id = format!("release-{connection}-{}", context.ports.entropy.time_ordered_id(context.now));
        Self { id, replay }
    }
}

/// A release that began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Released {
    /// The id of its replay.
    pub replay: String,
    /// How many deliveries were held, as far as was counted.
    pub matched: u64,
}

/// Releases what an endpoint of the tenant holds for an account that is connected, by `to` if that is given.
pub async fn release(
    context: Context<'_>,
    endpoint: &str,
    account: &str,
    to: Option<&Tenant>,
) -> Result<Released, Refusal> {
    let endpoint = endpoint_of(context, endpoint).await?.record;
    let account = account_of(provider_of(&endpoint.provider)?, account)?;
    let route = match &endpoint.connection {
        None => routing::route_of(context, &endpoint, &account).await?,
        Some(_) if is_foreign(&endpoint, &account) => {
            let detail = "This account is not the connection's; what is held for it stays until the connection's account \
                          is changed to it, or its settings name it among the `sources`.";
            return Err(Refusal::conflict(detail));
        }
        Some(connection) => Some(Route { tenant: endpoint.tenant.clone(), connection: connection.clone() }),
    };
    let Some(route) = route.filter(|route| to.is_none_or(|wanted| *wanted == route.tenant)) else {
        let detail = "Nobody whom you mean has connected this account; what is held for it stays until somebody does.";
        return Err(Refusal::conflict(detail));
    };
    let Release { id, replay } = Release::of_account(context, &endpoint, &account, &route.connection);
    let matched = replay::count(context.ports, &endpoint.tenant, &replay.shelf, &Filter::default(), COUNTED).await?;
    replay::start(context.ports, &endpoint.tenant, &id, &replay, context.now).await?;
    Ok(Released { replay: id, matched })
}
