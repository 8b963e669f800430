//! The search through the data of an account or a person.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures::future::try_join_all;

use super::mentions::mentions;
use crate::{Ports, erase};
use hooktide_model::envelope::{Delivery, Envelope, EnvelopeFault, EnvelopeKind, Payload};
use hooktide_model::fault::{ErrorClass, Fault};
use hooktide_model::names::PrivacyAct;
use hooktide_model::notice::{PrivacyRequest, Subject};
use hooktide_model::tenant::Tenant;
use hooktide_store::bodies;
use hooktide_store::key::{Area, Partition};
use hooktide_store::ports::{Key, Query, Range, Write};
use hooktide_store::records::connection::{self, Connection};
use hooktide_store::records::dead_letter::DeadLetter;
use hooktide_store::records::endpoint::{self, Endpoint, Route};
use hooktide_store::records::privacy::{Done, Found};
use hooktide_store::records::{self, Stored};

/// How many letters are in memory at once: they are large.
const PAGE: usize = 50;
/// How many letters one run looks at: their bodies may have to be fetched.
const LETTERS: usize = 250;
/// How many bodies are fetched at once.
const BODIES: usize = 10;
/// How many routes of an endpoint are followed.
const ROUTES: usize = 10_000;
/// How many ids of deliveries a record lists.
const LISTED: usize = 1_000;

/// The data that one run looks for, and the places to search.
pub(super) struct Search<'a> {
    ports: &'a Ports,
    delivery: &'a Delivery,
    letter: &'a DeadLetter,
    request: &'a PrivacyRequest,
    /// The owner of the endpoint, with whom letters without a connection are filed.
    owner: Tenant,
    /// The connection whose own endpoint it is; absent if the endpoint serves many accounts.
    own: Option<String>,
    /// The account that asks; absent if the request is about a person whom any account of the endpoint may know.
    asks: Option<String>,
    /// The connections that it may be about.
    routes: Vec<Route>,
    places: BTreeSet<Place>,
    /// Whether the bodies that several letters share mention the person, by path: each is read once a run.
    read: Mutex<HashMap<String, bool>>,
}

/// Places to search, in search order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    /// The dead letters of a tenant.
    Dead(Tenant),
    /// The deliveries that a tenant's endpoint holds for accounts that nobody has connected.
    Held(Tenant),
    /// The entities of a tenant's connection.
    Entities(Tenant, String),
}

impl Place {
    /// The name of the place, which sorts as the place does. It is stored, so it never changes.
    fn name(&self) -> String {
        match self {
            Self::Dead(tenant) => format!("dead {tenant}"),
            Self::Held(tenant) => format!("held {tenant}"),
            Self::Entities(tenant, connection) => format!("things {tenant} {connection}"),
        }
    }

    fn tenant(&self) -> &Tenant {
        match self {
            Self::Dead(tenant) | Self::Held(tenant) | Self::Entities(tenant, _) => tenant,
        }
    }
}

impl<'a> Search<'a> {
    /// A search for the data that a letter of the tenant asks about.
    pub(super) async fn new(
        ports: &'a Ports,
        tenant: &Tenant,
        letter: &'a DeadLetter,
        (delivery, request): (&'a Delivery, &'a PrivacyRequest),
    ) -> Result<Self, Fault> {
        let key = endpoint::key(&delivery.provider, &delivery.endpoint);
        let endpoint = records::get::<Endpoint>(&*ports.table, &key).await?;
        let (owner, own) =
            endpoint.map_or_else(|| (tenant.clone(), None), |stored| (stored.record.tenant, stored.record.connection));
        let (asks, routes) = about(ports, tenant, letter, delivery).await?;
        let mut search = Self {
            ports,
            delivery,
            letter,
            request,
            owner,
            own,
            asks,
            routes,
            places: BTreeSet::new(),
            read: Mutex::default(),
        };
        search.places = search.places(tenant);
        Ok(search)
    }

    fn places(&self, tenant: &Tenant) -> BTreeSet<Place> {
        // Deliveries that arrived while the endpoint's owner was unknown are filed with the system.
        let system = Tenant::system();
        let tenants = self.routes.iter().map(|route| &route.tenant).chain([tenant, &self.owner, &system]);
        let mut places: BTreeSet<Place> = tenants.map(|tenant| Place::Dead(tenant.clone())).collect();
        places.insert(Place::Held(self.owner.clone()));
        let whole = self.letter.connection.is_some() && self.request.subject == Subject::Account;
        if whole && self.request.act == PrivacyAct::Erase {
            places.extend(
                self.routes.iter().map(|route| Place::Entities(route.tenant.clone(), route.connection.clone())),
            );
        }
        places
    }

