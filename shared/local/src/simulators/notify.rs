//! Sending the notifications of a simulator.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::body::Bytes;
use axum::http::Request;
use serde_json::{Value, json};
use tracing::info;

use super::Served;

/// How long a receiver may take to answer.
const TIME: Duration = Duration::from_secs(10);

/// Sends notifications, and counts them.
#[derive(Default)]
pub(super) struct Notifier {
    client: reqwest::Client,
    accepted: AtomicU64,
    refused: AtomicU64,
    dropped: AtomicU64,
    under_way: AtomicU64,
}

impl Notifier {
    /// How many were accepted, refused, and dropped on purpose, and how many are under way.
    pub(super) fn counts(&self) -> Value {
        let [accepted, refused, dropped, under_way] =
            [&self.accepted, &self.refused, &self.dropped, &self.under_way].map(|count| count.load(Ordering::Relaxed));
        json!({ "accepted": accepted, "refused": refused, "dropped": dropped, "under_way": under_way })
    }
}

impl Served {
    /// Sends a notification as often and as late as the faults say. Its simulator hears of the answer.
    pub(super) fn send(self: &Arc<Self>, notification: Request<Bytes>) {
        let delays = self.faults().next();
        if delays.is_empty() {
            self.notifier.dropped.fetch_add(1, Ordering::Relaxed);
        }
        for delay in delays {
            let (served, notification) = (Arc::clone(self), notification.clone());
            self.notifier.under_way.fetch_add(1, Ordering::Relaxed);
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_millis(delay)).await;
                served.deliver(notification).await;
            });
        }
    }

    async fn deliver(self: Arc<Self>, notification: Request<Bytes>) {
        let address = notification.uri().to_string();
        let status = match reqwest::Request::try_from(notification.clone()) {
            Ok(mut request) => {
                *request.timeout_mut() = Some(TIME);
                self.notifier.client.execute(request).await.ok().map(|answer| answer.status())
            }
            Err(_) => None,
        };
        let accepted = status.is_some_and(|status| status.is_success());
        let count = if accepted { &self.notifier.accepted } else { &self.notifier.refused };
        count.fetch_add(1, Ordering::Relaxed);
        if !accepted {
            info!(address, status = status.map(|status| status.as_u16()), "a simulated notification was not accepted");
        }
        self.with(|simulator, now| simulator.delivered(&notification, status, now));
        self.notifier.under_way.fetch_sub(1, Ordering::Relaxed);
    }
}
