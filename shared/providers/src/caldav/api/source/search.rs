//! The search for an account's calendars (RFC 6764, RFC 5397, RFC 4791): from the address that the connection gives, or the
//! well-known one, to the principal, from there to its home, and what is there.
//!
//! Each step is a question of its own, and where the search is stands in the cursor. Servers answer with whatever they have, so
//! each answer is read for all that leads on.

use http::StatusCode;
use serde::{Deserialize, Serialize};

use super::{calendars, own};
use crate::caldav::api::multistatus::{self, Response};
use crate::caldav::api::path::{id_of, normal, normal_collection};
use crate::caldav::api::{MOVED, led_to};
use crate::protocols::address::Address;
use crate::protocols::cursor;
use crate::{Answer, Next, Page, Refusal, Task};

/// How often a search is led on by redirects.
const MOST_HOPS: u8 = 5;
/// How many homes an account has at the most.
const MOST_HOMES: usize = 8;
/// The path that every server should know, where it lies with its calendars.
const WELL_KNOWN: &str = "/.well-known/caldav";
/// What to do about a server that knows nothing of calendars.
const NOWHERE: &str = "no CalDAV server answers at the connection's `url`: see whether it is right; many servers have it on a page \
                       about other calendar apps, and it often has a path, such as /remote.php/dav or /dav/";

/// What is asked now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Step {
    /// The address that the connection gives.
    #[default]
    Given,
    /// The well-known one.
    WellKnown,
    /// The root of the server.
    Root,
    /// The user's own place.
    Principal,
    /// Where the user's calendars are.
    Home,
}

/// Where a search is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Search {
    pub(super) step: Step,
    /// The whole address that is asked now.
    pub(super) at: String,
    /// How often it was led on.
    hops: u8,
    /// All homes that were found.
    homes: Vec<String>,
    /// The homes that are still to be listed.
    left: Vec<String>,
    /// Whether the homes were found by an earlier reading.
    pub(super) is_known: bool,
    /// The address of the calendar that invitations go into, as the server says on the way.
    main: Option<String>,
}

impl Search {
    /// Where the search of a task is: at the beginning, without a cursor.
    pub(super) fn of(task: &Task<'_>) -> Option<Self> {
        let search: Self = cursor::read(task.cursor);
        if !search.at.is_empty() {
            return Some(search);
        }
        let given = own(task)?.join(Address::parse(task.settings.url.as_deref()?)?.path())?;
        let step = if given.path() == "/" { Step::WellKnown } else { Step::Given };
        Some(search.to(step, &given))
    }

    /// The same, on at another step; the first ones are below the origin of an address.
    fn to(&self, step: Step, address: &Address) -> Self {
        let target = match step {
            Step::WellKnown => WELL_KNOWN.to_owned(),
            Step::Root => "/".to_owned(),
            Step::Given | Step::Principal | Step::Home => address.target.clone(),
        };
        Self { step, at: format!("{}{target}", address.origin), ..self.clone() }
    }

    fn more(&self) -> Page {
        Page::of(Vec::new(), Next::More(cursor::write(self)))
    }

    /// The way on where an answer leads elsewhere; `None` if it does not.
    pub(super) fn followed(&self, at: (&Address, &Address), answer: &Answer) -> Result<Option<Page>, Refusal> {
        let Some(led) = led_to(at.0, at.1, answer) else { return Ok(None) };
        if self.hops >= MOST_HOPS {
            return Err(Refusal::Unreadable("it leads from one address to the next without an end"));
        }
        Ok(Some(Self { hops: self.hops + 1, at: led?.url(), ..self.clone() }.more()))
    }

    /// The way on after a home was listed.
    pub(super) fn after_home(&self) -> Next {
        match self.left.split_first() {
            Some((at, left)) => {
                let next = Self { at: at.clone(), left: left.to_vec(), hops: 0, ..self.clone() };
                Next::More(cursor::write(&next))
            }
            None => Next::Done(cursor::write(&Self { is_known: true, ..self.at_homes(self.homes.clone()) })),
        }
    }

    /// The same, which has found these homes.
    fn at_homes(&self, homes: Vec<String>) -> Self {
        let (at, left) = homes.split_first().map(|(at, left)| (at.clone(), left.to_vec())).unwrap_or_default();
        Self { step: Step::Home, at, left, homes, hops: 0, ..self.clone() }
    }

