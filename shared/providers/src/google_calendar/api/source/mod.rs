//! The calendars of an account, and the events of each, read through the API.

mod calendars;
mod event;
mod events;
mod item;
mod place;

use self::place::Place;
use super::object;
use crate::google_calendar::{CALENDAR, CALENDARS, GoogleCalendar};
use crate::protocols::cursor;
use crate::{Answer, Ask, Page, Reach, Refusal, Source, Task};

impl Source for GoogleCalendar {
    fn ask(&self, task: &Task<'_>) -> Vec<Ask> {
        match (task.resource, task.reach) {
            (CALENDARS, Reach::One(id)) => vec![calendars::ask_one(task, id)],
            (CALENDARS, Reach::Changes | Reach::Everything) => vec![calendars::ask(task)],
            (CALENDAR, Reach::One(id)) => events::ask_one(task, id),
            (CALENDAR, Reach::Changes | Reach::Everything) => events::ask(task).into_iter().collect(),
            _ => Vec::new(),
        }
    }

    fn read(&self, task: &Task<'_>, answers: &[Answer]) -> Result<Page, Refusal> {
        // What is not asked for by its calendar has no question, and so no answer.
        let answer = answers.first().ok_or(Refusal::Invalid)?;
        let place: Place = cursor::read(task.cursor);
        match (task.resource, task.reach) {
            (CALENDARS, Reach::One(id)) => calendars::read_one(id, answer),
            (CALENDARS, Reach::Changes | Reach::Everything) => calendars::read(&place, answer),
            (CALENDAR, Reach::One(id)) => events::read_one(task, id, answers),
            (CALENDAR, Reach::Changes | Reach::Everything) => events::read(task, &place, answer),
            _ => Err(Refusal::Invalid),
        }
    }

    fn resources(&self) -> &'static [&'static str] {
        &[CALENDARS]
    }

    fn parts_of(&self, resource: &str) -> Option<&'static str> {
        (resource == CALENDARS).then_some(CALENDAR)
    }

    fn goes_with(&self, entity: &str, ended: &str) -> bool {
        event::is_occurrence(entity, ended)
    }
}
