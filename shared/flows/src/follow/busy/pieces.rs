//! Pieces: times that go into merged blocks. What the planner wrote down of them is settled here, before the merged blocks are
//! written: where a piece came, moved or goes, the times around it are covered anew.

use std::collections::{BTreeMap, BTreeSet};

use super::diff::{Place, Step};
use super::merge::{self, Span};
use super::write::Pen;
use super::writer::{Tally, one};
use crate::asking::Failure;
use hooktide_model::fault::Fault;
use hooktide_model::names::BlockState;
use hooktide_store::ports::{Key, Write, WriteFault};
use hooktide_store::records::block::{self, Block, CalendarId, Piece, Times};
use hooktide_store::records::slot::{self, Slot};
use hooktide_store::records::{self, Stored};

/// How many records one transaction changes.
const MOST_WRITES: usize = 90;
/// How many slots are looked at around one time.
const MOST_NEAR: usize = 20_000;
/// How many records are read at once.
const READ: usize = 100;
/// The reason where more than that lie there.
const TOO_MANY: &str =
    "more blocks than can be merged lie around one time; choose fewer calendars, or switch `block_merge` off";

/// The most times that are remembered of runs that were cut off.
const MOST_TRIED: usize = 20;

/// The pieces around a time, and the merged blocks there.
struct Region {
    /// The time, as far as one thing touches another.
    span: Span,
    pieces: Vec<Span>,
    merged: Vec<Stored<Block>>,
}

/// What became of the blocks that cover a region.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Covered {
    /// All are as they should be, or left alone.
    Whole,
    /// Some could not be written.
    Part,
    /// There was no time for all.
    Late,
}

/// Settles pieces: what they change of the merged blocks around them is written at the provider, and then they count as merged.
/// Returns whether there was time for all of them; there is always time for one write.
pub(super) async fn settle(
    pen: &Pen<'_>,
    mut pieces: Vec<Stored<Block>>,
    tally: &mut Tally,
    is_over: &(dyn Fn() -> bool + Sync),
) -> Result<bool, Failure> {
    pieces.retain(|piece| piece.record.state != BlockState::There);
    // Nothing is made in an account that is being left, and the merged blocks there are going.
    if pen.account.connection.deleted_at.is_some() {
        finish(pen, pieces, tally).await?;
        return Ok(true);
    }
    let mut by_calendar: BTreeMap<CalendarId, Vec<Stored<Block>>> = BTreeMap::new();
    for piece in tried(pen, pieces).await? {
        by_calendar.entry(piece.record.lies_in.clone()).or_default().push(piece);
    }
    let mut is_whole = true;
    for (lies_in, pieces) in by_calendar {
        let (mut covered, mut failed): (Vec<(Span, Covered)>, _) = (Vec::new(), None);
        for around in merge::merged(pieces.iter().flat_map(|piece| disturbed(&piece.record))) {
            // One that was found to be wider has others inside.
            if covered.iter().any(|(span, _)| span.has(&around)) {
                continue;
            }
            if tally.is_closed(&lies_in.calendar) {
                covered.push((around, Covered::Part));
                continue;
            }
            match cover(pen, (&lies_in, around), &pieces, tally, is_over).await {
                Ok(of) => covered.push(of),
                Err(failure) => failed = Some(failure),
            }
            is_whole &= covered.iter().all(|(_, of)| *of != Covered::Late);
            if failed.is_some() || !is_whole {
                break;
            }
        }
        let is_settled = |piece: &Stored<Block>| {
            let whole = |around: &Span| covered.iter().any(|(span, of)| *of == Covered::Whole && span.has(around));
            disturbed(&piece.record).iter().all(whole)
        };
        finish(pen, pieces.into_iter().filter(is_settled).collect(), tally).await?;
        match failed {
            Some(failure) => return Err(failure),
            None if !is_whole => break,
            None => {}
        }
    }
    Ok(is_whole)
}

/// The times around which merged blocks may change because of a piece.
fn disturbed(block: &Block) -> Vec<Span> {
    let piece = block.piece.iter().flat_map(|piece| piece.merged.iter().chain(&piece.tried));
    piece.filter_map(Span::of).collect()
}

/// Notes the times that merged blocks are to have because of these pieces, before any of them has. Those that somebody else changes
/// right now are left for the next run, which follows.
async fn tried(pen: &Pen<'_>, pieces: Vec<Stored<Block>>) -> Result<Vec<Stored<Block>>, Fault> {
    let (mut noted, mut next, mut writes) = (Vec::with_capacity(pieces.len()), Vec::new(), Vec::new());
    for Stored { rev, record } in pieces {
        let mut piece = record.piece.clone().unwrap_or_default();
        let times = record.times();
        if record.state == BlockState::Removing || piece.tried.contains(&times) {
            noted.push(Stored { rev, record });
            continue;
        }
        piece.tried.push(times);
        if piece.tried.len() > MOST_TRIED {
            piece.tried = merge::hulls(piece.tried.iter().filter_map(Span::of)).iter().map(Span::times).collect();
        }
        let written_at = pen.now.as_millisecond();
        let record = Block { state: BlockState::Writing, written_at, piece: Some(piece), ..record };
        writes.push(records::replace(&record.record_key(pen.tenant), Some(rev), &record, record.upkeep())?);
        next.push(Stored { rev: rev + 1, record });
    }
    for (stored, written) in next.into_iter().zip(pen.ports.table.write_many(writes).await) {
        match written {
            Ok(()) => noted.push(stored),
            Err(WriteFault::Condition(_) | WriteFault::Conflict) => {}
            Err(WriteFault::Fault(fault)) => return Err(fault),
        }
    }
    Ok(noted)
}

