//! Keys that a provider publishes: fetched by the id that a request names, and remembered. Nobody has verified the request
//! yet, so calls are counted before they are made, and a key that is known outlives every failure.

use std::num::NonZeroUsize;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http::header::AUTHORIZATION;
use jiff::Timestamp;

use super::cache::OpenEndpoint;
use super::limiter::Allowance;
use crate::flight::Flights;
use crate::{Ports, Settings};
use hooktide_model::fault::Fault;
use hooktide_model::secret::{LiveSecret, Secret};
use hooktide_model::signing;
use hooktide_providers::{Answer, ApiToken, Ask, KeyStep, KeyTask, Provider, Refusal, RemoteKeys};
use hooktide_store::ports::{Call, Destination, Limits};
use hooktide_store::remembered::Remembered;

/// The number of keys, ids without one, and tokens are remembered, each by themselves.
const CAPACITY: NonZeroUsize = NonZeroUsize::new(1_000).unwrap();
/// How long a key is used before it is asked for again.
const LIFETIME: Duration = Duration::from_secs(3600);
/// How long an id is remembered as unknown.
const UNKNOWN: Duration = Duration::from_secs(300);
/// How long an id is not looked up again after the first failure; twice as long after each further one, up to
/// [`LONGEST_PAUSE`].
const PAUSE: Duration = Duration::from_secs(5);
/// See [`PAUSE`]. Also how long a key that could not be asked for again is used until the next try.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// How long before its expiry a token is given up, so that none expires on its way.
const MARGIN: Duration = Duration::from_secs(60);
/// How long a provider may take to answer a look-up: a delivery waits for it.
const LOOK_UP_TIME: Duration = Duration::from_millis(2500);
/// The largest answer to a look-up, in bytes.
const LOOK_UP_SIZE: usize = 1024 * 1024;
/// The longest life of a token that is believed.
const LONGEST_LIFE: Duration = Duration::from_secs(24 * 3600);

/// The key that a request names, as far as it is known.
#[derive(Clone)]
pub(super) enum Known {
    /// The key.
    Key(LiveSecret),
    /// The provider has no key with that id, or cannot be asked: the request is refused.
    None,
    /// Too many unknown ids were named.
    Limited {
        /// Seconds until another may be.
        retry_after: u64,
    },
}

/// A key by its provider and id.
type Id = (&'static str, String);
/// A look-up: the endpoint, whose credentials may be wrong, and the id.
type Question = (String, String);

/// The keys that this instance has fetched. Those that are known and those that are not are kept apart: whoever makes ids
/// up displaces no key.
pub(super) struct KeyCache {
    keys: Remembered<Id, LiveSecret>,
    /// How often in a row the provider gave no answer; zero if it answered that there is no such key.
    missing: Remembered<Question, u32>,
    /// By a hash of what asks for them, so one for each app.
    tokens: Remembered<[u8; 32], Secret>,
    key_flights: Flights<Question, Result<Known, Fault>>,
    token_flights: Flights<[u8; 32], Result<Secret, Fault>>,
}

/// Who wants a key, with what it is asked for.
pub(super) struct Asking<'a> {
    pub(super) ports: &'a Ports,
    pub(super) settings: &'a Settings,
    pub(super) provider: &'static dyn Provider,
    pub(super) keys: &'a dyn RemoteKeys,
    pub(super) endpoint: &'a OpenEndpoint,
    pub(super) now: Timestamp,
}

impl KeyCache {
    pub(super) fn new() -> Self {
        Self {
            // Requests read the clock before they wait.
            keys: Remembered::new(CAPACITY).overtaken_by(LIFETIME),
            missing: Remembered::new(CAPACITY).overtaken_by(UNKNOWN),
            tokens: Remembered::new(CAPACITY).overtaken_by(LIFETIME),
            key_flights: Flights::default(),
            token_flights: Flights::default(),
        }
    }

    /// The key of that id: known, or fetched if the `budget` for ids that nobody knows allows it.
    ///
    /// A [`Fault::Retryable`] if the provider does not answer, and no key is known.
    pub(super) async fn key(
        &self,
        asking: &Asking<'_>,
        id: &str,
        budget: impl Fn() -> Allowance,
    ) -> Result<Known, Fault> {
        if let Some(known) = self.remembered(asking, id)? {
            return Ok(known);
        }
        let fetch = async {
            // Another request may have fetched it since this one arrived.
            match self.remembered(asking, id)? {
                Some(known) => Ok(known),
                None => self.fetch(asking, id, budget).await,
            }
        };
        // Those who wait may have a budget of their own.
        let is_shared = |result: &Result<Known, Fault>| !matches!(result, Ok(Known::Limited { .. }));
        self.key_flights.once((asking.endpoint.id.clone(), id.to_owned()), fetch, is_shared).await
    }

    /// The answer that needs no call.
    fn remembered(&self, asking: &Asking<'_>, id: &str) -> Result<Option<Known>, Fault> {
        let key = (asking.provider.id(), id.to_owned());
        if self.keys.last(&key).is_some() {
            return Ok(self.keys.get(&key, asking.now).map(Known::Key));
        }
        match self.missing.get(&(asking.endpoint.id.clone(), id.to_owned()), asking.now) {
            Some(0) => Ok(Some(Known::None)),
            Some(_) => Err(Fault::retryable("the provider gave no key a moment ago")),
            None => Ok(None),
        }
    }

