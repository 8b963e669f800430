//! Raising a mark, whatever is there.

use std::time::Duration;

use jiff::Timestamp;

use crate::Ports;
use hooktide_model::fault::Fault;
use hooktide_store::ports::WriteFault;
use hooktide_store::records;
use hooktide_store::records::job::{self, Mark, Raise};

/// How often a mark is raised when others do so at the same time.
const ATTEMPTS: usize = 5;

/// Raises a mark, due once no hint came for as long as `debounce`. Returns the mark where its job has to be announced.
pub(crate) async fn raise(
    ports: &Ports,
    raise: &Raise<'_>,
    debounce: Duration,
    now: Timestamp,
) -> Result<Option<Mark>, Fault> {
    let key = job::key(raise.tenant, &raise.job, raise.resource);
    for _ in 0..ATTEMPTS {
        let stored = records::get::<Mark>(&*ports.table, &key).await?;
        let mark = job::raised(stored.as_ref(), raise, debounce, now);
        match ports.table.write(job::store(stored.as_ref().map(|stored| stored.rev), &mark)?).await {
            Ok(_) => return Ok(Some(mark).filter(|mark| mark.is_news(stored.as_ref().map(|stored| &stored.record)))),
            Err(WriteFault::Fault(fault)) => return Err(fault),
            Err(WriteFault::Condition(_) | WriteFault::Conflict) => {}
        }
    }
    Err(Fault::retryable("others raise the same mark all the time"))
}
