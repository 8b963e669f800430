//! Fuzzing of one provider: every request is verified, and every verified request is read to its end.

use std::collections::BTreeSet;

use bytes::Bytes;
use hooktide_model::fault::AuthFault;
use hooktide_model::secret::{LiveSecret, Secret, Secrets};
use hooktide_providers::verified::{self, Verified};
use hooktide_providers::{Answer, Arrival, Ask, HandshakeReply, KeyStep, KeyTask, Proof, Sample, Unsigned, Webhooks};
use http::{HeaderName, Method, Request};
use jiff::Timestamp;

use super::attempt::{Attempt, clock};
use super::recorded::Recorded;
use super::told;

const ACCOUNT: &str = "somebody";
const DELIVERY: &str = "delivery-1";
const ADDRESS: &str = "https://hooks.example.com/webhooks/fuzzed";
/// The longest answer to a handshake, and the longest code that is kept of one, in bytes.
const LONGEST_ANSWER: usize = 4_096;

/// One provider.
pub struct ProviderTarget {
    provider: &'static dyn Webhooks,
    /// All secrets that verify the recorded deliveries, and all that sign.
    given: Vec<LiveSecret>,
    secrets: Secrets,
    hands: Vec<Hand>,
}

/// One way in which the provider signs.
struct Hand {
    topic: &'static str,
    secrets: Secrets,
    /// The headers that the provider reads and that this way does not bind.
    free: Vec<HeaderName>,
}

impl ProviderTarget {
    pub(super) fn new(provider: &'static dyn Webhooks) -> Self {
        let recorded = Recorded::all(provider.id());
        let mut given: Vec<LiveSecret> = Vec::new();
        let signing: Vec<LiveSecret> = recorded.iter().filter_map(Recorded::signing).collect();
        for live in recorded.iter().filter_map(Recorded::verifying).chain(signing.iter().cloned()) {
            if !given.contains(&live) {
                given.push(live);
            }
        }
        let mut target = Self { provider, secrets: Secrets::new(given.clone()), given, hands: Vec::new() };
        let mut known = BTreeSet::new();
        for live in signing {
            let secrets = Secrets::new(vec![live.clone()]);
            for topic in provider.profile().topics.iter().map(|topic| topic.name) {
                // Keeps the first of several secrets that sign in the same way.
                if let Some(way) = target.way(topic, &secrets)
                    && known.insert((live.name.clone(), way))
                {
                    let hand = Hand { topic, secrets: secrets.clone(), free: Vec::new() };
                    let free = target.free(&hand);
                    target.hands.push(Hand { free, ..hand });
                }
            }
        }
        assert!(!target.hands.is_empty(), "{} signs nothing", provider.id());
        target
    }

