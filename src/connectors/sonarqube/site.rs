//! Where the tool is: a server, or an organisation on SonarQube Cloud.

use url::{Host, Url};

use crate::config::Settings;

/// SonarQube Cloud's hosts, and those of the second generation of its API (contract 1).
const CLOUD: &[(&str, &str)] = &[
    ("sonarcloud.io", "api.sonarcloud.io"),
    ("sonarqube.us", "api.sonarqube.us"),
];

/// What people paste along, longest first.
const PASTED: &[&str] = &["/api/v2", "/api"];

/// A server, or an organisation of Cloud.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Flavour {
    Server,
    Cloud { organization: String },
}

/// A tool's place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Site {
    /// Root of the API and of the pages for people.
    pub(super) root: Url,
    /// Root of the second generation of the API, where that has a host of its own.
    pub(super) api: Url,
    pub(super) flavour: Flavour,
}

impl Site {
    /// # Errors
    /// What settings lack or contradict, with the key that it is about.
    pub(super) fn of(location: &Url, settings: &Settings) -> Result<Self, (&'static str, String)> {
        let host = location.host_str().unwrap_or_default();
        let known = CLOUD.iter().find(|(cloud, _)| *cloud == host);
        let organization = organization(settings);
        let flavour = match (settings.text("flavour"), organization, known) {
            (Some("server"), _, Some(_)) => {
                let message =
                    format!("{host} is SonarQube Cloud; take flavour away, and set organization");
                return Err(("flavour", message));
            }
            (Some("server"), Some(_), None) => {
                let message =
                    "servers have no organizations; take it, or flavour = \"server\", away";
                return Err(("organization", message.to_owned()));
            }
            (Some("server"), None, None) => Flavour::Server,
            (_, Some(organization), _) => Flavour::Cloud {
                organization: organization.to_owned(),
            },
            (Some("cloud"), None, _) | (_, None, Some(_)) => {
                let message = format!(
                    "is missing; SonarQube Cloud ({host}) needs the key of the organization, as in the address of its page"
                );
                return Err(("organization", message));
            }
            (_, None, None) => Flavour::Server,
        };
        let mut root = location.clone();
        let path = location.path().trim_end_matches('/');
        let pasted = PASTED.iter().find_map(|tail| path.strip_suffix(tail));
        match known {
            // Whatever follows was pasted along from the browser.
            Some(_) => root.set_path("/"),
            None => root.set_path(&format!("{}/", pasted.unwrap_or(path))),
        }
        let api = match (settings.text("api_location"), known) {
            (Some(configured), _) => {
                parse_api(configured).map_err(|reason| ("api_location", reason))?
            }
            (None, Some((_, api))) => {
                let mut url = root.clone();
                url.set_host(Some(api))
                    .map_err(|error| ("location", format!("{api}: {error}")))?;
                url
            }
            (None, None) => root.clone(),
        };
        Ok(Self { root, api, flavour })
    }

    pub(super) fn organization(&self) -> Option<&str> {
        match &self.flavour {
            Flavour::Server => None,
            Flavour::Cloud { organization } => Some(organization),
        }
    }

    /// Path of dependency risks below [`Self::api`].
    pub(super) fn risks_path(&self) -> &'static str {
        match self.flavour {
            Flavour::Server => "/api/v2/sca/issues-releases",
            Flavour::Cloud { .. } => "/sca/issues-releases",
        }
    }
}

fn organization(settings: &Settings) -> Option<&str> {
    let organization = settings.text("organization").map(str::trim);
    organization.filter(|organization| !organization.is_empty())
}

/// The setting `api_location`, to which the token is sent.
///
/// # Errors
/// What is wrong with it.
fn parse_api(text: &str) -> Result<Url, String> {
    let mut url = Url::parse(text.trim()).map_err(|error| format!("is no URL ({error})"))?;
    if url.host().is_none() || !url.username().is_empty() || url.password().is_some() {
        return Err("must be a URL with a host, without user name and password".to_owned());
    }
    match url.scheme() {
        "https" => {}
        "http" if is_loopback(&url) => {}
        _ => return Err("must be an https:// URL, because the token is sent there".to_owned()),
    }
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(&format!("{path}/"));
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
    use crate::config::Value;

    fn site(
        location: &str,
        pairs: &[(&'static str, &str)],
    ) -> Result<Site, (&'static str, String)> {
        let mut settings = Settings::default();
        for (key, value) in pairs {
            settings.insert(key, Value::Text((*value).to_owned()));
        }
        Site::of(&location.parse().unwrap(), &settings)
    }

    #[test]
    fn what_people_paste_along_is_taken_off_and_a_context_path_is_kept() {
        for (location, root) in [
            ("https://sonar.example", "https://sonar.example/"),
            ("https://sonar.example/", "https://sonar.example/"),
            ("https://sonar.example/api", "https://sonar.example/"),
            ("https://sonar.example/api/", "https://sonar.example/"),
            ("https://sonar.example/api/v2", "https://sonar.example/"),
            ("https://host.example/sonar/", "https://host.example/sonar/"),
            (
                "https://host.example/sonar/api",
                "https://host.example/sonar/",
            ),
            (
                "https://host.example/my-api",
                "https://host.example/my-api/",
            ),
        ] {
            let site = site(location, &[]).unwrap();
            assert_eq!(site.root.as_str(), root, "{location}");
            assert_eq!(site.api, site.root);
            assert_eq!(site.flavour, Flavour::Server);
        }
    }

    #[test]
    fn an_organization_makes_it_cloud_which_has_a_second_host() {
        let acme = [("organization", "acme"), ("flavour", "auto")];
        for (cloud, api) in CLOUD {
            let site = site(&format!("https://{cloud}/projects"), &acme).unwrap();
            assert_eq!(site.root.as_str(), format!("https://{cloud}/"));
            assert_eq!(site.api.as_str(), format!("https://{api}/"));
            assert_eq!(site.organization(), Some("acme"));
        }
        let site = site("https://gate.example/sonar", &acme).unwrap();
        assert_eq!(site.api.as_str(), "https://gate.example/sonar/");
        assert_eq!(site.risks_path(), "/sca/issues-releases");
    }

    #[test]
    fn cloud_needs_an_organization_and_a_server_has_none() {
        for (location, pairs, key) in [
            ("https://sonarcloud.io", &[] as &[_], "organization"),
            (
                "https://sonarqube.us",
                &[("organization", " ")],
                "organization",
            ),
            (
                "https://gate.example",
                &[("flavour", "cloud")],
                "organization",
            ),
            (
                "https://gate.example",
                &[("flavour", "server"), ("organization", "acme")],
                "organization",
            ),
            ("https://sonarcloud.io", &[("flavour", "server")], "flavour"),
            (
                "https://gate.example",
                &[("api_location", "http://api.example")],
                "api_location",
            ),
        ] {
            let (about, message) = site(location, pairs).unwrap_err();
            assert_eq!(about, key, "{location} {message}");
        }
    }

    #[test]
    fn the_token_goes_by_https_only() {
        assert!(parse_api("http://api.example").is_err());
        assert!(parse_api("api.example").is_err());
        assert!(parse_api("https://me:pw@api.example").is_err());
        assert_eq!(
            parse_api("http://127.0.0.1:99/x?y#z").unwrap().as_str(),
            "http://127.0.0.1:99/x/"
        );
    }
}
