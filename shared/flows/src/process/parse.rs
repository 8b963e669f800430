//! Parse: the notices of a delivery, by its provider. Pure.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::instead;
use hooktide_model::envelope::Delivery;
use hooktide_model::fault::{ErrorClass, Fault};
use hooktide_model::notice::Notice;
use hooktide_providers::Webhooks;
use hooktide_providers::verified::Verified;

/// What the provider of a delivery says about its webhooks.
pub(super) fn webhooks_of(delivery: &Delivery) -> Result<&'static dyn Webhooks, Fault> {
    hooktide_providers::webhooks_by_id(&delivery.provider).ok_or_else(|| match delivery.provider.as_str() {
        "" => Fault::permanent(ErrorClass::Unreadable, "it came from no provider"),
        // Newer code that knew it may have been rolled back.
        id => Fault::retryable(format!("no provider is called {id:?} here")),
    })
}

/// The notices of a delivery.
pub(super) fn notices(webhooks: &dyn Webhooks, delivery: &Delivery, verified: &Verified) -> Result<Vec<Notice>, Fault> {
    match &delivery.oversized {
        Some(oversized) => instead::notices(oversized, webhooks),
        None => catch_unwind(AssertUnwindSafe(|| {
            webhooks.readable(verified)?;
            webhooks.parse(verified)
        }))
        .unwrap_or_else(|_| Err(Fault::failed("the provider's parser panicked"))),
    }
}
