//! Addresses that a user gave, or that a server names: where they are, and whether a connection may follow them there.

use super::percent::encoded_but;
use hooktide_model::network::is_same_site;
use http::Uri;

/// The longest address that is followed, in bytes.
const LONGEST: usize = 2_048;

/// An absolute address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    /// Scheme, host and port, in lower case, the port only where it is not the scheme's own.
    pub(crate) origin: String,
    /// The path and the query, beginning with a slash; what a request cannot have is encoded.
    pub(crate) target: String,
}

impl Address {
    /// Reads an address of HTTP or HTTPS. One that names a user is refused: it would look as if it led elsewhere.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (scheme, rest) = text.trim().split_once("://").filter(|_| text.len() <= LONGEST)?;
        let scheme = scheme.to_ascii_lowercase();
        let port = match scheme.as_str() {
            "https" => ":443",
            "http" => ":80",
            _ => return None,
        };
        let (authority, target) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        let authority = authority.to_ascii_lowercase();
        let authority = authority.strip_suffix(port).unwrap_or(&authority);
        let origin = format!("{scheme}://{authority}");
        let uri: Uri = origin.parse().ok()?;
        let is_plain = uri.host().is_some_and(|host| !host.is_empty()) && !authority.contains('@');
        is_plain.then(|| Self { target: target_of(target), origin })
    }

    /// The address that a reference means, which was read at this one. `None` where it is none, or climbs up the path.
    pub(crate) fn join(&self, reference: &str) -> Option<Self> {
        let reference = reference.trim();
        let joined = if let Some(rest) = reference.strip_prefix("//") {
            let (scheme, _) = self.origin.split_once("://")?;
            Self::parse(&format!("{scheme}://{rest}"))?
        } else if reference.find("://").is_some_and(|at| !reference[..at].contains(['/', '?', '#'])) {
            Self::parse(reference)?
        } else if reference.starts_with('/') {
            Self { origin: self.origin.clone(), target: target_of(reference) }
        } else {
            let path = self.path();
            let folder = &path[..path.rfind('/').map_or(0, |at| at + 1)];
            Self { origin: self.origin.clone(), target: target_of(&format!("{folder}{reference}")) }
        };
        let climbs = joined.path().split('/').any(|segment| segment == "." || segment == "..");
        (!climbs && joined.target.len() <= LONGEST).then_some(joined)
    }

    /// Whether what proves a connection to this address may be sent to the other one: at the same origin, or by HTTPS to a host
    /// of the same site.
    pub(crate) fn may_lead_to(&self, other: &Self) -> bool {
        let is_near = || other.origin.starts_with("https://") && is_same_site(self.host(), other.host());
        self.origin == other.origin || is_near()
    }

    /// The path, without the query.
    pub(crate) fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// The host, without its port.
    fn host(&self) -> &str {
        let authority = self.origin.split_once("://").map_or("", |(_, authority)| authority);
        match authority.rfind(':') {
            Some(at) if !authority.ends_with(']') => &authority[..at],
            Some(_) | None => authority,
        }
    }

    /// The whole text.
    pub(crate) fn url(&self) -> String {
        format!("{}{}", self.origin, self.target)
    }
}

/// Path and query as a request has them: beginning with a slash, without the fragment.
fn target_of(text: &str) -> String {
    let text = text.split('#').next().unwrap_or_default();
    let slash = if text.starts_with('/') { "" } else { "/" };
    let target = encoded_but(text.as_bytes(), |byte| byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte));
    format!("{slash}{target}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Address {
        Address::parse(text).unwrap()
    }

    #[test]
    fn an_address_is_one_text_however_it_is_written() {
        for (text, expected) in [
            ("https://Dav.Example.com", Some("https://dav.example.com/")),
            (" HTTPS://dav.example.com:443/A b/?x=1#top ", Some("https://dav.example.com/A%20b/?x=1")),
            ("http://127.0.0.1:5232/ä", Some("http://127.0.0.1:5232/%C3%A4")),
            ("http://[::1]:80/", Some("http://[::1]/")),
            ("https://dav.example.com?x", Some("https://dav.example.com/?x")),
            ("https://anna@dav.example.com/", None),
            ("https://dav.example.com@evil.example/", None),
            ("ftp://dav.example.com/", None),
            ("dav.example.com", None),
            ("https://", None),
            ("https:///x", None),
        ] {
            assert_eq!(Address::parse(text).map(|address| address.url()).as_deref(), expected, "{text}");
        }
        assert_eq!(address("http://[::1]:5232/").host(), "[::1]");
        assert_eq!(address("http://[::1]/").host(), "[::1]");
        assert_eq!(address("https://a.example:8443/").host(), "a.example");
    }

    #[test]
    fn a_reference_is_read_where_it_stands() {
        let at = address("https://dav.example.com/anna/home/?x=1");
        for (reference, expected) in [
            ("/bert/", Some("https://dav.example.com/bert/")),
            ("work/", Some("https://dav.example.com/anna/home/work/")),
            ("//p42.example.com/a", Some("https://p42.example.com/a")),
            ("https://p42.example.com:443/a", Some("https://p42.example.com/a")),
            ("http://dav.example.com/a?to=https://x/", Some("http://dav.example.com/a?to=https://x/")),
            ("/a?to=https://x/", Some("https://dav.example.com/a?to=https://x/")),
            ("/a/../b", None),
            ("./a", None),
            ("mailto://x", None),
        ] {
            assert_eq!(at.join(reference).map(|address| address.url()).as_deref(), expected, "{reference}");
        }
    }

    #[test]
    fn credentials_follow_within_the_site_and_encrypted_only() {
        for (own, other, expected) in [
            ("https://caldav.icloud.com/", "https://p42-caldav.icloud.com/1/", true),
            ("https://caldav.icloud.com/", "http://p42-caldav.icloud.com/1/", false),
            ("https://caldav.icloud.com/", "http://caldav.icloud.com/", false),
            ("https://caldav.icloud.com/", "https://icloud.com.evil.example/", false),
            ("http://127.0.0.1:5232/", "http://127.0.0.1:5232/a/", true),
            ("http://127.0.0.1:5232/", "http://127.0.0.1:9000/a/", false),
            ("http://127.0.0.1:5232/", "http://169.254.169.254/", false),
            ("http://dav.example.com:8080/", "https://dav.example.com/", true),
        ] {
            assert_eq!(address(own).may_lead_to(&address(other)), expected, "{own} {other}");
        }
    }
}
