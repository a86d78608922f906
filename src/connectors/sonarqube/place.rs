//! Where a finding is: the file in the project, and the page on which people look at it.

use std::collections::HashMap;

use url::form_urlencoded::byte_serialize;

use super::row::TextRange;
use crate::connectors::lenient::{Object, Whole};
use crate::finding::SourceLocation;

/// What of a project is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reference {
    /// The main branch, which no parameter names: Community editions know no other.
    Main,
    Branch(String),
    PullRequest(String),
}

impl Reference {
    /// The query parameter, the same in all calls of the first generation and in pages for people.
    pub(super) fn parameter(&self) -> Option<(&'static str, &str)> {
        match self {
            Self::Main => None,
            Self::Branch(name) => Some(("branch", name)),
            Self::PullRequest(number) => Some(("pullRequest", number)),
        }
    }

    /// The same in the second generation.
    pub(super) fn parameter_v2(&self) -> Option<(&'static str, &str)> {
        match self {
            Self::Main => None,
            Self::Branch(name) => Some(("branchKey", name)),
            Self::PullRequest(number) => Some(("pullRequestKey", number)),
        }
    }

    /// ` on branch release/1`, for people.
    pub(super) fn words(&self) -> String {
        match self {
            Self::Main => String::new(),
            Self::Branch(name) => format!(" on branch {name}"),
            Self::PullRequest(number) => format!(" in pull request {number}"),
        }
    }
}

/// What all rows of one search share.
pub(super) struct Place<'a> {
    /// Root of the pages for people, ending in a slash.
    pub(super) root: &'a str,
    pub(super) project: &'a str,
    pub(super) reference: &'a Reference,
    /// Path inside the project by key of the component.
    pub(super) paths: &'a HashMap<String, String>,
}

impl Place<'_> {
    /// The file that a component is; none if it is the project itself. Keys hold colons themselves, so only the project's own
    /// key is taken off, and the path that the answer tells is preferred.
    pub(super) fn file(&self, component: Option<&str>) -> Option<String> {
        let component = component?;
        if component == self.project {
            return None;
        }
        let told = self.paths.get(component).map(String::as_str);
        let stripped = || component.strip_prefix(self.project)?.strip_prefix(':');
        let file = told.or_else(stripped)?;
        (!file.is_empty()).then(|| file.to_owned())
    }

    /// The lines, with the page of the row: `text_range` where there is one, else `line`, else the file alone.
    pub(super) fn location(
        &self,
        file: Option<String>,
        text_range: &Object<TextRange>,
        line: Whole,
        url: String,
    ) -> SourceLocation {
        let number = |line: Whole| {
            let line = line.0.and_then(|line| u32::try_from(line).ok());
            line.filter(|line| *line > 0)
        };
        let start = number(text_range.0.start_line);
        let line_start = start.or_else(|| number(line));
        let line_end = start.and_then(|start| {
            let end = number(text_range.0.end_line);
            end.filter(|end| *end >= start)
        });
        SourceLocation {
            file,
            line_start,
            line_end,
            url: Some(url),
        }
    }

    pub(super) fn page_of_issue(&self, key: &str) -> String {
        let Self { root, project, .. } = self;
        let (project, key) = (escaped(project), escaped(key));
        let of_branch = self.of_reference();
        format!("{root}project/issues?id={project}&issues={key}&open={key}{of_branch}")
    }

    pub(super) fn page_of_hotspot(&self, key: &str) -> String {
        let Self { root, project, .. } = self;
        let (project, key) = (escaped(project), escaped(key));
        let of_branch = self.of_reference();
        format!("{root}security_hotspots?id={project}&hotspots={key}{of_branch}")
    }

    fn of_reference(&self) -> String {
        match self.reference.parameter() {
            Some((name, value)) => format!("&{name}={}", escaped(value)),
            None => String::new(),
        }
    }
}

fn escaped(text: &str) -> String {
    let escaped: String = byte_serialize(text.as_bytes()).collect();
    escaped.replace('+', "%20")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_place<T>(reference: Reference, look: impl FnOnce(&Place<'_>) -> T) -> T {
        let paths = HashMap::from([("com.acme:shop:App".to_owned(), "src/App.java".to_owned())]);
        look(&Place {
            root: "https://sonar.example/ctx/",
            project: "com.acme:shop",
            reference: &reference,
            paths: &paths,
        })
    }

    #[test]
    fn a_file_is_what_the_answer_tells_else_what_follows_the_projects_key() {
        with_place(Reference::Main, |place| {
            let file = |component| place.file(Some(component));
            assert_eq!(file("com.acme:shop:App").as_deref(), Some("src/App.java"));
            assert_eq!(file("com.acme:shop:a:b.c").as_deref(), Some("a:b.c"));
            assert_eq!(file("com.acme:shop"), None);
            assert_eq!(file("com.acme:shop:"), None);
            assert_eq!(file("com.acme:shopping:a.c"), None);
            assert_eq!(place.file(None), None);
        });
    }

    #[test]
    fn lines_are_the_text_ranges_or_the_one_line_or_none() {
        let whole = |line| Whole(Some(line));
        let lines = |start, end, line| {
            with_place(Reference::Main, |place| {
                let range = TextRange {
                    start_line: start,
                    end_line: end,
                };
                let location = place.location(None, &Object(range), line, String::new());
                (location.line_start, location.line_end)
            })
        };
        let none = Whole(None);
        assert_eq!(lines(whole(12), whole(15), whole(12)), (Some(12), Some(15)));
        assert_eq!(lines(whole(12), none, none), (Some(12), None));
        assert_eq!(lines(whole(12), whole(11), none), (Some(12), None));
        assert_eq!(lines(none, whole(15), whole(4)), (Some(4), None));
        assert_eq!(lines(none, none, none), (None, None));
        assert_eq!(lines(whole(0), none, whole(-1)), (None, None));
    }

    #[test]
    fn pages_for_people_are_escaped_and_name_the_branch() {
        with_place(Reference::Branch("release/2 0".to_owned()), |place| {
            assert_eq!(
                place.page_of_issue("A+b"),
                "https://sonar.example/ctx/project/issues?id=com.acme%3Ashop&issues=A%2Bb&open=A%2Bb&branch=release%2F2%200"
            );
        });
        with_place(Reference::PullRequest("12".to_owned()), |place| {
            assert_eq!(
                place.page_of_hotspot("h"),
                "https://sonar.example/ctx/security_hotspots?id=com.acme%3Ashop&hotspots=h&pullRequest=12"
            );
        });
        with_place(Reference::Main, |place| {
            assert!(!place.page_of_issue("k").contains("branch"));
        });
    }
}