/// Covers the times around one anew, and lets the merged blocks be written; how far that came, and around which time.
async fn cover(
    pen: &Pen<'_>,
    (lies_in, around): (&CalendarId, Span),
    pieces: &[Stored<Block>],
    tally: &mut Tally,
    is_over: &(dyn Fn() -> bool + Sync),
) -> Result<(Span, Covered), Failure> {
    let Some(region) = region(pen, lies_in, around, pieces).await? else {
        tally.close(lies_in.calendar.clone(), TOO_MANY);
        return Ok((around, Covered::Part));
    };
    let place = Place {
        lies_in,
        from: lies_in,
        event: "",
        user: pen.account.connection.user().unwrap_or_default(),
        title: &pen.manner.title,
        merges: false,
        past: jiff::Timestamp::MIN,
    };
    let spans = merge::merged(region.pieces);
    let steps = merge::steps(&spans, &region.merged, place, pen.now);
    let is_settled = |block: &Block| match block.state {
        BlockState::There => true,
        // What a person changed meanwhile covers nothing but what it covered then.
        BlockState::Left => block.failures > 0 || Span::of(&block.times()).is_some_and(|span| spans.contains(&span)),
        BlockState::Wanted | BlockState::Writing | BlockState::Removing => false,
    };
    let mut sorts: BTreeSet<String> = steps.iter().filter_map(Step::block).map(sort_of).collect();
    sorts.extend(region.merged.iter().map(|stored| &stored.record).filter(|block| !is_settled(block)).map(sort_of));
    let groups: Result<Vec<Vec<Write>>, Fault> =
        steps.iter().map(|step| written(pen, step, former(step, &region.merged))).collect();
    store(pen, groups?).await?;
    let mut is_whole = true;
    for sort in &sorts {
        let Some(stored) = read(pen, sort).await? else { continue };
        one(pen, stored, tally).await?;
        is_whole &= read(pen, sort).await?.is_none_or(|stored| is_settled(&stored.record));
        if is_over() {
            return Ok((region.span, Covered::Late));
        }
    }
    // Where a calendar refuses to be written, its pause is longer.
    tally.again |= !is_whole && !tally.has_refused(&lies_in.calendar);
    Ok((region.span, if is_whole { Covered::Whole } else { Covered::Part }))
}

fn sort_of(block: &Block) -> String {
    Block::sort(&block.lies_in, &block.stem)
}

async fn read(pen: &Pen<'_>, sort: &str) -> Result<Option<Stored<Block>>, Fault> {
    records::get::<Block>(&*pen.ports.table, &block::partition(pen.tenant).key(sort)).await
}

/// Finds what lies around a time, as far as one thing touches another; `None` if it is too much.
async fn region(
    pen: &Pen<'_>,
    lies_in: &CalendarId,
    mut around: Span,
    settling: &[Stored<Block>],
) -> Result<Option<Region>, Fault> {
    let coming: Vec<Span> = settling
        .iter()
        .filter(|piece| piece.record.state != BlockState::Removing)
        .filter_map(|piece| Span::of(&piece.record.times()))
        .collect();
    let settling: BTreeSet<String> = settling.iter().map(|piece| sort_of(&piece.record)).collect();
    loop {
        let Some(near) = near(pen, lies_in, around).await? else { return Ok(None) };
        let (merged, pieces): (Vec<_>, Vec<_>) = near.into_iter().partition(|stored| stored.record.is_merged());
        let counts = |stored: &Stored<Block>| {
            let merged = stored.record.piece.as_ref().and_then(|piece| piece.merged.as_ref());
            let stays = stored.record.state != BlockState::Removing && !settling.contains(&sort_of(&stored.record));
            merged.filter(|_| stays).and_then(Span::of)
        };
        let pieces = pieces.iter().filter_map(counts).chain(coming.iter().copied());
        let pieces: Vec<Span> = pieces.filter(|span| span.touches(&around)).collect();
        let of = |stored: &Stored<Block>| Span::of(&stored.record.times()).filter(|span| span.touches(&around));
        let merged: Vec<Stored<Block>> = merged.into_iter().filter(|stored| of(stored).is_some()).collect();
        let stays = merged.iter().filter(|stored| stored.record.state != BlockState::Removing);
        let wider = stays.filter_map(of).chain(pieces.iter().copied()).fold(around, |all, one| all.with(&one));
        if wider == around {
            return Ok(Some(Region { span: around, pieces, merged }));
        }
        around = wider;
    }
}

