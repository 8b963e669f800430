//! The feed: one calendar, whose every answer is all of it.
//!
//! Changes are asked for by what the last answer said of itself, and by a hash of what it had. Where either differs, the feed is
//! read as a list of everything: only so is it seen what is gone, and doubted where too much is.

use http::header::{ACCEPT, ETAG, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED};
use http::{HeaderName, HeaderValue, Method, Request, StatusCode};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Ics, MOVED, body, feed};
use crate::ics::{CALENDAR, CALENDARS, FEED};
use crate::protocols::address::Address;
use crate::protocols::cursor;
use crate::protocols::icalendar::{self, Context, Entry};
use crate::reading::is_id;
use crate::{Answer, Api, Ask, Next, Page, Part, Reach, Refusal, Source, Task};
use hooktide_model::calendar::CalendarEvent;
use hooktide_model::names::Kind;
use hooktide_model::notice::{Dated, Document, EntityNotice, State, Version, What};
use hooktide_model::part;

/// How often a feed leads on by redirects.
const MOST_HOPS: u8 = 5;
/// The longest mark of an answer that is kept, in bytes.
const LONGEST_MARK: usize = 1_024;

/// Where a reading is, and what the last answer was.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Place {
    etag: Option<String>,
    modified: Option<String>,
    hash: Option<String>,
    /// Where the feed leads, while it is asked for there.
    at: Option<String>,
    hops: u8,
}

impl Source for Ics {
    fn ask(&self, task: &Task<'_>) -> Vec<Ask> {
        let is_known = matches!(task.resource, CALENDARS | CALENDAR) && task.part.is_none_or(|part| part == FEED);
        let at = address(task, &cursor::read(task.cursor)).filter(|_| is_known);
        at.map(|at| question(task, &at)).into_iter().collect()
    }

    fn read(&self, task: &Task<'_>, answers: &[Answer]) -> Result<Page, Refusal> {
        let answer = answers.first().ok_or(Refusal::Invalid)?;
        let place: Place = cursor::read(task.cursor);
        if let Some(led) = led_on(task, &place, answer)? {
            return Ok(Page::of(Vec::new(), Next::More(cursor::write(&led))));
        }
        self.sort(answer)?;
        if answer.status() == StatusCode::NOT_MODIFIED {
            // Whoever was not asked for a difference has none.
            let same = Place { at: None, hops: 0, ..place.clone() };
            return match place.hash.is_some() && task.reach == Reach::Changes {
                true => Ok(Page::of(Vec::new(), Next::Done(cursor::write(&same)))),
                false => Err(Refusal::Unreadable("an answer to another question than was asked (HTTP 304)")),
            };
        }
        let text = body::text(answer)?;
        let hash = Some(body::hash(&text));
        let mark = |name: HeaderName| {
            let value = answer.headers().get(name)?.to_str().ok()?;
            (value.len() <= LONGEST_MARK).then(|| value.to_owned())
        };
        let next = Place { etag: mark(ETAG), modified: mark(LAST_MODIFIED), hash, ..Place::default() };
        let is_same = next.hash == place.hash;
        let done = Next::Done(cursor::write(&next));
        if task.resource == CALENDARS {
            let name = body::name(&text).unwrap_or_else(|| host(task));
            let part = Part { id: FEED.to_owned(), name, is_primary: Some(true), is_gone: false };
            return Ok(Page::of_part(part, done));
        }
        match task.reach {
            Reach::Changes if is_same => Ok(Page::of(Vec::new(), done)),
            Reach::Changes => Err(Refusal::Expired),
            Reach::Everything => events(task, &text, done),
            Reach::One(id) => one(task, id, events(task, &text, done)?),
        }
    }

    fn resources(&self) -> &'static [&'static str] {
        &[CALENDARS]
    }

    fn parts_of(&self, resource: &str) -> Option<&'static str> {
        (resource == CALENDARS).then_some(CALENDAR)
    }

    fn lists_at_once(&self, _resource: &str) -> bool {
        true
    }
}

/// The address that is asked now.
fn address(task: &Task<'_>, place: &Place) -> Option<Address> {
    let own = Address::parse(task.api)?;
    match &place.at {
        Some(at) => Address::parse(at).filter(|at| own.may_lead_to(at)),
        None => Some(Address { target: feed(task.settings)?.target, ..own }),
    }
}

