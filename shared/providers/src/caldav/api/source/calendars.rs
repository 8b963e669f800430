//! The list of calendars: it names the parts of the resource that the events are.

use http::StatusCode;

use super::search::{self, Search, Step};
use super::{own, question};
use crate::caldav::api::multistatus::{self, Response};
use crate::caldav::api::path::{address_of, id_of};
use crate::protocols::address::Address;
use crate::protocols::cursor;
use crate::{Answer, Ask, Next, Page, Part, Refusal, Task};

/// The property that names the calendar that invitations go into (RFC 6638, section 9.2): of an inbox, which lies among the
/// calendars, or of the user.
const MAIN: &str = "<C:schedule-default-calendar-URL/>";
/// The properties that are asked for of each calendar.
const OF_CALENDAR: &str = "<resourcetype/><displayname/><C:supported-calendar-component-set/>";

/// The next question of the search for the calendars, or that for all that are where they were found.
pub(super) fn ask(task: &Task<'_>) -> Option<Ask> {
    let search = Search::of(task)?;
    let question = question(task, &search.at);
    Some(match search.step {
        Step::Home => question.properties("1", &format!("{OF_CALENDAR}{MAIN}")),
        Step::Given | Step::WellKnown | Step::Root | Step::Principal => {
            question.properties("0", &format!("<current-user-principal/><C:calendar-home-set/>{OF_CALENDAR}{MAIN}"))
        }
    })
}

pub(super) fn read(task: &Task<'_>, answer: &Answer) -> Result<Page, Refusal> {
    let (own, search) = own(task).zip(Search::of(task)).ok_or(Refusal::Invalid)?;
    let asked = Address::parse(&search.at).ok_or(Refusal::Invalid)?;
    if search.step != Step::Home {
        return search::read((&own, &asked), &search, answer);
    }
    if let Some(led) = search.followed((&own, &asked), answer)? {
        return Ok(led);
    }
    let answered = match multistatus::read(answer) {
        Ok(answered) => answered,
        // What was found once is looked for anew.
        Err(Refusal::Invalid | Refusal::Closed(_) | Refusal::Expired) if search.is_known => {
            return Err(Refusal::Expired);
        }
        Err(refusal) => return Err(refusal),
    };
    let search = search.told((&own, &asked), &answered.responses);
    let mut parts = parts((&own, &asked), &answered.responses);
    if let Some(main) = search.main(&own).filter(|main| parts.iter().any(|part| part.id == *main)) {
        parts.iter_mut().for_each(|part| part.is_primary = Some(part.id == main));
    }
    let next = search.after_home();
    Ok(Page { parts, ..Page::of(Vec::new(), next) })
}

/// The calendars among what a server lists, in an order that stays the same.
fn parts((own, asked): (&Address, &Address), responses: &[Response]) -> Vec<Part> {
    let calendars = responses.iter().filter(|response| response.has.has_events());
    let mut parts: Vec<Part> = calendars.filter_map(|response| part((own, asked), response)).collect();
    parts.sort_by(|one, other| one.id.cmp(&other.id));
    parts.dedup_by(|one, other| one.id == other.id);
    parts
}

/// A calendar as a part; `None` where it is nowhere that the connection may follow.
pub(super) fn part((own, asked): (&Address, &Address), response: &Response) -> Option<Part> {
    let address = search::joined((own, asked), &response.href)?;
    let id = id_of(own, &address);
    let last = id.trim_end_matches('/').rsplit('/').next().unwrap_or_default().to_owned();
    let name = response.has.name.as_deref().and_then(Part::shown_name);
    Some(Part { name: name.unwrap_or(last), is_primary: None, is_gone: false, id })
}

/// The question for a single calendar.
pub(super) fn ask_one(task: &Task<'_>, id: &str) -> Option<Ask> {
    let address = address_of(&own(task)?, id)?;
    Some(question(task, &address.url()).properties("0", OF_CALENDAR))
}

pub(super) fn read_one(task: &Task<'_>, id: &str, answer: &Answer) -> Result<Page, Refusal> {
    let own = own(task).ok_or(Refusal::Invalid)?;
    let asked = address_of(&own, id).ok_or(Refusal::Invalid)?;
    let gone = Part::gone(id);
    let part = match answer.status() {
        StatusCode::NOT_FOUND | StatusCode::GONE => gone,
        _ => {
            let answered = multistatus::read(answer)?;
            let found = answered.responses.iter().find(|response| response.has.has_events());
            let is_missing = || answered.responses.iter().any(|response| response.status == Some(404));
            match found.and_then(|response| part((&own, &asked), response)) {
                Some(part) => Part { id: id.to_owned(), ..part },
                None if is_missing() => gone,
                None => return Err(Refusal::Unreadable("what was asked for is no calendar of events")),
            }
        }
    };
    Ok(Page::of_part(part, Next::Done(cursor::write(&Search::default()))))
}
