//! An issue as it comes: every field may be missing, null, blank or of another type, and a coordinate's representation is one of
//! several things.

use crate::connectors::lenient::{Flag, List, Number, Object, Text, Whole};

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct Row<'a> {
    #[serde(borrow)]
    pub(super) id: Text<'a>,
    pub(super) attributes: Object<Attributes<'a>>,
    relationships: Object<Relationships<'a>>,
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct Attributes<'a> {
    #[serde(borrow)]
    pub(super) key: Text<'a>,
    pub(super) title: Text<'a>,
    pub(super) description: Text<'a>,
    #[serde(rename = "type")]
    pub(super) kind: Text<'a>,
    pub(super) effective_severity_level: Text<'a>,
    pub(super) status: Text<'a>,
    pub(super) ignored: Flag,
    pub(super) created_at: Text<'a>,
    pub(super) updated_at: Text<'a>,
    pub(super) tool: Text<'a>,
    pub(super) classes: List<Object<Class<'a>>>,
    pub(super) problems: List<Object<Problem<'a>>>,
    pub(super) severities: List<Object<Rating<'a>>>,
    pub(super) coordinates: List<Object<Coordinate<'a>>>,
    pub(super) risk: Object<Risk>,
    pub(super) exploit_details: Object<Exploit<'a>>,
    pub(super) resolution: Object<Resolution<'a>>,
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct Class<'a> {
    #[serde(borrow)]
    pub(super) id: Text<'a>,
    pub(super) source: Text<'a>,
    pub(super) url: Text<'a>,
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct Problem<'a> {
    #[serde(borrow)]
    pub(super) id: Text<'a>,
    pub(super) url: Text<'a>,
}

/// A CVSS of one source.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct Rating<'a> {
    #[serde(borrow)]
    pub(super) source: Text<'a>,
    pub(super) version: Text<'a>,
    pub(super) score: Number,
    pub(super) vector: Text<'a>,
}

/// A place where the issue comes from.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct Coordinate<'a> {
    #[serde(borrow)]
    pub(super) state: Text<'a>,
    pub(super) reachability: Text<'a>,
    pub(super) remedies: List<Object<Remedy<'a>>>,
    pub(super) representations: List<Object<Representation<'a>>>,
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct Remedy<'a> {
    #[serde(borrow, rename = "type")]
    pub(super) kind: Text<'a>,
    pub(super) description: Text<'a>,
    pub(super) meta: Object<RemedyMeta<'a>>,
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct RemedyMeta<'a> {
    #[serde(borrow)]
    pub(super) schema_version: Text<'a>,
    pub(super) data: Object<RemedyData<'a>>,
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct RemedyData<'a> {
    #[serde(borrow)]
    pub(super) fixed_in: List<Text<'a>>,
}

