//! Dead letters: whole messages that could not be processed, kept for 90 days. Separate shelves hold deliveries for
//! accounts that nobody has connected yet, for 30 days, and requests about personal data until they are done. A replay
//! processes any of them again.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use super::{Record, Stored, Upkeep};
use crate::key::{Area, Partition};
use crate::ports::{Key, Query, Range, Table, Write};
use hooktide_model::envelope::Envelope;
use hooktide_model::fault::{ErrorClass, Fault};
use hooktide_model::tenant::Tenant;

/// A message that is kept instead of being processed.
#[skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DeadLetter {
    /// The message as it was on the queue.
    pub message: String,
    /// The connection, where one is known.
    pub connection: Option<String>,
    /// The account that it is for, where it is held for one or is a request about personal data.
    pub account: Option<String>,
    /// The endpoint that received it.
    pub endpoint: Option<String>,
    /// The provider.
    pub provider: Option<String>,
    /// The provider's topic.
    pub topic: Option<String>,
    /// The class of the reason.
    pub class: ErrorClass,
    /// The reason in words.
    pub reason: String,
    /// When it was received.
    pub received_at: Timestamp,
    /// When it became a dead letter.
    pub dead_at: Timestamp,
    /// How many tries had failed.
    pub tries: u32,
    /// How often it had been replayed; absent in records from before this was recorded.
    pub replayed: Option<u32>,
}

impl Record for DeadLetter {
    const NAME: &'static str = "dead letter";
}

/// The shelf that a message is kept on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shelf {
    /// The dead letters.
    Dead,
    /// The deliveries that wait for an account of an endpoint.
    Held {
        /// The endpoint.
        endpoint: String,
        /// The account.
        account: String,
    },
    /// The deliveries for accounts that were foreign to a connection with its own endpoint, if the account is not foreign
    /// when the message is looked at.
    Own {
        /// The provider.
        provider: String,
        /// The endpoint.
        endpoint: String,
    },
    /// The requests about personal data that wait to be done.
    Privacy,
}

impl Shelf {
    /// The partition and the prefix of the sort keys.
    pub fn place(&self, tenant: &Tenant) -> (Partition, String) {
        match self {
            Self::Dead => (Partition::of(tenant, Area::DeadLetters), String::new()),
            Self::Privacy => (Partition::of(tenant, Area::Privacy), String::new()),
            Self::Held { endpoint, account } => (Partition::of(tenant, Area::Held(endpoint)), format!("{account}#")),
            Self::Own { endpoint, .. } => (Partition::of(tenant, Area::Held(endpoint)), String::new()),
        }
    }

    /// The key of one message.
    pub fn key(&self, tenant: &Tenant, id: &str) -> Key {
        let (partition, prefix) = self.place(tenant);
        partition.key(format!("{prefix}{id}"))
    }
}

impl DeadLetter {
    /// The dead letter of an envelope.
    pub fn of(envelope: &Envelope, class: ErrorClass, reason: &str, now: Timestamp) -> Result<Self, Fault> {
        let delivery = envelope.delivery();
        Ok(Self {
            message: envelope.encode()?,
            connection: None,
            account: None,
            endpoint: delivery.map(|delivery| delivery.endpoint.clone()),
            provider: delivery.map(|delivery| delivery.provider.clone()),
            topic: delivery.and_then(|delivery| delivery.topic.clone()),
            class,
            reason: reason.to_owned(),
            received_at: envelope.received_at,
            dead_at: now,
            tries: envelope.attempt,
            replayed: Some(envelope.replayed),
        })
    }

    /// The write that keeps it under `id`; repeating it changes nothing.
    pub fn put(&self, tenant: &Tenant, shelf: &Shelf, id: &str, until: Timestamp) -> Result<Write, Fault> {
        super::put(&shelf.key(tenant, id), self, Upkeep::until(until))
    }
}

/// How many letters are counted at once: they are large.
const PAGE: usize = 100;

/// How many of the first `bound` messages of a place (see [`Shelf::place`]) match, by their ids and letters, and whether
/// the place has more than these.
pub async fn count(
    table: &dyn Table,
    (partition, prefix): (Partition, String),
    bound: usize,
    matches: impl Fn(&str, &DeadLetter) -> bool,
) -> Result<(u64, bool), Fault> {
    let (mut matching, mut seen, mut range) = (0, 0, Range::Prefix(prefix.clone()));
    loop {
        let query = Query { partition: partition.clone(), range, descending: false, limit: PAGE };
        let (letters, more) = super::list::<DeadLetter>(table, &query).await?;
        seen += letters.len();
        let counts = |(sort, stored): &&(String, Stored<DeadLetter>)| matches(&sort[prefix.len()..], &stored.record);
        matching += letters.iter().filter(counts).count();
        match letters.last() {
            Some((last, _)) if more && seen < bound => range = super::after(&prefix, last),
            _ => return Ok((matching as u64, more)),
        }
    }
}
