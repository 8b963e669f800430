//! What proves us in the `Authorization` header: bearer tokens, as RFC 6750 has them, and other schemes.

use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{HeaderValue, Request};
use jiff::Timestamp;
use zeroize::Zeroizing;

use hooktide_model::secret::Secrets;

/// The request with the newest live token of that name; `None` without one that a header can have.
pub(crate) fn authorise(
    request: Request<Bytes>,
    secrets: &Secrets,
    name: &str,
    now: Timestamp,
) -> Option<Request<Bytes>> {
    let token = secrets.live(name, now).find_map(|live| live.secret.expose_text())?;
    with_proof(request, &Zeroizing::new(format!("Bearer {token}")))
}

/// The request with that proof, which nothing shows; `None` if no header can have it.
pub(crate) fn with_proof(mut request: Request<Bytes>, proof: &Zeroizing<String>) -> Option<Request<Bytes>> {
    let mut value = HeaderValue::from_str(proof).ok()?;
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
