//! A run: step after step of a reading, each page committed with its cursor.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::SignedDuration;

use super::facts::Reader;
use super::outcome::{self, End};
use super::{begin, circle, heard, seen, start};
use crate::Ports;
use crate::asking::account::Account;
use crate::asking::{Failure, Priority, ask};
use crate::commit::origin::Origin;
use crate::commit::{Committed, Fact, Uncommitted};
use crate::course::Course;
use crate::jobs::task::Task;
use crate::publish;
use hooktide_model::fault::Fault;
use hooktide_model::names::{Outcome, ResourceMode, Via};
use hooktide_model::notice::EntityNotice;
use hooktide_providers::{self as providers, Next, Page, Reach, Refusal, Source};
use hooktide_store::ports::Write;
use hooktide_store::records::resource::{Reading, Resource, ResourceId};
use hooktide_store::records::{self, Stored, Upkeep};

/// How many steps one run takes, at the most; the next run goes on.
const MOST_STEPS: usize = 40;
/// How many pages a reading has at the most: a provider that never ends is not followed for ever.
const MOST_PAGES: u32 = 20_000;
/// How many of those that a listing lacks are asked for by their ids before they count as gone.
const MOST_ASKED: usize = 20;
/// The age of a change from which on a webhook should have reported it.
const REPORTED_BY: SignedDuration = SignedDuration::from_secs(60);

/// A run of a sync.
pub(super) struct Run<'a> {
    ports: &'a Ports,
    task: &'a Task<'a>,
    account: &'a Account,
    source: &'static dyn Source,
    id: &'a ResourceId,
    /// The revision of the resource's record, if it has one.
    rev: Option<u64>,
    resource: Resource,
    course: Course,
}

/// How a step of a reading ended.
enum Step {
    /// There is more.
    More,
    /// Everything was read, up to this cursor.
    Done(String),
}

impl<'a> Run<'a> {
    pub(super) fn new(
        ports: &'a Ports,
        task: &'a Task<'a>,
        (account, source): (&'a Account, &'static dyn Source),
        id: &'a ResourceId,
        (stored, mode, course): (Option<Stored<Resource>>, ResourceMode, Course),
    ) -> Self {
        let rev = stored.as_ref().map(|stored| stored.rev);
        let resource = stored.map_or_else(|| Resource::new(id, mode), |stored| Resource { mode, ..stored.record });
        Self { ports, task, account, source, id, rev, resource, course }
    }

    /// Takes up the reading that is under way, or begins one, and goes on until it ends or the run has no more time.
    pub(super) async fn until_it_ends(mut self) -> Result<End, Fault> {
        let Some(mut reading) = self
            .resource
            .reading
            .take()
            .or_else(|| begin::reading(&self.resource, &self.task.held.record, self.task.now))
        else {
            return Ok(outcome::rests(&mut self.resource, self.task.settings, self.task.now));
        };
        for _ in 0..MOST_STEPS {
            if (self.task.is_over)() {
                break;
            }
            match self.step(&mut reading).await {
                Ok(Step::More) => {}
                Ok(Step::Done(cursor)) => return self.finish(reading, cursor).await,
                Err(Stop::Failure(Failure::Refused(Refusal::Expired))) if !reading.everything => {
                    self.resource.cursor = None;
                    reading = begin::anew(&reading, self.task.now);
                }
                // Nothing was asked, so nothing is to be written down.
                Err(Stop::Failure(Failure::Later(at))) => return Ok(End::Again(at)),
                Err(Stop::Failure(failure)) if failure.spoils_one() && !reading.entities.is_empty() => {
                    self.skip(&mut reading, &failure).await?;
                }
                Err(Stop::Failure(failure)) => return self.fail(reading, &failure).await,
                Err(Stop::Fault(fault)) => return Err(fault),
            }
        }
        Ok(End::GoesOn)
    }

    /// Asks, reads, and commits one page with its cursor.
    async fn step(&mut self, reading: &mut Reading) -> Result<Step, Stop> {
        if reading.pages >= MOST_PAGES {
            return Err(Failure::Endless("a list without an end").into());
        }
        let before = reading.calls;
        let read = self.read(reading).await;
        self.resource.count_calls(reading.calls - before, self.task.now);
        let Page { facts, seen, parts, next } = read?;
        if reading.everything {
            seen::note(self.ports, self.task.tenant, self.id, reading, (&facts, &seen, &parts)).await?;
        }
        start::parts(self.ports, self.task, self.source, self.id, &parts).await?;
        let facts = self.reader(reading).facts(facts)?;
        reading.pages += 1;
        let step = match (next, reading.entities.pop_first()) {
            (Next::More(cursor), entity) => {
                reading.entities.extend(entity);
                if circle::closes(reading, &cursor) {
                    return Err(Failure::Endless("the same pages again").into());
                }
                reading.cursor = Some(cursor);
                Step::More
            }
            (Next::Done(_), Some(_)) => {
                (reading.cursor, reading.lap) = (None, None);
                Step::More
            }
            (Next::Done(cursor), None) => Step::Done(cursor),
        };
        // The last page is committed with the listing still under way: a comparison may follow.
        self.resource.reading = Some(reading.clone());
        let committed = self.commit(&facts).await?;
        self.count(reading, &committed);
        publish::announce(self.ports, self.task.tenant, committed).await?;
        Ok(step)
    }

