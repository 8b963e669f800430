//! A subscription as its provider has it: when it ends, and when it is renewed. Pure.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use hooktide_model::signing;
use hooktide_providers::Registered;
use hooktide_store::records::subscription::Subscription;

/// How often the existence of a subscription that does not end is checked.
pub(super) const CHECKED: SignedDuration = SignedDuration::from_hours(24);

/// The subscription as its provider has it now: renewed at four fifths of its life, a little earlier or later than others.
pub(super) fn registered_as(
    one: &Subscription,
    registered: &Registered,
    life: Option<Duration>,
    now: Timestamp,
) -> Subscription {
    let mut next = one.clone();
    next.provider_id = Some(registered.id.clone());
    next.checked_at = Some(now);
    let longest = life.map(|life| now + life);
    // A date that is past, or too far ahead, is not believed.
    let believed = registered.expires_at.filter(|at| *at > now);
    next.expires_at = match (believed, longest) {
        (Some(at), Some(longest)) => Some(at.min(longest)),
        (None, longest) => longest,
        (at, None) => at,
    };
    next.renew_at = next.expires_at.map(|at| {
        now + (at - now)
            .total(jiff::Unit::Second)
            .map_or(SignedDuration::ZERO, |left| SignedDuration::from_secs_f64(left * share(&one.id)))
    });
    next.next_at = next.renew_at.unwrap_or(now + CHECKED);
    next
}

/// Which part of its life passes before a subscription is renewed: about four fifths.
fn share(id: &str) -> f64 {
    let [first, ..] = signing::sha256(&[id.as_bytes()]);
    0.78 + f64::from(first) / 255.0 * 0.04
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::watch::desired::Wanted;
    use hooktide_model::entropy::Entropy;

    #[test]
    fn a_life_that_is_past_or_too_long_is_not_believed_and_renewal_comes_at_four_fifths() {
        let (now, day) = (Timestamp::UNIX_EPOCH, Duration::from_secs(86_400));
        let wanted = Wanted { resource: "calendar".into(), part: None, topic: "events".into() };
        let one = wanted.fresh("c", "https://hooks.example.com/a", &Entropy::seeded(1), now);
        let days = |days: i64| now + SignedDuration::from_hours(24 * days);
        for (told, life, ends) in [
            (Some(days(7)), Some(day * 7), Some(days(7))),
            (Some(days(-1)), Some(day * 7), Some(days(7))),
            (Some(days(365 * 30)), Some(day * 7), Some(days(7))),
            (Some(days(2)), Some(day * 7), Some(days(2))),
            (None, Some(day), Some(days(1))),
            (None, None, None),
        ] {
            let registered = Registered { id: "8".into(), expires_at: told, secret: None };
            let next = registered_as(&one, &registered, life, now);
            assert_eq!(next.expires_at, ends, "{told:?}");
            let share = next.renew_at.zip(ends).map(|(renew, ends)| renew.as_second() * 100 / ends.as_second());
            assert!(share.is_none_or(|share| (78..=82).contains(&share)), "{share:?}");
        }
    }
}
