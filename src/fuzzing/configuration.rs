//! The configuration: whatever is wrong is told in lines with a place, and the answer does not depend on luck.

use std::collections::BTreeMap;

use crate::config::{Loaded, Problems, load_texts};
use crate::connectors;

/// Parts end at zero bytes: `secpull.toml`, a file of `conf.d`, and lines `NAME=VALUE` of the environment.
pub(super) fn run(input: &[u8]) {
    let Ok(input) = std::str::from_utf8(input) else {
        return;
    };
    let mut parts = input.splitn(3, '\0');
    let mut part = || parts.next().unwrap_or_default();
    let texts = [("secpull.toml", part()), ("conf.d/10.toml", part())];
    let environment: BTreeMap<String, String> = part()
        .lines()
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let specs: Vec<_> = connectors::specs().collect();
    let load = || load_texts(&texts, &environment, &specs);
    let first = load();
    assert_eq!(told(&first), told(&load()), "a second reading differs");
    if let Ok(loaded) = &first {
        for warning in &loaded.warnings {
            assert!(!warning.contains(['\n', '\r']), "not one line: {warning:?}");
        }
    }
    if let Err(problems) = &first {
        for problem in problems {
            let line = problem.to_string();
            assert!(!problem.message.is_empty(), "a problem without words");
            assert!(!line.contains(['\n', '\r']), "not one line: {line:?}");
            assert!(!line.contains("a mistake in secpull"), "{line}");
        }
        assert!(problems.iter().next().is_some(), "refused for no reason");
    }
}

/// What the admin sees of it.
fn told(loaded: &Result<Loaded, Problems>) -> String {
    match loaded {
        Ok(loaded) => format!("{loaded:?}"),
        Err(problems) => problems.to_string(),
    }
}
