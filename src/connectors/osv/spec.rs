//! What the connector says of itself, and the settings it takes.

use super::ecosystems;
use crate::config::{ConnectorSpec, Direction, Need, Setting, SettingKind, Settings};

/// The connector's description.
pub(crate) static SPEC: ConnectorSpec = ConnectorSpec {
    name: "osv",
    title: "OSV.dev",
    direction: Direction::Source,
    location_meaning: "the root of OSV.dev's API or of a mirror; left out: https://api.osv.dev",
    default_location: Some("https://api.osv.dev"),
    endpoint_of_region: None,
    secret: Need::Optional,
    secret_meaning: "OSV.dev knows no keys, and whatever is set is never sent",
    permissions: &[
        "none at OSV.dev",
        "on this machine: the service's user must be able to read the SBOM files",
    ],
    record_meaning: "an SBOM file; its id is the file's name",
    source_id_form: "<purl with version, without qualifiers other than distro>|<OSV id>",
    tool_settings: &[],
    api_settings: &[
        Setting {
            key: "sbom",
            kind: SettingKind::Text { default: None },
            required: true,
            meaning: "Absolute path of an SBOM file, or of a folder: all .json files in it, not below it, are read. CycloneDX JSON, or SPDX 2.x JSON, told apart by content.",
        },
        Setting {
            key: "linux_release",
            kind: SettingKind::Text { default: None },
            required: false,
            meaning: "Distribution and release, as OSV names them, of the packages whose purls do not tell theirs: Ubuntu:24.04:LTS, Rocky Linux:9.",
        },
    ],
    resolve_after: 1,
    reads_several_branches: |_| None,
    validate_api,
    validate_tool: |_| Vec::new(),
};

/// What an API configuration asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wanted<'a> {
    pub(super) sbom: &'a str,
    /// The release of packages that do not tell theirs.
    pub(super) release: Option<&'a str>,
}

impl<'a> Wanted<'a> {
    pub(super) fn of(settings: &'a Settings) -> Self {
        Self {
            sbom: settings.text("sbom").unwrap_or_default().trim(),
            release: settings.text("linux_release").map(str::trim),
        }
    }
}

fn validate_api(_tool: &Settings, api: &Settings) -> Vec<(&'static str, String)> {
    let Wanted { sbom, release } = Wanted::of(api);
    let mut wrong = Vec::new();
    if api.text("sbom").is_some() && !sbom.starts_with('/') {
        wrong.push((
            "sbom",
            format!("{sbom:?} is no absolute path; allowed: one like \"/srv/sboms/shop.cdx.json\""),
        ));
    }
    if let Some(release) = release
        && !ecosystems::is_release(release)
    {
        let known: Vec<_> = ecosystems::distributions().collect();
        wrong.push((
            "linux_release",
            format!(
                "{release:?} is no distribution with its release, like \"Ubuntu:24.04:LTS\"; OSV's distributions are {}, in this spelling",
                known.join(", ")
            ),
        ));
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Value;

    fn wrong(pairs: &[(&'static str, &str)]) -> Vec<(&'static str, String)> {
        let mut settings = Settings::default();
        for (key, value) in pairs {
            settings.insert(key, Value::Text((*value).to_owned()));
        }
        validate_api(&Settings::default(), &settings)
    }

    #[test]
    fn a_path_is_absolute_and_a_release_is_one_that_osv_knows() {
        assert!(
            wrong(&[
                ("sbom", "/srv/sboms"),
                ("linux_release", "Ubuntu:24.04:LTS")
            ])
            .is_empty()
        );
        assert!(wrong(&[("sbom", "/srv/sboms"), ("linux_release", "Rocky Linux:9")]).is_empty());
        assert_eq!(wrong(&[("sbom", "shop.json")])[0].0, "sbom");
        for release in ["ubuntu:24.04", "Ubuntu", "24.04"] {
            let wrong = wrong(&[("sbom", "/srv"), ("linux_release", release)]);
            assert_eq!(wrong[0].0, "linux_release", "{release}");
            assert!(wrong[0].1.contains("Rocky Linux"));
        }
    }
}
