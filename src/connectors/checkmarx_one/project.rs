//! Projects.

use serde_json::value::RawValue;

use crate::connectors::Record;
use crate::connectors::lenient::{Object, Text};

/// A project as far as the import needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Project {
    pub(super) id: String,
    pub(super) name: String,
    /// None where the project has none set.
    pub(super) main_branch: Option<String>,
    repository: Option<String>,
}

#[derive(Default, serde::Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Row<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    name: Text<'a>,
    main_branch: Text<'a>,
    repo_url: Text<'a>,
}

impl Project {
    /// Reads a project; a missing name is replaced by the id.
    pub(super) fn parse(json: &RawValue) -> Result<Self, String> {
        let Object(row) = serde_json::from_str::<Object<Row<'_>>>(json.get())
            .map_err(|error| format!("a project cannot be read: {error}"))?;
        let id = (row.id.to_owned()).ok_or_else(|| "a project has no id".to_owned())?;
        Ok(Self {
            name: row.name.to_owned().unwrap_or_else(|| id.clone()),
            main_branch: row.main_branch.to_owned(),
            repository: row.repo_url.to_owned(),
            id,
        })
    }

    pub(super) fn record(&self) -> Record {
        Record {
            id: self.id.clone(),
            name: self.name.clone(),
            detail: self.repository.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_project_needs_an_id_and_nothing_else() {
        let parse = |json: &str| {
            let json = RawValue::from_string(json.to_owned()).unwrap();
            Project::parse(&json)
        };
        assert!(parse(r#"{"name":"Shop"}"#).is_err());
        let bare = parse(r#"{"id":"p","name":null,"mainBranch":"","repoUrl":3}"#).unwrap();
        assert_eq!((bare.name.as_str(), bare.main_branch), ("p", None));
    }
}
