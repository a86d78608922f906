//! Pages of results, of projects and of scans, for fuzzing.

use super::super::fuzzed::{elements, hold};
use super::finding::{self, Source};
use super::project::Project;
use super::row::Row;
use super::scan::Scan;
use super::tables::States;
use super::{engine, list};

/// A page, read as results and as the small lists.
pub(in crate::connectors) fn page(input: &[u8]) {
    for element in elements(input, &["results"])
        .into_iter()
        .flat_map(|(list, _)| list)
    {
        if let Ok(text) = std::str::from_utf8(&element) {
            result(text);
        }
    }
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    for item in list::parse(text, "projects")
        .into_iter()
        .flat_map(|page| page.items)
    {
        if let Ok(project) = Project::parse(&item) {
            assert!(
                !project.record().id.is_empty(),
                "a project without identity"
            );
        }
    }
    for item in list::parse(text, "scans")
        .into_iter()
        .flat_map(|page| page.items)
    {
        if let Ok(scan) = Scan::parse(&item) {
            assert!(!scan.id.is_empty(), "a scan without identity");
        }
    }
}

fn result(text: &str) {
    let Ok(row) = Row::parse(text) else {
        return;
    };
    let kind = row.type_name();
    engine::owner(&kind, &["sast".to_owned(), "sca".to_owned()]);
    let states = States::default();
    let source = Source {
        location: "https://checkmarx.example.com/",
        project: "p",
        scan: "s",
        states: &states,
    };
    hold(finding::map(&row, text, &source));
}
