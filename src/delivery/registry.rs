//! The one list of destinations.

use std::sync::Arc;

use super::defectdojo::{self, DefectDojo};
use super::{Deliverer, notify};
use crate::config::{Config, Forward};

/// The names of the destinations of a configuration.
#[must_use]
pub fn destinations(config: &Config) -> Vec<String> {
    let name = |deliverer: &Arc<dyn Deliverer>| deliverer.destination().to_owned();
    deliverers(config).iter().map(name).collect()
}

/// The destinations of a configuration. A new kind is one room and one line here.
#[must_use]
pub fn deliverers(config: &Config) -> Vec<Arc<dyn Deliverer>> {
    config
        .forwards
        .values()
        .filter_map(|forward| self::forward(config, forward))
        .chain(notify::notifiers(config))
        .collect()
}

fn forward(config: &Config, forward: &Arc<Forward>) -> Option<Arc<dyn Deliverer>> {
    let tool = config.tools.get(&forward.tool)?;
    match tool.connector.as_str() {
        defectdojo::CONNECTOR => Some(Arc::new(DefectDojo::new(Arc::clone(forward), tool))),
        // The configuration takes no other for a receiver.
        _ => None,
    }
}
