//! The clock of a server, by its answers.

use http::header::DATE;
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;

use crate::Answer;

/// The time of an answer by its server's clock; never later than `now`, since a mark that is too early costs a few rows, and
/// one that is too late hides changes.
pub(crate) fn time_of(answer: &Answer, now: Timestamp) -> Option<Timestamp> {
    let date = answer.headers().get(DATE)?.to_str().ok()?;
    DateTimeParser::new().parse_timestamp(date).ok().map(|date| date.min(now))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::Response;

    use super::*;

    #[test]
    fn an_answer_is_never_later_than_now() {
        let now: Timestamp = "2026-11-28T12:00:00.5Z".parse().unwrap();
        let of = |date: &str| {
            time_of(&Response::builder().header(DATE, date).body(Bytes::new()).unwrap(), now)
                .map(|time| time.to_string())
        };
        assert_eq!(of("Sat, 28 Nov 2026 11:59:58 GMT").as_deref(), Some("2026-11-28T11:59:58Z"));
        assert_eq!(of("Sat, 28 Nov 2026 13:00:00 GMT").as_deref(), Some("2026-11-28T12:00:00.5Z"));
        assert_eq!(of("soon"), None);
        assert_eq!(time_of(&Response::new(Bytes::new()), now), None);
    }
}
