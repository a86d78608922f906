//! Projects and their branches.

use serde_json::value::RawValue;

use crate::connectors::Record;
use crate::connectors::lenient::{Flag, List, Object, Text};

/// Qualifier of a project; applications and portfolios have others, and issues of several projects.
const PROJECT: &str = "TRK";

/// A component that can have issues.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Component {
    pub(super) key: String,
    pub(super) name: Option<String>,
    /// On Cloud, where it is told.
    pub(super) organization: Option<String>,
    qualifier: Option<String>,
}

/// A branch of a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Branch {
    pub(super) name: String,
    pub(super) is_main: bool,
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct Row<'a> {
    #[serde(borrow)]
    key: Text<'a>,
    name: Text<'a>,
    organization: Text<'a>,
    qualifier: Text<'a>,
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct BranchesAnswer<'a> {
    #[serde(borrow)]
    branches: List<Object<BranchRow<'a>>>,
}

#[derive(Default, serde::Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct BranchRow<'a> {
    #[serde(borrow)]
    name: Text<'a>,
    is_main: Flag,
}

impl Component {
    /// Reads a component; all it must have is a key.
    pub(super) fn parse(json: &[u8]) -> Result<Self, String> {
        let Object(row) = serde_json::from_slice::<Object<Row<'_>>>(json)
            .map_err(|error| format!("a component cannot be read: {error}"))?;
        let key = (row.key.to_owned()).ok_or_else(|| "a component has no key".to_owned())?;
        Ok(Self {
            name: row.name.to_owned(),
            organization: row.organization.to_owned(),
            qualifier: row.qualifier.to_owned(),
            key,
        })
    }

    /// What it is, if it is no project.
    pub(super) fn other_than_project(&self) -> Option<&'static str> {
        match self.qualifier.as_deref() {
            None | Some(PROJECT) => None,
            Some("APP") => Some("an application"),
            Some("VW" | "SVW") => Some("a portfolio"),
            Some(_) => Some("no project"),
        }
    }

    /// Known by its key on both sides: two projects may have one name.
    pub(super) fn record(&self) -> Record {
        Record {
            id: self.key.clone(),
            name: self.key.clone(),
            detail: self.name.clone().filter(|name| *name != self.key),
        }
    }
}

/// The branches of `project_branches/list`.
///
/// # Errors
/// None is in it: every project has a main branch.
pub(super) fn branches(json: &RawValue) -> Result<Vec<Branch>, String> {
    let Object(answer) = serde_json::from_str::<Object<BranchesAnswer<'_>>>(json.get())
        .map_err(|error| format!("the list of branches cannot be read: {error}"))?;
    let rows = answer.branches.0.into_iter();
    let branches: Vec<_> = rows
        .filter_map(|row| {
            Some(Branch {
                name: row.0.name.to_owned()?,
                is_main: row.0.is_main.0 == Some(true),
            })
        })
        .collect();
    match branches.iter().any(|branch| branch.is_main) {
        true => Ok(branches),
        false => Err("the list of branches has no main branch".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_component_needs_a_key_and_applications_are_no_projects() {
        let parse = |json: &str| Component::parse(json.as_bytes());
        assert!(parse(r#"{"name":"Shop"}"#).is_err());
        let project = parse(r#"{"key":"p","name":"Shop","qualifier":"TRK"}"#).unwrap();
        assert_eq!(project.other_than_project(), None);
        let record = project.record();
        assert_eq!((record.id.as_str(), record.name.as_str()), ("p", "p"));
        assert_eq!(record.detail.as_deref(), Some("Shop"));
        for (qualifier, what) in [("APP", "an application"), ("VW", "a portfolio")] {
            let json = format!(r#"{{"key":"p","qualifier":"{qualifier}"}}"#);
            assert_eq!(parse(&json).unwrap().other_than_project(), Some(what));
        }
    }

    #[test]
    fn a_list_of_branches_has_a_main_one() {
        let read = |json: &str| branches(&RawValue::from_string(json.to_owned()).unwrap());
        let list = read(
            r#"{"branches":[{"name":"feature/foo","isMain":false,"type":"BRANCH"},{"name":"master","isMain":true},{"isMain":false}]}"#,
        );
        let names: Vec<_> = list
            .unwrap()
            .into_iter()
            .map(|b| (b.name, b.is_main))
            .collect();
        assert_eq!(
            names,
            [
                ("feature/foo".to_owned(), false),
                ("master".to_owned(), true)
            ]
        );
        for wrong in ["{}", r#"{"branches":[]}"#, r#"{"branches":[{"name":"a"}]}"#] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
