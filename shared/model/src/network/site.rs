//! Sites: hosts whose names one owner registered.

use core::net::IpAddr;

/// Whether two hosts, as URLs have them, are one, or belong to one owner by the Public Suffix List: `caldav.icloud.com` and
/// `p42-caldav.icloud.com` do, `anna.github.io` and `bert.github.io` do not. Addresses, and names under a suffix that is not on
/// the list, are of nobody but themselves.
pub fn is_same_site(one: &str, other: &str) -> bool {
    let (one, other) = (plain(one), plain(other));
    one == other || registered(&one).is_some_and(|domain| registered(&other) == Some(domain))
}

/// The domain that the owner of a host registered.
fn registered(host: &str) -> Option<&str> {
    let is_address = host.starts_with('[') || host.parse::<IpAddr>().is_ok();
    let domain = psl::domain(host.as_bytes()).filter(|domain| !is_address && domain.suffix().is_known())?;
    core::str::from_utf8(domain.as_bytes()).ok()
}

/// A host as it is compared.
fn plain(host: &str) -> String {
    host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_of_one_owner_are_one_site() {
        for (one, other, expected) in [
            ("caldav.icloud.com", "p42-caldav.icloud.com", true),
            ("caldav.icloud.com", "CALDAV.icloud.com.", true),
            ("icloud.com", "caldav.icloud.com", true),
            ("caldav.icloud.com", "icloud.com.evil.example", false),
            ("caldav.icloud.com", "evilicloud.com", false),
            ("dav.shop.co.uk", "www.shop.co.uk", true),
            ("shop.co.uk", "rival.co.uk", false),
            ("anna.github.io", "bert.github.io", false),
            ("com", "icloud.com", false),
            ("nas.internal", "other.nas.internal", false),
            ("localhost", "localhost", true),
            ("127.0.0.1", "127.0.0.1", true),
            ("127.0.0.1", "128.0.0.1", false),
            ("10.0.0.1", "11.0.0.1", false),
            ("[::1]", "[::2]", false),
            ("", "", true),
        ] {
            assert_eq!(is_same_site(one, other), expected, "{one} {other}");
        }
    }
}