    pub(super) fn id(&self) -> &'static str {
        self.provider.id()
    }

    pub(super) fn secrets(&self) -> &[LiveSecret] {
        &self.given
    }

    pub(super) fn seeds(&self) -> Vec<(String, Vec<u8>)> {
        Recorded::all(self.id()).into_iter().map(|recorded| (recorded.name.clone(), recorded.input())).collect()
    }

    /// How a sample of the topic is proved by these secrets: the place, and what comes before the proof itself.
    fn way(&self, topic: &str, secrets: &Secrets) -> Option<(usize, String)> {
        let request = self.signed_sample(topic, secrets)?;
        let verified = self.verify(&request, ADDRESS, clock(None));
        let schemes = self.provider.profile().schemes;
        let place = schemes.iter().position(|scheme| match scheme.proof {
            Proof::Header(name) => request.headers().contains_key(name),
            Proof::Field(_) => true,
        });
        let place = verified.ok().and(place)?;
        let list = schemes[place].list;
        let proof = match schemes[place].proof {
            Proof::Header(name) if list => request.headers()[name].to_str().unwrap_or_default(),
            Proof::Header(_) | Proof::Field(_) => "",
        };
        Some((place, proof.split(',').next().unwrap_or_default().to_owned()))
    }

    fn signed_sample(&self, topic: &str, secrets: &Secrets) -> Option<Request<Bytes>> {
        let sample = Sample { number: 1, updated_at: clock(None), account: ACCOUNT };
        let body = self.provider.sample(topic, &sample)?;
        self.sign(topic, secrets, body, ADDRESS, clock(None)).ok()
    }

    fn free(&self, hand: &Hand) -> Vec<HeaderName> {
        let request = self.signed_sample(hand.topic, &hand.secrets).expect("a sample that was signed before");
        let free = |name: &HeaderName| {
            let mut request = request.clone();
            request.headers_mut().insert(name, http::HeaderValue::from_static("another"));
            self.verify(&request, ADDRESS, clock(None)).is_ok()
        };
        let names = self.provider.profile().headers.iter().map(|name| HeaderName::from_static(name));
        names.filter(free).collect()
    }

    fn sign(
        &self,
        topic: &str,
        secrets: &Secrets,
        body: Bytes,
        url: &str,
        now: Timestamp,
    ) -> Result<Request<Bytes>, String> {
        let unsigned = Unsigned { topic, body, account: ACCOUNT, delivery: DELIVERY, secrets, url, now };
        self.provider.sign(unsigned).map_err(|fault| format!("what it should sign it does not: {fault}"))
    }

    /// A body, signed in each of the ways.
    pub(super) fn signed(&self, body: &Bytes, url: &str, now: Timestamp) -> Result<Vec<Request<Bytes>>, String> {
        self.hands.iter().map(|hand| self.sign(hand.topic, &hand.secrets, body.clone(), url, now)).collect()
    }

    pub(super) fn examine(&self, input: &[u8]) -> Result<(), String> {
        let Attempt { request, url, now } = Attempt::read(input);
        let answers = self.handshake(&request, &url, now)?;
        if let Ok(verified) = self.open(&request, &url, now)? {
            if answers && request.method() == Method::POST {
                return Err("a delivery that verifies is taken for a handshake, and so lost".into());
            }
            self.read(&verified, input.len())?;
        }
        self.fetch(&request, now)?;
        for (hand, mut signed) in self.hands.iter().zip(self.signed(request.body(), ADDRESS, now)?) {
            for name in &hand.free {
                signed.headers_mut().remove(name);
                for value in request.headers().get_all(name) {
                    signed.headers_mut().append(name, value.clone());
                }
            }
            if let Ok(verified) = self.verify(&signed, ADDRESS, now) {
                self.read(&verified, input.len())?;
            }
        }
        Ok(())
    }

    /// Whether it is a handshake.
    fn handshake(&self, request: &Request<Bytes>, url: &str, now: Timestamp) -> Result<bool, String> {
        let find = || self.provider.handshake(&self.arrival(request, url, now));
        let (found, again) = (find(), find());
        if format!("{found:?}") != format!("{again:?}") {
            return Err(format!("the same handshake comes to {found:?} and to {again:?}"));
        }
        match &found {
            Some(HandshakeReply::Answer(answer)) if answer.status().is_server_error() => {
                Err(format!("a handshake is answered {}", answer.status()))
            }
            Some(HandshakeReply::Answer(answer)) if answer.body().len() > LONGEST_ANSWER => {
                Err(format!("a handshake is answered by {} bytes", answer.body().len()))
            }
            Some(HandshakeReply::Keep(code)) if code.is_empty() || code.len() > LONGEST_ANSWER => {
                Err(format!("a code of {} bytes is kept", code.len()))
            }
            _ => Ok(found.is_some()),
        }
    }

    fn arrival<'a>(&'a self, request: &'a Request<Bytes>, url: &'a str, now: Timestamp) -> Arrival<'a> {
        Arrival { request, url, secrets: &self.secrets, now }
    }

    fn verify(&self, request: &Request<Bytes>, url: &str, now: Timestamp) -> Result<Verified, AuthFault> {
        verified::open(self.provider, &self.arrival(request, url, now))
    }

    fn open(&self, request: &Request<Bytes>, url: &str, now: Timestamp) -> Result<Result<Verified, AuthFault>, String> {
        let open = || self.verify(request, url, now);
        let (opened, again) = (open(), open());
        let result = |opened: &Result<Verified, AuthFault>| {
            opened.as_ref().map(|it| (it.key_id().cloned(), it.dropped().to_vec())).map_err(|fault| *fault)
        };
        if result(&opened) != result(&again) {
            return Err(format!("the same request is verified as {:?} and as {:?}", result(&opened), result(&again)));
        }
        Ok(opened)
    }

    fn read(&self, verified: &Verified, size: usize) -> Result<(), String> {
        let read = || (self.provider.label(verified), self.provider.readable(verified), self.provider.parse(verified));
        let (first, again) = (read(), read());
        if first != again {
            return Err(format!("the same delivery is read as {first:?} and as {again:?}"));
        }
        let (label, readable, parsed) = first;
        told::check(self.provider, &label, &readable, &parsed, size)
    }

    /// Fetches the key that the request wants; every question is answered with this body.
    fn fetch(&self, request: &Request<Bytes>, now: Timestamp) -> Result<(), String> {
        let Some(api) = self.provider.api() else { return Ok(()) };
        let arrival = self.arrival(request, ADDRESS, now);
        let Some((keys, Ok(id))) = api.keys().map(|keys| (keys, keys.wanted(&arrival))) else { return Ok(()) };
        let answer = Answer::new(request.body().clone());
        let task =
            KeyTask { id: &id, api: api.base().fixed().unwrap_or_default(), secrets: &self.secrets, token: None, now };
        let token = match (keys.first(&task), keys.read(&task, &answer)) {
            (Ok(_), Ok(KeyStep::Token(token))) => token.secret,
            _ => Secret::new("a token"),
        };
        let task = KeyTask { token: Some(&token), ..task };
        if let Ok(Some(Ask::Http(_))) = keys.first(&task)
            && let Ok(KeyStep::Found(key)) = keys.read(&task, &answer)
            && key.id.0 != id
        {
            return Err(format!("asked for the key {id:?}, it takes {:?}", key.id.0));
        }
        Ok(())
    }
}
