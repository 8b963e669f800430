//! What a connection should subscribe to, against what it has. Pure.

use jiff::Timestamp;

use hooktide_model::entropy::Entropy;
use hooktide_model::names::SubscriptionState;
use hooktide_providers::Plan;
use hooktide_store::records::resource::Resource;
use hooktide_store::records::subscription::Subscription;

/// Something to subscribe to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) resource: String,
    pub(super) part: Option<String>,
    pub(super) topic: String,
}

impl Wanted {
    /// Whether a subscription is this one.
    fn is(&self, subscription: &Subscription) -> bool {
        subscription.topic == self.topic && subscription.covers(&self.resource, self.part.as_deref())
    }

    /// A subscription of which nobody told the provider yet.
    pub(super) fn fresh(&self, connection: &str, url: &str, entropy: &Entropy, now: Timestamp) -> Subscription {
        let Self { resource, part, topic } = self.clone();
        Subscription {
            id: data_encoding::HEXLOWER.encode(&entropy.bytes::<16>()),
            connection: connection.to_owned(),
            resource,
            part,
            topic,
            url: url.to_owned(),
            state: SubscriptionState::Pending,
            failures: 0,
            since: now,
            reason: None,
            provider_id: None,
            expires_at: None,
            renew_at: None,
            next_at: now,
            checked_at: None,
            replaced_by: None,
        }
    }
}

/// What a connection should subscribe to: each topic of the plan, for each part of its resource.
pub(super) fn wanted(plan: &Plan, has_parts: impl Fn(&str) -> bool, resources: &[Resource]) -> Vec<Wanted> {
    let mut wanted = Vec::new();
    for covering in plan.topics {
        let of = |part: Option<String>| Wanted {
            resource: covering.resource.to_owned(),
            part,
            topic: covering.topic.to_owned(),
        };
        if has_parts(covering.resource) {
            let parts = resources.iter().filter(|resource| resource.name == covering.resource);
            wanted.extend(parts.filter_map(|resource| resource.part.clone()).map(|part| of(Some(part))));
        } else {
            wanted.push(of(None));
        }
    }
    wanted
}

/// What is wanted and has no subscription that is not being replaced.
pub(super) fn missing<'a>(wanted: &'a [Wanted], actual: &[Subscription]) -> Vec<&'a Wanted> {
    let has =
        |one: &Wanted| actual.iter().any(|subscription| one.is(subscription) && subscription.replaced_by.is_none());
    wanted.iter().filter(|one| !has(one)).collect()
}

/// Whether a subscription is wanted no more: nothing wants it, it was made for another address, or another took its place.
pub(super) fn is_surplus(subscription: &Subscription, wanted: &[Wanted], actual: &[Subscription], url: &str) -> bool {
    let replaced = subscription.replaced_by.as_deref().is_some_and(|by| {
        let successor = actual.iter().find(|other| other.id == by);
        successor.is_none_or(|successor| successor.provider_id.is_some())
    });
    replaced || subscription.url != url || !wanted.iter().any(|one| one.is(subscription))
}

#[cfg(test)]
mod tests {
    use super::*;
    use hooktide_model::names::ResourceMode;
    use hooktide_providers::Covering;
    use hooktide_store::records::resource::ResourceId;

    const PLAN: Plan = Plan {
        topics: &[
            Covering { resource: "products", topic: "product.updated" },
            Covering { resource: "calendar", topic: "events" },
        ],
        life: None,
        renews: false,
        app_wide: false,
        lists: false,
    };
    const URL: &str = "https://hooks.example.com/a";

    fn all() -> Vec<Wanted> {
        let part = |name: &str| Resource::new(&ResourceId::new("c", "calendar").part(name), ResourceMode::Polling);
        wanted(&PLAN, |resource| resource == "calendar", &[part("anna"), part("ben")])
    }

    fn fresh(wanted: &Wanted) -> Subscription {
        wanted.fresh("c", URL, &Entropy::seeded(1), Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn each_topic_is_wanted_once_and_for_each_part() {
        let parts: Vec<Option<String>> = all().into_iter().map(|wanted| wanted.part).collect();
        assert_eq!(parts, [None, Some("anna".to_owned()), Some("ben".to_owned())]);
    }

    #[test]
    fn what_has_no_subscription_is_missing_and_what_nobody_wants_is_surplus() {
        let all = all();
        let (products, anna) = (fresh(&all[0]), fresh(&all[1]));
        let actual = [products.clone(), anna.clone()];
        assert_eq!(missing(&all, &actual), [&all[2]]);
        assert!(!is_surplus(&products, &all, &actual, URL));
        assert!(is_surplus(&anna, &all[..1], &actual, URL), "its calendar is gone");
        assert!(is_surplus(&products, &all, &actual, "https://other.example.com"), "the address has changed");
    }

    #[test]
    fn one_that_is_replaced_goes_once_its_successor_is_registered() {
        let all = all();
        let old = Subscription { replaced_by: Some("new".into()), ..fresh(&all[0]) };
        let waiting = Subscription { id: "new".into(), ..fresh(&all[0]) };
        let registered = Subscription { provider_id: Some("8".into()), ..waiting.clone() };
        assert!(!is_surplus(&old, &all, &[old.clone(), waiting], URL), "make before break");
        assert!(is_surplus(&old, &all, &[old.clone(), registered], URL));
        assert_eq!(missing(&all[..1], std::slice::from_ref(&old)), [&all[0]]);
    }
}
