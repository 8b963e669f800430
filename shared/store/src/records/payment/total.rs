//! Totals: how many transactions of a company count in a quarter of an hour, and their sum, by what they are grouped by.
//!
//! A total has a part for each lane of the journal, as the counters of tags have: commits in different lanes touch different
//! items. Each change of a part raises its `rev`, so that a reader can tell whether anything has changed since.

use std::ops::AddAssign;

use super::CompanyId;
use crate::key::Key;
use crate::ports::{AttributeValue, Item, Range, Write};
use crate::records::{number, whole_number};
use hooktide_model::signing;
use hooktide_model::tenant::Tenant;

/// The length of a quarter of an hour, in seconds.
pub const QUARTER: i64 = 900;
/// The longest word that a key has as it is, in bytes.
const LONGEST_WORD: usize = 48;

/// What transactions are counted by.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TotalId {
    /// The company.
    pub company: CompanyId,
    /// The start of the quarter of an hour, in seconds since 1970.
    pub quarter: i64,
    /// The currency.
    pub currency: String,
    /// The status.
    pub status: String,
    /// What they are.
    pub kind: String,
    /// How they were paid, where that is known.
    pub payment_type: Option<String>,
}

/// A count and a sum.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Total {
    /// How many there are.
    pub count: i64,
    /// Their sum, in minor units.
    pub sum: i128,
}

impl AddAssign for Total {
    fn add_assign(&mut self, other: Self) {
        self.count += other.count;
        self.sum += other.sum;
    }
}

impl Total {
    /// Whether it is nothing.
    pub fn is_none(self) -> bool {
        self == Self::default()
    }
}

/// The start of the quarter of an hour that a time lies in: from milliseconds to seconds since 1970.
pub fn quarter_of(milliseconds: i64) -> i64 {
    milliseconds.div_euclid(QUARTER * 1000) * QUARTER
}

/// The range of the totals of the quarters from one, in seconds, to right before another one.
pub fn at_quarter(from: i64, before: i64) -> Range {
    Range::Between(format!("{:012}#", from.max(0)), format!("{:012}#\u{10ffff}", (before - QUARTER).max(-1)))
}

impl TotalId {
    /// The key of its part in a lane.
    pub fn key(&self, tenant: &Tenant, lane: u8) -> Key {
        let words = [&*self.currency, &self.status, &self.kind, self.payment_type.as_deref().unwrap_or_default()];
        let words: Vec<String> = words.into_iter().map(short).collect();
        self.company.totals(tenant).key(format!("{:012}#{}#{lane:02}", self.quarter, words.join("#")))
    }

    /// The write that adds to its part in a lane.
    pub fn add(&self, tenant: &Tenant, lane: u8, count: i64, sum: i64) -> Write {
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let mut set = vec![
            ("v", number(1)),
            ("quarter", number(self.quarter)),
            ("currency", text(&self.currency)),
            ("status", text(&self.status)),
            ("kind", text(&self.kind)),
        ];
        set.extend(self.payment_type.as_deref().map(|word| ("payment_type", text(word))));
        Write::Update {
            key: self.key(tenant, lane),
            set,
            add: vec![("n", count), ("sum", sum), ("rev", 1)],
            remove: Vec::new(),
            condition: None,
        }
    }

    /// Reads a part of a total of this company.
    pub fn read(company: &CompanyId, item: &Item) -> (Self, Total) {
        let text = |name: &str| match item.inner().get(name) {
            Some(AttributeValue::S(text)) => Some(text.clone()),
            _ => None,
        };
        let id = Self {
            company: company.clone(),
            quarter: whole_number(item, "quarter").unwrap_or_default(),
            currency: text("currency").unwrap_or_default(),
            status: text("status").unwrap_or_default(),
            kind: text("kind").unwrap_or_default(),
            payment_type: text("payment_type").filter(|word| !word.is_empty()),
        };
        let count = whole_number(item, "n").unwrap_or_default();
        (id, Total { count, sum: whole_number(item, "sum").unwrap_or_default() })
    }
}

/// A word as a part of a key: as it is, or its hash where it is long or has what separates parts.
fn short(word: &str) -> String {
    match word.len() <= LONGEST_WORD && !word.contains(['#', '%']) {
        true => word.to_owned(),
        false => format!("%{}", &signing::sha256_hex(word.as_bytes())[..32]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quarters_begin_where_clocks_say() {
        for (milliseconds, quarter) in [(0, 0), (899_999, 0), (900_000, 900), (1_767_225_601_000, 1_767_225_600)] {
            assert_eq!(quarter_of(milliseconds), quarter);
        }
    }

    #[test]
    fn a_word_never_reaches_into_the_next_part_of_a_key() {
        assert_eq!(short("COMPLETED"), "COMPLETED");
        assert!(short("A#B").starts_with('%') && short("%").starts_with('%'));
        assert!(short(&"A".repeat(1_000)).len() < LONGEST_WORD);
    }
}
