//! Proxies whose word on who asks is taken.

use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use hyper::HeaderMap;
use hyper::header::HeaderName;

use crate::error::{Error, Result};

/// The addresses that begin like one, such as `10.0.0.0/8`; or one alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    /// How many bits of it count.
    bits: u8,
}

impl FromStr for Network {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let wrong = || {
            let why = "an address or a network, as in 10.0.0.5, 10.0.0.0/8 or fd00::/8";
            Error::InvalidInput(format!("{text:?}: not {why}"))
        };
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits.parse::<u8>().map_err(|_| wrong())?)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.unwrap_or(most);
        if bits > most {
            return Err(wrong());
        }
        // Clients are known by the shorter form.
        match address.to_canonical() {
            IpAddr::V4(short) if most == 128 && bits >= 96 => {
                Ok(Self { address: short.into(), bits: bits - 96 })
            }
            _ => Ok(Self { address, bits }),
        }
    }
}

impl Network {
    /// Returns true if an address is one of it.
    pub fn contains(&self, address: IpAddr) -> bool {
        let differ = match (self.address, address.to_canonical()) {
            (IpAddr::V4(a), IpAddr::V4(b)) => u128::from(a.to_bits() ^ b.to_bits()) << 96,
            (IpAddr::V6(a), IpAddr::V6(b)) => a.to_bits() ^ b.to_bits(),
            _ => return false,
        };
        differ.leading_zeros() >= self.bits.into()
    }
}

/// The proxies that are believed: those on this machine, and in some networks.
#[derive(Debug)]
pub struct Proxies(Vec<Network>);

impl Proxies {
    /// Returns those of networks, beside those on this machine.
    pub fn new(networks: &[Network]) -> Self {
        Self(networks.to_vec())
    }

    /// Returns who asks, by the other end of the connection and what proxies say.
    ///
    /// Each of them adds at the end for whom it asks; what stands before the word of the first that is
    /// believed came from the client.
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let lists = headers.get_all(HeaderName::from_static("x-forwarded-for"));
        let lists: Vec<&str> = lists.iter().map(|list| list.to_str().unwrap_or_default()).collect();
        let mut client = peer.to_canonical();
        // Who is on this machine itself, or comes from a tunnel that ends here, speaks for nobody else.
        let mut is_believed = client.is_loopback() || self.trusts(client);
        for word in lists.iter().rev().flat_map(|list| list.rsplit(',')).take(MAX_PROXIES) {
            if !is_believed {
                break;
            }
            let Some(address) = read(word.trim()) else { break };
            client = address.to_canonical();
            is_believed = self.trusts(client);
        }
        client
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(address))
    }
}

/// Reads an address, with which some proxies write the port.
fn read(word: &str) -> Option<IpAddr> {
    let address = || word.parse::<IpAddr>().ok();
    address().or_else(|| word.parse::<std::net::SocketAddr>().ok().map(|address| address.ip()))
}

/// The most proxies behind each other.
const MAX_PROXIES: usize = 16;

/// Returns what clients are told apart by: an IPv6 address without what a client chooses by itself.
///
/// Addresses of the link alone have one beginning for everybody on it.
pub fn key(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(long) if !long.is_unicast_link_local() && !long.is_loopback() => {
            Ipv6Addr::from_bits(long.to_bits() & !u128::from(u64::MAX)).into()
        }
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(peer: &str, networks: &[&str], lists: &[&str]) -> String {
        let networks: Vec<Network> = networks.iter().map(|text| text.parse().unwrap()).collect();
        let mut headers = HeaderMap::new();
        for list in lists {
            headers.append("x-forwarded-for", list.parse().unwrap());
        }
        Proxies::new(&networks).client(peer.parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn a_proxy_is_believed_on_this_machine_or_where_it_is_trusted() {
        let list = ["192.0.2.1, 192.0.2.7"];
        assert_eq!(client("127.0.0.1", &[], &list), "192.0.2.7");
        assert_eq!(client("::1", &[], &list), "192.0.2.7");
        assert_eq!(client("10.0.0.9", &[], &list), "10.0.0.9");
        assert_eq!(client("2001:db8::1", &[], &list), "2001:db8::1");
        assert_eq!(client("10.0.0.9", &["10.0.0.9"], &list), "192.0.2.7");
        assert_eq!(client("10.0.0.9", &["10.0.0.0/8"], &list), "192.0.2.7");
        assert_eq!(client("10.0.0.9", &["10.0.0.8"], &list), "10.0.0.9");
        assert_eq!(client("::ffff:10.0.0.9", &["10.0.0.9"], &list), "192.0.2.7");
        assert_eq!(client("10.0.0.9", &["::ffff:10.0.0.0/104"], &list), "192.0.2.7");
        assert_eq!(client("fd00::9", &["fd00::/8"], &list), "192.0.2.7");
    }

    #[test]
    fn of_several_proxies_each_is_believed_about_the_one_before() {
        let lists = ["198.51.100.1, 192.0.2.1", "10.0.0.9"];
        assert_eq!(client("127.0.0.1", &["10.0.0.9"], &lists), "192.0.2.1");
        assert_eq!(client("127.0.0.1", &[], &lists), "10.0.0.9");
        assert_eq!(client("127.0.0.1", &["0.0.0.0/0"], &["nobody, 10.0.0.9"]), "10.0.0.9");
        assert_eq!(client("127.0.0.1", &[], &["nobody"]), "127.0.0.1");
        assert_eq!(client("127.0.0.1", &[], &["192.0.2.1, 127.0.0.1"]), "127.0.0.1");
        assert_eq!(client("127.0.0.1", &["127.0.0.1"], &["192.0.2.1, 127.0.0.1"]), "192.0.2.1");
        assert_eq!(client("127.0.0.1", &["0.0.0.0/0"], &[&"10.0.0.9,".repeat(4000)]), "127.0.0.1");
    }

    #[test]
    fn a_network_is_an_address_and_bits_of_it() {
        for text in ["", "10.0.0.0/33", "10.0.0.0/x", "10.0.0.0/-1", "fd00::/129", "wiki.school", "10.0.0.0/"]
        {
            assert!(text.parse::<Network>().is_err(), "{text}");
        }
        let contains = |network: &str, address: &str| {
            network.parse::<Network>().unwrap().contains(address.parse().unwrap())
        };
        assert!(contains("0.0.0.0/0", "203.0.113.9") && !contains("0.0.0.0/0", "2001:db8::1"));
        assert!(contains("::/0", "2001:db8::1") && !contains("::/0", "203.0.113.9"));
        assert!(contains("10.0.0.0/9", "10.127.0.1") && !contains("10.0.0.0/9", "10.128.0.1"));
    }

    #[test]
    fn clients_of_ipv6_are_told_apart_by_their_networks() {
        let same = |a: &str, b: &str| key(a.parse().unwrap()) == key(b.parse().unwrap());
        assert!(same("2001:db8::1", "2001:db8::ffff:0:0:1"));
        assert!(!same("2001:db8::1", "2001:db8:0:1::1"));
        assert!(!same("10.0.0.1", "10.0.0.2") && same("10.0.0.1", "::ffff:10.0.0.1"));
        assert!(!same("fe80::1", "fe80::2"));
        assert_eq!(key("::1".parse().unwrap()).to_string(), "::1");
    }
}
