//! Products: by the time of their last change, or by their ids; and the deletions.

use serde_json::{Value, json};

use super::node::{EventNode, Item, ProductNode, Shown};
use super::place::Place;
use super::since;
use super::whole::{self, Whole};
use crate::lenient::{Lenient, Object, fields};
use crate::protocols::clock::time_of;
use crate::protocols::cursor;
use crate::protocols::graphql::data;
use crate::shopify::PRODUCTS;
use crate::shopify::api::operations::{CHANGES, ERASED, LIST};
use crate::shopify::api::pages::{List, rows};
use crate::shopify::api::{errors, question};
use crate::{Answer, Ask, Next, Page, Reach, Refusal, Task};
use hooktide_model::names::Kind;
use hooktide_model::notice::{Dated, EntityNotice, State, Version, What};

/// How many products a page has, and how many variants and images each of them; a question may cost 1,000 points.
const PAGE: (u16, u16, u16) = (16, 30, 20);
/// How many deletions a page has.
const EVENTS: u16 = 50;

fields! {
    struct Lists {
        products: Lenient<Object<List<ProductNode>>>,
        events: Lenient<Object<List<EventNode>>>,
    }
}

/// What the next step reads.
enum Step<'a> {
    /// One product, by its id.
    One(&'a str),
    /// A product that has more than a page of a list shows.
    Waiting(u64),
    /// A page of products.
    List,
    /// A page of deletions.
    Erased,
}

fn step<'a>(reach: Reach<'a>, place: &Place) -> Step<'a> {
    match (reach, place.waiting.first()) {
        (Reach::One(id), _) => Step::One(id),
        (Reach::Changes | Reach::Everything, Some(id)) => Step::Waiting(*id),
        (Reach::Changes | Reach::Everything, None) if place.ended => Step::Erased,
        (Reach::Changes | Reach::Everything, None) => Step::List,
    }
}

/// The questions of the next step.
pub(super) fn ask(task: &Task<'_>) -> Vec<Ask> {
    let place = cursor::read::<Place>(task.cursor);
    match step(task.reach, &place) {
        Step::One(id) => whole::asks(task.api, id, &place.pages),
        Step::Waiting(id) => whole::asks(task.api, &id.to_string(), &place.pages),
        Step::Erased => {
            let variables = json!({ "events": EVENTS, "after": place.erased, "erased": deletions(&place) });
            vec![question(task.api, &ERASED, &variables)]
        }
        Step::List => {
            let (products, variants, images) = PAGE;
            let mut variables = json!({ "first": products, "variants": variants, "images": images, "query": search(task.reach, &place) });
            if task.reach == Reach::Changes && place.begins() {
                variables["events"] = Value::from(EVENTS);
                variables["erased"] = Value::from(deletions(&place));
                return vec![question(task.api, &CHANGES, &variables)];
            }
            variables["after"] = json!(place.after);
            variables["sort"] = Value::from(if task.reach == Reach::Changes { "UPDATED_AT" } else { "ID" });
            vec![question(task.api, &LIST, &variables)]
        }
    }
}

/// The search for products.
fn search(reach: Reach<'_>, place: &Place) -> Option<String> {
    match reach {
        Reach::Changes => match place.from_time {
            Some(from) => Some(format!("updated_at:>='{}'", from.strftime("%Y-%m-%dT%H:%M:%SZ"))),
            None => since(place.since).map(|since| format!("updated_at:>{since}")),
        },
        Reach::Everything | Reach::One(_) => place.from_id.map(|from| format!("id:>{from}")),
    }
}

/// The search for deletions, which the shop's log keeps for a year.
fn deletions(place: &Place) -> String {
    let since = since(place.since).map(|since| format!(" AND created_at:>{since}")).unwrap_or_default();
    format!("action:destroy AND subject_type:PRODUCT{since}")
}

