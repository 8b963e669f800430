//! What a question may cost, by Shopify's published rules: a scalar costs nothing, an object a point, a list two points and
//! what each of its rows may cost, as many as `first` says, and a mutation ten. The price is taken from the document.

use super::graphql::{Refused, Variables, wrong};

/// What a mutation costs.
const MUTATION: i64 = 10;
/// What a list costs, besides its rows.
const LIST: i64 = 2;

/// The cost of the operation of a document, with these variables.
pub(super) fn requested(document: &str, variables: &Variables<'_>) -> Result<i64, Refused> {
    let mut reader = Reader { tokens: tokens(document), at: 0, variables };
    let sort = reader.take();
    while reader.peek() != Some("{") && reader.peek().is_some() {
        if reader.take() == Some("(") {
            reader.arguments()?;
        }
    }
    let cost = reader.selection(None)?;
    Ok(if sort == Some("mutation") { MUTATION } else { cost })
}

/// The words and signs of a document. Commas mean nothing.
fn tokens(document: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = document;
    loop {
        rest = rest.trim_start_matches(|letter: char| letter.is_whitespace() || letter == ',');
        let Some(first) = rest.chars().next() else { return tokens };
        let is_word = |letter: char| letter.is_alphanumeric() || letter == '_' || letter == '$';
        let length = match first {
            '"' => rest.match_indices('"').nth(1).map_or(rest.len(), |(end, _)| end + 1),
            '.' if rest.starts_with("...") => 3,
            _ if is_word(first) => rest.find(|letter| !is_word(letter)).unwrap_or(rest.len()),
            _ => first.len_utf8(),
        };
        let (token, after) = rest.split_at(length);
        tokens.push(token);
        rest = after;
    }
}

/// A reader of a document.
struct Reader<'a> {
    tokens: Vec<&'a str>,
    at: usize,
    variables: &'a Variables<'a>,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<&'a str> {
        self.tokens.get(self.at).copied()
    }

    fn take(&mut self) -> Option<&'a str> {
        let token = self.peek();
        self.at += 1;
        token
    }

    fn eats(&mut self, token: &str) -> bool {
        let is_there = self.peek() == Some(token);
        self.at += usize::from(is_there);
        is_there
    }

    /// The cost of a selection, from its brace on. Of a list that may have so many rows, these cost as often.
    fn selection(&mut self, rows: Option<i64>) -> Result<i64, Refused> {
        if !self.eats("{") {
            return Err(syntax());
        }
        let (mut cost, mut maybe) = (0, 0);
        while !self.eats("}") {
            if self.eats("...") {
                // One of several types: what it costs at the most.
                let on = self.take();
                self.take();
                if on != Some("on") {
                    return Err(syntax());
                }
                maybe = self.selection(None)?.max(maybe);
                continue;
            }
            cost += self.field(rows)?;
        }
        Ok(cost + maybe)
    }

    fn field(&mut self, rows: Option<i64>) -> Result<i64, Refused> {
        let mut name = self.take().ok_or_else(syntax)?;
        if self.eats(":") {
            name = self.take().ok_or_else(syntax)?;
        }
        let first = if self.eats("(") { self.arguments()? } else { None };
        if self.peek() != Some("{") {
            return Ok(0);
        }
        let below = self.selection(first)?;
        Ok(match (first, rows) {
            (Some(_), _) => LIST + below,
            (None, Some(rows)) if name == "nodes" => rows * (1 + below),
            (None, _) => 1 + below,
        })
    }

    /// Reads arguments up to the end; how many rows `first` wants.
    fn arguments(&mut self) -> Result<Option<i64>, Refused> {
        let mut first = None;
        loop {
            match self.take().ok_or_else(syntax)? {
                ")" => return Ok(first),
                "first" if self.eats(":") => {
                    let value = self.take().ok_or_else(syntax)?;
                    first = Some(match value.strip_prefix('$') {
                        Some(variable) => self.variables.number(variable)?,
                        None => value.parse().map_err(|_| syntax())?,
                    });
                }
                _ => {}
            }
        }
    }
}

