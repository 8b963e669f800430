//! Which calendars of a connection are read, block time in others, and are blocked: shown, and chosen.

use std::collections::BTreeSet;

use serde::Serialize;
use utoipa::ToSchema;

use super::person::{self, Person};
use super::planner::BUSY;
use super::{parting, wake};
use crate::connect::{Context, Refusal, connection_of};
use crate::sync::start;
use crate::{inclusion, watch};
use hooktide_model::fault::Fault;
use hooktide_model::names::MarkReason;
use hooktide_store::records;
use hooktide_store::records::calendars::{self, Calendars, Choice};
use hooktide_store::records::connection::Connection;
use hooktide_store::records::resource::Resource;

/// A calendar of a connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct CalendarView {
    /// The provider's id.
    pub id: String,
    /// Its name among people.
    pub name: String,
    /// Whether it is the account's main one.
    pub is_main: bool,
    /// Whether it is read.
    pub included: bool,
    /// Whether its events block time in the person's other calendars.
    pub blocks_others: bool,
    /// Whether events of the person's other calendars block time in it.
    pub is_blocked: bool,
}

/// What is chosen for a calendar; what is absent stays as it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Chosen {
    /// Whether it is read.
    pub included: Option<bool>,
    /// Whether its events block time in others.
    pub blocks_others: Option<bool>,
    /// Whether it is blocked.
    pub is_blocked: Option<bool>,
}

/// The calendars of a connection.
pub async fn calendars(context: Context<'_>, connection: &str) -> Result<Vec<CalendarView>, Refusal> {
    let connection = connection_of(context, connection).await?.record;
    let choices = choices(context, &connection).await?.1;
    let known = start::known(context.ports, context.tenant, &connection.id).await?;
    Ok(known.iter().filter_map(|stored| view(&stored.record, &choices)).collect())
}

/// Chooses for a calendar. What follows from it begins at once.
pub async fn choose(
    context: Context<'_>,
    connection: &str,
    calendar: &str,
    chosen: Chosen,
) -> Result<CalendarView, Refusal> {
    let connection = connection_of(context, connection).await?.record;
    let known = start::known(context.ports, context.tenant, &connection.id).await?;
    let resource = known.into_iter().map(|stored| stored.record);
    let resource =
        resource.into_iter().find(|resource| resource.part.as_deref() == Some(calendar) && !resource.is_gone);
    let resource = resource.ok_or(Refusal::NotFound("calendar"))?;
    let provider = hooktide_providers::by_id(&connection.provider);
    if chosen.is_blocked == Some(true) && provider.and_then(|provider| provider.target()).is_none() {
        return Err(Refusal::invalid(
            "is_blocked",
            "this provider's calendars can only be read, so nothing is written there",
        ));
    }
    let (rev, mut choices) = choices(context, &connection).await?;
    let former = choices.choices.get(calendar).copied().unwrap_or_default();
    let next = Choice {
        included: chosen.included.or(former.included),
        blocks_others: chosen.blocks_others.unwrap_or(former.blocks_others),
        is_blocked: chosen.is_blocked.unwrap_or(former.is_blocked),
    };
    let takes_part = next.blocks_others || next.is_blocked;
    if takes_part && chosen.included == Some(false) {
        return Err(Refusal::invalid(
            "included",
            "a calendar that is not read can neither block others nor be blocked",
        ));
    }
    let next = Choice { included: if takes_part { Some(true) } else { next.included }, ..next };
    choices.choices.insert(calendar.to_owned(), next);
    store(context, rev, &choices).await?;
    let view = view(&resource, &choices).ok_or(Refusal::NotFound("calendar"))?;
    // Notifications about a calendar that is not read go on until its subscription has ended.
    watch::look(context.ports, context.tenant, &connection.id, context.now).await?;
    if view.included {
        start::raise(context.ports, context.tenant, &resource.id(), MarkReason::Asked, context.now).await?;
    }
    Ok(view)
}

/// Stores what was chosen, and lets everything be looked at that it may concern: all calendars of the person.
pub(super) async fn store(context: Context<'_>, rev: Option<u64>, choices: &Calendars) -> Result<(), Fault> {
    let Context { ports, tenant, now, .. } = context;
    let person = Person::listed(ports, tenant, &choices.user).await?;
    ports.table.transact(person::writes(tenant, rev, choices)?).await.map_err(records::overtaken)?;
    let own = std::iter::once(&choices.connection);
    let connections: BTreeSet<&String> = person.choices.iter().map(|one| &one.connection).chain(own).collect();
    for connection in connections {
        wake(ports, tenant, (BUSY, connection), BTreeSet::new(), now).await?;
    }
    Ok(())
}

/// Follows a change of a connection's settings: whose it is, and how blocks are made in its calendars.
pub(crate) async fn follow(context: Context<'_>, connection: &Connection) -> Result<(), Fault> {
    let key = calendars::key(context.tenant, &connection.id);
    if context.ports.table.get(&key).await?.is_none() {
        return Ok(());
    }
    let (rev, next) = choices(context, connection).await?;
    store(context, rev, &next).await
}

/// What was chosen for a connection, and the revision of that. Where the connection became another person's, what it has in common with
/// the calendars of the former one goes: its job does so before it looks at events for the next one.
pub(super) async fn choices(context: Context<'_>, connection: &Connection) -> Result<(Option<u64>, Calendars), Fault> {
    let key = calendars::key(context.tenant, &connection.id);
    let user = connection.user().unwrap_or_default();
    let mut stored = records::get::<Calendars>(&*context.ports.table, &key).await?;
    if stored.as_ref().is_some_and(|stored| stored.record.user != user) {
        parting::begin(context, &connection.id, Some(user)).await?;
        stored = records::get::<Calendars>(&*context.ports.table, &key).await?;
    }
    let (rev, former) = stored.map(|stored| (stored.rev, stored.record)).unzip();
    let (connection, user) = (connection.id.clone(), user.to_owned());
    Ok((rev, Calendars { connection, user, ..former.unwrap_or_default() }))
}

fn view(resource: &Resource, choices: &Calendars) -> Option<CalendarView> {
    let id = resource.part.clone().filter(|_| !resource.is_gone)?;
    let choice = choices.choices.get(&id).copied().unwrap_or_default();
    Some(CalendarView {
        name: resource.title.clone().unwrap_or_else(|| id.clone()),
        is_main: resource.is_primary,
        included: inclusion::is_read(choices, resource),
        blocks_others: choice.blocks_others,
        is_blocked: choice.is_blocked,
        id,
    })
}
