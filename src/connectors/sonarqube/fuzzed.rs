//! Pages of issues, of hotspots, of dependency risks, of projects and of branches, and rules, for fuzzing.

use serde_json::value::RawValue;

use super::super::fuzzed::{elements, hold};
use super::finding::{hotspot, issue, risk};
use super::page::Page;
use super::place::{Place, Reference};
use super::project::{Component, branches};
use super::row::{Hotspot, Issue, Risk, parse};
use super::rule::Rule;
use super::version::{Mode, Version};

/// An answer, read as each of those that there are.
pub(in crate::connectors) fn page(input: &[u8]) {
    rows(input, &["issues"], |row, place| {
        if let Ok((row, raw)) = parse::<Issue<'_>>(row, "an issue") {
            for mode in [Mode::Standard, Mode::Quality] {
                hold(issue(&row, raw, place, mode, None, None));
            }
        }
    });
    rows(input, &["hotspots"], |row, place| {
        if let Ok((row, raw)) = parse::<Hotspot<'_>>(row, "a hotspot") {
            hold(hotspot(&row, raw, place, None));
        }
    });
    rows(input, &["issuesReleases"], |row, _| {
        if let Ok((row, raw)) = parse::<Risk<'_>>(row, "a dependency risk") {
            hold(risk(&row, raw));
        }
    });
    rows(input, &["components"], |row, _| {
        if let Ok(project) = Component::parse(row) {
            assert!(
                !project.record().id.is_empty(),
                "a project without identity"
            );
        }
    });
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    if let Ok(list) = RawValue::from_string(text.to_owned()).map(|json| branches(&json))
        && let Ok(list) = list
    {
        assert!(list.iter().any(|branch| branch.is_main), "no main branch");
    }
    if let Ok(rule) = Rule::parse(text) {
        assert!(!rule.cwes.contains(&0), "CWE-0");
        let recommended = rule.recommendation(Some("spring")).is_some();
        assert_eq!(recommended, rule.recommendation(None).is_some());
    }
    let _version = Version::parse(text);
}

fn rows(input: &[u8], path: &'static [&'static str], read: impl Fn(&[u8], &Place<'_>)) {
    let Some((rows, envelope)) = elements(input, path) else {
        return;
    };
    let Ok(page) = Page::of(rows, &envelope) else {
        return;
    };
    let place = Place {
        root: "https://sonar.example/",
        project: "com.acme:shop",
        reference: &Reference::Main,
        paths: &page.paths,
    };
    for row in &page.rows {
        read(row, &place);
    }
}
