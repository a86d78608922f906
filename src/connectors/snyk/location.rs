//! Where the REST API is, whatever of it was written down.

use url::Url;

/// Hosts of the web pages, by region, and those of the API that belong to them (contract 1).
const WEB_HOSTS: &[(&str, &str)] = &[
    ("snyk.io", "api.snyk.io"),
    ("app.snyk.io", "api.snyk.io"),
    ("app.us.snyk.io", "api.us.snyk.io"),
    ("app.eu.snyk.io", "api.eu.snyk.io"),
    ("app.au.snyk.io", "api.au.snyk.io"),
    ("app.snykgov.io", "api.snykgov.io"),
];

/// The last segment of the REST API's root.
const REST: &str = "/rest";

/// The root of the REST API, without a trailing slash: `https://api.snyk.io/rest`. What follows `/rest` was pasted along; what
/// stands before it is the prefix of a proxy.
///
/// # Errors
/// It is the address of the old API, or of the web pages; with the right one.
pub(super) fn rest(location: &Url) -> Result<Url, String> {
    let mut root = location.clone();
    root.set_query(None);
    root.set_fragment(None);
    let path = location.path().trim_end_matches('/').to_owned();
    let host = location.host_str().unwrap_or_default();
    let api_host = WEB_HOSTS
        .iter()
        .find(|(web, _)| *web == host)
        .map(|(_, api)| *api);
    if let Some(prefix) = old_api(&path) {
        let right = advised(&root, api_host, prefix);
        return Err(format!(
            "{location} is Snyk's old API, which is not used; set location = \"{right}\""
        ));
    }
    if api_host.is_some() {
        let right = advised(&root, api_host, "");
        return Err(format!(
            "{location} is Snyk's web pages, not its API; set location = \"{right}\""
        ));
    }
    root.set_path(&format!("{}{REST}", prefix(&path)));
    Ok(root)
}

/// What stands before `/rest`, or all of it.
fn prefix(path: &str) -> &str {
    let rest = path
        .match_indices(REST)
        .find(|(at, _)| matches!(path.as_bytes().get(at + REST.len()), None | Some(b'/')));
    rest.map_or(path, |(at, _)| &path[..at])
}

/// What stands before `/v1` or `/api/v1` at the end of a path.
fn old_api(path: &str) -> Option<&str> {
    let prefix = path.strip_suffix("/v1")?;
    Some(prefix.strip_suffix("/api").unwrap_or(prefix))
}

fn advised(location: &Url, api_host: Option<&str>, prefix: &str) -> Url {
    let mut right = location.clone();
    if let Some(host) = api_host {
        // Hosts of the table can be set, or the advice is the address as it was.
        let _ = right.set_host(Some(host));
    }
    right.set_path(&format!("{prefix}{REST}"));
    right
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn of(location: &str) -> Result<String, String> {
        rest(&location.parse().unwrap()).map(String::from)
    }

    #[test]
    fn the_root_is_found_with_and_without_rest_and_a_trailing_slash() {
        for host in [
            "api.snyk.io",
            "api.us.snyk.io",
            "api.eu.snyk.io",
            "api.au.snyk.io",
            "api.acme.snyk.example",
        ] {
            for written in [
                "",
                "/",
                "/rest",
                "/rest/",
                "/rest/orgs",
                "/rest?version=1#x",
            ] {
                assert_eq!(
                    of(&format!("https://{host}{written}")).unwrap(),
                    format!("https://{host}/rest"),
                    "{written}"
                );
            }
        }
        assert_eq!(
            of("https://proxy.example.com:8443/snyk/rest/").unwrap(),
            "https://proxy.example.com:8443/snyk/rest"
        );
        assert_eq!(
            of("https://proxy.example.com/restful").unwrap(),
            "https://proxy.example.com/restful/rest"
        );
    }

    #[test]
    fn the_old_api_is_refused_and_the_right_address_named() {
        for (written, right) in [
            ("https://api.snyk.io/v1", "https://api.snyk.io/rest"),
            ("https://api.eu.snyk.io/v1/", "https://api.eu.snyk.io/rest"),
            ("https://snyk.io/api/v1", "https://api.snyk.io/rest"),
            (
                "https://app.au.snyk.io/api/v1",
                "https://api.au.snyk.io/rest",
            ),
            (
                "https://proxy.example.com/snyk/v1",
                "https://proxy.example.com/snyk/rest",
            ),
        ] {
            let refused = of(written).unwrap_err();
            assert!(refused.contains(&format!("\"{right}\"")), "{refused}");
            assert!(refused.contains("old API"), "{refused}");
        }
    }

    #[test]
    fn the_web_pages_are_refused_and_the_right_address_named() {
        for (written, right) in [
            (
                "https://app.eu.snyk.io/org/acme",
                "https://api.eu.snyk.io/rest",
            ),
            ("https://app.snyk.io", "https://api.snyk.io/rest"),
        ] {
            let refused = of(written).unwrap_err();
            assert!(refused.contains(&format!("\"{right}\"")), "{refused}");
        }
    }
}
