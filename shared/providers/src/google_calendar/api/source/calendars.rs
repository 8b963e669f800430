//! The list of calendars: it names the parts of the resource that the events are.

use super::{Place, object};
use crate::google_calendar::api::{LIST, entry_path, errors, get};
use crate::lenient::{Lenient, Object, fields};
use crate::protocols::cursor;
use crate::{Answer, Ask, Page, Part, Refusal, Task};

/// The fields of a calendar that are asked for.
const OF_CALENDAR: &str = "id,summary,summaryOverride,primary,deleted,accessRole";

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
    let parts = items
        .read()
        .unwrap_or_default()
        .into_iter()
        .map(|item| item.read().and_then(|Object(calendar)| calendar.part()));
    Ok(Page::of_parts(parts, "a calendar without an id that can be read", next))
}

pub(super) fn read_one(id: &str, answer: &Answer) -> Result<Page, Refusal> {
    Page::of_one(id, errors::is_gone(answer), || {
        errors::sort(answer)?;
        Ok(object::<Calendar>(answer)?.part())
    })
}

impl Calendar {
    /// The calendar as a part; `None` if it has no id.
    fn part(self) -> Option<Part> {
        let part = Part::named(self.id.read(), self.name.read().or_else(|| self.summary.read()))?;
        let is_closed = self.role.as_ref().is_some_and(|role| role == "none");
        Some(Part {
            is_primary: Some(self.primary.read().unwrap_or_default()),
            is_gone: self.deleted.read().unwrap_or_default() || is_closed,
            ..part
        })
    }
}
