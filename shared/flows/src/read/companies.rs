//! The companies that somebody may see: by their ids, with their names and time zones.

use std::collections::{BTreeMap, BTreeSet};

use jiff::tz::TimeZone;

use super::{Reader, invalid};
use crate::connect::Refusal;
use hooktide_model::fault::Fault;
use hooktide_model::settings::company::CompanySettings;
use hooktide_store::key::{Area, Partition};
use hooktide_store::ports::{Query, Range};
use hooktide_store::records;
use hooktide_store::records::connection::Connection;
use hooktide_store::records::payment::{Company, CompanyId};

/// How many companies lists and figures are over at the most.
const MOST: usize = 500;
/// How many companies are read at once.
const PAGE: usize = 1_000;

/// A company with what its connection says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedCompany {
    /// The company.
    pub id: CompanyId,
    /// What its connection says of it.
    pub settings: CompanySettings,
}

impl NamedCompany {
    /// Its time zone.
    pub fn zone(&self) -> TimeZone {
        self.settings.zone()
    }

    /// Its name among people: its id where it has none.
    pub fn name(&self) -> &str {
        self.settings.name.as_deref().unwrap_or(&self.id.company)
    }
}

/// The companies that a request is about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Companies(pub Vec<NamedCompany>);

impl Companies {
    /// The companies that a reader may see: those that have payments, of one connection or of this id where it is said.
    pub async fn seen(reader: Reader<'_>, connection: Option<&str>, company: Option<&str>) -> Result<Self, Refusal> {
        if company.is_some_and(|company| !reader.sees(company)) {
            return Ok(Self::default());
        }
        let is_asked = |id: &CompanyId| {
            connection.is_none_or(|connection| id.connection == connection)
                && company.is_none_or(|company| id.company == company)
                && reader.sees(&id.company)
        };
        let prefix = connection.map(CompanyId::of).unwrap_or_default();
        let (mut seen, mut range) = (Vec::new(), Range::Prefix(prefix));
        loop {
            let partition = CompanyId::all(reader.context.tenant);
            let query = Query { partition, range, descending: false, limit: PAGE };
            let (found, more) = records::list::<Company>(reader.context.table(), &query).await?;
            let last = found.last().map(|(sort, _)| sort.clone());
            let ids = found.into_iter().map(|(_, stored)| stored.record.id).filter(is_asked);
            seen.extend(Self::named(reader, ids.collect()).await?.0);
            if seen.len() > MOST {
                let detail = format!("there are more than {MOST} companies: name one, or a connection with fewer");
                return Err(invalid("company", detail));
            }
            match last.filter(|_| more) {
                Some(last) => range = query.range.after(&last),
                None => return Ok(Self(seen)),
            }
        }
    }

    /// One company, if there is one and its connection is not deleted.
    pub(super) async fn one(reader: Reader<'_>, id: CompanyId) -> Result<Self, Fault> {
        Self::named(reader, vec![id]).await
    }

    async fn named(reader: Reader<'_>, ids: Vec<CompanyId>) -> Result<Self, Fault> {
        let connections = connections(reader, ids.iter().map(|id| &*id.connection)).await?;
        let named = ids.into_iter().filter_map(|id| {
            // What is left of a connection that is deleted is not shown.
            let settings = connections.get(&id.connection)?.settings.companies.get(&id.company).cloned();
            Some(NamedCompany { settings: settings.unwrap_or_default(), id })
        });
        Ok(Self(named.collect()))
    }

    /// The name of a company.
    pub fn name(&self, connection: &str, company: &str) -> Option<&str> {
        let found = self.0.iter().find(|named| named.id.connection == connection && named.id.company == company);
        found.map(NamedCompany::name)
    }
}

/// Connections by their ids, without those that are deleted.
pub(super) async fn connections<'a>(
    reader: Reader<'_>,
    ids: impl Iterator<Item = &'a str>,
) -> Result<BTreeMap<String, Connection>, Fault> {
    let wanted: BTreeSet<&str> = ids.collect();
    let partition = Partition::of(reader.context.tenant, Area::Connections);
    let keys: Vec<_> = wanted.iter().map(|id| partition.clone().key(*id)).collect();
    let mut found = BTreeMap::new();
    for item in reader.context.table().get_many(&keys).await?.into_iter().flatten() {
        let connection = records::decode::<Connection>(item)?.record;
        if connection.deleted_at.is_none() {
            found.insert(connection.id.clone(), connection);
        }
    }
    Ok(found)
}
