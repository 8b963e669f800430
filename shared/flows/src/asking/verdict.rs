//! What an answer says about the credentials that it was asked for with. Pure.

use hooktide_providers::Refusal;

/// What an answer says about the credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// They count, and for this.
    Accepted,
    /// They do not count.
    Refused,
    /// They count, but not for this.
    Forbidden,
    /// Nothing, or nothing that is sure.
    Nothing,
}

/// How a question was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Asked {
    /// Whether the account's own credentials proved it, and not those of an app.
    pub(super) by_account: bool,
    /// Whether these are tokens that the provider gave, rather than a key that somebody made.
    pub(super) by_token: bool,
    /// Whether it asks for a change at the provider.
    pub(super) writes: bool,
}

/// What an answer of this sort says about the credentials. The sort decides and not the status: providers refuse with 401 what
/// has nothing to do with credentials, and with 200 what has.
pub(super) fn verdict(sorted: Result<(), Refusal>, asked: Asked) -> Verdict {
    match sorted {
        _ if !asked.by_account => Verdict::Nothing,
        Ok(()) => Verdict::Accepted,
        // A key that may only read is refused for a write as one that does not count.
        Err(Refusal::Refused | Refusal::Forbidden) if asked.writes && !asked.by_token => Verdict::Nothing,
        Err(Refusal::Refused) => Verdict::Refused,
        Err(Refusal::Forbidden) => Verdict::Forbidden,
        Err(
            Refusal::Closed(_)
            | Refusal::Expired
            | Refusal::Limited { .. }
            | Refusal::Unavailable { .. }
            | Refusal::Invalid
            | Refusal::Unreadable(_)
            | Refusal::Unknown,
        ) => Verdict::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_refusal_of_the_account_itself_says_that_its_credentials_do_not_count() {
        let limited = Refusal::Limited { after: None };
        // (sort, by the account, by a token, a write)
        for (sorted, by_account, by_token, writes, expected) in [
            (Ok(()), true, true, false, Verdict::Accepted),
            (Ok(()), true, false, true, Verdict::Accepted),
            (Ok(()), false, true, false, Verdict::Nothing),
            (Err(Refusal::Refused), true, true, false, Verdict::Refused),
            (Err(Refusal::Refused), true, true, true, Verdict::Refused),
            (Err(Refusal::Refused), true, false, false, Verdict::Refused),
            (Err(Refusal::Refused), true, false, true, Verdict::Nothing),
            (Err(Refusal::Refused), false, true, false, Verdict::Nothing),
            (Err(Refusal::Forbidden), true, true, true, Verdict::Forbidden),
            (Err(Refusal::Forbidden), true, false, false, Verdict::Forbidden),
            (Err(Refusal::Forbidden), true, false, true, Verdict::Nothing),
            (Err(Refusal::Forbidden), false, true, true, Verdict::Nothing),
            (Err(Refusal::Closed("off")), true, true, false, Verdict::Nothing),
            (Err(Refusal::Invalid), true, true, false, Verdict::Nothing),
            (Err(limited), true, true, false, Verdict::Nothing),
        ] {
            let asked = Asked { by_account, by_token, writes };
            assert_eq!(verdict(sorted, asked), expected, "{sorted:?} {asked:?}");
        }
    }
}
