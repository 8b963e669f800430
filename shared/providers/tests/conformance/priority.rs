//! Payments overtake what tells of none: whoever waits for one must not wait behind a sync of a catalog.

use hooktide_model::names::Kind;
use hooktide_model::notice::{Notice, What};
use hooktide_providers::{Label, Webhooks};

use crate::evidence::Evidence;
use crate::rule::{Failure, each};

/// The resources whose sync fetches payments.
const PAYMENTS: &[&str] = &["payments", "transactions"];

fn is_payment(what: &What) -> bool {
    match what {
        What::Entity(entity) => entity.kind == Kind::Transaction,
        What::Hint { resource, .. } => PAYMENTS.contains(resource),
        What::Privacy(_) | What::Ignored { .. } | What::Kept { .. } => false,
    }
}

/// Whether one of the notices is of a payment, and the label does not say that it must not wait.
pub(crate) fn is_left_out(label: &Label, notices: &[Notice]) -> bool {
    !label.priority && notices.iter().any(|notice| is_payment(&notice.what))
}

/// A fixture that tells of a payment is labelled so.
pub(crate) fn payments_overtake(provider: &dyn Webhooks, evidence: &Evidence) -> Vec<Failure> {
    each(provider, evidence, |fixture, complaints| {
        let Ok(verified) = fixture.attempt().open(provider) else { return };
        let notices = provider.parse(&verified).unwrap_or_default();
        if is_left_out(&provider.label(&verified), &notices) {
            complaints.add("tells of a payment and has no priority");
        }
    })
}
