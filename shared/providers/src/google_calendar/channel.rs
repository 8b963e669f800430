//! Channels that are open, as the API and the messages know them.

use std::time::Duration;

use jiff::Timestamp;

/// The life that is asked for: Google's default. No page says how much longer one may be.
pub(super) const LIFE: Duration = Duration::from_secs(7 * 24 * 3600);

/// A channel that is open. As text `<channel>/<resource>/<end>`, the end in milliseconds: all that is known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Opened {
    /// Our id of it.
    pub(super) channel: String,
    /// Google's id of what it watches, without which it cannot be stopped; empty where the answer that says it was lost.
    pub(super) resource: String,
    pub(super) ends_at: Timestamp,
}

impl Opened {
    /// Reads the text; what it lacks is empty, and past.
    pub(super) fn of(id: &str) -> Self {
        let (channel, rest) = id.split_once('/').unwrap_or((id, ""));
        let (resource, ends_at) = rest.rsplit_once('/').unwrap_or((rest, ""));
        let ends_at = ends_at.parse().ok().and_then(|at| Timestamp::from_millisecond(at).ok());
        Self { channel: channel.to_owned(), resource: resource.to_owned(), ends_at: ends_at.unwrap_or(Timestamp::MIN) }
    }
}

impl std::fmt::Display for Opened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}/{}", self.channel, self.resource, self.ends_at.as_millisecond())
    }
}

/// The latest end of a channel that is opened now.
pub(super) fn latest(now: Timestamp) -> Timestamp {
    now.checked_add(LIFE).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_channel_is_what_its_text_says_and_what_the_text_lacks_is_empty_and_past() {
        for (text, channel, resource, ends_at) in [
            ("a1/ret08u3rv24htgh289g/1795000000000", "a1", "ret08u3rv24htgh289g", Some(1_795_000_000)),
            ("a1/with/slash/1795000000000", "a1", "with/slash", Some(1_795_000_000)),
            ("a1//1795000000000", "a1", "", Some(1_795_000_000)),
            ("a1/r/soon", "a1", "r", None),
            ("a1", "a1", "", None),
        ] {
            let opened = Opened::of(text);
            let end = ends_at.map_or(Timestamp::MIN, |at| Timestamp::from_second(at).unwrap());
            assert_eq!((opened.channel.as_str(), opened.resource.as_str(), opened.ends_at), (channel, resource, end));
            assert!(ends_at.is_none() || opened.to_string() == text, "{opened}");
        }
    }
}
