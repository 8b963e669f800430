//! The end of a subscription that nobody wants, at its provider and here.

use jiff::Timestamp;

use super::health::{Observation, observe};
use super::looks::Look;
use super::part;
use crate::asking::Failure;
use hooktide_model::fault::Fault;
use hooktide_model::names::Outcome;
use hooktide_providers::SubscriptionStep;
use hooktide_store::records::Stored;
use hooktide_store::records::subscription::Subscription;

/// Why one cannot be ended yet.
const UNTOLD: &str = "none of its messages has said how it is ended";

impl Look<'_> {
    /// Ends a subscription that nobody wants, and removes its row; returns when to try again, if it is still there.
    pub(super) async fn end(&mut self, stored: Stored<Subscription>) -> Result<Option<Timestamp>, Fault> {
        let one = &stored.record;
        let connection = &self.watched.account.connection;
        let ended = self.end_there(one).await;
        if let Err(failure) = &ended
            && !part::is_over(connection, self.context.now)
        {
            let next = match failure {
                Failure::Fault(fault) => return Err(fault.clone()),
                _ => self.still_there(one, failure),
            };
            self.put(&stored, &next).await?;
            return Ok(Some(next.next_at));
        }
        self.remove(&stored).await?;
        let (outcome, text) = match ended {
            Ok(()) if one.is_stray() => (Outcome::Processed, format!("{} is ended: nothing here knew it", named(one))),
            Ok(()) => (Outcome::Processed, format!("{} ended", named(one))),
            Err(failure) => (Outcome::Failed, part::left(one, &failure)),
        };
        self.tell(one, outcome, text).await?;
        Ok(None)
    }

    /// A subscription that could not be ended, and when that is tried again.
    fn still_there(&self, one: &Subscription, failure: &Failure) -> Subscription {
        let (connection, now) = (&self.watched.account.connection, self.context.now);
        let next = match (self.is_untold(one), one.expires_at) {
            // Its next message brings a look of its own.
            (true, Some(ends_at)) => Subscription { next_at: ends_at, ..one.clone() },
            _ => observe(one, Observation::Failure, now).0,
        };
        let next_at = part::in_time(connection, next.next_at);
        Subscription { reason: Some(failure.to_string()), next_at, ..next }
    }

    /// Ends a subscription at the provider; after a failure it may still be there.
    pub(super) async fn end_there(&self, one: &Subscription) -> Result<(), Failure> {
        let is_live = one.expires_at.is_none_or(|expires_at| self.context.now < expires_at);
        let Some(id) = one.provider_id.as_deref().filter(|_| is_live) else {
            // What an answer left that was lost is a stray, once the list is there.
            return self.listing.as_ref().map(drop).map_err(Clone::clone);
        };
        if self.is_untold(one) {
            return Err(Failure::Silent(UNTOLD.to_owned()));
        }
        match self.take(one, &SubscriptionStep::End { id }).await {
            Err(failure) if failure.may_pass() => Err(failure),
            Ok(_) | Err(_) => Ok(()),
        }
    }

    /// Whether the provider's id does not say enough to end it.
    fn is_untold(&self, one: &Subscription) -> bool {
        one.provider_id.as_deref().is_some_and(|id| !self.watched.facet.is_whole(id))
    }
}

/// A subscription, as the activity calls it.
pub(super) fn named(one: &Subscription) -> String {
    match one.topic.as_str() {
        "" => "a subscription".to_owned(),
        topic => format!("the subscription to {topic}"),
    }
}
