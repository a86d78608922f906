//! Where a tenant is, and who gives out its tokens.

use url::{Host, Url};

/// Hosts of the API and of the tokens, by region (contract 1). The API key goes to the second and nowhere else.
const REGIONS: &[(&str, &str)] = &[
    ("ast.checkmarx.net", "iam.checkmarx.net"),
    ("us.ast.checkmarx.net", "us.iam.checkmarx.net"),
    ("eu.ast.checkmarx.net", "eu.iam.checkmarx.net"),
    ("eu-2.ast.checkmarx.net", "eu-2.iam.checkmarx.net"),
    ("deu.ast.checkmarx.net", "deu.iam.checkmarx.net"),
    ("anz.ast.checkmarx.net", "anz.iam.checkmarx.net"),
    ("ind.ast.checkmarx.net", "ind.iam.checkmarx.net"),
    ("ind-2.ast.checkmarx.net", "ind-2.iam.checkmarx.net"),
    ("sng.ast.checkmarx.net", "sng.iam.checkmarx.net"),
    ("mea.ast.checkmarx.net", "mea.iam.checkmarx.net"),
    ("gov-il.ast.checkmarx.net", "gov-il.iam.checkmarx.net"),
];

/// Single tenants give out their tokens themselves.
const SINGLE_TENANT: &str = ".cxone.cloud";

/// The two hosts of a tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hosts {
    /// Root of the API and of the pages for people, ending in a slash.
    pub(super) api: Url,
    /// Root of the identity service.
    pub(super) iam: Url,
}

impl Hosts {
    /// # Errors
    /// The identity service is not known for this location, and not configured.
    pub(super) fn of(location: &Url, iam_location: Option<&str>) -> Result<Self, String> {
        let host = location.host_str().unwrap_or_default();
        let known = REGIONS.iter().find(|(api, _)| *api == host);
        let single = host.ends_with(SINGLE_TENANT);
        let mut api = location.clone();
        if known.is_some() || single {
            // Whatever follows was pasted along from the browser.
            api.set_path("/");
        } else {
            let path = location.path().trim_end_matches('/');
            let path = path.strip_suffix("/api").unwrap_or(path);
            api.set_path(&format!("{path}/"));
        }
        let iam = match (iam_location, known) {
            (Some(configured), _) => parse_iam(configured)?,
            (None, Some((_, iam))) => root(iam)?,
            (None, None) if single => root(host)?,
            (None, None) => {
                return Err(format!(
                    "{host} is no host of Checkmarx One that secpull knows, so it does not know either where the API key may be sent; \
                     correct `location`, or set `iam_location`{}",
                    likely(host)
                ));
            }
        };
        Ok(Self { api, iam })
    }
}

fn root(host: &str) -> Result<Url, String> {
    Url::parse(&format!("https://{host}/")).map_err(|error| format!("{host}: {error}"))
}

/// By the rule that all hosts so far obey.
fn likely(host: &str) -> String {
    match host.strip_suffix("ast.checkmarx.net") {
        Some(region) if region.is_empty() || region.ends_with('.') => {
            format!(", probably to https://{region}iam.checkmarx.net")
        }
        _ => String::new(),
    }
}

/// The setting `iam_location`; what follows the host was pasted along from a realm's URL.
///
/// # Errors
/// What is wrong with it.
pub(super) fn parse_iam(text: &str) -> Result<Url, String> {
    let mut url = Url::parse(text.trim()).map_err(|error| format!("is no URL ({error})"))?;
    if url.host().is_none() || !url.username().is_empty() || url.password().is_some() {
        return Err("must be a URL with a host, without user name and password".to_owned());
    }
    match url.scheme() {
        "https" => {}
        "http" if is_loopback(&url) => {}
        _ => return Err("must be an https:// URL, because the API key is sent there".to_owned()),
    }
    let prefix = url.path().split("/auth").next().unwrap_or_default();
    let prefix = format!("{}/", prefix.trim_end_matches('/'));
    url.set_path(&prefix);
    url.set_query(None);
    url.set_fragment(None);
    Ok(url)
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn hosts(location: &str, iam: Option<&str>) -> Result<(String, String), String> {
        let hosts = Hosts::of(&location.parse().unwrap(), iam)?;
        Ok((hosts.api.to_string(), hosts.iam.to_string()))
    }

    #[test]
    fn each_region_has_its_own_identity_service() {
        for (api, iam) in REGIONS {
            assert_eq!(api.replace("ast.", "iam."), *iam);
            let expected = (format!("https://{api}/"), format!("https://{iam}/"));
            for pasted in ["", "/", "/projects/1/overview", "/api"] {
                let found = hosts(&format!("https://{api}{pasted}"), None).unwrap();
                assert_eq!(found, expected);
            }
        }
        let found = hosts("https://acme.cxone.cloud/projects", None).unwrap();
        assert_eq!(found.1, "https://acme.cxone.cloud/");
    }

    #[test]
    fn a_key_is_sent_to_no_host_that_is_neither_known_nor_configured() {
        for location in [
            "https://eu.ast.checkmarx.net.example.com",
            "https://checkmarx.example.com",
            "https://evilast.checkmarx.net",
            "https://cxone.cloud.example.com",
        ] {
            let refused = hosts(location, None).unwrap_err();
            assert!(refused.contains("iam_location"), "{refused}");
        }
        let refused = hosts("https://us-9.ast.checkmarx.net", None).unwrap_err();
        assert!(
            refused.contains("https://us-9.iam.checkmarx.net"),
            "{refused}"
        );
    }

    #[test]
    fn a_configured_identity_service_wins() {
        let found = hosts(
            "https://gate.example.com/cx/api/",
            Some("https://iam.example.com/auth/realms/acme"),
        );
        assert_eq!(
            found.unwrap(),
            (
                "https://gate.example.com/cx/".to_owned(),
                "https://iam.example.com/".to_owned()
            )
        );
        assert!(parse_iam("http://iam.example.com").is_err());
        assert!(parse_iam("http://127.0.0.1:99").is_ok());
        assert!(parse_iam("https://me:pw@iam.example.com").is_err());
        assert!(parse_iam("iam.example.com").is_err());
    }
}
