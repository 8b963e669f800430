//! The bus on EventBridge.
//!
//! An entry has the source [`SOURCE`], its channel as detail type and `{"tenant", "changes"}` as detail, so that rules
//! can select by any of them.

use async_trait::async_trait;
use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::types::{PutEventsRequestEntry, PutEventsResultEntry};
use hooktide_model::fault::Fault;
use hooktide_store::ports::{Bus, BusEntry};

use crate::fault;
use crate::resend::{Batches, fitting, send_all};

/// What faults name.
const SERVICE: &str = "EventBridge";
/// The source that rules select by.
pub const SOURCE: &str = "hooktide";
/// How many entries a call takes.
const MOST: usize = 10;
/// How large the entries of a call may be together, in bytes. The limit that every region has had from the start:
/// <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html>.
const LARGEST: usize = 256 * 1024;

/// Publishes on an event bus.
#[derive(Debug, Clone)]
pub struct EventBridgeBus {
    client: Client,
    name: String,
}

/// An entry as it travels.
#[derive(Debug, Clone)]
pub(crate) struct Prepared {
    channel: &'static str,
    detail: String,
}

impl Prepared {
    /// As EventBridge counts: the texts of source, detail type and detail.
    fn size(&self) -> usize {
        SOURCE.len() + self.channel.len() + self.detail.len()
    }
}

impl EventBridgeBus {
    /// The bus called `name`.
    pub fn new(client: Client, name: impl Into<String>) -> Self {
        Self { client, name: name.into() }
    }
}

#[async_trait]
impl Batches for EventBridgeBus {
    type Entry = Prepared;

    fn fit(&self, next: &[Prepared]) -> usize {
        fitting(next, MOST, LARGEST, Prepared::size)
    }

    async fn send_batch(&self, entries: Vec<Prepared>) -> Result<Vec<Result<(), Fault>>, Fault> {
        let count = entries.len();
        let entries = entries.into_iter().map(|entry| {
            PutEventsRequestEntry::builder()
                .event_bus_name(&self.name)
                .source(SOURCE)
                .detail_type(entry.channel)
                .detail(entry.detail)
                .build()
        });
        let call = self.client.put_events().set_entries(Some(entries.collect()));
        let answer = call.send().await.map_err(|error| fault::sort(SERVICE, &error))?;
        // One result for each entry, in order.
        let told = answer.entries().iter().map(entry_result);
        let silent = || Err(Fault::retryable(format!("{SERVICE} said nothing of an entry")));
        Ok(told.chain(std::iter::repeat_with(silent)).take(count).collect())
    }
}

#[async_trait]
impl Bus for EventBridgeBus {
    async fn publish(&self, entries: Vec<BusEntry>) -> Vec<Result<(), Fault>> {
        let prepare = |entry: BusEntry| Prepared { channel: entry.channel.as_str(), detail: entry.detail };
        send_all(self, entries.into_iter().map(prepare).collect()).await
    }
}

fn entry_result(entry: &PutEventsResultEntry) -> Result<(), Fault> {
    match entry.error_code() {
        None => Ok(()),
        Some(code) if fault::is_passing(code) => Err(Fault::retryable(format!("{SERVICE} took no entry: {code}"))),
        Some(code) => Err(Fault::failed(format!("{SERVICE} refused an entry: {code}"))),
    }
}
