//! Subscriptions as people see them: how each is doing, and what to do about it.

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::resources::local_name;
use super::{Slice, Sliced};
use crate::connect::{Context, webhook_url};
use hooktide_model::fault::Fault;
use hooktide_model::names::SubscriptionState;
use hooktide_store::key::{Area, Partition};
use hooktide_store::ports::{Query, Range};
use hooktide_store::records;
use hooktide_store::records::connection::{self, Connection};
use hooktide_store::records::resource::ResourceId;
use hooktide_store::records::subscription::{self, MISSED, Subscription, UNSUPPORTED};

/// How many connections are looked at for one part of a list.
const CONNECTIONS: usize = 100;
/// Sorts after every subscription of a connection.
const END: &str = "~";

/// How a subscription is doing.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct SubscriptionView {
    /// Its id here.
    pub id: String,
    /// The connection.
    pub connection: String,
    /// The resource whose changes it reports; null where the provider's dashboard decides, and for a stray, which is ended.
    pub resource: Option<String>,
    /// The topic, as the provider has it.
    pub topic: Option<String>,
    /// How it is doing.
    pub state: SubscriptionState,
    /// How many failures there were in a row.
    pub failures: u32,
    /// Since when it is in this state.
    #[schema(value_type = String, format = DateTime)]
    pub since: Timestamp,
    /// The reason for the state.
    pub reason: Option<String>,
    /// When it ends, if it does.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<Timestamp>,
    /// When it is renewed, or replaced.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub renew_at: Option<Timestamp>,
    /// The provider's id.
    pub provider_id: Option<String>,
    /// What to do, if anything.
    pub advice: Option<String>,
}

impl SubscriptionView {
    pub(super) fn of(one: Subscription) -> Self {
        let id = public_id(&one);
        let resource = ResourceId { connection: one.connection.clone(), name: one.resource, part: one.part };
        Self {
            advice: advice(one.state, one.reason.as_deref(), &id),
            id,
            connection: one.connection,
            resource: (!resource.name.is_empty()).then(|| local_name(&resource)),
            topic: Some(one.topic),
            state: one.state,
            failures: one.failures,
            since: one.since,
            reason: one.reason,
            expires_at: one.expires_at,
            renew_at: one.renew_at,
            provider_id: one.provider_id,
        }
    }

    /// Whether there is none to be made, so that its resource is polled by design.
    pub(super) fn is_unsupported(&self) -> bool {
        self.reason.as_deref() == Some(UNSUPPORTED)
    }

    /// The subscription of a connection whose provider takes none by API; `None` where there is nothing to enter anywhere.
    pub(super) fn manual(context: Context<'_>, connection: &Connection) -> Option<Self> {
        let provider = hooktide_providers::by_id(&connection.provider)?;
        provider.webhooks().filter(|_| provider.subscriptions().is_none())?;
        let address = webhook_url(context.settings, &connection.provider, &connection.endpoint);
        Some(Self {
            id: connection.id.clone(),
            connection: connection.id.clone(),
            resource: None,
            topic: None,
            state: SubscriptionState::Manual,
            failures: 0,
            since: connection.created_at,
            reason: Some("the provider takes no subscriptions by API".to_owned()),
            expires_at: None,
            renew_at: None,
            provider_id: None,
            advice: Some(format!(
                "Enter {address} as the address of webhooks in the provider's dashboard, and choose the topics that \
                 `hooktide providers` lists."
            )),
        })
    }
}

/// The id of a subscription outside: with its connection's, so that it is found.
fn public_id(one: &Subscription) -> String {
    format!("{}.{}", one.connection, one.id)
}

/// The connection and the id within it that an id outside names.
pub(super) fn parse_id(id: &str) -> (&str, Option<&str>) {
    id.split_once('.').map_or((id, None), |(connection, id)| (connection, Some(id)))
}

/// How bad a state is.
pub(super) fn severity(state: SubscriptionState) -> u8 {
    match state {
        SubscriptionState::Active | SubscriptionState::Manual => 0,
        SubscriptionState::Pending => 1,
        SubscriptionState::Degraded => 2,
        SubscriptionState::Suspended => 3,
        SubscriptionState::Disabled => 4,
    }
}

