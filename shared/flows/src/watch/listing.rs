//! What a provider says that it has, against what is known of it: what a lost answer left is found, and what is a stray. Pure.

use jiff::Timestamp;

use super::desired::Wanted;
use hooktide_model::entropy::Entropy;
use hooktide_model::names::SubscriptionState;
use hooktide_providers::Listed;
use hooktide_store::records::subscription::Subscription;

/// Why a stray is ended.
const UNKNOWN: &str = "nothing here knows it, so it is ended";

/// All subscriptions of an account, as its provider lists them.
#[derive(Debug, Default)]
pub(super) struct Listing(pub(super) Vec<Listed>);

impl Listing {
    /// The id of what is listed and is this subscription, of which nobody heard that it was made.
    pub(super) fn made(&self, one: &Subscription, known: &[Subscription]) -> Option<&str> {
        let is_it = |listed: &&Listed| listed.enabled && could_be(listed, one) && !is_known(listed, known);
        self.0.iter().find(is_it).map(|listed| listed.id.as_str())
    }

    /// What is listed, is sent to us, and is neither known nor what one that is wanted may turn out to be. What is for another
    /// address, or for more than we ask for, is somebody else's.
    pub(super) fn strays(&self, known: &[Subscription], url: &str) -> Vec<&Listed> {
        let is_ours = |address: &str| address == url || known.iter().any(|one| one.url == address);
        let may_be_wanted =
            |listed: &Listed| known.iter().any(|one| one.provider_id.is_none() && could_be(listed, one));
        let is_stray = |listed: &&Listed| {
            let is_sent_to_us = !listed.topic.is_empty() && is_ours(&listed.url);
            is_sent_to_us && !is_known(listed, known) && !may_be_wanted(listed)
        };
        self.0.iter().filter(is_stray).collect()
    }
}

/// Whether what is listed may be this subscription.
fn could_be(listed: &Listed, one: &Subscription) -> bool {
    let is_by_us = listed.reference.as_ref().is_none_or(|reference| *reference == one.id);
    is_by_us && listed.topic == one.topic && listed.url == one.url
}

fn is_known(listed: &Listed, known: &[Subscription]) -> bool {
    known.iter().any(|one| one.provider_id.as_deref() == Some(listed.id.as_str()))
}

/// The record of a stray, which is about no resource.
pub(super) fn stray(connection: &str, listed: &Listed, entropy: &Entropy, now: Timestamp) -> Subscription {
    let of_nothing = Wanted { resource: String::new(), part: None, topic: listed.topic.clone() };
    Subscription {
        state: SubscriptionState::Active,
        reason: Some(UNKNOWN.to_owned()),
        provider_id: Some(listed.id.clone()),
        ..of_nothing.fresh(connection, &listed.url, entropy, now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "https://hooks.example.com/a";
    const FORMER: &str = "https://former.example.com/a";

    /// One that is wanted, under this reference, and that the provider has under this id, as far as anybody heard.
    fn known(reference: &str, provider_id: Option<&str>, url: &str) -> Subscription {
        let wanted = Wanted { resource: "products".into(), part: None, topic: "updated".into() };
        Subscription {
            id: reference.into(),
            provider_id: provider_id.map(str::to_owned),
            ..wanted.fresh("c", url, &Entropy::seeded(1), Timestamp::UNIX_EPOCH)
        }
    }

    fn listed(id: &str, topic: &str, url: &str) -> Listed {
        Listed { id: id.into(), topic: topic.into(), url: url.into(), enabled: true, reference: None }
    }

    #[test]
    fn what_a_lost_answer_left_is_found_unless_it_is_known_off_anothers_or_elsewhere() {
        let one = known("ours", None, URL);
        let by = |reference: &str| Listed { reference: Some(reference.into()), ..listed("8", "updated", URL) };
        for (listed, known, expected) in [
            (listed("8", "updated", URL), vec![], Some("8")),
            (listed("8", "updated", URL), vec![known("other", Some("8"), URL)], None),
            (Listed { enabled: false, ..listed("8", "updated", URL) }, vec![], None),
            (listed("8", "created", URL), vec![], None),
            (listed("8", "updated", "https://elsewhere.example.com"), vec![], None),
            (by("ours"), vec![], Some("8")),
            (by("another"), vec![], None),
            (by(""), vec![], None),
        ] {
            let listing = Listing(vec![listed]);
            assert_eq!(listing.made(&one, &known), expected, "{listing:?} {known:?}");
        }
    }

    #[test]
    fn what_is_sent_to_us_and_nobody_knows_is_a_stray_and_what_is_sent_elsewhere_is_left_alone() {
        let former = known("former", Some("6"), FORMER);
        let lost = Listed { reference: Some("lost".into()), ..listed("9", "updated", URL) };
        for (listed, known, expected) in [
            (listed("8", "updated", URL), vec![], true),
            (listed("8", "updated", URL), vec![known("a", Some("7"), URL)], true),
            (Listed { enabled: false, ..listed("8", "updated", URL) }, vec![known("a", Some("7"), URL)], true),
            (listed("8", "updated", URL), vec![known("a", Some("8"), URL)], false),
            (listed("8", "updated", URL), vec![known("a", None, URL)], false),
            (lost.clone(), vec![known("a", None, URL)], true),
            (lost, vec![known("lost", None, URL)], false),
            (listed("8", "updated", FORMER), vec![former], true),
            (listed("8", "updated", FORMER), vec![], false),
            (listed("8", "", URL), vec![], false),
        ] {
            let listing = Listing(vec![listed]);
            assert_eq!(!listing.strays(&known, URL).is_empty(), expected, "{listing:?} {known:?}");
        }
    }

    #[test]
    fn a_stray_is_about_nothing_and_known_by_the_providers_id() {
        let stray = stray("c", &listed("8", "updated", URL), &Entropy::seeded(1), Timestamp::UNIX_EPOCH);
        assert!(stray.is_stray() && !stray.covers("products", None));
        assert_eq!((stray.provider_id.as_deref(), stray.url.as_str()), (Some("8"), URL));
    }
}
