//! Deployments and projects.

use super::row::{Id, web};
use crate::connectors::Record;
use crate::connectors::lenient::{List, Object, Text};

/// What a token belongs to: an organisation in Semgrep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Deployment {
    /// By which projects and findings are asked for.
    pub(super) slug: String,
    /// By which secrets are asked for.
    pub(super) id: Option<String>,
}

/// A project as far as the import needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Project {
    id: Option<String>,
    /// By which its findings are asked for.
    pub(super) name: String,
    url: Option<String>,
    /// Whether there was ever a scan.
    pub(super) scanned: bool,
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct Deployments<'a> {
    #[serde(borrow)]
    deployments: Option<List<Object<DeploymentRow<'a>>>>,
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct DeploymentRow<'a> {
    #[serde(borrow)]
    slug: Text<'a>,
    id: Id<'a>,
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct ProjectAnswer<'a> {
    #[serde(borrow)]
    project: Object<ProjectRow<'a>>,
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct ProjectRow<'a> {
    #[serde(borrow)]
    id: Id<'a>,
    name: Text<'a>,
    url: Text<'a>,
    latest_scan_at: Text<'a>,
}

impl Deployment {
    /// The token's one deployment, which must be the wanted one where one is wanted.
    pub(super) fn of_answer(body: &str, wanted: Option<&str>) -> Result<Self, String> {
        let unlike = || "the answer is no list of deployments; is location Semgrep's?".to_owned();
        let Object(answer) =
            serde_json::from_str::<Object<Deployments<'_>>>(body).map_err(|_| unlike())?;
        let List(rows) = answer.deployments.ok_or_else(unlike)?;
        let mut seen: Vec<Self> = Vec::new();
        for Object(row) in rows {
            let slug = row.slug.to_owned();
            let slug = slug.ok_or_else(|| "a deployment has no slug".to_owned())?;
            let id = row.id.text();
            seen.push(Self { slug, id });
        }
        let named = |all: &[Self]| {
            let slugs: Vec<_> = all.iter().map(|one| one.slug.as_str()).collect();
            slugs.join(", ")
        };
        match (wanted, seen.as_slice()) {
            (_, []) => Err("the token sees no deployment".to_owned()),
            (None, [only]) => Ok(only.clone()),
            (None, several) => Err(format!(
                "the token sees several deployments ({}); name one in `deployment`",
                named(several)
            )),
            (Some(wanted), all) => {
                let found = all.iter().find(|one| one.slug == wanted);
                found.cloned().ok_or_else(|| {
                    format!(
                        "the token is of deployment {}, and `deployment` is {wanted:?}",
                        named(all)
                    )
                })
            }
        }
    }
}

impl Project {
    /// Reads an element of the list.
    pub(super) fn parse(json: &[u8]) -> Result<Self, String> {
        let Object(row) = serde_json::from_slice::<Object<ProjectRow<'_>>>(json)
            .map_err(|error| format!("a project cannot be read: {error}"))?;
        Self::of(&row, None)
    }

    /// Reads the answer about the project of this name.
    pub(super) fn of_answer(body: &str, name: &str) -> Result<Self, String> {
        let Object(answer) = serde_json::from_str::<Object<ProjectAnswer<'_>>>(body)
            .map_err(|error| format!("project {name} cannot be read: {error}"))?;
        let Object(row) = answer.project;
        if row.name.as_str().is_none() && row.id.text().is_none() {
            return Err(format!(
                "the answer about project {name} holds no project; is location Semgrep's?"
            ));
        }
        Self::of(&row, Some(name))
    }

    fn of(row: &ProjectRow<'_>, name: Option<&str>) -> Result<Self, String> {
        let name = row.name.as_str().or(name);
        Ok(Self {
            id: row.id.text(),
            name: name.ok_or("a project has no name")?.to_owned(),
            url: web(&row.url),
            scanned: row.latest_scan_at.as_str().is_some(),
        })
    }

    pub(super) fn record(&self) -> Record {
        Record {
            id: self.id.clone().unwrap_or_else(|| self.name.clone()),
            name: self.name.clone(),
            detail: self.url.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_tokens_deployment_is_the_wanted_one_or_refused() {
        let one = r#"{"deployments":[{"slug":"acme-prod","id":20169,"name":"ACME","findings":{"url":"https://h"}}]}"#;
        let deployment = Deployment::of_answer(one, None).unwrap();
        assert_eq!(
            (deployment.slug.as_str(), deployment.id.as_deref()),
            ("acme-prod", Some("20169"))
        );
        assert_eq!(
            Deployment::of_answer(one, Some("acme-prod")).unwrap(),
            deployment
        );
        let refused = Deployment::of_answer(one, Some("acme")).unwrap_err();
        assert!(
            refused.contains("acme-prod") && refused.contains("\"acme\""),
            "{refused}"
        );
        let text = one.replace("20169", "\"20169\"");
        assert_eq!(Deployment::of_answer(&text, None).unwrap(), deployment);
    }

    #[test]
    fn what_is_no_list_of_one_deployment_is_refused() {
        for (body, word) in [
            (r#"{"deployments":[]}"#, "no deployment"),
            (r#"{"deployments":[{"slug":"a"},{"slug":"b"}]}"#, "a, b"),
            (r#"{"deployments":[{"id":1}]}"#, "no slug"),
            (r#"{"error":"x"}"#, "no list"),
            ("[]", "no list"),
        ] {
            let refused = Deployment::of_answer(body, None).unwrap_err();
            assert!(refused.contains(word), "{body}: {refused}");
        }
        let two = r#"{"deployments":[{"slug":"a"},{"slug":"b"}]}"#;
        assert_eq!(Deployment::of_answer(two, Some("b")).unwrap().slug, "b");
    }

    #[test]
    fn a_project_needs_a_name_and_nothing_else() {
        let full = br#"{"id":1234567,"name":"acme/shop","url":"https://github.com/acme/shop","tags":[],"latest_scan_at":"2026-01-01"}"#;
        let full = Project::parse(full).unwrap();
        assert!(full.scanned);
        let record = full.record();
        assert_eq!(
            (record.id.as_str(), record.name.as_str()),
            ("1234567", "acme/shop")
        );
        assert_eq!(
            record.detail.as_deref(),
            Some("https://github.com/acme/shop")
        );
        let bare = Project::parse(br#"{"name":"shop","id":null,"latest_scan_at":null}"#).unwrap();
        assert_eq!(bare.record().id, "shop");
        assert!(!bare.scanned);
        assert!(Project::parse(br#"{"id":1}"#).is_err());
        assert!(Project::parse(b"null").is_err());
    }

    #[test]
    fn a_named_project_stands_in_its_answer() {
        let answer = r#"{"project":{"id":7,"name":"acme/shop"}}"#;
        assert_eq!(
            Project::of_answer(answer, "acme/shop").unwrap().record().id,
            "7"
        );
        let nameless = Project::of_answer(r#"{"project":{"id":7}}"#, "acme/shop").unwrap();
        assert_eq!(nameless.name, "acme/shop");
        for none in ["{}", r#"{"project":null}"#, r#"{"error":"x"}"#, "7"] {
            assert!(Project::of_answer(none, "acme/shop").is_err(), "{none}");
        }
    }
}
