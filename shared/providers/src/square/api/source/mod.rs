//! The catalog and the stock of a seller, read through the API.

mod catalog;
mod object;
mod place;
mod stock;

use std::collections::BTreeMap;

use serde::de::{DeserializeOwned, IgnoredAny};

use crate::json::nests_little;
use crate::lenient::Object;
use crate::square::{CATALOG, STOCK, Square};
use crate::{Answer, Ask, Page, Refusal, Source, Task};

impl Source for Square {
    fn ask(&self, task: &Task<'_>) -> Vec<Ask> {
        match task.resource {
            CATALOG => vec![catalog::ask(task)],
            STOCK => vec![stock::ask(task)],
            _ => Vec::new(),
        }
    }

    fn read(&self, task: &Task<'_>, answers: &[Answer]) -> Result<Page, Refusal> {
        let answer = answers.first().ok_or(Refusal::Unreadable("no answer"))?;
        match task.resource {
            CATALOG => catalog::read(task, answer),
            STOCK => stock::read(task, answer),
            _ => Err(Refusal::Invalid),
        }
    }

    fn resources(&self) -> &'static [&'static str] {
        &[CATALOG, STOCK]
    }
}

/// The body of a list. Square leaves out what is empty, so one without any of the fields that `is_one` looks for is an empty
/// list only where it has no other field either.
fn list<T: DeserializeOwned>(answer: &Answer, is_one: impl Fn(&T) -> bool) -> Result<T, Refusal> {
    let unreadable = |_| Refusal::Unreadable("the answer is no list of Square's");
    nests_little(answer.body()).map_err(|_| Refusal::Unreadable("the answer nests too deep"))?;
    let Object(body) = serde_json::from_slice::<Object<T>>(answer.body()).map_err(unreadable)?;
    if !is_one(&body) {
        let keys: BTreeMap<String, IgnoredAny> = serde_json::from_slice(answer.body()).map_err(unreadable)?;
        if !keys.is_empty() {
            return Err(Refusal::Unreadable("the answer is no list of Square's"));
        }
    }
    Ok(body)
}
