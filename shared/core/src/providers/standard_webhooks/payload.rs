//! Bodies of the suggested form, `{type, timestamp, data}`, whose `data` are our own documents.

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::fault::Fault;
use crate::names::Kind;
use crate::notice::{Document, EntityNotice, State, Version, What};
use crate::payment::{Account, Transaction};
use crate::product::{Product, Stock, Variant};
use crate::providers::reading::{LONGEST_ID, is_id, unreadable};
use crate::verified::Verified;

/// The longest number, in characters.
const LONGEST_NUMBER: usize = 32;

/// A body. What is not of a known topic need have nothing else.
#[derive(Deserialize)]
pub(super) struct Event<'a> {
    /// Its topic.
    #[serde(rename = "type", default)]
    pub(super) topic: Option<String>,
    /// Whose it is, on an address that many accounts share.
    #[serde(default)]
    pub(super) account: Option<String>,
    #[serde(default, borrow)]
    timestamp: Option<&'a RawValue>,
    #[serde(default, borrow)]
    data: Option<&'a RawValue>,
}

/// The topic, if the body says one.
pub(super) fn topic(verified: &Verified) -> Option<String> {
    #[derive(Deserialize)]
    struct Named {
        #[serde(rename = "type")]
        topic: String,
    }
    verified.json::<Named>().ok().map(|named| named.topic)
}

fn require(right: bool, what: &str) -> Result<(), Fault> {
    if right { Ok(()) } else { Err(unreadable(what)) }
}

impl<'a> Event<'a> {
    pub(super) fn read(verified: &'a Verified) -> Result<Self, Fault> {
        let event: Self = verified.json()?;
        Ok(Self { account: event.account.filter(|account| !account.is_empty()), ..event })
    }

    /// A thing as it is now.
    pub(super) fn document(&self, kind: Kind) -> Result<What, Fault> {
        let (updated_at, (id, document)) = match kind {
            Kind::Product => self.dated(|product: &mut Product| &mut product.updated_at, product)?,
            Kind::Stock => {
                let (data, updated_at) = self.data()?;
                // Left out it would read as no longer counted.
                require(data.contains_key("quantity"), "there is no `data.quantity`")?;
                (updated_at, stock(read(data, Some(updated_at))?)?)
            }
            Kind::Transaction => {
                self.dated(|transaction: &mut Transaction| &mut transaction.updated_at, transaction)?
            }
            Kind::Account => self.dated(|account: &mut Account| &mut account.updated_at, account)?,
            Kind::Order | Kind::Customer | Kind::CalendarEvent | Kind::Image | Kind::Cart | Kind::Privacy => {
                return Err(unreadable("there is no document of this kind"));
            }
        };
        Ok(entity(kind, id, updated_at, State::Present(document)))
    }

    /// A thing that is gone. It may come back: a later time wins.
    pub(super) fn deleted(&self, kind: Kind) -> Result<What, Fault> {
        #[derive(Deserialize)]
        struct Named {
            id: String,
        }
        let (data, updated_at) = self.data()?;
        let Named { id } = read(data, None)?;
        require(is_id(&id), "`data.id` is no id")?;
        Ok(entity(kind, id, updated_at, State::Deleted))
    }

    /// What a document tells, with the time of its state.
    fn dated<T: DeserializeOwned>(
        &self,
        time_of: impl Fn(&mut T) -> &mut String,
        told: impl Fn(T) -> Result<(String, Document), Fault>,
    ) -> Result<(Timestamp, (String, Document)), Fault> {
        // With a time of its own, it is read as it stands; an array of its values is no document.
        let written = self.data.map(RawValue::get).filter(|data| data.starts_with('{'));
        if let Some(mut document) = written.and_then(|data| serde_json::from_str::<T>(data).ok())
            && let Ok(own) = time_of(&mut document).parse::<Timestamp>()
        {
            *time_of(&mut document) = own.to_string();
            return Ok((own, told(document)?));
        }
        let (data, time) = self.data()?;
        Ok((time, told(read(data, Some(time))?)?))
    }

