//! What differs between servers by their version, and on SonarQube Cloud (contract 2).

use std::fmt;

/// A server's version, as far as it decides anything. `2025.4` and the Community Build's `25.9` are both newer than `10.8`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Version {
    major: u32,
    minor: u32,
}

/// Since then `components` and `project` are the names of the filters, and issues have impacts.
const NAMES_CHANGED: Version = Version::new(10, 2);

/// Since then tokens are sent as bearer tokens.
const BEARER: Version = Version::new(10, 4);

/// Since then the server is in one of two modes.
const MODES: Version = Version::new(10, 8);

impl Version {
    const fn new(major: u32, minor: u32) -> Self {
        Self { major, minor }
    }

    /// Reads `9.9.8.100196`; none if it is no version, such as a page of the web frontend.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let is_version = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
        if text.len() > 40 || !text.chars().all(is_version) {
            return None;
        }
        let mut parts = text.split(['.', '-']);
        let major = parts.next()?.parse().ok()?;
        let minor = parts.next().unwrap_or("0").parse().ok()?;
        Some(Self { major, minor })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// Which severity counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// `severity`.
    Standard,
    /// That of the impact on security, where there is one ("MQR").
    Quality,
}

/// How a server, or SonarQube Cloud, wants to be spoken to. Unknown parameters are silently ignored there, so a wrong name
/// means: no filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Dialect {
    /// None on Cloud, whose version tells nothing.
    pub(super) version: Option<Version>,
    pub(super) bearer: bool,
    /// Filter of issues by project.
    pub(super) components: &'static str,
    /// Filter of hotspots by project.
    pub(super) project: &'static str,
    /// Facet and filter of files.
    pub(super) files: &'static str,
    pub(super) has_impacts: bool,
    pub(super) has_modes: bool,
    /// Whether the totals are counted beyond the cap.
    pub(super) counts_all: bool,
    /// Whether hotspots can be acknowledged.
    pub(super) has_acknowledged: bool,
}

impl Dialect {
    pub(super) fn of_server(version: Version) -> Self {
        let renamed = version >= NAMES_CHANGED;
        Self {
            version: Some(version),
            bearer: version >= BEARER,
            components: if renamed {
                "components"
            } else {
                "componentKeys"
            },
            project: if renamed { "project" } else { "projectKey" },
            files: "files",
            has_impacts: renamed,
            has_modes: version >= MODES,
            counts_all: true,
            has_acknowledged: true,
        }
    }

    pub(super) fn of_cloud() -> Self {
        Self {
            version: None,
            bearer: true,
            components: "componentKeys",
            project: "projectKey",
            files: "fileUuids",
            has_impacts: true,
            has_modes: false,
            counts_all: false,
            has_acknowledged: false,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn dialect(version: &str) -> Dialect {
        Dialect::of_server(Version::parse(version).unwrap())
    }

    #[test]
    fn versions_are_compared_as_numbers() {
        let parse = |text| Version::parse(text).unwrap();
        assert!(parse("9.9.8.100196") < parse("10.2.0.77647"));
        assert!(parse("10.10") > parse("10.9"));
        assert!(parse("10.7.0.96327") < parse("25.9.0.112764"));
        assert!(parse("25.9.0.112764") < parse("2025.4.3.113915"));
        assert_eq!(parse("10.8-SNAPSHOT"), parse("10.8.1\n"));
        for none in ["", "<!doctype html>", "latest", "10.x", "8.9 or so"] {
            assert_eq!(Version::parse(none), None, "{none}");
        }
    }

    #[test]
    fn names_tokens_and_modes_go_by_the_version() {
        for (version, components, project, bearer, modes) in [
            ("8.9.10.61524", "componentKeys", "projectKey", false, false),
            ("9.9.8.100196", "componentKeys", "projectKey", false, false),
            ("10.1.0.73491", "componentKeys", "projectKey", false, false),
            ("10.2.0.77647", "components", "project", false, false),
            ("10.3.0.82913", "components", "project", false, false),
            ("10.4.0.87286", "components", "project", true, false),
            ("10.7.0.96327", "components", "project", true, false),
            ("10.8.0.100206", "components", "project", true, true),
            ("24.12.0.100206", "components", "project", true, true),
            ("2025.4.3.113915", "components", "project", true, true),
        ] {
            let dialect = dialect(version);
            assert_eq!(dialect.components, components, "{version}");
            assert_eq!(dialect.project, project, "{version}");
            assert_eq!(dialect.bearer, bearer, "{version}");
            assert_eq!(dialect.has_modes, modes, "{version}");
            assert_eq!(dialect.has_impacts, components == "components", "{version}");
        }
    }

    #[test]
    fn cloud_has_names_of_old_and_tokens_of_new() {
        let cloud = Dialect::of_cloud();
        assert_eq!(
            (cloud.components, cloud.project),
            ("componentKeys", "projectKey")
        );
        assert_eq!(cloud.files, "fileUuids");
        assert!(cloud.bearer && cloud.has_impacts);
        assert!(!cloud.has_modes && !cloud.counts_all);
    }
}
