//! The page on which the owner of an account lets an app in.

use crate::Base;
use crate::protocols::percent::encoded;

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
}

impl ConsentPage {
    /// A page as the standard has it.
    pub(crate) const fn of(page: Base, scopes: &'static [&'static str]) -> Self {
        Self { page, scopes, separator: " ", parameters: &[], with_code: &[] }
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
}

#[cfg(test)]
mod tests {
    use super::*;

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
