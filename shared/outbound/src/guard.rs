//! Who may be called: the operator's origins, a connection's host, anybody with a public address.

use std::error::Error;
use std::fmt;
use std::net::{IpAddr, SocketAddr};

use hooktide_model::fault::Fault;
use hooktide_model::network::{PrivateHost, is_public, is_same_site};
use hooktide_store::ports::Destination;
use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::Host;

/// Whether the address that a connection is made to is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// The operator named the host.
    Trusted,
    /// Public addresses only.
    Guarded,
}

/// The way that a request goes, or why it is not sent.
pub(crate) fn way(
    url: &Url,
    to: &Destination,
    origins: &[String],
    private_hosts: &[PrivateHost],
) -> Result<Way, Fault> {
    let refused = |why: &str| Err(Fault::failed(format!("a request was not sent: {why}")));
    let (Some(host), Some(port)) = (url.host(), url.port_or_known_default()) else {
        return refused("its address has no host");
    };
    if *to == Destination::Operator {
        let origin = url.origin().ascii_serialization();
        let allowed = origins.iter().any(|allowed| allowed.eq_ignore_ascii_case(&origin));
        return if allowed { Ok(Way::Trusted) } else { refused("its origin is not one that the operator allowed") };
    }
    let name = host.to_string();
    let is_private = private_hosts.iter().any(|private| private.is(&name, port));
    let is_own = match to {
        Destination::Connection(own) => Some(own.eq_ignore_ascii_case(&name)),
        Destination::Site(own) => Some(is_same_site(own, &name)),
        Destination::Operator | Destination::Public => None,
    };
    match is_own {
        Some(false) => return refused("it is to another host than the connection's"),
        Some(true) if url.scheme() != "https" && !is_private => {
            return refused("it is not HTTPS, by which alone it goes to hosts that are not private");
        }
        Some(true) | None => {}
    }
    if is_private {
        return Ok(Way::Trusted);
    }
    // An address needs no look-up, so no resolver sees it.
    let address = match host {
        Host::Ipv4(address) => Some(IpAddr::V4(address)),
        Host::Ipv6(address) => Some(IpAddr::V6(address)),
        Host::Domain(_) => None,
    };
    match address {
        Some(address) if !is_public(address) => Err(NotPublic(name).as_fault(port)),
        _ => Ok(Way::Guarded),
    }
}

/// A name that leads to no public address.
#[derive(Debug)]
pub(crate) struct NotPublic(String);

impl NotPublic {
    /// The first of its kind among an error and what led to it.
    pub(crate) fn within<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a Self> {
        std::iter::successors(Some(error), |error| (*error).source()).find_map(|error| error.downcast_ref())
    }

    /// The fault of a request to this host.
    pub(crate) fn as_fault(&self, port: u16) -> Fault {
        let host = &self.0;
        Fault::failed(format!(
            "a request was not sent: {host} has no public address; if it is yours, add {host}:{port} to HOOKTIDE_PRIVATE_HOSTS"
        ))
    }
}

impl fmt::Display for NotPublic {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} has no public address", self.0)
    }
}

impl Error for NotPublic {}

/// Finds the public addresses of a name, each time that a connection is made.
#[derive(Debug)]
pub(crate) struct PublicAddresses;

impl Resolve for PublicAddresses {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            Ok(Box::new(public(name.as_str(), found)?.into_iter()) as Addrs)
        })
    }
}

