//! Where an issue is: package, lines, cloud resource.

use super::project::Project;
use super::purl;
use super::row::{Attributes, Coordinate, Environment, Lines, Resource};
use super::tables::NO_CLOUDS;
use crate::connectors::lenient::{Object, Whole};
use crate::finding::{Cloud, Component, SourceLocation};

/// What a remedy's data must call itself to tell the mended versions.
const PACKAGE_REMEDY: &str = "package_vulnerability/";

/// Of each sort of place the first that the coordinate names.
#[derive(Debug, Default)]
pub(super) struct Place {
    pub(super) component: Option<Component>,
    pub(super) source_location: Option<SourceLocation>,
    pub(super) cloud: Option<Cloud>,
    /// Opaque path of a resource.
    pub(super) resource_path: Option<String>,
}

impl Place {
    /// The place of a coordinate in a project.
    pub(super) fn of(coordinate: &Coordinate<'_>, project: Option<&Project>) -> Self {
        let representations = coordinate.representations.0.iter().map(|Object(one)| one);
        let mut place = Self::default();
        for one in representations {
            let dependency = &one.dependency.0;
            if let (None, Some(name)) = (&place.component, dependency.package_name.as_str()) {
                let version = dependency.package_version.as_str();
                let kind = project.and_then(|project| project.kind.as_deref());
                place.component = Some(Component {
                    name: Some(name.to_owned()),
                    version: version.map(str::to_owned),
                    purl: kind.and_then(|kind| purl::of(kind, name, version)),
                    cpe: None,
                    fixed_version: fixed_version(coordinate),
                });
            }
            if place.source_location.is_none() {
                place.source_location = lines(&one.source_location.0);
            }
            let cloud = &one.cloud_resource.0;
            if place.cloud.is_none() {
                place.cloud = cloud_resource(&cloud.environment.0, &cloud.resource.0);
            }
            if place.resource_path.is_none() {
                place.resource_path = one.resource_path.to_owned();
            }
        }
        place
    }

    /// It, in a few words; none if there is nothing to tell.
    fn words(&self) -> Option<String> {
        if let Some(component) = &self.component {
            let name = component.name.as_deref()?;
            return Some(match &component.version {
                Some(version) => format!("{name}@{version}"),
                None => name.to_owned(),
            });
        }
        if let Some(location) = &self.source_location {
            let file = location.file.as_deref()?;
            return Some(match location.line_start {
                Some(line) => format!("{file}:{line}"),
                None => file.to_owned(),
            });
        }
        let resource = self
            .cloud
            .as_ref()
            .and_then(|cloud| cloud.resource_id.clone());
        resource.or_else(|| self.resource_path.clone())
    }
}

/// The places of an issue's other coordinates, in words: one issue is one finding.
pub(super) fn others(attributes: &Attributes<'_>, chosen: &Coordinate<'_>) -> Vec<String> {
    let own = Place::of(chosen, None).words();
    let coordinates = attributes.coordinates.0.iter().map(|Object(one)| one);
    let mut words: Vec<String> = Vec::new();
    for coordinate in coordinates.filter(|one| !std::ptr::eq(*one, chosen)) {
        let Some(place) = Place::of(coordinate, None).words() else {
            continue;
        };
        let place = match coordinate.is_mended() {
            true => format!("{place} (resolved)"),
            false => place,
        };
        if own.as_ref() != Some(&place) && !words.contains(&place) {
            words.push(place);
        }
    }
    words
}

/// The mended versions of a coordinate's remedies.
fn fixed_version(coordinate: &Coordinate<'_>) -> Option<String> {
    let mut versions: Vec<&str> = Vec::new();
    for Object(remedy) in &coordinate.remedies.0 {
        let meta = &remedy.meta.0;
        let of_package = meta.schema_version.as_str();
        if !of_package.is_some_and(|version| version.starts_with(PACKAGE_REMEDY)) {
            continue;
        }
        for version in meta.data.0.fixed_in.0.iter().filter_map(|v| v.as_str()) {
            if !versions.contains(&version) {
                versions.push(version);
            }
        }
    }
    (!versions.is_empty()).then(|| versions.join(", "))
}

fn lines(lines: &Lines<'_>) -> Option<SourceLocation> {
    let region = &lines.region.0;
    Some(SourceLocation {
        file: Some(lines.file.as_str()?.to_owned()),
        line_start: line(region.start.0.line),
        line_end: line(region.end.0.line),
        url: None,
    })
}

/// A line, counted from 1.
fn line(number: Whole) -> Option<u32> {
    let number = number.0.and_then(|number| u32::try_from(number).ok());
    number.filter(|number| *number > 0)
}

fn cloud_resource(environment: &Environment<'_>, resource: &Resource<'_>) -> Option<Cloud> {
    let kind = environment.kind.as_str().map(str::to_ascii_lowercase);
    let kind = kind.filter(|kind| !NO_CLOUDS.contains(&kind.as_str()))?;
    Some(Cloud {
        provider: Some(kind),
        account: environment.native_id.to_owned(),
        region: resource.location.to_owned(),
        resource_type: resource.resource_type.to_owned(),
        resource_id: resource
            .native_id
            .to_owned()
            .or_else(|| resource.name.to_owned()),
    })
}
