//! Why a change of a connection or an endpoint is refused.

use hooktide_model::fault::Fault;
use hooktide_model::problem::FieldError;

/// Why a change is refused. The texts say what to do.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Refusal {
    /// The tenant has no such resource.
    #[error("There is no such {0}.")]
    NotFound(&'static str),
    /// Fields do not fit.
    #[error("{}", told(.0))]
    Invalid(Vec<FieldError>),
    /// The change contradicts the present state.
    #[error("{0}")]
    Conflict(String),
    /// A port failed.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl Refusal {
    /// Refuses one field.
    pub fn invalid(field: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::Invalid(vec![FieldError { field: field.into(), detail: detail.into() }])
    }

    /// Refuses what contradicts the present state.
    pub fn conflict(detail: impl Into<String>) -> Self {
        Self::Conflict(detail.into())
    }

    /// Whether somebody else may have been faster, so that a repeat may find what they made.
    pub(super) fn is_race(&self) -> bool {
        matches!(self, Self::Conflict(_) | Self::Fault(Fault::Retryable { .. }))
    }
}

fn told(errors: &[FieldError]) -> String {
    let told: Vec<String> = errors.iter().map(|error| format!("{}: {}", error.field, error.detail)).collect();
    told.join("; ")
}
