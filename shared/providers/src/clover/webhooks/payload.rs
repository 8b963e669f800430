//! Clover's bodies, read into our terms.

use std::borrow::Cow;
use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::{IgnoredAny, MapAccess};
use serde_json::value::RawValue;

use super::CHECKOUT;
use crate::clover::{PAYMENT_KEY, PAYMENTS};
use crate::json::unreadable;
use crate::lenient::{Field, Lenient, Object, Unread, fields};
use crate::reading::{is_id, told};
use crate::verified::Verified;
use crate::{Becomes, Label};
use hooktide_model::fault::Fault;
use hooktide_model::names::Kind;
use hooktide_model::notice::{Document, EntityNotice, Notice, State, UNKNOWN_TOPIC, Version, What};
use hooktide_model::payment::{Transaction, word};
use hooktide_model::signing;

/// The most events of a body that have a notice each. Of more, there is one for each merchant and what becomes of them.
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

/// The body that an app gets: events of many merchants, in the order of the body; a merchant that is there twice is kept twice.
pub(super) struct Message(Vec<Told>);

/// A merchant and what it is told.
struct Told {
    /// Its id, if that can be one.
    merchant: Option<String>,
    events: Events,
}

/// The events of one merchant.
type Events = Lenient<Vec<Lenient<Object<Update>>>>;

fields! {
    /// An event.
    struct Update {
        object_id: Lenient<String> = "objectId",
        operation: Lenient<String> = "type",
        ts: Lenient<i64>,
    }
}

impl<'de> Field<'de> for Message {
    fn object<A: MapAccess<'de>>(mut map: A) -> Result<Option<Self>, A::Error> {
        let mut merchants = Vec::new();
        while let Some(merchant) = map.next_key::<String>()? {
            // Each of its events repeats it, so that a long one would grow beyond all bounds.
            let merchant = Some(merchant).filter(|merchant| is_id(merchant));
            let events = match merchant {
                Some(_) => map.next_value()?,
                // Nobody knows whose they are: one event that cannot be read is made of all of them.
                None => map.next_value::<IgnoredAny>().map(|_| Lenient::Odd)?,
            };
            merchants.push(Told { merchant, events });
        }
        Ok(Some(Self(merchants)))
    }
}

impl Update {
    /// The kind of object that it is about, if that can be read.
    fn key(&self) -> Option<&str> {
        Some(self.object_id.as_ref()?.split_once(':').map_or("", |(key, _)| key))
    }

    /// What tells it from the other events of its merchant, if all of that can be read.
    fn identity(&self) -> Option<String> {
        let (object, operation, ts) = (self.object_id.as_ref()?, self.operation.as_ref()?, self.ts.as_ref()?);
        Some(format!("{object}/{operation}/{ts}"))
    }
}

impl Message {
    /// Reads a body.
    pub(super) fn read(verified: &Verified) -> Result<Self, Fault> {
        fields! {
            struct Body {
                merchants: Lenient<Message>,
            }
        }
        verified.json::<Body>()?.merchants.needed("merchants")
    }

    /// The events of all merchants; nothing in the place of what is no event.
    fn updates(&self) -> impl Iterator<Item = (Option<&str>, Option<&Update>)> {
        self.0.iter().flat_map(|Told { merchant, events }| {
            let listed = events.as_ref().map(Vec::as_slice).unwrap_or_default();
            let listed = listed.iter().map(|event| event.as_ref().map(|Object(update)| update));
            // What is no list is one event that nobody can read.
            let odd = events.as_ref().is_none().then_some(None);
            listed.chain(odd).map(move |update| (merchant.as_deref(), update))
        })
    }

    fn keys(&self) -> impl Iterator<Item = &str> {
        self.updates().filter_map(|(_, update)| update?.key())
    }

    /// The topic of the first event.
    pub(super) fn topic(&self) -> Option<String> {
        Some(self.keys().next()?.to_owned()).filter(|key| (1..=LONGEST_KEY).contains(&key.len()))
    }

    /// Whether any of its events is a payment's: it must not wait because another comes before it.
    pub(super) fn has_payment(&self) -> bool {
        self.keys().any(|key| key == PAYMENT_KEY)
    }

    /// What it tells: a notice for each event. Beyond [`SINGLY`], events only say which resource to fetch, so one notice
    /// for each merchant and resource says as much, with the whole body for its identity.
    pub(super) fn notices(&self, body: &[u8]) -> Vec<Notice> {
        let whole = signing::sha256_hex(body);
        let mut notices = Vec::new();
        let mut folded = BTreeSet::new();
        for (number, (merchant, update)) in self.updates().enumerate() {
            let (word, what) = update.and_then(Update::key).map_or_else(odd, read);
            let (account, merchant) = (merchant.map(str::to_owned), merchant.unwrap_or_default());
            let identity = if number >= SINGLY {
                if !folded.insert((merchant, word)) {
                    continue;
                }
                format!("{merchant}/{word}/{whole}")
            } else if let Some(identity) = update.and_then(Update::identity) {
                format!("{merchant}/{identity}")
            } else {
                format!("{merchant}/{number}/{whole}")
            };
            notices.push(Notice { account, identity, what });
        }
        if notices.is_empty() {
            notices.push(Notice { account: None, identity: whole, what: What::ignored("it tells of no event") });
        }
        notices
    }
}

