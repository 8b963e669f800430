//! What a change of a subscription's state asks for, and what the activity says of it.

use super::ending::named;
use super::health::Action;
use super::looks::Look;
use crate::sync::start;
use crate::told::{self, Note};
use hooktide_model::fault::Fault;
use hooktide_model::names::{MarkReason, Outcome};
use hooktide_store::records::resource::ResourceId;
use hooktide_store::records::subscription::{Subscription, UNSUPPORTED};

impl Look<'_> {
    /// Does what a change of state asks for.
    pub(super) async fn act(
        &self,
        before: &Subscription,
        after: &Subscription,
        actions: &[Action],
    ) -> Result<(), Fault> {
        let (ports, tenant, now) = (self.context.ports, self.context.tenant, self.context.now);
        let id =
            ResourceId { connection: after.connection.clone(), name: after.resource.clone(), part: after.part.clone() };
        for action in actions {
            match action {
                Action::Repair | Action::Probe => {}
                // The gap until it was registered is read at once, and the resource finds out how it is watched.
                Action::Sync | Action::StopPolling => start::raise(ports, tenant, &id, MarkReason::Asked, now).await?,
                Action::Poll => start::raise(ports, tenant, &id, MarkReason::Poll, now).await?,
            }
        }
        let told = |one: &Subscription| (one.state, one.reason.clone(), one.expires_at);
        if told(before) != told(after) {
            let is_well = after.reason.as_ref().is_none_or(|reason| reason == UNSUPPORTED);
            let outcome = if after.failures == 0 && is_well { Outcome::Processed } else { Outcome::Failed };
            let until = after.expires_at.map(|at| format!(" until {at}")).unwrap_or_default();
            let why = after.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
            self.tell(after, outcome, format!("{} is {}{until}{why}", named(after), after.state)).await?;
        }
        Ok(())
    }

    /// Tells the activity what was done.
    pub(super) async fn tell(&self, one: &Subscription, outcome: Outcome, text: String) -> Result<(), Fault> {
        let (ports, tenant, now) = (self.context.ports, self.context.tenant, self.context.now);
        let note = Note {
            id: format!("watch-{}-{}-{}", one.id, now.as_millisecond(), one.state),
            provider: self.watched.account.provider.id(),
            topic: "subscription",
            about: &one.id,
            connection: Some(&one.connection),
            outcome,
            text,
        };
        told::tell(ports, self.context.committer, tenant, note, now).await
    }
}
