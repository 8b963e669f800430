//! Setting aside: a message that is no envelope which this code can process.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use tracing::warn;

use super::{Settler, keep_body};
use crate::commit::origin::cut;
use crate::message::Message;
use hooktide_model::envelope::{Delivery, Envelope, EnvelopeFault, EnvelopeKind};
use hooktide_model::fault::{ErrorClass, Fault};
use hooktide_model::names::Outcome;
use hooktide_model::signing;
use hooktide_model::tenant::Tenant;
use hooktide_store::bodies;
use hooktide_store::ports::{Outgoing, QueueName, Source, send_one};
use hooktide_store::records;
use hooktide_store::records::dead_letter::{DeadLetter, Shelf};

/// How long a message of newer code waits before it is looked at again.
const NEWER_WAITS: Duration = Duration::from_secs(60);
/// The largest foreign message that a record holds as it is, in bytes: a queue's may have a megabyte, a record 400 KB.
const LARGEST_FOREIGN: usize = 300 * 1024;

impl Settler {
    /// Lets a message of newer code wait, and keeps a foreign one.
    pub(crate) async fn set_aside(&self, message: &Message, fault: EnvelopeFault, now: Timestamp) -> Result<(), Fault> {
        warn!(%fault, "a message is set aside");
        match fault {
            EnvelopeFault::Newer(_) => {
                let queue = match message.source {
                    Source::Queue(queue) => queue,
                    Source::Dead => QueueName::Notices,
                };
                let (body, group) = (message.body.clone(), "newer".to_owned());
                send_one(&*self.ports.queue, Outgoing { queue, body, delay: NEWER_WAITS, group }).await
            }
            EnvelopeFault::Foreign(reason) => self.bury_foreign(&message.body, &reason, now).await,
        }
    }

    /// Keeps a message that is no envelope; the operator finds it with the tenant `system`.
    async fn bury_foreign(&self, message: &str, reason: &str, now: Timestamp) -> Result<(), Fault> {
        let id = signing::sha256_hex(message.as_bytes())[..26].to_owned();
        let kept = if message.len() <= LARGEST_FOREIGN {
            message.to_owned()
        } else {
            self.wrap_foreign(message, &id, now).await?
        };
        let letter = DeadLetter {
            message: kept,
            connection: None,
            account: None,
            endpoint: None,
            provider: None,
            topic: None,
            class: ErrorClass::Unreadable,
            reason: cut(reason),
            received_at: now,
            dead_at: now,
            tries: 0,
            replayed: None,
        };
        let until = now + self.keep_dead_letters;
        let write = letter.put(&Tenant::system(), &Shelf::Dead, &id, until)?;
        self.ports.table.write(write).await.map_err(records::raced)?;
        self.ports.meter.count("unknown", Outcome::Dead, "");
        Ok(())
    }

    /// Wraps a foreign message that is too large for a record into an envelope, which reads as a body without a provider.
    async fn wrap_foreign(&self, message: &str, id: &str, now: Timestamp) -> Result<String, Fault> {
        let body = Bytes::copy_from_slice(message.as_bytes());
        let payload = bodies::pack(&body, "foreign", id, &*self.ports.blobs).await?;
        let delivery = Delivery {
            provider: String::new(),
            endpoint: String::new(),
            tenant: None,
            key_id: None,
            topic: None,
            delivery: None,
            headers: BTreeMap::new(),
            dropped: Vec::new(),
            oversized: None,
            payload,
            sha256: signing::sha256_hex(&body),
        };
        let mut envelope = Envelope::new(id.to_owned(), EnvelopeKind::Unreadable(delivery), now);
        keep_body(&mut envelope, &Tenant::system(), &*self.ports.blobs).await?;
        envelope.encode()
    }
}
