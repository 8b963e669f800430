//! The habits that a simulated server can take on, and give up: what others met at real ones.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::Edit;

/// The habits that a server has now, among those that it can have.
#[derive(Debug)]
pub(crate) struct Habits {
    known: &'static [&'static str],
    taken: BTreeSet<String>,
}

impl Habits {
    /// A server with none of these.
    pub(crate) fn of(known: &'static [&'static str]) -> Self {
        Self { known, taken: BTreeSet::new() }
    }

    /// Whether it has one.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.taken.contains(name)
    }

    /// Takes on the habit that an edit names, or gives it up where the edit deletes it.
    pub(crate) fn edit(&mut self, edit: &Edit) -> Result<String, String> {
        let name = edit.id.clone().filter(|name| self.known.contains(&name.as_str()));
        let name = name.ok_or_else(|| format!("a habit is one of {}", self.known.join(", ")))?;
        match edit.fields {
            Some(_) => self.taken.insert(name.clone()),
            None => self.taken.remove(&name),
        };
        Ok(name)
    }

    /// Those that it has.
    pub(crate) fn shown(&self) -> Value {
        json!(self.taken)
    }
}