/// The public ones of a name's addresses.
fn public(name: &str, found: impl Iterator<Item = SocketAddr>) -> Result<Vec<SocketAddr>, NotPublic> {
    let public: Vec<SocketAddr> = found.filter(|address| is_public(address.ip())).collect();
    if public.is_empty() { Err(NotPublic(name.to_owned())) } else { Ok(public) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connection() -> Destination {
        Destination::Connection("shop.example.com".to_owned())
    }

    fn site() -> Destination {
        Destination::Site("shop.example.com".to_owned())
    }

    #[test]
    fn a_request_goes_only_where_its_destination_allows() {
        use Destination::{Operator, Public};
        let origins = ["https://api.example.com".to_owned(), "http://127.0.0.1:9000".to_owned()];
        let private: Vec<PrivateHost> =
            ["db.internal:8080", "shop.example.com:8080", "[::1]:443"].map(|host| host.parse().unwrap()).into();
        for (url, to, expected) in [
            ("https://api.example.com/x", Operator, Some(Way::Trusted)),
            ("https://API.example.com:443/x", Operator, Some(Way::Trusted)),
            ("http://127.0.0.1:9000/", Operator, Some(Way::Trusted)),
            ("http://api.example.com/", Operator, None),
            ("https://api.example.com.evil.example/", Operator, None),
            ("https://api.example.com@evil.example/", Operator, None),
            ("https://db.internal:8080/", Operator, None),
            ("https://shop.example.com/x", connection(), Some(Way::Guarded)),
            ("https://SHOP.example.com/x", connection(), Some(Way::Guarded)),
            ("https://other.example.com/x", connection(), None),
            ("http://shop.example.com/x", connection(), None),
            ("http://shop.example.com:8080/x", connection(), Some(Way::Trusted)),
            ("https://shop.example.com@evil.example/", connection(), None),
            ("https://shop.example.com/x", site(), Some(Way::Guarded)),
            ("https://p42.example.com/x", site(), Some(Way::Guarded)),
            ("http://p42.example.com/x", site(), None),
            ("https://shop.example.org/x", site(), None),
            ("https://example.com.evil.example/x", site(), None),
            ("http://shop.example.com:8080/x", site(), Some(Way::Trusted)),
            ("http://127.0.0.1/", Destination::Site("127.0.0.1".to_owned()), None),
            ("https://127.0.0.1/", Destination::Site("127.0.0.1".to_owned()), None),
            ("http://cdn.example.com/a.png", Public, Some(Way::Guarded)),
            ("https://8.8.8.8/", Public, Some(Way::Guarded)),
            ("http://db.internal:8080/", Public, Some(Way::Trusted)),
            ("http://db.internal/", Public, Some(Way::Guarded)),
            ("https://[::1]/", Public, Some(Way::Trusted)),
            ("https://[::1]:444/", Public, None),
            ("http://127.0.0.1/", Public, None),
            ("http://127.1/", Public, None),
            ("http://0x7f000001/", Public, None),
            ("http://2130706433/", Public, None),
            ("http://0177.0.0.1/", Public, None),
            ("http://169.254.169.254/latest/meta-data/", Public, None),
            ("http://[::ffff:127.0.0.1]/", Public, None),
            ("http://[::ffff:a9fe:a9fe]/", Public, None),
            ("http://[64:ff9b::7f00:1]/", Public, None),
            ("data:text/plain,x", Public, None),
        ] {
            let found = way(&Url::parse(url).unwrap(), &to, &origins, &private);
            assert_eq!(found.as_ref().ok(), expected.as_ref(), "{url} {to:?}: {found:?}");
        }
    }

    #[test]
    fn a_name_is_judged_by_its_addresses_at_each_look_up() {
        let addresses = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect::<Vec<SocketAddr>>();
        let look_up = |found: &[&str]| public("rebound.example", addresses(found).into_iter()).ok();
        assert_eq!(look_up(&["8.8.8.8:0"]), Some(addresses(&["8.8.8.8:0"])));
        assert_eq!(look_up(&["127.0.0.1:0"]), None);
        assert_eq!(look_up(&["10.0.0.1:0", "8.8.4.4:0", "[::ffff:10.0.0.1]:0"]), Some(addresses(&["8.8.4.4:0"])));
        assert_eq!(look_up(&[]), None);
    }

    #[tokio::test]
    async fn the_resolver_hands_out_no_private_address() {
        let error = PublicAddresses.resolve("localhost".parse().unwrap()).await.map(drop).unwrap_err();
        assert!(NotPublic::within(&*error).is_some(), "{error}");
    }
}