/// One of these, as a rule.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct Representation<'a> {
    #[serde(borrow, rename = "resourcePath")]
    pub(super) resource_path: Text<'a>,
    pub(super) dependency: Object<Dependency<'a>>,
    pub(super) cloud_resource: Object<CloudResource<'a>>,
    #[serde(rename = "sourceLocation")]
    pub(super) source_location: Object<Lines<'a>>,
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct Dependency<'a> {
    #[serde(borrow)]
    pub(super) package_name: Text<'a>,
    pub(super) package_version: Text<'a>,
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct CloudResource<'a> {
    #[serde(borrow)]
    pub(super) environment: Object<Environment<'a>>,
    pub(super) resource: Object<Resource<'a>>,
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct Environment<'a> {
    #[serde(borrow)]
    pub(super) name: Text<'a>,
    pub(super) native_id: Text<'a>,
    #[serde(rename = "type")]
    pub(super) kind: Text<'a>,
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct Resource<'a> {
    #[serde(borrow)]
    pub(super) location: Text<'a>,
    pub(super) native_id: Text<'a>,
    pub(super) resource_type: Text<'a>,
    pub(super) name: Text<'a>,
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct Lines<'a> {
    #[serde(borrow)]
    pub(super) file: Text<'a>,
    pub(super) region: Object<Region>,
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct Region {
    pub(super) start: Object<Position>,
    pub(super) end: Object<Position>,
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct Position {
    pub(super) line: Whole,
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct Risk {
    pub(super) score: Object<RiskScore>,
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct RiskScore {
    pub(super) value: Whole,
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct Exploit<'a> {
    #[serde(borrow)]
    pub(super) maturity_levels: List<Object<Maturity<'a>>>,
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct Maturity<'a> {
    #[serde(borrow)]
    pub(super) level: Text<'a>,
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct Resolution<'a> {
    #[serde(borrow, rename = "type")]
    pub(super) kind: Text<'a>,
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
struct Relationships<'a> {
    #[serde(borrow)]
    organization: Object<Relationship<'a>>,
    scan_item: Object<Relationship<'a>>,
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
struct Relationship<'a> {
    #[serde(borrow)]
    data: Object<Identity<'a>>,
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
struct Identity<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    #[serde(rename = "type")]
    kind: Text<'a>,
}

impl<'a> Row<'a> {
    /// Reads one row of a page.
    ///
    /// # Errors
    /// It is no issue of anything: no JSON object, or without a project.
    pub(super) fn parse(text: &'a str) -> Result<Self, String> {
        let Object(row) = serde_json::from_str::<Object<Row<'a>>>(text)
            .map_err(|error| format!("an issue cannot be read: {error}"))?;
        match row.scan_item() {
            Some(_) => Ok(row),
            None => Err("an issue has no project (relationships.scan_item)".to_owned()),
        }
    }

    /// The id of the project or environment.
    pub(super) fn scan_item(&self) -> Option<&str> {
        self.relationships.0.scan_item.0.data.0.id.as_str()
    }

    /// Whether it is of a cloud environment, and of no project.
    pub(super) fn is_of_environment(&self) -> bool {
        let kind = self.relationships.0.scan_item.0.data.0.kind.as_str();
        kind.is_some_and(|kind| kind.trim().eq_ignore_ascii_case("environment"))
    }

    /// The name of that environment.
    pub(super) fn environment(&self) -> Option<&str> {
        let coordinates = self.attributes.0.coordinates.0.iter();
        let mut representations =
            coordinates.flat_map(|coordinate| &coordinate.0.representations.0);
        representations.find_map(|one| one.0.cloud_resource.0.environment.0.name.as_str())
    }

    /// The id of the organization.
    pub(super) fn organization(&self) -> Option<&str> {
        self.relationships.0.organization.0.data.0.id.as_str()
    }
}

impl<'a> Attributes<'a> {
    /// The first coordinate that is not mended, else the first.
    pub(super) fn coordinate(&self) -> Option<&Coordinate<'a>> {
        let mut coordinates = self.coordinates.0.iter().map(|Object(one)| one);
        let open = coordinates.find(|one| !one.is_mended());
        open.or_else(|| self.coordinates.0.first().map(|Object(one)| one))
    }
}

impl Coordinate<'_> {
    pub(super) fn is_mended(&self) -> bool {
        let state = self.state.as_str();
        state.is_some_and(|state| state.trim().eq_ignore_ascii_case("resolved"))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_row_of_wrong_types_is_kept_as_long_as_it_has_a_project() {
        let json = r#"{"id":7,"attributes":{"type":42,"title":null,"coordinates":[null,{"state":1,"representations":[3,{"dependency":[]}]}],
            "risk":"high","ignored":"yes"},"relationships":{"organization":null,"scan_item":{"data":{"id":"p","type":9}}},"new":{}}"#;
        let row = Row::parse(json).unwrap();
        assert_eq!((row.scan_item(), row.organization()), (Some("p"), None));
        assert!(!row.is_of_environment() && row.environment().is_none());
        assert_eq!(row.attributes.0.coordinates.0.len(), 2);
        for homeless in [
            "null",
            "[]",
            r#"{"id":"a"}"#,
            r#"{"id":"a","relationships":{"scan_item":{"data":[]}}}"#,
        ] {
            assert!(Row::parse(homeless).is_err(), "{homeless}");
        }
    }

    #[test]
    fn the_first_coordinate_that_is_not_mended_counts() {
        let of = |states: &str| {
            let json = format!(
                r#"{{"relationships":{{"scan_item":{{"data":{{"id":"p"}}}}}},"attributes":{{"coordinates":[{states}]}}}}"#
            );
            let row = Row::parse(&json).unwrap();
            row.attributes.0.coordinate()?.reachability.to_owned()
        };
        let first =
            r#"{"state":"resolved","reachability":"a"},{"state":"open","reachability":"b"}"#;
        assert_eq!(of(first).as_deref(), Some("b"));
        let all =
            r#"{"state":"resolved","reachability":"a"},{"state":"resolved","reachability":"b"}"#;
        assert_eq!(of(all).as_deref(), Some("a"));
        assert_eq!(of(r#"{"reachability":"a"}"#).as_deref(), Some("a"));
        assert_eq!(of(""), None);
    }
}
