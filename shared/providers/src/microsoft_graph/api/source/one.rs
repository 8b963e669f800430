//! A single event, by its id, as a round would have it: a series with its occurrences.

use super::event::Reader;
use super::whole;
use super::window::Window;
use crate::{Answer, Ask, Next, Page, Refusal, Task};
use hooktide_model::notice::What;
use hooktide_model::part;

/// The questions for a single event; none if the id is no event's.
pub(super) fn ask(task: &Task<'_>, id: &str) -> Vec<Ask> {
    let Some((calendar, event)) = ids_of(task, id) else { return Vec::new() };
    whole::ask(task, &calendar, &event, Window::at(task.now)).into()
}

/// The calendar and the event of an entity, within the part that is read.
fn ids_of(task: &Task<'_>, id: &str) -> Option<(String, String)> {
    part::ids_of(id).filter(|(calendar, _)| task.part.is_none_or(|part| part == calendar))
}

pub(super) fn read(task: &Task<'_>, id: &str, answers: &[Answer]) -> Result<Page, Refusal> {
    let (Some((calendar, event)), [itself, occurrences]) = (ids_of(task, id), answers) else {
        return Err(Refusal::Invalid);
    };
    let reader = Reader {
        calendar: &calendar,
        window: Window::at(task.now),
        is_news: true,
        titles: task.settings.share_titles.unwrap_or_default(),
        now: task.now,
    };
    let what = whole::read(&reader, &event, (itself, occurrences))?;
    // What cannot be read is there all the same.
    let seen = if matches!(what, What::Entity(_)) { Vec::new() } else { vec![id.to_owned()] };
    Ok(Page { seen, ..Page::of(vec![what], Next::Done(String::new())) })
}
