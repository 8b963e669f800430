//! Places in a JSON text, and the paths that a provider declares.

use std::collections::BTreeSet;

use serde_json::Value;

/// A part of a path: a key, or any item of a list.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Token {
    Key(String),
    Item,
}

/// A place.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// Where it is.
    pub(crate) pointer: String,
    /// What is declared of it.
    pub(crate) tokens: Vec<Token>,
}

impl Place {
    /// Its path, as it is declared.
    pub(crate) fn path(&self) -> String {
        let mut path = String::new();
        for token in &self.tokens {
            match token {
                Token::Item => path.push_str("[]"),
                Token::Key(key) if path.is_empty() => path.push_str(key),
                Token::Key(key) => path.push_str(&format!(".{key}")),
            }
        }
        path
    }

    /// Whether it is the place of a path.
    pub(crate) fn is(&self, path: &str) -> bool {
        self.ends(path) && is_below(&self.tokens, path)
    }

    /// Whether it is the place whose keys a path leaves open: the one above its last `*`.
    pub(crate) fn is_keyed(&self, path: &str) -> bool {
        path.strip_suffix(".*").is_some_and(|path| self.is(path))
    }

    /// Whether it is as deep as a path.
    pub(crate) fn ends(&self, path: &str) -> bool {
        self.tokens.len() == parsed(path).len()
    }
}

/// Whether a path is at a place or below it. In a path, `*` is any key, and `[]` any item.
pub(crate) fn is_below(place: &[Token], path: &str) -> bool {
    let path = parsed(path);
    let fits =
        |(place, path): (&Token, &Token)| place == path || (*path == Token::Key("*".into()) && *place != Token::Item);
    path.len() >= place.len() && place.iter().zip(&path).all(fits)
}

fn parsed(path: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    for part in path.split('.') {
        let bare = part.trim_end_matches("[]");
        tokens.push(Token::Key(bare.to_owned()));
        tokens.extend((0..(part.len() - bare.len()) / 2).map(|_| Token::Item));
    }
    tokens
}

/// All places within a value but the value's own. Of the items of a list the first and the last stand for all.
pub(crate) fn of(value: &Value) -> Vec<Place> {
    let mut places = Vec::new();
    collect(value, &Place { pointer: String::new(), tokens: Vec::new() }, &mut places);
    let mut seen = BTreeSet::new();
    places.retain(|place| seen.insert(place.pointer.clone()));
    places
}

fn collect(value: &Value, here: &Place, places: &mut Vec<Place>) {
    let mut add = |key: String, token: Token, value: &Value| {
        let mut tokens = here.tokens.clone();
        tokens.push(token);
        let place = Place { pointer: format!("{}/{key}", here.pointer), tokens };
        collect(value, &place, places);
        places.push(place);
    };
    match value {
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate().filter(|(at, _)| *at == 0 || at + 1 == items.len()) {
                add(at.to_string(), Token::Item, item);
            }
        }
        Value::Object(fields) => {
            for (key, field) in fields {
                add(key.replace('~', "~0").replace('/', "~1"), Token::Key(key.clone()), field);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn a_path_is_below_the_places_that_it_goes_through() {
    let body = serde_json::json!({ "merchants": { "M1": [{ "objectId": "I:1" }, 7] }, "type": "x" });
    let places = of(&body);
    let path = "merchants.*[].objectId";
    let below = places.iter().filter(|place| is_below(&place.tokens, path)).map(Place::path).collect::<Vec<_>>();
    assert_eq!(below, ["merchants.M1[].objectId", "merchants.M1[]", "merchants.M1[]", "merchants.M1", "merchants"]);
    assert_eq!(places.iter().filter(|place| place.is(path)).count(), 1);
    assert_eq!(places.iter().filter(|place| place.is("type")).count(), 1);
    assert_eq!(places.len(), 6);
}
