//! Clover's bodies, read into our terms.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::CHECKOUT;
use crate::fault::Fault;
use crate::names::Kind;
use crate::notice::{Document, EntityNotice, Notice, State, UNKNOWN_TOPIC, Version, What};
use crate::payment::Transaction;
use crate::providers::reading::{LONGEST_ID, is_id, told, unreadable};
use crate::providers::{Becomes, Label};
use crate::signing;

/// The key of payments.
pub(super) const PAYMENT_KEY: &str = "P";
/// How many events of a body have a notice each. Of more, there is one for each merchant and what becomes of them.
const SINGLY: usize = 1_000;
/// The longest key before the colon of an object's id, and the longest type of a checkout, in bytes.
const LONGEST_KEY: usize = 32;
/// The longest body that asks to verify the address, in bytes.
const LONGEST_VERIFICATION: usize = 256;

/// The code of a body that has nothing but one.
pub(super) fn verification_code(body: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    struct Verification {
        verification_code: String,
    }
    if body.len() > LONGEST_VERIFICATION {
        return None;
    }
    let Verification { verification_code } = serde_json::from_slice(body).ok()?;
    is_uuid(&verification_code).then_some(verification_code)
}

fn is_uuid(text: &str) -> bool {
    let fits = |(at, byte): (usize, u8)| match at {
        8 | 13 | 18 | 23 => byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    };
    text.len() == 36 && text.bytes().enumerate().all(fits)
}

/// What an app is told: events of many merchants.
#[derive(Deserialize)]
pub(super) struct Message {
    merchants: Merchants,
}

/// In the order of the body; a merchant that is there twice is kept twice.
struct Merchants(Vec<(String, Vec<Update>)>);

/// An event.
#[derive(Deserialize)]
struct Update {
    #[serde(rename = "objectId")]
    object_id: String,
    #[serde(rename = "type")]
    operation: String,
    ts: i64,
}

impl<'de> Deserialize<'de> for Merchants {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = Merchants;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("events by merchant")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Merchants, A::Error> {
                let mut merchants = Vec::new();
                while let Some((merchant, updates)) = map.next_entry::<String, _>()? {
                    // Each of its events repeats it, so that a long one would grow beyond all bounds.
                    if merchant.len() > LONGEST_ID {
                        return Err(A::Error::custom("no merchant has so long an id"));
                    }
                    merchants.push((merchant, updates));
                }
                Ok(Merchants(merchants))
            }
        }

        deserializer.deserialize_map(InOrder)
    }
}

impl Update {
    /// What kind of thing it is about.
    fn key(&self) -> &str {
        self.object_id.split_once(':').map_or("", |(key, _)| key)
    }
}

impl Message {
    fn updates(&self) -> impl Iterator<Item = (&str, &Update)> {
        self.merchants.0.iter().flat_map(|(merchant, updates)| updates.iter().map(move |one| (merchant.as_str(), one)))
    }

    /// The topic of the first event.
    pub(super) fn topic(&self) -> Option<String> {
        let (_, first) = self.updates().next()?;
        Some(first.key().to_owned()).filter(|key| (1..=LONGEST_KEY).contains(&key.len()))
    }

    /// Whether any of its events is a payment's: it must not wait because another stands before it.
    pub(super) fn has_payment(&self) -> bool {
        self.updates().any(|(_, update)| update.key() == PAYMENT_KEY)
    }

    /// What it tells: a notice for each event. Beyond [`SINGLY`], events only say which resource to fetch, so one notice
    /// for each merchant and resource says as much, with the whole body for its identity.
    pub(super) fn notices(&self, body: &[u8]) -> Vec<Notice> {
        let whole = signing::sha256_hex(body);
        let mut notices = Vec::new();
        let mut folded = BTreeSet::new();
        for (number, (merchant, update)) in self.updates().enumerate() {
            let becomes = super::PROFILE.becomes(update.key());
            let word = match becomes {
                Some(Becomes::Sync(word) | Becomes::Ignored(word)) => word,
                Some(Becomes::Kind(_) | Becomes::Privacy) | None => UNKNOWN_TOPIC,
            };
            let what = told(becomes);
            let identity = if number < SINGLY {
                let Update { object_id, operation, ts } = update;
                format!("{merchant}/{object_id}/{operation}/{ts}")
            } else if folded.insert((merchant, word)) {
                format!("{merchant}/{word}/{whole}")
            } else {
                continue;
            };
            notices.push(Notice { account: Some(merchant.to_owned()), identity, what });
        }
        if notices.is_empty() {
            notices.push(Notice { account: None, identity: whole, what: What::ignored("it tells of no event") });
        }
        notices
    }
}

