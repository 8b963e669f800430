//! What a refresh makes of an authorization. Pure.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::credentials::Credentials;
use hooktide_model::secret::KeyId;
use hooktide_providers::Refusal;
use hooktide_providers::oauth2::TokenRefusal;
use hooktide_store::records::authorization::{Authorization, Lack};
use hooktide_store::records::endpoint::SealedSecret;

/// How long one worker may refresh: longer than all its questions take.
pub(super) const LEASE: SignedDuration = SignedDuration::from_secs(60);
/// The longest time that a lease or a rest can be ahead: what is further was noted by a clock that was wrong.
const AHEAD: SignedDuration = SignedDuration::from_mins(65);
/// How long others wait for it before they look again.
const LOOK: SignedDuration = SignedDuration::from_secs(2);
/// How long refused credentials are not tried again.
pub(super) const RESTS: Duration = Duration::from_secs(3600);
/// The shortest and the longest pause after a refresh without a final answer.
const PAUSES: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(900));

/// What to do about the access token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// The one that there is serves.
    Use,
    /// Somebody is about to get another: look again then.
    Wait(Timestamp),
    /// The provider gave none lately: ask again then.
    Rest(Timestamp),
    /// The provider refuses the credentials.
    Refused,
    /// There is nothing to get another with.
    Impossible,
    /// Get another.
    Renew,
}

/// What is known when somebody needs an access token.
#[derive(Debug, Clone, Copy)]
pub(super) struct Need<'a> {
    /// The authorization, as it is stored now.
    pub(super) authorization: &'a Authorization,
    /// Whether the provider refused these very credentials.
    pub(super) is_refused: bool,
    /// Whether there is an access token that may serve.
    pub(super) has_token: bool,
    /// Whether it ends soon.
    pub(super) ends_soon: bool,
    /// Whether another can be asked for.
    pub(super) can_renew: bool,
}

impl<'a> Need<'a> {
    /// What is known of these credentials; `refused` is the token that the provider did not accept just now.
    pub(super) fn of(
        credentials: &Credentials,
        authorization: &'a Authorization,
        (refused, can_renew): (Option<&KeyId>, bool),
        now: Timestamp,
    ) -> Self {
        let token = credentials.access.as_ref().filter(|access| Some(&access.id) != refused);
        Self {
            authorization,
            is_refused: credentials.refused_since().is_some(),
            has_token: token.is_some(),
            ends_soon: token.is_some_and(|access| access.ends_soon(now)),
            can_renew,
        }
    }

    /// What to do.
    pub(super) fn step(&self, now: Timestamp) -> Step {
        let Authorization { refreshing_until, not_before, .. } = self.authorization;
        let later = |until: &Option<Timestamp>| until.filter(|until| is_ahead(*until, now));
        let waits = later(refreshing_until).map(|until| Step::Wait(until.min(now + LOOK)));
        // Credentials that were refused say nothing about others that were given since.
        let is_about_others = self.authorization.refused_since.is_some() && !self.is_refused;
        let rests = later(not_before)
            .filter(|_| !is_about_others)
            .map(|until| if self.is_refused { Step::Refused } else { Step::Rest(until) });
        if self.has_token && !self.ends_soon {
            Step::Use
        } else if !self.can_renew {
            if self.has_token { Step::Use } else { Step::Impossible }
        } else {
            match rests.or(waits) {
                Some(_) if self.has_token => Step::Use,
                Some(step) => step,
                None => Step::Renew,
            }
        }
    }
}

/// Whether a lease or a rest still lasts.
pub(super) fn is_ahead(until: Timestamp, now: Timestamp) -> bool {
    now < until && until <= now + AHEAD
}

/// The authorization while one worker refreshes.
pub(super) fn leased(authorization: &Authorization, now: Timestamp) -> Authorization {
    Authorization { refreshing_until: Some(now + LEASE), ..authorization.clone() }
}

