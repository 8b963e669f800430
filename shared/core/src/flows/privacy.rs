//! Privacy: lists or erases what is held about an account or a person, and leaves a record that says so.
//!
//! What is held of an account are its things with their documents, and deliveries that are kept: dead letters, and what
//! waits for an account to connect. Of a person there are only the latter: things are products, quantities and payments,
//! whose documents name nobody. The journal has ids of things and deliveries, and expires by itself.
//!
//! A request is a job, whose record says how far it got. A step that is cut off is done again; what it erased stays erased.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use super::process::Processor;
use super::{Ports, erase, jobs};
use crate::envelope::{Delivery, Envelope, EnvelopeKind};
use crate::fault::Fault;
use crate::key::{Area, Partition};
use crate::names::{JobKind, Outcome, PrivacyAct};
use crate::notice::{PrivacyRequest, Subject, What};
use crate::ports::{Key, Query, Range, Write};
use crate::providers;
use crate::records::connection::{self, Connection};
use crate::records::dead_letter::{DeadLetter, Shelf};
use crate::records::endpoint::Route;
use crate::records::job;
use crate::records::journal::Entry;
use crate::records::privacy::{self, Done};
use crate::records::{self, Stored, Upkeep};
use crate::tenant::Tenant;
use crate::verified;

/// How many letters are in memory at once: they are large.
const PAGE: usize = 50;
/// How many letters one run looks at: their bodies may have to be fetched.
const LETTERS: usize = 1_000;
/// How many routes of an endpoint are followed.
const ROUTES: usize = 10_000;
/// How many ids of deliveries a record lists.
const LISTED: usize = 1_000;
/// How long the record of a request is kept.
const KEPT: Duration = Duration::from_secs(3 * 365 * 24 * 3600);

/// Does what a request asks for, or a part of it that fits into one run.
pub(super) async fn step(
    processor: &Processor,
    tenant: &Tenant,
    id: &str,
    envelope: &Envelope,
    now: Timestamp,
) -> Result<(), Fault> {
    let ports = &processor.ports;
    let Some(held) = jobs::claim(ports, JobKind::Privacy, tenant, id, now).await? else { return Ok(()) };
    let letter: Option<Stored<DeadLetter>> = records::get(&*ports.table, &Shelf::Privacy.key(tenant, id)).await?;
    let Some(Stored { record: letter, .. }) = letter else {
        return ports.table.write(job::finish(&held, now)?).await.map(drop).map_err(records::raced);
    };
    let Some((delivery, request)) = request_of(ports, &letter).await? else {
        return Err(Fault::failed("a request about personal data does not read as one any more"));
    };
    let key = privacy::key(tenant, id);
    let begun = records::get::<Done>(&*ports.table, &key).await?.map(|stored| stored.record);
    let search = Search { ports, tenant, delivery: &delivery, letter: &letter, request: &request };
    let mut done = begun.unwrap_or_else(|| search.record());
    let all = search.run(&mut done).await?;
    done.done_at = all.then_some(now);
    let progress = records::put(&key, &done, Upkeep::until(now + KEPT))?;
    if !all {
        let mark = job::store(Some(held.rev), &job::resting(&held.record, now))?;
        ports.table.transact(vec![progress, mark]).await.map_err(records::overtaken)?;
        return jobs::send(ports, envelope, Duration::ZERO).await;
    }
    let delete = Write::Delete { key: Shelf::Privacy.key(tenant, id), condition: None };
    let writes = vec![delete, progress, job::finish(&held, now)?];
    processor.journal(tenant, id, &[entry(&done, id, envelope, now)], writes, now).await
}

/// The delivery that a letter keeps, and the request in it.
async fn request_of(ports: &Ports, letter: &DeadLetter) -> Result<Option<(Delivery, PrivacyRequest)>, Fault> {
    let Ok(Envelope { kind: EnvelopeKind::Notice(delivery), received_at, .. }) = Envelope::decode(&letter.message)
    else {
        return Ok(None);
    };
    let Some(provider) = providers::by_id(&delivery.provider) else { return Ok(None) };
    let notices = provider.parse(&verified::reopen(&delivery, received_at, &*ports.blobs).await?)?;
    let request = notices.into_iter().find_map(|notice| match notice.what {
        What::Privacy(request) => Some(request),
        What::Entity(_) | What::Hint { .. } | What::Ignored { .. } => None,
    });
    Ok(request.map(|request| (delivery, request)))
}

struct Search<'a> {
    ports: &'a Ports,
    tenant: &'a Tenant,
    delivery: &'a Delivery,
    letter: &'a DeadLetter,
    request: &'a PrivacyRequest,
}

