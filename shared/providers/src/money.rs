//! Topics that nobody knows, and that may be about money: by the words of their names.

/// The beginnings of words in the names of topics that may be about money, written without anything between them.
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

/// Parts of such words, wherever they are in one: `unpaid`, `prepayment`.
const MONEY_WITHIN: &[&str] = &["pay", "paid", "refund"];

/// Words that begin as a word of money does, and are none.
const NO_MONEY: &[&str] = &["payload"];

/// Whether the name of a topic that is not known may mean that it is about money, by its words: `orderPaid` has two,
/// `ACHTransfer` as well, and `top_up.done` begins as `topup` does.
pub(crate) fn may_be_money(name: &str) -> bool {
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

#[cfg(test)]
mod tests {
    use super::*;

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
}
