//! Whatever a signed request says, reading it gives notices or a permanent fault: no panic, no retry, no crash.

use std::panic::{AssertUnwindSafe, catch_unwind};

use hooktide_model::fault::{ErrorClass, Fault};
use hooktide_providers::Webhooks;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::{Config, RngSeed, TestRunner};
use serde_json::Value;

use crate::attempt::{Attempt, Sender};
use crate::evidence::{Evidence, Place};
use crate::fit::UNKNOWN_TOPIC;
use crate::mutations::{deep_values, mutants};
use crate::rule::{Failure, each};

/// Fixtures up to this size are edited at random, and mutated everywhere and under every topic.
const SMALL: usize = 8 * 1024;

/// Reads a request all the way; what is refused is of no interest here.
fn survives(provider: &dyn Webhooks, attempt: &Attempt) -> Result<(), String> {
    let Ok(verified) = attempt.open(provider) else { return Ok(()) };
    let read = AssertUnwindSafe(|| {
        provider.label(&verified);
        (provider.readable(&verified), provider.parse(&verified))
    });
    let (readable, parsed) = catch_unwind(read).map_err(|panic| {
        let text =
            panic.downcast::<String>().map_or_else(|other| other.downcast().map_or("", |text| *text).into(), |t| *t);
        format!("panics: {text}")
    })?;
    match (readable, parsed) {
        (Ok(()) | Err(Fault::Permanent { .. }), Err(Fault::Permanent { .. })) => Ok(()),
        (Ok(()) | Err(Fault::Permanent { .. }), Ok(notices)) if notices.iter().all(|n| !n.identity.is_empty()) => {
            Ok(())
        }
        (readable, parsed) => Err(format!("gives {readable:?} and {parsed:?}")),
    }
}

/// The same for a body that the provider signs.
fn survives_body(sender: &Sender<'_>, body: Vec<u8>) -> Result<(), String> {
    let attempt = sender.send(body).map_err(|fault| format!("cannot be signed: {fault}"))?;
    survives(sender.provider, &attempt)
}

/// All topics that are worth a try.
fn topics(provider: &dyn Webhooks) -> Vec<&'static str> {
    provider.profile().topics.iter().map(|topic| topic.name).chain([UNKNOWN_TOPIC]).collect()
}

/// Tries random bodies under each topic; `PROPTEST_CASES` and `PROPTEST_RNG_SEED` try more and others.
fn tries(provider: &dyn Webhooks, evidence: &Evidence, bodies: &impl Strategy<Value = Vec<u8>>) -> Vec<Failure> {
    let Some(fixture) = evidence.fixtures.iter().find(|fixture| !fixture.is_unsignable()) else {
        return vec![Failure::new(provider, "fixtures", "there is none to sign like")];
    };
    let mut failures = Vec::new();
    for topic in topics(provider) {
        let mut config = Config { failure_persistence: None, max_shrink_iters: 512, ..Config::default() };
        if config.rng_seed == RngSeed::Random {
            config.rng_seed = RngSeed::Fixed(1);
        }
        let sender = fixture.sender(provider).topic(topic);
        let result =
            TestRunner::new(config).run(bodies, |body| survives_body(&sender, body).map_err(TestCaseError::fail));
        if let Err(proptest::test_runner::TestError::Fail(reason, body)) = &result {
            let what = format!("with the body {:?} {reason}", String::from_utf8_lossy(body));
            failures.push(Failure::new(provider, topic, what));
        } else if let Err(error) = result {
            failures.push(Failure::new(provider, topic, error.to_string()));
        }
    }
    failures
}

/// Random bytes.
pub(crate) fn any_bytes(provider: &dyn Webhooks, evidence: &Evidence) -> Vec<Failure> {
    tries(provider, evidence, &vec(any::<u8>(), 0..256))
}

/// Random JSON, with the keys and texts of the fixtures in it.
pub(crate) fn any_json(provider: &dyn Webhooks, evidence: &Evidence) -> Vec<Failure> {
    let mut words = vec![String::new()];
    for fixture in &evidence.fixtures {
        words_of(&serde_json::from_slice(&fixture.body).unwrap_or_default(), &mut words);
    }
    words.sort();
    words.dedup();
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        vec(any::<char>(), 0..12).prop_map(|text| Value::from(String::from_iter(text))),
        select(words.clone()).prop_map(Value::from),
    ];
    let json = leaf.prop_recursive(4, 48, 8, move |inner| {
        let field = (select(words.clone()), inner.clone());
        prop_oneof![
            vec(inner, 0..6).prop_map(Value::from),
            vec(field, 0..12).prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    });
    tries(provider, evidence, &json.prop_map(|json| json.to_string().into_bytes()))
}