/// Where something may be held, in the order in which is looked.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    /// Among the dead letters of a tenant.
    Dead(Tenant),
    /// With what a tenant's endpoint keeps for accounts that nobody has connected.
    Held(Tenant),
    /// Among a tenant's connection's things.
    Things(Tenant, String),
}

impl Place {
    /// Its name, which sorts as the place does.
    fn name(&self) -> String {
        match self {
            Self::Dead(tenant) => format!("dead {tenant}"),
            Self::Held(tenant) => format!("held {tenant}"),
            Self::Things(tenant, connection) => format!("things {tenant} {connection}"),
        }
    }
}

impl Search<'_> {
    fn record(&self) -> Done {
        Done {
            provider: self.delivery.provider.clone(),
            endpoint: self.delivery.endpoint.clone(),
            connection: self.letter.connection.clone(),
            topic: self.letter.topic.clone(),
            act: self.request.act,
            received_at: self.letter.received_at,
            done_at: None,
            place: None,
            last: None,
            entities: 0,
            documents: 0,
            deliveries: 0,
            listed: Vec::new(),
        }
    }

    /// Goes on looking, and erases where that is asked for, as far as one run goes; whether everywhere was looked. What a
    /// run that was cut off erased is gone, and not counted.
    async fn run(&self, done: &mut Done) -> Result<bool, Fault> {
        let routes = self.routes().await?;
        let mut left = LETTERS;
        for place in self.places(&routes) {
            let name = place.name();
            let begun = done.place.as_ref();
            if begun.is_some_and(|begun| name < *begun) {
                continue;
            }
            if begun != Some(&name) {
                (done.place, done.last) = (Some(name), None);
            }
            let all = match &place {
                Place::Things(tenant, connection) => self.things(tenant, connection, done).await?,
                Place::Dead(tenant) => {
                    let partition = Partition::of(tenant, Area::DeadLetters);
                    self.letters(tenant, partition, &routes, &mut left, done).await?
                }
                Place::Held(tenant) => {
                    let partition = Partition::of(tenant, Area::Held(&self.delivery.endpoint));
                    self.letters(tenant, partition, &routes, &mut left, done).await?
                }
            };
            if !all {
                return Ok(false);
            }
        }
        (done.place, done.last) = (None, None);
        Ok(true)
    }

    fn places(&self, routes: &[Route]) -> BTreeSet<Place> {
        let tenants = routes.iter().map(|route| &route.tenant).chain([self.tenant]);
        let mut places: BTreeSet<Place> =
            tenants.flat_map(|tenant| [Place::Dead(tenant.clone()), Place::Held(tenant.clone())]).collect();
        if self.request.subject == Subject::Account && self.request.act == PrivacyAct::Erase {
            places.extend(routes.iter().map(|route| Place::Things(route.tenant.clone(), route.connection.clone())));
        }
        places
    }

    /// Whose the request is: its connection, or, where it is about a person and not an account, all of the endpoint.
    async fn routes(&self) -> Result<Vec<Route>, Fault> {
        if let Some(connection) = &self.letter.connection {
            return Ok(vec![Route { tenant: self.tenant.clone(), connection: connection.clone() }]);
        }
        let partition = Partition::routes(&self.delivery.provider, &self.delivery.endpoint);
        let stored = records::list_all::<Route>(&*self.ports.table, partition, "", ROUTES).await?;
        Ok(stored.into_iter().map(|(_, stored)| stored.record).collect())
    }

    /// Erases things of a connection; whether all of them.
    async fn things(&self, tenant: &Tenant, connection: &str, done: &mut Done) -> Result<bool, Fault> {
        let key = connection::key(tenant, connection);
        let stored = records::get::<Connection>(&*self.ports.table, &key).await?;
        let Some(Stored { record, .. }) = stored else { return Ok(true) };
        let mut erased = erase::Erased::default();
        let all = erase::things(self.ports, tenant, &record, &mut erased).await?;
        done.entities += erased.entities as u64;
        done.documents += erased.documents as u64;
        Ok(all)
    }

    /// Goes through letters of a shelf, as many as are `left` to this run; whether all of them.
    async fn letters(
        &self,
        tenant: &Tenant,
        partition: Partition,
        routes: &[Route],
        left: &mut usize,
        done: &mut Done,
    ) -> Result<bool, Fault> {
        let own: Vec<&str> =
            routes.iter().filter(|route| route.tenant == *tenant).map(|route| route.connection.as_str()).collect();
        loop {
            if *left == 0 {
                return Ok(false);
            }
            let range = done.last.as_ref().map_or(Range::All, |last| records::after("", last));
            let query = Query { partition: partition.clone(), range, descending: false, limit: PAGE.min(*left) };
            let (letters, more) = records::list::<DeadLetter>(&*self.ports.table, &query).await?;
            for (sort, Stored { record, .. }) in &letters {
                if !self.is_about(record, &own).await? {
                    continue;
                }
                done.deliveries += 1;
                match self.request.act {
                    PrivacyAct::Erase => self.erase(tenant, partition.clone().key(sort.clone()), record).await?,
                    PrivacyAct::Disclose if done.listed.len() < LISTED => {
                        done.listed.push(sort.rsplit('#').next().unwrap_or(sort).to_owned());
                    }
                    PrivacyAct::Disclose => {}
                }
            }
            *left -= letters.len().min(*left);
            done.last = letters.last().map(|(sort, _)| sort.clone()).or(done.last.take());
            if !more || letters.is_empty() {
                return Ok(true);
            }
        }
    }

    async fn is_about(&self, letter: &DeadLetter, connections: &[&str]) -> Result<bool, Fault> {
        let ours = match &letter.connection {
            Some(connection) => connections.contains(&connection.as_str()),
            None => letter.endpoint.as_ref() == Some(&self.delivery.endpoint),
        };
        if !ours {
            return Ok(false);
        }
        match &self.request.subject {
            // Of a shared endpoint, what names no connection may be another account's.
            Subject::Account => Ok(letter.connection.is_some()),
            Subject::Person(marks) => {
                let Ok(envelope) = Envelope::decode(&letter.message) else { return Ok(false) };
                let (EnvelopeKind::Notice(delivery) | EnvelopeKind::Unreadable(delivery)) = envelope.kind else {
                    return Ok(false);
                };
                match delivery.body(&*self.ports.blobs).await {
                    Ok(body) => Ok(mentions(&body, marks)),
                    // What is lost says nothing about anybody.
                    Err(Fault::Permanent { .. }) => Ok(false),
                    Err(fault) => Err(fault),
                }
            }
        }
    }

    async fn erase(&self, tenant: &Tenant, key: Key, letter: &DeadLetter) -> Result<(), Fault> {
        if let Ok(envelope) = Envelope::decode(&letter.message) {
            envelope.erase_body(tenant, &*self.ports.blobs).await?;
        }
        let delete = Write::Delete { key, condition: None };
        self.ports.table.write(delete).await.map(drop).map_err(records::raced)
    }
}

