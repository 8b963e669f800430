//! The steps of a connection's subscriptions.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::desired::{self, Wanted};
use super::health::{Action, Observation, observe};
use super::registered::registered_as;
use super::{part, reach};
use crate::asking::account::{self, Account};
use crate::asking::{self, Failure, Priority};
use crate::commit::Committer;
use crate::connect::secrets::MOST_LIVE;
use crate::connect::webhook_url;
use crate::sync::start;
use crate::told::{self, Note};
use crate::{Ports, Settings, course};
use hooktide_model::fault::Fault;
use hooktide_model::names::{MarkReason, Outcome};
use hooktide_model::secret::Secrets;
use hooktide_model::signing::{self, SUBSCRIPTION_KEY};
use hooktide_model::tenant::Tenant;
use hooktide_providers::{Subscribed, SubscriptionStep, SubscriptionTask, Subscriptions};
use hooktide_store::ports::Write;
use hooktide_store::records::connection::{self, Connection};
use hooktide_store::records::endpoint::{self, Endpoint, SealedSecret, sealed_for};
use hooktide_store::records::resource::{self, Resource, ResourceId};
use hooktide_store::records::subscription::{self, MISSED, Subscription};
use hooktide_store::records::{self, Stored, Upkeep};

/// How many subscriptions a connection has at the most.
const MOST: usize = 2_000;
/// How many steps of a connection's subscriptions are taken in one look; the next look goes on.
const MOST_STEPS: usize = 100;
/// How often the existence of a subscription that does not end is checked.
pub(super) const CHECKED: SignedDuration = SignedDuration::from_hours(24);
/// How long until our own address is looked at again, where it was not reachable.
const UNREACHABLE: Duration = Duration::from_secs(3600);

/// What the renewer works with.
pub(super) struct Context<'a> {
    pub(super) ports: &'a Ports,
    pub(super) settings: &'a Settings,
    pub(super) committer: &'a Committer,
    pub(super) tenant: &'a Tenant,
    /// Whether the run takes no further step.
    pub(super) is_over: &'a (dyn Fn() -> bool + Sync),
    pub(super) now: Timestamp,
}

/// The connection whose subscriptions are looked at.
struct Watched {
    account: Account,
    facet: &'static dyn Subscriptions,
    url: String,
    secrets: Secrets,
}

