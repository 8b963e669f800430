//! A run: step after step of a reading, each page committed with its cursor.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::SignedDuration;

use super::due::Schedule;
use super::facts::Reader;
use super::outcome::{self, End};
use super::turn::{self, Turn};
use super::{begin, ended, seen, start};
use crate::Ports;
use crate::asking::account::Account;
use crate::asking::{Failure, Priority, ask_until};
use crate::commit::origin::Origin;
use crate::commit::{Committed, Fact, Uncommitted};
use crate::course::Course;
use crate::jobs::announce::announce;
use crate::jobs::task::Task;
use crate::publish;
use hooktide_model::fault::Fault;
use hooktide_model::names::{Outcome, ResourceMode, Via};
use hooktide_providers::{self as providers, Page, Reach, Refusal, Source};
use hooktide_store::ports::Write;
use hooktide_store::records::resource::{Reading, Resource, ResourceId};
use hooktide_store::records::{self, Stored, Upkeep};

/// How many steps one run takes, at the most; the next run goes on.
const MOST_STEPS: usize = 40;
/// How many pages a reading has at the most: a provider that never ends is not followed for ever.
const MOST_PAGES: u32 = 20_000;
/// The age of a change from which on a webhook should have reported it.
const REPORTED_BY: SignedDuration = SignedDuration::from_secs(60);

