//! The journal's entries as readers see them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use hooktide_model::names::{Kind, Operation, Outcome, Via};
use hooktide_store::records::journal::Entry;
use hooktide_store::records::tag;

/// A change, as the bus, the feed and `/v1/changes` report it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ChangeView {
    /// The same for every repeat of this change.
    pub id: String,
    /// The id of the connection.
    pub connection: String,
    /// The provider.
    pub provider: String,
    /// The kind of the entity.
    pub kind: Kind,
    /// The entity that changed: `product/<connection>/4711`.
    #[schema(examples("product/kq3v6hd2m5xw7r4tabcdef/4711"))]
    pub entity: String,
    /// What happened to it.
    pub op: Operation,
    /// The version of its new state, by the provider's clock. Of two changes of one entity, the one with the greater
    /// version is newer; where the clock did not move, the one that was received later is.
    pub version: String,
    /// The tags whose cached answers are stale now.
    pub tags: Vec<String>,
    /// The normalised document as it is stored, unless the entity was deleted or the document has been replaced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub document: Option<Box<RawValue>>,
    /// When it happened, by the provider's clock.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub occurred_at: Option<Timestamp>,
    /// When the notice was received.
    #[schema(value_type = String, format = DateTime)]
    pub received_at: Timestamp,
    /// When the change was committed.
    #[schema(value_type = String, format = DateTime)]
    pub processed_at: Timestamp,
    /// How the change became known.
    pub via: Via,
    /// The fields of the provider's body that could not be read: absent from the document, and unknown.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unread: Vec<String>,
    /// The trace id, from receipt to the last effect.
    pub trace: String,
}

impl ChangeView {
    /// The change that an entry reports, if it reports one.
    pub fn of(entry: &Entry, document: Option<Box<RawValue>>) -> Option<Self> {
        let (entity, change) = (entry.entity()?, entry.change.as_ref()?);
        Some(Self {
            id: entry.id.clone(),
            tags: tag::all(&entity),
            entity: entity.to_string(),
            connection: entity.connection,
            provider: entry.provider.clone(),
            kind: change.kind,
            op: change.op,
            version: change.version.to_string(),
            document,
            occurred_at: change.occurred_at,
            received_at: entry.received_at,
            processed_at: entry.processed_at,
            via: change.via,
            unread: change.unread.clone(),
            trace: entry.trace.clone(),
        })
    }

    /// The part of the change that an invalidation channel carries.
    pub fn invalidation(&self) -> serde_json::Value {
        serde_json::json!({ "tags": self.tags, "change": self.id })
    }
}

/// The outcome of a notice.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ActivityView {
    /// The same for every repeat of this entry.
    pub id: String,
    /// The id of the connection, if one is known.
    pub connection: Option<String>,
    /// The provider.
    pub provider: String,
    /// The provider's topic.
    pub topic: Option<String>,
    /// The provider's own id of the delivery.
    pub delivery: Option<String>,
    /// The outcome.
    pub outcome: Outcome,
    /// The reason, where it is not obvious.
    pub reason: Option<String>,
    /// When it was received.
    #[schema(value_type = String, format = DateTime)]
    pub received_at: Timestamp,
    /// When it was processed.
    #[schema(value_type = String, format = DateTime)]
    pub processed_at: Timestamp,
    /// The secret that verified it.
    pub verified_with: Option<String>,
    /// The trace id, from receipt to the last effect.
    pub trace: String,
}

impl From<Entry> for ActivityView {
    fn from(entry: Entry) -> Self {
        Self {
            id: entry.id,
            connection: entry.connection,
            provider: entry.provider,
            topic: entry.topic,
            delivery: entry.delivery,
            outcome: entry.outcome,
            reason: entry.reason,
            received_at: entry.received_at,
            processed_at: entry.processed_at,
            verified_with: entry.verified_with,
            trace: entry.trace,
        }
    }
}
