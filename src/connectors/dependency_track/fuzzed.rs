//! Pages of findings and of projects, for fuzzing.

use super::super::fuzzed::{elements, hold};
use super::finding;
use super::project::Project;

/// A page: each element is read as a finding and as a project.
pub(in crate::connectors) fn page(input: &[u8]) {
    let Some((elements, _)) = elements(input, &[]) else {
        return;
    };
    for element in elements {
        let row = finding::map(&element);
        if let Ok(sighting) = &row {
            assert_eq!(
                finding::id(&element).as_deref(),
                Some(sighting.source_id.as_str()),
                "known by another id than it is mapped to"
            );
            assert_eq!(
                sighting.raw.as_bytes(),
                &element[..],
                "raw is not the vendor's text"
            );
        }
        hold(row);
        if let Ok(project) = Project::parse(&element) {
            assert!(
                !project.record().id.is_empty(),
                "a project without identity"
            );
            assert!(!project.title().is_empty(), "a project without name");
        }
    }
}
