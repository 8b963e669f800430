//! How the sync of a connection is doing.

use serde::Serialize;
use utoipa::ToSchema;

use super::credentials;
use super::resources::ResourceView;
use super::subscriptions::{SubscriptionView, of_connection};
use crate::connect::{Context, Refusal, connection_of};
use crate::course;
use crate::follow::busy::{CrowdView, room};
use crate::sync::start;
use hooktide_model::names::{CredentialsState, ModeSource, ResourceMode, SyncMode};
use hooktide_model::settings::rules::Rules;
use hooktide_store::records::resource::Resource;

/// How the sync of a connection is doing.
#[derive(Debug, Serialize, ToSchema)]
pub struct SyncView {
    /// The connection.
    pub connection: String,
    /// The provider.
    pub provider: String,
    /// How its changes are found.
    pub mode: SyncMode,
    /// Who decides that.
    pub mode_from: ModeSource,
    /// What is synced of it, and what of it reaches the user's other connections.
    pub rules: Rules,
    /// Whether the provider can be asked.
    pub credentials: CredentialsState,
    /// Its resources.
    pub resources: Vec<ResourceView>,
    /// Its subscriptions.
    pub subscriptions: Vec<SubscriptionView>,
    /// Its calendars whose events make more blocks than are made, with what to do.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub crowded: Vec<CrowdView>,
}

/// How the sync of a connection of the tenant is doing.
pub async fn status(context: Context<'_>, id: &str) -> Result<SyncView, Refusal> {
    let Context { ports, tenant, now, .. } = context;
    let connection = connection_of(context, id).await?.record;
    let course = course::of(ports, tenant, &connection).await?;
    let known = start::known(ports, tenant, id).await?;
    // Those that were never read have no record yet.
    let unread = start::ids(&connection, &known).into_iter();
    let unread = unread.filter(|id| !known.iter().any(|stored| stored.record.id() == *id));
    let unread: Vec<Resource> = unread.map(|id| Resource::new(&id, ResourceMode::Polling)).collect();
    let all = known.into_iter().map(|stored| stored.record).chain(unread);
    Ok(SyncView {
        credentials: credentials::state(context, &connection).await?,
        resources: all.map(|resource| ResourceView::of(resource, &connection, course, now)).collect(),
        subscriptions: of_connection(context, &connection).await?,
        crowded: room::crowded(context, &connection.id).await?,
        mode: course.mode,
        mode_from: course.by,
        rules: connection.rules,
        provider: connection.provider,
        connection: connection.id,
    })
}
