#![allow(clippy::unwrap_used)]

use super::*;
use crate::config::Value;

fn settings(pairs: &[(&'static str, &str)]) -> Settings {
    let mut settings = Settings::default();
    let types = vec!["VULNERABILITY".to_owned()];
    settings.insert("types", Value::List(types));
    for (key, value) in pairs {
        let value = match *value {
            "true" | "false" => Value::Boolean(*value == "true"),
            list if key.ends_with('s') && *key != "branches" => Value::List(
                list.split(',')
                    .filter(|word| !word.is_empty())
                    .map(str::to_owned)
                    .collect(),
            ),
            text => Value::Text(text.to_owned()),
        };
        settings.insert(key, value);
    }
    settings
}

#[test]
fn vulnerabilities_and_hotspots_are_read_unless_something_else_is_asked_for() {
    let selection = Selection::of(&settings(&[]));
    assert_eq!(selection.issues, [Selected::Type("VULNERABILITY")]);
    assert!(selection.hotspots && selection.rule_details && !selection.risks);
    assert_eq!(selection.branches, Branches::Main);
    assert_eq!(selection.words(), "VULNERABILITY issues and hotspots");
    let selection = Selection::of(&settings(&[
        ("types", "CODE_SMELL,BUG,BUG"),
        ("hotspots", "false"),
        ("dependency_risks", "true"),
    ]));
    assert_eq!(
        selection.words(),
        "BUG, CODE_SMELL issues and dependency risks"
    );
    let selection = Selection::of(&settings(&[("software_qualities", "SECURITY")]));
    assert_eq!(selection.issues, [Selected::Quality("SECURITY")]);
}

#[test]
fn a_branch_or_a_pull_request_is_named_or_all_branches_are_followed() {
    let of = |pairs: &[(&'static str, &str)]| Selection::of(&settings(pairs)).branches;
    assert_eq!(of(&[("branches", "all")]), Branches::All);
    assert_eq!(
        of(&[("branch", " release/2.0 ")]),
        Branches::One("release/2.0".to_owned())
    );
    assert_eq!(
        of(&[("pull_request", "12")]),
        Branches::PullRequest("12".to_owned())
    );
    let all = settings(&[("branches", "all")]);
    assert_eq!((SPEC.reads_several_branches)(&all), Some("branches"));
    assert_eq!((SPEC.reads_several_branches)(&settings(&[])), None);
}

#[test]
fn mistakes_in_an_api_configuration_are_told_with_their_key() {
    for (pairs, keys) in [
        (&[][..], &[][..]),
        (&[("project_key", "com.acme:shop")], &[]),
        (
            &[("project_key", "https://sonar.example/dashboard?id=shop")],
            &["project_key"],
        ),
        (&[("project_key", "p"), ("branch", "b")], &[]),
        (&[("branch", "b")], &["branch"]),
        (&[("pull_request", "1")], &["pull_request"]),
        (
            &[("project_key", "p"), ("branch", "b"), ("pull_request", "1")],
            &["pull_request"],
        ),
        (
            &[("project_key", "p"), ("branch", "b"), ("branches", "all")],
            &["branch"],
        ),
        (
            &[("types", "BUG"), ("software_qualities", "SECURITY")],
            &["software_qualities"],
        ),
        (&[("types", ""), ("software_qualities", "SECURITY")], &[]),
        (&[("software_qualities", "SECURITY")], &[]),
        (&[("types", "")], &[]),
        (&[("types", ""), ("hotspots", "false")], &["types"]),
        (&[("prohibited_licenses", "true")], &["prohibited_licenses"]),
    ] {
        let wrong = validate_api(&Settings::default(), &settings(pairs));
        let told: Vec<_> = wrong.iter().map(|(key, _)| *key).collect();
        assert_eq!(told, keys, "{pairs:?}");
    }
}

#[test]
fn mistakes_in_a_tool_are_told_with_their_key() {
    let told = |location: Option<&str>| {
        let location = location.map(|location| location.parse().unwrap());
        let settings = Settings::default();
        let wrong = validate_tool(&ToolDraft {
            location: location.as_ref(),
            secret: None,
            settings: &settings,
        });
        wrong.into_iter().map(|(key, _)| key).collect::<Vec<_>>()
    };
    assert!(told(Some("https://sonar.example")).is_empty());
    assert_eq!(told(Some("https://sonarcloud.io")), ["organization"]);
    // It is told already that the location is wrong.
    assert!(told(None).is_empty());
}

#[test]
fn a_record_is_selected_by_its_key() {
    let record = Record {
        id: "com.acme:shop".to_owned(),
        name: "com.acme:shop".to_owned(),
        detail: None,
    };
    let selects = |pairs| Selection::of(&settings(pairs)).selects(&record);
    assert!(selects(&[]));
    assert!(selects(&[("project_key", "com.acme:shop")]));
    assert!(!selects(&[("project_key", "com.acme:SHOP")]));
}
