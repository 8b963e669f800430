//! Paysafe's webhooks: the proof is of the body, by a key whose text is base64.

mod payload;
mod sample;

use bytes::Bytes;
use http::Request;
use jiff::Timestamp;

use self::payload::Event;
use super::topics::WALLET_TRANSACTION;
use super::{PROFILE, Paysafe, SECRET, SIGNATURE};
use crate::lenient::Object;
use crate::sample::sent;
use crate::verified::Verified;
use crate::{Arrival, Becomes, Label, Proved, Sample, Unsigned, Webhooks, reading};
use hooktide_model::fault::{AuthFault, ErrorClass, Fault};
use hooktide_model::names::Kind;
use hooktide_model::notice::{Notice, UNKNOWN_TOPIC, What};
use hooktide_model::secret::{LiveSecret, Secret, Secrets};
use hooktide_model::signing;

impl Webhooks for Paysafe {
    fn verify(&self, arrival: &Arrival<'_>) -> Result<Proved, AuthFault> {
        let signature = signing::strict_base64(arrival.signature(SIGNATURE)?)?;
        let keys = decoded(arrival.secrets, arrival.now);
        Arrival { secrets: &keys, ..*arrival }
            .verify_mac(SECRET, &signature, |key| signing::hmac_sha256(key, &[arrival.body()]))
    }

    fn label(&self, verified: &Verified) -> Label {
        let event = verified.json::<Object<Event<'_>>>().ok().map(|Object(event)| event);
        let topic = event.as_ref().and_then(Event::topic).map(str::to_owned);
        let becomes = topic.as_deref().and_then(|name| PROFILE.becomes(name));
        Label { topic, delivery: None, priority: becomes == Some(Becomes::Kind(Kind::Transaction)) }
    }

    fn parse(&self, verified: &Verified) -> Result<Vec<Notice>, Fault> {
        let Object(event): Object<Event<'_>> = verified.json()?;
        let topic = event.topic().unwrap_or_default().to_owned();
        let whole = |what| Notice { account: None, identity: signing::sha256_hex(verified.body()), what };
        let notice = match PROFILE.becomes(&topic) {
            Some(Becomes::Kind(Kind::Account)) => event.merchant_account()?,
            Some(Becomes::Kind(_)) if topic == WALLET_TRANSACTION => event.wallet_transaction()?,
            Some(Becomes::Kind(_)) => event.transaction(&topic)?,
            // All that Paysafe does is about money.
            None => whole(What::perhaps_money(format!("{UNKNOWN_TOPIC}; all that Paysafe does may be about money"))),
            other => whole(reading::told(other)),
        };
        Ok(vec![notice])
    }

    fn sample(&self, topic: &str, sample: &Sample<'_>) -> Option<Bytes> {
        (topic == sample::ANY || PROFILE.becomes(topic).is_some()).then(|| sample::body(topic, sample)).flatten()
    }

    fn sign(&self, unsigned: Unsigned<'_>) -> Result<Request<Bytes>, Fault> {
        let unfit = || Fault::permanent(ErrorClass::Unreadable, format!("the secret `{SECRET}` is not base64"));
        let key = decode(&unsigned.secret(SECRET)?.secret).ok_or_else(unfit)?;
        let mac = signing::hmac_sha256(key.expose(), &[&unsigned.body]);
        let request = Request::post(unsigned.url)
            .header("content-type", "application/json")
            .header(SIGNATURE, data_encoding::BASE64.encode(&mac));
        sent(request, unsigned.body)
    }
}

/// Refuses a secret that is no key.
pub(super) fn check_key(secret: &Secret) -> Result<(), &'static str> {
    let key = decode(secret).map(drop);
    key.ok_or("it must be base64 without white space, as the Business Portal shows it")
}

/// The key that a secret is the text of.
fn decode(secret: &Secret) -> Option<Secret> {
    let key = signing::strict_base64(secret.expose_text()?).ok()?;
    if key.is_empty() { None } else { Some(Secret::new(key)) }
}

/// The live keys. What is not base64 is no key: nothing may ever be compared with what it would make.
fn decoded(secrets: &Secrets, now: Timestamp) -> Secrets {
    let keys = secrets.live(SECRET, now);
    Secrets::new(keys.filter_map(|live| Some(LiveSecret { secret: decode(&live.secret)?, ..live.clone() })).collect())
}
