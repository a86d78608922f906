//! The way to a key through its tables.

use std::fmt;
use std::ops::Deref;

/// `["tools", "dtrack", "timeout"]`, displayed as TOML writes it: `tools.dtrack.timeout`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct KeyPath(Vec<String>);

impl KeyPath {
    pub(super) fn of(keys: &[&str]) -> Self {
        Self(keys.iter().map(ToString::to_string).collect())
    }

    pub(super) fn child(&self, key: &str) -> Self {
        let mut keys = self.0.clone();
        keys.push(key.into());
        Self(keys)
    }

    pub(super) fn parent(&self) -> Option<Self> {
        let (_, parents) = self.0.split_last()?;
        Some(Self(parents.to_vec()))
    }
}

impl Deref for KeyPath {
    type Target = [String];

    fn deref(&self) -> &[String] {
        &self.0
    }
}

impl fmt::Display for KeyPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, key) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(".")?;
            }
            let bare = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
            if !key.is_empty() && key.chars().all(bare) {
                f.write_str(key)?;
            } else {
                // Quoted also so that a line break in a key does not break the line.
                write!(f, "{key:?}")?;
            }
        }
        Ok(())
    }
}
