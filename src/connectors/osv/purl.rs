//! Package URLs as SBOM generators write them, and as they are sent.
//!
//! Not with the crate that reads them for fingerprints: it refuses what a type's rules forbid, and puts names of npm packages
//! and Go modules in lower case, while OSV tells `JSONStream` from `jsonstream` and would silently find nothing.

use std::collections::BTreeMap;

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

/// What is encoded in a segment; the same set as in other tools, so that equal packages are spelled equally.
const SEGMENT: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'`')
    .add(b'?')
    .add(b'{')
    .add(b'}')
    .add(b';')
    .add(b'=')
    .add(b'+')
    .add(b'@')
    .add(b'\\')
    .add(b'[')
    .add(b']')
    .add(b'^')
    .add(b'|')
    .add(b'/');

const QUALIFIER: &AsciiSet = &SEGMENT.add(b'&').add(b',');

/// A package URL, decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Purl {
    /// In lower case.
    pub(super) ty: String,
    /// Segments joined by `/`.
    pub(super) namespace: Option<String>,
    pub(super) name: String,
    pub(super) version: Option<String>,
    pub(super) qualifiers: BTreeMap<String, String>,
    pub(super) subpath: Option<String>,
}

impl Purl {
    /// Reads what generators write, also where a `/` or `@` is encoded that should not be or the other way round. The version is
    /// decoded once.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let rest = text.trim();
        let scheme = rest.get(..4)?;
        if !scheme.eq_ignore_ascii_case("pkg:") {
            return None;
        }
        let rest = rest[4..].trim_start_matches('/');
        let (rest, subpath) = cut_last(rest, '#');
        let (rest, qualifiers) = cut_last(rest, '?');
        let (ty, rest) = rest.split_once('/')?;
        let (path, version) = match rest.rfind('@') {
            // At the beginning of a segment it belongs to a scope that should have been encoded.
            Some(at) if at > 0 && !rest[..at].ends_with('/') && !rest[at..].contains('/') => {
                (&rest[..at], Some(&rest[at + 1..]))
            }
            _ => (rest, None),
        };
        let path = decoded(path)?;
        let mut segments: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        let name = segments.pop()?.to_owned();
        let ty = ty.to_ascii_lowercase();
        let is_type = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '+' | '-');
        if ty.is_empty() || !ty.chars().all(is_type) {
            return None;
        }
        let version = match version {
            Some(version) => not_empty(decoded(version)?),
            None => None,
        };
        let name = match ty.as_str() {
            "pypi" => name.to_lowercase().replace('_', "-"),
            _ => name,
        };
        Some(Self {
            name,
            namespace: not_empty(segments.join("/")),
            version,
            qualifiers: qualifiers.map(self::qualifiers).unwrap_or_default(),
            subpath: subpath
                .and_then(decoded)
                .and_then(|path| not_empty(path.trim_matches('/').to_owned())),
            ty,
        })
    }

    pub(super) fn qualifier(&self, key: &str) -> Option<&str> {
        self.qualifiers.get(key).map(String::as_str)
    }

    /// Written anew, properly encoded, with these of its qualifiers, and this version.
    pub(super) fn write(&self, version: Option<&str>, keep: impl Fn(&str) -> bool) -> String {
        let mut text = format!("pkg:{}", self.ty);
        for segment in self
            .namespace
            .iter()
            .flat_map(|n| n.split('/'))
            .chain([self.name.as_str()])
        {
            text.push('/');
            text.extend(utf8_percent_encode(segment, SEGMENT));
        }
        if let Some(version) = version {
            text.push('@');
            text.extend(utf8_percent_encode(version, SEGMENT));
        }
        let kept = self.qualifiers.iter().filter(|(key, _)| keep(key));
        for (separator, (key, value)) in ["?"].into_iter().chain(std::iter::repeat("&")).zip(kept) {
            text.push_str(separator);
            text.push_str(key);
            text.push('=');
            text.extend(utf8_percent_encode(value, QUALIFIER));
        }
        for (separator, segment) in ["#"]
            .into_iter()
            .chain(std::iter::repeat("/"))
            .zip(self.subpath.iter().flat_map(|path| path.split('/')))
        {
            text.push_str(separator);
            text.extend(utf8_percent_encode(segment, SEGMENT));
        }
        text
    }
}

fn cut_last(text: &str, separator: char) -> (&str, Option<&str>) {
    match text.rsplit_once(separator) {
        Some((rest, tail)) => (rest, Some(tail)),
        None => (text, None),
    }
}

