//! The products and the stock of a shop, read through the API.

mod level;
mod node;
mod place;
mod products;
mod shelves;
mod single;
mod stock;
mod whole;

use jiff::{SignedDuration, Timestamp};

use crate::shopify::{PRODUCTS, STOCK, Shopify};
use crate::{Answer, Ask, Page, Refusal, Source, Task};

/// How far back changes are read before the time of the last reading: searches lag behind writes by seconds.
const OVERLAP: SignedDuration = SignedDuration::from_secs(60);

impl Source for Shopify {
    fn ask(&self, task: &Task<'_>) -> Vec<Ask> {
        match task.resource {
            PRODUCTS => products::ask(task),
            STOCK => vec![stock::ask(task)],
            _ => Vec::new(),
        }
    }

    fn read(&self, task: &Task<'_>, answers: &[Answer]) -> Result<Page, Refusal> {
        match (task.resource, answers) {
            (_, []) => Err(Refusal::Unreadable("no answer")),
            (PRODUCTS, answers) => products::read(task, answers),
            (STOCK, [answer, ..]) => stock::read(task, answer),
            _ => Err(Refusal::Invalid),
        }
    }

    fn resources(&self) -> &'static [&'static str] {
        &[PRODUCTS, STOCK]
    }

    fn is_dated(&self, resource: &str) -> bool {
        resource == STOCK
    }
}

/// The time from which changes are read, as a search writes it. Without the quotes, Shopify reads the day alone.
fn since(since: Option<Timestamp>) -> Option<String> {
    let since = since?.checked_sub(OVERLAP).ok()?;
    Some(format!("'{}'", since.strftime("%Y-%m-%dT%H:%M:%SZ")))
}
