//! What several providers read their bodies with.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::Becomes;
use hooktide_model::fault::{ErrorClass, Fault};
use hooktide_model::notice::{UNKNOWN_TOPIC, What};

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

/// What words in the names of topics that may be about money begin with, written without anything between them.
const MONEY: &[&str] = &[
    "balance",
    "bank",
    "bill",
    "capture",
    "cash",
    "charge",
    "checkout",
    "credit",
    "debit",
    "deposit",
    "disburse",
    "dispute",
    "escrow",
    "fund",
    "gift",
    "invoice",
    "loan",
    "money",
    "purchase",
    "remit",
    "reversal",
    "settle",
    "subscription",
    "topup",
    "transaction",
    "transfer",
    "void",
    "wallet",
    "withdraw",
];

/// What stands anywhere in such a word: `unpaid`, `prepayment`.
const MONEY_WITHIN: &[&str] = &["pay", "paid", "refund"];

/// What begins with a word of money, and is none.
const NO_MONEY: &[&str] = &["payload"];

/// Whether the name of a topic that is not known may mean that it is about money, by its words: `orderPaid` has two,
/// `ACHTransfer` as well, and `top_up.done` begins as `topup` does.
pub(super) fn may_be_money(name: &str) -> bool {
    let mut letters = String::with_capacity(name.len());
    let mut words = Vec::new();
    let (mut apart, mut small) = (true, false);
    let mut rest = name.chars().peekable();
    while let Some(letter) = rest.next() {
        let counts = letter.is_ascii_alphanumeric();
        let begins_small = rest.peek().is_some_and(char::is_ascii_lowercase);
        if counts && (apart || letter.is_ascii_uppercase() && (small || begins_small)) {
            words.push(letters.len());
        }
        letters.extend(counts.then_some(letter.to_ascii_lowercase()));
        (apart, small) = (!counts, counts && !letter.is_ascii_uppercase());
    }
    let ends = words.iter().skip(1).copied().chain([letters.len()]);
    words.iter().zip(ends).any(|(&start, end)| {
        let begins = |list: &[&str]| list.iter().any(|word| letters[start..].starts_with(word));
        let within = MONEY_WITHIN.iter().any(|word| letters[start..end].contains(word));
        !begins(NO_MONEY) && (begins(MONEY) || within)
    })
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

    #[test]
    fn what_may_be_about_money_is_told_by_its_name() {
        for name in [
            "payment.updated",
            "refund.created",
            "AP_PAYMENT_HELD",
            "payouts/sent",
            "order_transactions/create",
            "orderPaid",
            "ACHTransferFailed",
            "POSTransactionCreated",
            "APInvoiceHeld",
            "orderPaymentFailed",
            "customerCharged",
            "accountBalanceChanged",
            "repayment.created",
            "prepayment.received",
            "order.unpaid",
            "order.partiallyRefunded",
            "topup.done",
            "topUp.done",
            "top-up/done",
            "loan.disbursed",
            "reversal.completed",
            "gift_card.activity.created",
            "cash_drawer.shift.closed",
            "bank_account.verified",
            "gift_cards/create",
            "cash_tracking_sessions/open",
            "payloadPaid",
            "action.woocommerce_payment_complete",
        ] {
            assert!(may_be_money(name), "{name}");
        }
        for name in [
            "",
            "made/up",
            "product.updated",
            "labor.shift.created",
            "orders/create",
            "payload.changed",
            "productPayloadChanged",
            "saleschannel.updated",
            "tipping.x",
            "action.woocommerce_scheduled_sales",
            "avoid.this",
            "\u{e4}\u{f6}",
        ] {
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