    async fn read(&self, reading: &mut Reading) -> Result<Page, Stop> {
        let account = self.account;
        let cursor = reading.cursor.clone();
        let entity = reading.entities.first().cloned();
        let is_first_of_changes = !reading.everything && entity.is_none();
        let cursor = cursor.as_deref().or(self.resource.cursor.as_deref().filter(|_| is_first_of_changes));
        let reach = match &entity {
            Some(id) => Reach::One(id),
            None if reading.everything => Reach::Everything,
            None => Reach::Changes,
        };
        let task = providers::Task {
            account: account.connection.account.as_deref(),
            settings: &account.connection.settings,
            resource: &self.id.name,
            part: self.id.part.as_deref(),
            reach,
            cursor,
            api: account.way.as_ref().map_or("", |way| way.base.as_str()),
            now: self.task.now,
        };
        let asks = self.source.ask(&task);
        let asks = (asks, Priority::of(reading.via));
        let answers = ask(self.ports, account, asks, &mut reading.calls, self.task.now).await?;
        Ok(self.source.read(&task, &answers).map_err(Failure::from)?)
    }

    /// Goes on without the entity that cannot be read by itself; the activity says so.
    async fn skip(&mut self, reading: &mut Reading, failure: &Failure) -> Result<(), Fault> {
        let entity = reading.entities.pop_first().unwrap_or_default();
        (reading.cursor, reading.lap, reading.pages) = (None, None, reading.pages + 1);
        self.resource.reading = Some(reading.clone());
        let skipped = self.reader(reading).ended(Outcome::Failed, format!("{entity} of {}: {failure}", self.id));
        let committed = self.commit(&[skipped]).await?;
        publish::announce(self.ports, self.task.tenant, committed).await
    }

