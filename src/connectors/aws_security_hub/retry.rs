//! What is sent again, beside what the SDK sends again by itself.

use std::time::Duration;

use aws_sdk_securityhub::config::retry::{ClassifyRetry, RetryAction};
use aws_smithy_runtime_api::client::interceptors::context::InterceptorContext;
use aws_smithy_runtime_api::client::retries::classifiers::RetryClassifierPriority;

use super::wire::Pointless;

/// How often and how patiently.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// Attempts, the first included.
    pub(super) attempts: u32,
    /// Longest first wait; the next are twice as long each, and how much of it is waited is left to chance.
    pub(super) first: Duration,
    /// Longest of these waits.
    pub(super) longest: Duration,
}

impl Default for Patience {
    /// The quota of GetFindings is shared with all who ask in the account and Region, so it pays to be patient.
    fn default() -> Self {
        Self {
            attempts: 8,
            first: Duration::from_secs(1),
            longest: Duration::from_secs(20),
        }
    }
}

/// A 429 without AWS's code for it (a proxy's) is throttling too; and what asks for a long rest is left alone.
#[derive(Debug)]
pub(super) struct Impatience;

impl ClassifyRetry for Impatience {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let Some(response) = context.response() else {
            return RetryAction::NoActionIndicated;
        };
        if response.status().is_success() {
            RetryAction::NoActionIndicated
        } else if response.extension::<Pointless>().is_some() {
            RetryAction::RetryForbidden
        } else if response.status().as_u16() == 429 {
            RetryAction::throttling_error()
        } else {
            RetryAction::NoActionIndicated
        }
    }

    fn name(&self) -> &'static str {
        "Impatience"
    }

    fn priority(&self) -> RetryClassifierPriority {
        RetryClassifierPriority::run_after(RetryClassifierPriority::transient_error_classifier())
    }
}
