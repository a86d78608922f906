//! Pages of findings, secrets, projects and deployments, for fuzzing.

use super::super::fuzzed::{elements, hold};
use super::finding::{self, Source};
use super::issue_type::IssueType;
use super::project::{Deployment, Project};
use super::row::{Row, SecretRow, parse};
use super::spec::Identity;
use super::{paging, secret};

/// A page, read as each of the lists.
pub(in crate::connectors) fn page(input: &[u8]) {
    if let Some((rows, envelope)) = elements(input, &["findings"]) {
        let _cursor = paging::cursor(&envelope);
        for row in rows {
            finding(&row);
            hold(parse::<SecretRow<'_>>(&row).and_then(|(raw, row)| secret::map(&row, raw)));
        }
    }
    for row in elements(input, &["projects"])
        .into_iter()
        .flat_map(|(rows, _)| rows)
    {
        if let Ok(project) = Project::parse(&row) {
            assert!(
                !project.record().id.is_empty(),
                "a project without identity"
            );
        }
    }
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    if let Ok(deployment) = Deployment::of_answer(text, None) {
        assert!(!deployment.slug.is_empty(), "a deployment without a slug");
    }
    if let Ok(project) = Project::of_answer(text, "acme/shop") {
        assert!(!project.name.is_empty(), "a project without a name");
    }
    let nothing = paging::lists_nothing(text);
    assert!(
        !nothing || elements(input, &["findings"]).is_none(),
        "a list taken for none"
    );
}

/// Which type a row is of, it does not say: each must be able to read it.
fn finding(row: &[u8]) {
    for issue_type in [IssueType::Sast, IssueType::Sca, IssueType::AiSast] {
        for identity in [Identity::Id, Identity::Match] {
            let source = Source {
                issue_type,
                project: "acme/shop",
                identity,
                of_one_ref: identity == Identity::Id,
            };
            hold(parse::<Row<'_>>(row).and_then(|(raw, row)| finding::map(&row, raw, &source)));
        }
    }
}
