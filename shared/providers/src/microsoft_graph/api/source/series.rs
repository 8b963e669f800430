//! Series with their occurrences: Graph lists each by itself, and only here they become one.

use super::event::{Reader, times};
use super::item::Item;
use super::window::Window;
use crate::lenient::Unread;
use crate::microsoft_graph::api::times::text;
use hooktide_model::calendar::Occurrence;
use hooktide_model::notice::EntityNotice;

/// The most occurrences of a series that are kept. A window has fewer days.
const MOST: usize = 1_000;

impl Reader<'_> {
    /// The state of a series with all of its occurrences in the window. `is_cut` says that there are more.
    pub(super) fn whole_series(
        &self,
        series: Item,
        occurrences: Vec<Item>,
        is_cut: bool,
    ) -> Result<EntityNotice, &'static str> {
        let mut unread = Unread::default();
        let is_cut = is_cut || occurrences.len() > MOST;
        let mut read: Vec<Occurrence> = occurrences
            .iter()
            .take(MOST)
            .filter_map(|item| occurrence(item, &series, self.window, &mut unread))
            .collect();
        if is_cut {
            unread.note("occurrences");
        }
        read.sort_by(|one, other| (&one.start, &one.id).cmp(&(&other.start, &other.id)));
        // Pages repeat themselves.
        read.dedup_by(|one, other| one.id.is_some() && one.id == other.id);
        self.series(series, read, unread)
    }
}

/// An occurrence; `None` if it lies outside the window.
fn occurrence(item: &Item, series: &Item, window: Window, unread: &mut Unread) -> Option<Occurrence> {
    let times = times(item, Some(series), unread, "occurrences[].");
    window.has(times.start, times.end).then_some(())?;
    let (busy, tentative) = item.takes_time(Some(series));
    Some(Occurrence {
        id: item.id().map(str::to_owned),
        original_start: None,
        start: times.start.map(text),
        end: times.end.map(text),
        busy,
        tentative,
        following: false,
    })
}
