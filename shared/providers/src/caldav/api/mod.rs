//! CalDAV (RFC 4791) as its servers answer it.

mod bounds;
mod multistatus;
mod path;
mod request;
mod source;
mod target;

use bytes::Bytes;
use data_encoding::BASE64;
use http::header::AUTHORIZATION;
use http::{HeaderValue, Request, StatusCode};
use jiff::Timestamp;
use zeroize::Zeroizing;

use super::{APP_PASSWORD, Caldav};
use crate::protocols::address::Address;
use crate::protocols::{answers, bearer};
use crate::{Answer, Api, Base, Refusal};
use hooktide_model::secret::Secrets;
use hooktide_model::settings::connection::ConnectionSettings;

/// What to do about an account that may not do what is asked.
const DENIED: &str = "the server does not let the account do that (HTTP 403): see whether the calendar is shared with it, and \
                      whether it may write there";
/// What to do about a server that moved.
const MOVED: &str = "the server sends us to another address, or to a host of another owner, where no credentials are sent: give \
                     the connection's `url` the server's own address, as its operator documents it";
/// What to do about an account whose storage is used up.
const FULL: &str =
    "the server has no room left for it (HTTP 507): remove something from the account, or get it more room";
/// What to do about a password that is refused.
const SECOND_FACTOR: &str = "where the account has a second factor, its usual password is refused: make one for an app (for iCloud \
                             at account.apple.com, App-Specific Passwords), and see that `username` is the one that the server \
                             wants, mostly the whole e-mail address";

impl Api for Caldav {
    fn base(&self) -> Base {
        Base::OfSite(address)
    }

    fn authorise(&self, request: Request<Bytes>, secrets: &Secrets, now: Timestamp) -> Option<Request<Bytes>> {
        let password = secrets.live(APP_PASSWORD, now).find_map(|live| live.secret.expose_text())?.trim();
        if password.is_empty() {
            return None;
        }
        // A request to nobody asks only whether there is anything to ask with.
        let Some(user) = user_of(&request) else { return request.uri().host().is_none().then_some(request) };
        let pair = Zeroizing::new(format!("{user}:{password}"));
        bearer::with_proof(request, &Zeroizing::new(format!("Basic {}", BASE64.encode(pair.as_bytes()))))
    }

    fn sort(&self, answer: &Answer) -> Result<(), Refusal> {
        match answer.status() {
            // This says nothing about the credentials: a token for changes that is too old is refused so as well.
            StatusCode::FORBIDDEN => Err(Refusal::Closed(DENIED)),
            StatusCode::LOCKED => Err(Refusal::Unavailable { after: answers::after(answer) }),
            StatusCode::NOT_IMPLEMENTED => Err(Refusal::Invalid),
            StatusCode::INSUFFICIENT_STORAGE => Err(Refusal::Closed(FULL)),
            status if status.is_redirection() => Err(Refusal::Closed(MOVED)),
            _ => answers::sort(answer),
        }
    }

    fn advice(&self, answer: &Answer) -> Option<&'static str> {
        (answer.status() == StatusCode::UNAUTHORIZED).then_some(SECOND_FACTOR)
    }
}

/// The origin of a server, below which its answers say where what is.
fn address(_account: Option<&str>, settings: &ConnectionSettings) -> Option<String> {
    Address::parse(settings.url.as_deref()?).map(|address| address.origin)
}

/// Who logs in: the name that the settings give, else the account.
fn user<'a>(account: Option<&'a str>, settings: &'a ConnectionSettings) -> Option<&'a str> {
    settings.username.as_deref().or(account)
}

