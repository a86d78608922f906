//! `NO_PROXY`: which hosts are reached directly all the same, by the rules that curl and others keep.

use std::net::IpAddr;

use url::{Host, Url};

/// Hosts to which no proxy leads.
#[derive(Debug, Clone, Default)]
pub(super) struct Exceptions(Vec<Exception>);

#[derive(Debug, Clone)]
struct Exception {
    whom: Whom,
    /// This one only, if given.
    port: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Whom {
    Everybody,
    /// A name, and all below it.
    Domain(String),
    /// An address, or those that agree in so many leading bits.
    Network(IpAddr, u32),
}

impl Exceptions {
    /// Of a list with commas or spaces. What cannot be read excepts nobody.
    pub(super) fn of(list: &str) -> Self {
        let entries = list.split(|c: char| c == ',' || c.is_whitespace());
        Self(entries.filter_map(exception).collect())
    }

    pub(super) fn contain(&self, url: &Url) -> bool {
        let port = url.port_or_known_default();
        let Some(host) = url.host() else {
            return false;
        };
        self.0
            .iter()
            .filter(|exception| exception.port.is_none() || exception.port == port)
            .any(|exception| exception.whom.is(&host))
    }
}

fn exception(entry: &str) -> Option<Exception> {
    if entry.is_empty() {
        return None;
    }
    if let Some(network) = network(entry) {
        return Some(Exception {
            whom: network,
            port: None,
        });
    }
    let (host, port) = match entry.rsplit_once(':') {
        Some((host, port)) => (host, Some(port.parse().ok()?)),
        None => (entry, None),
    };
    let whom = match network(host) {
        Some(network) => network,
        None if host == "*" => Whom::Everybody,
        None => {
            let name = host.strip_prefix('*').unwrap_or(host);
            Whom::Domain(plain(name.strip_prefix('.').unwrap_or(name)))
        }
    };
    let names_somebody = whom != Whom::Domain(String::new());
    names_somebody.then_some(Exception { whom, port })
}

/// `10.0.0.0/8`, `192.0.2.7`, `[2001:db8::1]`, `fd00::/8`.
fn network(text: &str) -> Option<Whom> {
    let (address, bits) = match text.split_once('/') {
        Some((address, bits)) => (address, Some(bits.parse().ok()?)),
        None => (text, None),
    };
    let bare = address.strip_prefix('[').and_then(|a| a.strip_suffix(']'));
    let address: IpAddr = bare.unwrap_or(address).parse().ok()?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    let bits = bits.unwrap_or(most);
    (bits <= most).then_some(Whom::Network(address, bits))
}

/// Names are compared without case and without the dot of the root.
fn plain(name: &str) -> String {
    name.trim_end_matches('.').to_ascii_lowercase()
}

impl Whom {
    fn is(&self, host: &Host<&str>) -> bool {
        match (self, host) {
            (Self::Everybody, _) => true,
            (Self::Domain(name), Host::Domain(host)) => {
                let host = plain(host);
                let above = host.strip_suffix(name.as_str());
                above.is_some_and(|above| above.is_empty() || above.ends_with('.'))
            }
            (Self::Network(IpAddr::V4(network), bits), Host::Ipv4(host)) => {
                let differ = network.to_bits() ^ host.to_bits();
                differ.leading_zeros() >= *bits
            }
            (Self::Network(IpAddr::V6(network), bits), Host::Ipv6(host)) => {
                let differ = network.to_bits() ^ host.to_bits();
                differ.leading_zeros() >= *bits
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn names_addresses_and_networks_are_excepted_as_curl_has_it() {
        let list = "tool.example, .corp.example *.lab.example,10.1.0.0/16 192.0.2.7,[2001:db8::1],fd00::/8,\
                    other.example:8443,203.0.113.9:81,";
        let exceptions = Exceptions::of(list);
        let is = |url: &str| exceptions.contain(&Url::parse(url).unwrap());
        for excepted in [
            "https://tool.example/",
            "https://TOOL.example.:8443/",
            "http://deep.below.tool.example/",
            "https://corp.example/",
            "https://dtrack.corp.example/",
            "https://a.lab.example/",
            "http://10.1.255.3/",
            "http://192.0.2.7:8080/",
            "https://[2001:db8::1]/",
            "https://[fdab::1]/",
            "https://other.example:8443/",
            "http://203.0.113.9:81/",
        ] {
            assert!(is(excepted), "{excepted}");
        }
        for not in [
            "https://nottool.example/",
            "https://example/",
            "http://10.2.0.1/",
            "http://192.0.2.70/",
            "https://[2001:db8::2]/",
            "https://other.example/",
            "http://203.0.113.9/",
        ] {
            assert!(!is(not), "{not}");
        }
    }

    #[test]
    fn a_star_excepts_all_and_what_cannot_be_read_nobody() {
        let of = |list: &str, url: &str| Exceptions::of(list).contain(&Url::parse(url).unwrap());
        assert!(of("*", "https://tool.example/"));
        assert!(of("*", "https://[::1]/"));
        assert!(of("0.0.0.0/0", "http://192.0.2.1/"));
        for nobody in ["", " , ", ".", "10.0.0.0/33", "tool.example:port"] {
            assert!(!of(nobody, "http://10.0.0.1/"), "{nobody}");
            assert!(!of(nobody, "http://tool.example/"), "{nobody}");
        }
    }
}
