//! What a store answers, as WordPress writes it.

use bytes::Bytes;
use http::{Response, StatusCode};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// An answer before it is written.
#[derive(Debug)]
pub(super) struct Reply {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Value,
}

impl Reply {
    /// An answer of this status.
    pub(super) fn new(status: u16, body: Value) -> Self {
        Self { status, headers: Vec::new(), body }
    }

    /// The same, with a header.
    pub(super) fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.headers.push((name, value.to_string()));
        self
    }

    /// The same, with these fields of its items only.
    pub(super) fn only(mut self, fields: Option<&str>) -> Self {
        let Some(fields) = fields else { return self };
        let names: Vec<&str> = fields.split(',').map(str::trim).collect();
        let cut = |item: &mut Value| {
            if let Value::Object(item) = item {
                item.retain(|name, _| names.contains(&name.as_str()));
            }
        };
        match &mut self.body {
            Value::Array(items) => items.iter_mut().for_each(cut),
            other => cut(other),
        }
        self
    }

    /// The response.
    pub(super) fn sent(self, now: Timestamp) -> Response<Bytes> {
        let plain = self.headers.into_iter().chain([
            ("date", now.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()),
            ("content-type", "application/json; charset=UTF-8".to_owned()),
            ("x-robots-tag", "noindex".to_owned()),
            ("access-control-expose-headers", "X-WP-Total, X-WP-TotalPages, Link".to_owned()),
            ("cache-control", "no-cache, must-revalidate, max-age=0, no-store, private".to_owned()),
        ]);
        let response = plain.fold(Response::builder(), |response, (name, value)| response.header(name, value));
        let response = response.status(StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR));
        response.body(written(&self.body)).unwrap_or_default()
    }
}

/// A body as PHP writes it: slashes and all beyond ASCII are escaped.
pub(super) fn written(value: &Value) -> Bytes {
    let mut text = String::new();
    for letter in value.to_string().chars() {
        match letter {
            '/' => text.push_str("\\/"),
            letter if letter.is_ascii() => text.push(letter),
            letter => {
                let mut units = [0; 2];
                text.extend(letter.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")));
            }
        }
    }
    text.into()
}

/// An error, as WordPress answers it.
#[derive(Debug, Clone)]
pub(super) struct Problem {
    status: u16,
    code: String,
    message: String,
    more: Map<String, Value>,
}

impl Problem {
    /// An error of this status and code.
    pub(super) fn new(status: u16, code: &str, message: impl Into<String>) -> Self {
        Self { status, code: code.to_owned(), message: message.into(), more: Map::new() }
    }

    /// The same, with more about it.
    pub(super) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.more.insert(name.to_owned(), value.into());
        self
    }

    /// Parameters that are not of their type: the name, the code and the text of each.
    pub(super) fn of_parameters(wrong: &[(&str, &str, String)]) -> Self {
        let names: Vec<&str> = wrong.iter().map(|(name, ..)| *name).collect();
        let (mut params, mut details) = (Map::new(), Map::new());
        for (name, code, text) in wrong {
            let data = if *code == "rest_invalid_type" { json!({ "param": name }) } else { Value::Null };
            params.insert((*name).to_owned(), text.as_str().into());
            details.insert((*name).to_owned(), json!({ "code": code, "message": text, "data": data }));
        }
        let message = format!("Invalid parameter(s): {}", names.join(", "));
        Self::new(400, "rest_invalid_param", message).with("params", params).with("details", details)
    }

    /// Nothing is known of the id that was given.
    pub(super) fn invalid_id(kind: &str, status: u16) -> Self {
        Self::new(status, &format!("woocommerce_rest_{kind}_invalid_id"), "Invalid ID.")
    }

    /// The error as the body of an answer, or of an item of a batch.
    pub(super) fn body(&self) -> Value {
        let mut data = Map::from_iter([("status".to_owned(), Value::from(self.status))]);
        data.extend(self.more.clone());
        json!({ "code": self.code, "message": self.message, "data": data })
    }

    /// What is wrong, for whoever edits.
    pub(super) fn text(&self) -> String {
        format!("{}: {}", self.code, self.message)
    }
}

impl From<Problem> for Reply {
    fn from(problem: Problem) -> Self {
        Self::new(problem.status, problem.body())
    }
}

/// The most items of a batch.
const LARGEST_BATCH: usize = 100;

impl Reply {
    /// Answers a batch: what became of each item, whatever became of the others. `write` gets the sort of the write and the
    /// item, and returns its document, or its id and what is wrong.
    pub(super) fn batch(
        params: &Map<String, Value>,
        mut write: impl FnMut(&'static str, &Value) -> Result<Value, (u64, Problem)>,
    ) -> Result<Self, Problem> {
        let items = |name| params.get(name).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        if ["create", "update", "delete"].into_iter().map(|name| items(name).len()).sum::<usize>() > LARGEST_BATCH {
            let message = format!("Unable to accept more than {LARGEST_BATCH} items for this request.");
            return Err(Problem::new(413, "woocommerce_rest_request_entity_too_large", message));
        }
        let mut body = Map::new();
        for name in ["create", "update", "delete"].into_iter().filter(|name| params.contains_key(*name)) {
            let done = items(name).iter().map(|item| match write(name, item) {
                Ok(document) => document,
                Err((id, problem)) => json!({ "id": id, "error": problem.body() }),
            });
            body.insert(name.to_owned(), done.collect());
        }
        Ok(Self::new(200, body.into()))
    }
}
