//! The ledger of an account: payment handles, payments, settlements, refunds and credits.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::Request;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::answer::Refused;
use super::sorts::{self, Sort};
use crate::simulator::query;

/// The statuses in which something can still be cancelled.
const OPEN: [&str; 6] = ["INITIATED", "RECEIVED", "PROCESSING", "PENDING", "HELD", "PAYABLE"];
/// How many rows a list has, unless it is asked for others, and how many at the most.
const ROWS: (usize, usize) = (10, 50);
/// How far a list goes back, unless it is asked for more.
const BACK: SignedDuration = SignedDuration::from_hours(30 * 24);
/// The parameters of a list.
const PARAMETERS: [&str; 5] = ["merchantRefNum", "startDate", "endDate", "limit", "offset"];

/// The ledger of an account.
pub(super) struct Ledger {
    pub(super) seed: u64,
    /// How many were made.
    pub(super) made: u64,
    /// By path and id, each as the account knows it.
    pub(super) all: BTreeMap<(&'static str, String), Value>,
}

impl Ledger {
    pub(super) fn new(seed: u64) -> Self {
        Self { seed, made: 0, all: BTreeMap::new() }
    }

    pub(super) fn known(&self, sort: &Sort, id: &str) -> Option<&Value> {
        self.all.get(&(sort.path, id.to_owned()))
    }

    /// `GET {sort}/{id}`.
    pub(super) fn answer(&self, sort: &Sort, id: &str) -> Result<Value, Refused> {
        self.known(sort, id).map(|one| answered(sort, one)).ok_or(Refused::not_found())
    }

    /// `GET {sort}?merchantRefNum=`: those of one reference, the latest first.
    pub(super) fn list(&self, sort: &'static Sort, request: &Request<Bytes>, now: Timestamp) -> Result<Value, Refused> {
        let given = query::parameters(request);
        if let Some((odd, _)) = given.iter().find(|(name, _)| !PARAMETERS.contains(&name.as_str())) {
            return Err(Refused::invalid(odd, "There is no such parameter."));
        }
        let value = |name: &str| given.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
        let reference = value("merchantRefNum").filter(|reference| !reference.is_empty());
        let reference = reference.ok_or_else(|| Refused::invalid("merchantRefNum", "It is mandatory."))?;
        let number = |name: &str, otherwise: usize| match value(name).map(str::parse::<usize>) {
            None => Ok(otherwise),
            Some(Ok(number)) => Ok(number),
            Some(Err(_)) => Err(Refused::invalid(name, "It must be a number.")),
        };
        let limit = number("limit", ROWS.0)?;
        if !(1..=ROWS.1).contains(&limit) {
            return Err(Refused::invalid("limit", "It is out of bounds."));
        }
        let offset = number("offset", 0)?;
        let time = |name: &str| {
            let parsed = value(name).map(str::parse::<Timestamp>);
            parsed.transpose().map_err(|_| Refused::invalid(name, "It must be a time in UTC."))
        };
        let until = time("endDate")?.unwrap_or(now);
        let since = time("startDate")?.or_else(|| until.checked_sub(BACK).ok()).unwrap_or(Timestamp::MIN);
        let is_meant = |one: &&Value| {
            let made = text(&one["txnTime"]).parse::<Timestamp>();
            one["merchantRefNum"] == reference && made.is_ok_and(|made| since <= made && made <= until)
        };
        let mut found: Vec<&Value> = self.of_sort(sort).filter(is_meant).collect();
        found.sort_by_key(|one| std::cmp::Reverse(text(&one["txnTime"])));
        let rows: Vec<Value> = found.iter().skip(offset).take(limit).map(|one| answered(sort, one)).collect();
        let mut list = paging(rows.len(), limit, offset);
        list[sort.list] = rows.into();
        Ok(list)
    }

    /// Cancels what is not done yet; returns it.
    pub(super) fn cancel(&mut self, sort: &Sort, id: &str, now: Timestamp) -> Result<Value, Refused> {
        let one = self.all.get_mut(&(sort.path, id.to_owned())).ok_or(Refused::not_found())?;
        if !OPEN.iter().any(|status| one["status"] == *status) {
            return Err(Refused::done());
        }
        touch(one, Some(sort.cancelled), now);
        Ok(one.clone())
    }

    /// Those of a sort, as the account knows them.
    fn of_sort(&self, sort: &'static Sort) -> impl Iterator<Item = &Value> {
        self.all.iter().filter(|((path, _), _)| *path == sort.path).map(|(_, one)| one)
    }

    /// All of it, by the names of the lists.
    pub(super) fn shown(&self) -> Value {
        let rows = |sort: &'static Sort| (sort.list.to_owned(), self.of_sort(sort).cloned().collect::<Value>());
        Value::Object(sorts::ALL.iter().map(rows).collect())
    }
}

/// How a list is paged.
fn paging(rows: usize, limit: usize, offset: usize) -> Value {
    json!({ "meta": { "numberOfRecords": rows, "limit": limit, "page": offset / limit + 1 } })
}

/// The answer of the API about one: no sort says the account, since the user who asks has one.
fn answered(sort: &Sort, one: &Value) -> Value {
    let mut answer = one.clone();
    if let Some(fields) = answer.as_object_mut() {
        fields.remove("accountId");
        if !sort.has_currency {
            fields.remove("currencyCode");
        }
    }
    answer
}

/// Changes the times of one, and its status.
pub(super) fn touch(one: &mut Value, status: Option<&str>, now: Timestamp) {
    let now = second(now);
    one["updatedTime"] = now.clone();
    if let Some(status) = status.filter(|status| one["status"] != *status) {
        one["status"] = status.into();
        one["statusTime"] = now;
    }
}

/// A time as Paysafe writes it, in whole seconds.
pub(super) fn second(now: Timestamp) -> Value {
    Timestamp::from_second(now.as_second()).unwrap_or(now).to_string().into()
}

/// A text; empty if it is none.
pub(super) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
