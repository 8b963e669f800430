//! Bodies of the suggested form, `{type, timestamp, data}`, whose `data` are our own documents.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::written::{WrittenAccount, WrittenImage, WrittenProduct, WrittenStock, WrittenTransaction, WrittenVariant};
use crate::json::{part, unreadable};
use crate::lenient::{Lenient, Minor, Object, Unread, fields};
use crate::reading::{LONGEST_ID, is_id};
use crate::verified::Verified;
use hooktide_model::fault::Fault;
use hooktide_model::names::Kind;
use hooktide_model::notice::{Document, EntityNotice, State, Version, What};
use hooktide_model::payment::{Account, Transaction, word};
use hooktide_model::product::{Image, Product, Stock, Variant};

/// The longest number, in characters.
const LONGEST_NUMBER: usize = 32;

/// A body. What is not of a known topic need have nothing else.
pub(super) struct Event<'a> {
    /// Its topic.
    pub(super) topic: Option<String>,
    /// The account that it belongs to, on an address that many accounts share.
    pub(super) account: Option<String>,
    timestamp: Option<&'a RawValue>,
    data: Option<&'a RawValue>,
}

fields! {
    struct Body<'a> {
        topic: Lenient<String> = "type",
        account: Lenient<String>,
        timestamp: Option<&'a RawValue>,
        data: Option<&'a RawValue>,
    }
}

/// The topic, if the body says one.
pub(super) fn topic(verified: &Verified) -> Option<String> {
    fields! {
        struct Named {
            topic: Lenient<String> = "type",
        }
    }
    verified.json::<Object<Named>>().ok().and_then(|Object(named)| named.topic.read())
}

fn require(right: bool, what: &str) -> Result<(), Fault> {
    if right { Ok(()) } else { Err(unreadable(what)) }
}

/// A document, its id and the time of its state, with the fields that were not read.
type Told = (Timestamp, String, Document, Vec<String>);

impl<'a> Event<'a> {
    pub(super) fn read(verified: &'a Verified) -> Result<Self, Fault> {
        let Object(body): Object<Body<'a>> = verified.json()?;
        Self::of(body)
    }

    fn of(Body { topic, account, timestamp, data }: Body<'a>) -> Result<Self, Fault> {
        let account = account.needed_if_there("account")?.filter(|account| !account.is_empty());
        Ok(Self { topic: topic.needed_if_there("type")?, account, timestamp, data })
    }

    /// An entity as it is now.
    pub(super) fn document(&self, kind: Kind) -> Result<What, Fault> {
        let told = match kind {
            Kind::Product => self.product()?,
            Kind::Stock => self.stock()?,
            Kind::Transaction => self.transaction()?,
            Kind::Account => self.merchant_account()?,
            Kind::Order | Kind::Customer | Kind::CalendarEvent | Kind::Image | Kind::Cart | Kind::Privacy => {
                return Err(unreadable("there is no document of this kind"));
            }
        };
        let (updated_at, id, document, unread) = told;
        Ok(entity(kind, id, updated_at, State::Present(document), unread))
    }

    /// An entity that is gone. It may come back: a later time wins.
    pub(super) fn deleted(&self, kind: Kind) -> Result<What, Fault> {
        fields! {
            struct Named {
                id: Lenient<String>,
                updated_at: Lenient<Timestamp>,
            }
        }
        let Named { id, updated_at } = self.data()?;
        let id = id.fitting(|id| is_id(id)).needed("data.id")?;
        Ok(entity(kind, id, self.time(updated_at)?, State::Deleted, Vec::new()))
    }

    fn product(&self) -> Result<Told, Fault> {
        let written: WrittenProduct = self.data()?;
        let time = self.time(written.updated_at)?;
        let mut unread = Unread::default();
        let product = Product {
            id: written.id.fitting(|id| is_id(id)).needed("data.id")?,
            title: written.title.value_or_note(&mut unread, "data.title"),
            status: written.status.value_or_note(&mut unread, "data.status"),
            updated_at: time.to_string(),
            variants: variants(written.variants, &mut unread),
            images: images(written.images, &mut unread),
        };
        Ok((time, product.id.clone(), Document::Product(Box::new(product)), unread.into_paths()))
    }

