//! The address of a feed, and what its answers mean.

mod body;
mod source;

use bytes::Bytes;
use http::{Request, StatusCode};
use jiff::Timestamp;

use super::Ics;
use crate::protocols::address::Address;
use crate::protocols::answers;
use crate::{Answer, Api, Base, Refusal};
use hooktide_model::secret::Secrets;
use hooktide_model::settings::connection::ConnectionSettings;

/// What to do about an address that is not open.
const CLOSED: &str = "the feed is not open to whoever knows its address: take the secret or public address that the calendar gives \
                      for other apps, and see whether it still shares it";
/// What to do about an address where nothing is.
const NOWHERE: &str = "there is no feed at the connection's `url` (any more): give it the calendar's current address";
/// What to do about a feed that moved.
const MOVED: &str = "the feed moved to another host: give the connection's `url` its current address";

impl Api for Ics {
    fn base(&self) -> Base {
        Base::OfSite(|_, settings| feed(settings).map(|feed| feed.origin))
    }

    fn authorise(&self, request: Request<Bytes>, _secrets: &Secrets, _now: Timestamp) -> Option<Request<Bytes>> {
        // Nothing proves us: whoever knows the address may read the feed.
        Some(request)
    }

    fn sort(&self, answer: &Answer) -> Result<(), Refusal> {
        match answer.status() {
            StatusCode::NOT_MODIFIED => Ok(()),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(Refusal::Closed(CLOSED)),
            StatusCode::NOT_FOUND | StatusCode::GONE => Err(Refusal::Closed(NOWHERE)),
            status if status.is_redirection() => Err(Refusal::Closed(MOVED)),
            _ => answers::sort(answer),
        }
    }
}

/// The address of the feed. `webcal` is HTTPS for calendar apps.
fn feed(settings: &ConnectionSettings) -> Option<Address> {
    let url = settings.url.as_deref()?.trim();
    match url.split_once("://") {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("webcal") => Address::parse(&format!("https://{rest}")),
        _ => Address::parse(url),
    }
}

#[cfg(test)]
mod tests {
    use http::Response;

    use super::*;

    #[test]
    fn a_feed_has_one_address_however_it_is_shared() {
        for (url, expected) in [
            ("webcal://p42-caldav.icloud.com/published/2/a", Some("https://p42-caldav.icloud.com/published/2/a")),
            ("WEBCAL://calendar.example.com/a", Some("https://calendar.example.com/a")),
            ("https://calendar.example.com/a.ics?token=b", Some("https://calendar.example.com/a.ics?token=b")),
            ("http://127.0.0.1:8080/a.ics", Some("http://127.0.0.1:8080/a.ics")),
            ("https://anna:secret@calendar.example.com/", None),
        ] {
            let settings = ConnectionSettings { url: Some(url.to_owned()), ..ConnectionSettings::default() };
            assert_eq!(feed(&settings).map(|feed| feed.url()).as_deref(), expected, "{url}");
        }
        assert!(feed(&ConnectionSettings::default()).is_none());
    }

    #[test]
    fn an_answer_is_sorted_by_what_to_do_next() {
        for (status, expected) in [
            (200, Ok(())),
            (304, Ok(())),
            (301, Err(Refusal::Closed(MOVED))),
            (401, Err(Refusal::Closed(CLOSED))),
            (403, Err(Refusal::Closed(CLOSED))),
            (404, Err(Refusal::Closed(NOWHERE))),
            (410, Err(Refusal::Closed(NOWHERE))),
            (429, Err(Refusal::Limited { after: None })),
            (503, Err(Refusal::Unavailable { after: None })),
        ] {
            let answer = Response::builder().status(status).body(Bytes::new()).unwrap();
            assert_eq!(Ics.sort(&answer), expected, "{status}");
        }
    }
}
