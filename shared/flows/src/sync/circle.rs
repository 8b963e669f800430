//! Pages that lead to each other in a circle, which is found by one earlier cursor at a time. Pure.

use super::seen;
use hooktide_store::records::resource::Reading;

/// Whether the cursor that a page leads to was there before. The cursor that is kept is another one after twice as many pages,
/// so that a circle of any length is found.
pub(super) fn closes(reading: &mut Reading, cursor: &str) -> bool {
    let hash = seen::short(cursor);
    if reading.lap == Some(hash) {
        return true;
    }
    if reading.pages.is_power_of_two() {
        reading.lap = Some(hash);
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sync::begin;
    use hooktide_model::names::Via;
    use jiff::Timestamp;

    /// After how many pages a circle of this length is found, that begins after so many pages.
    fn found(before: u32, length: u32) -> Option<u32> {
        let mut reading = begin::fresh(true, Via::Full, 0, Timestamp::UNIX_EPOCH);
        (1..10_000).find(|page| {
            reading.pages = *page;
            let number = if *page < before { *page } else { before + (page - before) % length };
            closes(&mut reading, &number.to_string())
        })
    }

    #[test]
    fn a_circle_of_any_length_is_found_and_a_way_without_one_is_gone_to_its_end() {
        for (before, length) in [(1, 1), (1, 2), (7, 3), (100, 1), (30, 100)] {
            let pages = found(before, length).expect("a circle");
            assert!(pages <= 4 * (before + length), "{before} {length}: {pages}");
        }
        assert_eq!(found(20_000, 1), None);
    }
}
