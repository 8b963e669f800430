//! The list of calendars: it names the parts of the resource that the events are.

use serde::{Deserialize, Serialize};

use super::link::{self, OF_LIST};
use crate::lenient::{Lenient, Object, fields};
use crate::microsoft_graph::api::{LIST, calendar_path, errors, get, object};
use crate::protocols::cursor;
use crate::{Answer, Ask, Next, Page, Part, Refusal, Task};

/// The fields of a calendar that are asked for.
const OF_CALENDAR: &str = "id,name,isDefaultCalendar";

/// Where the list goes on: the link, below the API's address. Graph lists no changes, so each reading begins without.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Place {
    link: Option<String>,
}

fields! {
    struct List {
        items: Lenient<Vec<Lenient<Object<Calendar>>>> = "value",
        next: Lenient<String> = "@odata.nextLink",
    }
}

fields! {
    struct Calendar {
        id: Lenient<String> = "id",
        name: Lenient<String> = "name",
        is_default: Lenient<bool> = "isDefaultCalendar",
    }
}

/// The question for a page.
pub(super) fn ask(task: &Task<'_>) -> Ask {
    match cursor::read::<Place>(task.cursor).link {
        Some(link) => get(task.api, &link, &[]),
        None => get(task.api, LIST, &[("$select", OF_CALENDAR), ("$top", "100")]),
    }
}

/// The question for a single calendar.
pub(super) fn ask_one(task: &Task<'_>, id: &str) -> Ask {
    get(task.api, &calendar_path(id), &[("$select", OF_CALENDAR)])
}

pub(super) fn read(task: &Task<'_>, answer: &Answer) -> Result<Page, Refusal> {
    errors::sort(answer)?;
    let List { items, next } = object(answer)?;
    let items = items.read().ok_or(Refusal::Unreadable("`value` is no list"))?;
    let link = link::path(next, OF_LIST, None)?;
    if link.is_some() && link == cursor::read::<Place>(task.cursor).link {
        return Err(Refusal::Unreadable("the same page again"));
    }
    let next = match link {
        Some(link) => Next::More(cursor::write(&Place { link: Some(link) })),
        None => Next::Done(cursor::write(&Place::default())),
    };
    let parts = items.into_iter().map(|item| item.read().and_then(|Object(calendar)| calendar.part()));
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
        let part = Part::named(self.id.read(), self.name.read())?;
        Some(Part { is_primary: Some(self.is_default.read().unwrap_or_default()), ..part })
    }
}
