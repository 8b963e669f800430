//! What a listing lacks: whom to ask for by the id, since lists leave out what is there now and then, and who is gone. Pure.

use std::collections::BTreeMap;

use hooktide_model::notice::EntityNotice;

/// How many are asked for before the others count as gone.
const MOST_ASKED: usize = 20;

/// The next one to ask for, if any.
pub(super) fn next<'a>(missing: &'a [EntityNotice], asked: &BTreeMap<String, bool>) -> Option<&'a EntityNotice> {
    let is_new = |notice: &&EntityNotice| !asked.contains_key(&notice.id);
    missing.iter().find(is_new).filter(|_| asked.len() < MOST_ASKED)
}

/// Those that are gone: all, if all that were asked for are; else none but these.
pub(super) fn gone(missing: Vec<EntityNotice>, asked: &BTreeMap<String, bool>) -> Vec<EntityNotice> {
    let agrees = asked.values().all(|is_gone| *is_gone);
    let is_gone = |notice: &EntityNotice| asked.get(&notice.id).copied().unwrap_or(agrees);
    missing.into_iter().filter(is_gone).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use hooktide_model::names::Kind;
    use hooktide_model::notice::{State, Version};

    /// How many are asked for, and how many count as gone, where so many are missing and these are there.
    fn counts(all: usize, there: &[usize]) -> (usize, usize) {
        let notice = |number: usize| EntityNotice::new(Kind::Product, number.to_string(), Version(1), State::Deleted);
        let missing: Vec<EntityNotice> = (0..all).map(notice).collect();
        let mut asked = BTreeMap::new();
        while let Some(notice) = next(&missing, &asked) {
            let is_gone = !there.iter().any(|number| number.to_string() == notice.id);
            asked.insert(notice.id.clone(), is_gone);
        }
        (asked.len(), gone(missing, &asked).len())
    }

    #[test]
    fn a_few_are_asked_for_and_the_others_go_where_all_of_these_are_gone() {
        for (all, there, expected) in [
            (0, &[][..], (0, 0)),
            (3, &[], (3, 3)),
            (3, &[1], (3, 2)),
            (20, &[], (20, 20)),
            (500, &[], (20, 500)),
            (500, &[4], (20, 19)),
            (500, &[400], (20, 500)),
        ] {
            assert_eq!(counts(all, there), expected, "{all} {there:?}");
        }
    }

    #[test]
    fn who_was_reported_meanwhile_is_asked_for_no_more_and_no_others_instead() {
        let notice = |id: &str| EntityNotice::new(Kind::Product, id, Version(1), State::Deleted);
        let mut asked: BTreeMap<String, bool> = (0..19).map(|number| (format!("asked {number}"), true)).collect();
        let missing = [notice("a"), notice("b")];
        assert_eq!(next(&missing, &asked), Some(&missing[0]));
        asked.insert("a".to_owned(), true);
        assert_eq!(next(&missing, &asked), None);
        assert_eq!(gone(missing.to_vec(), &asked).len(), 2);
    }
}
