//! The one list of destinations.

use std::sync::Arc;

use super::Deliverer;
use crate::config::Config;

/// The names of the destinations of a configuration.
#[must_use]
pub fn destinations(config: &Config) -> Vec<String> {
    let name = |deliverer: &Arc<dyn Deliverer>| deliverer.destination().to_owned();
    deliverers(config).iter().map(name).collect()
}

/// The destinations of a configuration. A new kind is one room and one line here.
#[must_use]
pub fn deliverers(_config: &Config) -> Vec<Arc<dyn Deliverer>> {
    Vec::new()
}