    /// The data, and the time of their state: their own, else that of the event.
    fn data(&self) -> Result<(Map<String, Value>, Timestamp), Fault> {
        let data = self.data.ok_or_else(|| unreadable("there is no `data`"))?;
        let data: Map<String, Value> =
            serde_json::from_str(data.get()).map_err(|_| unreadable("`data` is no object"))?;
        let time = match data.get("updated_at") {
            None | Some(Value::Null) => {
                let timestamp = self.timestamp.ok_or_else(|| unreadable("there is no `timestamp`"))?;
                serde_json::from_str(timestamp.get()).map_err(|_| unreadable("`timestamp` is no time"))?
            }
            Some(own) => Timestamp::deserialize(own).map_err(|_| unreadable("`data.updated_at` is no time"))?,
        };
        Ok((data, time))
    }
}

/// The library's own text of what is wrong would quote the body.
fn read<T: DeserializeOwned>(mut data: Map<String, Value>, updated_at: Option<Timestamp>) -> Result<T, Fault> {
    if let Some(updated_at) = updated_at {
        data.insert("updated_at".into(), updated_at.to_string().into());
    }
    serde_json::from_value(Value::Object(data)).map_err(|_| unreadable("`data` is not the document of its type"))
}

fn entity(kind: Kind, id: String, time: Timestamp, state: State) -> What {
    What::Entity(EntityNotice {
        occurred_at: Some(time),
        ..EntityNotice::new(kind, id, Version::from_time(time), state)
    })
}

fn product(product: Product) -> Result<(String, Document), Fault> {
    require(is_id(&product.id), "`data.id` is no id")?;
    for Variant { id, price, currency, .. } in &product.variants {
        require(is_id(id), "the `id` of a variant is no id")?;
        require(price.as_deref().is_none_or(is_number), "the `price` of a variant is no decimal number")?;
        require(currency.as_deref().is_none_or(is_currency), "the `currency` of a variant is none")?;
    }
    for image in &product.images {
        require(is_id(&image.id), "the `id` of an image is no id")?;
        let address = ["https://", "http://"].iter().any(|scheme| image.url.starts_with(scheme));
        require(address, "the `url` of an image is none")?;
    }
    Ok((product.id.clone(), Document::Product(Box::new(product))))
}

fn stock(stock: Stock) -> Result<(String, Document), Fault> {
    let (location, state) = (stock.location.as_deref(), stock.state.as_deref());
    require(is_id(&stock.variant), "`data.variant` is no id")?;
    require(location.is_none_or(is_id), "`data.location` is no id")?;
    require(state.is_none_or(is_id), "`data.state` is no word")?;
    require(stock.quantity.as_deref().is_none_or(is_number), "`data.quantity` is no decimal number")?;
    // No two counts have the same id: what separates the parts stands in none of them.
    let part = |text: &str| text.replace('%', "%25").replace('/', "%2F");
    let mut id = part(&stock.variant);
    if location.is_some() || state.is_some() {
        id = format!("{id}/{}", part(location.unwrap_or_default()));
    }
    if let Some(state) = state {
        id = format!("{id}/{}", part(state));
    }
    require(id.len() <= LONGEST_ID, "`data.variant`, `data.location` and `data.state` are too long together")?;
    Ok((id, Document::Stock(stock)))
}

fn transaction(transaction: Transaction) -> Result<(String, Document), Fault> {
    require(is_id(&transaction.id), "`data.id` is no id")?;
    require(!transaction.kind.is_empty() && !transaction.status.is_empty(), "`data.kind` or `data.status` is empty")?;
    require(transaction.currency.as_deref().is_none_or(is_currency), "`data.currency` is none")?;
    require(transaction.amount.is_none() || transaction.currency.is_some(), "there is no `data.currency`")?;
    Ok((transaction.id.clone(), Document::Transaction(Box::new(transaction))))
}

fn account(account: Account) -> Result<(String, Document), Fault> {
    require(is_id(&account.id), "`data.id` is no id")?;
    require(!account.status.is_empty(), "`data.status` is empty")?;
    Ok((account.id.clone(), Document::Account(account)))
}

