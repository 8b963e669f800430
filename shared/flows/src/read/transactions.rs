//! Transactions: a page of them, the newest first, and one by its id.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use futures::{StreamExt, TryStreamExt, stream};
use serde::Serialize;
use serde_with::skip_serializing_none;
use utoipa::ToSchema;

use super::{Companies, NamedCompany, Reader, invalid};
use crate::connect::Refusal;
use hooktide_model::fault::Fault;
use hooktide_model::names::Kind;
use hooktide_model::payment::{Transaction, exponent, word};
use hooktide_model::signing;
use hooktide_store::ports::{Query, Range};
use hooktide_store::records::entity::EntityId;
use hooktide_store::records::payment::{ById, CompanyId, ListedTransaction, end_of, place};
use hooktide_store::records::{self, Stored, entity::Entity};
use jiff::Timestamp;

/// How many transactions a request looks at, at the most.
const SCANNED: usize = 2_000;
/// The fewest and the most that are read of a company at once.
const PORTIONS: (usize, usize) = (4, 1_000);
/// How many companies are read at once.
const AT_ONCE: usize = 16;
/// How often a transaction is read that moves while it is.
const READS: usize = 5;
/// How many transactions of one id are looked at.
const OF_ONE_ID: usize = 20;

/// A transaction.
#[skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct TransactionView {
    /// The provider's id.
    pub id: String,
    /// The provider.
    pub provider: String,
    /// The connection that reported it.
    pub connection: String,
    /// The entity: `transaction/<connection>/<id with its sort>`.
    pub entity: String,
    /// The id of its company.
    pub company: String,
    /// The name of its company.
    pub company_name: Option<String>,
    /// The provider's status, in capitals.
    pub status: String,
    /// The provider's word for what it is, in capitals.
    #[serde(rename = "type")]
    pub kind: String,
    /// The provider's word for how it was paid, in capitals.
    pub payment_type: Option<String>,
    /// The amount, in minor units of the currency.
    pub amount_minor: Option<i64>,
    /// The currency (ISO 4217).
    pub currency: Option<String>,
    /// How many digits of the amount are after the point (ISO 4217).
    pub exponent: Option<u8>,
    /// When it began, by the provider's clock; RFC 3339.
    pub occurred_at: String,
    /// When the provider last changed it; RFC 3339.
    pub updated_at: String,
    /// The merchant's own reference.
    pub reference: Option<String>,
}

impl TransactionView {
    fn of(listed: ListedTransaction, company: &CompanyId, companies: &Companies) -> Self {
        let ListedTransaction { connection, provider, entity, transaction } = listed;
        let Transaction { id, kind, status, amount_minor, currency, payment_type, reference, .. } = transaction;
        let Transaction { occurred_at, updated_at, .. } = transaction;
        Self {
            entity: format!("{}/{connection}/{entity}", Kind::Transaction),
            company_name: companies.name(&connection, &company.company).map(str::to_owned),
            company: company.company.clone(),
            exponent: currency.as_deref().and_then(exponent),
            // Documents from before it was recorded have none.
            occurred_at: if occurred_at.is_empty() { updated_at.clone() } else { occurred_at },
            id,
            provider,
            connection,
            status,
            kind,
            payment_type,
            amount_minor,
            currency,
            updated_at,
            reference,
        }
    }
}

/// Which transactions are asked for: all, unless something is said.
#[derive(Debug, Clone, Default)]
pub struct Which {
    /// Only those with this status.
    pub status: Option<String>,
    /// Only those in this currency.
    pub currency: Option<String>,
    /// Only those of this type, or paid in this way.
    pub kind: Option<String>,
    /// Only those of this company.
    pub company: Option<String>,
    /// Only those of this connection.
    pub connection: Option<String>,
    /// Only those that began then or later.
    pub from: Option<Timestamp>,
    /// Only those that began earlier.
    pub to: Option<Timestamp>,
}

impl Which {
    fn has(&self, listed: &ListedTransaction) -> bool {
        let transaction = &listed.transaction;
        let is = |asked: &Option<String>, value: Option<&str>| {
            asked.as_ref().is_none_or(|asked| value == Some(word(asked).as_str()))
        };
        let is_kind = self.kind.is_none()
            || is(&self.kind, Some(&transaction.kind))
            || is(&self.kind, transaction.payment_type.as_deref());
        is(&self.status, Some(&transaction.status)) && is(&self.currency, transaction.currency.as_deref()) && is_kind
    }

    /// The text that tells this question from others, for cursors.
    fn fingerprint(&self) -> String {
        let text = format!("{self:?}");
        signing::sha256_hex(text.as_bytes())[..12].to_owned()
    }

