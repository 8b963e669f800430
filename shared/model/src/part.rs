//! Ids of entities that belong to a part of a resource, such as one calendar of several: `<part>/<id>`.

/// The id of the part's entity that the provider calls `id`.
pub fn entity_id(part: &str, id: &str) -> String {
    format!("{}{}", prefix(part), encoded(id))
}

/// The text that the ids of all of a part's entities begin with.
pub fn prefix(part: &str) -> String {
    format!("{}/", encoded(part))
}

/// The part and the provider's id that an entity's id consists of; `None` if it is no such id.
pub fn ids_of(entity: &str) -> Option<(String, String)> {
    let (part, id) = entity.split_once('/')?;
    let whole = !part.is_empty() && !id.is_empty() && !id.contains('/');
    whole.then_some(())?;
    Some((decoded(part)?, decoded(id)?))
}

/// Encodes what divides ids and keys, and the sign of the encoding itself.
fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '%' => encoded.push_str("%25"),
            '/' => encoded.push_str("%2F"),
            '#' => encoded.push_str("%23"),
            letter => encoded.push(letter),
        }
    }
    encoded
}

/// The text before the encoding; `None` if it was encoded otherwise.
fn decoded(text: &str) -> Option<String> {
    let mut pieces = text.split('%');
    let mut decoded = pieces.next()?.to_owned();
    for piece in pieces {
        decoded.push(match piece.get(..2)? {
            "25" => '%',
            "2F" => '/',
            "23" => '#',
            _ => return None,
        });
        decoded.push_str(&piece[2..]);
    }
    Some(decoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_consists_of_the_part_and_the_providers_own_id() {
        for (part, id, expected) in [
            ("anna@example.com", "7", "anna@example.com/7"),
            ("en.usa#holiday@group.v.calendar.google.com", "a_b", "en.usa%23holiday@group.v.calendar.google.com/a_b"),
            ("/calendars/anna/home/", "a%/b", "%2Fcalendars%2Fanna%2Fhome%2F/a%25%2Fb"),
            ("ä%2F", "%", "ä%252F/%25"),
        ] {
            assert_eq!(entity_id(part, id), expected);
            assert!(expected.starts_with(&prefix(part)));
            assert_eq!(ids_of(expected), Some((part.to_owned(), id.to_owned())), "{expected}");
        }
        for other in ["", "7", "/7", "a/", "a/b/c", "a%/7", "a%2f/7", "a%4/7", "a/%", "a/%ä"] {
            assert_eq!(ids_of(other), None, "{other}");
        }
    }
}
