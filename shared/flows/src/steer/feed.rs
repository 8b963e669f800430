//! How a connection learns of changes, in a word each for its mode and its subscriptions.

use super::resources::local_name;
use super::subscriptions::{SubscriptionView, of_connection, severity};
use crate::connect::{Context, Refusal, connection_of};
use crate::course;
use crate::sync::start;
use hooktide_model::names::{FeedMode, ResourceMode, SubscriptionState};
use hooktide_store::records::resource::Resource;

/// How a connection learns of changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Feed {
    /// By deliveries; by polling, if any of its resources is polled although the provider would report its changes.
    pub mode: FeedMode,
    /// The worst state of its subscriptions, if it has any.
    pub subscription: Option<SubscriptionState>,
    /// Whether that is not well.
    pub is_degraded: bool,
}

impl Default for Feed {
    /// Nothing but deliveries is known.
    fn default() -> Self {
        Self { mode: FeedMode::Webhook, subscription: None, is_degraded: false }
    }
}

/// How a connection of the tenant learns of changes.
pub async fn feed(context: Context<'_>, id: &str) -> Result<Feed, Refusal> {
    let connection = connection_of(context, id).await?.record;
    let fixed = course::of(context.ports, context.tenant, &connection).await?.fixed();
    let read = start::known(context.ports, context.tenant, id).await?;
    let is_polled = |resource: &Resource| fixed.unwrap_or(resource.mode) == ResourceMode::Polling;
    // Lists that name the parts of another resource are told by no webhook anywhere.
    let source = hooktide_providers::by_id(&connection.provider).and_then(|provider| provider.source());
    let is_list = |resource: &Resource| source.is_some_and(|source| source.parts_of(&resource.name).is_some());
    let all = of_connection(context, &connection).await?;
    let (unsupported, all): (Vec<_>, Vec<_>) = all.into_iter().partition(SubscriptionView::is_unsupported);
    let is_unsupported = |resource: &Resource| {
        let name = local_name(&resource.id());
        unsupported.iter().any(|one| one.resource.as_ref() == Some(&name))
    };
    let is_amiss = |resource: &Resource| !is_list(resource) && !is_unsupported(resource) && is_polled(resource);
    let polled = read.iter().map(|stored| &stored.record).any(is_amiss);
    let subscription = all.iter().map(|one| one.state).max_by_key(|state| severity(*state));
    let mode = if polled || fixed == Some(ResourceMode::Polling) { FeedMode::Polling } else { FeedMode::Webhook };
    // One that is being registered for the first time is no trouble yet.
    Ok(Feed { mode, subscription, is_degraded: subscription.is_some_and(|state| severity(state) > 1) })
}