    async fn fetch(&self, asking: &Asking<'_>, id: &str, budget: impl Fn() -> Allowance) -> Result<Known, Fault> {
        let Some(api) = asking.settings.api(asking.provider) else { return Ok(Known::None) };
        let key = (asking.provider.id(), id.to_owned());
        let question = (asking.endpoint.id.clone(), id.to_owned());
        let former = self.keys.last(&key).map(|(_, key)| key);
        let task = KeyTask { id, api, secrets: &asking.endpoint.secrets, token: None, now: asking.now };
        // Without credentials, the provider cannot be asked.
        let Some(Ask::Http(ask_token)) = asking.keys.first(&task)? else {
            return Ok(former.map_or(Known::None, Known::Key));
        };
        if former.is_none()
            && let Allowance::Exceeded { retry_after } = budget()
        {
            return Ok(Known::Limited { retry_after });
        }
        let (found, life) = match (self.ask(asking, &task, ask_token).await, former) {
            (Ok(Some(found)), _) => (found, LIFETIME),
            // The meaning of an id never changes, so a known key stays valid.
            (Err(_), Some(former)) => (former, LONGEST_PAUSE),
            // The provider has no such key, or no longer: whatever it signed counts no more.
            (Ok(None), _) => {
                self.keys.forget(&key);
                self.missing.put(question, 0, UNKNOWN, asking.now);
                return Ok(Known::None);
            }
            (Err(fault), None) => {
                let failures = self.missing.last(&question).map_or(0, |(_, failures)| failures).saturating_add(1);
                let pause = PAUSE.saturating_mul(1 << (failures - 1).min(8)).min(LONGEST_PAUSE);
                self.missing.put(question, failures, pause, asking.now);
                return Err(fault);
            }
        };
        self.missing.forget(&question);
        self.keys.put(key, found.clone(), life, asking.now);
        Ok(Known::Key(found))
    }

    /// Asks for a key, with the token that there is, or with a new one.
    async fn ask(
        &self,
        asking: &Asking<'_>,
        task: &KeyTask<'_>,
        ask_token: Request<Bytes>,
    ) -> Result<Option<LiveSecret>, Fault> {
        let app = identity(&ask_token);
        for _ in 0..2 {
            let request = ask_token.clone();
            let get = async { self.token(asking, task, app, request).await };
            let token = self.token_flights.once(app, get, |_| true).await?;
            let task = KeyTask { token: Some(&token), ..*task };
            let Some(Ask::Http(request)) = asking.keys.first(&task)? else { return Ok(None) };
            let answer = asking.ports.http.send(look_up(request)).await?;
            match asking.keys.read(&task, &answer) {
                Ok(KeyStep::Found(key)) => return Ok(Some(key)),
                Ok(KeyStep::Unknown) => return Ok(None),
                // The provider may have ended the token early.
                Err(Refusal::Refused) => {
                    if self.tokens.last(&app).is_some_and(|(_, kept)| kept == token) {
                        self.tokens.forget(&app);
                    }
                }
                Ok(KeyStep::Token(_)) => return Err(Fault::retryable("the provider gave a token for a key")),
                Err(refusal) => return Err(later("a key", &answer, refusal)),
            }
        }
        Err(Fault::retryable("the provider takes no token that it gives"))
    }

    async fn token(
        &self,
        asking: &Asking<'_>,
        task: &KeyTask<'_>,
        app: [u8; 32],
        request: Request<Bytes>,
    ) -> Result<Secret, Fault> {
        if let Some(token) = self.tokens.get(&app, asking.now) {
            return Ok(token);
        }
        let answer = asking.ports.http.send(look_up(request)).await?;
        let ApiToken { secret, lifetime } = match asking.keys.read(task, &answer) {
            Ok(KeyStep::Token(token)) => token,
            Ok(KeyStep::Found(_) | KeyStep::Unknown) => {
                return Err(Fault::retryable("the provider gave no token"));
            }
            Err(refusal) => return Err(later("a token", &answer, refusal)),
        };
        let life = lifetime.min(LONGEST_LIFE).saturating_sub(MARGIN);
        self.tokens.put(app, secret.clone(), life, asking.now);
        Ok(secret)
    }
}

/// The fault of a look-up that was refused. Whatever the reason is, also our own credentials: the provider must not learn
/// of it as a refusal of its delivery.
fn later(what: &str, answer: &Answer, refusal: Refusal) -> Fault {
    let detail = format!("the provider answers {} when asked for {what}: {refusal}", answer.status().as_u16());
    Fault::Retryable { detail, after: refusal.after() }
}

/// A request to a provider's API that a delivery waits for.
fn look_up(request: Request<Bytes>) -> Call {
    let limits = Limits { time: LOOK_UP_TIME, size: LOOK_UP_SIZE };
    Call { request, limits, to: Destination::Operator }
}

/// Identifies the app that a token request is for: the same request gets the same token.
fn identity(request: &Request<Bytes>) -> [u8; 32] {
    let credentials = request.headers().get(AUTHORIZATION).map(|value| value.as_bytes()).unwrap_or_default();
    signing::sha256(&[request.uri().to_string().as_bytes(), b"\0", credentials, b"\0", request.body()])
}
