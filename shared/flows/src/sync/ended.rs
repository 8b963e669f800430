//! What went with entities that ended, such as the occurrences of a series: no page need name them.

use std::collections::BTreeSet;

use super::{known, seen};
use crate::Ports;
use crate::asking::account::Account;
use crate::jobs::task::Task;
use hooktide_model::fault::Fault;
use hooktide_model::notice::{EntityNotice, What};
use hooktide_providers::Source;
use hooktide_store::records::resource::ResourceId;

/// How many that ended are looked for one by one. Where there are more of them, all that is known is looked through once.
const FEW: usize = 4;

/// The ends of the known entities that went with those that a page says ended, but for those that it tells of itself.
pub(super) async fn with(
    ports: &Ports,
    task: &Task<'_>,
    (account, source): (&Account, &dyn Source),
    id: &ResourceId,
    (ended, facts): (&[String], &[What]),
) -> Result<Vec<EntityNotice>, Fault> {
    let told = facts.iter().filter_map(|what| match what {
        What::Entity(notice) => Some(notice.id.as_str()),
        What::Hint { .. } | What::Privacy(_) | What::Ignored { .. } | What::Kept { .. } => None,
    });
    let told: BTreeSet<&str> = told.collect();
    let whole = [known::beginning(id)];
    let beginnings = if ended.len() > FEW { &whole[..] } else { ended };
    let mut went = BTreeSet::new();
    for beginning in beginnings {
        known::each(ports, task.tenant, account, (id, beginning), |kind, entity, _| {
            if !told.contains(entity) && ended.iter().any(|one| source.goes_with(entity, one)) {
                went.insert((kind, entity.to_owned()));
            }
        })
        .await?;
    }
    Ok(went.into_iter().map(|(kind, entity)| seen::tombstone(kind, &entity, task.now)).collect())
}
