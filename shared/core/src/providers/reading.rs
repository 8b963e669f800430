//! What several providers read their bodies with.

use serde::Deserialize;
use serde_json::value::RawValue;

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

/// The longest path of a field that is named, in bytes.
const LONGEST_PATH: usize = 120;

/// The fault of a text that is not of the form of `T`, by the library's `error`: which field it is, below the field `within`
/// (empty for the body itself). The library's own words would quote the body.
pub(crate) fn misfit<'a, T: Deserialize<'a>>(json: &'a [u8], error: &serde_json::Error, within: &str) -> Fault {
    // Read once more, since only few are of another form.
    let mut again = serde_json::Deserializer::from_slice(json);
    let path = match serde_path_to_error::deserialize::<_, T>(&mut again) {
        Err(misfit) if error.is_data() => misfit.path().to_string(),
        Ok(_) | Err(_) => String::new(),
    };
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.[]".contains(&byte);
    let named = path != "." && path.len() <= LONGEST_PATH && path.bytes().all(is_name);
    let path = if named { path } else { String::new() };
    let dot = if within.is_empty() || path.is_empty() || path.starts_with('[') { "" } else { "." };
    let place = match (within, path.as_str()) {
        ("", "") => format!("at line {}, column {}", error.line(), error.column()),
        ("", path) => format!("at `{path}`, line {}, column {}", error.line(), error.column()),
        (within, path) => format!("at `{within}{dot}{path}`"),
    };
    unreadable(format!("not the documented form, {place}"))
}

/// A part of a body as a `T`; the field that it stands in is called `within`.
pub(super) fn part<'a, T: Deserialize<'a>>(part: Option<&'a RawValue>, within: &str) -> Result<T, Fault> {
    let part = part.ok_or_else(|| unreadable(format!("there is no `{within}`")))?.get();
    serde_json::from_str(part).map_err(|error| misfit::<T>(part.as_bytes(), &error, within))
}

/// Words in the names of topics that may be about money.
const MONEY: &[&str] = &[
    "balance",
    "bill",
    "capture",
    "charge",
    "checkout",
    "credit",
    "debit",
    "deposit",
    "dispute",
    "fund",
    "invoice",
    "money",
    "paid",
    "pay",
    "payment",
    "payout",
    "purchase",
    "refund",
    "sale",
    "settle",
    "subscription",
    "tip",
    "transaction",
    "transfer",
    "void",
    "wallet",
    "withdraw",
];

/// Whether the name of a topic that is not known may mean that it is about money: one of its words begins so.
pub(super) fn may_be_money(name: &str) -> bool {
    let words = name.split(|letter: char| !letter.is_ascii_alphanumeric());
    words.map(str::to_ascii_lowercase).any(|word| MONEY.iter().any(|money| word.starts_with(money)))
}

/// The notice for an unknown topic: kept if its name may mean money, else ignored.
pub(super) fn unknown(name: &str) -> What {
    match may_be_money(name) {
        true => What::perhaps_money("a topic that is not known here, and may be about money"),
        false => What::ignored(UNKNOWN_TOPIC),
    }
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

    #[test]
    fn what_may_be_about_money_is_told_by_its_name() {
        for name in
            ["payment.updated", "refund.created", "AP_PAYMENT_HELD", "payouts/sent", "order_transactions/create"]
        {
            assert!(may_be_money(name), "{name}");
        }
        for name in ["", "made/up", "product.updated", "labor.shift.created", "orders/create", "prepayless"] {
            assert!(!may_be_money(name), "{name}");
        }
    }

    #[test]
    fn a_misfit_names_the_field_and_quotes_nothing() {
        #[derive(Debug, Deserialize)]
        struct Body {
            #[expect(dead_code, reason = "it is read for its type")]
            items: Vec<Item>,
        }
        #[derive(Debug, Deserialize)]
        struct Item {
            #[expect(dead_code, reason = "it is read for its type")]
            id: u64,
        }
        for (json, within, expected) in [
            (r#"{"items":[{"id":1},{"id":"secret"}]}"#, "", "at `items[1].id`, line 1"),
            (r#"{"items":[{"id":1},{"id":"secret"}]}"#, "data", "at `data.items[1].id`"),
            (r#"{"items":"secret"}"#, "", "at `items`, line 1"),
            (r#"["secret"]"#, "", "at `[0]`, line 1"),
            (r#"{"secret":tru}"#, "", "at line 1, column"),
        ] {
            let error = serde_json::from_str::<Body>(json).unwrap_err();
            let said = misfit::<Body>(json.as_bytes(), &error, within).to_string();
            assert!(said.contains(expected) && !said.contains("secret"), "{json}: {said}");
        }
    }
}