/// The blocks that have slots near a time; `None` if they are too many.
async fn near(pen: &Pen<'_>, lies_in: &CalendarId, around: Span) -> Result<Option<Vec<Stored<Block>>>, Fault> {
    let table = &*pen.ports.table;
    let mut sorts = BTreeSet::new();
    for range in slot::near(lies_in, around.stretch()) {
        let slots = records::list_range::<Slot>(table, slot::partition(pen.tenant), range, MOST_NEAR).await?;
        if slots.len() >= MOST_NEAR {
            return Ok(None);
        }
        sorts.extend(slots.into_iter().map(|(_, stored)| stored.record.block));
    }
    let keys: Vec<Key> = sorts.into_iter().map(|sort| block::partition(pen.tenant).key(sort)).collect();
    let mut found = Vec::with_capacity(keys.len());
    for some in keys.chunks(READ) {
        let items = table.get_many(some).await?.into_iter().flatten();
        found.extend(items.map(records::decode).collect::<Result<Vec<_>, Fault>>()?);
    }
    Ok(Some(found))
}

/// The times that a merged block had before a step.
fn former(step: &Step, merged: &[Stored<Block>]) -> Option<Times> {
    let block = match step {
        Step::Make(_) => return None,
        Step::Change(stored) | Step::Remove(stored) | Step::Forget(stored) => &stored.record,
    };
    merged.iter().find(|stored| stored.record.stem == block.stem).map(|stored| stored.record.times())
}

/// What is written for a step of a merged block. One that is to be removed is found by its slots until it is gone.
fn written(pen: &Pen<'_>, step: &Step, former: Option<Times>) -> Result<Vec<Write>, Fault> {
    let mut writes = vec![step.write(pen.tenant)?];
    writes.extend(match step {
        Step::Make(block) => slots(pen, block, None, Some(&block.times()))?,
        Step::Change(Stored { record, .. }) => slots(pen, record, former.as_ref(), Some(&record.times()))?,
        Step::Remove(_) => Vec::new(),
        Step::Forget(Stored { record, .. }) => slots(pen, record, former.as_ref(), None)?,
    });
    Ok(writes)
}

/// What moves the slots of a block from one time to another.
pub(super) fn slots(
    pen: &Pen<'_>,
    block: &Block,
    from: Option<&Times>,
    to: Option<&Times>,
) -> Result<Vec<Write>, Fault> {
    let sort = sort_of(block);
    let keys = |times: Option<&Times>| -> BTreeMap<String, Key> {
        let span = times.and_then(Span::of);
        let keys = span.map(|span| slot::keys(pen.tenant, &block.lies_in, span.stretch(), &sort));
        keys.into_iter().flatten().map(|key| (key.sort().to_owned(), key)).collect()
    };
    let (mut old, new) = (keys(from), keys(to));
    let mut writes = Vec::with_capacity(old.len() + new.len());
    for (name, key) in new {
        old.remove(&name);
        writes.push(records::put(&key, &Slot { block: sort.clone() }, block.upkeep())?);
    }
    writes.extend(old.into_values().map(|key| Write::Delete { key, condition: None }));
    Ok(writes)
}

/// Stores pieces as merged, and removes those that go.
async fn finish(pen: &Pen<'_>, pieces: Vec<Stored<Block>>, tally: &mut Tally) -> Result<(), Failure> {
    let (mut groups, mut gone) = (Vec::new(), Vec::new());
    for Stored { rev, record } in pieces {
        let merged = record.piece.as_ref().and_then(|piece| piece.merged.clone());
        if record.state == BlockState::Removing || pen.account.connection.deleted_at.is_some() {
            let key = record.record_key(pen.tenant);
            let mut writes = vec![Write::Delete { key, condition: Some(records::unchanged(rev)) }];
            writes.extend(slots(pen, &record, merged.as_ref(), None)?);
            groups.push(writes);
            gone.push(record.stem);
            continue;
        }
        let times = record.times();
        let piece = Some(Piece { merged: Some(times.clone()), tried: Vec::new() });
        let next = Block { state: BlockState::There, piece, ..record };
        let mut writes = vec![records::replace(&next.record_key(pen.tenant), Some(rev), &next, next.upkeep())?];
        writes.extend(slots(pen, &next, merged.as_ref(), Some(&times))?);
        groups.push(writes);
    }
    // They may be wanted again, even if not all of them go.
    tally.gone.extend(gone);
    store(pen, groups).await
}

/// Stores groups of writes, each as a whole, several at once.
async fn store(pen: &Pen<'_>, groups: Vec<Vec<Write>>) -> Result<(), Failure> {
    let mut some: Vec<Write> = Vec::new();
    for group in groups {
        if some.len() + group.len() > MOST_WRITES {
            pen.transact(std::mem::take(&mut some)).await?;
        }
        some.extend(group);
    }
    if some.is_empty() { Ok(()) } else { pen.transact(some).await }
}
