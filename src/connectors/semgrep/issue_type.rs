//! What Semgrep finds.

use std::fmt;

/// A sort of findings. Each is asked for by itself, and is complete or not by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum IssueType {
    /// Code, by Semgrep's rules.
    Sast,
    /// Packages.
    Sca,
    /// Code, by a language model.
    AiSast,
    /// Credentials in code; another endpoint, with other names for everything.
    Secrets,
}

/// All words of the setting `issue_types`.
pub(super) const WORDS: &[&str] = &["sast", "sca", "secrets", "ai_sast"];

/// What is read where the setting is left out.
pub(super) const DEFAULT: &[&str] = &["sast", "sca", "secrets"];

impl IssueType {
    const ALL: [Self; 4] = [Self::Sast, Self::Sca, Self::Secrets, Self::AiSast];

    /// The vendor's word, which is that of the setting too.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Sast => "sast",
            Self::Sca => "sca",
            Self::AiSast => "ai_sast",
            Self::Secrets => "secrets",
        }
    }

    /// Those that are named, each once.
    pub(super) fn named(words: &[String]) -> Vec<Self> {
        let named = |one: &Self| words.iter().any(|word| word == one.word());
        Self::ALL.into_iter().filter(named).collect()
    }
}

impl fmt::Display for IssueType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_of_the_setting_names_one_type() {
        let words: Vec<_> = WORDS.iter().map(|word| (*word).to_owned()).collect();
        assert_eq!(IssueType::named(&words), IssueType::ALL);
        let twice = ["sca", "sast", "sca"].map(str::to_owned);
        assert_eq!(
            IssueType::named(&twice),
            [IssueType::Sast, IssueType::Sca],
            "each once, in one order"
        );
    }
}
