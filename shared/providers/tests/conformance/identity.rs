//! Delivery identities: the same for repeats, another for everything else, and no id that is not signed can make a new
//! body look like a repeat.

use std::collections::BTreeSet;

use hooktide_model::notice::What;
use hooktide_providers::{Covers, Sample, Webhooks};
use jiff::SignedDuration;
use serde_json::Value;

use crate::attempt::Attempt;
use crate::evidence::{Evidence, Fixture};
use crate::places;
use crate::rule::{Complaints, Failure, each};
use crate::signature::changed_at;

/// The identities of what an attempt tells.
fn identities(provider: &dyn Webhooks, attempt: &Attempt) -> Result<BTreeSet<String>, String> {
    let notices = attempt.notices(provider).map_err(|fault| fault.to_string())?;
    Ok(notices.into_iter().map(|notice| notice.identity).collect())
}

/// The fixture's identities and those of another attempt, if both have some; else a complaint.
fn both(
    provider: &dyn Webhooks,
    fixture: &Fixture,
    other: &Attempt,
    what: &str,
    complaints: &mut Complaints,
) -> Option<(BTreeSet<String>, BTreeSet<String>)> {
    let recorded = identities(provider, &fixture.attempt()).map_err(|fault| format!("as recorded: {fault}"));
    let other = identities(provider, other).map_err(|fault| format!("{what}: {fault}"));
    match (recorded, other) {
        (Ok(recorded), Ok(other)) if recorded.contains("") || other.contains("") => {
            complaints.add("has an empty identity");
            None
        }
        (Ok(recorded), Ok(other)) => Some((recorded, other)),
        (Err(fault), _) | (_, Err(fault)) => {
            complaints.add(format!("has no identity {fault}"));
            None
        }
    }
}

/// Read twice, and tried again a minute later: the same.
pub(crate) fn same_delivery(provider: &dyn Webhooks, evidence: &Evidence) -> Vec<Failure> {
    each(provider, evidence, |fixture, complaints| {
        let mut repeats = vec![("read again", fixture.attempt())];
        repeats.extend(fixture.sender(provider).send_again().ok().map(|attempt| ("sent again", attempt)));
        repeats.push(("read a minute later", fixture.attempt().now(fixture.now() + SignedDuration::from_secs(60))));
        for (what, repeat) in repeats {
            if let Some((recorded, other)) = both(provider, fixture, &repeat, what, complaints)
                && recorded != other
            {
                complaints.add(format!("{what} has another identity: {other:?}, not {recorded:?}"));
            }
        }
    })
}

/// The same content under another delivery id: another identity.
pub(crate) fn another_delivery(provider: &dyn Webhooks, evidence: &Evidence) -> Vec<Failure> {
    each(provider, evidence, |fixture, complaints| {
        let Some(id) = fixture.delivery(provider).filter(|_| !fixture.is_unsignable()) else { return };
        let other_id = changed_at(&id, id.len() - 1);
        let body = replaced(&fixture.body, &id, &other_id);
        let Ok(attempt) = fixture.sender(provider).delivery(&other_id).send(body) else {
            return complaints.add("cannot be signed again");
        };
        let label = attempt.open(provider).map(|verified| provider.label(&verified).delivery);
        if label.as_ref().ok() != Some(&Some(other_id)) {
            complaints.add(format!("signed under another delivery id is labelled {label:?}"));
        }
        let what = "under another delivery id";
        if let Some((recorded, other)) = both(provider, fixture, &attempt, what, complaints)
            // Hints that say their own time are known again by that.
            && !recorded.is_disjoint(&other)
            && !is_known_by_its_mark(provider, fixture, &id)
        {
            complaints.add(format!("{what} has the same identity: {other:?}"));
        }
    })
}

