//! Tags: a counter for each collection, raised by the commit of every change to it.
//!
//! The counter has a part for each lane of the journal, so that commits in different lanes touch different items: two
//! transactions on one item would cancel each other. The tag's version is the sum of its parts. The tag of a single
//! entity is its own version and costs no write.

use super::number;
use crate::key::{Area, Key, Partition};
use crate::ports::{AttributeValue, Item, Table, Write};
use crate::records::entity::EntityId;
use hooktide_model::fault::Fault;
use hooktide_model::names::Kind;
use hooktide_model::tenant::Tenant;

/// All tags that a change of `entity` touches: the entity, its collection, and the prefixes that patterns match.
pub fn all(entity: &EntityId) -> Vec<String> {
    vec![entity.to_string(), entity.kind.collection().to_owned(), prefix(entity.kind, &entity.connection)]
}

/// The tag of all entities of a kind in a connection.
pub fn prefix(kind: Kind, connection: &str) -> String {
    format!("{kind}/{connection}/*")
}

/// The tags of `entity` that have a counter.
pub fn collections(entity: &EntityId) -> [String; 2] {
    [entity.kind.collection().to_owned(), prefix(entity.kind, &entity.connection)]
}

/// The write that raises a tag's counter, by a commit in `lane`.
pub fn raise(tenant: &Tenant, tag: &str, lane: u8) -> Write {
    Write::Update {
        key: key(tenant, tag, lane),
        set: vec![("v", number(1))],
        add: vec![("n", 1)],
        remove: vec![],
        condition: None,
    }
}

/// The counters of tags, in order; zero for one that was never raised. `lanes` is the most that there have been.
pub async fn versions(table: &dyn Table, tenant: &Tenant, tags: &[String], lanes: u8) -> Result<Vec<u64>, Fault> {
    let keys: Vec<Key> = tags.iter().flat_map(|tag| (0..lanes).map(move |lane| key(tenant, tag, lane))).collect();
    let items = table.get_many(&keys).await?;
    let count = |item: &Option<Item>| match item.as_ref().and_then(|item| item.get("n")) {
        Some(AttributeValue::N(text)) => text.parse().unwrap_or(0),
        _ => 0_u64,
    };
    Ok(items.chunks(usize::from(lanes.max(1))).map(|parts| parts.iter().map(count).sum()).collect())
}

fn key(tenant: &Tenant, tag: &str, lane: u8) -> Key {
    Partition::of(tenant, Area::Tag(tag)).key(format!("{lane:02}"))
}