    /// The count. All of it is needed: nobody could be asked for what is not read.
    fn stock(&self) -> Result<Told, Fault> {
        let written: WrittenStock = self.data()?;
        let time = self.time(written.updated_at)?;
        // Left out it would read as no longer counted.
        require(written.quantity.is_there(), "there is no `data.quantity`")?;
        let stock = Stock {
            variant: written.variant.fitting(|id| is_id(id)).needed("data.variant")?,
            location: written.location.fitting(|id| is_id(id)).needed_if_there("data.location")?,
            state: written.state.fitting(|id| is_id(id)).needed_if_there("data.state")?,
            quantity: written.quantity.fitting(|text| is_number(text)).needed_if_there("data.quantity")?,
            updated_at: time.to_string(),
        };
        let (location, state) = (stock.location.as_deref(), stock.state.as_deref());
        // No two counts have the same id: what separates the parts is in none of them.
        let part = |text: &str| text.replace('%', "%25").replace('/', "%2F");
        let mut id = part(&stock.variant);
        if location.is_some() || state.is_some() {
            id = format!("{id}/{}", part(location.unwrap_or_default()));
        }
        if let Some(state) = state {
            id = format!("{id}/{}", part(state));
        }
        require(id.len() <= LONGEST_ID, "`data.variant`, `data.location` and `data.state` are too long together")?;
        Ok((time, id, Document::Stock(stock), Vec::new()))
    }

    fn transaction(&self) -> Result<Told, Fault> {
        let written: WrittenTransaction = self.data()?;
        let time = self.time(written.updated_at)?;
        let mut unread = Unread::default();
        let given = |text: &String| !text.is_empty();
        // Each under its name, or under the one that it had before.
        let sort = match written.sort.fitting(given).needed_if_there("data.type")? {
            None => written.former_sort.fitting(given).needed("data.type")?,
            Some(sort) => sort,
        };
        let amount = match written.amount_minor.needed_if_there("data.amount_minor")? {
            None => written.former_amount.needed_if_there("data.amount")?,
            known => known,
        };
        let company = written.company.or_note(&mut unread, "data.company");
        let began = written.occurred_at.or_note(&mut unread, "data.occurred_at");
        let transaction = Transaction {
            id: written.id.fitting(|id| is_id(id)).needed("data.id")?,
            kind: word(&sort),
            status: word(&written.status.fitting(given).needed("data.status")?),
            amount_minor: amount.map(|Minor(amount)| amount),
            currency: written.currency.fitting(|text| is_currency(text)).needed_if_there("data.currency")?,
            payment_type: written.payment_type.or_note(&mut unread, "data.payment_type").map(|text| word(&text)),
            reference: written.reference.or_note(&mut unread, "data.reference"),
            company: company.or_else(|| written.former_company.or_note(&mut unread, "data.account")),
            occurred_at: began.unwrap_or(time).to_string(),
            updated_at: time.to_string(),
        };
        require(transaction.amount_minor.is_none() || transaction.currency.is_some(), "there is no `data.currency`")?;
        let id = transaction.id.clone();
        Ok((time, id, Document::Transaction(Box::new(transaction)), unread.into_paths()))
    }

    fn merchant_account(&self) -> Result<Told, Fault> {
        let written: WrittenAccount = self.data()?;
        let time = self.time(written.updated_at)?;
        let mut unread = Unread::default();
        let account = Account {
            id: written.id.fitting(|id| is_id(id)).needed("data.id")?,
            status: written.status.fitting(|status| !status.is_empty()).needed("data.status")?,
            reference: written.reference.or_note(&mut unread, "data.reference"),
            updated_at: time.to_string(),
        };
        Ok((time, account.id.clone(), Document::Account(account), unread.into_paths()))
    }

    /// The data, as a `T`.
    fn data<T: Deserialize<'a>>(&self) -> Result<T, Fault> {
        part::<Object<T>>(self.data, "data").map(|Object(data)| data)
    }

    /// The time of the state: its own, else that of the event.
    fn time(&self, own: Lenient<Timestamp>) -> Result<Timestamp, Fault> {
        match own.needed_if_there("data.updated_at")? {
            Some(own) => Ok(own),
            None => part(self.timestamp, "timestamp"),
        }
    }
}

fn variants(variants: Lenient<Vec<Lenient<Object<WrittenVariant>>>>, unread: &mut Unread) -> Vec<Variant> {
    let mut read = Vec::new();
    for (at, variant) in variants.items_or_note(unread, "data.variants").into_iter().enumerate() {
        let Some(Object(variant)) = variant.value_or_note(unread, format_args!("data.variants[{at}]")) else {
            continue;
        };
        let Some(id) = variant.id.fitting(|id| is_id(id)).read() else {
            unread.note(format_args!("data.variants[{at}].id"));
            continue;
        };
        read.push(Variant {
            id,
            sku: variant.sku.or_note(unread, format_args!("data.variants[{at}].sku")),
            barcode: variant.barcode.or_note(unread, format_args!("data.variants[{at}].barcode")),
            price: variant
                .price
                .fitting(|text| is_number(text))
                .or_note(unread, format_args!("data.variants[{at}].price")),
            currency: variant
                .currency
                .fitting(|text| is_currency(text))
                .or_note(unread, format_args!("data.variants[{at}].currency")),
            stock: variant.stock.or_note(unread, format_args!("data.variants[{at}].stock")),
        });
    }
    read
}