    /// What the facts of the page that is read now have in common.
    fn reader(&self, reading: &Reading) -> Reader<'a> {
        let Reading { began_at, pages, via, .. } = reading;
        let id = format!("sync-{}-{}-{pages}", self.id, began_at.as_millisecond());
        let origin = Origin {
            topic: Some("sync".to_owned()),
            delivery: Some(self.id.to_string()),
            ..Origin::once(id, self.account.provider.id(), self.task.now)
        };
        Reader { connection: &self.account.connection.id, origin: Arc::new(origin), via: *via }
    }

    /// Commits facts together with the resource's record.
    async fn commit(&mut self, facts: &[Fact]) -> Result<Committed, Fault> {
        let record = self.record()?;
        let facts: Vec<&Fact> = facts.iter().collect();
        let committed = self.task.committer.commit(self.task.tenant, &facts, &[record], self.task.now).await;
        let committed = committed.map_err(|Uncommitted { fault, .. }| fault)?;
        self.rev = Some(self.rev.map_or(1, |rev| rev + 1));
        Ok(committed)
    }

    fn record(&self) -> Result<Write, Fault> {
        records::replace(&self.id.key(self.task.tenant), self.rev, &self.resource, Upkeep::default())
    }

    /// Counts what was found, and what a webhook should have reported.
    fn count(&self, reading: &mut Reading, committed: &Committed) {
        let changes = u32::try_from(committed.changes.len()).unwrap_or(u32::MAX);
        reading.changes = reading.changes.saturating_add(changes);
        let is_news = self.resource.cursor.is_none() || reading.via == Via::Webhook;
        let is_promised = self.resource.heard_at.is_some() || self.resource.mode == ResourceMode::Webhook;
        if is_news || !is_promised {
            return;
        }
        // Where silence is noticed sooner than usual, webhooks are expected sooner.
        let silence = SignedDuration::try_from(self.task.settings.silence / 6).unwrap_or(REPORTED_BY);
        let overdue = self.task.now - REPORTED_BY.min(silence);
        let occurred = committed.changes.iter().filter_map(|change| change.entry.change.as_ref()?.occurred_at);
        let missed = occurred.filter(|occurred| *occurred <= overdue).count();
        reading.missed = reading.missed.saturating_add(u32::try_from(missed).unwrap_or(u32::MAX));
    }

    /// Ends a reading that has everything that it asked for.
    async fn finish(mut self, mut reading: Reading, cursor: String) -> Result<End, Fault> {
        if reading.everything {
            let gone =
                seen::gone(self.ports, self.task.tenant, self.account, (self.id, &self.resource, &reading)).await?;
            self.resource.doubted = gone.doubted;
            let notices = match self.gone_indeed(&mut reading, gone.notices).await {
                Ok(notices) => notices,
                Err(Stop::Failure(Failure::Later(at))) => return Ok(End::Again(at)),
                Err(Stop::Failure(failure)) => return self.fail(reading, &failure).await,
                Err(Stop::Fault(fault)) => return Err(fault),
            };
            let reader = self.reader(&reading);
            let facts = notices.into_iter().map(|notice| reader.gone(notice)).collect::<Result<Vec<_>, _>>()?;
            if !facts.is_empty() {
                let committed = self.commit(&facts).await?;
                self.count(&mut reading, &committed);
                publish::announce(self.ports, self.task.tenant, committed).await?;
            }
            start::unlisted_parts(self.ports, self.task, self.source, self.id, &reading).await?;
            seen::forget(self.ports, self.task.tenant, self.id, &reading).await;
        }
        self.resource.cursor = Some(cursor);
        let mode = heard::note(self.ports, self.task.tenant, self.id, &reading, self.task.now).await?;
        self.resource.mode = self.course.fixed().or(mode).unwrap_or(self.resource.mode);
        let end = outcome::done(&mut self.resource, &reading, self.task.settings, self.task.now);
        self.conclude(&reading, Outcome::Processed, outcome::told(&self.resource, &reading)).await?;
        Ok(end)
    }

    /// Those of what a listing lacks that are gone: lists leave out what is there now and then, so their ids are asked for. If
    /// one of these is there, or nobody can say, nothing else is taken for deleted either. Where calls are limited now, the
    /// reading ends later.
    async fn gone_indeed(
        &mut self,
        reading: &mut Reading,
        missing: Vec<EntityNotice>,
    ) -> Result<Vec<EntityNotice>, Stop> {
        let (all, before) = (missing.len(), reading.calls);
        let (mut gone, mut rest) = (Vec::new(), missing.into_iter());
        let mut agrees = true;
        for notice in rest.by_ref().take(MOST_ASKED) {
            let entities = BTreeSet::from([notice.id.clone()]);
            let mut asked = Reading { cursor: None, entities, ..reading.clone() };
            let read = if (self.task.is_over)() { None } else { Some(self.read(&mut asked).await) };
            reading.calls = asked.calls;
            let is_gone = match read {
                Some(Ok(page)) => !seen::is_there(&page, &notice.id),
                Some(Err(Stop::Failure(failure))) if failure.is_for_now() => return Err(failure.into()),
                Some(Err(Stop::Fault(fault))) => return Err(fault.into()),
                // Where something is gone, its source says so; a question that is not taken says nothing.
                Some(Err(Stop::Failure(_))) | None => false,
            };
            agrees &= is_gone;
            gone.extend(is_gone.then_some(notice));
        }
        gone.extend(rest.filter(|_| agrees));
        self.resource.count_calls(reading.calls - before, self.task.now);
        reading.unlisted = u32::try_from(all - gone.len()).unwrap_or(u32::MAX);
        Ok(gone)
    }

    /// Tells that everything that is known of a part is gone, since the part is; what remains is the removal of its record.
    pub(super) async fn remove(mut self) -> Result<Write, Fault> {
        let (tenant, now) = (self.task.tenant, self.task.now);
        if let Some(under_way) = self.resource.reading.take() {
            seen::forget(self.ports, tenant, self.id, &under_way).await;
        }
        let mut reading = begin::fresh(true, Via::Full, 0, now);
        // The provider said so, so no second listing has to agree.
        self.resource.doubted = true;
        let gone = seen::gone(self.ports, tenant, self.account, (self.id, &self.resource, &reading)).await?;
        let reader = self.reader(&reading);
        let facts = gone.notices.into_iter().map(|notice| reader.gone(notice)).collect::<Result<Vec<_>, _>>()?;
        let committed = self.commit(&facts).await?;
        self.count(&mut reading, &committed);
        publish::announce(self.ports, tenant, committed).await?;
        let text = format!("{} is gone at the provider: {}", self.id, outcome::changes(&reading));
        self.conclude(&reading, Outcome::Processed, text).await?;
        Ok(Write::Delete { key: self.id.key(tenant), condition: self.rev.map(records::unchanged) })
    }

    /// Ends a reading that could not go on. It is taken up again, or begun anew.
    async fn fail(mut self, reading: Reading, failure: &Failure) -> Result<End, Fault> {
        let (text, end) = outcome::failed(&mut self.resource, &reading, failure, self.task.now);
        // A question that is not taken would not be taken again: what was read so far cannot be gone on with.
        let goes_on = reading.pages > 0 && !failure.is_about_the_question();
        self.resource.reading = goes_on.then(|| Reading { calls: 0, ..reading.clone() });
        if !goes_on {
            seen::forget(self.ports, self.task.tenant, self.id, &reading).await;
        }
        if end == End::Parked {
            self.commit(&[]).await?;
        } else {
            self.conclude(&reading, Outcome::Failed, text).await?;
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

/// Why a step did not end.
enum Stop {
    /// The provider, or what the connection says of it.
    Failure(Failure),
    /// Our own side.
    Fault(Fault),
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Fault(fault) => Self::Fault(fault),
            failure => Self::Failure(failure),
        }
    }
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}
