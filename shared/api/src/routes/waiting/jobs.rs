//! Jobs that wait, by their marks.

use hooktide_store::key::{Area, Partition};
use hooktide_store::ports::{Query, Range};
use hooktide_store::records;
use hooktide_store::records::job::Mark;
use jiff::Timestamp;

use super::{PAGE, Page, WaitingView};
use crate::answer::Answer;

/// How many job marks one request looks at, at the most.
const SCANNED: usize = 2_000;

impl Page<'_> {
    /// Adds jobs after one; the last one that was looked at, if there may be more.
    pub(super) async fn jobs(&mut self, last: String) -> Answer<Option<String>> {
        let mut last = Some(last).filter(|last| !last.is_empty());
        let mut scanned = 0;
        loop {
            let range = last.as_ref().map_or(Range::All, |last| records::after("", last));
            let limit = (self.limit - self.items.len()).min(PAGE);
            let query = Query { partition: Partition::of(self.tenant, Area::Jobs), range, descending: false, limit };
            let (marks, more) = records::list::<Mark>(self.api.table(), &query).await?;
            scanned += marks.len();
            last = marks.last().map(|(sort, _)| sort.clone()).or(last);
            let of = |mark: &Mark| self.only.as_deref().is_none_or(|only| mark.connection() == Some(only));
            let marks = marks.into_iter().map(|(_, stored)| stored.record).filter(of).map(job);
            self.items.extend(marks.collect::<Vec<_>>());
            if !more {
                return Ok(None);
            }
            if self.items.len() >= self.limit || scanned >= SCANNED {
                return Ok(last);
            }
        }
    }
}

fn job(mark: Mark) -> WaitingView {
    WaitingView {
        kind: mark.job.to_string(),
        connection: mark.connection().map(str::to_owned),
        resource: Some(mark.resource),
        endpoint: None,
        account: None,
        tenant: None,
        hints: mark.hints,
        since: Timestamp::from_millisecond(mark.first_hint_at).unwrap_or_default(),
        due: Timestamp::from_millisecond(mark.due_at).ok(),
        running: mark.running,
    }
}
