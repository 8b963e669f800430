//! Answers: kept as long as nothing that they were made from has changed.
//!
//! An answer depends on tags, whose versions the commit of a change raises with the change itself. Versions are read before the
//! data, so an answer is at least as new as the versions it is kept with. It is given only while its tags have these very
//! versions: an answer whose making began before a change is never given after it, and a reader who has it already is told so
//! without making it anew.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use lru::LruCache;
use serde::Serialize;
use utoipa::ToSchema;

use super::Reader;
use super::kept::{Kept, KeptAnswers};
use super::rules::Rule;
use super::shared;
use crate::connect::Refusal;
use crate::flight::Flights;
use crate::rounds::Rounds;
use hooktide_model::fault::Fault;
use hooktide_model::signing;
use hooktide_model::tenant::Tenant;
use hooktide_store::ports::Key;
use hooktide_store::records::{self, tag};

/// The form of answers: a program that makes others gives them other tags.
const FORM: &str = concat!(env!("CARGO_PKG_VERSION"), " 1");

/// How many figures are counted, of tenants and endpoints: those that were not counted for the longest time give way.
const COUNTED: NonZeroUsize = NonZeroUsize::new(10_000).unwrap();

/// Something that an answer is made from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Dependency {
    /// What a tag covers.
    Tag(String),
    /// A single record.
    Record(Key),
}

/// The versions of what an answer is made from, as a hash.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Versions([u8; 16]);

/// What is asked for.
pub struct Asked<'a> {
    /// The rule of its endpoint.
    pub rule: &'static Rule,
    /// Whoever asks.
    pub reader: Reader<'a>,
    /// The question, the same text whenever the same is asked.
    pub question: &'a str,
    /// What its answer is made from.
    pub dependencies: &'a [Dependency],
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answered {
    /// The reader has it: the one with this entity tag.
    Unchanged(String),
    /// The body.
    Body {
        /// The JSON.
        body: Bytes,
        /// Its strong entity tag.
        etag: String,
        /// Whether it was made for this request.
        is_made: bool,
    },
}

/// What became of the requests of an endpoint.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, ToSchema)]
pub struct Figures {
    /// Answers that were kept, or were being made for somebody else.
    pub hits: u64,
    /// Answers that another process had made.
    pub shared: u64,
    /// Answers that the reader had.
    pub unchanged: u64,
    /// Answers that were made.
    pub misses: u64,
    /// How many of these took the place of one that had become stale.
    pub invalidated: u64,
    /// How long it took to make them, in milliseconds altogether.
    pub fill_milliseconds: u64,
}

/// The counters of dependencies, in their order.
type Counters = Result<Arc<[u64]>, Fault>;

/// The answers of a process.
pub struct Answers {
    kept: KeptAnswers,
    flights: Flights<(String, Versions), Result<Kept, Refusal>>,
    /// Reads of the counters of tags, by tenant and dependencies.
    reads: Rounds<(Tenant, Vec<Dependency>), Counters>,
    figures: Mutex<LruCache<(Tenant, &'static str), Figures>>,
    /// Whether other processes answer as well, so that answers are shared by the table.
    shares: bool,
}

impl Default for Answers {
    fn default() -> Self {
        Self::new(false)
    }
}

impl Answers {
    /// No answers yet. `shares` is whether other processes answer as well: then those that cost much are shared by the table.
    pub fn new(shares: bool) -> Self {
        Self {
            kept: KeptAnswers::default(),
            flights: Flights::default(),
            reads: Rounds::default(),
            figures: Mutex::new(LruCache::new(COUNTED)),
            shares,
        }
    }

    /// Answers a question: with what is kept if it is still right, or with what `fill` makes. `known` tells whether the reader has
    /// the answer of an entity tag, by what all tags of answers that are right now begin with; it returns the whole tag.
    pub async fn answer(
        &self,
        asked: &Asked<'_>,
        known: impl Fn(&str) -> Option<String>,
        fill: impl Future<Output = Result<Vec<u8>, Refusal>>,
    ) -> Result<Answered, Refusal> {
        let now = asked.reader.context.now;
        let question = asked.whole_question();
        let (tenant, dependencies) = (asked.reader.context.tenant.clone(), asked.dependencies.to_vec());
        let counters = self.reads.join((tenant, dependencies), counters(asked)).await?;
        let versions = Versions::of(&question, &counters);
        if let Some(etag) = known(&versions.prefix()) {
            self.count(asked, |figures| figures.unchanged += 1);
            return Ok(Answered::Unchanged(etag));
        }
        let former = self.kept.get(&question);
        if let Some(kept) = former.clone().filter(|kept| kept.counts(versions, asked.lifetime(), now)) {
            self.count(asked, |figures| figures.hits += 1);
            return Ok(kept.answered(false));
        }
        let (mut is_made, mut is_own) = (false, false);
        let made = async {
            is_own = true;
            let shares = self.shares && asked.rule.is_shared;
            let found = if shares { shared::find(asked, &question, versions).await } else { None };
            if let Some(kept) = found {
                self.kept.put(&question, kept.clone());
                self.count(asked, |figures| figures.shared += 1);
                return Ok(kept);
            }
            is_made = true;
            let kept = Kept::new(versions, fill.await?, now);
            self.kept.put(&question, kept.clone());
            self.count(asked, |figures| {
                figures.misses += 1;
                figures.invalidated += u64::from(former.is_some_and(|former| former.versions != versions));
            });
            if shares {
                shared::share(asked, &question, &kept).await;
            }
            Ok(kept)
        };
        // Whoever waits for it is given what comes of it, also a refusal: to try again one after the other would help nobody.
        let kept = self.flights.once((question.clone(), versions), made, |_| true).await?;
        if !is_own {
            self.count(asked, |figures| figures.hits += 1);
        }
        Ok(kept.answered(is_made))
    }

