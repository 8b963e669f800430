//! Tags: a counter for each collection, raised by the commit of every change to it.
//!
//! The counter has a part for each lane of the journal, so that commits in different lanes touch different items: two
//! transactions on one item would cancel each other. The tag's version is the sum of its parts. The tag of a single
//! entity is its own version and costs no write.

use super::{number, whole_number};
use crate::key::{Area, Key, Partition};
use crate::ports::{Item, Table, Write};
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

/// The tag of what connections are called, which companies they have, and whether they exist.
pub const CONNECTIONS: &str = "connections";
/// The tag of the failures of payments of all connections.
pub const FAILURES: &str = "payment-failures";

/// The tag of notices of payments that say no state, after which figures are read anew.
pub const FIGURES: &str = "figures";

/// The tag of the transactions of a company, whichever connections report them.
pub fn company(company: &str) -> String {
    format!("company/{company}")
}

/// The tag of the failures of a connection's payments.
pub fn failures(connection: &str) -> String {
    format!("{FAILURES}/{connection}")
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
    let keys: Vec<Key> = tags.iter().flat_map(|tag| keys(tenant, tag, lanes)).collect();
    let mut items = table.get_many(&keys).await?.into_iter();
    Ok(tags.iter().map(|_| sum(items.by_ref().take(lanes.into()))).collect())
}

/// The keys of the parts of a tag's counter.
pub fn keys(tenant: &Tenant, tag: &str, lanes: u8) -> impl Iterator<Item = Key> {
    (0..lanes).map(move |lane| key(tenant, tag, lane))
}

/// The counter whose parts were read.
pub fn sum(parts: impl Iterator<Item = Option<Item>>) -> u64 {
    parts.flatten().filter_map(|part| whole_number::<u64>(&part, "n")).sum()
}

fn key(tenant: &Tenant, tag: &str, lane: u8) -> Key {
    Partition::of(tenant, Area::Tag(tag)).key(format!("{lane:02}"))
}