/// The header by which a question says who asks it; the password is added when it is sent.
fn named(user: &str) -> Option<HeaderValue> {
    let fits = !user.is_empty() && !user.contains(':');
    let text = fits.then(|| format!("Basic {}", BASE64.encode(format!("{user}:").as_bytes())))?;
    let mut value = HeaderValue::from_str(&text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// Who asks a question.
fn user_of(request: &Request<Bytes>) -> Option<String> {
    let text = request.headers().get(AUTHORIZATION)?.to_str().ok()?.strip_prefix("Basic ")?;
    let pair = String::from_utf8(BASE64.decode(text.as_bytes()).ok()?).ok()?;
    pair.strip_suffix(':').map(str::to_owned)
}

/// The address that an answer leads to, if it does: by its `Location`, within what the connection may follow.
fn led_to(own: &Address, asked: &Address, answer: &Answer) -> Option<Result<Address, Refusal>> {
    let follows = matches!(answer.status().as_u16(), 301 | 302 | 307 | 308);
    let location = answer.headers().get(http::header::LOCATION).filter(|_| follows)?;
    let to = location.to_str().ok().and_then(|location| asked.join(location));
    Some(to.filter(|to| own.may_lead_to(to)).ok_or(Refusal::Closed(MOVED)))
}

#[cfg(test)]
mod tests {
    use http::Response;

    use super::*;
    use hooktide_model::secret::{KeyId, LiveSecret, Secret};

    fn secrets(password: &str) -> Secrets {
        let live = LiveSecret {
            name: APP_PASSWORD.to_owned(),
            id: KeyId("a".to_owned()),
            secret: Secret::new(password),
            retires_at: None,
        };
        Secrets::new(vec![live])
    }

    #[test]
    fn the_password_joins_the_name_that_asks_and_nothing_shows_it() {
        for (user, password, expected) in [
            ("anna@example.com", "abcd-efgh\n", Some("anna@example.com:abcd-efgh")),
            ("anna", "a:b", Some("anna:a:b")),
            ("anna:b", "secret", None),
            ("", "secret", None),
            ("anna", " ", None),
        ] {
            let mut request = Request::get("https://dav.example.com/").body(Bytes::new()).unwrap();
            if let Some(named) = named(user) {
                request.headers_mut().insert(AUTHORIZATION, named);
            }
            let request = Caldav.authorise(request, &secrets(password), Timestamp::UNIX_EPOCH);
            let header = request.map(|request| {
                let value = &request.headers()[AUTHORIZATION];
                assert!(value.is_sensitive());
                value.to_str().unwrap().to_owned()
            });
            let expected = expected.map(|pair| format!("Basic {}", BASE64.encode(pair.as_bytes())));
            assert_eq!(header, expected, "{user}");
        }
    }

    #[test]
    fn an_answer_is_sorted_by_what_to_do_next() {
        for (status, expected) in [
            (207, Ok(())),
            (201, Ok(())),
            (301, Err(Refusal::Closed(MOVED))),
            (401, Err(Refusal::Refused)),
            (403, Err(Refusal::Closed(DENIED))),
            (404, Err(Refusal::Invalid)),
            (405, Err(Refusal::Invalid)),
            (409, Err(Refusal::Invalid)),
            (412, Err(Refusal::Invalid)),
            (423, Err(Refusal::Unavailable { after: None })),
            (429, Err(Refusal::Limited { after: None })),
            (501, Err(Refusal::Invalid)),
            (503, Err(Refusal::Unavailable { after: None })),
            (507, Err(Refusal::Closed(FULL))),
        ] {
            let answer = Response::builder().status(status).body(Bytes::new()).unwrap();
            assert_eq!(Caldav.sort(&answer), expected, "{status}");
        }
    }

    #[test]
    fn an_answer_leads_on_only_to_where_credentials_may_go() {
        let own = Address::parse("https://dav.example.com").unwrap();
        let asked = Address::parse("https://p1.example.com/.well-known/caldav").unwrap();
        for (status, location, expected) in [
            (301, Some("/dav/"), Some(Ok("https://p1.example.com/dav/"))),
            (307, Some("https://p2.example.com/a"), Some(Ok("https://p2.example.com/a"))),
            (302, Some("http://p2.example.com/a"), Some(Err(Refusal::Closed(MOVED)))),
            (308, Some("https://evil.example/"), Some(Err(Refusal::Closed(MOVED)))),
            (301, None, None),
            (200, Some("/dav/"), None),
            (304, Some("/dav/"), None),
        ] {
            let answer = Response::builder().status(status);
            let answer = location.into_iter().fold(answer, |answer, location| answer.header("location", location));
            let led = led_to(&own, &asked, &answer.body(Bytes::new()).unwrap());
            let led = led.map(|led| led.map(|address| address.url()));
            assert_eq!(led, expected.map(|led| led.map(str::to_owned)), "{status} {location:?}");
        }
    }
}
