//! The products of a store, read through its API: lists by their ids, and what has variations together with them.

mod cursor;
mod list;
mod parts;
#[cfg(test)]
mod tests;
mod window;

use http::Method;

use self::cursor::{Cursor, Waiting};
use super::{body, question};
use crate::lenient::{Lenient, Object};
use crate::woocommerce::product::{FIELDS, Told, WooProduct};
use crate::woocommerce::{PRODUCTS, WooCommerce};
use crate::{Answer, Api, Ask, Next, Page, Reach, Refusal, Source, Task};
use hooktide_model::names::Kind;
use hooktide_model::notice::{Dated, EntityNotice, State, Version, What};

impl Source for WooCommerce {
    fn ask(&self, task: &Task<'_>) -> Vec<Ask> {
        match Step::of(task) {
            Some(Step::One(id)) => vec![product_question(task, id)],
            Some(Step::Parts(cursor)) => parts::questions(task, &cursor),
            Some(Step::List(cursor)) => vec![list::next_page(task, &cursor)],
            None => Vec::new(),
        }
    }

    fn read(&self, task: &Task<'_>, answers: &[Answer]) -> Result<Page, Refusal> {
        match Step::of(task) {
            Some(Step::One(id)) => one(self, task, id, only(answers)?),
            Some(Step::Parts(cursor)) => parts::read(self, task, cursor, answers),
            Some(Step::List(cursor)) => list::read(self, task, cursor, only(answers)?),
            None if matches!(task.reach, Reach::One(_)) => Err(Refusal::Invalid),
            None => Err(Refusal::Expired),
        }
    }

    fn resources(&self) -> &'static [&'static str] {
        &[PRODUCTS]
    }

    fn shorter(&self, task: &Task<'_>) -> Option<String> {
        match Step::of(task)? {
            Step::One(_) => None,
            Step::Parts(cursor) | Step::List(cursor) => cursor.shorter(),
        }
    }
}

/// What is asked next.
enum Step {
    /// A single product, of which nothing is known yet.
    One(u64),
    /// Products with their variations.
    Parts(Cursor),
    /// A page of a list.
    List(Cursor),
}

impl Step {
    /// The step that a task is at; `None` if its cursor cannot be read, or its id is none of a store's.
    fn of(task: &Task<'_>) -> Option<Self> {
        let cursor = match task.cursor {
            Some(text) => Cursor::read(text)?,
            None => Cursor::default(),
        };
        Some(match task.reach {
            _ if !cursor.waiting.is_empty() => Self::Parts(cursor),
            Reach::One(id) => Self::One(id.parse().ok().filter(|id| *id > 0)?),
            Reach::Changes | Reach::Everything => Self::List(cursor.walking()),
        })
    }
}

fn only(answers: &[Answer]) -> Result<&Answer, Refusal> {
    answers.first().ok_or(Refusal::Unreadable("no answer"))
}

fn product_question(task: &Task<'_>, id: u64) -> Ask {
    question(Method::GET, &format!("{}/products/{id}?_fields={FIELDS}&_skip_cache=1", task.api), None)
}

/// Reads a single product; what has variations is read with them next, and a variation leads to what it is part of.
fn one(api: &WooCommerce, task: &Task<'_>, id: u64, answer: &Answer) -> Result<Page, Refusal> {
    let mut page = Page::of(Vec::new(), Next::Done(String::new()));
    let mut cursor = Cursor::default();
    if body::is_gone(answer) {
        page.facts.push(gone(task, id));
        return Ok(page);
    }
    api.sort(answer)?;
    let Object(product) = body::json::<Object<WooProduct>>(answer, "no product")?;
    take(&mut page, &mut cursor, Item::read(product));
    page.next = cursor.next();
    Ok(page)
}

/// Takes what an item says to the page, or what is to be asked for it to the cursor.
fn take(page: &mut Page, cursor: &mut Cursor, item: Item) {
    match item {
        Item::Whole(told) => page.facts.push(What::Entity(told.entity)),
        Item::Lacks { waiting, .. } => cursor.wait(waiting),
        Item::PartOf(parent) => cursor.wait(Waiting(parent, 0)),
        Item::Odd { id, reason } => odd(page, id, reason),
    }
}

/// An item of an answer.
enum Item {
    /// A product with all that belongs to it.
    Whole(Box<Told>),
    /// A product that has to be read with its variations, and what is known without them.
    Lacks { waiting: Waiting, told: Box<Told>, which_are_known: bool },
    /// A part of the product of this id.
    PartOf(u64),
    /// An item that cannot be read, with its id if that can be.
    Odd { id: Option<u64>, reason: String },
}

impl Item {
    fn read(product: WooProduct) -> Self {
        let id = product.id.as_ref().copied().filter(|id| *id > 0);
        let sort = product.sort.as_ref().map(String::as_str);
        let parent = product.parent_id.as_ref().copied().filter(|parent| *parent > 0);
        let undated = matches!(product.date_modified_gmt, Lenient::Null);
        let because = |reason: &str| Self::Odd { id, reason: format!("product {}: {reason}", name(id)) };
        // Parts of grouped products named their group as well, long ago.
        let is_variation = sort.map_or(parent.is_some(), |sort| sort.ends_with("variation"));
        match (is_variation, parent) {
            (true, Some(parent)) => return Self::PartOf(parent),
            (true, None) => return because("a variation that does not say what it is part of"),
            (false, _) => {}
        }
        if undated {
            return because("it has no date, so that its states have no order; saving it once gives it one");
        }
        if product.is_cut() {
            return because("most of it is missing; look for a plugin that changes what the API answers");
        }
        let variations = product.variations.as_ref().map_or(0, Vec::len);
        match product.read() {
            Ok(told) if told.lacks_variations => Self::Lacks {
                waiting: Waiting(id.unwrap_or_default(), variations),
                told: Box::new(told),
                which_are_known: variations > 0,
            },
            Ok(told) => Self::Whole(Box::new(told)),
            Err(fault) => because(&fault.to_string()),
        }
    }
}

fn name(id: Option<u64>) -> String {
    id.map_or_else(|| "without an id".to_owned(), |id| id.to_string())
}

/// Notes an item that cannot be read: a comparison must not take it for deleted.
fn odd(page: &mut Page, id: Option<u64>, reason: String) {
    page.seen.extend(id.map(|id| id.to_string()));
    page.facts.push(What::ignored(reason));
}

/// The deletion of what the store has no more. It says no time, so that of the question has to do.
fn gone(task: &Task<'_>, id: u64) -> What {
    let version = Version::from_time(task.now);
    What::Entity(EntityNotice {
        dated: Dated::ByReceipt,
        source: Some(PRODUCTS),
        ..EntityNotice::new(Kind::Product, id.to_string(), version, State::Deleted)
    })
}
