//! Hosts in the operator's own network that may be called although their addresses are not public.

use core::fmt;
use core::str::FromStr;

/// A host with a port, such as `shop.internal:8080` or `[::1]:8443`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrivateHost {
    host: String,
    port: u16,
}

impl PrivateHost {
    /// Whether it is this host, as written in a URL, at this port.
    pub fn is(&self, host: &str, port: u16) -> bool {
        self.port == port && self.host.eq_ignore_ascii_case(host)
    }
}

impl FromStr for PrivateHost {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (host, port) = text.rsplit_once(':').ok_or(())?;
        let is_name = |host: &str| host.chars().all(|letter| letter.is_ascii_alphanumeric() || "-._".contains(letter));
        let is_address = |host: &str| {
            let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
            address.is_some_and(|address| address.parse::<core::net::Ipv6Addr>().is_ok())
        };
        let port = port.parse().ok().filter(|port| *port != 0).ok_or(())?;
        let is_host = !host.is_empty() && (is_name(host) || is_address(host));
        is_host.then(|| Self { host: host.to_owned(), port }).ok_or(())
    }
}

impl fmt::Display for PrivateHost {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.host, self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_private_host_has_a_port() {
        for text in ["shop.internal:8080", "127.0.0.1:80", "[::1]:8443", "my_db:3306"] {
            assert_eq!(text.parse::<PrivateHost>().unwrap().to_string(), text);
        }
        for text in
            ["", "shop.internal", "shop:0", "shop:65536", ":80", "http://shop:80", "::1:80", "[shop]:80", "a b:80"]
        {
            assert_eq!(text.parse::<PrivateHost>(), Err(()), "{text}");
        }
        let host: PrivateHost = "Shop.internal:8080".parse().unwrap();
        assert!(host.is("shop.INTERNAL", 8080) && !host.is("shop.internal", 80) && !host.is("internal", 8080));
    }
}
