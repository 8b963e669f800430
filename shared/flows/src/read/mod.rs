//! Read: what dashboards ask for. Lists and figures come from the records that commits write beside their entities, so they are
//! never behind them.

pub mod accounts;
pub mod analytics;
pub mod answers;
mod companies;
mod kept;
pub mod rules;
mod shared;
pub mod transactions;

pub use self::companies::{Companies, NamedCompany};

use crate::connect::{Context, Refusal};
use hooktide_model::problem::FieldError;

/// Whoever reads, and the companies that they may see.
#[derive(Clone, Copy)]
pub struct Reader<'a> {
    /// Their request.
    pub context: Context<'a>,
    /// The companies whose payments they may see; all if empty.
    pub companies: &'a [String],
}

impl Reader<'_> {
    /// Whether they may see a company.
    pub fn sees(&self, company: &str) -> bool {
        self.companies.is_empty() || self.companies.iter().any(|seen| seen == company)
    }
}

/// The refusal of a parameter that does not fit.
pub(crate) fn invalid(field: &str, detail: impl Into<String>) -> Refusal {
    Refusal::Invalid(vec![FieldError { field: field.to_owned(), detail: detail.into() }])
}
