use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::UnknownWord;

/// What is thought of a weakness, in the order most urgent first (so `Open < Resolved`).
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Default,
    Serialize,
    Deserialize,
    utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Nobody has judged it yet, or it was confirmed.
    #[default]
    Open,
    /// Somebody is looking at it.
    InReview,
    /// The tool was wrong.
    FalsePositive,
    /// True, and accepted.
    RiskAccepted,
    /// True elsewhere, but this place is not affected.
    NotAffected,
    /// True, but no matter of security.
    NotSecurity,
    /// Gone: said by the tool, or proven by a complete import without it.
    Resolved,
}

impl Status {
    /// All statuses, most urgent first.
    pub const ALL: [Self; 7] = [
        Self::Open,
        Self::InReview,
        Self::FalsePositive,
        Self::RiskAccepted,
        Self::NotAffected,
        Self::NotSecurity,
        Self::Resolved,
    ];

    /// The word used in JSON and tables.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::InReview => "in_review",
            Self::FalsePositive => "false_positive",
            Self::RiskAccepted => "risk_accepted",
            Self::NotAffected => "not_affected",
            Self::NotSecurity => "not_security",
            Self::Resolved => "resolved",
        }
    }

    /// Rank of urgency: open, then in review, then whatever was judged, then resolved. Judged statuses rank alike.
    #[must_use]
    pub fn urgency(self) -> u8 {
        match self {
            Self::Open => 0,
            Self::InReview => 1,
            Self::FalsePositive | Self::RiskAccepted | Self::NotAffected | Self::NotSecurity => 2,
            Self::Resolved => 3,
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Status {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, UnknownWord> {
        Self::ALL
            .into_iter()
            .find(|status| status.as_str() == word)
            .ok_or_else(|| UnknownWord::new(word, &Self::ALL.map(Self::as_str)))
    }
}
