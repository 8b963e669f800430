//! Providers whose signature binds more or less than the sound one's: address and time, or nothing at all.
//!
//! They show that the rules hold for such providers too, and catch what is wrong with them.

use bytes::Bytes;
use data_encoding::HEXLOWER;
use hooktide_model::fault::{AuthFault, Fault};
use hooktide_model::notice::Notice;
use hooktide_model::signing;
use hooktide_providers::verified::Verified;
use hooktide_providers::{Arrival, Covers, Label, Profile, Proved, Provider, Sample, Unsigned, Webhooks};
use http::{HeaderValue, Request};
use jiff::{SignedDuration, Timestamp};

use crate::evidence::Evidence;

/// Carries the MAC or the token.
const PROOF: &str = "x-proof";
/// Carries the time of sending, in seconds.
const SENT_AT: &str = "x-sent-at";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scheme {
    /// A MAC over address, time and body.
    AddressAndTime,
    /// The secret itself.
    Token,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flaw {
    LeavesOutTheAddress,
    LeavesOutTheTime,
    ToleratesAnyTime,
    ToleratesHours,
    ToleratesSeconds,
    DeclaresTheBody,
}

/// What is wrong with which scheme, and the rules that catch it.
pub(super) const FLAWS: &[(Scheme, Flaw, &[&str])] = &[
    (Scheme::AddressAndTime, Flaw::LeavesOutTheAddress, &["binds_the_address_exactly_as_declared"]),
    (Scheme::AddressAndTime, Flaw::LeavesOutTheTime, &["binds_the_time_exactly_as_declared"]),
    (Scheme::AddressAndTime, Flaw::ToleratesAnyTime, &["binds_the_time_exactly_as_declared"]),
    (Scheme::AddressAndTime, Flaw::ToleratesHours, &["binds_the_time_exactly_as_declared"]),
    (Scheme::AddressAndTime, Flaw::ToleratesSeconds, &["binds_the_time_exactly_as_declared"]),
    (Scheme::Token, Flaw::DeclaresTheBody, &["binds_the_body_exactly_as_declared"]),
];

pub(super) struct Schemed {
    pub(super) inner: &'static dyn Webhooks,
    pub(super) scheme: Scheme,
    pub(super) flaw: Option<Flaw>,
    profile: &'static Profile,
}

impl Schemed {
    pub(super) fn new(inner: &'static dyn Webhooks, scheme: Scheme, flaw: Option<Flaw>) -> Self {
        let bound = scheme == Scheme::AddressAndTime;
        let covers = Covers { body: bound || flaw == Some(Flaw::DeclaresTheBody), url: bound, time: bound };
        let schemes = Box::leak(Box::new([hooktide_providers::Scheme::header(PROOF, covers)]));
        let profile = Box::leak(Box::new(Profile { schemes, ..*inner.profile() }));
        Self { inner, scheme, flaw, profile }
    }

    /// What proves a request.
    fn proof(&self, key: &[u8], url: &str, sent_at: &str, body: &[u8]) -> Vec<u8> {
        let url = if self.flaw == Some(Flaw::LeavesOutTheAddress) { "" } else { url };
        let sent_at = if self.flaw == Some(Flaw::LeavesOutTheTime) { "" } else { sent_at };
        match self.scheme {
            Scheme::Token => key.to_vec(),
            Scheme::AddressAndTime => {
                let mac = signing::hmac_sha256(key, &[url.as_bytes(), b"\n", sent_at.as_bytes(), b"\n", body]);
                HEXLOWER.encode(&mac).into_bytes()
            }
        }
    }

    /// The folder of a provider of this scheme.
    pub(super) fn evidence(&self, mut evidence: Evidence) -> Evidence {
        for fixture in &mut evidence.fixtures {
            let now = fixture.now();
            let (_, secret) = fixture.secret().unwrap();
            let proof = self.proof(secret.as_bytes(), &fixture.url, &now.as_second().to_string(), &fixture.body);
            fixture.headers.push((PROOF.into(), String::from_utf8(proof).unwrap()));
            fixture.headers.push((SENT_AT.into(), now.as_second().to_string()));
            let said = [("signature", PROOF.into()), ("url", fixture.url.clone()), ("signed-at", now.to_string())];
            fixture.comments.extend(said.map(|(key, value)| (key.to_owned(), value)));
        }
        evidence
    }
}

impl Provider for Schemed {
    fn profile(&self) -> &'static Profile {
        self.profile
    }

    fn webhooks(&self) -> Option<&dyn Webhooks> {
        Some(self)
    }
}

impl Webhooks for Schemed {
    fn verify(&self, arrival: &Arrival<'_>) -> Result<Proved, AuthFault> {
        let Arrival { request, url, secrets, now } = *arrival;
        let proof = signing::signature_header(request.headers(), PROOF)?;
        let sent_at = request.headers().get(SENT_AT).and_then(|value| value.to_str().ok()).ok_or(AuthFault::Missing)?;
        let name = self.profile.needs[0].name;
        let live = secrets.live(name, now).collect::<Vec<_>>();
        let fits = |key: &[u8]| signing::equal(&self.proof(key, url, sent_at, request.body()), proof.as_bytes());
        let secret = live.iter().find(|secret| !secret.secret.expose().is_empty() && fits(secret.secret.expose()));
        let fault = if live.is_empty() { AuthFault::NoSecret } else { AuthFault::Mismatch };
        let key_id = secret.map(|secret| secret.id.clone()).ok_or(fault)?;
        let at = sent_at.parse().ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
        let age = now.duration_since(at.ok_or(AuthFault::Malformed)?).abs();
        let tolerance = match self.flaw {
            Some(Flaw::ToleratesAnyTime) => SignedDuration::MAX,
            Some(Flaw::ToleratesHours) => SignedDuration::from_hours(12),
            Some(Flaw::ToleratesSeconds) => SignedDuration::from_secs(30),
            _ => SignedDuration::from_mins(5),
        };
        let checked = self.profile.schemes[0].covers.time;
        if checked && age > tolerance { Err(AuthFault::Expired) } else { Ok(key_id.into()) }
    }

    fn label(&self, verified: &Verified) -> Label {
        self.inner.label(verified)
    }

    fn parse(&self, verified: &Verified) -> Result<Vec<Notice>, Fault> {
        self.inner.parse(verified)
    }

    fn sample(&self, topic: &str, sample: &Sample<'_>) -> Option<Bytes> {
        self.inner.sample(topic, sample)
    }

    fn sign(&self, unsigned: Unsigned<'_>) -> Result<Request<Bytes>, Fault> {
        let sent_at = unsigned.now.as_second().to_string();
        let proof = self.proof(
            unsigned.secret(self.profile.needs[0].name)?.secret.expose(),
            unsigned.url,
            &sent_at,
            &unsigned.body,
        );
        let mut request = self.inner.sign(unsigned)?;
        request.headers_mut().insert(PROOF, HeaderValue::from_bytes(&proof).unwrap());
        request.headers_mut().insert(SENT_AT, HeaderValue::from_str(&sent_at).unwrap());
        Ok(request)
    }
}
