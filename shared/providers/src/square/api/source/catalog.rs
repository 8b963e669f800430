//! The catalog: items since a time, with their images; and the items of images that changed alone.

use std::collections::HashSet;

use http::Method;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::list;
use super::object::{CatalogObject, Images, Sort};
use super::place::Place;
use crate::lenient::{Lenient, Object, fields};
use crate::protocols::cursor;
use crate::protocols::percent::encoded;
use crate::square::CATALOG;
use crate::square::api::{errors, question};
use crate::{Answer, Ask, Next, Page, Reach, Refusal, Task};
use hooktide_model::names::Kind;
use hooktide_model::notice::{Dated, EntityNotice, State, Version, What};

/// How many objects a page has at the most: one with many variations is large.
const MOST_OBJECTS: u16 = 100;

fields! {
    struct Found {
        objects: Lenient<Vec<Lenient<Object<CatalogObject>>>>,
        related_objects: Lenient<Vec<Lenient<Object<CatalogObject>>>>,
        cursor: Lenient<String>,
        latest_time: Lenient<Timestamp>,
    }
}

fields! {
    struct Retrieved {
        object: Lenient<Object<CatalogObject>>,
        related_objects: Lenient<Vec<Lenient<Object<CatalogObject>>>>,
    }
}

/// The question of the next step.
pub(super) fn ask(task: &Task<'_>) -> Ask {
    let place = cursor::read::<Place>(task.cursor);
    let (types, since): (&[&str], _) = match task.reach {
        Reach::One(id) => {
            let id = encoded(place.item.as_deref().unwrap_or(id));
            let url = format!("{}/v2/catalog/object/{id}?include_related_objects=true", task.api);
            return question(Method::GET, &url, None);
        }
        // An image that gets another file changes, and its item may not.
        Reach::Changes if !place.looks => (&["ITEM", "IMAGE"], place.since),
        Reach::Changes | Reach::Everything => (&["ITEM"], None),
    };
    let mut body = json!({
        "object_types": types,
        "include_deleted_objects": task.reach == Reach::Changes,
        "include_related_objects": true,
        "limit": MOST_OBJECTS,
    });
    // The comparison is strict: what has exactly this time was read.
    since.into_iter().for_each(|since| body["begin_time"] = Value::from(since.to_string()));
    place.page.into_iter().for_each(|page| body["cursor"] = Value::from(page));
    question(Method::POST, &format!("{}/v2/catalog/search", task.api), Some(&body))
}

/// Reads the answer.
pub(super) fn read(task: &Task<'_>, answer: &Answer) -> Result<Page, Refusal> {
    let place = cursor::read::<Place>(task.cursor);
    match task.reach {
        Reach::One(id) => read_one(task, place, id, answer),
        Reach::Changes | Reach::Everything => match errors::sort(answer) {
            Err(Refusal::Expired) => Ok(Page::of(Vec::new(), place.over(task.reach)?)),
            sorted => sorted.and_then(|()| read_page(place, task.reach, answer)),
        },
    }
}

fn read_page(mut place: Place, reach: Reach<'_>, answer: &Answer) -> Result<Page, Refusal> {
    let found = list(answer, |found: &Found| {
        found.objects.is_there() || found.latest_time.is_there() || found.cursor.is_there()
    })?;
    if found.objects.is_odd() || matches!(found.objects, Lenient::Null) {
        return Err(Refusal::Unreadable("`objects` is no list"));
    }
    if place.begins() {
        // A later page would say a later time, and what changed before it may be on a page that was read.
        place.until = found.latest_time.read().max(place.since);
    }
    let images = images(found.related_objects);
    let mut page = Page::of(Vec::new(), Next::Done(String::new()));
    let (mut shown, mut changed) = (HashSet::new(), Vec::new());
    for object in found.objects.read().unwrap_or_default() {
        let Some(Object(object)) = object.read() else {
            page.facts.push(What::ignored("an entry of the catalog is no object"));
            continue;
        };
        match object.sort() {
            Sort::Item
                if !place.looks || place.any || object.images().any(|id| place.images.iter().any(|it| it == id)) =>
            {
                shown.extend(object.images().map(str::to_owned));
                take(&mut page, &images, object);
            }
            Sort::Image if reach == Reach::Changes => changed.extend(object.id().map(str::to_owned)),
            // An object of a type that nobody asked for is no proof that the item of this id is gone.
            Sort::Other => page.seen.extend(object.id().map(str::to_owned)),
            Sort::Item | Sort::Image | Sort::Variation => {}
        }
    }
    if !place.looks {
        place.images.retain(|id| !shown.contains(id));
        changed.into_iter().filter(|id| !shown.contains(id)).for_each(|id| place.keep_image(id));
    }
    page.next = match found.cursor.read().filter(|token| !token.is_empty()) {
        Some(token) => Next::More(cursor::write(&place.turn(token)?)),
        None if !place.looks && (place.any || !place.images.is_empty()) => {
            Next::More(cursor::write(&Place { looks: true, page: None, ..place }))
        }
        None => place.done(),
    };
    Ok(page)
}

fn read_one(task: &Task<'_>, mut place: Place, id: &str, answer: &Answer) -> Result<Page, Refusal> {
    if errors::is_gone(answer) {
        let id = place.item.as_deref().unwrap_or(id);
        return Ok(Page::of(vec![gone(id, task)], Next::Done(String::new())));
    }
    errors::sort(answer)?;
    let Object(retrieved): Object<Retrieved> = serde_json::from_slice(answer.body())
        .map_err(|_| Refusal::Unreadable("the answer is no object of Square's"))?;
    let Object(object) = retrieved.object.read().ok_or(Refusal::Unreadable("the answer has no `object`"))?;
    let mut page = Page::of(Vec::new(), Next::Done(String::new()));
    match object.sort() {
        Sort::Item => take(&mut page, &images(retrieved.related_objects), object),
        Sort::Variation if place.item.is_none() => {
            place.item = Some(object.item().ok_or(Refusal::Unreadable("a variation without its item"))?.to_owned());
            page.next = Next::More(cursor::write(&place));
        }
        Sort::Variation | Sort::Image | Sort::Other => page.facts.push(What::ignored("an object that is no item")),
    }
    Ok(page)
}

/// Adds an item to the page.
fn take(page: &mut Page, images: &Images, object: CatalogObject) {
    let id = object.id().map(str::to_owned);
    match object.item_told(images) {
        Ok(entity) => page.facts.push(What::Entity(entity)),
        Err(reason) => {
            let named = id.as_deref().map(|id| format!(" {id}")).unwrap_or_default();
            page.facts.push(What::ignored(format!("item{named} cannot be read: {reason}")));
            page.seen.extend(id);
        }
    }
}

/// The addresses of the images among related objects.
fn images(related: Lenient<Vec<Lenient<Object<CatalogObject>>>>) -> Images {
    let objects = related.read().unwrap_or_default().into_iter().filter_map(Lenient::read);
    objects.filter(|Object(object)| object.sort() == Sort::Image).filter_map(|Object(object)| object.image()).collect()
}

/// The tombstone of an item that Square does not have. Nothing says since when.
fn gone(id: &str, task: &Task<'_>) -> What {
    let version = Version::from_time(task.now);
    let notice = EntityNotice::new(Kind::Product, id, version, State::Deleted);
    What::Entity(EntityNotice { dated: Dated::ByReceipt, source: Some(CATALOG), ..notice })
}
