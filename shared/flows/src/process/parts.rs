//! Parts: of a delivery, what is to be processed here, and why it is kept besides. Pure.

use super::owner::Owner;
use hooktide_model::fault::{ErrorClass, Fault};
use hooktide_model::notice::{Notice, What};

/// What is to be processed of a delivery.
pub(super) struct Parts {
    /// Its notices, with their numbers among all of the body that can be processed.
    pub(super) notices: Vec<(usize, Notice)>,
    /// Why the whole delivery is kept once they are committed; none if there is nothing else in it.
    pub(super) unprocessed: Option<Fault>,
    /// Whether the body tells nothing else.
    pub(super) whole: bool,
}

/// Sets the parts of a delivery apart that cannot be processed and may matter, and those that are about another account than
/// the one it was kept for. `Err` where no part is left to be processed.
pub(super) fn set_apart(notices: Vec<Notice>, owner: &Owner, only: Option<&str>) -> Result<Parts, Fault> {
    // What comes for an endpoint that is gone is ignored whole.
    if !matches!(owner, Owner::Endpoint(_)) {
        return Ok(Parts { notices: (0..).zip(notices).collect(), unprocessed: None, whole: true });
    }
    let all = notices.len();
    let concerns = |notice: &Notice| only.is_none_or(|only| notice.account.as_deref() == Some(only));
    let (kept, others): (Vec<Notice>, Vec<Notice>) =
        notices.into_iter().partition(|notice| matches!(notice.what, What::Kept { .. }));
    let mut kept = kept.iter().filter(|notice| concerns(notice));
    let notices: Vec<(usize, Notice)> = (0..).zip(others).filter(|(_, notice)| concerns(notice)).collect();
    let unprocessed = match (kept.next().map(|first| &first.what), kept.count()) {
        (Some(What::Kept { class, reason }), 0) => Some(Fault::permanent(*class, reason.as_str())),
        (Some(What::Kept { class, reason }), more) => {
            Some(Fault::permanent(*class, format!("{reason}; and {more} more")))
        }
        _ => None,
    };
    match (unprocessed, only) {
        (Some(fault), _) if notices.is_empty() => Err(fault),
        (None, Some(only)) if notices.is_empty() => {
            let detail =
                format!("it was kept for the account {only}, and as it is read now, it has nothing about that account");
            Err(Fault::permanent(ErrorClass::UnknownAccount, detail))
        }
        (unprocessed, _) => Ok(Parts { whole: notices.len() == all, notices, unprocessed }),
    }
}

#[cfg(test)]
mod tests {
    use super::super::addressee::tests::endpoint;
    use super::*;
    use hooktide_store::records::Stored;

    fn owner() -> Owner {
        Owner::Endpoint(Box::new(Stored { rev: 1, record: endpoint(None) }))
    }

    /// A body with an odd entry, which names nobody, and one entry each of two accounts.
    fn body() -> Vec<Notice> {
        let notice =
            |account: Option<&str>, what| Notice { account: account.map(str::to_owned), identity: "1".into(), what };
        let entry = |account| notice(Some(account), What::hint("catalog"));
        vec![entry("anna"), notice(None, What::unreadable("`entry[1]` is no object")), entry("bert")]
    }

    #[test]
    fn what_was_kept_for_one_account_is_about_no_other_part_of_its_body() {
        let of = |only: Option<&str>| {
            set_apart(body(), &owner(), only).map(|Parts { notices, unprocessed, whole }| {
                let numbers: Vec<usize> = notices.iter().map(|(number, _)| *number).collect();
                (numbers, unprocessed.is_some(), whole)
            })
        };
        assert_eq!(of(None), Ok((vec![0, 1], true, false)));
        assert_eq!(of(Some("anna")), Ok((vec![0], false, false)), "the odd entry is kept with the whole body already");
        assert_eq!(of(Some("bert")), Ok((vec![1], false, false)), "with the number that it has in the whole body");
        let own = set_apart(vec![body().remove(0)], &owner(), Some("anna")).map(|parts| parts.whole);
        assert_eq!(own, Ok(true), "it tells of nobody else");
    }

    #[test]
    fn what_tells_nothing_of_the_account_it_was_kept_for_is_kept() {
        let found = set_apart(body(), &owner(), Some("carl")).map(|_| ());
        assert!(
            matches!(&found, Err(Fault::Permanent { class: ErrorClass::UnknownAccount, detail }) if detail.contains("carl")),
            "{found:?}"
        );
        assert!(set_apart(Vec::new(), &owner(), None).is_ok_and(|parts| parts.notices.is_empty()));
    }
}
