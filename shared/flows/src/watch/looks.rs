//! One look at the subscriptions of a connection: what is wanted is compared with what there is, and the steps that are due are
//! taken. What is wanted comes first, so that what takes the place of another is there before that ends.

use std::collections::VecDeque;

use jiff::Timestamp;

use super::context::Context;
use super::desired::{self, Wanted};
use super::listing::{self, Listing};
use super::registered::CHECKED;
use super::watched::{Found, Watched};
use crate::asking::{self, Failure, Priority};
use hooktide_model::fault::Fault;
use hooktide_model::signing::{self, SUBSCRIPTION_KEY};
use hooktide_providers::{Refusal, Subscribed, SubscriptionStep, SubscriptionTask};
use hooktide_store::records::Stored;
use hooktide_store::records::subscription::Subscription;

/// How many steps of a connection's subscriptions are taken in one look; the next look goes on.
const MOST_STEPS: usize = 100;
/// How many pages of a provider's list are read.
const MOST_PAGES: usize = 10;

/// A look at the subscriptions of a connection.
pub(super) struct Look<'a> {
    pub(super) context: &'a Context<'a>,
    pub(super) watched: Watched,
    wanted: Vec<Wanted>,
    /// All subscriptions, as they are now.
    pub(super) known: Vec<Subscription>,
    /// What the provider has. Empty where it was not asked, and where its list cannot be used; a failure where it did not
    /// answer, so that nobody knows.
    pub(super) listing: Result<Listing, Failure>,
    /// Why our own address cannot be reached, once that was looked at.
    pub(super) reachable: Option<Option<String>>,
    /// What is not looked at yet, and what only the end of the look decides about.
    rows: VecDeque<Stored<Subscription>>,
    later: Vec<Stored<Subscription>>,
    steps: usize,
}

/// Looks at the subscriptions of one connection; returns when to look again, or `None` if there is nothing to watch.
pub(super) async fn connection(context: &Context<'_>, id: &str) -> Result<Option<Timestamp>, Fault> {
    let rows = context.rows(id).await?;
    let watched = match Watched::find(context, id).await? {
        Found::Watched(watched) => *watched,
        Found::Unasked => {
            let (strays, rest): (Vec<_>, Vec<_>) = rows.into_iter().partition(|stored| stored.record.is_stray());
            context.remove_all(&strays).await?;
            return Ok((!rest.is_empty()).then_some(context.now + CHECKED));
        }
        Found::Gone => return context.remove_all(&rows).await.map(|()| None),
    };
    let wanted = watched.wanted(context).await?;
    let known: Vec<Subscription> = rows.iter().map(|stored| stored.record.clone()).collect();
    let (rows, later) = (rows.into(), Vec::new());
    let listing = Ok(Listing::default());
    let mut look = Look { context, watched, wanted, known, listing, reachable: None, rows, later, steps: 0 };
    look.add_missing().await?;
    look.list_if_due().await?;
    look.take_steps().await
}

