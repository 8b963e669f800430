//! The list of calendars: it names the parts of the resource that the events are.

use super::{Place, object};
use crate::google_calendar::api::{LIST, entry_path, errors, get};
use crate::lenient::{Lenient, Object, fields};
use crate::protocols::cursor;
use crate::reading::is_id;
use crate::{Answer, Ask, Next, Page, Part, Refusal, Task};
use hooktide_model::notice::What;

/// The fields of a calendar that are asked for.
const OF_CALENDAR: &str = "id,summary,summaryOverride,primary,deleted,accessRole";
/// The longest name of a calendar, in characters.
const LONGEST_NAME: usize = 200;

fields! {
    struct List {
        items: Lenient<Vec<Lenient<Object<Calendar>>>> = "items",
        page: Lenient<String> = "nextPageToken",
        sync: Lenient<String> = "nextSyncToken",
    }
}

fields! {
    struct Calendar {
        id: Lenient<String> = "id",
        summary: Lenient<String> = "summary",
        name: Lenient<String> = "summaryOverride",
        primary: Lenient<bool> = "primary",
        deleted: Lenient<bool> = "deleted",
        role: Lenient<String> = "accessRole",
    }
}

/// The question for a page. Calendars that their owner hides from view are there all the same.
pub(super) fn ask(task: &Task<'_>) -> Ask {
    let place: Place = cursor::read(task.cursor);
    let fields = format!("kind,nextPageToken,nextSyncToken,items({OF_CALENDAR})");
    let mut parameters = vec![("maxResults", "250"), ("showHidden", "true"), ("showDeleted", "true")];
    parameters.push(("fields", &fields));
    parameters.extend(place.parameters());
    get(task.api, LIST, &parameters)
}

/// The question for a single calendar.
pub(super) fn ask_one(task: &Task<'_>, id: &str) -> Ask {
    get(task.api, &entry_path(id), &[("fields", OF_CALENDAR)])
}

pub(super) fn read(place: &Place, answer: &Answer) -> Result<Page, Refusal> {
    if let Err(refusal) = errors::sort(answer) {
        return place.over(refusal);
    }
    let List { items, page, sync } = object(answer)?;
    let next = place.next(page, sync)?;
    if items.is_there() && items.as_ref().is_none() {
        return Err(Refusal::Unreadable("`items` is no list"));
    }
    let mut read = Page::of(Vec::new(), next);
    for item in items.read().unwrap_or_default() {
        match item.read().and_then(|Object(calendar)| calendar.part()) {
            Some(part) => read.parts.push(part),
            None => read.facts.push(What::ignored("a calendar without an id that can be read")),
        }
    }
    Ok(read)
}

pub(super) fn read_one(id: &str, answer: &Answer) -> Result<Page, Refusal> {
    let part = if errors::is_gone(answer) {
        Part { id: id.to_owned(), name: id.to_owned(), is_primary: false, is_gone: true }
    } else {
        errors::sort(answer)?;
        object::<Calendar>(answer)?.part().ok_or(Refusal::Unreadable("a calendar without an id"))?
    };
    Ok(Page { parts: vec![part], ..Page::of(Vec::new(), Next::Done(String::new())) })
}

impl Calendar {
    /// The calendar as a part; `None` if it has no id.
    fn part(self) -> Option<Part> {
        let id = self.id.read().filter(|id| is_id(id))?;
        let name = self.name.read().or_else(|| self.summary.read()).filter(|name| !name.trim().is_empty());
        let name = name.as_deref().unwrap_or(&id).chars().filter(|letter| !letter.is_control());
        let is_closed = self.role.as_ref().is_some_and(|role| role == "none");
        Some(Part {
            name: name.take(LONGEST_NAME).collect(),
            is_primary: self.primary.read().unwrap_or_default(),
            is_gone: self.deleted.read().unwrap_or_default() || is_closed,
            id,
        })
    }
}