    /// The range of places, up to right before `last` if there was a page already.
    fn range(&self, last: Option<&str>) -> Range {
        let from =
            self.from.map_or(0, |from| from.as_millisecond() + i64::from(from.subsec_nanosecond() % 1_000_000 > 0));
        let to = self.to.map_or(i64::MAX, |to| to.as_millisecond() + i64::from(to.subsec_nanosecond() % 1_000_000 > 0));
        // What lies before 1970 counts there, and nothing lies before that.
        let end = if to > 0 { end_of(to) } else { String::new() };
        let end = match last {
            Some(last) if last < end.as_str() => last.to_owned(),
            Some(_) | None => end,
        };
        Range::Between(place(from, ""), end)
    }
}

/// A page of transactions, and where it goes on, if there may be more.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Page {
    /// The transactions.
    pub items: Vec<TransactionView>,
    /// The cursor.
    pub next: Option<String>,
}

/// Where a page ended: the place of its last transaction, and its company.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Cursor {
    place: String,
    company: CompanyId,
}

impl Cursor {
    fn text(&self, which: &Which) -> String {
        let Self { place, company } = self;
        let plain = format!("{}\n{place}\n{}\n{}", which.fingerprint(), company.connection, company.company);
        data_encoding::BASE64URL_NOPAD.encode(plain.as_bytes())
    }

    fn parse(text: &str, which: &Which) -> Result<Self, Refusal> {
        let odd = || invalid("after", "it is no `next` of an earlier answer; leave it out to begin anew");
        let plain = data_encoding::BASE64URL_NOPAD.decode(text.as_bytes()).map_err(|_| odd())?;
        let plain = String::from_utf8(plain).map_err(|_| odd())?;
        let [fingerprint, place, connection, company] = plain.splitn(4, '\n').collect::<Vec<_>>()[..] else {
            return Err(odd());
        };
        if fingerprint != which.fingerprint() {
            let detail = "it is the `next` of a question with other filters; leave it out to begin anew";
            return Err(invalid("after", detail));
        }
        let company = CompanyId { connection: connection.to_owned(), company: company.to_owned() };
        Ok(Self { place: place.to_owned(), company })
    }
}

/// What is read of one company, ahead of what was taken.
struct Stream {
    company: CompanyId,
    read: VecDeque<(String, ListedTransaction)>,
    /// How many are read next: most pages take few of most companies, and those that have many more are read in few portions.
    portion: usize,
    /// Where it is read on, unless all was read.
    next: Option<Range>,
}

/// Reads a page of at most `limit` transactions, the newest first. It may be shorter though there are more.
pub async fn list(reader: Reader<'_>, which: &Which, after: Option<&str>, limit: usize) -> Result<Page, Refusal> {
    if let (Some(from), Some(to)) = (which.from, which.to)
        && from > to
    {
        return Err(invalid("from", "it is later than `to`"));
    }
    let last = after.map(|text| Cursor::parse(text, which)).transpose()?;
    let companies = Companies::seen(reader, which.connection.as_deref(), which.company.as_deref()).await?;
    let portion = (limit / companies.0.len().max(1)).max(PORTIONS.0) + 1;
    let stream = |company: &NamedCompany| ahead(which, last.as_ref(), &company.id, portion);
    let mut streams: Vec<Stream> = companies.0.iter().map(stream).collect();
    let mut first = Vec::with_capacity(streams.len());
    for (index, stream) in streams.iter_mut().enumerate() {
        first.push(async move { Ok::<_, Fault>(stream.head(reader).await?.map(|head| (head, Reverse(index)))) });
    }
    let first: Vec<_> = stream::iter(first).buffer_unordered(AT_ONCE).try_collect().await?;
    let mut heads: BinaryHeap<_> = first.into_iter().flatten().collect();
    let (mut items, mut scanned, mut ended) = (Vec::new(), 0, None);
    while let Some((_, Reverse(index))) = heads.pop() {
        if items.len() >= limit || scanned >= SCANNED {
            return Ok(Page { items, next: ended.map(|cursor: Cursor| cursor.text(which)) });
        }
        let stream = &mut streams[index];
        let Some((place, listed)) = stream.read.pop_front() else { continue };
        scanned += 1;
        ended = Some(Cursor { place, company: stream.company.clone() });
        if which.has(&listed) {
            items.push(TransactionView::of(listed, &stream.company, &companies));
        }
        heads.extend(stream.head(reader).await?.map(|head| (head, Reverse(index))));
    }
    Ok(Page { items, next: None })
}

/// What is asked of a company after the place where a page ended. Of several transactions in one place, companies are taken
/// in order.
fn ahead(which: &Which, last: Option<&Cursor>, company: &CompanyId, portion: usize) -> Stream {
    let range = match last {
        None => which.range(None),
        // Its own place was taken, and that of the companies before it.
        Some(last) if *company <= last.company => which.range(Some(&before(&last.place))),
        Some(last) => which.range(Some(&last.place)),
    };
    Stream { company: company.clone(), read: VecDeque::new(), portion, next: Some(range) }
}

