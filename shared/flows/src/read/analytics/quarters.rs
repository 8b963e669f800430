//! The totals of a company, by quarters of an hour: from the days that are rolled up, and of the others one by one.

use std::collections::{BTreeMap, HashMap};

use crate::connect::Context;
use crate::rollup::late::late;
use hooktide_model::fault::Fault;
use hooktide_model::tenant::Tenant;
use hooktide_store::ports::{Item, Table};
use hooktide_store::records;
use hooktide_store::records::payment::rolled::{self, DAY, Figure, Rolled, day_of, open_from};
use hooktide_store::records::payment::{CompanyId, Total, TotalId, at_quarter};

/// How many days that are rolled up are read at the most: as many as a question may be about, and both ends.
const MOST_DAYS: usize = 4_000;

/// What sums are grouped by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Group {
    pub(super) currency: String,
    pub(super) status: String,
    pub(super) kind: String,
    pub(super) payment_type: Option<String>,
}

/// The totals by group, of each quarter of an hour that has any, by its start in seconds since 1970.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Quarters(pub(super) BTreeMap<i64, BTreeMap<Group, Total>>);

impl Quarters {
    /// Reads the quarters from one time to another one, in seconds since 1970.
    pub(super) async fn read(context: Context<'_>, company: &CompanyId, from: i64, to: i64) -> Result<Self, Fault> {
        let (tenant, table) = (context.tenant, context.table());
        let settled = open_from(context.now.as_second()).min(day_of(to + DAY - 1));
        let (first, mut quarters) = (day_of(from), Self::default());
        let mut known = HashMap::new();
        if first < settled {
            let days = rolled::days(first, settled);
            let found = records::list_range::<Rolled>(table, company.days(tenant), days, MOST_DAYS).await?;
            let changed = late(context.ports, tenant, company, first, settled).await?;
            for (sort, stored) in found {
                let Ok(day) = sort.parse::<i64>() else { continue };
                if stored.record.late == changed.get(&day).copied().unwrap_or(0) {
                    known.insert(day, stored.record);
                }
            }
        }
        // Days that are not rolled up are read together where they follow each other.
        let (mut day, mut open) = (first, from);
        while day < to {
            let next = day + DAY;
            if let Some(record) = known.remove(&day) {
                quarters.add_counted(table, tenant, company, open, day.max(from)).await?;
                open = next;
                let figures = record.figures()?.into_iter();
                figures.filter(|figure| (from..to).contains(&figure.0)).for_each(|figure| quarters.add_figure(figure));
            }
            day = next;
        }
        quarters.add_counted(table, tenant, company, open, to).await?;
        Ok(quarters)
    }

    /// Reads the totals that commits count, whether or not they are rolled up.
    pub(crate) async fn counted(
        table: &dyn Table,
        tenant: &Tenant,
        company: &CompanyId,
        from: i64,
        to: i64,
    ) -> Result<Self, Fault> {
        let mut quarters = Self::default();
        quarters.add_counted(table, tenant, company, from, to).await?;
        Ok(quarters)
    }

    async fn add_counted(
        &mut self,
        table: &dyn Table,
        tenant: &Tenant,
        company: &CompanyId,
        from: i64,
        to: i64,
    ) -> Result<(), Fault> {
        if from >= to {
            return Ok(());
        }
        let add = |item: &Item| {
            let (id, total) = TotalId::read(company, item);
            self.add(id, total);
        };
        records::each_item(table, &company.totals(tenant), at_quarter(from, to), add).await
    }

    /// The figures that are not zero from one time to another one.
    pub(crate) fn figures(&self, from: i64, to: i64) -> Vec<Figure> {
        let mut figures = Vec::new();
        for (quarter, groups) in self.0.range(from..to) {
            for (group, total) in groups.iter().filter(|(_, total)| !total.is_none()) {
                let Group { currency, status, kind, payment_type } = group.clone();
                figures.push((*quarter, currency, status, kind, payment_type, total.count, total.sum));
            }
        }
        figures
    }

    fn add_figure(&mut self, figure: Figure) {
        let total = rolled::total_of(&figure);
        let (quarter, currency, status, kind, payment_type, ..) = figure;
        let group = Group { currency, status, kind, payment_type };
        *self.0.entry(quarter).or_default().entry(group).or_default() += total;
    }

    fn add(&mut self, id: TotalId, total: Total) {
        let TotalId { quarter, currency, status, kind, payment_type, .. } = id;
        let group = Group { currency, status, kind, payment_type };
        *self.0.entry(quarter).or_default().entry(group).or_default() += total;
    }
}
