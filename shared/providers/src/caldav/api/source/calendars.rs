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
    let main = search.main(&own).filter(|main| parts.iter().any(|part| part.id == *main));
    if main.is_some() || search.is_in_another_home() {
        parts.iter_mut().for_each(|part| part.is_primary = Some(main.as_ref() == Some(&part.id)));
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use bytes::Bytes;
    use hooktide_model::settings::connection::ConnectionSettings;
    use http::Response;
    use serde_json::json;

    use super::*;
    use crate::Reach;
    use crate::caldav::CALENDARS;

    const SERVER: &str = "https://dav.example.com";

    /// What a server lists in a home: two calendars, and an inbox that may name the main one.
    fn home(name: &str, main: Option<&str>) -> Answer {
        let response = |path: &str, has: &str| {
            format!(
                "<response><href>/{name}/{path}/</href><propstat><prop>{has}</prop><status>HTTP/1.1 200 OK</status></propstat></response>"
            )
        };
        let calendar = "<resourcetype><collection/><C:calendar/></resourcetype>";
        let named =
            |main| format!("<C:schedule-default-calendar-URL><href>{main}</href></C:schedule-default-calendar-URL>");
        let inbox = format!("<resourcetype><collection/></resourcetype>{}", main.map(named).unwrap_or_default());
        let all = response("one", calendar) + &response("two", calendar) + &response("inbox", &inbox);
        let xml = format!("<multistatus xmlns=\"DAV:\" xmlns:C=\"urn:ietf:params:xml:ns:caldav\">{all}</multistatus>");
        Response::builder().status(207).body(Bytes::from(xml)).unwrap()
    }

    /// What two homes, read from a place on, say in the end: whether each calendar is the main one, and how often a home was read.
    fn listed(mut cursor: String, told_in: &str, main: Option<&str>) -> (BTreeMap<String, Option<bool>>, usize) {
        let settings = ConnectionSettings { url: Some(SERVER.to_owned()), ..ConnectionSettings::default() };
        let (mut found, mut pages) = (BTreeMap::new(), 0);
        loop {
            let task = Task {
                account: None,
                settings: &settings,
                resource: CALENDARS,
                part: None,
                reach: Reach::Everything,
                cursor: Some(&cursor),
                api: SERVER,
                now: jiff::Timestamp::UNIX_EPOCH,
            };
            let at = Search::of(&task).unwrap().at;
            let name = at.trim_end_matches('/').rsplit('/').next().unwrap().to_owned();
            let page = read(&task, &home(&name, main.filter(|_| name == told_in))).unwrap();
            for part in page.parts {
                let known: &mut Option<bool> = found.entry(part.id).or_default();
                *known = part.is_primary.or(*known);
            }
            pages += 1;
            assert!(pages < 9, "it goes on for ever");
            match page.next {
                Next::More(next) => cursor = next,
                Next::Done(_) => return (found, pages),
            }
        }
    }

    #[test]
    fn of_several_homes_one_calendar_alone_is_the_main_one() {
        let at_first = |main: Option<&str>| {
            let main = main.map(|main| format!("{SERVER}{main}"));
            let homes = [format!("{SERVER}/a/"), format!("{SERVER}/b/")];
            json!({ "step": "Home", "at": homes[0], "homes": homes, "left": [homes[1]], "main": main }).to_string()
        };
        for (on_the_way, told_in, told, expected, pages) in [
            (Some("/b/two/"), "", None, Some("/b/two/"), 2),
            (Some("/a/two/"), "", None, Some("/a/two/"), 2),
            // The inbox of a home may name one of either.
            (None, "a", Some("/b/two/"), Some("/b/two/"), 2),
            (None, "b", Some("/b/two/"), Some("/b/two/"), 3),
            (None, "b", Some("/a/two/"), Some("/a/two/"), 3),
            // Without a word, or where it is nowhere, nothing is said.
            (None, "", None, None, 2),
            (Some("/c/two/"), "", None, None, 2),
        ] {
            let (found, read) = listed(at_first(on_the_way), told_in, told);
            let all = ["/a/one/", "/a/two/", "/b/one/", "/b/two/"];
            let wanted = all.map(|id| (id.to_owned(), expected.map(|main| main == id)));
            assert_eq!((found, read), (wanted.into(), pages), "{on_the_way:?} {told_in} {told:?}");
        }
    }
}
