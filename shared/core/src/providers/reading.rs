//! What several providers read their bodies with.

use super::Becomes;
use crate::fault::{ErrorClass, Fault};
use crate::notice::{UNKNOWN_TOPIC, What};

/// The longest id of a thing, in bytes: it becomes part of a key.
pub(super) const LONGEST_ID: usize = 255;

/// What is told of a topic whose deliveries have no state that is read: what to ask for, or why nothing is done.
pub(super) fn told(becomes: Option<Becomes>) -> What {
    match becomes {
        Some(Becomes::Sync(resource)) => What::hint(resource),
        Some(Becomes::Ignored(reason)) => What::ignored(reason),
        Some(Becomes::Kind(_) | Becomes::Privacy) | None => What::ignored(UNKNOWN_TOPIC),
    }
}

/// The fault of what is not of the documented form. The text never quotes the body.
pub(super) fn unreadable(detail: impl Into<String>) -> Fault {
    Fault::permanent(ErrorClass::Unreadable, detail)
}

/// Whether a text can be the id of a thing: there, short, and without control characters.
pub(super) fn is_id(text: &str) -> bool {
    // All of it, without a way out: that is quicker, and only odd ids have more than such bytes.
    let plain = text.bytes().fold(true, |plain, byte| plain & (b' '..=b'~').contains(&byte));
    (1..=LONGEST_ID).contains(&text.len()) && (plain || !text.chars().any(char::is_control))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::Kind;

    #[test]
    fn an_id_is_short_and_without_control_characters() {
        let longest = "x".repeat(LONGEST_ID);
        for (text, expected) in [
            ("7", true),
            ("a b/c#d", true),
            ("\u{e4}", true),
            (&longest, true),
            (&format!("{longest}x"), false),
            ("", false),
            ("a\n", false),
            ("\u{7f}", false),
            ("\u{e4}\u{85}", false),
        ] {
            assert_eq!(is_id(text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_topic_without_a_state_is_a_sync_or_nothing() {
        for (becomes, expected) in [
            (Some(Becomes::Sync("stock")), What::hint("stock")),
            (Some(Becomes::Ignored("not used")), What::ignored("not used")),
            (Some(Becomes::Kind(Kind::Product)), What::ignored(UNKNOWN_TOPIC)),
            (Some(Becomes::Privacy), What::ignored(UNKNOWN_TOPIC)),
            (None, What::ignored(UNKNOWN_TOPIC)),
        ] {
            assert_eq!(told(becomes), expected, "{becomes:?}");
        }
    }
}