    /// The same, with what an answer says of the main calendar, if it does. Homes that were listed before that was known are
    /// listed once more, so that none of their calendars stays the main one.
    pub(super) fn told(mut self, at: (&Address, &Address), responses: &[Response]) -> Self {
        let told = responses.iter().find_map(|response| joined(at, response.has.main.as_deref()?));
        if self.step == Step::Home && self.hops == 0 && self.main.is_none() && told.is_some() {
            let is_listed = |home: &&String| **home != self.at && !self.left.contains(home);
            let again: Vec<String> = self.homes.iter().filter(is_listed).cloned().collect();
            self.left.extend(again);
        }
        Self { main: told.map(|main| main.url()).or(self.main), ..self }
    }

    /// The id of the main calendar, where the server said which one that is.
    pub(super) fn main(&self, own: &Address) -> Option<String> {
        Some(id_of(own, &Address::parse(self.main.as_deref()?)?))
    }

    /// Whether the main calendar lies in another home than the one that was asked. What was led elsewhere may be that home.
    pub(super) fn is_in_another_home(&self) -> bool {
        let main = self.main.as_deref().map(|main| main.trim_end_matches('/'));
        let Some((home, _)) = main.and_then(|main| main.rsplit_once('/')) else { return false };
        self.hops == 0 && self.homes.iter().any(|other| *other != self.at && other.trim_end_matches('/') == home)
    }

    /// The next place to look at where the answer at this one says nothing.
    fn elsewhere(&self, own: &Address) -> Result<Page, Refusal> {
        match self.step {
            Step::Given => Ok(Self { hops: 0, ..self.to(Step::WellKnown, own) }.more()),
            Step::WellKnown => Ok(Self { hops: 0, ..self.to(Step::Root, own) }.more()),
            Step::Root | Step::Principal | Step::Home => Err(Refusal::Closed(NOWHERE)),
        }
    }
}

/// Reads the answer of a step before the home.
pub(super) fn read((own, asked): (&Address, &Address), search: &Search, answer: &Answer) -> Result<Page, Refusal> {
    if let Some(led) = search.followed((own, asked), answer)? {
        return Ok(led);
    }
    let answered = match multistatus::read(answer) {
        Ok(answered) => answered,
        Err(refusal @ (Refusal::Refused | Refusal::Limited { .. } | Refusal::Unavailable { .. })) => {
            return Err(refusal);
        }
        // This is a server of calendars, whatever is wrong with its answer.
        Err(refusal @ Refusal::Unreadable(_)) if answer.status() == StatusCode::MULTI_STATUS => return Err(refusal),
        // The server at this address has no calendars, or does not show them.
        Err(_) if answer.status() == StatusCode::FORBIDDEN && search.step == Step::Principal => {
            return Err(Refusal::Closed(NOWHERE));
        }
        Err(_) => return search.elsewhere(own),
    };
    let search = &search.clone().told((own, asked), &answered.responses);
    let at = normal_collection(asked.path());
    let is_own = |href: &str| joined((own, asked), href).is_some_and(|address| normal_collection(address.path()) == at);
    let of_it = answered.responses.iter().find(|response| is_own(&response.href)).or(answered.responses.first());
    let Some(response) = of_it else { return search.elsewhere(own) };
    // The address of a single calendar means that calendar alone.
    if search.step == Step::Given
        && response.has.has_events()
        && let Some(mut part) = calendars::part((own, asked), response)
    {
        part.is_primary = Some(true);
        let next = Next::Done(cursor::write(&Search { hops: 0, ..search.clone() }));
        return Ok(Page { parts: vec![part], ..Page::of(Vec::new(), next) });
    }
    let homes = response.has.homes.iter().take(MOST_HOMES).filter_map(|href| joined((own, asked), href));
    let homes: Vec<String> = homes.map(|home| collection(&home)).collect();
    if !homes.is_empty() {
        return Ok(search.at_homes(homes).more());
    }
    if !response.has.homes.is_empty() {
        return Err(Refusal::Closed(MOVED));
    }
    match response.has.principal.as_deref().filter(|_| search.step != Step::Principal) {
        Some(href) => {
            let principal = joined((own, asked), href).ok_or(Refusal::Closed(MOVED))?;
            Ok(Search { hops: 0, ..search.to(Step::Principal, &principal) }.more())
        }
        None => search.elsewhere(own),
    }
}

/// The address that an answer names, as the connection may follow it.
pub(super) fn joined((own, asked): (&Address, &Address), href: &str) -> Option<Address> {
    let address = asked.join(href)?;
    own.may_lead_to(&address).then(|| Address { target: normal(address.path()), ..address })
}

/// The whole address of a collection.
fn collection(address: &Address) -> String {
    format!("{}{}", address.origin, normal_collection(address.path()))
}
