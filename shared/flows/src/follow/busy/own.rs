//! Blocks of ours that come home as events of the calendar that they lie in: whether a person did something about them.

use super::events::Known;
use super::person::Manner;
use crate::Ports;
use hooktide_model::fault::Fault;
use hooktide_model::names::BlockState;
use hooktide_model::tenant::Tenant;
use hooktide_store::ports::WriteFault;
use hooktide_store::records::block::{self, Block, BlockName, Times};
use hooktide_store::records::{self, Stored};

/// What is said of a block that a person deleted.
pub(super) const DELETED: &str =
    "somebody deleted the block, so it is left alone; `block_restore` makes such blocks anew";
/// What is said of a block that a person changed.
pub(super) const CHANGED: &str =
    "somebody changed the block, so it is left alone; `block_restore` puts such blocks back";

/// The block that an event of this calendar is; `None` if nobody here made it, or it is forgotten.
pub(super) async fn of(ports: &Ports, tenant: &Tenant, known: &Known) -> Result<Option<Stored<Block>>, Fault> {
    let name = block::name_key(tenant, &known.calendar, &known.id);
    let Some(name) = records::get::<BlockName>(&*ports.table, &name).await? else { return Ok(None) };
    records::get::<Block>(&*ports.table, &block::partition(tenant).key(name.record.block)).await
}

/// The block after it came home like this; `None` if nothing is to be done about it.
pub(super) fn judged(block: &Block, known: &Known, manner: &Manner) -> Option<Block> {
    // What is being written or removed is not judged, nor by what was asked for before the last write was answered.
    if block.state != BlockState::There || known.as_of <= block.written_at {
        return None;
    }
    // An event that it was before it was made anew says nothing of the one that it is.
    if block.provider_id.as_deref() != Some(known.id.as_str()) {
        return None;
    }
    let wanted = Block { state: BlockState::Wanted, failures: 0, reason: None, ..block.clone() };
    match &known.event {
        None if manner.restores => {
            let generation = block.generation + 1;
            Some(Block { generation, ..wanted.unwritten() })
        }
        None => {
            let reason = Some(DELETED.to_owned());
            Some(Block { state: BlockState::Left, failures: 0, reason, ..block.clone().unwritten() })
        }
        Some(event) if is_as_written(block, event) => None,
        Some(_) if manner.restores => Some(Block { etag: None, ..wanted }),
        Some(_) => Some(Block { state: BlockState::Left, reason: Some(CHANGED.to_owned()), ..block.clone() }),
    }
}

fn is_as_written(block: &Block, event: &hooktide_model::calendar::CalendarEvent) -> bool {
    let (Some(start), Some(end)) = (&event.start, &event.end) else { return false };
    let told = Times { start: start.clone(), end: end.clone() };
    // A page that was asked for before our last write may be read after it.
    event.busy && [&block.written, &block.former].into_iter().flatten().any(|written| *written == told)
}

/// Stores what became of a block, unless somebody else changed it; whether it is to be written again.
pub(super) async fn store(ports: &Ports, tenant: &Tenant, rev: u64, next: &Block) -> Result<bool, Fault> {
    let write = records::replace(&next.record_key(tenant), Some(rev), next, next.upkeep())?;
    match ports.table.write(write).await {
        Ok(_) => Ok(next.state == BlockState::Wanted),
        Err(fault @ (WriteFault::Condition(_) | WriteFault::Conflict | WriteFault::Fault(_))) => {
            Err(records::raced(fault))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::follow::busy::diff::tests::{block, calendar};
    use hooktide_model::settings::connection::ConnectionSettings;

    #[test]
    fn a_block_is_not_judged_by_an_event_that_it_was_before_it_was_made_anew() {
        let block = block("", "08", BlockState::There, Some("new")).record;
        let manner = Manner::of(&ConnectionSettings::default());
        for (id, expected) in [("old", None), ("new", Some(BlockState::Left))] {
            let known = Known { calendar: calendar("c2"), id: id.to_owned(), event: None, as_of: 2 };
            assert_eq!(judged(&block, &known, &manner).map(|next| next.state), expected, "{id}");
        }
    }
}