impl Context<'_> {
    /// Looks at the subscriptions of one connection; returns when to look again, or `None` if there is nothing to watch.
    pub(super) async fn connection(&self, id: &str) -> Result<Option<Timestamp>, Fault> {
        let table = &*self.ports.table;
        let mut actual: Vec<Stored<Subscription>> =
            records::list_all(table, subscription::partition(self.tenant), &subscription::prefix(id), MOST)
                .await?
                .into_iter()
                .map(|(_, stored)| stored)
                .collect();
        let Some(watched) = self.watched(id).await? else {
            // Without its credentials nobody can end what the provider still has; that ends by itself, or is refused.
            for stored in &actual {
                self.remove(stored).await?;
            }
            return Ok(None);
        };
        let wanted = self.wanted(&watched).await?;
        let known: Vec<Subscription> = actual.iter().map(|stored| stored.record.clone()).collect();
        for one in desired::missing(&wanted, &known) {
            actual.push(self.insert(&watched, one).await?);
        }
        let known: Vec<Subscription> = actual.iter().map(|stored| stored.record.clone()).collect();
        let mut next: Option<Timestamp> = None;
        let mut reachable = None;
        let mut steps = 0;
        for stored in actual {
            let surplus = desired::is_surplus(&stored.record, &wanted, &known, &watched.url);
            if !surplus && stored.record.next_at > self.now {
                next = Some(next.map_or(stored.record.next_at, |next| next.min(stored.record.next_at)));
                continue;
            }
            if steps == MOST_STEPS || (self.is_over)() {
                return Ok(Some(self.now));
            }
            steps += 1;
            let due = match surplus {
                true => self.end(&watched, stored).await?,
                false => Some(self.keep(&watched, stored, &mut reachable).await?),
            };
            next = next.into_iter().chain(due).min();
        }
        // Once everything of a connection that is deleted has ended, nothing is left to look at.
        let is_deleted = watched.account.connection.deleted_at.is_some();
        Ok(next.or((!is_deleted).then_some(self.now + CHECKED)))
    }

    /// The connection, if its provider takes subscriptions by API. One that is deleted is there as long as it has credentials
    /// to end them with.
    async fn watched(&self, id: &str) -> Result<Option<Watched>, Fault> {
        let connection = records::get::<Connection>(&*self.ports.table, &connection::key(self.tenant, id)).await?;
        let Some(Stored { record: connection, .. }) = connection else { return Ok(None) };
        let account = account::whole(self.ports, self.settings, self.tenant, connection, self.now).await?;
        let Some(account) = account else { return Ok(None) };
        let facet = account.provider.subscriptions();
        let Some(facet) = facet.filter(|facet| !facet.plan().app_wide || account.connection.owns_endpoint()) else {
            return Ok(None);
        };
        let connection = &account.connection;
        if connection.credentials.is_empty() {
            return Ok(None);
        }
        let key = endpoint::key(&connection.provider, &connection.endpoint);
        let endpoint = records::get::<Endpoint>(&*self.ports.table, &key).await?;
        let Some(endpoint) = endpoint.map(|stored| stored.record) else { return Ok(None) };
        let url = endpoint.address(webhook_url(self.settings, &connection.provider, &connection.endpoint));
        let secrets = endpoint.open_secrets(&*self.ports.keys, account.provider.profile().derives_tokens).await?;
        Ok(Some(Watched { facet, url, secrets, account }))
    }

    /// What the connection should subscribe to: nothing, where it is to be polled, or deleted.
    async fn wanted(&self, watched: &Watched) -> Result<Vec<Wanted>, Fault> {
        let connection = &watched.account.connection;
        let is_deleted = connection.deleted_at.is_some();
        if is_deleted || course::of(self.ports, self.tenant, connection).await?.fixed().is_some() {
            return Ok(Vec::new());
        }
        let (partition, prefix) = (resource::partition(self.tenant), resource::prefix(&connection.id));
        let resources =
            records::list_all::<Resource>(&*self.ports.table, partition, &prefix, start::MOST_PARTS).await?;
        let resources = resources.into_iter().map(|(_, stored)| stored.record);
        let resources: Vec<Resource> = resources.filter(|resource| !resource.is_gone).collect();
        let source = watched.account.provider.source();
        let has_parts = |name: &str| source.is_some_and(|source| source.has_parts(name));
        Ok(desired::wanted(watched.facet.plan(), has_parts, &resources))
    }

    async fn insert(&self, watched: &Watched, wanted: &Wanted) -> Result<Stored<Subscription>, Fault> {
        let record = wanted.fresh(&watched.account.connection.id, &watched.url, &self.ports.entropy, self.now);
        let insert = records::insert(&record.key(self.tenant), &record, Upkeep::default())?;
        self.ports.table.write(insert).await.map_err(records::raced)?;
        Ok(Stored { rev: 1, record })
    }

    /// Takes the next step of a subscription that is wanted; returns when the one after it is due.
    async fn keep(
        &self,
        watched: &Watched,
        stored: Stored<Subscription>,
        reachable: &mut Option<Option<String>>,
    ) -> Result<Timestamp, Fault> {
        let one = &stored.record;
        let id = one.provider_id.clone();
        let renews = one.renew_at.is_some_and(|renew_at| renew_at <= self.now);
        let plan = watched.facet.plan();
        let step = match &id {
            None => SubscriptionStep::Register,
            Some(id) if renews && plan.renews => SubscriptionStep::Renew { id },
            Some(_) if renews => return self.replace(watched, stored).await,
            Some(id) => SubscriptionStep::Probe { id },
        };
        if step == SubscriptionStep::Register {
            if reachable.is_none() {
                *reachable = Some(reach::unreachable(self.ports, self.settings).await);
            }
            if let Some(Some(why)) = reachable {
                let waits = self.now + UNREACHABLE;
                let mut next = one.clone();
                (next.reason, next.next_at) = (Some(why.clone()), waits);
                self.put(&stored, &next).await?;
                self.act(watched, one, &next, &[]).await?;
                return Ok(waits);
            }
        }
        let answered = self.take(watched, one, &step).await;
        let (observation, next, what) = match answered {
            // An existing subscription need not report anything.
            Ok(Subscribed::Active(_)) if one.reason.as_deref() == Some(MISSED) => {
                let next = Subscription { next_at: self.now + CHECKED, ..one.clone() };
                self.put(&stored, &next).await?;
                return Ok(next.next_at);
            }
            Ok(Subscribed::Active(registered)) => {
                self.learn(watched, registered.secret.as_ref()).await?;
                (Observation::Success, registered_as(one, &registered, plan.life, self.now), None)
            }
            Ok(Subscribed::Gone) => {
                (Observation::Gone, one.clone(), Some("the provider does not have it any more".to_owned()))
            }
            // Another one takes its place, so it must not stay beside that.
            Ok(Subscribed::Disabled(why)) => match self.end_there(watched, one).await {
                Ok(()) => (Observation::Gone, one.clone(), Some(why.to_owned())),
                Err(failure) => (Observation::Failure, one.clone(), Some(failure.to_string())),
            },
            Ok(Subscribed::Listed(..)) => {
                (Observation::Failure, one.clone(), Some("an answer to another question".to_owned()))
            }
            // Nothing was asked.
            Err(Failure::Later(at)) => return Ok(at),
            Err(Failure::Resting(rests)) => return Ok(self.now + rests),
            Err(Failure::Fault(fault)) => return Err(fault),
            Err(failure) => (Observation::Failure, one.clone(), Some(failure.to_string())),
        };
        let (mut next, actions) = observe(&next, observation, self.now);
        if what.is_some() {
            next.reason = what;
        }
        self.put(&stored, &next).await?;
        self.act(watched, one, &next, &actions).await?;
        Ok(next.next_at)
    }

    /// Makes another subscription, which takes the place of one that ends.
    async fn replace(&self, watched: &Watched, stored: Stored<Subscription>) -> Result<Timestamp, Fault> {
        let one = &stored.record;
        let wanted = Wanted { resource: one.resource.clone(), part: one.part.clone(), topic: one.topic.clone() };
        let successor = self.insert(watched, &wanted).await?;
        let next_at = one.expires_at.unwrap_or(self.now + CHECKED);
        let next = Subscription { replaced_by: Some(successor.record.id), next_at, ..one.clone() };
        self.put(&stored, &next).await?;
        Ok(self.now)
    }

    /// Ends a subscription that nobody wants, and removes its record.
    async fn end(&self, watched: &Watched, stored: Stored<Subscription>) -> Result<Option<Timestamp>, Fault> {
        let one = &stored.record;
        let ended = self.end_there(watched, one).await;
        if let Err(failure) = &ended
            && !part::is_over(&watched.account.connection, self.now)
        {
            let (mut next, _) = observe(one, Observation::Failure, self.now);
            next.next_at = part::in_time(&watched.account.connection, next.next_at);
            self.put(&stored, &Subscription { reason: Some(failure.to_string()), ..next.clone() }).await?;
            return Ok(Some(next.next_at));
        }
        self.remove(&stored).await?;
        let (outcome, text) = match ended {
            Ok(()) => (Outcome::Processed, format!("the subscription to {} ended", one.topic)),
            Err(failure) => (Outcome::Failed, part::left(&one.topic, one.provider_id.as_deref(), &failure)),
        };
        self.tell(watched, one, outcome, text).await?;
        Ok(None)
    }

    /// Ends a subscription at the provider; after a failure it may still be there.
    async fn end_there(&self, watched: &Watched, one: &Subscription) -> Result<(), Failure> {
        let is_live = one.expires_at.is_none_or(|expires_at| self.now < expires_at);
        let Some(id) = one.provider_id.as_deref().filter(|_| is_live) else { return Ok(()) };
        match self.take(watched, one, &SubscriptionStep::End { id }).await {
            Err(failure) if failure.may_pass() => Err(failure),
            Ok(_) | Err(_) => Ok(()),
        }
    }

    /// Asks the provider for one step.
    async fn take(
        &self,
        watched: &Watched,
        one: &Subscription,
        step: &SubscriptionStep<'_>,
    ) -> Result<Subscribed, Failure> {
        let connection = &watched.account.connection;
        let token = watched.secrets.live(SUBSCRIPTION_KEY, self.now).next();
        let token = token.map(|key| signing::subscription_token(key, &one.id));
        let task = SubscriptionTask {
            account: connection.account.as_deref(),
            settings: &connection.settings,
            topic: &one.topic,
            part: one.part.as_deref(),
            url: &one.url,
            secrets: &watched.secrets,
            reference: &one.id,
            token: token.as_deref(),
            api: watched.account.way.as_ref().map_or("", |way| way.base.as_str()),
            now: self.now,
        };
        let mut calls = 0;
        let asks = (vec![watched.facet.ask(&task, step)], Priority::Webhook);
        let answers = asking::ask(self.ports, &watched.account, asks, &mut calls, self.now).await?;
        let answer = answers.first().ok_or(Failure::Silent("there was no answer".to_owned()))?;
        Ok(watched.facet.read(&task, step, answer)?)
    }

    /// Stores the secret that a provider made up with a subscription, among those that verify deliveries.
    async fn learn(
        &self,
        watched: &Watched,
        secret: Option<&(&'static str, hooktide_model::secret::Secret)>,
    ) -> Result<(), Fault> {
        let Some((name, secret)) = secret else { return Ok(()) };
        if watched.secrets.live(name, self.now).any(|live| live.secret == *secret) {
            return Ok(());
        }
        let connection = &watched.account.connection;
        let key = endpoint::key(&connection.provider, &connection.endpoint);
        let Some(Stored { rev, record: mut endpoint }) = records::get::<Endpoint>(&*self.ports.table, &key).await?
        else {
            return Ok(());
        };
        let root = self.ports.keys.root().await?;
        let place = sealed_for(&key);
        let sealed =
            SealedSecret::seal(name, secret, (&endpoint.tenant, place.as_str()), &root, &self.ports.entropy, self.now)?;
        endpoint.secrets.insert(0, sealed);
        // Keys of subscriptions that are gone verify nothing any more.
        let mut kept = 0;
        endpoint.secrets.retain(|secret| {
            kept += usize::from(secret.name == *name);
            secret.name != *name || kept <= MOST_LIVE
        });
        let write = records::replace(&key, Some(rev), &endpoint, Upkeep::default())?;
        self.ports.table.write(write).await.map(drop).map_err(records::raced)
    }

    /// Does what a change of state asks for.
    async fn act(
        &self,
        watched: &Watched,
        before: &Subscription,
        after: &Subscription,
        actions: &[Action],
    ) -> Result<(), Fault> {
        let id =
            ResourceId { connection: after.connection.clone(), name: after.resource.clone(), part: after.part.clone() };
        for action in actions {
            match action {
                Action::Repair | Action::Probe => {}
                // The gap until it was registered is read at once, and the resource finds out how it is watched.
                Action::Sync | Action::StopPolling => {
                    start::raise(self.ports, self.tenant, &id, MarkReason::Asked, self.now).await?;
                }
                Action::Poll => start::raise(self.ports, self.tenant, &id, MarkReason::Poll, self.now).await?,
            }
        }
        let told = |one: &Subscription| (one.state, one.reason.clone(), one.expires_at);
        if told(before) != told(after) {
            let is_well = after.failures == 0 && after.reason.is_none();
            let outcome = if is_well { Outcome::Processed } else { Outcome::Failed };
            let until = after.expires_at.map(|at| format!(" until {at}")).unwrap_or_default();
            let why = after.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
            let text = format!("the subscription to {} is {}{until}{why}", after.topic, after.state);
            self.tell(watched, after, outcome, text).await?;
        }
        Ok(())
    }

    /// Tells the activity what was done.
    async fn tell(&self, watched: &Watched, one: &Subscription, outcome: Outcome, text: String) -> Result<(), Fault> {
        let note = Note {
            id: format!("watch-{}-{}-{}", one.id, self.now.as_millisecond(), one.state),
            provider: watched.account.provider.id(),
            topic: "subscription",
            about: &one.id,
            connection: Some(&one.connection),
            outcome,
            text,
        };
        told::tell(self.ports, self.committer, self.tenant, note, self.now).await
    }

    async fn put(&self, stored: &Stored<Subscription>, next: &Subscription) -> Result<(), Fault> {
        let write = records::replace(&next.key(self.tenant), Some(stored.rev), next, Upkeep::default())?;
        self.ports.table.write(write).await.map(drop).map_err(records::raced)
    }

    async fn remove(&self, stored: &Stored<Subscription>) -> Result<(), Fault> {
        let delete =
            Write::Delete { key: stored.record.key(self.tenant), condition: Some(records::unchanged(stored.rev)) };
        self.ports.table.write(delete).await.map(drop).map_err(records::raced)
    }
}
