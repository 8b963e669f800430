//! Ways to verify wrongly. All of them accept what was recorded.

use bytes::Bytes;
use data_encoding::{BASE64, Specification};
use hooktide_model::fault::AuthFault;
use hooktide_model::secret::{KeyId, LiveSecret, Secrets};
use hooktide_model::signing;
use hooktide_providers::Arrival;
use http::Request;
use http::header::{HeaderMap, HeaderValue};
use jiff::{SignedDuration, Timestamp};

use super::flaws::Flaw;
use super::provider::Broken;
use crate::evidence::Fixture;
use crate::keys::OTHER_NAME;

/// Verifies as the flaw has it.
pub(super) fn verify(broken: &Broken, arrival: &Arrival<'_>) -> Result<KeyId, AuthFault> {
    let Arrival { request, url, secrets, now } = *arrival;
    let need = broken.inner.profile().needs[0].name;
    let soundly = |request: &Request<Bytes>, secrets: &Secrets, now| {
        broken.inner.verify(&Arrival { request, url, secrets, now }).map(|proved| proved.key)
    };
    let live = || secrets.live(need, now);
    let first = || live().next().map(|secret| secret.id.clone()).ok_or(AuthFault::NoSecret);
    let recorded = || recorded(broken, request);
    match broken.flaw {
        Flaw::AcceptsEverything => Ok(KeyId("any".into())),
        Flaw::IgnoresTheBody | Flaw::IgnoresTheEndOfTheBody | Flaw::TrimsTheBody | Flaw::PrintsTheBodyAgain => {
            let seen = recorded().filter(|fixture| takes_for(broken.flaw, request.body(), &fixture.body));
            let body = seen.map_or(request.body().clone(), |fixture| fixture.body.clone());
            soundly(&with_body(request, body), secrets, now)
        }
        Flaw::BindsTheAddress if recorded().is_some_and(|fixture| fixture.url != url) => Err(AuthFault::Mismatch),
        Flaw::BindsTheTime
            if now.duration_since(broken.recorded.fixtures[0].now()).abs() > SignedDuration::from_mins(5) =>
        {
            Err(AuthFault::Expired)
        }
        Flaw::TakesNoSignature if signature(broken, request).is_empty() => first(),
        Flaw::TakesTheFirstHeader
        | Flaw::TakesTheFirstOfAList
        | Flaw::TakesTheStart
        | Flaw::TakesTheAsciiPart
        | Flaw::TakesWhiteSpace
        | Flaw::TakesLooseBase64
        | Flaw::TakesBase64ForUrls => soundly(&with_repaired_signature(broken, request), secrets, now),
        Flaw::ComparesAStart | Flaw::ComparesWhatIsGiven => {
            let given = BASE64.decode(signature(broken, request)).map_err(|_| AuthFault::Malformed)?;
            let length = if broken.flaw == Flaw::ComparesAStart { 8 } else { given.len() };
            let fits = |secret: &&LiveSecret| {
                let mac = signing::hmac_sha256(secret.secret.expose(), &[request.body()]);
                given.get(..length).is_some_and(|start| mac.starts_with(start))
            };
            live().find(fits).map(|secret| secret.id.clone()).ok_or(AuthFault::Mismatch)
        }
        Flaw::TakesAnyKey => soundly(request, secrets, now).or_else(|fault| match fault {
            AuthFault::Mismatch => first(),
            fault => Err(fault),
        }),
        Flaw::TakesNoSecretAsEmpty if live().next().is_none() => signed_by_nothing(broken, request),
        Flaw::TakesEmptySecrets if live().any(|secret| secret.secret.expose().is_empty()) => {
            soundly(request, secrets, now).or_else(|_| signed_by_nothing(broken, request))
        }
        Flaw::TakesAnyName => soundly(request, &renamed(secrets, need, now), now),
        Flaw::TakesRetiredSecrets => soundly(request, secrets, Timestamp::MIN),
        Flaw::TriesTheFirstSecretOnly => soundly(request, &Secrets::new(live().take(1).cloned().collect()), now),
        Flaw::NamesTheFirstSecret => soundly(request, secrets, now).and_then(|_| first()),
        _ => soundly(request, secrets, now),
    }
}