/// A run of a sync.
pub(super) struct Run<'a> {
    pub(super) ports: &'a Ports,
    pub(super) task: &'a Task<'a>,
    pub(super) account: &'a Account,
    pub(super) source: &'static dyn Source,
    pub(super) id: &'a ResourceId,
    /// The revision of the resource's record, if it has one.
    pub(super) rev: Option<u64>,
    pub(super) resource: Resource,
    pub(super) course: Course,
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
        let (mark, now) = (&self.task.held.record, self.task.now);
        let under_way = self.resource.reading.clone();
        let is_dated = self.source.is_dated(&self.id.name);
        let Some(mut reading) = under_way.or_else(|| begin::reading(&self.resource, mark, is_dated, now)) else {
            let schedule = self.schedule();
            return Ok(outcome::rests(&mut self.resource, schedule, now));
        };
        let (mut tried, mut trouble) = (BTreeSet::new(), None);
        for number in 0..MOST_STEPS {
            if (self.task.is_over)() {
                break;
            }
            let Some(turn) = Turn::of(&reading, &tried) else {
                return match trouble.filter(|_| !reading.put_off.is_empty()) {
                    Some(failure) => self.fail(reading, &failure).await,
                    None => self.finish(reading).await,
                };
            };
            let failure = match self.step(&mut reading, &turn).await {
                Ok(()) => continue,
                Err(Stop::Failure(failure)) => failure,
                Err(Stop::Fault(fault)) => return Err(fault),
            };
            match failure {
                // Whenever the reading goes on, what expired is not asked for again.
                Failure::Refused(Refusal::Expired) if !reading.everything => {
                    self.resource.cursor = None;
                    reading = begin::anew(&reading, now);
                    self.keep(&reading).await?;
                }
                Failure::Later(at) => return self.rest(&reading, End::Again(at)).await,
                // The next run has all of its time for it.
                Failure::Silent(_) if number > 0 && (self.task.is_over)() => break,
                failure => {
                    let Turn::One(entity) = turn else { return self.fail(reading, &failure).await };
                    if !self.goes_past(&mut reading, &entity, &failure).await? {
                        return self.fail(reading, &failure).await;
                    }
                    tried.insert(entity);
                    trouble = Some(failure);
                }
            }
        }
        self.rest(&reading, End::GoesOn).await
    }

    /// When its resource is due.
    pub(super) fn schedule(&self) -> Schedule {
        let settings = self.task.settings;
        match self.source.parts_of(&self.id.name) {
            Some(_) => Schedule::of_list(settings),
            None => Schedule::of(settings, self.account.provider.profile().polled_every),
        }
    }

    /// Asks, reads, and commits one page with its cursor.
    async fn step(&mut self, reading: &mut Reading, turn: &Turn) -> Result<(), Stop> {
        if reading.pages >= MOST_PAGES {
            return Err(Failure::Endless("a list without an end").into());
        }
        let reach = turn.reach(reading);
        let cursor = self.cursor_of(reading, reach);
        let Page { facts, seen, parts, ended, next } = self.ask_for(reading, reach, cursor.as_deref()).await?;
        if reading.everything {
            seen::note(self.ports, self.task.tenant, self.id, reading, (&facts, &seen, &parts)).await?;
        }
        start::parts(self.ports, self.task, self.source, self.id, &parts).await?;
        let subject = (self.account, self.source);
        let went = ended::with(self.ports, self.task, subject, self.id, (&ended, &facts)).await?;
        let reader = self.reader(reading);
        let mut facts = reader.facts(facts)?;
        for notice in went {
            facts.push(reader.gone(notice)?);
        }
        turn.goes_on(reading, next)?;
        // The last page is committed with the reading still under way: a comparison may follow.
        self.resource.reading = Some(reading.clone());
        let committed = self.commit(&facts).await?;
        self.count(reading, &committed);
        Ok(publish::announce(self.ports, self.task.tenant, committed).await?)
    }

    /// Asks for a page and reads it; counts the calls.
    pub(super) async fn ask_for(
        &mut self,
        reading: &mut Reading,
        reach: Reach<'_>,
        cursor: Option<&str>,
    ) -> Result<Page, Stop> {
        let (account, now, task) = (self.account, self.task.now, self.asks(reach, cursor));
        let asks = (self.source.ask(&task), Priority::of(reading.via));
        let before = reading.calls;
        let answers = ask_until(self.ports, account, asks, (&mut reading.calls, self.task.is_over), now).await;
        self.resource.count_calls(reading.calls - before, now);
        Ok(self.source.read(&task, &answers?).map_err(Failure::from)?)
    }

    /// Where a reading goes on: where it is, or from what was read before.
    fn cursor_of(&self, reading: &Reading, reach: Reach<'_>) -> Option<String> {
        let since = self.resource.cursor.clone().filter(|_| reach == Reach::Changes);
        reading.cursor.clone().or(since)
    }

    /// What is asked of the source.
    fn asks<'b>(&self, reach: Reach<'b>, cursor: Option<&'b str>) -> providers::Task<'b>
    where
        'a: 'b,
    {
        let (account, id) = (self.account, self.id);
        providers::Task {
            account: account.connection.account.as_deref(),
            settings: &account.connection.settings,
            resource: &id.name,
            part: id.part.as_deref(),
            reach,
            cursor,
            api: account.way.as_ref().map_or("", |way| way.base.as_str()),
            now: self.task.now,
        }
    }

    /// The cursor from which the same is asked for in smaller pages, where a provider gave no answer in time.
    pub(super) fn shorter(&self, reading: &Reading, failure: &Failure) -> Option<String> {
        let turn = Turn::of(reading, &BTreeSet::new()).filter(|_| failure.asked_too_much())?;
        let reach = turn.reach(reading);
        self.source.shorter(&self.asks(reach, self.cursor_of(reading, reach).as_deref()))
    }

    /// Goes on although an entity cannot be read now, if that may be its own trouble: without it, or with the others first.
    async fn goes_past(&mut self, reading: &mut Reading, entity: &str, failure: &Failure) -> Result<bool, Fault> {
        let may_blame = turn::may_blame(failure);
        if failure.spoils_one() || may_blame && turn::fails(reading, entity) {
            self.skip(reading, entity, failure).await?;
            return Ok(true);
        }
        if may_blame {
            self.keep(reading).await?;
        }
        Ok(may_blame)
    }

    /// Goes on without the entity that cannot be read by itself; the activity says so.
    async fn skip(&mut self, reading: &mut Reading, entity: &str, failure: &Failure) -> Result<(), Fault> {
        let skipped = self.reader(reading).ended(Outcome::Failed, format!("{entity} of {}: {failure}", self.id));
        turn::leave(reading, entity);
        reading.pages += 1;
        self.resource.reading = Some(reading.clone());
        let committed = self.commit(&[skipped]).await?;
        publish::announce(self.ports, self.task.tenant, committed).await
    }

    /// Lets the reading rest: nothing is written down but what was found out since it was, if it was.
    pub(super) async fn rest(mut self, reading: &Reading, end: End) -> Result<End, Fault> {
        if self.resource.reading.as_ref().is_some_and(|stored| stored != reading) {
            self.keep(reading).await?;
        }
        Ok(end)
    }

    /// Writes down where the reading is.
    async fn keep(&mut self, reading: &Reading) -> Result<(), Fault> {
        self.resource.reading = Some(reading.clone());
        self.commit(&[]).await.map(drop)
    }

    /// What the facts of the page that is read now have in common.
    pub(super) fn reader(&self, reading: &Reading) -> Reader<'a> {
        let Reading { began_at, pages, via, .. } = reading;
        let id = format!("sync-{}-{}-{pages}", self.id, began_at.as_millisecond());
        let origin = Origin {
            topic: Some("sync".to_owned()),
            delivery: Some(self.id.to_string()),
            ..Origin::once(id, self.account.provider.id(), self.task.now)
        };
        Reader { connection: &self.account.connection.id, origin: Arc::new(origin), via: *via }
    }

    /// Commits facts together with the resource's record, and wakes those who follow what changed.
    pub(super) async fn commit(&mut self, facts: &[Fact]) -> Result<Committed, Fault> {
        let record = self.record()?;
        let facts: Vec<&Fact> = facts.iter().collect();
        let committed = self.task.committer.commit(self.task.tenant, &facts, &[record], self.task.now).await;
        let committed = committed.map_err(|Uncommitted { fault, .. }| fault)?;
        self.rev = Some(self.rev.map_or(1, |rev| rev + 1));
        // Those of followers, which this code has.
        for mark in &committed.raised {
            announce(self.ports, mark, self.task.now).await;
        }
        Ok(committed)
    }

    fn record(&self) -> Result<Write, Fault> {
        records::replace(&self.id.key(self.task.tenant), self.rev, &self.resource, Upkeep::default())
    }

    /// Counts what was found, and what a webhook should have reported.
    pub(super) fn count(&self, reading: &mut Reading, committed: &Committed) {
        let changes = u32::try_from(committed.changes.len()).unwrap_or(u32::MAX);
        reading.changes = reading.changes.saturating_add(changes);
        // Webhooks come, if one reported since the last reading what this one finds.
        let last = self.resource.last_sync.as_ref().map(|last| last.at.as_millisecond());
        reading.reported |= last.zip(committed.reported_at).is_some_and(|(last, reported_at)| reported_at > last);
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
}

/// Why a step did not end.
pub(super) enum Stop {
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
