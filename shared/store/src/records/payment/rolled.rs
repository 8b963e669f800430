//! Days that are rolled up: the totals of a company in the quarters of a day (UTC), as one record.
//!
//! A payment that comes late changes totals of a day that may be rolled up already. The commit raises the counter of that day's
//! late changes with them; what is rolled up counts only while that counter is what it was before the totals were read.

use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use super::{CompanyId, Total};
use crate::key::{Area, Key, Partition};
use crate::ports::{Range, Write};
use crate::records::{Record, number};
use hooktide_model::envelope;
use hooktide_model::fault::Fault;
use hooktide_model::tenant::Tenant;

/// The length of a day, in seconds.
pub const DAY: i64 = 24 * 3600;
/// How long after the end of a day a change of it is a late one, in seconds.
const LATE: i64 = DAY;
/// How long after the end of a day it may be rolled up, in seconds: so long that no commit is under way which took itself for
/// an early one.
const SETTLED: i64 = DAY + 6 * 3600;
/// The largest list of totals of a day, in bytes.
const LARGEST: usize = 64 * 1024 * 1024;

/// Totals of a quarter: when it begins, currency, status, kind and way of payment, count and sum.
pub type Figure = (i64, String, String, String, Option<String>, i64, i128);

/// A day that is rolled up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rolled {
    /// How many late changes there had been.
    pub late: u64,
    /// The figures, as compressed JSON.
    figures: ByteBuf,
}

impl Record for Rolled {
    const NAME: &'static str = "day that is rolled up";
}

impl Rolled {
    /// A day with these figures.
    pub fn new(late: u64, figures: &[Figure]) -> Result<Self, Fault> {
        let text =
            serde_json::to_vec(figures).map_err(|error| Fault::failed(format!("figures do not serialise: {error}")))?;
        Ok(Self { late, figures: ByteBuf::from(envelope::compress(&text)?) })
    }

    /// Its figures.
    pub fn figures(&self) -> Result<Vec<Figure>, Fault> {
        let text = envelope::decompress(&self.figures, LARGEST)?;
        serde_json::from_slice(&text).map_err(|error| Fault::failed(format!("stored figures do not read: {error}")))
    }

    /// Whether it fits into an item.
    pub fn fits(&self) -> bool {
        self.figures.len() <= 300 * 1024
    }
}

/// The start of the day of a time, both in seconds since 1970.
pub fn day_of(time: i64) -> i64 {
    time.div_euclid(DAY) * DAY
}

/// Whether a change of a day is a late one, now.
pub fn is_late(day: i64, now: i64) -> bool {
    day + DAY + LATE <= now
}

/// The start of the first day that must not be rolled up yet.
pub fn open_from(now: i64) -> i64 {
    day_of(now - SETTLED)
}

impl CompanyId {
    /// The key of a day that is rolled up.
    pub fn rolled(&self, tenant: &Tenant, day: i64) -> Key {
        self.days(tenant).key(format!("{day:012}"))
    }

    /// The partition of the days that are rolled up.
    pub fn days(&self, tenant: &Tenant) -> Partition {
        Partition::of(tenant, Area::Rolled(&self.connection, &self.company))
    }

    /// The partition of the counters of late changes.
    pub fn late(&self, tenant: &Tenant) -> Partition {
        Partition::of(tenant, Area::Late(&self.connection, &self.company))
    }

    /// The write that counts a late change of a day, by a commit in `lane`.
    pub fn count_late(&self, tenant: &Tenant, day: i64, lane: u8) -> Write {
        Write::Update {
            key: self.late(tenant).key(format!("{day:012}#{lane:02}")),
            set: vec![("v", number(1)), ("day", number(day))],
            add: vec![("n", 1)],
            remove: Vec::new(),
            condition: None,
        }
    }
}

/// The range of days from one to right before another one.
pub fn days(from: i64, before: i64) -> Range {
    Range::Between(format!("{from:012}"), format!("{:012}#\u{10ffff}", before - DAY))
}

/// A figure as a count and a sum.
pub fn total_of(figure: &Figure) -> Total {
    Total { count: figure.5, sum: figure.6 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_day_is_rolled_up_before_changes_of_it_are_late() {
        for now in (20_000 * DAY..20_002 * DAY).step_by(1_800) {
            let last = open_from(now) - DAY;
            assert!(is_late(last, now - 5 * 3600), "{now}: also by a clock that is hours behind");
        }
    }

    #[test]
    fn figures_come_back_as_they_were() {
        let figures = vec![(900, "EUR".to_owned(), "HELD".to_owned(), "PAYMENT".to_owned(), None, 2, 1_i128 << 70)];
        assert_eq!(Rolled::new(3, &figures).unwrap().figures().unwrap(), figures);
    }
}
