//! Removing all blocks that lie in a connection's calendars, and those that stem from its events.

use super::choose::{choices, store};
use super::person::Person;
use crate::connect::{Context, Refusal, connection_of};
use hooktide_model::fault::Fault;
use hooktide_store::records::block::{self, Block};
use hooktide_store::records::{self};

/// How many blocks are counted.
const COUNTED: usize = 10_000;

/// What is being removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Removal {
    /// How many blocks there were; 10,000 are counted at the most.
    pub blocks: usize,
}

/// Switches the directions of a connection's calendars off, so that all of their blocks go.
pub async fn remove(context: Context<'_>, connection: &str) -> Result<Removal, Refusal> {
    let connection = connection_of(context, connection).await?.record;
    let blocks = count(context, &connection.id).await?;
    let (rev, mut choices) = choices(context, &connection).await?;
    for choice in choices.choices.values_mut() {
        (choice.blocks_others, choice.is_blocked) = (false, false);
    }
    store(context, rev, &choices).await?;
    Ok(Removal { blocks })
}

/// How many blocks lie in a connection's calendars or stem from its events.
async fn count(context: Context<'_>, connection: &str) -> Result<usize, Fault> {
    let Some(person) = Person::of(context.ports, context.tenant, connection).await? else { return Ok(0) };
    let mut count = 0;
    for calendar in person.all() {
        if count >= COUNTED {
            break;
        }
        let own = calendar.connection == connection;
        let from = if own { String::new() } else { format!("{connection}#") };
        let prefix = format!("{}{from}", block::prefix_of_calendar(&calendar));
        let partition = block::partition(context.tenant);
        let found = records::list_all::<Block>(&*context.ports.table, partition, &prefix, COUNTED - count).await?;
        // In its own calendars, pieces are seen by the merged blocks that cover them.
        count += found.iter().filter(|(_, stored)| !own || stored.record.piece.is_none()).count();
    }
    Ok(count)
}
