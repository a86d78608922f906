//! A package of an SBOM as OSV is asked for it.

use serde::Serialize;

use super::ecosystems::{Ecosystem, package_name, plain};
use super::purl::Purl;
use super::sbom::{Listed, Source};

/// A package that can be asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Package {
    /// The purl with its version, and of its qualifiers the distribution's release only: what a finding is known by.
    pub(super) id: String,
    /// The purl with all that the SBOM says.
    pub(super) purl: String,
    /// The installed package's name.
    pub(super) name: String,
    /// The installed version.
    pub(super) version: String,
    pub(super) cpe: Option<String>,
    pub(super) target: Target,
    /// Its distribution's records are of releases, and its own is not known: then some are missed, and some are another
    /// release's.
    pub(super) lacks_release: bool,
    query: Query,
}

/// What a record must speak of to concern a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    /// With the release where it is known, without what does not make another release of it.
    pub(super) ecosystem: String,
    pub(super) name: String,
    pub(super) version: String,
    /// Whether records of other releases have to be left out.
    pub(super) is_released: bool,
}

/// Why a package is not asked for. It is not known to be clean.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum NotAsked {
    NoPurl,
    /// This purl cannot be read.
    BadPurl(String),
    /// OSV knows no ecosystem for this purl type (and namespace).
    Unsupported(String),
    /// Without a version OSV would answer with all that the package ever had.
    NoVersion,
}

/// One query of a batch. The package is named in one way only, and the version stands in one place only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Query {
    package: Named,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
enum Named {
    Purl { purl: String },
    Ecosystem { ecosystem: String, name: String },
}

impl Package {
    /// The package that a component of an SBOM is. `release` is the one of distributions' packages that do not tell theirs.
    pub(super) fn of(listed: Listed, release: Option<&str>) -> Result<Self, NotAsked> {
        let Listed {
            purl,
            version,
            cpe,
            source,
        } = listed;
        let text = purl.ok_or(NotAsked::NoPurl)?;
        let Some(purl) = Purl::parse(&text) else {
            return Err(NotAsked::BadPurl(text));
        };
        let unsupported = || match &purl.namespace {
            Some(namespace) if matches!(purl.ty.as_str(), "deb" | "apk" | "rpm") => {
                NotAsked::Unsupported(format!("{}/{namespace}", purl.ty))
            }
            _ => NotAsked::Unsupported(purl.ty.clone()),
        };
        let ecosystem = Ecosystem::of(&purl).ok_or_else(unsupported)?;
        let release = release.filter(|_| ecosystem.is_distribution);
        let release = released(&ecosystem, &purl, release);
        if release.is_none() && !ecosystem.by_purl {
            return Err(unsupported());
        }
        let version = match (&purl.version, version) {
            (Some(own), _) => own.clone(),
            (None, Some(beside)) => beside,
            (None, None) => return Err(NotAsked::NoVersion),
        };
        let lacks_release = release.is_none() && ecosystem.needs_release();
        let (query, target) = match ecosystem.is_distribution {
            true => of_distribution(&ecosystem, &purl, &version, release, source),
            false => of_language(&ecosystem, &purl, &version),
        };
        Ok(Self {
            id: purl.write(Some(&version), |key| key == "distro"),
            name: match ecosystem.is_distribution {
                true => purl.name.clone(),
                false => package_name(&purl),
            },
            purl: purl.write(purl.version.as_deref(), |_| true),
            version,
            cpe,
            target,
            lacks_release,
            query,
        })
    }

    pub(super) fn query(&self) -> &Query {
        &self.query
    }
}

/// The release that the purl tells, else the one that is set, if it is one of this distribution.
fn released(ecosystem: &Ecosystem, purl: &Purl, set: Option<&str>) -> Option<String> {
    let told = purl
        .qualifier("distro")
        .and_then(|distro| ecosystem.released(distro));
    let set = set.filter(|set| set.split(':').next() == Some(ecosystem.name));
    told.or_else(|| set.map(plain))
}

/// By purl: the server makes the same of it as [`package_name`].
fn of_language(ecosystem: &Ecosystem, purl: &Purl, version: &str) -> (Query, Target) {
    let query = Query {
        package: Named::Purl {
            purl: purl.write(purl.version.as_deref(), |_| false),
        },
        version: purl.version.is_none().then(|| version.to_owned()),
    };
    let target = Target {
        ecosystem: ecosystem.name.to_owned(),
        name: package_name(purl),
        version: version.to_owned(),
        is_released: false,
    };
    (query, target)
}

/// By ecosystem with its release where that is known, because the server reads few of the ways in which purls tell it. Records are
/// of source packages, which generators name in `upstream`.
fn of_distribution(
    ecosystem: &Ecosystem,
    purl: &Purl,
    version: &str,
    release: Option<String>,
    beside: Option<Source>,
) -> (Query, Target) {
    let epoch = purl
        .qualifier("epoch")
        .filter(|epoch| *epoch != "0" && !version.contains(':'));
    let version = match epoch {
        Some(epoch) => format!("{epoch}:{version}"),
        None => version.to_owned(),
    };
    let (name, version) = match source(purl).or(beside) {
        Some(source) => (source.name, source.version.unwrap_or(version)),
        None => (purl.name.clone(), version),
    };
    let package = match &release {
        Some(ecosystem) => Named::Ecosystem {
            ecosystem: ecosystem.clone(),
            name: name.clone(),
        },
        None => {
            let source = Purl {
                name: name.clone(),
                subpath: None,
                ..purl.clone()
            };
            Named::Purl {
                // Only Debian's is read, and was of no use if it was not read here.
                purl: source.write(None, |_| false),
            }
        }
    };
    let query = Query {
        package,
        version: Some(version.clone()),
    };
    let target = Target {
        is_released: release.is_some(),
        ecosystem: release.unwrap_or_else(|| ecosystem.name.to_owned()),
        name,
        version,
    };
    (query, target)
}

/// The source package of Syft's `upstream`: `openssl`, `openssl@3.0.11-1`, or an RPM's file name, whose version is the binary
/// package's but for the epoch.
fn source(purl: &Purl) -> Option<Source> {
    let upstream = purl.qualifier("upstream")?;
    let (name, version) = match (purl.ty.as_str(), upstream.split_once('@')) {
        ("rpm", _) => (rpm_name(upstream)?, None),
        (_, Some((name, version))) => (name, Some(version)),
        (_, None) => (upstream, None),
    };
    let version = version.filter(|version| !version.is_empty());
    (!name.is_empty()).then(|| Source {
        name: name.to_owned(),
        version: version.map(str::to_owned),
    })
}

/// `name-version-release.src.rpm`
fn rpm_name(file: &str) -> Option<&str> {
    let (rest, _release) = file.strip_suffix(".src.rpm")?.rsplit_once('-')?;
    let (name, _version) = rest.rsplit_once('-')?;
    Some(name)
}

#[cfg(test)]
mod tests;
