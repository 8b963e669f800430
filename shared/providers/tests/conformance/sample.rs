//! Samples are what they claim to be. They are never used to judge `verify`, since a provider could agree with itself.

use hooktide_model::notice::{Notice, State, Version, What};
use hooktide_model::secret::{Secret, Secrets};
use hooktide_model::signing::SUBSCRIPTION_KEY;
use hooktide_providers::{Becomes, Label, Sample, Topic, Unsigned, Webhooks};
use jiff::{SignedDuration, Timestamp};

use crate::attempt::{Attempt, live};
use crate::evidence::{Evidence, Fixture};
use crate::fit::UNKNOWN_TOPIC;
use crate::priority;
use crate::rule::{Complaints, Failure};

/// The label and the notices of a sample that was signed, sent, verified and parsed.
fn read(
    provider: &dyn Webhooks,
    fixture: &Fixture,
    topic: &Topic,
    number: u64,
    updated_at: Timestamp,
) -> Result<(Label, Vec<Notice>), String> {
    let sender = fixture.sender(provider).topic(topic.name);
    let sample = Sample { number, updated_at, account: &sender.account };
    let body = provider.sample(topic.name, &sample).ok_or("has no sample")?;
    let attempt = sender.send(body).map_err(|fault| format!("is not signed: {fault}"))?;
    let verified = attempt.open(provider).map_err(|fault| format!("is refused: {fault}"))?;
    let label = provider.label(&verified);
    if label.topic.as_deref() != Some(topic.name) {
        return Err(format!("is labelled {:?}", label.topic));
    }
    let notices = provider.parse(&verified).map_err(|fault| format!("is not readable: {fault}"))?;
    if notices.is_empty() { Err("tells nothing".into()) } else { Ok((label, notices)) }
}

/// The notices of such a sample alone.
fn notices(
    provider: &dyn Webhooks,
    fixture: &Fixture,
    topic: &Topic,
    number: u64,
    updated_at: Timestamp,
) -> Result<Vec<Notice>, String> {
    read(provider, fixture, topic, number, updated_at).map(|(_, notices)| notices)
}

/// Runs a check on each declared topic.
fn each_topic(
    provider: &dyn Webhooks,
    evidence: &Evidence,
    check: impl Fn(&Fixture, &Topic) -> Result<(), String>,
) -> Vec<Failure> {
    let signable = evidence.fixtures.iter().filter(|fixture| !fixture.is_unsignable()).collect::<Vec<_>>();
    let like = |topic: &Topic| {
        let same = signable.iter().find(|fixture| fixture.topic(provider).as_deref() == Some(topic.name));
        same.or(signable.first()).ok_or_else(|| "has no fixture to be signed like".to_owned())
    };
    let topics = provider.profile().topics.iter();
    let failed =
        topics.filter_map(|topic| Some((topic.name, like(topic).and_then(|fixture| check(fixture, topic)).err()?)));
    failed.map(|(topic, what)| Failure::new(provider, topic, format!("a sample {what}"))).collect()
}

/// A sample becomes what its topic declares.
pub(crate) fn become_as_declared(provider: &dyn Webhooks, evidence: &Evidence) -> Vec<Failure> {
    each_topic(provider, evidence, |fixture, topic| {
        let fits = |what: &What| match (topic.becomes, what) {
            (Becomes::Kind(kind), What::Entity(entity)) => entity.kind == kind,
            (Becomes::Sync(resource), What::Hint { resource: told, .. }) => resource == *told,
            (Becomes::Privacy, What::Privacy(_)) => true,
            (Becomes::Ignored(reason), What::Ignored { reason: told }) => reason == told,
            (Becomes::Kind(_) | Becomes::Sync(_) | Becomes::Privacy | Becomes::Ignored(_), _) => false,
        };
        // A delivery may also ask to fetch the fields of an entity that it leaves out.
        let asks_for_the_rest = |what: &What| match (topic.becomes, what) {
            (Becomes::Kind(kind), What::Hint { resource, .. }) => *resource == kind.collection(),
            (Becomes::Kind(_) | Becomes::Sync(_) | Becomes::Privacy | Becomes::Ignored(_), _) => false,
        };
        let notices = notices(provider, fixture, topic, 1, fixture.now())?;
        let fitting = notices.iter().filter(|notice| fits(&notice.what)).count();
        let odd = notices.iter().find(|notice| !fits(&notice.what) && !asks_for_the_rest(&notice.what));
        match odd.or(notices.first().filter(|_| fitting == 0)) {
            Some(notice) => Err(format!("becomes {:?}, not {:?}", notice.what, topic.becomes)),
            None => Ok(()),
        }
    })
}

/// A sample that reports a payment overtakes others.
pub(crate) fn payments_overtake(provider: &dyn Webhooks, evidence: &Evidence) -> Vec<Failure> {
    each_topic(provider, evidence, |fixture, topic| {
        let (label, notices) = read(provider, fixture, topic, 1, fixture.now())?;
        if priority::is_left_out(&label, &notices) {
            Err("tells of a payment and has no priority".into())
        } else {
            Ok(())
        }
    })
}