impl Look<'_> {
    async fn add_missing(&mut self) -> Result<(), Fault> {
        let connection = &self.watched.account.connection.id;
        let Context { ports, now, .. } = *self.context;
        let missing = desired::missing(&self.wanted, &self.known, &self.watched.url).into_iter();
        let fresh = missing.map(|one| one.fresh(connection, &self.watched.url, &ports.entropy, now));
        for one in fresh.collect::<Vec<_>>() {
            self.add(one).await?;
        }
        Ok(())
    }

    /// Adds a row, which this look goes on to.
    async fn add(&mut self, one: Subscription) -> Result<(), Fault> {
        let stored = self.context.insert(one).await?;
        self.known.push(stored.record.clone());
        self.rows.push_back(stored);
        Ok(())
    }

    /// Asks the provider what it has, where it says so and a step is due: an answer that was lost may have left something.
    async fn list_if_due(&mut self) -> Result<(), Fault> {
        let is_due = |one: &Subscription| self.is_surplus(one) || one.next_at <= self.context.now;
        let due = self.rows.iter().map(|stored| &stored.record).find(|one| is_due(one));
        if let Some(one) = due.filter(|_| self.watched.facet.plan().lists).cloned() {
            self.list(&one).await?;
        }
        Ok(())
    }

    /// Asks the provider what it has, of whatever topic.
    pub(super) async fn list(&mut self, one: &Subscription) -> Result<(), Fault> {
        self.listing = match self.pages(one).await {
            Err(Failure::Fault(fault)) => return Err(fault),
            // Without a list, subscriptions are looked after one by one.
            Err(failure) if failure.spoils_one() => Ok(Listing::default()),
            answered => answered,
        };
        Ok(())
    }

    async fn pages(&self, one: &Subscription) -> Result<Listing, Failure> {
        let (mut all, mut after) = (Vec::new(), None::<String>);
        for _ in 0..MOST_PAGES {
            if (self.context.is_over)() {
                return Err(Failure::Later(self.context.now));
            }
            let listed = self.take(one, &SubscriptionStep::List { after: after.as_deref() }).await?;
            let Subscribed::Listed(page, next) = listed else {
                return Err(Refusal::Unreadable("an answer to another question").into());
            };
            all.extend(page);
            after = next;
            if after.is_none() {
                break;
            }
        }
        Ok(Listing(all))
    }

    async fn take_steps(&mut self) -> Result<Option<Timestamp>, Fault> {
        let now = self.context.now;
        let mut next = None;
        while let Some(stored) = self.rows.pop_front() {
            let one = &stored.record;
            if self.is_surplus(one) || one.next_at > now && !self.was_made(one) {
                self.later.push(stored);
            } else if self.may_go_on() {
                next = earlier(next, self.keep(stored).await?);
            } else {
                return Ok(Some(now));
            }
        }
        // Some of these were replaced meanwhile.
        let mut rows = std::mem::take(&mut self.later);
        rows.extend(self.strays().await?);
        for stored in rows {
            if !self.is_surplus(&stored.record) {
                next = earlier(next, Some(stored.record.next_at));
            } else if self.may_go_on() {
                next = earlier(next, self.end(stored).await?);
            } else {
                return Ok(Some(now));
            }
        }
        // Once everything of a connection that is deleted has ended, nothing is left to look at.
        let is_deleted = self.watched.account.connection.deleted_at.is_some();
        Ok(next.or((!is_deleted).then_some(now + CHECKED)))
    }

    /// Writes a row for each stray, so that none is forgotten while it is ended.
    async fn strays(&mut self) -> Result<Vec<Stored<Subscription>>, Fault> {
        let Context { ports, now, .. } = *self.context;
        let Ok(listing) = &self.listing else { return Ok(Vec::new()) };
        // A row that is about to go is nothing that may still turn up.
        let known: Vec<Subscription> =
            self.known.iter().filter(|one| one.provider_id.is_some() || !self.is_surplus(one)).cloned().collect();
        let connection = &self.watched.account.connection.id;
        let strays = listing.strays(&known, &self.watched.url).into_iter();
        let strays = strays.map(|listed| listing::stray(connection, listed, &ports.entropy, now));
        let strays: Vec<Subscription> = strays.collect();
        let mut rows = Vec::with_capacity(strays.len());
        for stray in strays {
            if (self.context.is_over)() {
                break;
            }
            self.known.push(stray.clone());
            rows.push(self.context.insert(stray).await?);
        }
        Ok(rows)
    }

    /// Whether one more step may be taken.
    fn may_go_on(&mut self) -> bool {
        self.steps += 1;
        self.steps <= MOST_STEPS && !(self.context.is_over)()
    }

    fn is_surplus(&self, one: &Subscription) -> bool {
        desired::is_surplus(one, &self.wanted, &self.known, &self.watched.url, self.context.now)
    }

    /// Whether the provider has one that was to be made, although nobody heard so.
    fn was_made(&self, one: &Subscription) -> bool {
        let listing = self.listing.as_ref().ok();
        one.provider_id.is_none() && listing.is_some_and(|listing| listing.made(one, &self.known).is_some())
    }

    /// Stores what became of a subscription.
    pub(super) async fn put(&mut self, stored: &Stored<Subscription>, next: &Subscription) -> Result<(), Fault> {
        self.context.replace(stored, next).await?;
        self.now_is(next);
        Ok(())
    }

    fn now_is(&mut self, next: &Subscription) {
        self.known.iter_mut().filter(|one| one.id == next.id).for_each(|one| one.clone_from(next));
    }

    /// Makes another subscription, which takes the place of one and is registered next.
    pub(super) async fn replace(&mut self, stored: Stored<Subscription>) -> Result<(), Fault> {
        let one = &stored.record;
        let Context { ports, now, .. } = *self.context;
        let successor = desired::successor(one, &self.watched.url, &ports.entropy, now);
        let next_at = one.expires_at.unwrap_or(now + CHECKED);
        let next = Subscription { replaced_by: Some(successor.id.clone()), next_at, ..one.clone() };
        self.context.replace_and_insert(&stored, &next, &successor).await?;
        self.now_is(&next);
        self.known.push(successor.clone());
        self.rows.push_back(Stored { rev: 1, record: successor });
        self.later.push(Stored { rev: stored.rev + 1, record: next });
        Ok(())
    }

    /// Removes the row of a subscription that has ended.
    pub(super) async fn remove(&mut self, stored: &Stored<Subscription>) -> Result<(), Fault> {
        self.context.remove(stored).await?;
        self.known.retain(|one| one.id != stored.record.id);
        Ok(())
    }

    /// Asks the provider for one step.
    pub(super) async fn take(&self, one: &Subscription, step: &SubscriptionStep<'_>) -> Result<Subscribed, Failure> {
        let Watched { account, facet, secrets, .. } = &self.watched;
        let Context { ports, now, .. } = *self.context;
        let connection = &account.connection;
        let token = secrets.live(SUBSCRIPTION_KEY, now).next();
        let token = token.map(|key| signing::subscription_token(key, &one.id));
        let task = SubscriptionTask {
            account: connection.account.as_deref(),
            settings: &connection.settings,
            topic: &one.topic,
            part: one.part.as_deref(),
            url: &one.url,
            secrets,
            reference: &one.id,
            token: token.as_deref(),
            api: account.way.as_ref().map_or("", |way| way.base.as_str()),
            now,
        };
        let mut calls = 0;
        let asks = (vec![facet.ask(&task, step)], Priority::Webhook);
        let answers = asking::ask(ports, account, asks, &mut calls, now).await?;
        let answer = answers.first().ok_or(Failure::Silent("there was no answer".to_owned()))?;
        Ok(facet.read(&task, step, answer)?)
    }
}

fn earlier(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    one.into_iter().chain(other).min()
}
