//! What a listing of everything had, and so what is gone. Ids are kept as short hashes: two that collide delete nothing.

use std::collections::BTreeSet;

use jiff::Timestamp;
use object_store::path::Path;
use object_store::{Error, ObjectStoreExt};
use tracing::warn;

use super::{due, known};
use crate::Ports;
use crate::asking::account::Account;
use hooktide_model::fault::Fault;
use hooktide_model::names::Kind;
use hooktide_model::notice::{Dated, Document, EntityNotice, State, Version, What};
use hooktide_model::signing;
use hooktide_model::tenant::Tenant;
use hooktide_providers::{Next, Page, Part};
use hooktide_store::ports::blob_fault;
use hooktide_store::records::resource::{Reading, Resource, ResourceId};

/// What is told where the notes of a listing are no longer there.
pub(super) const LOST: &str = "what it had listed so far is no longer kept, so it begins anew";
/// How many hashes the resource's record has room for.
const INLINE: usize = 500;
/// The status of an event that does not take place.
const CANCELLED: &str = "cancelled";

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

/// What is known of the resource and was not in its listing; `None` if nobody knows any more what was. What was reported since
/// the listing began stays.
pub(super) async fn gone(
    ports: &Ports,
    tenant: &Tenant,
    account: &Account,
    (id, resource, reading): (&ResourceId, &Resource, &Reading),
) -> Result<Option<Gone>, Fault> {
    if reading.has_unnamed {
        return Ok(Some(Gone::default()));
    }
    let Some(seen) = all(ports, tenant, id, reading).await? else { return Ok(None) };
    let (mut count, mut missing) = (0, Vec::new());
    known::each(ports, tenant, account, (id, &known::beginning(id)), |kind, entity, record| {
        count += 1;
        if !seen.contains(&short(entity)) && record.rank().as_of < reading.began_at.as_millisecond() {
            missing.push(tombstone(kind, entity, reading.began_at));
        }
    })
    .await?;
    let implausible = missing.len() * 2 > count;
    if implausible && (resource.doubted_at.is_none() || due::is_early(resource, reading)) {
        return Ok(Some(Gone { notices: Vec::new(), doubted: true }));
    }
    Ok(Some(Gone { notices: missing, doubted: false }))
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

/// The hashes of everything that a listing had; `None` if not all of them are kept any more.
pub(super) async fn all(
    ports: &Ports,
    tenant: &Tenant,
    id: &ResourceId,
    reading: &Reading,
) -> Result<Option<BTreeSet<u64>>, Fault> {
    let mut seen = reading.seen.clone();
    for number in 0..reading.seen_blobs {
        let found = match ports.blobs.get(&path(tenant, id, reading, number)).await {
            Ok(found) => found,
            // They are kept for a month, however long a listing is put aside.
            Err(Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(blob_fault(&error)),
        };
        let bytes = found.bytes().await.map_err(|error| blob_fault(&error))?;
        seen.extend(bytes.chunks_exact(8).filter_map(|chunk| chunk.try_into().ok()).map(u64::from_be_bytes));
    }
    Ok(Some(seen))
}

/// The end of an entity of which nobody says since when; `at` is when it was looked for.
pub(super) fn tombstone(kind: Kind, id: &str, at: Timestamp) -> EntityNotice {
    let version = Version::from_time(at);
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