/// The entities of a sample: id, version, and whether they exist.
fn entities(notices: Vec<Notice>) -> Vec<(String, Version, bool)> {
    let entities = notices.into_iter().filter_map(|notice| match notice.what {
        What::Entity(entity) => Some((entity.id, entity.version, matches!(entity.state, State::Present(_)))),
        What::Hint { .. } | What::Privacy(_) | What::Ignored { .. } | What::Kept { .. } => None,
    });
    entities.collect()
}

/// Samples with the same number are about the same entity; those with different numbers are about different ones.
pub(crate) fn numbers_are_things(provider: &dyn Webhooks, evidence: &Evidence) -> Vec<Failure> {
    each_topic(provider, evidence, |fixture, topic| {
        let ids = |number: u64, ago: i64| {
            let updated_at = fixture.now() - SignedDuration::from_hours(ago);
            let entities = entities(notices(provider, fixture, topic, number, updated_at)?);
            Ok::<_, String>(entities.into_iter().map(|(id, ..)| id).collect::<Vec<_>>())
        };
        let (one, again, two) = (ids(1, 0)?, ids(1, 1)?, ids(2, 0)?);
        if one != again {
            return Err(format!("of the same number is about {one:?} and then about {again:?}"));
        }
        let mixed = one.iter().find(|id| two.contains(id));
        mixed.map_or(Ok(()), |id| Err(format!("of another number is about the same {id}")))
    })
}

/// An earlier time gives a smaller version; only deletions may be without a time.
pub(crate) fn earlier_is_smaller(provider: &dyn Webhooks, evidence: &Evidence) -> Vec<Failure> {
    each_topic(provider, evidence, |fixture, topic| {
        let at = |ago: i64| {
            let updated_at = fixture.now() - SignedDuration::from_hours(ago);
            notices(provider, fixture, topic, 1, updated_at).map(entities)
        };
        for ((_, older, present), (_, newer, _)) in at(1)?.into_iter().zip(at(0)?) {
            let in_order = if present { older < newer } else { older <= newer };
            if !in_order {
                return Err(format!("of an hour before has version {older}, not less than {newer}"));
            }
        }
        Ok(())
    })
}

/// The sample secrets fit what is needed, and with them alone a sample of every topic is signed and accepted.
pub(crate) fn secrets_suffice(provider: &dyn Webhooks, evidence: &Evidence) -> Vec<Failure> {
    let (account, given) = (provider.profile().sample_account, provider.profile().sample_secrets);
    let mut complaints = Complaints::default();
    if account.is_empty() || (provider.profile().normalise_account)(account) != account {
        complaints.add(format!("{account:?} is no account as routes know it"));
    }
    for (name, text) in given {
        if !provider.profile().needs.iter().any(|need| need.name == *name) {
            complaints.add(format!("there is no secret `{name}`"));
        }
        if let Err(form) = provider.profile().check_secret(name, &Secret::new(text.as_bytes())) {
            complaints.add(format!("`{name}` {form}"));
        }
    }
    for need in provider.profile().needs.iter().filter(|need| need.required) {
        if !given.iter().any(|(name, _)| *name == need.name) {
            complaints.add(format!("`{}` is required", need.name));
        }
    }
    let derived = provider.profile().derives_tokens.then(|| live(SUBSCRIPTION_KEY, "k7", "hush-subscription-key"));
    let secrets = given.iter().map(|(name, text)| live(name, name, *text)).chain(derived).collect::<Vec<_>>();
    let Some(fixture) = evidence.fixtures.first() else { return complaints.of(provider, "samples") };
    let (now, url) = (fixture.now(), fixture.url.as_str());
    for Topic { name, .. } in provider.profile().topics {
        let sample = Sample { number: 1, updated_at: now, account };
        let secrets = Secrets::new(secrets.clone());
        let body = provider.sample(name, &sample).unwrap_or_default();
        let unsigned = Unsigned { topic: name, body, account, delivery: "sample", secrets: &secrets, url, now };
        let signed = provider.sign(unsigned).map_err(|fault| format!("{name} is not signed: {fault}"));
        let opened = signed.and_then(|request| {
            let attempt = Attempt { request, url: url.to_owned(), now, secrets };
            attempt.open(provider).map(drop).map_err(|fault| format!("{name} is refused: {fault}"))
        });
        if let Err(what) = opened {
            complaints.add(what);
        }
    }
    complaints.of(provider, "samples")
}

/// A topic that the provider does not send has no sample.
pub(crate) fn unknown_topics(provider: &dyn Webhooks, evidence: &Evidence) -> Vec<Failure> {
    let now = evidence.fixtures.first().map_or(Timestamp::UNIX_EPOCH, Fixture::now);
    let sample = provider.sample(UNKNOWN_TOPIC, &Sample { number: 1, updated_at: now, account: "somebody" });
    sample.map(|_| Failure::new(provider, UNKNOWN_TOPIC, "has a sample")).into_iter().collect()
}
