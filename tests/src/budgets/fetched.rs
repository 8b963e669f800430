//! Hints that are fetched: what was edited at the provider is read there, and told.

use std::time::Duration;

use bytes::Bytes;
use hooktide_model::names::Scope;
use hooktide_providers::Provider;
use hooktide_store::ports::QueueName;
use http::{Method, Request};
use serde_json::json;

use super::{Metering, Used};
use crate::connected::signed;
use crate::simulated::connection;

/// The provider whose hints are fetched, what they say, and what is edited.
const FETCHED: (&str, &str, &str) = ("square", "catalog.version.updated", "product");
/// Longer than a job waits for more hints.
const DEBOUNCED: Duration = Duration::from_secs(3);

/// The provider whose hints are fetched.
pub(super) fn provider() -> &'static dyn Provider {
    hooktide_providers::by_id(FETCHED.0).expect("a provider")
}

/// A connection of a tenant that reads the account.
#[derive(Debug, Clone)]
pub struct Reader {
    id: String,
    token: String,
}

impl Metering {
    /// Connections of so many tenants that have read the account once.
    pub async fn readers(&self, count: usize) -> Vec<Reader> {
        let mut readers = Vec::new();
        for number in 0..count {
            let token = self.world.token(&format!("reader-{number}"), &[Scope::Admin]).await;
            let body = connection(provider(), &json!({}));
            let made = self.world.call(&token, Method::POST, "/v1/connections", Some(body)).await.expect(201);
            readers.push(Reader { id: made["id"].as_str().expect("an id").to_owned(), token });
        }
        self.run_jobs().await;
        for webhook in self.hints(&readers, 0, count as u64).await {
            self.world.request(webhook).await;
        }
        self.world.tick().await;
        self.run_jobs().await;
        readers
    }

    /// What hints use that are fetched: all of one connection and each about an edit of its own, or of many connections, each
    /// of which learns of the same edit.
    pub async fn fetched(&self, readers: &[Reader], base: u64, count: u64) -> Used {
        for number in 0..count {
            self.account.edit(FETCHED.2, Some(json!({ "name": format!("Tea {}", base + number) })));
        }
        if readers.len() > 1 {
            // What was edited for others before.
            for webhook in self.hints(readers, base + 50, count).await {
                self.world.request(webhook).await;
            }
            self.world.tick().await;
            self.run_jobs().await;
            self.account.edit(FETCHED.2, Some(json!({ "name": "Tea of all" })));
        }
        let hints = self.hints(readers, base, count).await;
        let used = self.measure(&hints, true).await;
        assert!(used.questions > 0.0 && used.entries > 0.0, "it is fetched, and told: {used:?}");
        used
    }

    async fn hints(&self, readers: &[Reader], base: u64, count: u64) -> Vec<Request<Bytes>> {
        let (provider, topic, _) = FETCHED;
        let mut hints = Vec::new();
        for (reader, number) in readers.iter().cycle().zip(base..base + count) {
            let body = json!({ "connection": reader.id, "number": number });
            let path = format!("/test/events/{provider}/{topic}");
            let told = self.world.call(&reader.token, Method::POST, &path, Some(body)).await.expect(200);
            hints.push(signed(&told));
        }
        hints
    }

    /// Runs the jobs that are due once they have waited for more hints, each on its own; how many runs that were.
    pub(super) async fn run_jobs(&self) -> usize {
        let mut runs = 0;
        loop {
            self.world.clock.advance(DEBOUNCED);
            let jobs = self.world.take_messages(QueueName::Jobs).await;
            if jobs.is_empty() {
                return runs;
            }
            for job in jobs {
                let failed = self.world.host.syncer.run(vec![job], self.world.now()).await;
                assert!(failed.is_empty());
                runs += 1;
            }
        }
    }
}
