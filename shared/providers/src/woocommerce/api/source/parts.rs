//! Products with their variations: each product, and the pages of its variations, answered together.

use std::collections::HashMap;

use http::Method;

use super::cursor::{Cursor, Waiting};
use super::{Item, gone, odd, product_question};
use crate::lenient::{Lenient, Object, Unread, fields};
use crate::woocommerce::WooCommerce;
use crate::woocommerce::api::{body, question};
use crate::woocommerce::product::{Article, WooProduct, unknown};
use crate::{Answer, Api, Ask, Next, Page, Refusal, Task};
use hooktide_model::notice::{Document, EntityNotice, State, What};

/// How many variations are read at the most; those beyond are named as unread.
const MOST_VARIATIONS: u64 = 900;
/// How many questions a step has, unless a single product needs more: few enough that a slow store answers them within a run.
const MOST_QUESTIONS: u64 = 4;
/// The fields of [`Variation`].
const FIELDS: &str = "id,sku,global_unique_id,price,stock_quantity";

fields! {
    struct Variation {
        id: Lenient<u64>,
        sku: Lenient<String>,
        global_unique_id: Lenient<String>,
        price: Lenient<String>,
        stock_quantity: Lenient<i64>,
    }
}

/// The number of pages of so many rows that a product's variations have.
fn pages(Waiting(_, variations): Waiting, rows: u64) -> u64 {
    u64::try_from(variations).unwrap_or(MOST_VARIATIONS).clamp(1, MOST_VARIATIONS).div_ceil(rows)
}

/// The products of the next step: as many as fit, and one at least.
fn batch(cursor: &Cursor) -> &[Waiting] {
    let waiting = &cursor.waiting;
    let mut questions = 0;
    let fits = |product: &&Waiting| {
        questions += 1 + pages(**product, cursor.rows());
        questions <= MOST_QUESTIONS
    };
    &waiting[..waiting.iter().take_while(fits).count().max(1).min(waiting.len())]
}

/// The questions of the next step.
pub(super) fn questions(task: &Task<'_>, cursor: &Cursor) -> Vec<Ask> {
    let rows = cursor.rows();
    let mut questions = Vec::new();
    for product in batch(cursor) {
        let Waiting(id, _) = product;
        questions.push(product_question(task, *id));
        questions.extend((1..=pages(*product, rows)).map(|page| {
            let url = format!(
                "{}/products/{id}/variations?orderby=id&order=asc&per_page={rows}&page={page}\
                 &_fields={FIELDS}&_skip_cache=1",
                task.api,
            );
            question(Method::GET, &url, None)
        }));
    }
    questions
}

/// Reads the answers.
pub(super) fn read(
    api: &WooCommerce,
    task: &Task<'_>,
    mut cursor: Cursor,
    answers: &[Answer],
) -> Result<Page, Refusal> {
    let mut page = Page::of(Vec::new(), Next::Done(String::new()));
    let mut answers = answers.iter();
    let taken: Vec<Waiting> = batch(&cursor).to_vec();
    let rows = cursor.rows();
    cursor.waiting.drain(..taken.len());
    for taken in taken {
        let (Waiting(id, _), asked) = (taken, pages(taken, rows));
        let product = answers.next().ok_or(Refusal::Unreadable("no answer"))?;
        let lists: Vec<&Answer> = answers.by_ref().take(usize::try_from(asked).unwrap_or_default()).collect();
        if [product].iter().chain(&lists).any(|answer| body::is_gone(answer)) {
            page.facts.push(gone(task, id));
            continue;
        }
        api.sort(product)?;
        lists.iter().try_for_each(|list| api.sort(list))?;
        let Object(product) = body::json::<Object<WooProduct>>(product, "no product")?;
        match Item::read(product) {
            Item::Whole(told) => page.facts.push(What::Entity(told.entity)),
            Item::Odd { reason, .. } => odd(&mut page, Some(id), reason),
            Item::PartOf(_) => odd(&mut page, Some(id), format!("product {id}: a variation that has variations")),
            // The product has got more of them since.
            Item::Lacks { waiting, .. } if pages(waiting, rows) > asked => cursor.wait(waiting),
            Item::Lacks { told, which_are_known, .. } => {
                let mut found = HashMap::new();
                for list in lists {
                    add(&mut found, body::json(list, "no list of variations")?);
                }
                page.facts.push(What::Entity(joined(told.entity, found, which_are_known)));
            }
        }
    }
    page.next = cursor.next();
    Ok(page)
}

/// Adds a page of variations, by their ids. Those without an id stay unknown.
fn add(found: &mut HashMap<String, Variation>, page: Vec<Lenient<Object<Variation>>>) {
    let variations = page.into_iter().filter_map(Lenient::read);
    found.extend(variations.filter_map(|Object(it)| Some((it.id.as_ref()?.to_string(), it))));
}

/// A product with its variations: those that it lists, in its order, or all if it does not say which.
fn joined(mut entity: EntityNotice, mut found: HashMap<String, Variation>, which_are_known: bool) -> EntityNotice {
    let State::Present(Document::Product(product)) = &mut entity.state else { return entity };
    let mut ids: Vec<String> = product.variants.iter().map(|variant| variant.id.clone()).collect();
    if !which_are_known && !found.is_empty() {
        ids = found.keys().cloned().collect();
        ids.sort_by_key(|id| (id.len(), id.clone()));
    }
    let mut unread = Unread::default();
    let variants = ids.into_iter().enumerate().map(|(at, id)| match found.remove(&id) {
        Some(Variation { sku, global_unique_id, price, stock_quantity, .. }) => {
            let article = Article { sku, global_unique_id, price, stock_quantity };
            article.variant(id, &mut unread, &format!("variations[{at}]."))
        }
        None => {
            unread.note(format_args!("variations[{at}]"));
            unknown(id)
        }
    });
    product.variants = variants.collect();
    entity.unread.extend(unread.into_paths());
    entity
}
