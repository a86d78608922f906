//! What an issue is known by from scan to scan. Serial numbers are of one scan only.

use sha2::{Digest, Sha256};

/// Marks an id that was made here because the server gave no fingerprint.
const MADE: &str = "h:";

/// The fields that an identity is made from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Traits<'a> {
    pub(super) fingerprint: Option<&'a str>,
    pub(super) type_index: Option<&'a str>,
    pub(super) type_name: Option<&'a str>,
    pub(super) origin: &'a str,
    pub(super) path: &'a str,
}

/// An issue's identity within its site: the vendor's fingerprint, else a hash over what it is and where. The name counts,
/// because all issues of extensions share one type.
pub(super) fn key(traits: Traits<'_>) -> String {
    if let Some(fingerprint) = traits.fingerprint.filter(|text| !text.trim().is_empty()) {
        return fingerprint.to_owned();
    }
    let text = [
        traits.type_index.unwrap_or_default(),
        traits.type_name.unwrap_or_default(),
        traits.origin,
        traits.path,
    ]
    .join("\n");
    let hash = Sha256::digest(text.as_bytes());
    let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{MADE}{hex}")
}

/// Whether several issues of this key are one finding; issues of one fingerprint are not.
pub(super) fn merges(key: &str) -> bool {
    key.starts_with(MADE)
}

/// The finding's id; `place` counts the issues of one fingerprint from 0.
pub(super) fn source_id(site: &str, key: &str, place: usize) -> String {
    match place {
        0 => format!("{site}/{key}"),
        _ => format!("{site}/{key}#{}", place + 1),
    }
}

/// A short hash, to remember many texts by.
pub(super) fn short(text: &str) -> u64 {
    let hash = blake3::hash(text.as_bytes());
    let mut short = [0; 8];
    short.copy_from_slice(&hash.as_bytes()[..8]);
    u64::from_le_bytes(short)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRAITS: Traits<'_> = Traits {
        fingerprint: None,
        type_index: Some("134217728"),
        type_name: Some("Secret in page"),
        origin: "https://shop.example.com",
        path: "/a",
    };

    #[test]
    fn the_vendors_fingerprint_is_taken_as_it_is() {
        let traits = Traits {
            fingerprint: Some("9f1c"),
            ..TRAITS
        };
        assert_eq!(key(traits), "9f1c");
        assert_eq!(source_id("11", "9f1c", 0), "11/9f1c");
        assert_eq!(source_id("11", "9f1c", 1), "11/9f1c#2");
        assert!(!merges("9f1c"));
    }

    #[test]
    fn without_a_fingerprint_type_name_and_place_make_the_identity() {
        let made = key(TRAITS);
        // printf '134217728\nSecret in page\nhttps://shop.example.com\n/a' | sha256sum
        assert_eq!(
            made,
            "h:1661a83e653e435ef86134376c1a99a2dbffeeb2e08ec66a58f3828b6a55a8ff"
        );
        assert!(merges(&made));
        let blank = Traits {
            fingerprint: Some(" "),
            ..TRAITS
        };
        assert_eq!(key(blank), made);
        for other in [
            Traits {
                type_name: Some("Other"),
                ..TRAITS
            },
            Traits {
                origin: "http://shop.example.com",
                ..TRAITS
            },
            Traits {
                path: "/b",
                ..TRAITS
            },
            Traits {
                type_index: None,
                ..TRAITS
            },
        ] {
            assert_ne!(key(other), made);
        }
    }
}
