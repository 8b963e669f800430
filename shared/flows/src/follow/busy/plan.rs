//! The dry run: what would be written now, and what is to be written already.

use std::collections::BTreeSet;

use super::look::{Found, Look, MOST_PLANNED};
use super::person::Person;
use super::room::{self, CrowdView};
use super::show::BlockView;
use crate::connect::{Context, Refusal};
use hooktide_store::records::block::Block;
use hooktide_store::records::calendars::Progress;

/// What would be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// The blocks: those to be made, moved and removed.
    pub items: Vec<BlockView>,
    /// Whether there may be more than are named: there are more, or there was no time to look at everything.
    pub cut: bool,
    /// The calendars whose events make more blocks than there is room for.
    pub crowded: Vec<CrowdView>,
}

/// Looks at the events of a person, or of everybody, as long as there is time, and says what would be done; nothing is.
pub async fn plan(
    context: Context<'_>,
    user: Option<&str>,
    is_over: &(dyn Fn() -> bool + Sync),
) -> Result<Planned, Refusal> {
    let (mut blocks, mut cut): (Vec<Block>, bool) = (Vec::new(), false);
    let mut crowded = BTreeSet::new();
    for person in Person::several(context.ports, context.tenant, user).await? {
        for choices in &person.choices {
            // A plan that stops early does not come to where room ends.
            crowded.extend(room::crowded(context, &choices.connection).await?);
            cut |= is_over();
            if cut {
                break;
            }
            let subject = (&person, choices.connection.as_str());
            let (ports, found) = ((context.ports, context.tenant), Found::Planned(Vec::new()));
            let mut look = Look::new(ports, subject, found, is_over, context.now).await?;
            let is_whole = look.at_everything(Progress::default()).await?;
            let found = look.crowded().iter().cloned();
            crowded.extend(found.map(|crowd| CrowdView::of(&choices.connection, crowd)));
            if let Found::Planned(planned) = look.found {
                blocks.extend(planned);
            }
            // Some may be named twice; the rest is not looked at.
            cut = !is_whole || blocks.len() > MOST_PLANNED;
        }
    }
    let mut items: Vec<BlockView> = blocks.into_iter().map(BlockView::of).collect();
    items.sort_by(|one, other| (&one.id, one.state).cmp(&(&other.id, other.state)));
    items.dedup_by(|one, other| one.id == other.id);
    items.truncate(MOST_PLANNED);
    Ok(Planned { items, cut, crowded: crowded.into_iter().collect() })
}