fn decoded(text: &str) -> Option<String> {
    let text = percent_decode_str(text).decode_utf8().ok()?;
    Some(text.into_owned())
}

fn not_empty(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

fn qualifiers(text: &str) -> BTreeMap<String, String> {
    let pairs = text.split('&').filter_map(|pair| {
        let (key, value) = pair.split_once('=')?;
        let is_key = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        let sound = !key.is_empty() && key.chars().all(is_key);
        let value = percent_decode_str(value).decode_utf8().ok()?;
        (sound && !value.is_empty()).then(|| (key.to_ascii_lowercase(), value.into_owned()))
    });
    pairs.collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn canonical(text: &str) -> String {
        let purl = Purl::parse(text).unwrap();
        purl.write(purl.version.as_deref(), |_| true)
    }

    #[test]
    fn what_generators_write_wrongly_encoded_is_sent_rightly_encoded() {
        for (written, sent) in [
            ("pkg:npm/%40babel/core@7.0.0", "pkg:npm/%40babel/core@7.0.0"),
            ("pkg:npm/@babel/core@7.0.0", "pkg:npm/%40babel/core@7.0.0"),
            ("pkg:npm/@babel/core", "pkg:npm/%40babel/core"),
            (
                "pkg:npm/@vitest%2Fmocker@3.2.7",
                "pkg:npm/%40vitest/mocker@3.2.7",
            ),
            (
                "pkg:npm/%40vitest%2Fmocker@3.2.7",
                "pkg:npm/%40vitest/mocker@3.2.7",
            ),
            ("pkg:npm/JSONStream@1.0.0", "pkg:npm/JSONStream@1.0.0"),
            ("PKG://NPM/lodash@4.17.20", "pkg:npm/lodash@4.17.20"),
            (
                "pkg:pypi/Typing_Extensions@4.0",
                "pkg:pypi/typing-extensions@4.0",
            ),
            (
                "pkg:golang/github.com/Masterminds/goutils@v1.1.0#sub/dir",
                "pkg:golang/github.com/Masterminds/goutils@v1.1.0#sub/dir",
            ),
            (
                "pkg:deb/debian/openssl@1%3A3.0.11-1~deb12u1?distro=debian-12&arch=amd64",
                "pkg:deb/debian/openssl@1:3.0.11-1~deb12u1?arch=amd64&distro=debian-12",
            ),
            (
                "pkg:deb/debian/gcc@12.2.0-14+deb12u1",
                "pkg:deb/debian/gcc@12.2.0-14%2Bdeb12u1",
            ),
            (
                "pkg:deb/debian/gcc@12.2.0-14%2Bdeb12u1",
                "pkg:deb/debian/gcc@12.2.0-14%2Bdeb12u1",
            ),
        ] {
            assert_eq!(canonical(written), sent, "{written}");
        }
    }

    #[test]
    fn a_version_is_decoded_exactly_once() {
        let version = |text: &str| Purl::parse(text).unwrap().version;
        assert_eq!(
            version("pkg:deb/debian/a@1%3A2%2B3~4").as_deref(),
            Some("1:2+3~4")
        );
        assert_eq!(
            version("pkg:deb/debian/a@1%252B2").as_deref(),
            Some("1%2B2")
        );
        assert_eq!(version("pkg:npm/a@"), None);
        assert_eq!(version("pkg:npm/a"), None);
    }

    #[test]
    fn qualifiers_are_decoded_and_written_in_order_as_far_as_wanted() {
        let purl =
            Purl::parse("pkg:deb/debian/libssl3@3?upstream=openssl%403.0.11&distro=bookworm&x=")
                .unwrap();
        assert_eq!(purl.qualifier("upstream"), Some("openssl@3.0.11"));
        assert_eq!(purl.qualifier("x"), None);
        assert_eq!(
            purl.write(Some("3"), |key| key == "distro"),
            "pkg:deb/debian/libssl3@3?distro=bookworm"
        );
        assert_eq!(purl.write(None, |_| false), "pkg:deb/debian/libssl3");
    }

    #[test]
    fn what_is_no_package_url_is_none() {
        for text in [
            "",
            "pkg",
            "pkg:",
            "pkg:npm",
            "pkg:npm/",
            "npm/lodash",
            "pkg:/lodash",
            "pkg:n pm/a",
            "http://a/b",
            "pkg:npm/%ff",
        ] {
            assert_eq!(Purl::parse(text), None, "{text}");
        }
    }
}
