use reqwest::{Certificate, ClientBuilder, Identity, Proxy};

use super::cause;
use super::redact::proxy_variable;
use super::redirect;
use super::shared::{Limits, Redirects};
use crate::config::{ProxySetting, Tool, Trust};

/// The tool's own connection pool, with its trust and its way out.
///
/// # Errors
/// What is not usable.
pub(super) fn connections(tool: &Tool, limits: &Limits) -> Result<reqwest::Client, String> {
    let redirects = match limits.redirects {
        Redirects::SameOrigin => redirect::same_origin(),
        Redirects::None => reqwest::redirect::Policy::none(),
    };
    let builder = reqwest::Client::builder()
        .user_agent(concat!("secpull/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(limits.connect)
        .redirect(redirects)
        .referer(false)
        // One connection for each request under way: on a shared HTTP/2 connection an answer that an import is slow to read
        // uses up the window of all others.
        .http1_only();
    let builder = with_trust(builder, tool)?;
    let builder = match &tool.proxy {
        ProxySetting::Environment => builder,
        ProxySetting::Direct => builder.no_proxy(),
        ProxySetting::Through(url) => {
            let proxy = Proxy::all(url.as_str())
                .map_err(|error| format!("proxy: {}", cause::of_setup(&error)))?;
            builder.proxy(proxy)
        }
    };
    builder.build().map_err(|error| {
        let reason = cause::of_setup(&error);
        format!("its TLS cannot be set up: {reason}; check ca_bundle, client_certificate and client_key, and that the system has CA certificates")
    })
}

fn with_trust(builder: ClientBuilder, tool: &Tool) -> Result<ClientBuilder, String> {
    let Trust {
        ca_bundle,
        ca_bundle_only,
        accept_invalid,
        client_identity,
    } = &tool.trust;
    let certificates = match ca_bundle {
        Some(pem) => certificates(pem)?,
        None => Vec::new(),
    };
    let builder = if *accept_invalid {
        builder.tls_danger_accept_invalid_certs(true)
    } else if *ca_bundle_only {
        if certificates.is_empty() {
            return Err("ca_bundle_only is set, but there is no ca_bundle".to_owned());
        }
        builder.tls_certs_only(certificates)
    } else if needs_system_trust(tool) {
        builder.tls_certs_merge(certificates)
    } else {
        // Without TLS a system without CA certificates will do.
        builder.tls_certs_only(certificates)
    };
    match client_identity {
        None => Ok(builder),
        Some(pem) => Identity::from_pem(pem)
            .map(|identity| builder.identity(identity))
            .map_err(|error| {
                let reason = cause::of_setup(&error);
                format!("client_certificate and client_key are not usable PEM: {reason}")
            }),
    }
}

/// Text without certificates is no error to reqwest, but to whoever wrote the path.
fn certificates(pem: &[u8]) -> Result<Vec<Certificate>, String> {
    let certificates = Certificate::from_pem_bundle(pem)
        .map_err(|error| format!("ca_bundle is not readable PEM: {}", cause::of_setup(&error)))?;
    if certificates.is_empty() {
        return Err("ca_bundle holds no certificate (-----BEGIN CERTIFICATE-----)".to_owned());
    }
    Ok(certificates)
}

fn needs_system_trust(tool: &Tool) -> bool {
    let scheme = tool.location.scheme();
    let proxy_by_tls = match &tool.proxy {
        ProxySetting::Direct => false,
        ProxySetting::Through(url) => url.scheme() == "https",
        ProxySetting::Environment => {
            proxy_variable(scheme).is_some_and(|(_, value)| value.starts_with("https:"))
        }
    };
    scheme == "https" || proxy_by_tls
}

/// By which way requests go out, for messages: empty, or with a space in front.
pub(super) fn route(tool: &Tool) -> String {
    match &tool.proxy {
        ProxySetting::Direct => String::new(),
        ProxySetting::Through(url) => {
            let host = url.host_str().unwrap_or_default();
            match url.port_or_known_default() {
                Some(port) => format!(" through the proxy {}://{host}:{port}", url.scheme()),
                None => format!(" through the proxy {}://{host}", url.scheme()),
            }
        }
        ProxySetting::Environment => match proxy_variable(tool.location.scheme()) {
            Some((name, _)) => format!(" ({name} names a proxy)"),
            None => String::new(),
        },
    }
}