fn syntax() -> Refused {
    wrong("the document cannot be read".to_owned())
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use serde_json::{Value, json};

    use super::*;
    use crate::shopify::simulator::bucket::MOST_A_CALL;
    use crate::shopify::{PRODUCTS, STOCK, Shopify};
    use crate::{Ask, Reach, Source, Task};
    use hooktide_model::settings::connection::ConnectionSettings;

    fn cost(document: &str, variables: &Value) -> Result<i64, Refused> {
        requested(document, &Variables::new(variables))
    }

    /// What the dearest of the questions costs that lead on from a place.
    fn dearest(resource: &str, reach: Reach<'_>, cursor: Option<&str>) -> i64 {
        let settings = ConnectionSettings::default();
        let task = Task {
            account: None,
            settings: &settings,
            resource,
            part: None,
            reach,
            cursor,
            api: "https://tea.myshopify.com/admin/api/2026-10",
            now: Timestamp::UNIX_EPOCH,
        };
        let costs = Shopify.ask(&task).into_iter().map(|Ask::Http(request)| {
            let body: Value = serde_json::from_slice(request.body()).unwrap();
            cost(body["query"].as_str().unwrap(), &body["variables"]).unwrap()
        });
        costs.max().expect("a question")
    }

    #[test]
    fn every_question_costs_less_than_one_may() {
        let (changes, everything, one) = (Reach::Changes, Reach::Everything, Reach::One("7"));
        let since = r#"{"since":"2026-11-28T12:00:00Z"}"#;
        let further = r#"{"since":"2026-11-28T12:00:00Z","until":"2026-11-28T12:00:00Z","after":"a"}"#;
        let erased = r#"{"until":"2026-11-28T12:00:00Z","ended":true,"erased":"a"}"#;
        let waiting = r#"{"until":"2026-11-28T12:00:00Z","waiting":[7]}"#;
        let [end, together] = [9, 2].map(|count| format!(r#"{{"pages":{{"tokens":["a"],"count":{count}}}}}"#));
        let shelf = r#"{"until":"2026-11-28T12:00:00Z","waiting":[{"location":7,"after":"a","from":9}]}"#;
        for (resource, reach, cursor, expected) in [
            (PRODUCTS, changes, Some(since), 968),
            (PRODUCTS, changes, Some(further), 915),
            (PRODUCTS, changes, Some(erased), 53),
            (PRODUCTS, everything, None, 915),
            (PRODUCTS, everything, Some(waiting), 508),
            (PRODUCTS, one, None, 508),
            (PRODUCTS, one, Some(end.as_str()), 4),
            (PRODUCTS, one, Some(together.as_str()), 508),
            (STOCK, everything, None, 915),
            (STOCK, changes, Some(since), 915),
            (STOCK, everything, Some(shelf), 884),
            (STOCK, Reach::One("7/8"), None, 4),
            (STOCK, Reach::One("item:7/8"), None, 11),
        ] {
            let cost = dearest(resource, reach, cursor);
            assert_eq!(cost, expected, "{resource} {reach:?} {cursor:?}");
            assert!(cost < MOST_A_CALL);
        }
    }

    #[test]
    fn a_question_costs_what_the_published_rules_say() {
        let n = json!({ "n": 10, "m": 5 });
        for (document, expected) in [
            ("query A { shop { id name } }", 1),
            ("query A($n: Int!, $m: Int) { shop { id plan { name } } }", 2),
            ("query A { list(first: 3) { nodes { id } } }", 2 + 3),
            (
                "query A($n: Int!) { list(first: $n, query: \"a:'b' OR }\") { pageInfo { end } nodes { id } } }",
                2 + 1 + 10,
            ),
            (
                "query A { all: list(first: $n) { nodes { a: id, below(first: $m) { nodes { x } } } } }",
                2 + 10 * (1 + 2 + 5),
            ),
            ("query A { list(first: 4) { nodes { ... on B { id } } } }", 2 + 4),
            ("query A { list(first: 4) { nodes { ... on B { c { id } } ... on D { id } } } }", 2 + 4 * 2),
            ("query A { list(first: $n) { pageInfo { end } } }", 2 + 1),
            ("query A { one(id: 7) { quantities(names: [\"a\"]) { name } } }", 1 + 1),
            ("mutation A($n: Int) { make(topic: $n) { one { id } errors { field } } }", 10),
        ] {
            assert_eq!(cost(document, &n), Ok(expected), "{document}");
        }
        for odd in
            ["", "query A", "query A {", "query A { list(first: $x) { nodes { id } } }", "query A { ... { id } }"]
        {
            assert!(cost(odd, &n).is_err(), "{odd}");
        }
    }
}