    /// Whether it erases entities of a connection.
    pub(super) fn erases_entities(&self) -> bool {
        self.places.iter().any(|place| matches!(place, Place::Entities(..)))
    }

    /// Restricts the search to entities.
    pub(super) fn only_entities(&mut self) {
        self.places.retain(|place| matches!(place, Place::Entities(..)));
    }

    /// Continues the search, and erases if that is asked for, as far as one run goes. Returns whether all places were
    /// searched; `found` has the counts of each tenant, even if this fails.
    pub(super) async fn run(&self, done: &mut Done, found: &mut BTreeMap<Tenant, Found>) -> Result<bool, Fault> {
        let mut left = LETTERS;
        for place in &self.places {
            let name = place.name();
            if done.place.as_ref().is_some_and(|begun| name < *begun) {
                continue;
            }
            if done.place.as_ref() != Some(&name) {
                (done.place, done.last) = (Some(name), None);
            }
            let here: &mut Found = found.entry(place.tenant().clone()).or_default();
            let all = match place {
                Place::Entities(tenant, connection) => self.entities(tenant, connection, here).await?,
                Place::Dead(tenant) => {
                    let partition = Partition::of(tenant, Area::DeadLetters);
                    self.letters(tenant, partition, &mut left, done, here).await?
                }
                Place::Held(tenant) => {
                    let partition = Partition::of(tenant, Area::Held(&self.delivery.endpoint));
                    self.letters(tenant, partition, &mut left, done, here).await?
                }
            };
            if !all {
                return Ok(false);
            }
        }
        (done.place, done.last) = (None, None);
        Ok(true)
    }

    /// Erases entities of a connection, and returns whether those were all.
    async fn entities(&self, tenant: &Tenant, connection: &str, found: &mut Found) -> Result<bool, Fault> {
        let key = connection::key(tenant, connection);
        let stored = records::get::<Connection>(&*self.ports.table, &key).await?;
        let Some(Stored { record, .. }) = stored else { return Ok(true) };
        let mut erased = erase::ErasedCounts::default();
        let all = erase::entities(self.ports, tenant, &record, &mut erased).await?;
        found.entities += erased.entities as u64;
        found.documents += erased.documents as u64;
        Ok(all)
    }