/// The notice for an unreadable event, which may be a payment's.
fn odd() -> (&'static str, What) {
    ("unreadable", What::unreadable("an event of a merchant has no `objectId` that can be read, or a merchant no id"))
}

/// The notice for the key of an event, and a word for it.
fn read(key: &str) -> (&'static str, What) {
    match crate::clover::PROFILE.becomes(key) {
        Some(becomes @ (Becomes::Sync(word) | Becomes::Ignored(word))) => (word, told(Some(becomes))),
        // A letter says nothing of what it stands for.
        Some(Becomes::Kind(_) | Becomes::Privacy) | None => (
            UNKNOWN_TOPIC,
            What::perhaps_money("an event about objects that are not known here; it may be about money"),
        ),
    }
}

fields! {
    /// What Hosted Checkout tells of. The page that describes it writes its keys in capitals, receivers in small letters.
    pub(super) struct Checkout<'a> {
        sort: Lenient<String> = "type" | "Type",
        id: Lenient<String> = "id" | "Id",
        status: Lenient<String> = "status" | "Status",
        merchant_id: Lenient<String> = "merchantId" | "MerchantId",
        session: Lenient<String> = "data" | "Data",
        created_time: Option<&'a RawValue> = "createdTime" | "CreatedTime",
    }
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

fields! {
    /// The part of a [`Checkout`] that a label is made of: all that is read before the message is on its queue.
    pub(super) struct Named<'a> {
        sort: Lenient<Cow<'a, str>> = "type" | "Type",
        id: Lenient<Cow<'a, str>> = "id" | "Id",
    }
}

impl Named<'_> {
    /// Its label: the delivery is the id of what it is about.
    pub(super) fn label(self) -> Label {
        let sort = self.sort.read().unwrap_or_default();
        let topic = (1..=LONGEST_KEY).contains(&sort.len()).then(|| [CHECKOUT, &*sort].concat());
        let delivery = self.id.read().filter(|id| is_id(id)).map(Cow::into_owned);
        Label { topic, delivery, priority: sort == PAYMENT }
    }
}

/// The type of a checkout's payments.
const PAYMENT: &str = "PAYMENT";

impl Checkout<'_> {
    /// What it tells.
    pub(super) fn notice(self, signed_at: Timestamp) -> Result<Notice, Fault> {
        let (sort, id) = (self.sort.needed("type")?, self.id.needed("id")?);
        let (status, merchant_id) = (self.status.needed("status")?, self.merchant_id.needed("merchantId")?);
        if !is_id(&id) {
            return Err(unreadable("no id, or one that cannot be"));
        }
        let identity = [&*merchant_id, &*sort, &*id, &*status].join("/");
        let account = Some(merchant_id);
        if sort != PAYMENT {
            let reason = "a sort of Hosted Checkout that is not known here; it may be about money";
            return Ok(Notice { account, identity, what: What::perhaps_money(reason) });
        }
        let mut unread = Unread::default();
        let time = self.created_time.and_then(created_time);
        if time.is_none() {
            unread.note("createdTime");
        }
        let time = time.unwrap_or(signed_at);
        let document = Transaction {
            id: id.clone(),
            kind: word(&sort),
            status: word(&status),
            // The message has an amount in a sentence, in no unit that a page names.
            amount_minor: None,
            currency: None,
            payment_type: None,
            reference: self.session.sent_or_note(&mut unread, "data"),
            company: account.clone(),
            occurred_at: time.to_string(),
            updated_at: time.to_string(),
        };
        let entity = EntityNotice {
            occurred_at: Some(time),
            unread: unread.into_paths(),
            source: Some(PAYMENTS),
            ..EntityNotice::new(
                Kind::Transaction,
                id,
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
    use crate::reading::LONGEST_ID;

    fn message(merchants: &str) -> Message {
        serde_json::from_str::<Lenient<Message>>(merchants).unwrap().needed("merchants").unwrap()
    }

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
            assert_eq!(message(merchants).has_payment(), expected, "{merchants}");
        }
    }

    #[test]
    fn an_odd_merchant_hides_no_other_and_has_no_id_that_grows_with_each_of_its_events() {
        let event = r#"{"objectId":"P:1","type":"CREATE","ts":1}"#;
        let longest = "M".repeat(LONGEST_ID);
        for (merchant, is_one) in [(&*longest, true), (&format!("{longest}M"), false), ("", false), ("a\\n", false)] {
            let message = message(&format!(r#"{{"A":[{event}],"{merchant}":[{event},{event}],"B":[{event}]}}"#));
            let accounts = message.notices(b"").into_iter().map(|notice| notice.account.map(|account| account.len()));
            let odd = if is_one { vec![Some(LONGEST_ID); 2] } else { vec![None] };
            let expected = [vec![Some(1)], odd, vec![Some(1)]].concat();
            assert_eq!(accounts.collect::<Vec<_>>(), expected, "{merchant:.10}");
        }
    }
}
