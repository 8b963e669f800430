//! What is known of a resource: its entities that are there, one after the other.

use crate::Ports;
use crate::asking::account::Account;
use hooktide_model::fault::Fault;
use hooktide_model::names::Kind;
use hooktide_model::part;
use hooktide_model::tenant::Tenant;
use hooktide_store::key::{Area, ENTITY_SHARDS, Partition};
use hooktide_store::ports::{Query, Range};
use hooktide_store::records;
use hooktide_store::records::entity::Entity;
use hooktide_store::records::resource::ResourceId;

/// How many entities are read at once.
const PAGE: usize = 200;

/// The text that the ids of all entities of a resource begin with.
pub(super) fn beginning(id: &ResourceId) -> String {
    id.part.as_deref().map(part::prefix).unwrap_or_default()
}

/// Shows every entity of a resource that is there and whose id begins like this.
pub(super) async fn each(
    ports: &Ports,
    tenant: &Tenant,
    account: &Account,
    (id, beginning): (&ResourceId, &str),
    mut show: impl FnMut(Kind, &str, &Entity),
) -> Result<(), Fault> {
    let resources = account.provider.profile().resources;
    for kind in resources.iter().filter(|(_, name)| *name == id.name).map(|(kind, _)| *kind) {
        for shard in 0..ENTITY_SHARDS {
            let partition = Partition::of(tenant, Area::Entities(&account.connection.id, shard));
            let prefix = format!("{kind}#{beginning}");
            let mut range = Range::Prefix(prefix.clone());
            loop {
                let query = Query { partition: partition.clone(), range, descending: false, limit: PAGE };
                let (entities, more) = records::list::<Entity>(&*ports.table, &query).await?;
                for (sort, stored) in entities.iter().filter(|(_, stored)| !stored.record.deleted) {
                    let Some((_, entity)) = sort.split_once('#') else { continue };
                    show(kind, entity, &stored.record);
                }
                let Some((last, _)) = entities.last().filter(|_| more) else { break };
                range = records::after(&prefix, last);
            }
        }
    }
    Ok(())
}
