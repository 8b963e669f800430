//! Tags: a counter for each collection, raised by the commit of every change to it.
//!
//! The tag of a single entity is its own version and costs no write.

use super::number;
use crate::fault::Fault;
use crate::key::{Area, Key, Partition};
use crate::names::Kind;
use crate::ports::{AttributeValue, Table, Write};
use crate::records::entity::EntityId;
use crate::tenant::Tenant;

/// All tags that a change of `entity` touches: the entity, its collection, and the prefixes that patterns match.
pub fn all(entity: &EntityId) -> Vec<String> {
    vec![entity.to_string(), entity.kind.collection().to_owned(), prefix(entity.kind, &entity.connection)]
}

/// The tag of all things of a kind in a connection.
pub fn prefix(kind: Kind, connection: &str) -> String {
    format!("{kind}/{connection}/*")
}

/// The tags of `entity` that have a counter.
pub fn collections(entity: &EntityId) -> [String; 2] {
    [entity.kind.collection().to_owned(), prefix(entity.kind, &entity.connection)]
}

/// The write that raises a tag's counter.
pub fn raise(tenant: &Tenant, tag: &str) -> Write {
    Write::Update {
        key: key(tenant, tag),
        set: vec![("v", number(1))],
        add: vec![("n", 1)],
        remove: vec![],
        condition: None,
    }
}

/// The counters of tags, in order; zero where one was never raised.
pub async fn versions(table: &dyn Table, tenant: &Tenant, tags: &[String]) -> Result<Vec<u64>, Fault> {
    let keys: Vec<Key> = tags.iter().map(|tag| key(tenant, tag)).collect();
    let items = table.get_many(&keys).await?;
    let count = |item: &crate::ports::Item| match item.inner().get("n") {
        Some(AttributeValue::N(text)) => text.parse().unwrap_or(0),
        _ => 0,
    };
    Ok(items.iter().map(|item| item.as_ref().map_or(0, count)).collect())
}

fn key(tenant: &Tenant, tag: &str) -> Key {
    Partition::of(tenant, Area::Tag(tag)).key("tag")
}
