//! The parts of notices that several providers make alike.

use super::Becomes;
use crate::money::may_be_money;
use hooktide_model::notice::{UNKNOWN_TOPIC, What};

/// The longest id of an entity, in bytes: it becomes part of a key.
pub(crate) const LONGEST_ID: usize = 255;

/// An account without the white space around it.
pub(crate) fn trimmed(account: &str) -> String {
    account.trim().to_owned()
}

/// The notice for a topic whose body is not read: a hint, or the reason it is ignored.
pub(crate) fn told(becomes: Option<Becomes>) -> What {
    match becomes {
        Some(Becomes::Sync(resource)) => What::hint(resource),
        Some(Becomes::Ignored(reason)) => What::ignored(reason),
        Some(Becomes::Kind(_) | Becomes::Privacy) | None => What::ignored(UNKNOWN_TOPIC),
    }
}

/// The notice for an unknown topic: kept if its name may mean money, else ignored.
pub(crate) fn unknown(name: &str) -> What {
    match may_be_money(name) {
        true => What::perhaps_money("a topic that is not known here, and may be about money"),
        false => What::ignored(UNKNOWN_TOPIC),
    }
}

/// Whether a text can be the id of an entity: not empty, short, and without control characters.
pub(crate) fn is_id(text: &str) -> bool {
    (1..=LONGEST_ID).contains(&text.len()) && !has_control(text)
}

/// Whether a text has control characters.
pub(crate) fn has_control(text: &str) -> bool {
    // All of it, without a way out: that is quicker, and only odd texts have more than such bytes.
    let plain = text.bytes().fold(true, |plain, byte| plain & (b' '..=b'~').contains(&byte));
    !plain && text.contains(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;
    use hooktide_model::names::Kind;

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
