//! The next step of a subscription that is wanted: registered, renewed, probed, or replaced by another.

use std::time::Duration;

use jiff::Timestamp;

use super::health::{Action, Observation, observe};
use super::looks::Look;
use super::reach;
use super::registered::{CHECKED, registered_as};
use crate::asking::Failure;
use hooktide_model::fault::Fault;
use hooktide_providers::{Registered, Subscribed, SubscriptionStep};
use hooktide_store::records::Stored;
use hooktide_store::records::subscription::{MISSED, Subscription, UNSUPPORTED};

/// How long until our own address is looked at again, where it was not reachable.
const UNREACHABLE: Duration = Duration::from_secs(3600);
/// Why one that exists already is none of ours.
const UNLISTED: &str = "the provider says that there is such a subscription already, and does not list it";

/// What a step led to.
enum Outcome {
    /// Something was observed, of the subscription as it is now, for this reason.
    Observed(Observation, Subscription, Option<String>),
    /// The subscription is as it is now, and its health is what it was.
    As(Subscription, Vec<Action>),
    /// Nothing was asked; it is asked then.
    Nothing(Timestamp),
}

impl Look<'_> {
    /// Takes the next step of a subscription that is wanted; returns when the one after it is due. One that is replaced is
    /// decided about at the end of the look.
    pub(super) async fn keep(&mut self, stored: Stored<Subscription>) -> Result<Option<Timestamp>, Fault> {
        let one = &stored.record;
        let (now, plan) = (self.context.now, self.watched.facet.plan());
        if one.replaced_by.is_some() || one.url != self.watched.url {
            // The one in its place is not there yet.
            return Ok(Some(one.expires_at.filter(|ends_at| *ends_at > now).unwrap_or(now + CHECKED)));
        }
        let renews = one.renew_at.is_some_and(|renew_at| renew_at <= now);
        // Nobody can see whether it is there, so that it stays silent may mean that it is not.
        let is_lost = is_silent(one) && !plan.lists;
        if one.provider_id.is_some() && !plan.renews && (renews || is_lost) {
            return self.replace(stored).await.map(|()| None);
        }
        if one.provider_id.is_none()
            && let Some(why) = self.unreachable().await
        {
            let next = Subscription { reason: Some(why), next_at: now + UNREACHABLE, ..one.clone() };
            self.put(&stored, &next).await?;
            self.act(one, &next, &[]).await?;
            return Ok(Some(next.next_at));
        }
        let answered = match one.provider_id.as_deref() {
            None => self.register(one).await?,
            Some(id) if renews => self.take(one, &SubscriptionStep::Renew { id }).await,
            Some(id) => self.take(one, &SubscriptionStep::Probe { id }).await,
        };
        let (next, actions) = match self.outcome(one, answered).await? {
            Outcome::Nothing(at) => return Ok(Some(at)),
            Outcome::As(next, actions) => (next, actions),
            Outcome::Observed(observation, next, why) => {
                let (next, actions) = observe(&next, observation, now);
                (Subscription { reason: why.or(next.reason.clone()), ..next }, actions)
            }
        };
        self.put(&stored, &next).await?;
        self.act(one, &next, &actions).await?;
        Ok(Some(next.next_at))
    }

    /// Why our own address cannot be reached, if so.
    async fn unreachable(&mut self) -> Option<String> {
        if self.reachable.is_none() {
            self.reachable = Some(reach::unreachable(self.context.ports, self.context.settings).await);
        }
        self.reachable.clone().flatten()
    }

    /// Registers a subscription, unless an answer that was lost made it already.
    async fn register(&mut self, one: &Subscription) -> Result<Result<Subscribed, Failure>, Fault> {
        Ok(match self.adopt(one).await {
            Ok(None) => match self.take(one, &SubscriptionStep::Register).await {
                Ok(Subscribed::Taken) => {
                    self.list(one).await?;
                    self.adopt(one).await.and_then(|found| found.ok_or(Failure::Silent(UNLISTED.to_owned())))
                }
                answered => answered,
            },
            Ok(Some(found)) => Ok(found),
            Err(failure) => Err(failure),
        })
    }

    /// Takes on the subscription that is listed and that nobody heard of, if there is one.
    async fn adopt(&self, one: &Subscription) -> Result<Option<Subscribed>, Failure> {
        let listing = self.listing.as_ref().map_err(Clone::clone)?;
        let Some(id) = listing.made(one, &self.known) else { return Ok(None) };
        let found = self.take(one, &SubscriptionStep::Probe { id }).await?;
        // Lists may be older than what happened since.
        Ok(matches!(found, Subscribed::Active(_)).then_some(found))
    }

    /// What an answer means.
    async fn outcome(&self, one: &Subscription, answered: Result<Subscribed, Failure>) -> Result<Outcome, Fault> {
        let now = self.context.now;
        let failed = |why: String| Outcome::Observed(Observation::Failure, one.clone(), Some(why));
        let gone = |why: &str| Outcome::Observed(Observation::Gone, one.clone(), Some(why.to_owned()));
        Ok(match answered {
            Ok(Subscribed::Active(registered)) => {
                self.watched.learn(self.context, registered.secret.as_ref()).await?;
                self.active(one, &registered)
            }
            Ok(Subscribed::Unsupported) => {
                Outcome::Observed(Observation::Unsupported, one.clone(), Some(UNSUPPORTED.to_owned()))
            }
            Ok(Subscribed::Gone) => gone("the provider does not have it any more"),
            // Another one takes its place, so it must not stay beside that.
            Ok(Subscribed::Disabled(why)) => match self.end_there(one).await {
                Ok(()) => gone(why),
                Err(failure) => failed(failure.to_string()),
            },
            Ok(Subscribed::Listed(..) | Subscribed::Taken) => failed("an answer to another question".to_owned()),
            Err(Failure::Fault(fault)) => return Err(fault),
            // Nothing was asked, or too much, which is no fault of the subscription.
            Err(failure) => failure.until(now).map_or_else(|| failed(failure.to_string()), Outcome::Nothing),
        })
    }

    /// A subscription that exists. Of one that should have reported changes, and did not, that says nothing: only a webhook
    /// does.
    fn active(&self, one: &Subscription, registered: &Registered) -> Outcome {
        let (now, life) = (self.context.now, self.watched.facet.plan().life);
        let is_new = one.provider_id.is_none();
        if is_silent(one) && !is_new {
            let checked_at = now + CHECKED;
            let next_at = one.renew_at.map_or(checked_at, |renew_at| renew_at.min(checked_at));
            return Outcome::As(Subscription { next_at, ..one.clone() }, Vec::new());
        }
        let next = registered_as(one, registered, life, now);
        match is_silent(one) {
            // What changed before it was there is read.
            true => Outcome::As(next, vec![Action::Sync]),
            false => Outcome::Observed(Observation::Success, next, None),
        }
    }
}

/// Whether changes were found that a subscription should have reported, and none that it reported since.
fn is_silent(one: &Subscription) -> bool {
    one.reason.as_deref() == Some(MISSED)
}