    /// Notes how long it took to make an answer.
    pub fn took(&self, asked: &Asked<'_>, time: Duration) {
        self.count(asked, |figures| figures.fill_milliseconds += u64::try_from(time.as_millis()).unwrap_or(0));
    }

    /// What became of a tenant's requests, by endpoint.
    pub fn figures(&self, tenant: &Tenant) -> BTreeMap<&'static str, Figures> {
        let figures = self.figures.lock().unwrap_or_else(PoisonError::into_inner);
        let own = figures.iter().filter(|((of, _), _)| of == tenant);
        own.map(|((_, endpoint), figures)| (*endpoint, *figures)).collect()
    }

    fn count(&self, asked: &Asked<'_>, count: impl FnOnce(&mut Figures)) {
        let mut figures = self.figures.lock().unwrap_or_else(PoisonError::into_inner);
        let of = (asked.reader.context.tenant.clone(), asked.rule.endpoint);
        count(figures.get_or_insert_mut(of, Figures::default));
    }
}

impl Asked<'_> {
    pub(super) fn lifetime(&self) -> Duration {
        (self.rule.lifetime)(&self.reader.context.settings.lifetimes)
    }

    /// The question with all that its answer depends on besides data: whoever asks, and what for.
    fn whole_question(&self) -> String {
        let Reader { context, companies } = self.reader;
        // Each part with its length: none reaches into another.
        let parts = [context.tenant.as_str(), self.rule.endpoint, self.question];
        let parts = parts.into_iter().chain(companies.iter().map(String::as_str));
        parts.map(|part| format!("{}:{part}", part.len())).collect()
    }
}

/// Reads the versions of what an answer is made from, in one batch.
async fn counters(asked: &Asked<'_>) -> Counters {
    let (context, lanes) = (asked.reader.context, asked.reader.context.settings.lanes);
    let mut keys = Vec::new();
    for dependency in asked.dependencies {
        match dependency {
            Dependency::Tag(name) => keys.extend(tag::keys(context.tenant, name, lanes)),
            Dependency::Record(key) => keys.push(key.clone()),
        }
    }
    let mut items = context.table().get_many(&keys).await?.into_iter();
    let counter = |dependency: &Dependency| match dependency {
        Dependency::Tag(_) => tag::sum(items.by_ref().take(lanes.into())),
        Dependency::Record(_) => items.next().flatten().as_ref().map_or(0, records::rev_of),
    };
    Ok(asked.dependencies.iter().map(counter).collect())
}

impl Versions {
    /// Those that were stored; none if these are none.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    pub(super) fn bytes(self) -> [u8; 16] {
        self.0
    }

    fn of(question: &str, counters: &[u64]) -> Self {
        let counters: Vec<u8> = counters.iter().flat_map(|counter| counter.to_be_bytes()).collect();
        let hash = signing::sha256(&[FORM.as_bytes(), question.as_bytes(), b"\n", &counters]);
        let mut versions = Self::default();
        versions.0.copy_from_slice(&hash[..16]);
        versions
    }

    /// The beginning of the entity tags of all answers that were made from these versions.
    fn prefix(self) -> String {
        format!("{}-", data_encoding::HEXLOWER.encode(&self.0))
    }
}

impl Kept {
    fn new(versions: Versions, body: Vec<u8>, now: Timestamp) -> Self {
        // Two answers that were made from the same versions while one of them changed may differ, and so do their tags.
        let etag = format!("{}{}", versions.prefix(), &signing::sha256_hex(&body)[..16]);
        Self { versions, body: body.into(), etag, made_at: now }
    }

    pub(super) fn counts(&self, versions: Versions, lifetime: Duration, now: Timestamp) -> bool {
        self.versions == versions && (self.made_at..self.made_at + lifetime).contains(&now)
    }

    fn answered(self, is_made: bool) -> Answered {
        Answered::Body { body: self.body, etag: self.etag, is_made }
    }
}