/// The authorization with the tokens that a refresh gave. Former refresh tokens stay behind the new one: where its answer is
/// lost, or it is never used, they are what is left. `ungranted` are the scopes that the answer lacks, if it names those that it
/// has.
pub(super) fn renewed(
    authorization: &Authorization,
    access: SealedSecret,
    refresh: Option<SealedSecret>,
    ungranted: Option<&[&str]>,
) -> Authorization {
    let former = authorization.tokens.iter().filter(|token| token.name != access.name).cloned();
    let kept = if refresh.is_some() { 1 } else { 2 };
    let refresh: Vec<SealedSecret> = refresh.into_iter().chain(former.take(kept)).collect();
    let expires_at = access.retires_at;
    let tokens = std::iter::once(access).chain(refresh).collect();
    let mut lacks = authorization.lacks.clone();
    lacks.retain(|_, lack| {
        let is_granted = |scope: &String| ungranted.is_some_and(|ungranted| !ungranted.contains(&scope.as_str()));
        lack.scopes.is_empty() || !lack.scopes.iter().all(is_granted)
    });
    Authorization { tokens, expires_at, lacks, consents: authorization.consents.clone(), ..Authorization::default() }
}

/// The authorization after a refresh that gave no tokens, for now.
pub(super) fn put_off(authorization: &Authorization, refusal: &Refusal, now: Timestamp) -> Authorization {
    let failures = authorization.failures.saturating_add(1);
    let (shortest, longest) = PAUSES;
    let pause = shortest.saturating_mul(1 << (failures - 1).min(16)).max(refusal.after().unwrap_or_default());
    let not_before = Some(now + pause.min(longest));
    Authorization { failures, not_before, refreshing_until: None, ..authorization.clone() }
}

/// What the provider says of the credentials.
#[derive(Debug, Clone, Copy)]
pub(super) enum Said<'a> {
    /// They count, also for what is asked about.
    Accepted,
    /// They do not count; the text says what to do.
    Refused(&'a str),
    /// They lack these scopes for what is asked about; the text says what to do.
    Lacking(&'a [&'a str], &'a str),
}

/// The authorization after the provider said so; `newest` is the newest of the credentials that people gave.
pub(super) fn noted(
    authorization: &Authorization,
    (newest, about): (Option<Timestamp>, &str),
    said: Said<'_>,
    now: Timestamp,
) -> Authorization {
    match said {
        Said::Accepted => accepted(authorization, about),
        Said::Refused(reason) => refused(authorization, newest, reason, now),
        Said::Lacking(scopes, reason) => {
            let former = authorization.lacks.get(about).filter(|lack| lack.given == newest);
            let since = former.map_or(now, |lack| lack.since);
            let scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect();
            // What was lacking of credentials that are no more is of no interest.
            let others = authorization.lacks.clone().into_iter().filter(|(_, lack)| lack.given == newest);
            let lack = Lack { scopes, since, given: newest, reason: reason.to_owned() };
            let lacks = others.chain([(about.to_owned(), lack)]).collect();
            // The token counts, or its provider would not know what it lacks.
            Authorization { lacks, ..unrefused(authorization) }
        }
    }
}

/// The authorization whose credentials the provider refuses; `newest` is the newest that people gave.
pub(super) fn refused(
    authorization: &Authorization,
    newest: Option<Timestamp>,
    reason: &str,
    now: Timestamp,
) -> Authorization {
    Authorization {
        refused_since: authorization.refused_since(newest).or(Some(now)),
        refused: newest,
        reason: Some(reason.to_owned()),
        refreshing_until: None,
        not_before: Some(now + RESTS),
        ..authorization.clone()
    }
}

/// The authorization whose credentials the provider accepts for what is asked about.
fn accepted(authorization: &Authorization, about: &str) -> Authorization {
    let mut next = unrefused(authorization);
    next.lacks.remove(about);
    next
}

/// The authorization whose credentials count.
fn unrefused(authorization: &Authorization) -> Authorization {
    let Authorization { refused_since, .. } = authorization;
    // A pause after a refresh without an answer goes on.
    let not_before = authorization.not_before.filter(|_| refused_since.is_none());
    Authorization { refused_since: None, refused: None, reason: None, not_before, ..authorization.clone() }
}

