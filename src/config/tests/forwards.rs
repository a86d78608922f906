//! Where findings are sent on to.

use std::time::Duration;

use super::super::{CloseOld, Placeholder};
use super::{Room, TOOL};
use crate::finding::Severity;

/// Three API configurations and a tool that takes findings; what follows begins in line 15.
const ALL: &str = "
[tools.dojo]
connector = 'dump'
[api_configurations.shop-web]
tool = 'scan'
[api_configurations.shop-app]
tool = 'scan'
[api_configurations.till]
tool = 'scan'
";

fn room(forwards: &str) -> Room {
    Room::with(&format!("{TOOL}{ALL}{forwards}\n"))
}

fn problems(forwards: &str) -> Vec<String> {
    room(forwards).problems()
}

#[test]
fn little_written_is_all_defaults() {
    let loaded = room("[forwards.dojo]\ntool = 'dojo'").load().unwrap();
    assert_eq!(loaded.warnings, [""; 0]);
    let forward = &loaded.config.forwards["dojo"];
    let from: Vec<_> = forward.api_configurations.iter().collect();
    assert_eq!(from, ["shop-app", "shop-web", "till"]);
    let value = |place| match place {
        Placeholder::Product => Some("Shop"),
        Placeholder::ApiConfiguration => Some("till"),
        Placeholder::Branch | Placeholder::Service => None,
    };
    assert_eq!(forward.product_type, "secpull");
    assert_eq!(forward.product.render(value), "Shop");
    assert_eq!(forward.engagement.render(value), "secpull");
    assert_eq!(forward.test_title.render(value), "till");
    assert_eq!(forward.close_old, CloseOld::Never);
    assert_eq!(forward.minimum_severity, Severity::Info);
    assert_eq!(forward.test_type, None);
    assert_eq!(forward.tags, ["secpull"]);
    assert_eq!(forward.request_timeout, Duration::from_secs(1800));
}

#[test]
fn everything_written_is_taken() {
    let loaded = room(
        "[forwards.dojo]\ntool = 'dojo'\nfrom = ['shop-*']\nproduct = 'All'\nclose_old = 'complete_only'\n\
         minimum_severity = 'High'\ntest_type = ' Mine '\ntags = ['One', 'two']\nrequest_timeout_seconds = 1",
    );
    let forward = &loaded.load().unwrap().config.forwards["dojo"];
    let from: Vec<_> = forward.api_configurations.iter().collect();
    assert_eq!(from, ["shop-app", "shop-web"]);
    assert_eq!(forward.close_old, CloseOld::CompleteOnly);
    assert_eq!(forward.minimum_severity, Severity::High);
    assert_eq!(forward.test_type.as_deref(), Some("Mine"));
    assert_eq!(forward.tags, ["one", "two"]);
    assert_eq!(forward.request_timeout, Duration::from_secs(1));
}

#[test]
fn mistakes_are_told_with_their_place_and_what_is_allowed() {
    for (line, expected) in [
        (
            "tool = 'scan'",
            "16:8: forwards.x.tool: connector scanner of the tool \"scan\" only reads; allowed: \"dojo\"",
        ),
        (
            "tool = 'doja'",
            "16:8: forwards.x.tool: there is no tool \"doja\"; did you mean dojo?; allowed: \"dojo\"",
        ),
        (
            "tool = 'dojo'\nproduct = '{prodct}'",
            "17:11: forwards.x.product: \"{prodct}\" is no placeholder; allowed: text with the placeholders {product}, {api_configuration}, {branch} and {service}; a brace itself is written twice",
        ),
        (
            "tool = 'dojo'\nclose_old = 'always'",
            "17:13: forwards.x.close_old: \"always\" is not known; allowed: \"never\" or \"complete_only\"",
        ),
        (
            "tool = 'dojo'\nminimum_severity = 'urgent'",
            "17:20: forwards.x.minimum_severity: \"urgent\" is not known; allowed: \"critical\", \"high\", \"medium\", \"low\" or \"info\"",
        ),
        (
            "tool = 'dojo'\nrequest_timeout_seconds = 0",
            "17:27: forwards.x.request_timeout_seconds: 0 is out of range; allowed: a whole number from 1 to 86400",
        ),
        (
            "tool = 'dojo'\ntags = ['a b']",
            "17:8: forwards.x.tags: \"a b\" is no tag; allowed: 1 to 100 characters without space, comma and quotation mark",
        ),
    ] {
        let lines = problems(&format!("[forwards.x]\n{line}"));
        assert_eq!(lines, [format!("secpull.toml:{expected}")]);
    }
    let lines = problems("[forwards.x]\ntool = 'dojo'\nfrm = ['*']");
    assert!(
        lines[0].contains("forwards.x.frm: unknown key; did you mean from?"),
        "{lines:?}"
    );
}

#[test]
fn two_forwards_that_would_fill_the_same_tests_are_a_mistake() {
    let two = |more: &str| {
        format!(
            "[forwards.a]\ntool = 'dojo'\nfrom = ['shop-*']\n[forwards.b]\ntool = 'dojo'\n{more}"
        )
    };
    assert_eq!(
        problems(&two("")),
        [
            "secpull.toml:18:11: forwards.b: would fill the same tests as forwards.a with findings of shop-app; allowed: another from, product, engagement or test_title"
        ]
    );
    for sound in ["from = ['till']", "engagement = 'other'"] {
        assert!(room(&two(sound)).load().is_ok(), "{sound}");
    }
}

#[test]
fn one_name_stands_in_one_file() {
    let room =
        room("[forwards.a]\ntool = 'dojo'").file("conf.d/a.toml", "[forwards.a]\ntool = 'dojo'\n");
    let problems = room.problems().join("\n");
    assert!(
        problems.contains("forwards.a: is already defined in secpull.toml"),
        "{problems}"
    );
}

#[test]
fn nothing_to_forward_is_warned_about() {
    let loaded = room("[forwards.dojo]\ntool = 'dojo'\nfrom = ['shp-*']");
    let warnings = loaded.load().unwrap().warnings;
    assert_eq!(warnings.len(), 1);
    assert!(warnings[0].contains("nothing will be sent"), "{warnings:?}");
}

#[test]
fn a_variable_overrides_a_key() {
    let room = room("[forwards.dojo]\ntool = 'dojo'")
        .variable("SECPULL_FORWARDS__DOJO__CLOSE_OLD", "complete_only");
    let forward = &room.load().unwrap().config.forwards["dojo"];
    assert_eq!(forward.close_old, CloseOld::CompleteOnly);
}
