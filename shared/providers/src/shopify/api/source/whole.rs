//! One product with all that it has. Shopify shows up to 2,048 variants of the only product of a question, but its price counts
//! each of them, and no question may cost more than 1,000 points. So they come 250 at a time, up to 1,500. A product is one
//! document: where it has more pages, these are found one after the other, and then asked for together.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::node::{ProductNode, Rest, Shown};
use crate::lenient::{Lenient, Object, fields};
use crate::protocols::graphql::data;
use crate::shopify::api::operations::{PRODUCT, VARIANTS, VARIANTS_END};
use crate::shopify::api::pages::{List, rows};
use crate::shopify::api::{errors, question};
use crate::shopify::product::ShopifyVariant;
use crate::{Answer, Ask, Refusal};

/// How many variants a page has.
const VARIANTS_A_PAGE: u16 = 250;
/// How many images a product has at the most.
const IMAGES: u16 = 250;
/// How many pages of variants of a product are read at the most: the 2,000 points that a shop has pay for so many at once. The
/// variants beyond are named as unread.
const MOST_PAGES: usize = 6;

/// The pages of the variants of a product, as far as they are known.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Pages {
    /// The tokens of those after the first.
    tokens: Vec<String>,
    /// How many there are, as far as the product says so.
    count: usize,
}

/// What the answers about one product say.
pub(super) enum Whole {
    /// The product has more pages of variants than are known.
    More,
    /// The product, with all of its pages.
    Product(Box<(ProductNode, Shown)>),
    /// Shopify does not have it.
    Gone,
}

/// What the next questions ask.
enum Step<'a> {
    /// The product, with its first page.
    First,
    /// The end of the last page that is known.
    End(&'a str),
    /// The product, with all of its pages.
    Together,
}

fields! {
    struct Alone {
        product: Lenient<Object<ProductNode>>,
    }
}

fields! {
    struct Paged {
        product: Lenient<Object<VariantsOf>>,
    }
}

fields! {
    struct VariantsOf {
        updated_at: Lenient<Timestamp>,
        variants: Lenient<Object<List<ShopifyVariant>>>,
    }
}

impl Pages {
    fn step(&self) -> Step<'_> {
        match self.tokens.last() {
            None => Step::First,
            Some(last) if self.known() < self.count => Step::End(last),
            Some(_) => Step::Together,
        }
    }

    /// How many pages are known.
    fn known(&self) -> usize {
        self.tokens.len() + 1
    }

    /// Notes where the last page that is known leads; whether it leads to one that is not known yet.
    fn goes_on(&mut self, token: Option<String>) -> bool {
        match token.filter(|_| self.known() < MOST_PAGES) {
            Some(token) => {
                self.tokens.push(token);
                self.count = self.count.max(self.known());
                true
            }
            None => {
                self.count = self.known();
                false
            }
        }
    }

    /// The longest ones.
    #[cfg(test)]
    pub(super) fn longest() -> Self {
        Self { tokens: vec!["z".repeat(2048); MOST_PAGES - 1], count: MOST_PAGES }
    }
}

/// The questions about the product of that id.
pub(super) fn asks(api: &str, id: &str, pages: &Pages) -> Vec<Ask> {
    let gid = format!("gid://shopify/Product/{id}");
    let further = |operation, after: &str| {
        question(api, operation, &json!({ "id": gid, "variants": VARIANTS_A_PAGE, "after": after }))
    };
    let first = || question(api, &PRODUCT, &json!({ "id": gid, "variants": VARIANTS_A_PAGE, "images": IMAGES }));
    match pages.step() {
        Step::First => vec![first()],
        Step::End(last) => vec![further(&VARIANTS_END, last)],
        Step::Together => {
            let rest = pages.tokens.iter().map(|after| further(&VARIANTS, after));
            std::iter::once(first()).chain(rest).collect()
        }
    }
}

/// Reads the answers.
pub(super) fn read(pages: &mut Pages, answers: &[Answer]) -> Result<Whole, Refusal> {
    answers.iter().try_for_each(errors::sort)?;
    let [first, rest @ ..] = answers else { return Err(Refusal::Unreadable("no answer")) };
    if let Step::End(last) = pages.step() {
        let Some(Object(paged)) = product(data::<Paged>(first)?.product)? else { return Ok(Whole::Gone) };
        let Object(list) = paged.variants.read().ok_or(Refusal::Unreadable("the answer has no `variants`"))?;
        let token = list.next(Some(last))?;
        pages.goes_on(token);
        return Ok(Whole::More);
    }
    let Some(Object(node)) = product(data::<Alone>(first)?.product)? else { return Ok(Whole::Gone) };
    if pages.tokens.is_empty() {
        let count = node.variants_count().and_then(|count| usize::try_from(count).ok()).unwrap_or_default();
        pages.count = count.div_ceil(usize::from(VARIANTS_A_PAGE)).min(MOST_PAGES);
        let goes_on = node.second_page().is_some_and(|token| pages.goes_on(Some(token)));
        return Ok(if goes_on { Whole::More } else { Whole::Product(Box::new((node, Shown::Alone))) });
    }
    let mut more = Rest::default();
    let mut token = None;
    for (answer, before) in rest.iter().zip(&pages.tokens) {
        let Some(Object(paged)) = product(data::<Paged>(answer)?.product)? else { return Ok(Whole::Gone) };
        let earliest = more.updated_at.into_iter().chain(paged.updated_at.read()).min();
        let (page, next) = rows(paged.variants, Some(before))?;
        more.variants.extend(page);
        (more.updated_at, token) = (earliest, next);
    }
    more.has_more = token.is_some();
    let goes_on = pages.goes_on(token);
    Ok(if goes_on { Whole::More } else { Whole::Product(Box::new((node, Shown::With(more)))) })
}

/// The product of an answer; none if Shopify does not have it.
fn product<T>(product: Lenient<T>) -> Result<Option<T>, Refusal> {
    match product {
        Lenient::Read(product) => Ok(Some(product)),
        Lenient::Null => Ok(None),
        Lenient::Missing | Lenient::Odd => Err(Refusal::Unreadable("the answer has no `product`")),
    }
}
