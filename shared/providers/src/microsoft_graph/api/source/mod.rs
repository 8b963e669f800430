//! The calendars of a mailbox, and the events of each within a window that rolls, read through the API.

mod calendars;
mod event;
mod item;
mod link;
mod one;
mod place;
mod round;
mod series;
mod whole;
mod window;

use self::place::Place;
use crate::microsoft_graph::{CALENDAR, CALENDARS, MicrosoftGraph};
use crate::protocols::cursor;
use crate::{Answer, Ask, Page, Reach, Refusal, Source, Task};

impl Source for MicrosoftGraph {
    fn ask(&self, task: &Task<'_>) -> Vec<Ask> {
        match (task.resource, task.reach) {
            (CALENDARS, Reach::One(id)) => vec![calendars::ask_one(task, id)],
            (CALENDARS, Reach::Changes | Reach::Everything) => vec![calendars::ask(task)],
            (CALENDAR, Reach::One(id)) => one::ask(task, id),
            (CALENDAR, Reach::Changes | Reach::Everything) => {
                task.part.map(|calendar| round::ask(task, calendar, &place(task))).unwrap_or_default()
            }
            _ => Vec::new(),
        }
    }

    fn read(&self, task: &Task<'_>, answers: &[Answer]) -> Result<Page, Refusal> {
        // What is not asked for by its calendar has no question, and so no answer.
        let answer = answers.first().ok_or(Refusal::Invalid)?;
        match (task.resource, task.reach) {
            (CALENDARS, Reach::One(id)) => calendars::read_one(id, answer),
            (CALENDARS, Reach::Changes | Reach::Everything) => calendars::read(task, answer),
            (CALENDAR, Reach::One(id)) => one::read(task, id, answers),
            (CALENDAR, Reach::Changes | Reach::Everything) => {
                round::read(task, task.part.ok_or(Refusal::Invalid)?, &place(task), answers)
            }
            _ => Err(Refusal::Invalid),
        }
    }

    fn shorter(&self, task: &Task<'_>) -> Option<String> {
        let is_of_rounds = task.resource == CALENDAR && matches!(task.reach, Reach::Changes | Reach::Everything);
        is_of_rounds.then(|| place(task)).and_then(|place| place.shorter())
    }

    fn resources(&self) -> &'static [&'static str] {
        &[CALENDARS]
    }

    fn parts_of(&self, resource: &str) -> Option<&'static str> {
        (resource == CALENDARS).then_some(CALENDAR)
    }
}

/// Where the reading is: at the beginning of a round, unless the cursor says more.
fn place(task: &Task<'_>) -> Place {
    cursor::read::<Option<Place>>(task.cursor).filter(Place::is_of_a_round).unwrap_or_else(|| Place::begin(task.now))
}
