//! The events of one calendar: its members and their texts, or what changed since a token.

use http::StatusCode;

use super::place::{Place, Step};
use super::resource::{Member, Told};
use super::{own, question};
use crate::caldav::Caldav;
use crate::caldav::api::multistatus::{self, Multistatus, Response};
use crate::caldav::api::path::{address_of, member, name_in, normal};
use crate::protocols::address::Address;
use crate::protocols::cursor;
use crate::{Answer, Api, Ask, Next, Page, Reach, Refusal, Task};
use hooktide_model::notice::What;
use hooktide_model::part;

/// The properties that a calendar is asked for.
const OF_CALENDAR: &str = "<sync-token/><S:getctag/><supported-report-set/><C:calendar-timezone/>";
/// The property of the time zone alone.
const ZONE: &str = "<C:calendar-timezone/>";

/// The next question about a calendar; `None` without one.
pub(super) fn ask(task: &Task<'_>) -> Option<Ask> {
    let (place, at) = (Place::of(task), address_of(&own(task)?, task.part?)?);
    let url = at.url();
    let question = question(task, &url);
    Some(match (place.step, &place.token) {
        (Step::Begin, _) | (Step::Changes, None) => question.properties("0", OF_CALENDAR),
        (Step::List, _) => question.properties("1", "<getetag/><resourcetype/>"),
        (Step::Fetch, _) => question.texts(place.batch().iter().map(|name| member(at.path(), name))),
        (Step::Changes, Some(token)) => question.changes(token),
    })
}

pub(super) fn read(task: &Task<'_>, answer: &Answer) -> Result<Page, Refusal> {
    let (own, place) = (own(task).ok_or(Refusal::Invalid)?, Place::of(task));
    let at = task.part.and_then(|part| address_of(&own, part)).ok_or(Refusal::Invalid)?;
    let of = Calendar { task, at: &at };
    match (place.step, &place.token) {
        (Step::Begin, _) => of.begin(place, &multistatus::read(answer)?),
        (Step::List, _) => of.list(&place, &multistatus::read(answer)?),
        (Step::Fetch, _) => of.fetch(&place, multistatus::read(answer)?),
        (Step::Changes, Some(_)) if refuses_token(answer) => Err(Refusal::Expired),
        (Step::Changes, Some(_)) => of.changes(place, &multistatus::read(answer)?),
        (Step::Changes, None) => of.compare(&place, &multistatus::read(answer)?),
    }
}

/// Whether a server does not take a token for changes, or no longer. Servers say it in many ways; where it is something else,
/// the list of everything says so in turn.
fn refuses_token(answer: &Answer) -> bool {
    matches!(answer.status().as_u16(), 400 | 403 | 404 | 405 | 409 | 410 | 412 | 415 | 500 | 501 | 507)
}

/// A calendar that is read.
struct Calendar<'a> {
    task: &'a Task<'a>,
    at: &'a Address,
}

