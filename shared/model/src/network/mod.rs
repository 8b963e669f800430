//! Networks of addresses: who is limited as one sender, which proxies are believed, and who may be called.

mod private_host;
mod public;
mod site;

use core::net::{IpAddr, Ipv6Addr, SocketAddr};
use core::str::FromStr;

pub use self::private_host::PrivateHost;
pub use self::public::is_public;
pub use self::site::is_same_site;

/// How many bits of an IPv6 address name a sender's network: a household or server chooses the rest itself.
const SENDERS_BITS: u8 = 64;
/// How many proxies a request may have passed.
const MOST_HOPS: usize = 32;

/// The addresses that share their first bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    bits: u8,
}

impl Network {
    /// Whether the address is one of them. An IPv4-mapped IPv6 address counts as the IPv4 address.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                let differing = (own.to_bits() ^ other.to_bits()).leading_zeros();
                differing >= u32::from(self.bits)
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                let differing = (own.to_bits() ^ other.to_bits()).leading_zeros();
                differing >= u32::from(self.bits)
            }
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }
}

/// An address, or an address with a number of bits after a slash.
impl FromStr for Network {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
        let address = address.parse::<IpAddr>().map_err(drop)?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits: u8 = match bits {
            None => most,
            Some(bits) => bits.parse().ok().filter(|bits| *bits <= most).ok_or(())?,
        };
        Ok(match (address, address.to_canonical()) {
            (IpAddr::V6(_), canonical @ IpAddr::V4(_)) => Self { address: canonical, bits: bits.saturating_sub(96) },
            (_, address) => Self { address, bits },
        })
    }
}

/// The network that is limited as one sender: an IPv4 address, or the first 64 bits of an IPv6 address. A text that is
/// not an address is returned unchanged.
pub fn of_sender(source: &str) -> String {
    match source.parse::<IpAddr>().map(|address| address.to_canonical()) {
        Ok(IpAddr::V4(address)) => address.to_string(),
        Ok(IpAddr::V6(address)) => {
            let kept = Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << (128 - SENDERS_BITS)));
            format!("{kept}/{SENDERS_BITS}")
        }
        Err(_) => source.to_owned(),
    }
}

/// The address that a request came from: the peer's or, if the peer is a trusted proxy, the last forwarded address that
/// is not a trusted proxy itself. `forwarded` are the values of `X-Forwarded-For`, in order.
pub fn client<'a>(peer: IpAddr, forwarded: impl DoubleEndedIterator<Item = &'a str>, trusted: &[Network]) -> IpAddr {
    let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(address));
    let hops = forwarded.rev().flat_map(|value| value.rsplit(',')).take(MOST_HOPS);
    let mut client = peer.to_canonical();
    for hop in hops {
        if !is_trusted(client) {
            break;
        }
        // A proxy's entry that is not an address leaves the proxy as the only known address.
        let Some(address) = address(hop.trim()) else { break };
        client = address.to_canonical();
    }
    client
}

/// An address, as proxies write it: some with a port.
fn address(hop: &str) -> Option<IpAddr> {
    let plain = hop.strip_prefix('[').and_then(|hop| hop.strip_suffix(']')).unwrap_or(hop);
    plain.parse::<IpAddr>().ok().or_else(|| hop.parse::<SocketAddr>().ok().map(|socket| socket.ip()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn networks(texts: &[&str]) -> Vec<Network> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn a_network_is_an_address_or_a_range_and_nothing_else() {
        for (network, address, expected) in [
            ("10.0.0.0/8", "10.255.0.1", true),
            ("10.0.0.0/8", "11.0.0.1", false),
            ("10.0.0.0/8", "::ffff:10.0.0.1", true),
            ("::ffff:10.0.0.0/104", "10.9.9.9", true),
            ("192.0.2.1", "192.0.2.1", true),
            ("192.0.2.1", "192.0.2.2", false),
            ("0.0.0.0/0", "192.0.2.2", true),
            ("0.0.0.0/0", "2001:db8::1", false),
            ("2001:db8::/32", "2001:db8:ffff::1", true),
            ("2001:db8::/32", "2001:db9::1", false),
            ("::/0", "2001:db9::1", true),
            ("::1", "::1", true),
        ] {
            let network: Network = network.parse().unwrap();
            assert_eq!(network.contains(address.parse().unwrap()), expected, "{network:?} {address}");
        }
        for text in ["", "*", "localhost", "10.0.0.0/33", "::/129", "10.0.0.0/", "10.0.0.0/-1", "10.0/8", "1.2.3.4:80"]
        {
            assert_eq!(text.parse::<Network>(), Err(()), "{text}");
        }
    }

    #[test]
    fn a_sender_is_an_address_or_the_first_half_of_one() {
        for (source, expected) in [
            ("192.0.2.1", "192.0.2.1"),
            ("::ffff:192.0.2.1", "192.0.2.1"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
            ("2001:db8:1:2::ffff", "2001:db8:1:2::/64"),
            ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
            ("unknown", "unknown"),
            ("", ""),
        ] {
            assert_eq!(of_sender(source), expected, "{source}");
        }
    }

    #[test]
    fn the_client_is_the_rightmost_address_that_no_trusted_proxy_has() {
        let proxies = ["127.0.0.1", "10.0.0.0/8", "2001:db8::/32"];
        for (peer, forwarded, trusted, expected) in [
            ("192.0.2.9", &["203.0.113.1"][..], &[][..], "192.0.2.9"),
            ("192.0.2.9", &["203.0.113.1"], &proxies[..], "192.0.2.9"),
            ("127.0.0.1", &[], &proxies, "127.0.0.1"),
            ("127.0.0.1", &["203.0.113.1"], &proxies, "203.0.113.1"),
            ("::ffff:127.0.0.1", &["203.0.113.1"], &proxies, "203.0.113.1"),
            // Entries that a client writes itself are further left than those that the proxies add.
            ("127.0.0.1", &["198.51.100.7, 203.0.113.1"], &proxies, "203.0.113.1"),
            ("127.0.0.1", &["198.51.100.7", "203.0.113.1"], &proxies, "203.0.113.1"),
            ("127.0.0.1", &["203.0.113.1, 10.1.1.1 ,10.2.2.2"], &proxies, "203.0.113.1"),
            ("127.0.0.1", &["10.1.1.1"], &proxies, "10.1.1.1"),
            ("127.0.0.1", &["203.0.113.1:4711"], &proxies, "203.0.113.1"),
            ("127.0.0.1", &["[2001:db9::1]:4711"], &proxies, "2001:db9::1"),
            ("127.0.0.1", &["[2001:db9::1]"], &proxies, "2001:db9::1"),
            ("2001:db8::1", &["2001:db9::1"], &proxies, "2001:db9::1"),
            ("127.0.0.1", &["203.0.113.1, unknown"], &proxies, "127.0.0.1"),
            ("127.0.0.1", &["203.0.113.1,"], &proxies, "127.0.0.1"),
            ("127.0.0.1", &["unknown, 10.1.1.1"], &proxies, "10.1.1.1"),
        ] {
            let found = client(peer.parse().unwrap(), forwarded.iter().copied(), &networks(trusted));
            assert_eq!(found.to_string(), expected, "{peer} {forwarded:?}");
        }
        let many = "10.0.0.1, ".repeat(10_000);
        let found = client("10.0.0.1".parse().unwrap(), [many.as_str()].into_iter(), &networks(&proxies));
        assert_eq!(found.to_string(), "10.0.0.1");
    }
}