/// The question for the feed: whether it is another one than before, where what changed is asked for.
fn question(task: &Task<'_>, at: &Address) -> Ask {
    let place: Place = cursor::read(task.cursor);
    let mut request = Request::new(bytes::Bytes::new());
    *request.method_mut() = Method::GET;
    *request.uri_mut() = at.url().parse().unwrap_or_default();
    let accepted = HeaderValue::from_static("text/calendar, */*;q=0.5");
    request.headers_mut().insert(ACCEPT, accepted);
    let marks = [(IF_NONE_MATCH, place.etag), (IF_MODIFIED_SINCE, place.modified)];
    for (name, mark) in marks.into_iter().filter(|_| task.reach == Reach::Changes) {
        if let Some(value) = mark.and_then(|mark| HeaderValue::from_str(&mark).ok()) {
            request.headers_mut().insert(name, value);
        }
    }
    Ask::Http(request)
}

/// Where an answer leads, if it does.
fn led_on(task: &Task<'_>, place: &Place, answer: &Answer) -> Result<Option<Place>, Refusal> {
    let follows = matches!(answer.status().as_u16(), 301 | 302 | 303 | 307 | 308);
    let location = answer.headers().get(http::header::LOCATION).filter(|_| follows);
    let Some(location) = location.and_then(|location| location.to_str().ok()) else { return Ok(None) };
    if place.hops >= MOST_HOPS {
        return Err(Refusal::Unreadable("the feed leads from one address to the next without an end"));
    }
    let own = Address::parse(task.api).ok_or(Refusal::Invalid)?;
    let to = address(task, place).and_then(|at| at.join(location)).filter(|to| own.may_lead_to(to));
    let to = to.ok_or(Refusal::Closed(MOVED))?;
    Ok(Some(Place { at: Some(to.url()), hops: place.hops + 1, ..place.clone() }))
}

fn host(task: &Task<'_>) -> String {
    task.api.split_once("://").map_or(FEED, |(_, host)| host).to_owned()
}

/// All events of a feed.
fn events(task: &Task<'_>, text: &str, next: Next) -> Result<Page, Refusal> {
    let context = Context {
        calendar: FEED,
        zone: None,
        own_addresses: &task.account.map(str::to_owned).into_iter().collect::<Vec<_>>(),
        share_titles: task.settings.share_titles.unwrap_or_default(),
        now: task.now,
    };
    let entries = icalendar::read(text, &context).map_err(Refusal::Unreadable)?;
    if entries.len() > body::MOST_EVENTS {
        return Err(Refusal::Closed(
            "the feed has more than 20,000 events, which are not read: let the calendar publish fewer, such as those of this year",
        ));
    }
    let mut page = Page::of(Vec::with_capacity(entries.len()), next);
    for entry in entries {
        let id = part::entity_id(FEED, &entry.uid);
        match told(task, &id, entry) {
            Ok(notice) => page.facts.push(What::Entity(notice)),
            Err(why) => {
                page.facts.push(What::ignored(format!("the event {id} cannot be read: {why}")));
                page.seen.push(id);
            }
        }
    }
    Ok(page)
}

/// The state of an event. It counts from when the feed was asked for: no time in it says reliably how new it is.
fn told(task: &Task<'_>, id: &str, entry: Entry) -> Result<EntityNotice, &'static str> {
    let Entry { uid, event, last_modified, unread, .. } = entry;
    if !is_id(&uid) {
        return Err("its UID is too long, or no plain text");
    }
    let state = State::Present(Document::CalendarEvent(Box::new(CalendarEvent { id: uid, ..event? })));
    let occurred_at = last_modified.filter(|modified| *modified <= task.now);
    let unread = unread.into_iter().map(str::to_owned).collect();
    Ok(EntityNotice { occurred_at, unread, ..notice(id, state, task.now) })
}

fn notice(id: &str, state: State, now: Timestamp) -> EntityNotice {
    let notice = EntityNotice::new(Kind::CalendarEvent, id, Version::from_time(now), state);
    EntityNotice { dated: Dated::ByReceipt, ..notice }
}

/// One event among all of a feed; it is gone where the feed lacks it.
fn one(task: &Task<'_>, id: &str, all: Page) -> Result<Page, Refusal> {
    let is_it = |what: &What| matches!(what, What::Entity(notice) if notice.id == id);
    let seen: Vec<String> = all.seen.into_iter().filter(|seen| seen == id).collect();
    let mut facts: Vec<What> = all.facts.into_iter().filter(is_it).collect();
    match (facts.is_empty(), seen.is_empty()) {
        (true, true) => facts.push(What::Entity(notice(id, State::Deleted, task.now))),
        (true, false) => facts.push(What::ignored(format!("the event {id} cannot be read"))),
        (false, _) => {}
    }
    Ok(Page { seen, ..Page::of(facts, Next::Done(String::new())) })
}