/// Whether a body has one of these values: as a value of its own in JSON, as a part of anything else.
fn mentions(body: &[u8], marks: &[String]) -> bool {
    let same = |text: &str| marks.iter().any(|mark| mark.eq_ignore_ascii_case(text));
    match serde_json::from_slice::<Value>(body) {
        Ok(value) => any_scalar(&value, &same),
        Err(_) => {
            let text = String::from_utf8_lossy(body).to_ascii_lowercase();
            marks.iter().any(|mark| text.contains(&mark.to_ascii_lowercase()))
        }
    }
}

fn any_scalar(value: &Value, same: &dyn Fn(&str) -> bool) -> bool {
    match value {
        Value::String(text) => same(text),
        Value::Number(number) => same(&number.to_string()),
        Value::Array(items) => items.iter().any(|item| any_scalar(item, same)),
        Value::Object(fields) => fields.values().any(|field| any_scalar(field, same)),
        Value::Null | Value::Bool(_) => false,
    }
}

/// What the activity says of it.
fn entry(done: &Done, id: &str, envelope: &Envelope, now: Timestamp) -> Entry {
    let Done { entities, documents, deliveries, .. } = done;
    let reason = match done.act {
        PrivacyAct::Erase => {
            format!("erased: {entities} things, {documents} documents, {deliveries} kept deliveries")
        }
        PrivacyAct::Disclose => format!("listed: {deliveries} kept deliveries, in the record of the request"),
    };
    Entry {
        id: format!("{id}-done"),
        connection: done.connection.clone(),
        provider: done.provider.clone(),
        topic: done.topic.clone(),
        delivery: None,
        outcome: Outcome::Processed,
        reason: Some(reason),
        received_at: done.received_at,
        processed_at: now,
        verified_with: None,
        trace: envelope.trace().to_owned(),
        change: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_mentions_somebody_by_a_whole_value_wherever_it_nests() {
        let marks = ["7001".to_owned(), "Ann@Example.com".to_owned()];
        for (body, expected) in [
            (r#"{"a":[{"id":7001}]}"#, true),
            (r#"{"a":{"email":"ann@example.com"}}"#, true),
            (r#"{"id":70011,"email":"joann@example.com","7001":null}"#, false),
            ("email=ann@example.com", true),
            ("nobody", false),
        ] {
            assert_eq!(mentions(body.as_bytes(), &marks), expected, "{body}");
        }
    }
}
