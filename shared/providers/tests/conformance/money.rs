//! A topic that is not known and sounds of money is kept whole, whoever sends it; which names do is a table of its own
//! (`reading::may_be_money`).

use hooktide_model::fault::{ErrorClass, Fault};
use hooktide_model::notice::What;

use crate::attempt::Attempt;
use crate::evidence::Evidence;
use crate::rule::tell;

/// A fixture of a provider; the topic that it has, and one that may be about money in its place.
const CASES: &[(&str, &str, &str, &str)] = &[
    ("clover", "unknown-key", "", ""),
    ("clover", "checkout-unknown-type", "", ""),
    ("ebay", "unknown-topic", "", "PAYMENT_DISPUTE_OPENED"),
    ("google-calendar", "unknown-state", "update", "paid"),
    ("meta", "unknown-object", "managed_meta_account", "wallet"),
    ("microsoft-graph", "unknown-change", "unknownFutureValue", "invoicePaid"),
    ("paysafe", "unknown-money", "", ""),
    ("paysafe", "unknown-event", "", ""),
    ("shopify", "products-update", "products/update", "order_transactions/create"),
    ("square", "payment-updated", "", ""),
    ("square", "item-updated", "item.updated", "payout.sent"),
    ("standard-webhooks", "product-updated", "product.updated", "refund.created"),
    ("whatnot", "orders-created", "orders.created", "payouts.created"),
    ("woocommerce", "product-updated", "product.updated", "action.woocommerce_payment_complete"),
];

#[test]
fn keeps_what_may_be_about_money() {
    let mut failures = Vec::new();
    for (id, name, from, to) in CASES {
        let provider = hooktide_providers::webhooks_by_id(id).unwrap();
        let fixtures = Evidence::of(id).fixtures;
        let fixture = fixtures.iter().find(|fixture| fixture.name == *name).unwrap_or_else(|| panic!("{id}/{name}"));
        let from = if from.is_empty() { fixture.topic(provider).unwrap_or_default() } else { (*from).to_owned() };
        let attempt = if to.is_empty() {
            fixture.attempt()
        } else {
            let body = String::from_utf8(fixture.body.to_vec()).unwrap().replace(&from, to);
            fixture.sender(provider).topic(to).send(body).unwrap()
        };
        if !is_kept(provider, &attempt) {
            failures.push(format!("{id}/{name} as {to:?}: {:?}", attempt.notices(provider)));
        }
    }
    tell("keeps_what_may_be_about_money", &failures);
}

#[test]
fn no_provider_is_left_out() {
    let left_out = hooktide_providers::with_webhooks()
        .map(|provider| provider.id())
        .filter(|id| !CASES.iter().any(|case| case.0 == *id));
    assert_eq!(left_out.collect::<Vec<_>>(), [""; 0]);
}

fn is_kept(provider: &dyn hooktide_providers::Webhooks, attempt: &Attempt) -> bool {
    match attempt.notices(provider) {
        Ok(notices) => {
            notices.iter().any(|notice| matches!(notice.what, What::Kept { class: ErrorClass::UnknownPayment, .. }))
        }
        Err(fault) => matches!(fault, Fault::Permanent { class: ErrorClass::UnknownPayment, .. }),
    }
}