/// What Hosted Checkout tells of. The page that describes it writes its keys in capitals, receivers in small letters.
#[derive(Deserialize)]
pub(super) struct Checkout<'a> {
    #[serde(borrow, rename = "type", alias = "Type")]
    sort: Cow<'a, str>,
    #[serde(borrow, rename = "id", alias = "Id")]
    id: Cow<'a, str>,
    #[serde(borrow, rename = "status", alias = "Status")]
    status: Cow<'a, str>,
    #[serde(borrow, rename = "merchantId", alias = "MerchantId")]
    merchant_id: Cow<'a, str>,
    #[serde(borrow, rename = "data", alias = "Data")]
    session: Option<Cow<'a, str>>,
    #[serde(borrow, rename = "createdTime", alias = "CreatedTime")]
    created_time: Option<&'a RawValue>,
}

/// The time, if it is milliseconds, seconds, or RFC 3339: no page says how it is written.
fn created_time(written: &RawValue) -> Option<Timestamp> {
    let written = written.get();
    let text: Cow<'_, str> =
        if written.starts_with('"') { serde_json::from_str::<String>(written).ok()?.into() } else { written.into() };
    let Ok(number) = text.parse() else { return text.parse().ok() };
    // As seconds, this many would be the year 5138; as milliseconds, they are 1973.
    if number < 100_000_000_000 { Timestamp::from_second(number) } else { Timestamp::from_millisecond(number) }.ok()
}

/// The part of a [`Checkout`] that a label is made of: all that is read before the message is on its queue.
#[derive(Deserialize)]
pub(super) struct Named<'a> {
    #[serde(borrow, rename = "type", alias = "Type")]
    sort: Cow<'a, str>,
    #[serde(borrow, rename = "id", alias = "Id")]
    id: Cow<'a, str>,
}

impl Named<'_> {
    /// Its label: the delivery is the id of what it is about.
    pub(super) fn label(self) -> Label {
        let priority = self.sort == PAYMENT;
        let topic = (self.sort.len() <= LONGEST_KEY).then(|| [CHECKOUT, &*self.sort].concat());
        Label { topic, delivery: is_id(&self.id).then(|| self.id.into_owned()), priority }
    }
}

/// The type of a checkout's payments.
const PAYMENT: &str = "PAYMENT";

impl Checkout<'_> {
    /// What it tells.
    pub(super) fn notice(self, signed_at: Timestamp) -> Result<Notice, Fault> {
        let Self { sort, id, status, merchant_id, .. } = &self;
        if !is_id(id) {
            return Err(unreadable("no id, or one that cannot be"));
        }
        let identity = [&**merchant_id, sort, id, status].join("/");
        let account = Some(merchant_id.clone().into_owned());
        if sort != PAYMENT {
            return Ok(Notice { account, identity, what: What::ignored(UNKNOWN_TOPIC) });
        }
        let time = self.created_time.and_then(created_time).unwrap_or(signed_at);
        let document = Transaction {
            id: self.id.clone().into_owned(),
            kind: self.sort.into_owned(),
            status: self.status.into_owned(),
            // The message has an amount in a sentence, in no unit that a page names.
            amount: None,
            currency: None,
            payment_type: None,
            reference: self.session.map(Cow::into_owned),
            account: account.clone(),
            updated_at: time.to_string(),
        };
        let entity = EntityNotice {
            occurred_at: Some(time),
            ..EntityNotice::new(
                Kind::Transaction,
                self.id.into_owned(),
                Version::from_time(time),
                State::Present(Document::Transaction(Box::new(document))),
            )
        };
        Ok(Notice { account, identity, what: What::Entity(entity) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payment_is_found_wherever_it_stands() {
        for (merchants, expected) in [
            (r#"{"A":[{"objectId":"P:1","type":"CREATE","ts":1}]}"#, true),
            (r#"{"A":[{"objectId":"I:1","type":"CREATE","ts":1},{"objectId":"P:1","type":"CREATE","ts":1}]}"#, true),
            (
                r#"{"A":[{"objectId":"I:1","type":"CREATE","ts":1}],"B":[{"objectId":"P:1","type":"CREATE","ts":1}]}"#,
                true,
            ),
            (r#"{"A":[{"objectId":"I:P","type":"CREATE","ts":1},{"objectId":"P","type":"CREATE","ts":1}]}"#, false),
            (r#"{"A":[]}"#, false),
        ] {
            let message: Message = serde_json::from_str(&format!(r#"{{"merchants":{merchants}}}"#)).unwrap();
            assert_eq!(message.has_payment(), expected, "{merchants}");
        }
    }

    #[test]
    fn a_merchant_has_no_id_that_grows_with_each_of_its_events() {
        let message = |merchant: &str| {
            let event = r#"{"objectId":"I:1","type":"CREATE","ts":1}"#;
            serde_json::from_str::<Message>(&format!(r#"{{"merchants":{{"{merchant}":[{event},{event}]}}}}"#))
        };
        assert!(message(&"M".repeat(LONGEST_ID)).is_ok());
        assert!(message(&"M".repeat(LONGEST_ID + 1)).is_err());
    }
}
