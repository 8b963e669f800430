//! Questions about one series, or one event, as a whole: itself, and its occurrences in the window.

use super::event::Reader;
use super::item::{Item, Sort};
use super::window::Window;
use crate::lenient::{Lenient, Object, fields};
use crate::microsoft_graph::api::{errors, event_path, get, object};
use crate::{Answer, Ask, Refusal, Task};
use hooktide_model::notice::{EntityNotice, What};

/// The fields of an event that are asked for: no places, no people, no texts.
const OF_EVENT: &str = "id,type,seriesMasterId,showAs,isCancelled,isAllDay,start,end,responseStatus,sensitivity,iCalUId,\
                        transactionId,lastModifiedDateTime";
/// The fields of an occurrence that are asked for.
const OF_OCCURRENCE: &str = "id,type,seriesMasterId,showAs,isCancelled,isAllDay,start,end,responseStatus";

fields! {
    struct Instances {
        items: Lenient<Vec<Lenient<Object<Item>>>> = "value",
        next: Lenient<String> = "@odata.nextLink",
    }
}

/// The two questions about one event: for itself, and for its occurrences, which only a series has.
pub(super) fn ask(task: &Task<'_>, calendar: &str, event: &str, window: Window) -> [Ask; 2] {
    let titles = task.settings.share_titles.unwrap_or_default();
    let fields = if titles { format!("{OF_EVENT},subject") } else { OF_EVENT.to_owned() };
    let path = event_path(calendar, event);
    let (start, end) = window.bounds();
    // A series has one occurrence a day at the most, so there is one page.
    let of_occurrences =
        [("startDateTime", &*start), ("endDateTime", &*end), ("$select", OF_OCCURRENCE), ("$top", "500")];
    [get(task.api, &path, &[("$select", &fields)]), get(task.api, &format!("{path}/instances"), &of_occurrences)]
}

/// The fact of one event. An occurrence is no entity of its own.
pub(super) fn read(reader: &Reader<'_>, event: &str, answers: (&Answer, &Answer)) -> Result<What, Refusal> {
    let odd = |why: &str| What::ignored(format!("the event {event} cannot be read: {why}"));
    let told = |notice: Result<EntityNotice, &'static str>| notice.map_or_else(odd, What::Entity);
    let (itself, occurrences) = answers;
    if errors::is_gone(itself) {
        return Ok(told(reader.gone(event)));
    }
    errors::sort(itself)?;
    let item: Item = object(itself)?;
    if item.id() != Some(event) {
        return Err(Refusal::Unreadable("the answer is not the event that was asked for"));
    }
    Ok(match item.sort() {
        Err(why) => odd(why),
        Ok(Sort::Removed | Sort::Occurrence(_)) => told(reader.gone(event)),
        Ok(Sort::Single) => told(reader.single(item)),
        Ok(Sort::Series) if errors::is_gone(occurrences) => told(reader.gone(event)),
        Ok(Sort::Series) => {
            errors::sort(occurrences)?;
            let Instances { items, next } = object(occurrences)?;
            let items = items.read().ok_or(Refusal::Unreadable("`value` is no list"))?;
            let all = items.len();
            let items: Vec<Item> = items.into_iter().filter_map(|item| item.read().map(|Object(item)| item)).collect();
            let is_cut = next.is_there() || items.len() < all;
            told(reader.whole_series(item, items, is_cut))
        }
    })
}