/// A hint whose signed body says its own id or time, under a made-up delivery id: the same identity. One that says neither:
/// another, since nothing that is signed tells it from the next.
pub(crate) fn same_hint(provider: &dyn Webhooks, evidence: &Evidence) -> Vec<Failure> {
    each(provider, evidence, |fixture, complaints| {
        let Some(id) = fixture.delivery(provider).filter(|_| !fixture.is_unsignable()) else { return };
        if is_signed(provider, fixture, &id) || !fixture.covers(provider).body {
            return;
        }
        let other_id = changed_at(&id, id.len() - 1);
        let hints = |attempt: &Attempt| {
            let notices = attempt.notices(provider).unwrap_or_default().into_iter();
            let hints = notices.filter(|notice| matches!(notice.what, What::Hint { .. }));
            hints.map(|notice| notice.identity).collect::<BTreeSet<_>>()
        };
        let recorded = hints(&fixture.attempt());
        let Ok(again) = fixture.sender(provider).delivery(&other_id).send_again() else { return };
        if recorded.is_empty() {
            return;
        }
        let same = recorded == hints(&again);
        match has_own_mark(provider, fixture) {
            true if !same => complaints.add("under a made-up delivery id the same hint is new"),
            false if same => {
                complaints.add("a hint that says no id and no time of its own is a repeat of the one before it")
            }
            _ => {}
        }
    })
}

/// Whether it has a hint that is known again whatever id it comes under.
fn is_known_by_its_mark(provider: &dyn Webhooks, fixture: &Fixture, id: &str) -> bool {
    let notices = fixture.attempt().notices(provider).unwrap_or_default();
    let hints = notices.iter().any(|notice| matches!(notice.what, What::Hint { .. }));
    hints && !is_signed(provider, fixture, id) && has_own_mark(provider, fixture)
}

/// Whether the body says an id or a time of its own, by what the provider declares.
fn has_own_mark(provider: &dyn Webhooks, fixture: &Fixture) -> bool {
    let Ok(body) = serde_json::from_slice::<Value>(&fixture.body) else { return false };
    let marks =
        places::of(&body).into_iter().filter(|place| provider.profile().own_marks.iter().any(|path| place.is(path)));
    marks.filter_map(|place| body.pointer(&place.pointer)).any(|value| !value.is_null())
}

/// Another body under the same delivery id, if whoever has a signed body can make the id up: another identity.
pub(crate) fn another_body(provider: &dyn Webhooks, evidence: &Evidence) -> Vec<Failure> {
    each(provider, evidence, |fixture, complaints| {
        let Some(id) = fixture.delivery(provider) else { return };
        // Whoever has a token can make everything up with it.
        if is_signed(provider, fixture, &id) || fixture.covers(provider) == Covers::NOTHING {
            return;
        }
        let sender = fixture.sender(provider);
        let sample = Sample { number: 77, updated_at: fixture.now(), account: &sender.account };
        let bodies = [Some([&fixture.body[..], b"\n"].concat().into()), provider.sample(&sender.topic, &sample)];
        for body in bodies.into_iter().flatten() {
            let Ok(attempt) = sender.send(body) else {
                complaints.add("cannot be signed with another body");
                continue;
            };
            let what = "with another body under the same delivery id";
            if let Some((recorded, other)) = both(provider, fixture, &attempt, what, complaints)
                && !recorded.is_disjoint(&other)
            {
                complaints.add(format!("{what} has the same identity: {other:?}"));
            }
        }
    })
}

/// Whether the fixture is refused once its delivery id is another, wherever it stands.
fn is_signed(provider: &dyn Webhooks, fixture: &Fixture, id: &str) -> bool {
    let other_id = changed_at(id, id.len() - 1);
    let mut attempt = fixture.attempt().body(replaced(&fixture.body, id, &other_id));
    for (name, value) in fixture.headers.iter().filter(|(_, value)| value == id) {
        attempt = attempt.header(name, &[value.replace(id, &other_id).into_bytes()]);
    }
    attempt.open(provider).is_err()
}

fn replaced(body: &[u8], from: &str, to: &str) -> Vec<u8> {
    std::str::from_utf8(body).map_or_else(|_| body.to_vec(), |text| text.replace(from, to).into_bytes())
}
