//! `/v1/webhooks/{provider}/{id}`: how a webhook address is doing; receivers send here whoever asks them with a token.

use axum::Json;
use axum::extract::Path;
use hooktide_flows::connect::provider_of;
use hooktide_flows::steer::{self, Feed};
use hooktide_model::names::{AddressHealth, FeedMode, SubscriptionState};
use hooktide_store::key::{Area, Partition};
use hooktide_store::records;
use hooktide_store::records::dead_letter::{self, DeadLetter, Shelf};
use hooktide_store::records::endpoint::{self, Endpoint, LastVerified};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::handshakes::{HandshakeView, handshake_of};
use crate::access::{May, Read};
use crate::answer::{Answer, Refused, ok};

/// How many kept messages are looked at.
const COUNTED: usize = 1_000;

/// How a webhook address is doing.
#[derive(Serialize, ToSchema)]
pub(crate) struct WebhookView {
    provider: String,
    id: String,
    /// The connection that its deliveries belong to; none if it serves many accounts.
    connection: Option<String>,
    /// How changes are learnt of: `webhook` or `polling`.
    #[schema(value_type = String)]
    mode: FeedMode,
    /// The state of the provider's promise to send, of the connection whose own address it is: of several, the worst.
    #[schema(value_type = Option<SubscriptionState>)]
    subscription: Option<SubscriptionState>,
    /// `receiving`, `waiting` if nothing was verified yet, or `degraded` if a subscription is not well.
    #[schema(value_type = String)]
    health: AddressHealth,
    /// When a delivery was last verified, to within a few minutes.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_verified_at: Option<Timestamp>,
    handshake: Option<HandshakeView>,
    queue: KeptView,
}

/// What is kept of its deliveries.
#[derive(Serialize, ToSchema)]
pub(crate) struct KeptView {
    /// Could not be processed.
    dead: u64,
    /// Wait until their account is connected.
    held: u64,
    /// Whether more is kept than was looked at, so that there may be more of these: the oldest 1,000 dead letters of the
    /// tenant, and 1,000 that wait, are.
    more: bool,
}

/// How a webhook address is doing.
#[utoipa::path(get, path = "/v1/webhooks/{provider}/{id}", operation_id = "show_webhook", responses((status = 200, body = WebhookView), (status = 404)))]
pub(crate) async fn show(may: May<Read>, Path((provider, id)): Path<(String, String)>) -> Answer<Json<WebhookView>> {
    let provider = provider_of(&provider)?.id();
    let stored = records::get::<Endpoint>(may.api.table(), &endpoint::key(provider, &id)).await?;
    let own = |stored: &records::Stored<Endpoint>| {
        stored.record.deleted_at.is_none() && stored.record.tenant == *may.tenant()
    };
    let endpoint = stored.filter(own).ok_or_else(|| Refused::not_found("webhook address"))?.record;
    let partition = Partition::endpoint(provider, &id);
    let verified = records::list_all::<LastVerified>(may.api.table(), partition, "verified#", COUNTED).await?;
    let verified = verified.into_iter().map(|(_, stored)| stored.record.at).max();
    let of = |_: &str, letter: &DeadLetter| letter.endpoint.as_deref() == Some(&id);
    let (dead, more_dead) = dead_letter::count(may.api.table(), Shelf::Dead.place(may.tenant()), COUNTED, of).await?;
    let held = Partition::of(may.tenant(), Area::Held(&id));
    let (held, more_held) = dead_letter::count(may.api.table(), (held, String::new()), COUNTED, of).await?;
    let feed = match &endpoint.connection {
        Some(connection) => steer::feed(may.context(), connection).await?,
        None => Feed::default(),
    };
    let health = match verified {
        _ if feed.is_degraded => AddressHealth::Degraded,
        Some(_) => AddressHealth::Receiving,
        None => AddressHealth::Waiting,
    };
    Ok(ok(WebhookView {
        provider: provider.to_owned(),
        connection: endpoint.connection,
        mode: feed.mode,
        subscription: feed.subscription,
        health,
        last_verified_at: verified,
        handshake: handshake_of(&may.api, provider, &id).await?,
        queue: KeptView { dead, held, more: more_dead || more_held },
        id,
    }))
}