/// The last text before a place.
fn before(place: &str) -> String {
    let mut text = place.to_owned();
    let Some(last) = text.pop() else { return text };
    // No place has the greatest of all characters.
    text.extend(char::from_u32(u32::from(last).saturating_sub(1)).or(Some('\u{d7ff}')));
    text.push(char::MAX);
    text
}

impl Stream {
    /// The place of its next transaction, which is read if it must be.
    async fn head(&mut self, reader: Reader<'_>) -> Result<Option<String>, Fault> {
        while self.read.is_empty() {
            let Some(range) = self.next.take() else { return Ok(None) };
            let partition = self.company.transactions(reader.context.tenant);
            let query = Query { partition, range: range.clone(), descending: true, limit: self.portion };
            self.portion = (2 * self.portion).min(PORTIONS.1);
            let (found, more) = records::list::<ListedTransaction>(reader.context.table(), &query).await?;
            if let (Some((last, _)), Range::Between(from, _), true) = (found.last(), &range, more) {
                self.next = Some(Range::Between(from.clone(), before(last)));
            }
            self.read.extend(found.into_iter().map(|(place, stored)| (place, stored.record)));
        }
        Ok(self.read.front().map(|(place, _)| place.clone()))
    }
}

/// The entities of transactions that have this id, or whose entity has it, of one connection if it is named. Where there are
/// several, those that a reader may not see are left out.
pub async fn of_id(reader: Reader<'_>, id: &str, connection: Option<&str>) -> Result<Vec<EntityId>, Fault> {
    let prefix = connection.map(|connection| format!("{connection}#")).unwrap_or_default();
    let plain = id.split_once(':').map(|(_, plain)| plain);
    let mut entities = Vec::new();
    for (asked, of) in [(id, None)].into_iter().chain(plain.map(|plain| (plain, Some(id)))) {
        let partition = ById::all(reader.context.tenant, asked);
        let found = records::list_all::<ById>(reader.context.table(), partition, &prefix, OF_ONE_ID).await?;
        let found = found.into_iter().map(|(_, stored)| stored.record);
        let found = found.filter(|by_id| of.is_none_or(|entity| by_id.entity == entity));
        entities.extend(found.map(|ById { connection, entity }| EntityId {
            kind: Kind::Transaction,
            connection,
            id: entity,
        }));
    }
    if entities.len() < 2 {
        return Ok(entities);
    }
    let mut seen = Vec::new();
    for entity in entities {
        seen.extend(show(reader, &entity).await?.map(|_| entity));
    }
    Ok(seen)
}

/// The transaction of an entity, if there is one and the reader may see it.
pub async fn show(reader: Reader<'_>, entity: &EntityId) -> Result<Option<TransactionView>, Fault> {
    let (table, tenant) = (reader.context.table(), reader.context.tenant);
    for _ in 0..READS {
        let stored: Option<Stored<Entity>> = records::get(table, &entity.key(tenant)).await?;
        let Some(listing) = stored.and_then(|stored| stored.record.listing) else { return Ok(None) };
        if !reader.sees(&listing.company) {
            return Ok(None);
        }
        // A commit may have moved it since its entity was read.
        let listed = records::get::<ListedTransaction>(table, &listing.key(tenant, entity)).await?;
        if let Some(listed) = listed {
            let company = listing.company(&entity.connection);
            let companies = Companies::one(reader, company.clone()).await?;
            return Ok(
                Some(TransactionView::of(listed.record, &company, &companies)).filter(|_| !companies.0.is_empty())
            );
        }
    }
    Err(Fault::retryable("the transaction moves all the time while it is read"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_text_before_a_place_is_before_it_and_after_all_that_are() {
        for place in ["000000000000900#payment:b", "000000000000900#\u{e000}"] {
            assert!(before(place).as_str() < place);
        }
        assert!(before("000000000000900#payment:b").as_str() > "000000000000900#payment:a");
        assert!(before("000000000000900#payment:b").as_str() > "000000000000900#payment:azz");
    }

    #[test]
    fn a_cursor_is_of_its_own_question() {
        let which = Which { status: Some("HELD".into()), ..Which::default() };
        let company = CompanyId { connection: "c".into(), company: "a\nb".into() };
        let cursor = Cursor { place: "1#p".into(), company };
        assert_eq!(Cursor::parse(&cursor.text(&which), &which).unwrap(), cursor);
        assert!(Cursor::parse(&cursor.text(&which), &Which::default()).is_err());
        for odd in ["", "x", "====", "eA"] {
            assert!(Cursor::parse(odd, &which).is_err(), "{odd}");
        }
    }
}
