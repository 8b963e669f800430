//! Topics must fit bodies: where the topic is not signed, whoever saw one delivery can send its body under another.

use hooktide_model::fault::Fault;
use hooktide_model::names::Kind;
use hooktide_model::notice::{State, What};
use hooktide_providers::{Covers, Webhooks};

use crate::evidence::{Evidence, Fixture};
use crate::rule::{Failure, each};

/// A topic that no provider has.
pub(crate) const UNKNOWN_TOPIC: &str = "made/up";

/// What a notice amounts to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meaning {
    Present(Kind),
    Deleted(Kind),
    Hint(&'static str),
    Privacy,
    Nothing,
}

fn meaning(what: &What) -> Meaning {
    match what {
        What::Entity(entity) => match entity.state {
            State::Present(_) => Meaning::Present(entity.kind),
            State::Deleted => Meaning::Deleted(entity.kind),
        },
        What::Hint { resource, .. } => Meaning::Hint(resource),
        What::Privacy(_) => Meaning::Privacy,
        What::Ignored { .. } | What::Kept { .. } => Meaning::Nothing,
    }
}

/// What the fixture's body means under a topic: nothing, if it is signed but unreadable, or if it says its own topic,
/// and that is signed.
fn meanings(provider: &dyn Webhooks, fixture: &Fixture, topic: &str) -> Result<Vec<Meaning>, Fault> {
    let attempt = fixture.sender(provider).topic(topic).send_again()?;
    if attempt.says_another_topic(provider, topic) {
        return Ok(Vec::new());
    }
    match attempt.notices(provider) {
        Ok(notices) => Ok(notices.iter().map(|notice| meaning(&notice.what)).collect()),
        Err(Fault::Permanent { .. }) => Ok(Vec::new()),
        Err(fault) => Err(fault),
    }
}

/// A body means under every topic what it means under its own, or nothing. Where a provider sends the very same body
/// under two topics, nobody can tell which was meant; the fixture then says so, as `# fits: <topic>`.
pub(crate) fn topics_fit_bodies(provider: &dyn Webhooks, evidence: &Evidence) -> Vec<Failure> {
    compare(provider, evidence, |fixture, topic, own, other| {
        let same_body = fixture.comments.get("fits").is_some_and(|fits| fits == topic);
        same_body || other == Meaning::Nothing || own.contains(&other)
    })
}

/// A request to erase or disclose something means nothing under any other topic: its body says less than its topic, and
/// disclosing a customer must not become erasing a shop.
pub(crate) fn privacy_has_one_topic(provider: &dyn Webhooks, evidence: &Evidence) -> Vec<Failure> {
    compare(provider, evidence, |_, _, _, other| other != Meaning::Privacy)
}

/// Tells where a body means something under another topic that is not `allowed`, given what it means under its own.
fn compare(
    provider: &dyn Webhooks,
    evidence: &Evidence,
    allowed: impl Fn(&Fixture, &str, &[Meaning], Meaning) -> bool,
) -> Vec<Failure> {
    each(provider, evidence, |fixture, complaints| {
        // Whoever has a token can say anything with it; and what nobody can sign again says its topic in the body.
        if fixture.covers(provider) == Covers::NOTHING || fixture.is_unsignable() {
            return;
        }
        let own_topic = fixture.topic(provider).unwrap_or_default();
        let own = match meanings(provider, fixture, &own_topic) {
            Ok(own) => own,
            Err(fault) => return complaints.add(format!("cannot be read under its own topic: {fault}")),
        };
        for topic in provider.profile().topics.iter().map(|topic| topic.name).filter(|topic| *topic != own_topic) {
            match meanings(provider, fixture, topic) {
                Err(fault) => complaints.add(format!("under {topic} fails: {fault}")),
                Ok(others) => {
                    for other in others.into_iter().filter(|other| !allowed(fixture, topic, &own, *other)) {
                        complaints.add(format!("under {topic} means {other:?}, under its own topic {own:?}"));
                    }
                }
            }
        }
    })
}

/// Under a topic that is not declared, a body means nothing.
pub(crate) fn unknown_topics(provider: &dyn Webhooks, evidence: &Evidence) -> Vec<Failure> {
    each(provider, evidence, |fixture, complaints| {
        if fixture.is_unsignable() {
            return;
        }
        let attempt = match fixture.sender(provider).topic(UNKNOWN_TOPIC).send_again() {
            Ok(attempt) => attempt,
            Err(fault) => return complaints.add(format!("cannot be signed under another topic: {fault}")),
        };
        let labelled = attempt.open(provider).map(|verified| provider.label(&verified).topic);
        if labelled.is_ok_and(|topic| topic.as_deref() != Some(UNKNOWN_TOPIC)) {
            return; // The body says its topic, and that is signed.
        }
        match attempt.notices(provider) {
            Ok(notices) if !notices.is_empty() && notices.iter().all(|n| meaning(&n.what) == Meaning::Nothing) => {}
            other => complaints.add(format!("under an unknown topic is not ignored: {other:?}")),
        }
    })
}