/// What a final refusal is called, and what to do; `None` if it passes.
pub(super) fn reason(refusal: &TokenRefusal, connection: &str) -> Option<String> {
    match refusal {
        TokenRefusal::Ended(code) => Some(format!(
            "the provider does not accept the refresh token any more ({code}): authorise the connection again with \
             `hooktide connections authorize {connection}`, or give it a new refresh_token"
        )),
        TokenRefusal::UnknownApp(code) => Some(format!(
            "the provider does not accept the app's client_id and client_secret ({code}): give the connection the right ones"
        )),
        TokenRefusal::Passing(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn an_access_token_is_got_by_one_worker_when_it_is_needed_and_may_be_asked_for() {
        let plain = Authorization::default();
        let leased = Authorization { refreshing_until: Some(at(160)), ..plain.clone() };
        let leased_still = Authorization { refreshing_until: Some(at(101)), ..plain.clone() };
        let ended = Authorization { refreshing_until: Some(at(100)), not_before: Some(at(100)), ..plain.clone() };
        let resting = Authorization { not_before: Some(at(130)), ..plain.clone() };
        let refused = Authorization { refused_since: Some(at(70)), ..resting.clone() };
        // By a clock that was two hours ahead.
        let (wrong, wrong_too) = (Some(at(7_360)), Some(at(10_900)));
        let ahead = Authorization { refreshing_until: wrong, not_before: wrong_too, ..plain.clone() };
        // (authorization, refused, has a token, ends soon, can renew)
        for (authorization, is_refused, has_token, ends_soon, can_renew, expected) in [
            (&plain, false, true, false, true, Step::Use),
            (&plain, false, true, true, true, Step::Renew),
            (&plain, false, false, false, true, Step::Renew),
            (&plain, false, true, true, false, Step::Use),
            (&plain, false, false, false, false, Step::Impossible),
            (&leased, false, true, true, true, Step::Use),
            (&leased, false, false, false, true, Step::Wait(at(102))),
            (&leased_still, false, false, false, true, Step::Wait(at(101))),
            (&ended, false, false, false, true, Step::Renew),
            (&ahead, false, false, false, true, Step::Renew),
            (&resting, false, true, true, true, Step::Use),
            (&resting, false, false, false, true, Step::Rest(at(130))),
            (&refused, true, false, false, true, Step::Refused),
            (&refused, true, true, false, true, Step::Use),
            (&refused, false, false, false, true, Step::Renew),
            (&ended, true, false, false, true, Step::Renew),
        ] {
            let need = Need { authorization, is_refused, has_token, ends_soon, can_renew };
            assert_eq!(need.step(at(100)), expected, "{need:?}");
        }
    }

    #[test]
    fn a_rotated_refresh_token_stands_before_the_one_that_it_was_got_with() {
        let sealed = |name: &str, id: &str| SealedSecret {
            name: name.to_owned(),
            key_id: KeyId(id.to_owned()),
            sealed: String::new(),
            created_at: at(0),
            retires_at: Some(at(3_600)),
        };
        let ids = |authorization: &Authorization| {
            authorization.tokens.iter().map(|token| token.key_id.0.clone()).collect::<Vec<_>>()
        };
        let mut authorization = leased(&Authorization::default(), at(0));
        for (access, refresh, expected) in [
            ("a1", Some("r1"), &["a1", "r1"][..]),
            ("a2", Some("r2"), &["a2", "r2", "r1"]),
            ("a3", None, &["a3", "r2", "r1"]),
            ("a4", Some("r3"), &["a4", "r3", "r2"]),
        ] {
            let refresh = refresh.map(|id| sealed("refresh_token", id));
            authorization = renewed(&authorization, sealed("access_token", access), refresh, None);
            assert_eq!(ids(&authorization), expected);
            assert_eq!((authorization.refreshing_until, authorization.expires_at), (None, Some(at(3_600))));
        }
    }

    #[test]
    fn a_refresh_that_gives_nothing_is_tried_again_later_each_time_and_a_refusal_keeps_its_first_time() {
        let mut authorization = Authorization::default();
        for pause in [5, 10, 20, 40] {
            authorization = put_off(&authorization, &Refusal::Unavailable { after: None }, at(0));
            assert_eq!(authorization.not_before, Some(at(pause)));
        }
        let asked = Refusal::Limited { after: Some(Duration::from_secs(3_000)) };
        assert_eq!(put_off(&authorization, &asked, at(0)).not_before, Some(at(900)), "longer than is believed");
        let first = refused(&authorization, Some(at(1)), "ended", at(10));
        let again = refused(&first, Some(at(1)), "ended", at(20));
        assert_eq!(again.refused_since, Some(at(10)));
        assert_eq!(again.refused_since(Some(at(2))), None, "others were given since");
        assert_eq!(refused(&again, Some(at(2)), "ended", at(30)).refused_since, Some(at(30)));
        assert_eq!(accepted(&again, "catalog").refused_since, None);
    }

    #[test]
    fn what_credentials_lack_is_kept_by_what_was_asked_about_until_that_is_accepted_or_others_are_given() {
        let mut authorization = Authorization::default();
        let lacks = |authorization: &Authorization, newest: i64| {
            let lacks = authorization.lacks(Some(at(newest)));
            lacks.map(|(about, lack)| (about.to_owned(), lack.since, lack.scopes.join(" "))).collect::<Vec<_>>()
        };
        let stock = |since: i64, scopes: &str| ("stock".to_owned(), at(since), scopes.to_owned());
        let catalog = |since: i64| ("catalog".to_owned(), at(since), "b".to_owned());
        // (about, the newest credentials, what was said, at, what is lacking)
        for (about, newest, said, second, expected) in [
            ("stock", 1, Said::Lacking(&["a"], "allow a"), 10, vec![stock(10, "a")]),
            ("stock", 1, Said::Lacking(&["a", "c"], "allow a, c"), 20, vec![stock(10, "a c")]),
            ("catalog", 1, Said::Lacking(&["b"], "allow b"), 30, vec![catalog(30), stock(10, "a c")]),
            ("orders", 1, Said::Accepted, 40, vec![catalog(30), stock(10, "a c")]),
            ("catalog", 1, Said::Accepted, 50, vec![stock(10, "a c")]),
            ("catalog", 1, Said::Refused("revoked"), 60, vec![stock(10, "a c")]),
            ("catalog", 2, Said::Lacking(&["b"], "allow b"), 70, vec![catalog(70)]),
        ] {
            authorization = noted(&authorization, (Some(at(newest)), about), said, at(second));
            assert_eq!(lacks(&authorization, newest), expected, "{said:?} at {second}");
        }
        assert_eq!(lacks(&authorization, 3), [], "other credentials were given since");
        assert_eq!(authorization.refused_since, None, "the provider knew them");
    }

    #[test]
    fn what_is_lacking_survives_a_refresh_unless_its_answer_says_that_it_was_granted() {
        let sealed = SealedSecret {
            name: "access_token".to_owned(),
            key_id: KeyId("a".to_owned()),
            sealed: String::new(),
            created_at: at(0),
            retires_at: None,
        };
        for (lacking, ungranted, kept) in [
            (&["a"][..], None, true),
            (&["a"], Some(&["a"][..]), true),
            (&["a"], Some(&[][..]), false),
            (&["a", "b"], Some(&["b"][..]), true),
            (&["a", "b"], Some(&["c"][..]), false),
            (&[], Some(&[][..]), true),
        ] {
            let lacking = noted(&Authorization::default(), (None, "stock"), Said::Lacking(lacking, "allow it"), at(0));
            let renewed = renewed(&lacking, sealed.clone(), None, ungranted);
            assert_eq!(!renewed.lacks.is_empty(), kept, "{lacking:?} {ungranted:?}");
        }
    }
}