    /// Goes through as many letters of a shelf as are `left` to this run, and returns whether those were all.
    async fn letters(
        &self,
        tenant: &Tenant,
        partition: Partition,
        left: &mut usize,
        done: &mut Done,
        found: &mut Found,
    ) -> Result<bool, Fault> {
        while *left > 0 {
            let range = done.last.as_ref().map_or(Range::All, |last| records::after("", last));
            let query = Query { partition: partition.clone(), range, descending: false, limit: PAGE.min(*left) };
            let (letters, more) = records::list::<DeadLetter>(&*self.ports.table, &query).await?;
            // Bodies are fetched concurrently, since one after the other could take longer than a run may.
            let mut about = Vec::with_capacity(letters.len());
            for some in letters.chunks(BODIES) {
                about.extend(try_join_all(some.iter().map(|(_, letter)| self.is_about(tenant, &letter.record))).await?);
            }
            for ((sort, Stored { record, .. }), _) in letters.iter().zip(about).filter(|(_, about)| *about) {
                match self.request.act {
                    PrivacyAct::Erase => self.erase(tenant, partition.clone().key(sort.clone()), record).await?,
                    PrivacyAct::Disclose if done.listed.len() < LISTED => {
                        done.listed.push(sort.rsplit('#').next().unwrap_or(sort).to_owned());
                    }
                    PrivacyAct::Disclose => {}
                }
                found.deliveries += 1;
            }
            *left -= letters.len().min(*left);
            done.last = letters.last().map(|(sort, _)| sort.clone()).or(done.last.take());
            if !more || letters.is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn is_about(&self, tenant: &Tenant, letter: &DeadLetter) -> Result<bool, Fault> {
        let marks = match (self.whose(tenant, letter), &self.request.subject) {
            (Whose::Other, _) | (Whose::Unknown, Subject::Account) => return Ok(false),
            (Whose::Asking, Subject::Account) => return Ok(true),
            (Whose::Asking | Whose::Unknown, Subject::Person(marks)) => marks,
        };
        let envelope = match Envelope::decode(&letter.message) {
            Ok(envelope) => envelope,
            // Only newer code can read what it wrote, so the request waits for it.
            Err(EnvelopeFault::Newer(version)) => {
                return Err(Fault::retryable(format!("a kept message has version {version}, of newer code")));
            }
            Err(EnvelopeFault::Foreign(_)) => return Ok(mentions(letter.message.as_bytes(), marks)),
        };
        let (EnvelopeKind::Notice(delivery) | EnvelopeKind::Unreadable(delivery)) = envelope.kind else {
            return Ok(false);
        };
        let path = match &delivery.payload {
            Payload::Blob { blob } => Some(blob),
            Payload::Text { .. } | Payload::Compressed { .. } => None,
        };
        if let Some(known) = path.and_then(|path| self.read().get(path).copied()) {
            return Ok(known);
        }
        let found = match bodies::read(&delivery, &*self.ports.blobs).await {
            Ok(body) => mentions(&body, marks),
            // A lost body mentions nobody, but a held letter that only refers to it is useless, so it may be erased.
            Err(Fault::Permanent { .. }) => {
                letter.class == ErrorClass::UnknownAccount && self.request.act == PrivacyAct::Erase
            }
            Err(fault) => return Err(fault),
        };
        if let Some(path) = path {
            self.read().insert(path.clone(), found);
        }
        Ok(found)
    }

    fn read(&self) -> MutexGuard<'_, HashMap<String, bool>> {
        self.read.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn whose(&self, tenant: &Tenant, letter: &DeadLetter) -> Whose {
        if let Some(connection) = &letter.connection {
            let is = |route: &Route| route.tenant == *tenant && route.connection == *connection;
            return if self.routes.iter().any(is) { Whose::Asking } else { Whose::Other };
        }
        if letter.endpoint.as_ref() != Some(&self.delivery.endpoint) {
            return Whose::Other;
        }
        match (&letter.account, &self.asks) {
            // The delivery came while the endpoint's record was absent, so its connection was unknown.
            (None, _) if self.own.is_some() && self.own == self.letter.connection => Whose::Asking,
            (None, _) => Whose::Unknown,
            // A person may be known to every account.
            (Some(_), None) if self.letter.connection.is_none() => Whose::Asking,
            (Some(account), Some(asks)) if account == asks => Whose::Asking,
            (Some(_), _) => Whose::Other,
        }
    }

    async fn erase(&self, tenant: &Tenant, key: Key, letter: &DeadLetter) -> Result<(), Fault> {
        if let Ok(envelope) = Envelope::decode(&letter.message) {
            bodies::erase(&envelope, tenant, &*self.ports.blobs).await?;
        }
        let delete = Write::Delete { key, condition: None };
        self.ports.table.write(delete).await.map(drop).map_err(records::raced)
    }
}

/// The owner of a letter.
enum Whose {
    /// The requester, or an account that may know the person.
    Asking,
    /// Unknown: the endpoint serves many accounts, and the letter does not say which one it is for.
    Unknown,
    /// Another account.
    Other,
}

/// The account that asks with a letter, and the connections that the letter may be about: the account's own, or none if it
/// is not connected; all connections of the endpoint if the letter is about a person whom any of them may know.
async fn about(
    ports: &Ports,
    tenant: &Tenant,
    letter: &DeadLetter,
    delivery: &Delivery,
) -> Result<(Option<String>, Vec<Route>), Fault> {
    if let Some(id) = &letter.connection {
        let stored = records::get::<Connection>(&*ports.table, &connection::key(tenant, id)).await?;
        let account = letter.account.clone().or_else(|| stored.and_then(|stored| stored.record.account));
        return Ok((account, vec![Route { tenant: tenant.clone(), connection: id.clone() }]));
    }
    if letter.account.is_some() {
        return Ok((letter.account.clone(), Vec::new()));
    }
    let partition = Partition::routes(&delivery.provider, &delivery.endpoint);
    let stored = records::list_all::<Route>(&*ports.table, partition, "", ROUTES + 1).await?;
    if stored.len() > ROUTES {
        return Err(Fault::failed("the endpoint has more connections than a request can be done for"));
    }
    Ok((None, stored.into_iter().map(|(_, stored)| stored.record).collect()))
}
