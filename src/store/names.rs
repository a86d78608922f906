//! The names that vulnerabilities are searched for by.

use std::collections::HashSet;

use crate::finding::Content;

/// A vulnerability's name as it is searched for.
pub(super) fn search_name(name: &str) -> String {
    name.trim().to_ascii_uppercase()
}

/// A vulnerability's names besides the canonical one, each with a hash over both.
pub(super) fn other_names(content: &Content, canonical: Option<&str>) -> Vec<(String, [u8; 16])> {
    let Some(canonical) = canonical else {
        return Vec::new();
    };
    content
        .vulnerability_id
        .iter()
        .chain(&content.aliases)
        .map(|name| search_name(name))
        .filter(|name| !name.is_empty() && name != canonical)
        .map(|name| {
            let pair = hash_pair(&name, canonical);
            (name, pair)
        })
        .collect()
}

fn hash_pair(name: &str, canonical: &str) -> [u8; 16] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(name.as_bytes());
    hasher.update(&[0]);
    hasher.update(canonical.as_bytes());
    let mut short = [0; 16];
    short.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    short
}

/// Names of vulnerabilities that are known to be stored, so that the same ones are not written with every finding.
#[derive(Debug, Default)]
pub(super) struct KnownNames(HashSet<[u8; 16]>);

impl KnownNames {
    /// A few MiB at most.
    const MOST: usize = 50_000;

    pub(super) fn contains(&self, name: &[u8; 16]) -> bool {
        self.0.contains(name)
    }

    /// To be called after the commit only.
    pub(super) fn remember(&mut self, names: Vec<[u8; 16]>) {
        if self.0.len() + names.len() > Self::MOST {
            self.0 = HashSet::new();
        }
        self.0.extend(names.into_iter().take(Self::MOST));
    }
}
