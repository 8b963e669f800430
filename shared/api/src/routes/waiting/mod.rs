//! `/v1/waiting`: what is recorded and not done yet: jobs, and deliveries that are held for accounts.

mod held;
mod jobs;
pub(crate) mod list;
mod place;

use hooktide_model::tenant::Tenant;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::state::Api;

/// How many job marks, or connections, are read at once.
const PAGE: usize = 100;

/// What waits: a job, or the deliveries that are held for an account.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WaitingView {
    /// `sync`, `replay`, `privacy` or `erase` for a job of that kind; `held` for deliveries that are held for an account.
    kind: String,
    /// What is to be synced, such as `stock/<connection>`, or the id of what another job is about; none for `held`.
    resource: Option<String>,
    /// The connection whose resource is to be synced, or whose own endpoint received deliveries for a foreign account.
    connection: Option<String>,
    /// The endpoint where deliveries are held.
    endpoint: Option<String>,
    /// The account that they are held for.
    account: Option<String>,
    /// The tenant that has connected the account, where they wait until the endpoint's owner releases them.
    tenant: Option<String>,
    /// How many hints were folded into the job, or how many deliveries are held, as far as was counted (100).
    hints: u64,
    /// When the first of them came.
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
    /// When the job is due, or when the lease of its run ends; none for `held`.
    #[schema(value_type = Option<String>, format = DateTime)]
    due: Option<Timestamp>,
    /// Whether the job runs now.
    running: bool,
}

/// A page that is filled.
struct Page<'a> {
    api: &'a Api,
    tenant: &'a Tenant,
    /// Only what is of this connection.
    only: Option<String>,
    limit: usize,
    items: Vec<WaitingView>,
}
