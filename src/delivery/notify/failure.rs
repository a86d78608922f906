use std::time::Duration;

use crate::delivery::Outcome;

/// A receiver that wants to be left alone for longer is tried all the same: what it says may be a mistake.
const LONGEST_REST: Duration = Duration::from_secs(3600);

/// Why a receiver has not got a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    /// In one line, without a secret.
    pub(super) problem: String,
    /// How long the receiver wants to be left alone.
    pub(super) after: Option<Duration>,
    /// It is this message that it does not want; it may take another.
    pub(super) is_of_message: bool,
}

impl Failure {
    /// The receiver takes nothing just now.
    pub(super) fn of_receiver(problem: String) -> Self {
        Self {
            problem,
            after: None,
            is_of_message: false,
        }
    }
}

impl From<Failure> for Outcome {
    fn from(failure: Failure) -> Self {
        let Failure {
            problem,
            after,
            is_of_message,
        } = failure;
        let after = after.map(|after| after.min(LONGEST_REST));
        if is_of_message {
            Self::Later { problem, after }
        } else {
            Self::Unavailable { problem, after }
        }
    }
}
