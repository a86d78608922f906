//! The search for issues.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::answer::{CAP, Parameters, Refusal, Window, first, words};
use super::filter::{Filter, directory};
use super::model::{Branch, Issue, Project};
use super::render::{self, Ways};
use super::{Edition, rules};

/// No facet lists more values than this.
const FACET_VALUES: usize = 100;

type Row<'a> = (&'a Project, &'a Branch, &'a Issue);

/// Answers `issues/search`.
pub(super) fn issues(
    projects: &[Project],
    parameters: &Parameters,
    ways: Ways,
) -> Result<Value, Refusal> {
    let window = Window::of(parameters)?;
    let filter = Filter::of(parameters, &ways)?;
    let all = of_components(projects, parameters, ways)?;
    let mut listed: Vec<Row<'_>> = all.clone();
    listed.retain(|(_, _, issue)| filter.admits(issue));
    sort(&mut listed, parameters)?;
    let total = match ways.edition {
        Edition::Cloud => listed.len().min(CAP),
        Edition::Server(_) => listed.len(),
    };
    let page = window.rows(&listed);
    let files: BTreeSet<_> = page
        .iter()
        .filter_map(|(project, _, issue)| Some((project.key.as_str(), issue.path.as_deref()?)))
        .collect();
    let components = projects.iter().flat_map(|project| {
        let own = files.iter().filter(|(key, _)| *key == project.key);
        let own: Vec<_> = own.map(|(_, path)| render::file(project, path)).collect();
        let itself = (!own.is_empty()).then(|| render::project(project));
        own.into_iter().chain(itself)
    });
    let mut body = json!({
        "total": total, "p": window.number, "ps": window.size,
        "paging": {"pageIndex": window.number, "pageSize": window.size, "total": total}, "effortTotal": 30,
        "issues": page.iter().map(|(project, branch, issue)| render::issue(issue, project, branch, ways)).collect::<Vec<_>>(),
        "components": components.collect::<Vec<_>>(),
    });
    if words(parameters, "additionalFields").is_some_and(|fields| fields.contains(&"rules")) {
        let keys: BTreeSet<_> = page.iter().map(|(_, _, issue)| &issue.rule).collect();
        let known = keys.into_iter().filter_map(|key| rules::rule(key));
        body["rules"] = known
            .map(|rule| json!({"key": rule["key"], "name": rule["name"], "lang": rule["lang"], "status": "READY"}))
            .collect();
    }
    let facets = words(parameters, "facets").unwrap_or_default();
    body["facets"] = facets
        .into_iter()
        .map(|name| facet(name, &all, parameters, ways))
        .collect::<Result<_, _>>()?;
    Ok(body)
}

/// The issues of the project and branch that are asked for; of all projects if no filter is known by its name.
fn of_components<'a>(
    projects: &'a [Project],
    parameters: &Parameters,
    ways: Ways,
) -> Result<Vec<Row<'a>>, Refusal> {
    let keys = ways.components.iter();
    let keys = keys.filter_map(|name| words(parameters, name)).next();
    let (branch, number) = (
        first(parameters, "branch"),
        first(parameters, "pullRequest"),
    );
    if branch.is_some() && number.is_some() {
        return Err(Refusal::bad(
            "Only one of parameters 'branch' and 'pullRequest' can be provided".to_owned(),
        ));
    }
    let wanted = projects.iter().filter(|project| {
        let named = keys
            .as_ref()
            .is_none_or(|keys| keys.contains(&project.key.as_str()));
        project.browsable && named
    });
    Ok(wanted
        .filter_map(|project| Some((project, project.branch(branch, number)?)))
        .flat_map(|(project, branch)| branch.issues.iter().map(move |one| (project, branch, one)))
        .collect())
}

fn sort(listed: &mut [Row<'_>], parameters: &Parameters) -> Result<(), Refusal> {
    let ascending = first(parameters, "asc") != Some("false");
    match first(parameters, "s") {
        // As they are kept.
        None => {}
        Some("CREATION_DATE") => {
            listed.sort_by_key(|(_, _, issue)| issue.created);
            if !ascending {
                listed.reverse();
            }
        }
        Some(other) => {
            return Err(Refusal::bad(format!(
                "Value of parameter 's' ({other}) must be one of: [CREATION_DATE]"
            )));
        }
    }
    Ok(())
}

fn facet(
    name: &str,
    all: &[Row<'_>],
    parameters: &Parameters,
    ways: Ways,
) -> Result<Value, Refusal> {
    let value = |issue: &Issue| match name {
        "types" => Ok(Some(issue.kind.clone())),
        "severities" => Ok(Some(issue.severity.clone())),
        "rules" => Ok(Some(issue.rule.clone())),
        "directories" => Ok(issue.path.as_deref().and_then(directory).map(str::to_owned)),
        name if name == ways.files => Ok(issue.path.clone()),
        _ => Err(Refusal::bad(format!(
            "Value of parameter 'facets' ({name}) must be one of: [types, severities, rules, directories, {}]",
            ways.files
        ))),
    };
    let filter = Filter::of(parameters, &ways)?.without(name, &ways);
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for (_, _, issue) in all.iter().filter(|(_, _, issue)| filter.admits(issue)) {
        if let Some(value) = value(issue)? {
            *counts.entry(value).or_default() += 1;
        }
    }
    let mut values: Vec<_> = counts.into_iter().collect();
    values.sort_by(|(_, a), (_, b)| b.cmp(a));
    values.truncate(FACET_VALUES);
    let values = values.into_iter();
    let values: Vec<_> = values
        .map(|(val, count)| json!({"val": val, "count": count}))
        .collect();
    Ok(json!({"property": name, "values": values}))
}