/// Three capital letters (ISO 4217).
fn is_currency(text: &str) -> bool {
    text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_uppercase())
}

/// A decimal number: `-12.50`.
fn is_number(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
    text.len() <= LONGEST_NUMBER && digits(whole) && digits(fraction)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::ErrorClass;

    fn event(topic: &str, data: &str) -> Result<What, Fault> {
        let body = format!(r#"{{"type":"{topic}","timestamp":"2026-11-03T20:26:10.344522Z","data":{data}}}"#);
        let event: Event<'_> = serde_json::from_str(&body).unwrap();
        match topic {
            "product.updated" => event.document(Kind::Product),
            "product.deleted" => event.deleted(Kind::Product),
            "stock.updated" => event.document(Kind::Stock),
            "payment.updated" => event.document(Kind::Transaction),
            _ => event.document(Kind::Account),
        }
    }

    fn entity(topic: &str, data: &str) -> EntityNotice {
        match event(topic, data) {
            Ok(What::Entity(entity)) => entity,
            other => panic!("{data}: {other:?}"),
        }
    }

    #[test]
    fn the_time_of_the_state_is_its_own_or_that_of_the_event() {
        let own = entity("product.deleted", r#"{"id":"p","updated_at":"2026-11-01T02:00:00+02:00"}"#);
        assert_eq!(own.version, Version::from_time("2026-11-01T00:00:00Z".parse().unwrap()));
        let event = entity("product.deleted", r#"{"id":"p","updated_at":null}"#);
        assert_eq!(event.version, Version::from_time("2026-11-03T20:26:10.344522Z".parse().unwrap()));
    }

    #[test]
    fn no_two_counts_have_the_same_id() {
        let ids = [
            (r#"{"variant":"v","quantity":null}"#, "v"),
            (r#"{"variant":"v","location":"l","quantity":"1"}"#, "v/l"),
            (r#"{"variant":"v/l","quantity":"1"}"#, "v%2Fl"),
            (r#"{"variant":"v%2Fl","quantity":"1"}"#, "v%252Fl"),
            (r#"{"variant":"v","state":"l","quantity":"1"}"#, "v//l"),
            (r#"{"variant":"v","location":"l","state":"s","quantity":"1"}"#, "v/l/s"),
        ];
        for (data, id) in ids {
            assert_eq!(entity("stock.updated", data).id, id);
        }
    }

    #[test]
    fn what_is_no_document_of_ours_is_unreadable() {
        let refused = [
            ("product.updated", r#"{"id":"p","title":"T","status":"active","variants":[]}"#),
            ("product.updated", r#"{"id":"","title":"T","status":"active","variants":[],"images":[]}"#),
            (
                "product.updated",
                r#"{"id":"p","title":"T","status":"active","variants":[{"id":"v","price":"1,50"}],"images":[]}"#,
            ),
            (
                "product.updated",
                r#"{"id":"p","title":"T","status":"active","variants":[],"images":[{"id":"i","url":"javascript:0"}]}"#,
            ),
            ("product.deleted", r#"{"id":7}"#),
            ("product.deleted", r#"{"id":"p","updated_at":"yesterday"}"#),
            ("stock.updated", r#"{"variant":"v"}"#),
            ("stock.updated", r#"{"variant":"v","quantity":"1e3"}"#),
            ("stock.updated", r#"{"variant":"v","quantity":3}"#),
            ("payment.updated", r#"{"id":"t","kind":"PAYMENT","status":"COMPLETED","amount":100}"#),
            ("payment.updated", r#"{"id":"t","kind":"PAYMENT","status":"COMPLETED","amount":1.5,"currency":"CAD"}"#),
            ("payment.updated", r#"{"id":"t","kind":"PAYMENT","status":"COMPLETED","currency":"cad"}"#),
            ("account.updated", r#"{"id":"a","status":""}"#),
            ("account.updated", r#"["a"]"#),
        ];
        for (topic, data) in refused {
            assert!(
                matches!(event(topic, data), Err(Fault::Permanent { class: ErrorClass::Unreadable, .. })),
                "{topic} {data}"
            );
        }
    }
}
