//! A provider with one flaw; everything else is the sound provider's.

use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use hooktide_model::fault::{AuthFault, ErrorClass, Fault};
use hooktide_model::names::PrivacyAct;
use hooktide_model::notice::{EntityNotice, Notice, PrivacyRequest, State, Subject, Version, What};
use hooktide_providers::verified::Verified;
use hooktide_providers::{
    Arrival, Becomes, Covers, HandshakeReply, Label, Profile, Proved, Provider, Sample, Scheme, Unsigned, Webhooks,
};
use http::Request;
use jiff::Timestamp;

use super::flaws::Flaw;
use super::verify;
use crate::evidence::Evidence;
use crate::keys::OTHER_NAME;

pub(super) struct Broken {
    pub(super) inner: &'static dyn Webhooks,
    pub(super) flaw: Flaw,
    profile: &'static Profile,
    /// What it remembers of what was recorded, so that it can accept that and more.
    pub(super) recorded: Evidence,
    count: AtomicU64,
}

impl Broken {
    pub(super) fn new(inner: &'static dyn Webhooks, flaw: Flaw, recorded: Evidence) -> Self {
        let profile = Box::leak(Box::new(profile(*inner.profile(), flaw)));
        Self { inner, flaw, profile, recorded, count: AtomicU64::new(0) }
    }
}

/// What the sound provider is, with what the flaw makes of it.
fn profile(sound: Profile, flaw: Flaw) -> Profile {
    let [scheme] = sound.schemes else { unreachable!("the sound provider has one") };
    let schemes = |covers| Box::leak(Box::new([Scheme { covers, ..*scheme }]));
    let secret = sound.sample_secrets[0];
    match flaw {
        Flaw::DeclaresTheAddress => Profile { schemes: schemes(Covers { url: true, ..scheme.covers }), ..sound },
        Flaw::DeclaresTheTime => Profile { schemes: schemes(Covers { time: true, ..scheme.covers }), ..sound },
        Flaw::DeclaresNothing => Profile { schemes: schemes(Covers { body: false, ..scheme.covers }), ..sound },
        Flaw::SamplesEmptySecrets => Profile { sample_secrets: Box::leak(Box::new([(secret.0, "")])), ..sound },
        Flaw::SamplesUnknownSecrets => {
            Profile { sample_secrets: Box::leak(Box::new([secret, (OTHER_NAME, "secret")])), ..sound }
        }
        Flaw::ReadsNothing => Profile { readable: |_| Err(Fault::failed("no")), ..sound },
        Flaw::ReadsEverything => Profile { readable: |_| Ok(()), ..sound },
        Flaw::NeedsFieldsThatItHasNot => Profile { needed: &["id", "updated_at", "customer", "nowhere"], ..sound },
        _ => sound,
    }
}

impl Provider for Broken {
    fn profile(&self) -> &'static Profile {
        self.profile
    }

    fn webhooks(&self) -> Option<&dyn Webhooks> {
        Some(self)
    }
}

impl Webhooks for Broken {
    fn handshake(&self, _: &Arrival<'_>) -> Option<HandshakeReply> {
        (self.flaw == Flaw::AnswersDeliveries).then(|| HandshakeReply::Keep("code".into()))
    }

    fn verify(&self, arrival: &Arrival<'_>) -> Result<Proved, AuthFault> {
        verify::verify(self, arrival).map(Proved::from)
    }

    fn label(&self, verified: &Verified) -> Label {
        let label = self.inner.label(verified);
        match self.flaw {
            Flaw::LabelsNoTopic => Label { topic: None, ..label },
            _ => label,
        }
    }

