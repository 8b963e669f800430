//! The end of a reading: what a listing lacks is gone, how it went is told, and its notes go last.

use super::outcome::{self, End};
use super::run::{Run, Stop};
use super::{begin, heard, missing, seen, start};
use crate::asking::Failure;
use crate::publish;
use hooktide_model::fault::Fault;
use hooktide_model::names::{Outcome, Via};
use hooktide_model::notice::EntityNotice;
use hooktide_providers::Reach;
use hooktide_store::ports::Write;
use hooktide_store::records;
use hooktide_store::records::resource::Reading;

/// The outcome of a comparison.
struct Compared {
    /// Whether a second listing has to agree before anything is deleted.
    doubted: bool,
}

impl Run<'_> {
    /// Ends a reading that has everything that it asked for.
    pub(super) async fn finish(mut self, mut reading: Reading) -> Result<End, Fault> {
        if reading.everything {
            match self.compare(&mut reading).await {
                Ok(Some(Compared { doubted })) => {
                    let since = self.resource.doubted_at.unwrap_or(self.task.now);
                    self.resource.doubted_at = doubted.then_some(since);
                }
                Ok(None) => return self.rest(&reading, End::GoesOn).await,
                Err(Stop::Failure(Failure::Later(at))) => return self.rest(&reading, End::Again(at)).await,
                Err(Stop::Failure(failure)) => return self.fail(reading, &failure).await,
                Err(Stop::Fault(fault)) => return Err(fault),
            }
        }
        // A listing that is doubted may not even say when it was made: what changed is read from where it was read before.
        if !(reading.everything && self.resource.doubted_at.is_some() && self.resource.cursor.is_some()) {
            self.resource.cursor.clone_from(&reading.done);
        }
        let mode = heard::note(self.ports, self.task.tenant, self.id, &reading, self.task.now).await?;
        self.resource.mode = self.course.fixed().or(mode).unwrap_or(self.resource.mode);
        let schedule = self.schedule();
        let end = outcome::done(&mut self.resource, &reading, schedule, self.task.now);
        self.conclude(&reading, Outcome::Processed, outcome::told(&self.resource, &reading)).await?;
        // Not before: an end that is cut off is taken up again, by what is noted.
        seen::forget(self.ports, self.task.tenant, self.id, &reading).await;
        Ok(end)
    }

    /// Deletes what the listing lacks. `None` if the run has no more time for all that is to be asked.
    async fn compare(&mut self, reading: &mut Reading) -> Result<Option<Compared>, Stop> {
        let known = (self.id, &self.resource, &*reading);
        let Some(gone) = seen::gone(self.ports, self.task.tenant, self.account, known).await? else {
            return Err(Stop::Failure(Failure::Fault(Fault::retryable(seen::LOST))));
        };
        let leaves_out = !self.source.lists_at_once(&self.id.name);
        if leaves_out && !self.ask_again(reading, &gone.notices).await? {
            return Ok(None);
        }
        let all = gone.notices.len();
        let notices = missing::gone(gone.notices, &reading.asked);
        reading.unlisted = u32::try_from(all - notices.len()).unwrap_or(u32::MAX);
        if !notices.is_empty() {
            self.resource.reading = Some(reading.clone());
            self.delete(reading, notices).await?;
        }
        start::unlisted_parts(self.ports, self.task, self.source, self.id, reading).await?;
        Ok(Some(Compared { doubted: gone.doubted }))
    }

    /// Asks by their ids for some of those that a listing lacks; whether the run had time for all of them. What was asked is
    /// noted, so that the next run asks for the others, however few calls each may make.
    async fn ask_again(&mut self, reading: &mut Reading, all: &[EntityNotice]) -> Result<bool, Stop> {
        while let Some(notice) = missing::next(all, &reading.asked) {
            if (self.task.is_over)() {
                return Ok(false);
            }
            let is_gone = match self.ask_for(reading, Reach::One(&notice.id), None).await {
                Ok(page) => !seen::is_there(&page, &notice.id),
                Err(Stop::Failure(failure)) if !failure.is_for_now() => false,
                // Where something is gone, its source says so; a question that is not taken says nothing.
                Err(stop) => return Err(stop),
            };
            reading.asked.insert(notice.id.clone(), is_gone);
        }
        Ok(true)
    }

    /// Tells that entities are gone.
    async fn delete(&mut self, reading: &mut Reading, notices: Vec<EntityNotice>) -> Result<(), Fault> {
        let reader = self.reader(reading);
        let facts = notices.into_iter().map(|notice| reader.gone(notice)).collect::<Result<Vec<_>, _>>()?;
        let committed = self.commit(&facts).await?;
        self.count(reading, &committed);
        publish::announce(self.ports, self.task.tenant, committed).await
    }

    /// Tells that everything that is known of a part is gone, since the part is; what remains is the removal of its record.
    pub(super) async fn remove(mut self) -> Result<Write, Fault> {
        let tenant = self.task.tenant;
        let under_way = self.resource.reading.take();
        let mut reading = begin::fresh(true, Via::Full, 0, self.task.now);
        // The provider said so, so no second listing has to agree.
        self.resource.doubted_at = Some(self.task.now);
        let gone = seen::gone(self.ports, tenant, self.account, (self.id, &self.resource, &reading)).await?;
        self.delete(&mut reading, gone.unwrap_or_default().notices).await?;
        let text = format!("{} is gone at the provider: {}", self.id, outcome::changes(&reading));
        self.conclude(&reading, Outcome::Processed, text).await?;
        if let Some(under_way) = under_way {
            seen::forget(self.ports, tenant, self.id, &under_way).await;
        }
        Ok(Write::Delete { key: self.id.key(tenant), condition: self.rev.map(records::unchanged) })
    }

    /// Ends a reading that could not go on. It is taken up again, or begun anew.
    pub(super) async fn fail(mut self, mut reading: Reading, failure: &Failure) -> Result<End, Fault> {
        let shorter = self.shorter(&reading, failure);
        let goes_on_shorter = shorter.is_some();
        reading.cursor = shorter.or(reading.cursor);
        let (text, end) = outcome::failed(&mut self.resource, &reading, failure, self.task.now);
        // What changed is read again before anything that was put off: only a provider that answers has an entity to blame.
        if !reading.everything && reading.done.is_some() {
            self.resource.cursor = reading.done.take();
        }
        let goes_on = end != End::Parked && (goes_on_shorter || can_go_on(&reading, failure));
        self.resource.reading = goes_on.then(|| Reading { calls: 0, ..reading.clone() });
        if end == End::Parked {
            self.commit(&[]).await?;
        } else {
            self.conclude(&reading, Outcome::Failed, text).await?;
        }
        if !goes_on {
            seen::forget(self.ports, self.task.tenant, self.id, &reading).await;
        }
        Ok(end)
    }

    /// Writes down how the sync ended, in the activity as well.
    async fn conclude(&mut self, reading: &Reading, outcome: Outcome, text: String) -> Result<(), Fault> {
        let ended = self.reader(reading).ended(outcome, text);
        let committed = self.commit(&[ended]).await?;
        publish::announce(self.ports, self.task.tenant, committed).await
    }
}

/// Whether a reading can be taken up where it is after a failure. A question that is not taken would not be taken again, and
/// what our own side lost of it is not there any more.
fn can_go_on(reading: &Reading, failure: &Failure) -> bool {
    reading.pages > 0 && !failure.is_about_the_question() && !matches!(failure, Failure::Fault(_))
}
