//! Pages of issues and projects, and the links between them, for fuzzing.

use super::super::fuzzed::hold;
use super::document;
use super::finding;
use super::links::next_query;
use super::project::{Organization, Project};
use super::row::Row;
use super::trail::{Step, Trail};

/// The list that the pages are of.
const LIST: &str = "https://api.eu.snyk.io/rest/orgs/4a18d42f-0706-4ad0-b127-24078731fbed/issues";

/// A page, read as issues, as projects and as organizations.
pub(in crate::connectors) fn page(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    let _ = document::fault(text);
    let Ok(page) = document::page(text) else {
        return;
    };
    let projects: Vec<_> = page
        .rows
        .iter()
        .filter_map(|row| Project::parse(row).ok())
        .collect();
    for project in &projects {
        assert!(
            !project.record().id.is_empty(),
            "a project without identity"
        );
        assert!(project.image().is_none_or(|_| project.branch().is_none()));
        let _ = project.workload();
    }
    for row in &page.rows {
        if let Ok(organization) = Organization::parse(row) {
            assert!(
                !organization.slug().is_empty(),
                "an organization without a name"
            );
        }
        if let Ok(issue) = Row::parse(row.get()) {
            hold(finding::map(&issue, row.get(), None));
            hold(finding::map(&issue, row.get(), projects.first()));
        }
    }
    followed(&page);
}

/// No link leads to another host, and no list is its own next page.
fn followed(page: &document::Page) {
    let (Some(link), Ok(list)) = (&page.next, LIST.parse::<url::Url>()) else {
        return;
    };
    let Ok(query) = next_query(&list, link) else {
        return;
    };
    let mut next = list.clone();
    next.set_query(Some(&query));
    assert_eq!(next.origin(), list.origin(), "led to another host");
    let step = Trail::from(&query).turn(&page.rows, Some(query));
    assert!(!matches!(step, Step::Next(_)), "a circle was not noticed");
}
