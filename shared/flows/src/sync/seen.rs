//! What a listing of everything had, and so what is gone. Ids are kept as short hashes: two that collide delete nothing.

use std::collections::BTreeSet;

use object_store::ObjectStoreExt;
use object_store::path::Path;
use tracing::warn;

use crate::Ports;
use crate::asking::account::Account;
use hooktide_model::fault::Fault;
use hooktide_model::names::Kind;
use hooktide_model::notice::{Dated, Document, EntityNotice, State, Version, What};
use hooktide_model::part;
use hooktide_model::signing;
use hooktide_model::tenant::Tenant;
use hooktide_providers::{Next, Page, Part};
use hooktide_store::key::{Area, ENTITY_SHARDS, Partition};
use hooktide_store::ports::{Query, Range, blob_fault};
use hooktide_store::records;
use hooktide_store::records::entity::Entity;
use hooktide_store::records::resource::{Reading, Resource, ResourceId};

/// How many hashes the resource's record has room for.
const INLINE: usize = 500;
/// The status of an event that does not take place.
const CANCELLED: &str = "cancelled";
/// How many entities are read at once.
const PAGE: usize = 200;

/// What a listing says about entities that it did not have.
#[derive(Debug, Default)]
pub(super) struct Gone {
    /// Those that are gone.
    pub(super) notices: Vec<EntityNotice>,
    /// Whether so many are missing that a second listing has to agree first.
    pub(super) doubted: bool,
}

/// Notes what a page of a listing had.
pub(super) async fn note(
    ports: &Ports,
    tenant: &Tenant,
    id: &ResourceId,
    reading: &mut Reading,
    (facts, seen, parts): (&[What], &[String], &[Part]),
) -> Result<(), Fault> {
    // An item without even an id may be any of those that are known.
    let odd = facts.iter().filter(|what| matches!(what, What::Ignored { .. } | What::Kept { .. })).count();
    reading.has_unnamed |= odd > seen.len();
    let told = facts.iter().filter_map(|what| match what {
        What::Entity(EntityNotice { id, state: State::Present(_), .. }) => Some(id.as_str()),
        What::Entity(_) | What::Hint { .. } | What::Privacy(_) | What::Ignored { .. } | What::Kept { .. } => None,
    });
    let named = seen.iter().chain(parts.iter().map(|part| &part.id));
    for entity in told.chain(named.map(String::as_str)) {
        reading.seen.insert(short(entity));
    }
    if reading.seen.len() > INLINE {
        let bytes: Vec<u8> = reading.seen.iter().flat_map(|hash| hash.to_be_bytes()).collect();
        let path = path(tenant, id, reading, reading.seen_blobs);
        ports.blobs.put(&path, bytes.into()).await.map_err(|error| blob_fault(&error))?;
        reading.seen = BTreeSet::new();
        reading.seen_blobs += 1;
    }
    Ok(())
}

/// What is known of the resource and was not in its listing. What was reported since the listing began stays.
pub(super) async fn gone(
    ports: &Ports,
    tenant: &Tenant,
    account: &Account,
    (id, resource, reading): (&ResourceId, &Resource, &Reading),
) -> Result<Gone, Fault> {
    if reading.has_unnamed {
        return Ok(Gone::default());
    }
    let seen = all(ports, tenant, id, reading).await?;
    let kinds = account.provider.profile().resources.iter().filter(|(_, name)| *name == id.name).map(|(kind, _)| *kind);
    let (mut known, mut missing) = (0, Vec::new());
    for kind in kinds {
        for shard in 0..ENTITY_SHARDS {
            let partition = Partition::of(tenant, Area::Entities(&account.connection.id, shard));
            let prefix = format!("{kind}#{}", id.part.as_deref().map(part::prefix).unwrap_or_default());
            let mut range = Range::Prefix(prefix.clone());
            loop {
                let query = Query { partition: partition.clone(), range, descending: false, limit: PAGE };
                let (entities, more) = records::list::<Entity>(&*ports.table, &query).await?;
                let last = entities.last().map(|(sort, _)| sort.clone());
                for (sort, stored) in entities.into_iter().filter(|(_, stored)| !stored.record.deleted) {
                    let Some((_, entity)) = sort.split_once('#') else { continue };
                    known += 1;
                    if !seen.contains(&short(entity)) && stored.record.rank().as_of < reading.began_at.as_millisecond()
                    {
                        missing.push(notice(kind, entity, reading));
                    }
                }
                let Some(last) = last.filter(|_| more) else { break };
                range = records::after(&prefix, &last);
            }
        }
    }
    let implausible = missing.len() * 2 > known;
    if implausible && !resource.doubted {
        return Ok(Gone { notices: Vec::new(), doubted: true });
    }
    Ok(Gone { notices: missing, doubted: false })
}

/// Whether the answer about one entity says that it is there, although it may not be readable, or leads on to it.
pub(super) fn is_there(page: &Page, id: &str) -> bool {
    let is_present = |what: &What| match what {
        What::Entity(EntityNotice { state: State::Present(Document::CalendarEvent(event)), .. }) => {
            // What is left of an event that does not take place.
            event.status.as_deref() != Some(CANCELLED)
        }
        What::Entity(EntityNotice { state, .. }) => *state != State::Deleted,
        What::Hint { .. } | What::Privacy(_) | What::Ignored { .. } | What::Kept { .. } => false,
    };
    matches!(page.next, Next::More(_)) || page.seen.iter().any(|seen| seen == id) || page.facts.iter().any(is_present)
}

/// Removes what was kept of a listing.
pub(crate) async fn forget(ports: &Ports, tenant: &Tenant, id: &ResourceId, reading: &Reading) {
    for number in 0..reading.seen_blobs {
        let path = path(tenant, id, reading, number);
        if let Err(error) = ports.blobs.delete(&path).await {
            warn!(%path, %error, "the notes of a listing stay until they expire");
        }
    }
}

/// The hashes of everything that a listing had.
pub(super) async fn all(
    ports: &Ports,
    tenant: &Tenant,
    id: &ResourceId,
    reading: &Reading,
) -> Result<BTreeSet<u64>, Fault> {
    let mut seen = reading.seen.clone();
    for number in 0..reading.seen_blobs {
        let found = ports.blobs.get(&path(tenant, id, reading, number)).await.map_err(|error| blob_fault(&error))?;
        let bytes = found.bytes().await.map_err(|error| blob_fault(&error))?;
        seen.extend(bytes.chunks_exact(8).filter_map(|chunk| chunk.try_into().ok()).map(u64::from_be_bytes));
    }
    Ok(seen)
}

fn notice(kind: Kind, id: &str, reading: &Reading) -> EntityNotice {
    let version = Version::from_time(reading.began_at);
    EntityNotice { dated: Dated::ByReceipt, ..EntityNotice::new(kind, id, version, State::Deleted) }
}

fn path(tenant: &Tenant, id: &ResourceId, reading: &Reading, number: u32) -> Path {
    let resource = &signing::sha256_hex(id.to_string().as_bytes())[..32];
    Path::from(format!("seen/{tenant}/{resource}/{}/{number}", reading.began_at.as_millisecond()))
}

/// A short hash of a text.
pub(super) fn short(id: &str) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = signing::sha256(&[id.as_bytes()]);
    u64::from_be_bytes([a, b, c, d, e, f, g, h])
}
