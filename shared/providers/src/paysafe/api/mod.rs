//! Paysafe's Payments API.

mod source;

use bytes::Bytes;
use data_encoding::BASE64;
use http::{Request, StatusCode};
use jiff::Timestamp;
use zeroize::Zeroizing;

use super::{PASSWORD, Paysafe, USERNAME};
use crate::protocols::bearer::with_proof;
use crate::{Answer, Api, Base};
use hooktide_model::secret::Secrets;
use hooktide_model::settings::connection::ConnectionSettings;

/// The regions, and where the API of each is.
const REGIONS: [(&str, &str); 2] =
    [("production", "https://api.paysafe.com/paymenthub/v1"), ("test", "https://api.test.paysafe.com/paymenthub/v1")];
/// The advice about a user who counts elsewhere.
const ELSEWHERE: &str = "the sandbox and the live system have users of their own: where the user is one of the sandbox, set the \
                         connection's `region` to `test`";

impl Api for Paysafe {
    fn base(&self) -> Base {
        Base::OfConnection(address)
    }

    fn authorise(&self, request: Request<Bytes>, secrets: &Secrets, now: Timestamp) -> Option<Request<Bytes>> {
        let live = |name| {
            let newest = secrets.live(name, now).next()?.secret.expose_text();
            newest.map(str::trim).filter(|text| !text.is_empty())
        };
        let pair = Zeroizing::new(format!("{}:{}", live(USERNAME)?, live(PASSWORD)?));
        with_proof(request, &Zeroizing::new(format!("Basic {}", BASE64.encode(pair.as_bytes()))))
    }

    fn advice(&self, answer: &Answer) -> Option<&'static str> {
        (answer.status() == StatusCode::UNAUTHORIZED).then_some(ELSEWHERE)
    }
}

/// Where the API is: in the region that the connection names, else in production.
fn address(_: Option<&str>, settings: &ConnectionSettings) -> Option<String> {
    let named = settings.region.as_deref().unwrap_or_default().trim();
    let region = REGIONS.iter().find(|(region, _)| region.eq_ignore_ascii_case(named));
    region.or(REGIONS.first()).map(|(_, address)| (*address).to_owned())
}

#[cfg(test)]
mod tests {
    use http::Response;
    use http::header::AUTHORIZATION;

    use super::*;

    #[test]
    fn the_api_is_in_the_region_that_the_connection_names() {
        for (region, host) in [
            (None, "api.paysafe.com"),
            (Some("production"), "api.paysafe.com"),
            (Some("test"), "api.test.paysafe.com"),
            (Some(" TEST "), "api.test.paysafe.com"),
            (Some("elsewhere"), "api.paysafe.com"),
        ] {
            let settings = ConnectionSettings { region: region.map(str::to_owned), ..ConnectionSettings::default() };
            assert_eq!(address(None, &settings), Some(format!("https://{host}/paymenthub/v1")), "{region:?}");
        }
    }

    #[test]
    fn the_user_is_in_a_header_that_nothing_shows_and_without_a_whole_one_nothing_is_asked() {
        let authorised = |named: &[(&str, &str)]| {
            Paysafe.authorise(Request::default(), &Secrets::named(named), Timestamp::constant(1_795_875_882, 0))
        };
        let request = authorised(&[(USERNAME, "anna"), (PASSWORD, " se:cret\n")]).unwrap();
        let header = &request.headers()[AUTHORIZATION];
        assert!(header.is_sensitive());
        assert_eq!(header.to_str().unwrap(), "Basic YW5uYTpzZTpjcmV0");
        for named in [&[][..], &[(USERNAME, "anna")], &[(USERNAME, " "), (PASSWORD, "secret")]] {
            assert!(authorised(named).is_none(), "{named:?}");
        }
    }

    #[test]
    fn a_refused_user_may_be_one_of_the_other_region() {
        let advice = |status: u16| Paysafe.advice(&Response::builder().status(status).body(Bytes::new()).unwrap());
        assert!(advice(401).unwrap().contains("`region` to `test`"));
        assert_eq!((advice(403), advice(404)), (None, None));
    }
}
