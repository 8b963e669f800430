//! Places of a tenant's journal.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A position of a lane of a tenant's journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct JournalPlace {
    /// The lane.
    pub lane: u8,
    /// The position in it.
    pub position: u64,
}

impl fmt::Display for JournalPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.lane, self.position)
    }
}

/// A text that names no place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no place of a journal")]
pub struct NoPlace(String);

impl FromStr for JournalPlace {
    type Err = NoPlace;

    fn from_str(text: &str) -> Result<Self, NoPlace> {
        let place = text
            .split_once('-')
            .and_then(|(lane, position)| Some(Self { lane: lane.parse().ok()?, position: position.parse().ok()? }));
        place.ok_or_else(|| NoPlace(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_reads_as_it_was_written() {
        let place = JournalPlace { lane: 3, position: 1_800_000_000_123 };
        assert_eq!(place.to_string().parse(), Ok(place));
        assert!("3".parse::<JournalPlace>().is_err());
        assert!("300-1".parse::<JournalPlace>().is_err());
    }
}
