//! Verifying the blocks in a connection's calendars: one that a listing of everything would have named, and did not, was deleted
//! before it ever came home.

use std::collections::BTreeMap;
use std::time::Duration;

use super::events::{self, Known};
use super::look::Look;
use crate::sync::start;
use hooktide_model::fault::Fault;
use hooktide_model::names::BlockState;
use hooktide_model::part;
use hooktide_store::ports::Query;
use hooktide_store::records;
use hooktide_store::records::block::{self, Block, CalendarId};

/// How many blocks are read at once.
const PAGE: usize = 100;
/// How long before a listing a block was written that the listing must have named.
const SETTLED: Duration = Duration::from_secs(3600);

impl Look<'_> {
    /// Looks at the blocks of the connection's calendars that nothing is known of, from a place on; returns how far it came, unless that
    /// was all. A run looks at one page at the least.
    pub(super) async fn verify(&mut self, begun: Option<String>) -> Result<Option<String>, Fault> {
        let mut calendars = BTreeMap::new();
        for stored in start::known(self.ports, self.tenant, self.connection).await? {
            let (Some(calendar), Some(full_at)) = (stored.record.part, stored.record.full_at) else { continue };
            let lies_in = CalendarId { connection: self.connection.to_owned(), calendar };
            calendars.insert(block::prefix_of_calendar(&lies_in), (lies_in, full_at));
        }
        for (prefix, (lies_in, full_at)) in calendars {
            let Some(mut range) = block::beyond(&prefix, begun.as_deref()) else { continue };
            loop {
                let query = Query { partition: block::partition(self.tenant), range, descending: false, limit: PAGE };
                let (found, more) = records::list::<Block>(&*self.ports.table, &query).await?;
                let last = found.last().map(|(sort, _)| sort.clone());
                let before = (full_at - SETTLED).as_millisecond();
                let is_open = |block: &Block| !matches!(block.state, BlockState::There | BlockState::Left);
                for (_, stored) in
                    found.iter().filter(|(_, stored)| stored.record.is_merged() && is_open(&stored.record))
                {
                    self.note(&stored.record);
                }
                let settled = found.into_iter().map(|(_, stored)| stored.record);
                let settled = settled.filter(|block| block.state == BlockState::There && block.written_at < before);
                for id in settled.filter_map(|block| block.provider_id) {
                    let entity = part::entity_id(&lies_in.calendar, &id);
                    if events::one(self.ports, self.tenant, self.connection, &entity).await?.is_none() {
                        let as_of = full_at.as_millisecond();
                        self.as_ours(&Known { calendar: lies_in.clone(), id, event: None, as_of }).await?;
                    }
                }
                let Some(last) = last else { break };
                if (self.is_over)() {
                    return Ok(Some(last));
                }
                if !more {
                    break;
                }
                range = records::after(&prefix, &last);
            }
        }
        Ok(None)
    }
}
