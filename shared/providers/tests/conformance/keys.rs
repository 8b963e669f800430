//! Which secrets count: of the right name, live, not empty; any of several; never none.

use hooktide_model::fault::AuthFault;
use hooktide_model::secret::LiveSecret;
use hooktide_providers::Webhooks;
use jiff::SignedDuration;

use crate::attempt::{Attempt, live};
use crate::evidence::Evidence;
use crate::rule::{Complaints, Failure, each};
use crate::signature::changed_at;

/// A name that no provider gives a secret.
pub(crate) const OTHER_NAME: &str = "another_secret";
/// A name of nothing.
const UNKNOWN: (&str, &str) = ("", "");

/// Another secret of the same form.
pub(crate) fn another(text: &str) -> String {
    let middle = text.char_indices().skip(text.chars().count() / 2);
    let letter = middle.clone().find(|(_, character)| character.is_ascii_alphanumeric());
    letter.map_or_else(|| format!("{text}x"), |(at, _)| changed_at(text, at))
}

fn refused(provider: &dyn Webhooks, attempt: Option<Attempt>, what: &str, complaints: &mut Complaints) {
    if attempt.is_some_and(|attempt| attempt.open(provider).is_ok()) {
        complaints.add(format!("is accepted {what}"));
    }
}

/// What another key signed, and what another key should verify.
pub(crate) fn another_key(provider: &dyn Webhooks, evidence: &Evidence) -> Vec<Failure> {
    each(provider, evidence, |fixture, complaints| {
        let (name, text) = fixture.secret().unwrap_or(UNKNOWN);
        let other = another(text);
        let with_other = fixture.attempt().secrets(vec![live(name, "other", other.as_str())]);
        refused(provider, Some(with_other), "by a secret that did not sign it", complaints);
        for (secret, what) in
            [(other.as_str(), "when another secret signed it"), ("", "when an empty secret signed it")]
        {
            refused(provider, fixture.sender(provider).secret(secret).send_again().ok(), what, complaints);
        }
    })
}

/// Without a secret nothing is accepted, not even what an empty one signed, and the reason is told apart.
pub(crate) fn no_secret(provider: &dyn Webhooks, evidence: &Evidence) -> Vec<Failure> {
    each(provider, evidence, |fixture, complaints| {
        refused_as_no_secret(provider, &fixture.attempt().secrets(Vec::new()), "without a secret", complaints);
        let empty = fixture.sender(provider).secret("").send_again().ok();
        let empty = empty.map(|attempt| attempt.secrets(Vec::new()));
        refused(provider, empty, "without a secret when an empty one signed it", complaints);
    })
}

/// A secret that is empty is none: anybody can sign with it.
pub(crate) fn empty_secret(provider: &dyn Webhooks, evidence: &Evidence) -> Vec<Failure> {
    each(provider, evidence, |fixture, complaints| {
        let (name, text) = fixture.secret().unwrap_or(UNKNOWN);
        let alone = vec![live(name, "empty", "")];
        let beside = vec![live(name, fixture.key_id(), text), live(name, "empty", "")];
        for (secrets, what) in [(alone, "by an empty secret"), (beside, "by an empty secret beside a good one")] {
            let attempt = fixture.sender(provider).secret("").send_again().ok();
            refused(provider, attempt.map(|attempt| attempt.secrets(secrets)), what, complaints);
        }
    })
}

/// A secret counts under its own name only.
pub(crate) fn another_name(provider: &dyn Webhooks, evidence: &Evidence) -> Vec<Failure> {
    each(provider, evidence, |fixture, complaints| {
        let (_, text) = fixture.secret().unwrap_or(UNKNOWN);
        let renamed = fixture.attempt().secrets(vec![live(OTHER_NAME, fixture.key_id(), text)]);
        refused_as_no_secret(provider, &renamed, "with its secret under another name", complaints);
    })
}

/// A secret counts until the instant at which it retires, and no longer.
pub(crate) fn retired(provider: &dyn Webhooks, evidence: &Evidence) -> Vec<Failure> {
    each(provider, evidence, |fixture, complaints| {
        let (name, text) = fixture.secret().unwrap_or(UNKNOWN);
        let retiring = |seconds: i64| {
            let retires_at = Some(fixture.now() + SignedDuration::from_secs(seconds));
            fixture.attempt().secrets(vec![LiveSecret { retires_at, ..live(name, fixture.key_id(), text) }])
        };
        for seconds in [-3600, -1, 0] {
            let what = format!("{} s after its secret retired", -seconds);
            refused_as_no_secret(provider, &retiring(seconds), &what, complaints);
        }
        if let Err(fault) = retiring(1).open(provider) {
            complaints.add(format!("is refused a second before its secret retires: {fault}"));
        }
    })
}

/// Each of several live secrets counts, wherever it stands, and it is named.
pub(crate) fn several(provider: &dyn Webhooks, evidence: &Evidence) -> Vec<Failure> {
    each(provider, evidence, |fixture, complaints| {
        let (name, text) = fixture.secret().unwrap_or(UNKNOWN);
        let (right, other) = (live(name, fixture.key_id(), text), live(name, "other", another(text)));
        let third = live(name, "third", another(&another(text)));
        let orders = [
            vec![right.clone(), other.clone()],
            vec![other.clone(), right.clone()],
            vec![other.clone(), third.clone(), right.clone()],
            vec![live(OTHER_NAME, "third", text), other, right],
        ];
        for secrets in orders {
            let order = secrets.iter().map(|secret| secret.id.to_string()).collect::<Vec<_>>();
            match fixture.attempt().secrets(secrets).open(provider) {
                Err(fault) => complaints.add(format!("is refused with the secrets {order:?}: {fault}")),
                Ok(verified) if verified.key_id().is_none_or(|id| id.0 != fixture.key_id()) => {
                    complaints.add(format!("with the secrets {order:?} names {:?}", verified.key_id()));
                }
                Ok(_) => {}
            }
        }
    })
}

/// Refused with the fault that makes the receiver look for newer secrets.
fn refused_as_no_secret(provider: &dyn Webhooks, attempt: &Attempt, what: &str, complaints: &mut Complaints) {
    let opened = attempt.open(provider);
    if opened.as_ref().err() != Some(&AuthFault::NoSecret) {
        complaints.add(format!("{what} is not refused for having no secret: {opened:?}"));
    }
}
