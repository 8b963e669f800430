//! Blocks, as people see them.

use serde::Serialize;
use utoipa::ToSchema;

use crate::connect::{Context, Refusal};
use hooktide_model::names::BlockState;
use hooktide_store::key::Partition;
use hooktide_store::ports::{Query, Range};
use hooktide_store::records::block::{self, Block, CalendarId};
use hooktide_store::records::{self, Stored};

/// How many blocks are read at once.
const PAGE: usize = 200;
/// How many blocks one page looks through at the most.
const SCANNED: usize = 10_000;
/// What is shown as the source of merged blocks.
const MERGED: &str = "merged";

/// A block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct BlockView {
    /// Its id.
    pub id: String,
    /// The connection that it lies in.
    pub connection: String,
    /// The calendar that it lies in, by the provider's id.
    pub calendar: String,
    /// The event that it stems from: `<connection>/<calendar>/<id>`; `merged` where it covers the times of several.
    pub source: String,
    /// The start: RFC 3339 in UTC, or a plain date where it lasts whole days.
    pub start: String,
    /// The end, which is not part of it.
    pub end: String,
    /// How far it is.
    #[schema(value_type = String)]
    pub state: BlockState,
    /// The provider's id, once there is one.
    pub provider_id: Option<String>,
    /// The reason for the state, where it is not obvious.
    pub reason: Option<String>,
}

impl BlockView {
    /// A block as people see it.
    pub(super) fn of(block: Block) -> Self {
        let CalendarId { connection, calendar } = &block.stem.from;
        Self {
            id: Block::sort(&block.lies_in, &block.stem),
            source: match block.is_merged() {
                true => MERGED.to_owned(),
                false => format!("{connection}/{calendar}/{}", block.stem.event),
            },
            connection: block.lies_in.connection,
            calendar: block.lies_in.calendar,
            start: block.start,
            end: block.end,
            state: block.state,
            provider_id: block.provider_id,
            reason: block.reason,
        }
    }
}

/// Which blocks are shown: all, unless something is said.
#[derive(Debug, Clone, Copy, Default)]
pub struct Which<'a> {
    /// Only those of this person.
    pub user: Option<&'a str>,
    /// Only those that lie in this connection's calendars, or stem from its events.
    pub connection: Option<&'a str>,
}

impl Which<'_> {
    fn has(&self, block: &Block) -> bool {
        // A time that is merged is seen by its merged block, unless somebody asks for what stems from its connection.
        let is_asked = self.connection.is_some_and(|connection| connection != block.lies_in.connection);
        if block.piece.is_some() && block.state == BlockState::There && !is_asked {
            return false;
        }
        let ends = [&block.lies_in.connection, &block.stem.from.connection];
        self.user.is_none_or(|user| block.user == user)
            && self.connection.is_none_or(|connection| ends.into_iter().any(|end| end == connection))
    }
}

/// A page of blocks: at most `limit`, those after the one with the id `after`; and where it goes on, if there may be more.
pub async fn blocks(
    context: Context<'_>,
    which: Which<'_>,
    after: Option<String>,
    limit: usize,
) -> Result<(Vec<BlockView>, Option<String>), Refusal> {
    let partition: Partition = block::partition(context.tenant);
    let (mut shown, mut last, mut scanned) = (Vec::new(), after, 0);
    loop {
        let range = last.as_ref().map_or(Range::All, |last| records::after("", last));
        let query = Query { partition: partition.clone(), range, descending: false, limit: PAGE };
        let (found, more) = records::list::<Block>(&*context.ports.table, &query).await?;
        scanned += found.len();
        let is_empty = found.is_empty();
        for (sort, Stored { record, .. }) in found {
            if which.has(&record) {
                if shown.len() >= limit {
                    return Ok((shown, last));
                }
                shown.push(BlockView::of(record));
            }
            last = Some(sort);
        }
        if !more || is_empty {
            return Ok((shown, None));
        }
        if scanned >= SCANNED {
            return Ok((shown, last));
        }
    }
}
