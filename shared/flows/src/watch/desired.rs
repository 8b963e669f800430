//! What a connection should subscribe to, against what it has. Pure.

use jiff::Timestamp;

use hooktide_model::entropy::Entropy;
use hooktide_model::names::SubscriptionState;
use hooktide_providers::Plan;
use hooktide_store::records::resource::Resource;
use hooktide_store::records::subscription::{MISSED, Subscription};

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

/// The subscription that takes the place of one. What webhooks that did not come say of that one is true of its successor,
/// until one comes.
pub(super) fn successor(one: &Subscription, url: &str, entropy: &Entropy, now: Timestamp) -> Subscription {
    let wanted = Wanted { resource: one.resource.clone(), part: one.part.clone(), topic: one.topic.clone() };
    let fresh = wanted.fresh(&one.connection, url, entropy, now);
    if one.reason.as_deref() != Some(MISSED) {
        return fresh;
    }
    let Subscription { state, failures, since, reason, .. } = one.clone();
    Subscription { state, failures, since, reason, ..fresh }
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

/// What is wanted and has no subscription to our address that is not being replaced.
pub(super) fn missing<'a>(wanted: &'a [Wanted], actual: &[Subscription], url: &str) -> Vec<&'a Wanted> {
    let has = |one: &Wanted| {
        let mut of_one = actual.iter().filter(|subscription| one.is(subscription));
        of_one.any(|subscription| subscription.replaced_by.is_none() && subscription.url == url)
    };
    wanted.iter().filter(|one| !has(one)).collect()
}

/// Whether a subscription is wanted no more: nothing wants it, or another is there in its place.
pub(super) fn is_surplus(
    one: &Subscription,
    wanted: &[Wanted],
    actual: &[Subscription],
    url: &str,
    now: Timestamp,
) -> bool {
    let Some(wanted) = wanted.iter().find(|wanted| wanted.is(one)) else { return true };
    if let Some(by) = one.replaced_by.as_deref() {
        let has_ended = one.expires_at.is_some_and(|expires_at| expires_at <= now);
        let successor = actual.iter().find(|other| other.id == by);
        return has_ended || successor.is_none_or(|successor| successor.provider_id.is_some());
    }
    let mut others = actual
        .iter()
        .filter(|other| other.id != one.id && wanted.is(other) && other.url == url && other.replaced_by.is_none());
    if one.url != url {
        return one.provider_id.is_none() || others.any(|other| other.provider_id.is_some());
    }
    // One is enough: the one that is there, or was there first by its id.
    others.any(|other| other.provider_id.is_some() && (one.provider_id.is_none() || other.id < one.id))
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
    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn all() -> Vec<Wanted> {
        let part = |name: &str| Resource::new(&ResourceId::new("c", "calendar").part(name), ResourceMode::Polling);
        wanted(&PLAN, |resource| resource == "calendar", &[part("anna"), part("ben")])
    }

    fn fresh(wanted: &Wanted) -> Subscription {
        wanted.fresh("c", URL, &Entropy::seeded(1), NOW)
    }

    /// A subscription of this id, which the provider has or not.
    fn of(wanted: &Wanted, id: &str, is_there: bool) -> Subscription {
        Subscription { id: id.into(), provider_id: is_there.then(|| id.into()), ..fresh(wanted) }
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
        assert_eq!(missing(&all, &actual, URL), [&all[2]]);
        assert!(!is_surplus(&products, &all, &actual, URL, NOW));
        assert!(is_surplus(&anna, &all[..1], &actual, URL, NOW), "its calendar is gone");
        let stray = Subscription { resource: String::new(), ..products };
        assert!(is_surplus(&stray, &all, &actual, URL, NOW));
    }

    #[test]
    fn one_takes_the_place_of_another_once_it_is_registered() {
        let all = all();
        let one = &all[0];
        let week = NOW + jiff::SignedDuration::from_hours(7 * 24);
        let replaced = Subscription { replaced_by: Some("new".into()), expires_at: Some(week), ..of(one, "old", true) };
        let moved = Subscription { url: "https://former.example.com/a".into(), ..of(one, "old", true) };
        let never = Subscription { provider_id: None, ..moved.clone() };
        let cases: &[(&str, &Subscription, &[Subscription], Timestamp, bool)] = &[
            ("make before break", &replaced, &[of(one, "new", false)], NOW, false),
            ("its successor is there", &replaced, &[of(one, "new", true)], NOW, true),
            ("its successor is lost", &replaced, &[], NOW, true),
            ("it has ended by itself", &replaced, &[of(one, "new", false)], week, true),
            ("the new address has none yet", &moved, &[of(one, "new", false)], NOW, false),
            ("it was never made at the former address", &never, &[of(one, "new", false)], NOW, true),
            ("the new address has one", &moved, &[of(one, "new", true)], NOW, true),
            ("another one is there", &of(one, "a", false), &[of(one, "b", true)], NOW, true),
            ("both are there, and it came first", &of(one, "a", true), &[of(one, "b", true)], NOW, false),
            ("both are there, and the other came first", &of(one, "b", true), &[of(one, "a", true)], NOW, true),
            ("the other is about another part", &of(one, "b", true), &[of(&all[1], "a", true)], NOW, false),
        ];
        for (name, subscription, others, now, expected) in cases {
            let actual: Vec<Subscription> = others.iter().chain([*subscription]).cloned().collect();
            assert_eq!(is_surplus(subscription, &all, &actual, URL, *now), *expected, "{name}");
        }
        for (subscription, is_missing) in [(&replaced, true), (&moved, true), (&of(one, "a", false), false)] {
            let found = missing(&all[..1], std::slice::from_ref(subscription), URL);
            assert_eq!(!found.is_empty(), is_missing, "{subscription:?}");
        }
    }

    #[test]
    fn what_did_not_come_counts_for_the_successor_as_well() {
        let silent = Subscription {
            state: SubscriptionState::Suspended,
            failures: 6,
            reason: Some(MISSED.into()),
            ..of(&all()[1], "old", true)
        };
        let next = successor(&silent, URL, &Entropy::seeded(2), NOW);
        assert_eq!((next.state, next.failures, next.provider_id.as_deref()), (silent.state, 6, None));
        assert_eq!((next.reason.as_deref(), next.part.as_deref()), (Some(MISSED), Some("anna")));
        let well = Subscription { reason: None, state: SubscriptionState::Active, failures: 0, ..silent };
        let next = successor(&well, URL, &Entropy::seeded(2), NOW);
        assert_eq!((next.state, next.failures, next.reason), (SubscriptionState::Pending, 0, None));
    }
}