fn images(images: Lenient<Vec<Lenient<Object<WrittenImage>>>>, unread: &mut Unread) -> Vec<Image> {
    let mut read = Vec::new();
    for (at, image) in images.items_or_note(unread, "data.images").into_iter().enumerate() {
        let Some(Object(image)) = image.value_or_note(unread, format_args!("data.images[{at}]")) else { continue };
        let id = image.id.fitting(|id| is_id(id)).value_or_note(unread, format_args!("data.images[{at}].id"));
        let url = image.url.fitting(|url| is_address(url)).value_or_note(unread, format_args!("data.images[{at}].url"));
        read.extend(id.zip(url).map(|(id, url)| Image { id, url }));
    }
    read
}

fn entity(kind: Kind, id: String, time: Timestamp, state: State, unread: Vec<String>) -> What {
    What::Entity(EntityNotice {
        occurred_at: Some(time),
        unread,
        ..EntityNotice::new(kind, id, Version::from_time(time), state)
    })
}

/// Whether a text is an address that an image can have.
fn is_address(text: &str) -> bool {
    ["https://", "http://"].iter().any(|scheme| text.starts_with(scheme))
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
    use hooktide_model::fault::ErrorClass;

    fn event(topic: &str, data: &str) -> Result<What, Fault> {
        let body = format!(r#"{{"type":"{topic}","timestamp":"2026-11-03T20:26:10.344522Z","data":{data}}}"#);
        let event = Event::of(serde_json::from_str(&body).unwrap()).unwrap();
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
            ("product.updated", r#"{"id":"","title":"T","status":"active","variants":[],"images":[]}"#),
            ("product.updated", r#"{"id":["p"],"title":"T","status":"active","variants":[],"images":[]}"#),
            ("product.deleted", r#"{"id":{}}"#),
            ("product.deleted", r#"{"id":"p","updated_at":"yesterday"}"#),
            ("stock.updated", r#"{"variant":"v"}"#),
            ("stock.updated", r#"{"variant":"v","quantity":"1e3"}"#),
            ("stock.updated", r#"{"variant":"v","quantity":true}"#),
            ("payment.updated", r#"{"id":"t","kind":"PAYMENT","status":"COMPLETED","amount":100}"#),
            ("payment.updated", r#"{"id":"t","kind":"PAYMENT","status":"COMPLETED","amount":1.5,"currency":"CAD"}"#),
            ("payment.updated", r#"{"id":"t","kind":"PAYMENT","status":"COMPLETED","amount":10.00,"currency":"CAD"}"#),
            ("payment.updated", r#"{"id":"t","kind":"PAYMENT","status":"COMPLETED","amount":1e3,"currency":"CAD"}"#),
            (
                "payment.updated",
                r#"{"id":"t","kind":"PAYMENT","status":"COMPLETED","amount":"10.00","currency":"CAD"}"#,
            ),
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

    #[test]
    fn a_product_is_read_whatever_type_its_other_fields_have() {
        let read = |data: &str| {
            let entity = entity("product.updated", data);
            let State::Present(Document::Product(product)) = entity.state else { panic!("{data}") };
            (*product, entity.unread)
        };
        let (product, unread) = read(
            r#"{"id":7,"title":["T"],"status":"active","variants":[{"id":1,"sku":12345,"price":1.5,"stock":"7"},
                {"id":"v","price":"1,50","currency":"euro"},7],"images":[{"id":"i","url":"javascript:0"}]}"#,
        );
        let variant = &product.variants[0];
        assert_eq!((product.id.as_str(), variant.id.as_str(), variant.stock), ("7", "1", Some(7)));
        assert_eq!((variant.sku.as_deref(), variant.price.as_deref()), (Some("12345"), Some("1.5")));
        let expected = [
            "data.title",
            "data.variants[1].price",
            "data.variants[1].currency",
            "data.variants[2]",
            "data.images[0].url",
        ];
        assert_eq!(unread, expected);
        let (product, unread) = read(r#"{"id":"p","title":"T","status":"active","variants":null,"images":{"0":7}}"#);
        assert_eq!((product.variants.len(), product.images.len()), (0, 0));
        assert_eq!(unread, ["data.variants", "data.images[0]"]);
        let (product, unread) = read(r#"{"id":"p","variants":[{"id":"v"}]}"#);
        assert_eq!((product.title, product.status, product.images.len()), (None, None, 0));
        assert_eq!(unread, ["data.title", "data.status", "data.images"]);
    }
}
