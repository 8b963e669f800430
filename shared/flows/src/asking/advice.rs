//! What to do about credentials that a provider refuses, in words. Pure.

use http::StatusCode;

/// What is known of a refusal.
#[derive(Debug, Clone, Copy)]
pub(super) struct Refused<'a> {
    /// The connection.
    pub(super) connection: &'a str,
    /// The status of the answer.
    pub(super) status: StatusCode,
    /// The scopes that the connection is authorised for on a page of the provider; `None` where there is no such page.
    pub(super) scopes: Option<&'a [&'a str]>,
    /// What the provider's own code knows about it.
    pub(super) more: Option<&'a str>,
}

impl Refused<'_> {
    /// What to do about credentials that do not count.
    pub(super) fn at_all(&self) -> String {
        let Self { connection, status, scopes, more } = self;
        let status = status.as_u16();
        let more = more.map(|more| format!("; {more}")).unwrap_or_default();
        match scopes {
            Some(_) => format!(
                "the provider does not accept the access token (HTTP {status}): authorise the connection again with `hooktide \
                 connections authorize {connection}`, or give it new credentials{more}"
            ),
            None => format!(
                "the provider does not accept the credentials (HTTP {status}): give the connection new ones{more}"
            ),
        }
    }

    /// What to do about credentials that count, but lack these scopes, if any are named.
    pub(super) fn for_this(&self, lacking: &[&str]) -> String {
        let Self { connection, status, scopes, more } = self;
        let status = status.as_u16();
        let Some(scopes) = scopes else {
            let more = more.unwrap_or("give it others that do");
            return format!("the connection's credentials do not allow what is asked (HTTP {status}): {more}");
        };
        let what = match lacking {
            [] => format!("the owner did not allow what is asked, for which the app needs {}", scopes.join(", ")),
            [one] => format!("the owner did not allow the scope {one}"),
            several => format!("the owner did not allow the scopes {}", several.join(", ")),
        };
        format!(
            "{what}: authorise the connection again with `hooktide connections authorize {connection}` and allow all that the \
             page asks for, or give it a token with that"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_says_what_is_missing_and_what_to_do() {
        let by_page = Refused {
            connection: "c1",
            status: StatusCode::UNAUTHORIZED,
            scopes: Some(&["read_products", "read_stock"]),
            more: None,
        };
        let by_key = Refused { scopes: None, ..by_page };
        let and_more = Refused { more: Some("let the header pass"), ..by_key };
        let again = "hooktide connections authorize c1";
        for (said, parts) in [
            (by_page.at_all(), vec!["HTTP 401", again]),
            (by_key.at_all(), vec!["HTTP 401", "give the connection new ones"]),
            (and_more.at_all(), vec!["new ones; let the header pass"]),
            (by_page.for_this(&["read_stock"]), vec!["the scope read_stock:", again, "allow all"]),
            (by_page.for_this(&["a", "b"]), vec!["the scopes a, b:", again]),
            (by_page.for_this(&[]), vec!["needs read_products, read_stock:", again]),
            (by_key.for_this(&[]), vec!["HTTP 401", "give it others that do"]),
            (and_more.for_this(&[]), vec!["(HTTP 401): let the header pass"]),
        ] {
            assert!(parts.iter().all(|part| said.contains(part)), "{said}");
        }
        assert!(!by_key.at_all().contains("authorize") && !by_key.for_this(&[]).contains("authorize"));
    }
}