/// The fixture that has the request's signature.
fn recorded<'a>(broken: &'a Broken, request: &Request<Bytes>) -> Option<&'a Fixture> {
    let fixtures = broken.recorded.fixtures.iter();
    let has = |fixture: &&Fixture| {
        fixture.signature().is_some_and(|(_, value)| value.as_bytes() == signature(broken, request))
    };
    fixtures.into_iter().find(has)
}

/// Whether a body passes for the one that was recorded.
fn takes_for(flaw: Flaw, body: &[u8], recorded: &[u8]) -> bool {
    let value = |body: &[u8]| serde_json::from_slice::<serde_json::Value>(body).ok();
    match flaw {
        Flaw::IgnoresTheEndOfTheBody => body.iter().take(200).eq(recorded.iter().take(200)),
        Flaw::TrimsTheBody => body.trim_ascii() == recorded.trim_ascii(),
        Flaw::PrintsTheBodyAgain => value(body).is_some() && value(body) == value(recorded),
        _ => true,
    }
}

fn name(broken: &Broken) -> &str {
    &broken.recorded.fixtures[0].comments["signature"]
}

fn signature<'a>(broken: &Broken, request: &'a Request<Bytes>) -> &'a [u8] {
    request.headers().get(name(broken)).map_or(&[], HeaderValue::as_bytes)
}

fn with_body(request: &Request<Bytes>, body: Bytes) -> Request<Bytes> {
    let mut request = request.clone();
    *request.body_mut() = body;
    request
}

/// The request with a signature that is made strict first, as the flaw has it.
fn with_repaired_signature(broken: &Broken, request: &Request<Bytes>) -> Request<Bytes> {
    let given = signature(broken, request);
    let (none, length) = (Vec::new(), 44);
    let repaired = match broken.flaw {
        Flaw::TakesTheFirstHeader => given.to_vec(),
        Flaw::TakesTheFirstOfAList => given.split(|byte| *byte == b',').next().map_or(none, <[u8]>::to_vec),
        Flaw::TakesTheStart => given[..given.len().min(length)].to_vec(),
        Flaw::TakesTheAsciiPart => given.iter().copied().filter(u8::is_ascii).collect(),
        Flaw::TakesWhiteSpace => given.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect(),
        Flaw::TakesLooseBase64 => loosely(given).map_or(none, String::into_bytes),
        Flaw::TakesBase64ForUrls => String::from_utf8_lossy(given).replace('-', "+").replace('_', "/").into_bytes(),
        _ => given.to_vec(),
    };
    let mut request = request.clone();
    let more = request.headers().get_all(name(broken)).iter().count() > 1;
    if !more || broken.flaw == Flaw::TakesTheFirstHeader {
        set(request.headers_mut(), name(broken), &repaired);
    }
    request
}

fn set(headers: &mut HeaderMap, name: &str, value: &[u8]) {
    let name = http::HeaderName::from_bytes(name.as_bytes()).unwrap();
    headers.insert(name, HeaderValue::from_bytes(value).unwrap());
}

/// Base64 without its padding, or with stray bits, made canonical.
fn loosely(given: &[u8]) -> Option<String> {
    let mut lenient = Specification::new();
    lenient.symbols.push_str("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
    lenient.check_trailing_bits = false;
    let bare = std::str::from_utf8(given).ok()?.trim_end_matches('=');
    Some(BASE64.encode(&lenient.encoding().unwrap().decode(bare.as_bytes()).ok()?))
}

/// Accepts what the empty key signed.
fn signed_by_nothing(broken: &Broken, request: &Request<Bytes>) -> Result<KeyId, AuthFault> {
    let mac = BASE64.encode(&signing::hmac_sha256(b"", &[request.body()]));
    if mac.as_bytes() == signature(broken, request) { Ok(KeyId(String::new())) } else { Err(AuthFault::Mismatch) }
}

/// All secrets under the name that counts.
fn renamed(secrets: &Secrets, need: &str, now: Timestamp) -> Secrets {
    let all = secrets.live(need, now).chain(secrets.live(OTHER_NAME, now));
    Secrets::new(all.map(|secret| LiveSecret { name: need.to_owned(), ..secret.clone() }).collect())
}