/// What to do about a subscription in this state.
fn advice(state: SubscriptionState, reason: Option<&str>, id: &str) -> Option<String> {
    let text = match (state, reason) {
        (SubscriptionState::Active | SubscriptionState::Manual, _) | (_, Some(UNSUPPORTED)) => return None,
        (SubscriptionState::Pending, None) => "Wait: it is being registered.".to_owned(),
        (SubscriptionState::Pending | SubscriptionState::Degraded | SubscriptionState::Suspended, Some(MISSED)) => {
            "Check that the provider can reach the webhook address and that nothing between drops its requests; the \
             first webhook that arrives ends this."
                .to_owned()
        }
        (SubscriptionState::Pending | SubscriptionState::Degraded, _) => {
            "Do what the reason says, if anything; it is tried again by itself.".to_owned()
        }
        (SubscriptionState::Suspended | SubscriptionState::Disabled, _) => format!(
            "Do what the reason says, then enable it: `hooktide subscriptions enable {id}`. Its resource is polled \
             meanwhile."
        ),
    };
    Some(text)
}

/// All subscriptions of a connection.
pub(super) async fn of_connection(
    context: Context<'_>,
    connection: &Connection,
) -> Result<Vec<SubscriptionView>, Fault> {
    let all = crate::sync::mode::subscriptions(context.ports, context.tenant, &connection.id).await?;
    if all.is_empty() {
        return Ok(SubscriptionView::manual(context, connection).into_iter().collect());
    }
    Ok(all.into_iter().map(|stored| SubscriptionView::of(stored.record)).collect())
}

/// The subscriptions of a tenant's connections. A part may be shorter than asked for, and still not be the last.
pub async fn subscriptions(context: Context<'_>, slice: Slice) -> Result<Sliced<SubscriptionView>, Fault> {
    let after = slice.after.unwrap_or_default();
    let (begun, last) = after.split_once('.').unwrap_or_default();
    let (connections, more) = connections(context, slice.connection.as_deref(), begun).await?;
    let mut items = Vec::new();
    for one in &connections {
        let last = if one.id == begun { last } else { "" };
        let room = slice.limit - items.len();
        if room == 0 {
            break;
        }
        let prefix = subscription::prefix(&one.id);
        let range =
            if last.is_empty() { Range::Prefix(prefix) } else { records::after(&prefix, &format!("{prefix}{last}")) };
        let partition = subscription::partition(context.tenant);
        let query = Query { partition, range, descending: false, limit: room };
        let (found, more) = records::list::<Subscription>(&*context.ports.table, &query).await?;
        if found.is_empty() && last.is_empty() {
            items.extend(SubscriptionView::manual(context, one));
        }
        items.extend(found.into_iter().map(|(_, stored)| SubscriptionView::of(stored.record)));
        if more {
            let next = items.last().map(|item| item.id.clone());
            return Ok(Sliced { items, next });
        }
        if items.len() >= slice.limit {
            let next = Some(format!("{}.{END}", one.id));
            return Ok(Sliced { items, next });
        }
    }
    let next = connections.last().filter(|_| more).map(|last| format!("{}.{END}", last.id));
    Ok(Sliced { items, next })
}

/// Some connections from one on, and whether there are more.
async fn connections(context: Context<'_>, only: Option<&str>, begun: &str) -> Result<(Vec<Connection>, bool), Fault> {
    let table = &*context.ports.table;
    let is_there = |connection: &Connection| connection.deleted_at.is_none();
    if let Some(only) = only {
        let found = records::get::<Connection>(table, &connection::key(context.tenant, only)).await?;
        return Ok((found.map(|stored| stored.record).filter(is_there).into_iter().collect(), false));
    }
    let range = if begun.is_empty() { Range::All } else { Range::Between(begun.to_owned(), char::MAX.to_string()) };
    let partition = Partition::of(context.tenant, Area::Connections);
    let query = Query { partition, range, descending: false, limit: CONNECTIONS };
    let (found, more) = records::list::<Connection>(table, &query).await?;
    Ok((found.into_iter().map(|(_, stored)| stored.record).filter(is_there).collect(), more))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_that_is_not_well_says_what_to_do() {
        for state in SubscriptionState::ALL {
            let advice = advice(*state, Some("the provider refuses the credentials"), "c.1");
            let is_well = matches!(state, SubscriptionState::Active | SubscriptionState::Manual);
            assert_eq!(advice.is_none(), is_well, "{state}");
        }
        assert_eq!(advice(SubscriptionState::Pending, Some(UNSUPPORTED), "c.1"), None, "there is nothing to do");
        let advice = advice(SubscriptionState::Disabled, None, "c.1").unwrap();
        assert!(advice.contains("hooktide subscriptions enable c.1"), "{advice}");
    }

    #[test]
    fn an_id_names_its_connection() {
        assert_eq!((parse_id("c.1"), parse_id("c")), (("c", Some("1")), ("c", None)));
    }
}