/// Reads the answers.
pub(super) fn read(task: &Task<'_>, answers: &[Answer]) -> Result<Page, Refusal> {
    let mut place = cursor::read::<Place>(task.cursor);
    let mut page = Page::of(Vec::new(), Next::Done(String::new()));
    match step(task.reach, &place) {
        Step::One(id) => {
            let whole = whole::read(&mut place.pages, answers)?;
            if !alone(&mut page, id, task, whole) {
                page.next = place.next();
            }
            return Ok(page);
        }
        Step::Waiting(id) => {
            let is_over = match whole::read(&mut place.pages, answers) {
                Ok(whole) => alone(&mut page, &id.to_string(), task, whole),
                Err(refusal) => {
                    odd(&mut page, Some(id), why_odd(refusal)?);
                    true
                }
            };
            if is_over {
                place.go_on();
            }
        }
        Step::Erased => {
            let events = data::<Lists>(only(answers)?)?.events;
            erased(&mut page, &mut place, events)?;
        }
        Step::List => {
            let answer = only(answers)?;
            let begins = place.begins();
            let Lists { products, events } = data(answer)?;
            listed(&mut page, &mut place, task, products)?;
            if begins && task.reach == Reach::Changes {
                erased(&mut page, &mut place, events)?;
            }
            // The deletions of the same answer count as well: both were read at this time.
            place.until = place.until.or_else(|| time_of(answer, task.now)).or(Some(task.now));
        }
    }
    page.next = place.next();
    Ok(page)
}

/// The answer to a single question.
fn only(answers: &[Answer]) -> Result<&Answer, Refusal> {
    let answer = answers.first().ok_or(Refusal::Unreadable("no answer"))?;
    errors::sort(answer)?;
    Ok(answer)
}

/// Reads a page of products.
fn listed(
    page: &mut Page,
    place: &mut Place,
    task: &Task<'_>,
    products: Lenient<Object<List<ProductNode>>>,
) -> Result<(), Refusal> {
    let (nodes, token) = rows(products, place.after.as_deref())?;
    let count = u32::try_from(nodes.len()).unwrap_or(u32::MAX);
    let (mut last_id, mut last_time) = (None, None);
    for node in nodes {
        let Some(Object(node)) = node.read() else {
            page.facts.push(What::ignored("an entry of the list is no product"));
            continue;
        };
        let (id, time) = node.mark();
        (last_id, last_time) = (id.max(last_id), time.max(last_time));
        match node.read(Shown::OnPage) {
            Item::Whole(entity) => page.facts.push(What::Entity(*entity)),
            Item::Lacks(id) => place.wait(id)?,
            Item::Odd(id, reason) => odd(page, id, reason),
        }
    }
    let last = if task.reach == Reach::Changes { (None, last_time) } else { (last_id, None) };
    place.turn(token, count, last)
}

/// Reads a page of deletions.
fn erased(page: &mut Page, place: &mut Place, events: Lenient<Object<List<EventNode>>>) -> Result<(), Refusal> {
    let (nodes, next) = rows(events, place.erased.as_deref())?;
    place.erased = next;
    let nodes = nodes.into_iter().filter_map(Lenient::read);
    page.facts.extend(nodes.filter_map(|Object(node)| node.deletion()).map(What::Entity));
    Ok(())
}

/// Tells what is read of one product; whether that is all.
fn alone(page: &mut Page, id: &str, task: &Task<'_>, whole: Whole) -> bool {
    match whole {
        Whole::More => return false,
        Whole::Gone => page.facts.push(gone(id, task)),
        Whole::Product(read) => {
            let (node, shown) = *read;
            match node.read(shown) {
                Item::Whole(entity) => page.facts.push(What::Entity(*entity)),
                Item::Lacks(_) => {}
                Item::Odd(found, reason) => odd(page, found.or(id.parse().ok()), reason),
            }
        }
    }
    true
}

/// Why a single product cannot be read, if it alone is the trouble: the others do not wait for it.
fn why_odd(refusal: Refusal) -> Result<&'static str, Refusal> {
    match refusal {
        Refusal::Invalid => Ok("Shopify does not accept the question for it"),
        Refusal::Unreadable(why) => Ok(why),
        Refusal::Refused
        | Refusal::Forbidden
        | Refusal::Closed(_)
        | Refusal::Limited { .. }
        | Refusal::Unavailable { .. }
        | Refusal::Expired
        | Refusal::Unknown => Err(refusal),
    }
}

fn odd(page: &mut Page, id: Option<u64>, reason: &str) {
    let named = id.map(|id| format!(" {id}")).unwrap_or_default();
    page.facts.push(What::ignored(format!("product{named} cannot be read: {reason}")));
    page.seen.extend(id.map(|id| id.to_string()));
}

/// The tombstone of a product that Shopify does not have. Nothing says since when.
fn gone(id: &str, task: &Task<'_>) -> What {
    let notice = EntityNotice::new(Kind::Product, id, Version::from_time(task.now), State::Deleted);
    What::Entity(EntityNotice { dated: Dated::ByReceipt, source: Some(PRODUCTS), ..notice })
}
