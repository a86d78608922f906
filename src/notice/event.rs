use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What somebody can be told of, the most urgent first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// The tool took the credentials for wrong, or for too weak.
    CredentialsRefused,
    /// Nothing could be read to its end.
    ImportFailed,
    /// An import would have resolved suspiciously much, and waits for `accept`.
    ImportHeld,
    /// Something was not read to its end.
    ImportPartial,
    /// An API configuration had no complete import for too long.
    NotImported,
    /// An import is complete after one of the above.
    Recovered,
    /// Findings at or above the severity that nobody knew before.
    NewFindings,
}

impl Event {
    /// All events.
    pub const ALL: [Self; 7] = [
        Self::CredentialsRefused,
        Self::ImportFailed,
        Self::ImportHeld,
        Self::ImportPartial,
        Self::NotImported,
        Self::Recovered,
        Self::NewFindings,
    ];

    /// The words that `events` takes. [`Self::Recovered`] is not among them: it is told to whom the trouble was told.
    pub const WORDS: &'static [&'static str] = &[
        "new_findings",
        "import_failed",
        "import_partial",
        "import_held",
        "credentials_refused",
        "not_imported",
    ];

    /// The word used in TOML and JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CredentialsRefused => "credentials_refused",
            Self::ImportFailed => "import_failed",
            Self::ImportHeld => "import_held",
            Self::ImportPartial => "import_partial",
            Self::NotImported => "not_imported",
            Self::Recovered => "recovered",
            Self::NewFindings => "new_findings",
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Event {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|event| event.as_str() == word)
            .ok_or_else(|| format!("unknown event {word:?}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_but_recovered_can_be_asked_for_by_its_word() {
        for event in Event::ALL {
            assert_eq!(event.as_str().parse(), Ok(event));
            let json = serde_json::to_value(event).ok();
            assert_eq!(json, Some(event.as_str().into()));
            assert_eq!(
                Event::WORDS.contains(&event.as_str()),
                event != Event::Recovered
            );
        }
        assert_eq!(Event::WORDS.len(), Event::ALL.len() - 1);
    }
}
