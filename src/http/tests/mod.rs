#![allow(clippy::unwrap_used)]

mod authority;
mod elements;
mod failures;
mod limits;
mod proxies;
mod requests;
mod server;
mod splitter;
mod tls;
mod uploads;

use std::time::Duration;

use url::Url;

use super::retry::Retries;
use super::shared::Limits;
use super::{Authentication, Client};
use crate::config::{ProxySetting, Secret, Settings, Tool, Trust};

/// What no message may show.
const KEY: &str = "s3cret/key+1";

fn tool(location: &Url) -> Tool {
    Tool {
        name: "tested".to_owned(),
        connector: "some-connector".to_owned(),
        location: location.clone(),
        secret: Some(Secret::new(KEY)),
        trust: Trust::default(),
        proxy: ProxySetting::Direct,
        timeout: Duration::from_secs(20),
        max_requests_per_second: None,
        max_concurrent_requests: 8,
        settings: Settings::default(),
        revision: [0; 8],
    }
}

fn by_key() -> Authentication {
    Authentication {
        headers: vec![("X-Api-Key".to_owned(), Secret::new(KEY))],
        ..Authentication::default()
    }
}

/// The real limits, but with waits of milliseconds.
fn hasty() -> Limits {
    let ms = Duration::from_millis;
    Limits {
        retries: Retries {
            first: ms(1),
            longest: ms(4),
            ..Retries::default()
        },
        ..Limits::default()
    }
}

fn client_of(tool: &Tool) -> Client {
    Client::with_limits(tool, &by_key(), hasty()).unwrap()
}

fn client(location: &Url) -> Client {
    client_of(&tool(location))
}
