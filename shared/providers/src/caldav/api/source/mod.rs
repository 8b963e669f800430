//! The calendars of an account, found by what its server says of it, and the events of each.

mod calendars;
mod events;
mod place;
mod resource;
mod search;

use super::request::Question;
use super::user;
use crate::caldav::{CALENDAR, CALENDARS, Caldav};
use crate::protocols::address::Address;
use crate::{Answer, Ask, Page, Reach, Refusal, Source, Task};

impl Source for Caldav {
    fn ask(&self, task: &Task<'_>) -> Vec<Ask> {
        let ask = match (task.resource, task.reach) {
            (CALENDARS, Reach::One(id)) => calendars::ask_one(task, id).map(|ask| vec![ask]),
            (CALENDARS, Reach::Changes | Reach::Everything) => calendars::ask(task).map(|ask| vec![ask]),
            (CALENDAR, Reach::One(id)) => events::ask_one(task, id),
            (CALENDAR, Reach::Changes | Reach::Everything) => events::ask(task).map(|ask| vec![ask]),
            _ => None,
        };
        ask.unwrap_or_default()
    }

    fn read(&self, task: &Task<'_>, answers: &[Answer]) -> Result<Page, Refusal> {
        // What is not asked for by its calendar has no question, and so no answer.
        let answer = answers.first().ok_or(Refusal::Invalid)?;
        match (task.resource, task.reach) {
            (CALENDARS, Reach::One(id)) => calendars::read_one(task, id, answer),
            (CALENDARS, Reach::Changes | Reach::Everything) => calendars::read(task, answer),
            (CALENDAR, Reach::One(id)) => events::read_one(task, id, answers),
            (CALENDAR, Reach::Changes | Reach::Everything) => events::read(task, answer),
            _ => Err(Refusal::Invalid),
        }
    }

    fn resources(&self) -> &'static [&'static str] {
        &[CALENDARS]
    }

    fn parts_of(&self, resource: &str) -> Option<&'static str> {
        (resource == CALENDARS).then_some(CALENDAR)
    }

    fn shorter(&self, task: &Task<'_>) -> Option<String> {
        (task.resource == CALENDAR).then(|| place::Place::of(task).shorter())?
    }
}

/// The connection's own address.
fn own(task: &Task<'_>) -> Option<Address> {
    Address::parse(task.api)
}

/// A question of the connection's user.
fn question<'a>(task: &Task<'a>, url: &'a str) -> Question<'a> {
    Question { user: user(task.account, task.settings), url }
}