impl Calendar<'_> {
    /// What the calendar says of itself. The list of everything follows.
    fn begin(&self, place: Place, answered: &Multistatus) -> Result<Page, Refusal> {
        let itself = answered.responses.iter().find(|response| self.is_itself(response));
        let has = &itself.or(answered.responses.first()).ok_or(Refusal::Unreadable("it says nothing"))?.has;
        let token = has.token.clone().filter(|_| has.syncs != Some(false));
        let next = Place { step: Step::List, token, ctag: has.ctag.clone(), zone: has.zone.clone(), ..place };
        Ok(Page::of(Vec::new(), Next::More(cursor::write(&next))))
    }

    /// Whether anything changed, for servers without tokens for it: all of it is read again then.
    fn compare(&self, place: &Place, answered: &Multistatus) -> Result<Page, Refusal> {
        let itself = answered.responses.iter().find(|response| self.is_itself(response));
        let has = &itself.or(answered.responses.first()).ok_or(Refusal::Unreadable("it says nothing"))?.has;
        if place.ctag.is_none() || has.ctag != place.ctag {
            return Err(Refusal::Expired);
        }
        Ok(Page::of(Vec::new(), Next::Done(cursor::write(place))))
    }

    /// The names of the members that are listed.
    fn list(&self, place: &Place, answered: &Multistatus) -> Result<Page, Refusal> {
        // Some list themselves as the only member of an empty calendar; an answer without even that is odd.
        let members = answered.responses.iter().filter(|response| is_there(response) && !response.has.is_collection);
        let place = place.with_names(members.filter_map(|response| self.name_of(response)));
        Ok(Page::of(Vec::new(), self.on(&place)?))
    }

    /// What changed since the token: members that are gone, and those whose texts follow.
    fn changes(&self, place: Place, answered: &Multistatus) -> Result<Page, Refusal> {
        let token = answered.token.clone().ok_or(Refusal::Unreadable("changes without a token for the next"))?;
        let is_cut = answered.responses.iter().any(|response| response.status == Some(507));
        let gone = answered.responses.iter().filter(|response| matches!(response.status, Some(404 | 410)));
        let facts = gone.filter_map(|response| self.name_of(response)).map(|name| self.member(&place).gone(&name));
        let facts: Vec<What> = facts.map(What::Entity).collect();
        let changed = answered.responses.iter().filter(|response| is_there(response) && !response.has.is_collection);
        let place = Place { next: place.next.clone().or(Some(token)), is_cut: place.is_cut || is_cut, ..place };
        let place = place.with_names(changed.filter_map(|response| self.name_of(response)));
        Ok(Page::of(facts, self.on(&place)?))
    }

    /// The texts of members.
    fn fetch(&self, place: &Place, answered: Multistatus) -> Result<Page, Refusal> {
        let mut read = Page::of(Vec::new(), place.after_batch(self.task.reach)?);
        let mut missing: Vec<&String> = place.batch().iter().collect();
        for response in answered.responses {
            let Some(name) = self.name_of(&response) else { continue };
            if !missing.iter().any(|asked| **asked == name) {
                continue;
            }
            missing.retain(|asked| **asked != name);
            match (response.status, response.has.data) {
                (Some(404 | 410), _) if self.task.reach == Reach::Changes => {
                    read.facts.push(What::Entity(self.member(place).gone(&name)));
                }
                // The list of everything knows best what is gone.
                (Some(404 | 410), _) => {}
                (_, Some(text)) => self.member(place).read(&name, &text).join(&mut read),
                (_, None) => Told::Odd(self.id(&name), "the server does not give its text").join(&mut read),
            }
        }
        for name in missing {
            Told::Odd(self.id(name), "the server's answer lacks it").join(&mut read);
        }
        Ok(read)
    }

    /// The way on from a list of names.
    fn on(&self, place: &Place) -> Result<Next, Refusal> {
        match place.left.is_empty() {
            true => place.after_batch(self.task.reach),
            false => Ok(Next::More(cursor::write(place))),
        }
    }

    /// The name of what an answer is about, if it is a member.
    fn name_of(&self, response: &Response) -> Option<String> {
        let address = self.at.join(&response.href).filter(|address| address.origin == self.at.origin)?;
        name_in(self.at.path(), &normal(address.path()))
    }

    fn is_itself(&self, response: &Response) -> bool {
        let address = self.at.join(&response.href);
        address
            .is_some_and(|address| normal(address.path()).trim_end_matches('/') == self.at.path().trim_end_matches('/'))
    }

    fn member<'b>(&'b self, place: &'b Place) -> Member<'b> {
        Member { task: self.task, calendar: self.task.part.unwrap_or_default(), zone: place.zone.as_deref() }
    }

    fn id(&self, name: &str) -> String {
        part::entity_id(self.task.part.unwrap_or_default(), name)
    }
}

/// Whether an answer says that a member is there.
fn is_there(response: &Response) -> bool {
    response.status.is_none_or(|status| (200..300).contains(&status))
}

/// The questions for a single event, and for the time zone of its calendar. `None` if the id is no event's.
pub(super) fn ask_one(task: &Task<'_>, id: &str) -> Option<Vec<Ask>> {
    let (calendar, name) = ids_of(task, id)?;
    let at = address_of(&own(task)?, &calendar)?;
    let url = at.url();
    let of_event = format!("{}{}", at.origin, member(at.path(), &name));
    Some(vec![question(task, &of_event).get(), question(task, &url).properties("0", ZONE)])
}

/// The calendar and the name of an entity, within the part that is read.
fn ids_of(task: &Task<'_>, id: &str) -> Option<(String, String)> {
    part::ids_of(id).filter(|(calendar, _)| task.part.is_none_or(|part| part == calendar))
}

pub(super) fn read_one(task: &Task<'_>, id: &str, answers: &[Answer]) -> Result<Page, Refusal> {
    let (Some((calendar, name)), [answer, of_calendar]) = (ids_of(task, id), answers) else {
        return Err(Refusal::Invalid);
    };
    let mut read = Page::of(Vec::new(), Next::Done(String::new()));
    if matches!(answer.status(), StatusCode::NOT_FOUND | StatusCode::GONE) {
        let member = Member { task, calendar: &calendar, zone: None };
        read.facts.push(What::Entity(member.gone(&name)));
        return Ok(read);
    }
    Caldav.sort(answer)?;
    let zone = multistatus::read(of_calendar)?.responses.into_iter().find_map(|response| response.has.zone);
    let text = String::from_utf8_lossy(answer.body());
    Member { task, calendar: &calendar, zone: zone.as_deref() }.read(&name, &text).join(&mut read);
    Ok(read)
}
