//! Entries of the journal.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use crate::records::document::Wanted;
use crate::records::entity::EntityId;
use hooktide_model::names::{Kind, Operation, Outcome, Via};
use hooktide_model::notice::{ContentHash, Version};
use hooktide_model::place::JournalPlace;

/// The outcome of one notice, and the change that it caused, if any.
#[skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// The same for every delivery of this entry: readers drop repeats by it.
    pub id: String,
    /// The connection, where the notice's account has one.
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
    /// When the request was received.
    pub received_at: Timestamp,
    /// When it was processed.
    pub processed_at: Timestamp,
    /// The secret that verified it.
    pub verified_with: Option<String>,
    /// The trace id, from receipt to the last effect.
    pub trace: String,
    /// The change, if there was one.
    pub change: Option<Change>,
}

/// A change of an entity.
#[skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// The kind of the entity.
    pub kind: Kind,
    /// The provider's id for it.
    pub entity: String,
    /// What happened to it.
    pub op: Operation,
    /// The version of its new state.
    pub version: Version,
    /// The content hash of its document, in hexadecimal; absent for a deletion.
    pub document: Option<String>,
    /// Whether the document is inline in the entity, as long as that state is current.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub inline: bool,
    /// The place of the previous change of the same entity, which readers take first. Absent for a first change, and for
    /// changes that were journaled before places were remembered.
    pub after: Option<JournalPlace>,
    /// When it happened, by the provider's clock.
    pub occurred_at: Option<Timestamp>,
    /// How the change became known.
    pub via: Via,
    /// The fields whose type could not be read: absent from the document, and unknown.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unread: Vec<String>,
}

impl Entry {
    /// Whether it is about a notice of this envelope.
    pub fn is_of(&self, envelope: &str) -> bool {
        self.id.strip_prefix(envelope).is_some_and(|rest| rest.starts_with('-'))
    }

    /// The document of its change.
    pub fn document(&self) -> Option<Wanted> {
        let change = self.change.as_ref()?;
        let hash = data_encoding::HEXLOWER.decode(change.document.as_ref()?.as_bytes()).ok()?;
        Some(Wanted { entity: self.entity()?, hash: ContentHash(hash.try_into().ok()?), inline: change.inline })
    }

    /// The entity that changed.
    pub fn entity(&self) -> Option<EntityId> {
        let change = self.change.as_ref()?;
        Some(EntityId { kind: change.kind, connection: self.connection.clone()?, id: change.entity.clone() })
    }
}

/// The entry with this id, if it has a change. An envelope may have reported several states of one entity, one of which
/// became current.
pub fn find<'a>(entries: &'a [Entry], id: &str) -> Option<&'a Entry> {
    entries.iter().find(|entry| entry.id == id && entry.change.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_several_states_that_one_message_told_the_one_that_stood_is_found() {
        let change =
            serde_json::json!({"kind": "product", "entity": "1", "op": "updated", "version": 1, "via": "webhook"});
        let entry = |id: &str, change: Option<&serde_json::Value>| -> Entry {
            let text = serde_json::json!({
                "id": id, "connection": "c", "provider": "any", "outcome": "processed", "received_at": Timestamp::UNIX_EPOCH,
                "processed_at": Timestamp::UNIX_EPOCH, "trace": "", "change": change,
            });
            serde_json::from_value(text).unwrap()
        };
        let entries = vec![entry("e-0", None), entry("e-1", Some(&change)), entry("e-10", Some(&change))];
        let found = |id| find(&entries, id).map(|entry| entry.id.clone());
        assert_eq!(found("e-0"), None, "it was stale: what stood has another document");
        assert_eq!(found("e-1").as_deref(), Some("e-1"));
        assert_eq!(found("e-2"), None);
    }
}
