//! Messages and those who get them, on loopback.

#![allow(clippy::unwrap_used)]

mod deliveries;
mod mail;
mod news;
mod posts;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::config::{Config, Notification, load_texts};
use crate::connectors::specs;
use crate::notice::Notice;

/// A configuration with an API configuration `shop` and one notification `n` with these keys.
fn config(keys: &str) -> Config {
    let text = format!(
        "[tools.dtrack]\nconnector = 'dependency-track'\nlocation = 'http://127.0.0.1:9'\nsecret = 'key'\n\
         [api_configurations.shop]\ntool = 'dtrack'\nproduct = 'Shop'\n[notifications.n]\n{keys}\n"
    );
    let connectors: Vec<_> = specs().collect();
    let loaded = load_texts(&[("secpull.toml", &text)], &BTreeMap::new(), &connectors);
    loaded.unwrap().config
}

/// The notification of [`config`].
fn notification(keys: &str) -> Arc<Notification> {
    Arc::clone(&config(keys).notifications["n"])
}

/// A notice of a failed import with hostile words.
fn notice() -> Notice {
    let notice = serde_json::json!({
        "id": "0123456789abcdef0123456789abcdef",
        "events": ["import_failed"],
        "at": "2026-11-27T02:01:10Z",
        "api_configuration": "shop",
        "connector": "dependency-track",
        "product": "Shop",
        "run": null,
        "error": "<!channel> [x](http://evil) ünd & more",
        "action": null,
        "new_findings": null,
        "recovered": null,
        "not_imported": null,
    });
    serde_json::from_value(notice).unwrap()
}