fn words_of(value: &Value, words: &mut Vec<String>) {
    match value {
        Value::String(text) => words.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| words_of(item, words)),
        Value::Object(fields) => {
            for (key, field) in fields {
                words.push(key.clone());
                words_of(field, words);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// A fixture's body with a few bytes set, left out or doubled.
pub(crate) fn any_edit(provider: &dyn Webhooks, evidence: &Evidence) -> Vec<Failure> {
    let bodies = evidence.fixtures.iter().map(|fixture| fixture.body.to_vec());
    let bodies = bodies.filter(|body| !body.is_empty() && body.len() <= SMALL).collect::<Vec<_>>();
    if bodies.is_empty() {
        return Vec::new(); // A provider that sends no bodies.
    }
    let edit = (any::<Index>(), 0..16_usize, 0..3_u8, any::<u8>());
    let edited = (select(bodies), vec(edit, 1..6)).prop_map(|(mut body, edits)| {
        for (at, length, sort, byte) in edits {
            let start = at.index(body.len() + 1);
            let end = (start + length).min(body.len());
            match sort {
                0 => drop(body.drain(start..end)),
                1 => drop(body.splice(start..start, body[start..end].to_vec())),
                _ => drop(body.splice(start..(start + 1).min(end), [byte])),
            }
        }
        body
    });
    tries(provider, evidence, &edited)
}

/// A fixture's body with a value that does not belong there, under its own and every other topic.
pub(crate) fn any_value(provider: &dyn Webhooks, evidence: &Evidence) -> Vec<Failure> {
    each(provider, evidence, |fixture, complaints| {
        if fixture.is_unsignable() {
            return;
        }
        let own = fixture.topic(provider).unwrap_or_default();
        let small = fixture.body.len() <= SMALL;
        for topic in topics(provider).into_iter().filter(|topic| small || *topic == own) {
            let sender = fixture.sender(provider).topic(topic);
            // Then it is the same as under its own.
            if sender.send_again().is_ok_and(|attempt| attempt.says_another_topic(provider, topic)) {
                continue;
            }
            for body in mutants(&fixture.body, if topic == own && small { usize::MAX } else { 2 }) {
                if let Err(what) = survives_body(&sender, body.clone().into_bytes()) {
                    complaints.add(format!("under {topic} with the body {} {what}", abridged(&body)));
                }
            }
        }
    })
}

fn abridged(body: &str) -> String {
    if body.len() <= 400 { body.to_owned() } else { format!("of {} bytes", body.len()) }
}

/// Headers that are not signed may say anything.
pub(crate) fn any_header(provider: &dyn Webhooks, evidence: &Evidence) -> Vec<Failure> {
    each(provider, evidence, |fixture, complaints| {
        let signature = fixture.comments.get("signature").map(String::as_str);
        let read = provider.profile().headers.iter().copied().filter(|name| Some(*name) != signature);
        for name in read {
            let long = "x".repeat(100_000);
            let values =
                ["", " ", "x", "\"", "/", "-1", "0", "2026-02-30T00:00:00Z", "\t", "é", "%00", "[]", "{", &long];
            let values = values.iter().map(|value| vec![value.as_bytes().to_vec()]);
            let odd = [vec![], vec![vec![0xff]], vec![b"a".to_vec(), b"b".to_vec()]];
            for values in values.chain(odd) {
                if let Err(what) = survives(provider, &fixture.attempt().header(name, &values)) {
                    complaints.add(format!("with {name} as {values:.80?} {what}"));
                }
            }
        }
    })
}

/// A fixture is of the form that the provider sends.
pub(crate) fn fixtures_are_readable(provider: &dyn Webhooks, evidence: &Evidence) -> Vec<Failure> {
    each(provider, evidence, |fixture, complaints| {
        let readable = fixture.attempt().open(provider).map(|verified| provider.readable(&verified));
        if readable != Ok(Ok(())) {
            complaints.add(format!("is not readable: {readable:?}"));
        }
    })
}

/// A byte order mark before a signed body is passed over: it is signed, and says nothing.
pub(crate) fn byte_order_mark(provider: &dyn Webhooks, evidence: &Evidence) -> Vec<Failure> {
    each(provider, evidence, |fixture, complaints| {
        if fixture.is_unsignable() || fixture.body.is_empty() {
            return;
        }
        let sender = fixture.sender(provider);
        let (own, marked) = (sender.send_again(), sender.send([b"\xef\xbb\xbf", &fixture.body[..]].concat()));
        let (Ok(own), Ok(marked)) = (own, marked) else { return complaints.add("cannot be signed with a mark") };
        let what = |attempt: &Attempt| {
            let notices = attempt.notices(provider);
            notices.map(|notices| notices.into_iter().map(|notice| notice.what).collect::<Vec<_>>())
        };
        let readable = marked.open(provider).map(|verified| provider.readable(&verified));
        if readable != Ok(Ok(())) || what(&own) != what(&marked) {
            complaints.add(format!("with a byte order mark tells {:?}, not {:?}", what(&marked), what(&own)));
        }
    })
}

/// JSON that nests deep is told apart before anybody reads it in full, wherever it nests.
pub(crate) fn deep_bodies_are_unreadable(provider: &dyn Webhooks, evidence: &Evidence) -> Vec<Failure> {
    each(provider, evidence, |fixture, complaints| {
        if fixture.is_unsignable() {
            return;
        }
        let Ok(Value::Object(mut fields)) = serde_json::from_slice(&fixture.body) else { return };
        fields.insert("deep".into(), "deep".into());
        let fields = Value::from(fields).to_string();
        let sender = fixture.sender(provider);
        let in_body = matches!(fixture.signature(), Some((Place::Field(_), _)));
        for deep in deep_values() {
            let within = fields.replace("\"deep\":\"deep\"", &format!("\"deep\":{deep}"));
            // Where the proof stands in the body, a body of nothing else has none.
            for body in [within].into_iter().chain((!in_body).then_some(deep)) {
                let verified = sender.send(body).ok().and_then(|attempt| attempt.open(provider).ok());
                let readable = verified.map(|verified| provider.readable(&verified));
                if !matches!(readable, Some(Err(Fault::Permanent { class: ErrorClass::Unreadable, .. }))) {
                    complaints.add(format!("nested deep is not unreadable: {readable:?}"));
                }
            }
        }
    })
}
