//! `/v1/queues`: how much waits in the queues of the deployment.

use axum::Json;
use hooktide_store::ports::Waiting;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::access::{May, Read};
use crate::answer::{Answer, List, ok};

/// A queue, with the messages of all tenants.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct QueueView {
    /// `notices`, `priority`, `jobs`, or `dead` for messages that were given up and wait to be filed.
    name: &'static str,
    /// How many messages could be processed now.
    depth: u64,
    /// How many messages are held back until they are due.
    delayed: u64,
    /// The age of the oldest message that is late or worked on; null if there is none, or the queue does not tell.
    oldest_seconds: Option<u64>,
    /// How many messages are worked on.
    in_flight: u64,
    /// How many messages a second were taken up within the last minute; null if the queue does not tell.
    rate: Option<f64>,
}

impl QueueView {
    fn of(waiting: Waiting, now: Timestamp) -> Self {
        let age = |sent_at: Timestamp| u64::try_from(now.duration_since(sent_at).as_secs()).unwrap_or(0);
        Self {
            name: waiting.source.as_str(),
            depth: waiting.ready,
            delayed: waiting.delayed,
            oldest_seconds: waiting.oldest_at.map(age),
            in_flight: waiting.in_flight,
            // Counts of a minute are small.
            rate: waiting.per_minute.map(|count| f64::from(u32::try_from(count).unwrap_or(u32::MAX)) / 60.0),
        }
    }
}

/// The queues of the deployment.
#[utoipa::path(get, path = "/v1/queues", operation_id = "list_queues", responses((status = 200, body = List<QueueView>)))]
pub(crate) async fn list(may: May<Read>) -> Answer<Json<List<QueueView>>> {
    let now = may.api.now();
    let items = may.api.ports().queue.waiting().await?;
    Ok(ok(List { items: items.into_iter().map(|waiting| QueueView::of(waiting, now)).collect(), next: None }))
}
