//! The one list of destinations.

use std::sync::Arc;

use super::Deliverer;
use crate::config::Config;

/// The destinations of a configuration. A new kind is one room and one line here.
#[must_use]
pub fn deliverers(_config: &Config) -> Vec<Arc<dyn Deliverer>> {
    Vec::new()
}
