use std::sync::Arc;

use reqwest::Proxy;

use super::cause;
use super::redirect;
use super::shared::{Limits, Redirects};
use super::way::Ways;
use crate::config::Tool;
use crate::tls::{Authorities, client_config};

/// The tool's own connection pool, with its trust and its ways out.
///
/// # Errors
/// What is not usable.
pub(super) fn connections(
    tool: &Tool,
    ways: &Arc<Ways>,
    limits: &Limits,
) -> Result<reqwest::Client, String> {
    let redirects = match limits.redirects {
        Redirects::SameOrigin => redirect::same_origin(),
        Redirects::None => reqwest::redirect::Policy::none(),
    };
    let tls = client_config(&tool.trust, authorities(tool, ways))
        .map_err(|error| format!("its TLS cannot be set up: {error}"))?;
    let ways = Arc::clone(ways);
    let proxies = Proxy::custom(move |url| ways.to(url).map(|hop| hop.url().clone()));
    reqwest::Client::builder()
        .user_agent(concat!("secpull/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(limits.connect)
        .redirect(redirects)
        .referer(false)
        // One connection for each request under way: on a shared HTTP/2 connection an answer that an import is slow to read
        // uses up the window of all others.
        .http1_only()
        .tls_backend_preconfigured(tls)
        // The environment is read by `Ways`, which refuses what it cannot use; reqwest would go directly.
        .no_proxy()
        .proxy(proxies)
        .build()
        .map_err(|error| format!("no client can be made: {}", cause::of_setup(&error)))
}

/// Without TLS on the way, a system without CA certificates will do.
fn authorities(tool: &Tool, ways: &Ways) -> Authorities {
    let by_tls = tool.location.scheme() == "https" || ways.hops().any(|hop| hop.is_by_tls());
    if by_tls {
        Authorities::Systems
    } else {
        Authorities::NotNeeded
    }
}
