//! The mark of a company whose days are rolled up.

use jiff::{SignedDuration, Timestamp};

use hooktide_model::fault::Fault;
use hooktide_model::job_kind::JobKind;
use hooktide_model::signing;
use hooktide_model::tenant::Tenant;
use hooktide_store::ports::Write;
use hooktide_store::records::job::{self, Mark};
use hooktide_store::records::payment::CompanyId;
use hooktide_store::records::payment::rolled::{DAY, day_of};

/// The kind of the job.
pub(crate) const KIND: JobKind = JobKind::named("rollup");
/// When in a day the one before the last is rolled up, and how far companies are spread after that, in seconds.
const HOUR: i64 = 6 * 3600 + 1800;
/// See [`HOUR`].
const SPREAD: i64 = 3600;

/// The write of the mark of a company whose first payment is committed now.
pub(crate) fn begin(tenant: &Tenant, id: &CompanyId, now: Timestamp) -> Result<Write, Fault> {
    let resource = resource(id);
    // One that is left of a company which is gone counts for nothing.
    job::put(&Mark::asked(tenant, KIND, &resource, next(&resource, now), now))
}

/// What the mark of a company is about.
pub(crate) fn resource(id: &CompanyId) -> String {
    format!("{}/{}", id.connection, id.company)
}

/// When days are rolled up next.
pub(super) fn next(resource: &str, now: Timestamp) -> Timestamp {
    let spread = i64::from(signing::sha256(&[resource.as_bytes()])[0]) * SPREAD / 256;
    let today = day_of(now.as_second()) + HOUR + spread;
    let next = if today > now.as_second() { today } else { today + DAY };
    now + SignedDuration::from_secs(next - now.as_second())
}
