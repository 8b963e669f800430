//! Bearer tokens, as RFC 6750 has them.

use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{HeaderValue, Request};
use jiff::Timestamp;
use zeroize::Zeroizing;

use hooktide_model::secret::Secrets;

/// The request with the newest live token of that name; `None` without one that a header can have.
pub(crate) fn authorise(
    mut request: Request<Bytes>,
    secrets: &Secrets,
    name: &str,
    now: Timestamp,
) -> Option<Request<Bytes>> {
    let token = secrets.live(name, now).find_map(|live| live.secret.expose_text())?;
    let text = Zeroizing::new(format!("Bearer {token}"));
    let mut value = HeaderValue::from_str(&text).ok()?;
    value.set_sensitive(true);
    request.headers_mut().insert(AUTHORIZATION, value);
    Some(request)
}

#[cfg(test)]
mod tests {
    use super::*;
    use hooktide_model::secret::{KeyId, LiveSecret, Secret};

    #[test]
    fn the_newest_token_goes_with_the_request_and_is_not_shown() {
        let live = |name: &str, text: &str| LiveSecret {
            name: name.to_owned(),
            id: KeyId(text.to_owned()),
            secret: Secret::new(text),
            retires_at: None,
        };
        let secrets = Secrets::new(vec![live("other", "a"), live("token", "new"), live("token", "old")]);
        let authorised = |name| {
            authorise(Request::new(Bytes::new()), &secrets, name, Timestamp::UNIX_EPOCH).map(|request| {
                let value = &request.headers()[AUTHORIZATION];
                assert!(value.is_sensitive());
                value.to_str().unwrap().to_owned()
            })
        };
        assert_eq!(authorised("token").as_deref(), Some("Bearer new"));
        assert_eq!(authorised("another"), None);
        let odd = Secrets::new(vec![live("token", "a\nb")]);
        assert!(authorise(Request::new(Bytes::new()), &odd, "token", Timestamp::UNIX_EPOCH).is_none());
    }
}
