//! Analytics: counts and sums of transactions by hour, day, week or month.
//!
//! Commits count each transaction in a quarter of an hour; what is asked for is put together from these. Rows of a company are
//! in its own time zone, those over all companies in UTC.

mod period;
mod quarters;

use std::collections::BTreeMap;

use futures::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;
use utoipa::ToSchema;

use self::period::{Bucket, buckets, default_range};
use self::quarters::Group;
pub(crate) use self::quarters::Quarters;
use super::{Companies, NamedCompany, Reader, invalid};
use crate::connect::Refusal;
use hooktide_model::fault::Fault;
use hooktide_model::names::Period;
use hooktide_model::payment::{exponent, word};
use hooktide_store::records::payment::Total;

/// The latest end of a question, in seconds since 1970: the year 3000.
const LATEST: i64 = 32_503_680_000;
/// How many companies are read at once.
const AT_ONCE: usize = 16;
/// How many rows of companies an answer has at the most: about five megabytes, less than functions can answer with.
const MOST_ROWS: usize = 20_000;
/// How many days of companies a question is about at the most.
const MOST_DAYS: i64 = 200_000;

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Question {
    /// How long buckets are.
    pub period: Period,
    /// The buckets from the one that has this time on.
    pub from: Option<Timestamp>,
    /// The buckets up to the one that ends then or later.
    pub to: Option<Timestamp>,
    /// Only this company.
    pub company: Option<String>,
    /// Only this currency.
    pub currency: Option<String>,
}

/// Figures of a bucket.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Row {
    /// When the bucket begins.
    #[schema(value_type = String, format = DateTime)]
    pub from: Timestamp,
    /// When it ends, which is not part of it.
    #[schema(value_type = String, format = DateTime)]
    pub to: Timestamp,
    /// The connection of the company.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connection: Option<String>,
    /// The company; null for all of them.
    pub company: Option<String>,
    /// The name of the company.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub company_name: Option<String>,
    /// The currency (ISO 4217).
    pub currency: String,
    /// How many digits of sums are after the point (ISO 4217); null for a currency that the standard does not list.
    pub exponent: Option<u8>,
    /// The status.
    pub status: String,
    /// What they are.
    #[serde(rename = "type")]
    pub kind: String,
    /// How they were paid, where that is known.
    pub payment_type: Option<String>,
    /// How many there are.
    pub count: i64,
    /// Their sum, in minor units of the currency.
    #[schema(value_type = i64)]
    pub sum_minor: i128,
}

/// Counts and sums.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Analytics {
    /// How long buckets are.
    pub period: Period,
    /// The figures that are not zero: by company, those over all companies last, and by time.
    pub buckets: Vec<Row>,
    /// When they were read.
    #[schema(value_type = String, format = DateTime)]
    pub as_of: Timestamp,
}

impl Question {
    /// The same question with the ends that it leaves open: up to the end of the bucket of now.
    pub fn settled(self, now: Timestamp) -> Result<Self, Refusal> {
        let (from, to) = default_range(self.period, self.from, self.to, now);
        if from > to {
            return Err(invalid("from", "it is later than `to`"));
        }
        if to.as_second() > LATEST {
            return Err(invalid("to", "it is before the year 3000"));
        }
        buckets(self.period, &TimeZone::UTC, from, to)?;
        Ok(Self { from: Some(from), to: Some(to), currency: self.currency.as_deref().map(word), ..self })
    }

    fn range(&self) -> (Timestamp, Timestamp) {
        (self.from.unwrap_or(Timestamp::UNIX_EPOCH), self.to.unwrap_or(Timestamp::UNIX_EPOCH))
    }
}

/// Reads what a settled question asks for.
pub async fn analytics(reader: Reader<'_>, question: &Question) -> Result<Analytics, Refusal> {
    let companies = Companies::seen(reader, None, question.company.as_deref()).await?;
    let (from, to) = question.range();
    let overall = buckets(question.period, &TimeZone::UTC, from, to)?;
    let (mut rows, mut sums) = (Vec::new(), Sums::new());
    let days = to.duration_since(from).as_hours() / 24 + 1;
    if days * i64::try_from(companies.0.len()).unwrap_or(i64::MAX) > MOST_DAYS {
        return Err(invalid("from", "there are too many companies for so long a time: name one, or ask for less time"));
    }
    let overall = &overall;
    let mut reads = Vec::with_capacity(companies.0.len());
    for company in &companies.0 {
        reads.push(async move {
            let own = buckets(question.period, &company.zone(), from, to)?;
            let quarters = read(reader, company, [&own, overall]).await?;
            Ok::<_, Refusal>((company, own, quarters))
        });
    }
    let mut read = stream::iter(reads).buffered(AT_ONCE);
    while let Some((company, own, quarters)) = read.try_next().await? {
        let mut of_company = Sums::new();
        add(&mut of_company, &own, &quarters, question);
        add(&mut sums, overall, &quarters, question);
        rows.extend(of_company.into_iter().filter_map(|(place, total)| row(&own, place, total, Some(company))));
        if rows.len() > MOST_ROWS {
            let detail = format!(
                "there are more than {MOST_ROWS} rows: ask for less time, a longer period, one currency or one company"
            );
            return Err(invalid("from", detail));
        }
    }
    if question.company.is_none() {
        rows.extend(sums.into_iter().filter_map(|(place, total)| row(overall, place, total, None)));
    }
    Ok(Analytics { period: question.period, buckets: rows, as_of: reader.context.now })
}

/// Sums by the place of their bucket.
type Sums = BTreeMap<(usize, Group), Total>;

/// Reads the quarters of a company that lie in one of two lists of buckets.
async fn read(reader: Reader<'_>, company: &NamedCompany, of: [&[Bucket]; 2]) -> Result<Quarters, Fault> {
    let ends = of.into_iter().filter_map(|buckets| Some((buckets.first()?.from, buckets.last()?.to)));
    let (Some(from), Some(to)) = (ends.clone().map(|(from, _)| from).min(), ends.map(|(_, to)| to).max()) else {
        return Ok(Quarters::default());
    };
    Quarters::read(reader.context, &company.id, from.as_second(), to.as_second()).await
}

fn add(sums: &mut Sums, buckets: &[Bucket], quarters: &Quarters, question: &Question) {
    for (quarter, groups) in &quarters.0 {
        let place = buckets.partition_point(|bucket| bucket.to.as_second() <= *quarter);
        if buckets.get(place).is_none_or(|bucket| bucket.from.as_second() > *quarter) {
            continue;
        }
        for (group, total) in groups {
            if question.currency.as_ref().is_none_or(|currency| group.currency == *currency) {
                *sums.entry((place, group.clone())).or_default() += *total;
            }
        }
    }
}

fn row(buckets: &[Bucket], place: (usize, Group), total: Total, company: Option<&NamedCompany>) -> Option<Row> {
    let (bucket, group) = (buckets.get(place.0)?, place.1);
    (!total.is_none()).then(|| Row {
        from: bucket.from,
        to: bucket.to,
        connection: company.map(|company| company.id.connection.clone()),
        company: company.map(|company| company.id.company.clone()),
        company_name: company.map(|company| company.name().to_owned()),
        exponent: exponent(&group.currency),
        currency: group.currency,
        status: group.status,
        kind: group.kind,
        payment_type: group.payment_type,
        count: total.count,
        sum_minor: total.sum,
    })
}