    fn parse(&self, verified: &Verified) -> Result<Vec<Notice>, Fault> {
        let label = self.inner.label(verified);
        let topic = label.topic.unwrap_or_default();
        match self.flaw {
            Flaw::TripsOverAMark if verified.body().starts_with(b"\xef\xbb\xbf") => {
                return Err(Fault::permanent(ErrorClass::Unreadable, "no JSON"));
            }
            Flaw::TripsOverTwins if says(verified, r#"[["bent"]],""#) => {
                return Err(Fault::permanent(ErrorClass::Unreadable, "two fields of one name"));
            }
            Flaw::PanicsOnOddBodies => drop(serde_json::from_slice::<serde_json::Value>(verified.body()).unwrap()),
            Flaw::PanicsOnOddNumbers if says(verified, "9007199254740993") => panic!("too large"),
            Flaw::PanicsOnOddHeaders => drop(label.delivery.as_ref().unwrap()),
            Flaw::PanicsOnUnknownKeys if !says(verified, "\"id\"") => panic!("no id"),
            _ => {}
        }
        let mut notices = match (self.flaw, self.inner.parse(verified)) {
            (Flaw::RetriesOddBodies, Err(fault)) => return Err(Fault::retryable(fault.to_string())),
            (_, parsed) => parsed?,
        };
        for notice in &mut notices {
            match (self.flaw, &mut notice.what) {
                (Flaw::LosesWhatHasAnOddField, What::Entity(entity)) if !entity.unread.is_empty() => {
                    return Err(Fault::permanent(ErrorClass::Unreadable, "an odd field"));
                }
                (Flaw::NamesNothingUnread, What::Entity(entity)) => entity.unread.clear(),
                _ => {}
            }
        }
        let body = notices[0].identity.rsplit_once('/').unwrap().1.to_owned();
        for notice in &mut notices {
            let ignored = matches!(notice.what, What::Ignored { .. });
            match self.flaw {
                Flaw::KnowsDeliveriesByTheirId => notice.identity = label.delivery.clone().unwrap_or_default(),
                Flaw::KnowsHintsByTheirId if matches!(notice.what, What::Hint { .. }) => {
                    notice.identity = format!("{}/{body}", label.delivery.clone().unwrap_or_default());
                }
                Flaw::KnowsDeliveriesByTheirBody => notice.identity.clone_from(&body),
                Flaw::CountsDeliveries => notice.identity = self.count.fetch_add(1, Ordering::Relaxed).to_string(),
                Flaw::IdentifiesNothing => notice.identity.clear(),
                Flaw::BelievesTheTopic if ignored && topic.ends_with("/delete") => notice.what = deletion(),
                Flaw::BelievesThePrivacyTopic if ignored && topic.ends_with("/redact") => notice.what = erasure(),
                Flaw::LetsPaymentsWait if !ignored => notice.what = What::hint("payments"),
                Flaw::GuessesUnknownTopics if ignored => notice.what = What::hint("stock"),
                Flaw::VersionsNothing => {
                    if let What::Entity(entity) = &mut notice.what {
                        entity.version = Version(1);
                    }
                }
                _ => {}
            }
        }
        Ok(notices)
    }

    fn sample(&self, topic: &str, sample: &Sample<'_>) -> Option<Bytes> {
        let known = self.inner.profile().topics.iter().any(|known| known.name == topic);
        match self.flaw {
            Flaw::SamplesOneTopic if known => self.inner.sample("products/delete", sample),
            Flaw::SamplesOneThing => self.inner.sample(topic, &Sample { number: 1, ..*sample }),
            Flaw::SamplesOneTime => self.inner.sample(topic, &Sample { updated_at: Timestamp::UNIX_EPOCH, ..*sample }),
            Flaw::SamplesAnything if !known => Some(Bytes::from_static(b"{}")),
            _ => self.inner.sample(topic, sample),
        }
    }

    fn sign(&self, unsigned: Unsigned<'_>) -> Result<Request<Bytes>, Fault> {
        self.inner.sign(unsigned)
    }
}

fn erasure() -> What {
    What::Privacy(PrivacyRequest { act: PrivacyAct::Erase, subject: Subject::Account })
}

fn deletion() -> What {
    let Some(Becomes::Kind(kind)) = super::sound().profile().topics.first().map(|topic| topic.becomes) else {
        unreachable!()
    };
    What::Entity(EntityNotice::new(kind, "1", Version::FINAL, State::Deleted))
}

fn says(verified: &Verified, text: &str) -> bool {
    String::from_utf8_lossy(verified.body()).contains(text)
}
