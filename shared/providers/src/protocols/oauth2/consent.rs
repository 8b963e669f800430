//! The page on which the owner of an account lets an app in.

use data_encoding::HEXLOWER_PERMISSIVE;
use jiff::Timestamp;

use super::CLIENT_SECRET;
use crate::Base;
use crate::protocols::percent::encoded;
use crate::protocols::query::decoded;
use hooktide_model::secret::Secrets;
use hooktide_model::signing;

/// The page on which the owner of an account lets an app in, as data.
#[derive(Clone, Copy)]
pub struct ConsentPage {
    /// The address of the page.
    pub page: Base,
    /// What is asked for: as little as the syncs need.
    pub scopes: &'static [&'static str],
    /// What separates the scopes.
    pub separator: &'static str,
    /// Other parameters that the page takes.
    pub parameters: &'static [(&'static str, &'static str)],
    /// Other fields that go with the code when it is exchanged.
    pub with_code: &'static [(&'static str, &'static str)],
    /// Whether what the owner brings back is signed with the app's secret, as Shopify has it.
    pub is_signed: bool,
    /// Whether a scope that was granted, the first, allows what another one does.
    pub implies: fn(&str, &str) -> bool,
}

/// The parameter that signs the others which the owner brings back.
pub(crate) const SIGNATURE: &str = "hmac";
/// The most parameters that are brought back.
const MOST_BROUGHT: usize = 50;

impl ConsentPage {
    /// A page as the standard has it.
    pub(crate) const fn of(page: Base, scopes: &'static [&'static str]) -> Self {
        let implies = |_: &str, _: &str| false;
        Self { page, scopes, separator: " ", parameters: &[], with_code: &[], is_signed: false, implies }
    }

    /// The address of the page with what the app asks for.
    pub(super) fn url(&self, page: &str, client: &str, (back, state): (&str, &str), challenge: &str) -> String {
        let scopes = self.scopes.join(self.separator);
        let parameters = [
            ("client_id", client),
            ("response_type", "code"),
            ("scope", scopes.as_str()),
            ("redirect_uri", back),
            ("state", state),
            ("code_challenge", challenge),
            ("code_challenge_method", "S256"),
        ];
        let all = parameters.iter().chain(self.parameters);
        let query: Vec<String> = all.map(|(name, value)| format!("{name}={}", encoded(value))).collect();
        format!("{page}?{}", query.join("&"))
    }

    /// Whether the app's secret signed what the owner brings back, or nothing is signed there.
    pub(super) fn proves(&self, query: &str, secrets: &Secrets, now: Timestamp) -> bool {
        let signed = || {
            let (signature, text) = signed(query)?;
            let mac = |key: &[u8]| signing::hmac_sha256(key, &[text.as_bytes()]);
            signing::verify_mac(secrets, CLIENT_SECRET, now, &signature, mac).ok()
        };
        !self.is_signed || signed().is_some()
    }
}

/// The signature of a query, and the text that it signs: all other parameters, sorted; `None` if it has not exactly one.
fn signed(query: &str) -> Option<(Vec<u8>, String)> {
    let pairs = query.split('&').take(MOST_BROUGHT);
    let decoded = |pair: &str| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        Some((decoded(name)?, decoded(value)?))
    };
    let pairs: Vec<(String, String)> = pairs.map(decoded).collect::<Option<_>>()?;
    let (signatures, others): (Vec<_>, Vec<_>) = pairs.into_iter().partition(|(name, _)| name == SIGNATURE);
    let [(_, signature)] = signatures.as_slice() else { return None };
    Some((HEXLOWER_PERMISSIVE.decode(signature.as_bytes()).ok()?, signed_text(others)))
}

/// The text that a signature is made of.
pub(crate) fn signed_text(mut pairs: Vec<(String, String)>) -> String {
    pairs.sort();
    let pairs: Vec<String> = pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    pairs.join("&")
}

#[cfg(test)]
mod tests {
    use super::*;
    use hooktide_model::secret::{KeyId, LiveSecret, Secret};

    #[test]
    fn only_the_apps_secret_signs_what_is_brought_back() {
        let plain = ConsentPage::of(Base::Fixed("https://a.example/authorize"), &["read"]);
        let page = ConsentPage { is_signed: true, ..plain };
        let secret = |name: &str, text: &str| LiveSecret {
            name: name.into(),
            id: KeyId(text.into()),
            secret: Secret::new(text),
            retires_at: None,
        };
        let secrets = Secrets::new(vec![secret(CLIENT_SECRET, "hush"), secret("other", "other")]);
        let proves = |query: &str| page.proves(query, &secrets, Timestamp::UNIX_EPOCH);
        let sign = |text: &str, key: &str| {
            data_encoding::HEXLOWER.encode(&signing::hmac_sha256(key.as_bytes(), &[text.as_bytes()]))
        };
        let text = "code=c 1&shop=a.example&state=s.1&timestamp=7";
        let signature = sign(text, "hush");
        let query = |signature: &str| format!("code=c%201&hmac={signature}&state=s.1&timestamp=7&shop=a.example");
        assert!(proves(&query(&signature)) && proves(&query(&signature.to_uppercase())));
        for odd in [
            query(&sign(text, "other")),
            query(&signature[2..]),
            query(""),
            query(&signature).replace("timestamp=7", "timestamp=8"),
            format!("{}&more=1", query(&signature)),
            format!("{}&hmac={signature}", query(&signature)),
            "code=c%201&shop=a.example&state=s.1&timestamp=7".to_owned(),
            String::new(),
        ] {
            assert!(!proves(&odd), "{odd}");
            assert!(plain.proves(&odd, &secrets, Timestamp::UNIX_EPOCH), "nothing is signed there");
        }
    }

    #[test]
    fn the_address_says_what_is_asked_for_and_where_to_come_back_to() {
        let page = ConsentPage {
            separator: ",",
            parameters: &[("prompt", "consent")],
            ..ConsentPage::of(Base::Fixed("https://a.example/authorize"), &["read", "list"])
        };
        let url = page.url("https://a.example/authorize", "an id", ("https://h.example/back", "s.1"), "c");
        let expected = "https://a.example/authorize?client_id=an%20id&response_type=code&scope=read%2Clist\
                        &redirect_uri=https%3A%2F%2Fh.example%2Fback&state=s.1&code_challenge=c\
                        &code_challenge_method=S256&prompt=consent";
        assert_eq!(url, expected);
    }
}
