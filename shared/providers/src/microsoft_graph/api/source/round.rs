//! Rounds: Graph's word for a listing of a window, or of what changed in it since the round before.

use std::collections::BTreeMap;

use super::event::Reader;
use super::item::{Item, Sort};
use super::link::{self, OF_ROUND};
use super::place::{Link, Place};
use super::whole;
use crate::lenient::{Lenient, Object, fields};
use crate::microsoft_graph::api::{calendar_path, errors, get_page, object};
use crate::protocols::rest::with_query;
use crate::{Answer, Ask, Next, Page, Reach, Refusal, Task};
use hooktide_model::notice::{EntityNotice, What};
use hooktide_model::part;

fields! {
    struct List {
        items: Lenient<Vec<Lenient<Object<Item>>>> = "value",
        next: Lenient<String> = "@odata.nextLink",
        delta: Lenient<String> = "@odata.deltaLink",
    }
}

/// The questions of the next step: for series that a page had a part of only, else for a page.
pub(super) fn ask(task: &Task<'_>, calendar: &str, place: &Place) -> Vec<Ask> {
    let series: Vec<Ask> =
        place.asks_for().flat_map(|series| whole::ask(task, calendar, series, place.window)).collect();
    if !series.is_empty() {
        return series;
    }
    let path = place.link.clone().unwrap_or_else(|| {
        let (start, end) = place.window.bounds();
        let path = format!("{}/calendarView/delta", calendar_path(calendar));
        with_query(&path, &[("startDateTime", &start), ("endDateTime", &end)])
    });
    vec![get_page(task.api, &path, place.page_size())]
}

pub(super) fn read(task: &Task<'_>, calendar: &str, place: &Place, answers: &[Answer]) -> Result<Page, Refusal> {
    let reader = Reader {
        calendar,
        window: place.window,
        is_news: place.is_later,
        titles: task.settings.share_titles.unwrap_or_default(),
        now: task.now,
    };
    if place.asks_for().next().is_some() {
        return read_series(&reader, place, answers);
    }
    let answer = answers.first().ok_or(Refusal::Invalid)?;
    if let Err(refusal) = errors::sort(answer) {
        return place.over(refusal, task.reach == Reach::Everything, task.now);
    }
    let List { items, next, delta } = object(answer)?;
    let link = match link::path(next, OF_ROUND, Some(calendar))? {
        Some(next) => Link::Page(next),
        None => Link::Round(
            link::path(delta, OF_ROUND, Some(calendar))?
                .ok_or(Refusal::Unreadable("a list that neither goes on nor ends"))?,
        ),
    };
    let items = items.read().ok_or(Refusal::Unreadable("`value` is no list"))?;
    let mut sorted = Sorted { reader, page: Page::of(Vec::new(), Next::Done(String::new())), series: BTreeMap::new() };
    items.into_iter().for_each(|item| sorted.add(item));
    sorted.finish(place.clone(), link)
}

/// Reads the answers about series as a whole: two for each.
fn read_series(reader: &Reader<'_>, place: &Place, answers: &[Answer]) -> Result<Page, Refusal> {
    let mut page = Page::of(Vec::new(), place.after_series(reader.now));
    let mut answers = answers.iter();
    for series in place.asks_for() {
        let both = answers.next().zip(answers.next()).ok_or(Refusal::Invalid)?;
        let what = whole::read(reader, series, both)?;
        if !matches!(what, What::Entity(_)) {
            page.seen.push(part::entity_id(reader.calendar, series));
        }
        page.facts.push(what);
    }
    Ok(page)
}

/// The items of a page, with those of each series together.
struct Sorted<'a> {
    reader: Reader<'a>,
    page: Page,
    series: BTreeMap<String, Series>,
}

/// What a page has of a series.
#[derive(Default)]
struct Series {
    itself: Option<Item>,
    occurrences: Vec<Item>,
}

impl Sorted<'_> {
    fn add(&mut self, item: Lenient<Object<Item>>) {
        let Some(Object(item)) = item.read() else {
            return self.page.facts.push(What::ignored("an event cannot be read: it is no object"));
        };
        let Some(id) = item.id().map(str::to_owned) else {
            return self.page.facts.push(What::ignored("an event cannot be read: it has no id"));
        };
        match item.sort() {
            Err(why) => self.told(&id, Err(why)),
            Ok(Sort::Removed) => {
                let gone = self.reader.gone(&id);
                self.told(&id, gone);
            }
            Ok(Sort::Single) => {
                let single = self.reader.single(item);
                self.told(&id, single);
            }
            Ok(Sort::Series) => self.series.entry(id).or_default().itself = Some(item),
            Ok(Sort::Occurrence(series)) => self.series.entry(series).or_default().occurrences.push(item),
        }
    }

    fn told(&mut self, id: &str, told: Result<EntityNotice, &'static str>) {
        match told {
            Ok(notice) => self.page.facts.push(What::Entity(notice)),
            Err(why) => self.cannot_read(id, why),
        }
    }

    fn cannot_read(&mut self, id: &str, why: &str) {
        let id = part::entity_id(self.reader.calendar, id);
        self.page.facts.push(What::ignored(format!("the event {id} cannot be read: {why}")));
        self.page.seen.push(id);
    }

    /// The page. A series of which it has only a part is asked for as a whole, as is one that was before in this round.
    fn finish(mut self, mut place: Place, link: Link) -> Result<Page, Refusal> {
        for (id, Series { itself, occurrences }) in std::mem::take(&mut self.series) {
            let is_part = occurrences.is_empty() || place.has_asked_for(&id);
            match itself.filter(|_| !is_part) {
                Some(itself) => {
                    let whole = self.reader.whole_series(itself, occurrences, false);
                    self.told(&id, whole);
                }
                None if place.wait_for(&id) => {}
                None => self.cannot_read(&id, "the page has a part of too many series"),
            }
        }
        self.page.next = place.after_page(link, self.reader.now)?;
        Ok(self.page)
    }
}
