//! The mark of a place in the journal that is still to be published.

use std::time::Duration;

use jiff::Timestamp;

use hooktide_model::job_kind::JobKind;
use hooktide_model::place::JournalPlace;
use hooktide_model::tenant::Tenant;
use hooktide_store::records::job::Mark;

/// The kind of its job.
pub(crate) const PUBLISH: JobKind = JobKind::named("publish");

/// How long the committer has to publish: longer than any run lasts.
const GRACE: Duration = Duration::from_secs(60);

/// The mark of a place that is still to be published.
pub(crate) fn of(tenant: &Tenant, at: JournalPlace, now: Timestamp) -> Mark {
    Mark::asked(tenant, PUBLISH, &at.to_string(), now + GRACE, now)
}
