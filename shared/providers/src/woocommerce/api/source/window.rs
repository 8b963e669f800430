//! Pages that overlap, although a store only has pages by number: rows move up when something before them is deleted, and
//! one that moved up between two pages would be on neither.

/// How many rows a page has at the most: where a store is too slow for that many, half of them, and half again.
pub(super) const MOST_ROWS: u64 = 100;
/// The least that the most is lowered to.
pub(super) const FEWEST_ROWS: u64 = 25;
/// How many rows are read again.
const OVERLAP: u64 = 3;

/// A page of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window {
    /// How many rows it has.
    pub(super) size: u64,
    /// Its number, from one.
    pub(super) page: u64,
}

impl Window {
    /// The page that goes on after so many rows, and has so many at the most, and more than half of that: of those that begin
    /// with rows that were seen, the one that reaches furthest.
    pub(super) fn after(covered: u64, most: u64) -> Self {
        let from = covered.saturating_sub(OVERLAP);
        let of_size = |size: u64| Self { size, page: from / size + 1 };
        (most / 2 + 1..=most)
            .map(of_size)
            .max_by_key(|window| (window.end(), window.size))
            .unwrap_or(of_size(MOST_ROWS))
    }

    /// The number of the row after its last.
    pub(super) fn end(self) -> u64 {
        self.size.saturating_mul(self.page)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_begins_with_rows_that_were_seen_and_goes_on() {
        for (most, shortest) in [(MOST_ROWS, 47), (50, 19), (FEWEST_ROWS, 5)] {
            assert_eq!(Window::after(0, most), Window { size: most, page: 1 });
            let mut found = most;
            for covered in 1..50_000 {
                let window = Window::after(covered, most);
                let start = window.end() - window.size;
                assert!(window.size <= most && start <= covered.saturating_sub(OVERLAP), "{covered}: {window:?}");
                assert!(window.end() > covered, "{covered}: {window:?}");
                found = found.min(window.end() - covered);
            }
            assert!(found >= shortest, "{most}: {found}");
        }
    }
}
