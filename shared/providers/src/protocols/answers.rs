//! The sorts of answers that HTTP itself defines. A provider that says it otherwise has its own.

use std::time::Duration;

use http::StatusCode;
use http::header::{DATE, RETRY_AFTER};

use crate::{Answer, Refusal};

/// The longest time to wait that is believed.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);

/// Sorts an answer by its status; an error for all that is no success.
pub(crate) fn sort(answer: &Answer) -> Result<(), Refusal> {
    Err(match answer.status() {
        status if status.is_success() => return Ok(()),
        StatusCode::UNAUTHORIZED => Refusal::Refused,
        StatusCode::FORBIDDEN => Refusal::Forbidden,
        StatusCode::GONE => Refusal::Expired,
        StatusCode::TOO_MANY_REQUESTS => Refusal::Limited { after: after(answer) },
        StatusCode::REQUEST_TIMEOUT => Refusal::Unavailable { after: after(answer) },
        status if status.is_server_error() => Refusal::Unavailable { after: after(answer) },
        _ => Refusal::Invalid,
    })
}

/// The time to wait that the answer asks for, within bounds: in seconds, which may have a fraction, or until a date (RFC 9110,
/// section 10.2.3), which is compared with the answer's own since clocks differ.
pub(crate) fn after(answer: &Answer) -> Option<Duration> {
    let text = |name| answer.headers().get(name)?.to_str().ok();
    let date = |text| jiff::fmt::rfc2822::parse(text).ok();
    let wait = text(RETRY_AFTER)?;
    let wait = match wait.parse::<f64>() {
        Ok(seconds) => Duration::try_from_secs_f64(seconds.ceil()).ok()?,
        Err(_) => Duration::try_from(date(wait)?.duration_since(&date(text(DATE)?)?)).unwrap_or_default(),
    };
    Some(wait.min(LONGEST_WAIT))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::Response;

    use super::*;

    fn answer(status: u16, wait: Option<&str>) -> Answer {
        let answer = Response::builder().status(status).header(DATE, "Sun, 29 Nov 2026 10:00:00 GMT");
        let answer = wait.into_iter().fold(answer, |answer, wait| answer.header(RETRY_AFTER, wait));
        answer.body(Bytes::new()).unwrap()
    }

    #[test]
    fn every_status_has_its_sort() {
        let (limited, unavailable) = (Refusal::Limited { after: None }, Refusal::Unavailable { after: None });
        for (status, expected) in [
            (200, Ok(())),
            (204, Ok(())),
            (301, Err(Refusal::Invalid)),
            (400, Err(Refusal::Invalid)),
            (401, Err(Refusal::Refused)),
            (403, Err(Refusal::Forbidden)),
            (404, Err(Refusal::Invalid)),
            (408, Err(unavailable)),
            (410, Err(Refusal::Expired)),
            (422, Err(Refusal::Invalid)),
            (429, Err(limited)),
            (500, Err(unavailable)),
            (503, Err(unavailable)),
        ] {
            assert_eq!(sort(&answer(status, None)), expected, "{status}");
        }
    }

    #[test]
    fn a_time_to_wait_is_kept_within_bounds() {
        for (wait, expected) in [
            ("7", Some(7)),
            ("2.0", Some(2)),
            ("1.5", Some(2)),
            ("999999999", Some(3600)),
            ("-1", None),
            ("inf", None),
            ("soon", None),
            ("Sun, 29 Nov 2026 10:00:30 GMT", Some(30)),
            ("Sun, 29 Nov 2026 09:00:00 GMT", Some(0)),
            ("Mon, 30 Nov 2026 10:00:00 GMT", Some(3600)),
            ("Sun, 29 Nov 2026 25:00:00 GMT", None),
        ] {
            let after = expected.map(Duration::from_secs);
            for (status, expected) in [(429, Refusal::Limited { after }), (503, Refusal::Unavailable { after })] {
                assert_eq!(sort(&answer(status, Some(wait))), Err(expected), "{wait}");
                assert_eq!(expected.after(), after);
            }
        }
    }
}
