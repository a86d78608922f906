//! The calls.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::{FromRequestParts, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::access::{Caller, caller};
use super::answer::{CAP, Parameters, Refusal, Window, first, one_of, words};
use super::model::{Branch, Hotspot, Project};
use super::render::{self, Ways};
use super::{Edition, ORGANIZATION, Portfolio, rules, search};
use crate::server::parameters;

/// What all calls know.
pub(super) struct Server {
    pub(super) portfolio: Portfolio,
    pub(super) ways: Ways,
    pub(super) mode: &'static str,
    pub(super) advanced_security: bool,
    pub(super) status: &'static str,
}

type Shared = State<Arc<Server>>;
type Answer = Result<Json<Value>, Refusal>;

pub(super) fn router(server: Server, prefix: &str) -> Router {
    let api = Router::new()
        .route("/api/server/version", get(version))
        .route("/api/system/status", get(status))
        .route("/api/authentication/validate", get(validate))
        .route("/api/components/show", get(show_component))
        .route("/api/components/search", get(search_components))
        .route("/api/components/tree", get(tree))
        .route("/api/project_branches/list", get(list_branches))
        .route("/api/issues/search", get(search_issues))
        .route("/api/hotspots/search", get(search_hotspots))
        .route("/api/hotspots/show", get(show_hotspot))
        .route("/api/rules/show", get(show_rule))
        .route("/api/rules/search", get(search_rules))
        .route("/api/v2/clean-code-policy/mode", get(mode))
        .route("/api/v2/sca/issues-releases", get(risks_of_server))
        .route("/sca/issues-releases", get(risks_of_cloud))
        .fallback(fallback)
        .with_state(Arc::new(server));
    match prefix {
        "" => api,
        prefix => Router::new().nest(prefix, api).fallback(fallback),
    }
}

/// A request with the user token: its parameters.
struct User(Parameters);

impl FromRequestParts<Arc<Server>> for User {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, server: &Arc<Server>) -> Result<Self, Refusal> {
        let ways = &server.ways;
        match caller(&parts.headers, ways.knows_bearer) {
            Caller::User => Ok(Self(parameters(&parts.extensions))),
            Caller::Nobody if ways.edition == Edition::Cloud => {
                Err(Refusal::AuthenticationRequired)
            }
            _ => Err(Refusal::Unauthorized),
        }
    }
}

/// A request of whomever.
struct Anyone(Caller);

impl FromRequestParts<Arc<Server>> for Anyone {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, server: &Arc<Server>) -> Result<Self, Refusal> {
        Ok(Self(caller(&parts.headers, server.ways.knows_bearer)))
    }
}

async fn fallback(request: axum::extract::Request) -> Refusal {
    let path = request.uri().path();
    match path.starts_with("/api") || path.starts_with("/sca") {
        true => Refusal::not_found(format!("Unknown url : {path}")),
        false => Refusal::Frontend,
    }
}

async fn version(State(server): Shared) -> Response {
    match server.ways.edition {
        Edition::Server(version) => version.into_response(),
        Edition::Cloud => "8.0.0.79040".into_response(),
    }
}

async fn status(State(server): Shared) -> Json<Value> {
    let version = match server.ways.edition {
        Edition::Server(version) => version,
        Edition::Cloud => "8.0.0.79040",
    };
    Json(json!({"id": "147B411E-AZ", "version": version, "status": server.status}))
}

async fn validate(State(server): Shared, Anyone(caller): Anyone) -> Json<Value> {
    let valid = match server.ways.edition {
        Edition::Server(_) => caller == Caller::User,
        Edition::Cloud => caller != Caller::Stranger,
    };
    Json(json!({"valid": valid}))
}

fn required<'a>(parameters: &'a Parameters, name: &str) -> Result<&'a str, Refusal> {
    first(parameters, name)
        .ok_or_else(|| Refusal::bad(format!("The '{name}' parameter is missing")))
}

/// On Cloud nothing is found in another organization.
fn organization(server: &Server, parameters: &Parameters) -> Result<bool, Refusal> {
    match server.ways.edition {
        Edition::Server(_) => Ok(true),
        Edition::Cloud => Ok(required(parameters, "organization")? == ORGANIZATION),
    }
}

/// A project and its branch, if both are there and may be browsed.
fn found<'a>(
    projects: &'a [Project],
    key: &str,
    parameters: &Parameters,
    what: &str,
) -> Result<(&'a Project, &'a Branch), Refusal> {
    let project = projects.iter().find(|project| project.key == key);
    let project = project.ok_or_else(|| Refusal::not_found(format!("{what} '{key}' not found")))?;
    if !project.browsable {
        return Err(Refusal::forbidden());
    }
    let (branch, number) = (
        first(parameters, "branch"),
        first(parameters, "pullRequest"),
    );
    match project.branch(branch, number) {
        Some(found) => Ok((project, found)),
        None => Err(Refusal::not_found(match (branch, number) {
            (Some(branch), _) => format!("Component '{key}' on branch '{branch}' not found"),
            (_, number) => format!(
                "Component '{key}' of pull request '{}' not found",
                number.unwrap_or_default()
            ),
        })),
    }
}

async fn show_component(State(server): Shared, User(parameters): User) -> Answer {
    let key = required(&parameters, "component")?;
    server.portfolio.read(|projects| {
        let (project, _) = found(projects, key, &parameters, "Component key")?;
        let mut component = render::project(project);
        component["visibility"] = "private".into();
        component["analysisDate"] = "2026-10-01T09:55:00+0200".into();
        Ok(Json(json!({"component": component, "ancestors": []})))
    })
}

async fn search_components(State(server): Shared, User(parameters): User) -> Answer {
    let window = Window::of(&parameters)?;
    let qualifiers = words(&parameters, "qualifiers")
        .ok_or_else(|| Refusal::bad("The 'qualifiers' parameter is missing".to_owned()))?;
    let here = organization(&server, &parameters)?;
    let part = first(&parameters, "q").map(str::to_lowercase);
    Ok(server.portfolio.read(|projects| {
        let mut listed: Vec<_> = projects
            .iter()
            .filter(|one| here && one.browsable && qualifiers.contains(&one.qualifier.as_str()))
            .filter(|one| {
                let has = |text: &str, part: &str| text.to_lowercase().contains(part);
                let part = part.as_deref();
                part.is_none_or(|part| has(&one.name, part) || has(&one.key, part))
            })
            .collect();
        listed.sort_by(|a, b| a.name.cmp(&b.name).then_with(|| a.key.cmp(&b.key)));
        let page = window.rows(&listed).iter();
        let page: Vec<_> = page
            .map(|one| json!({"key": one.key, "name": one.name, "qualifier": one.qualifier, "project": one.key}))
            .collect();
        Json(json!({
            "paging": {"pageIndex": window.number, "pageSize": window.size, "total": listed.len()},
            "components": page,
        }))
    }))
}

async fn tree(State(server): Shared, User(parameters): User) -> Answer {
    let window = Window::of(&parameters)?;
    let key = required(&parameters, "component")?;
    server.portfolio.read(|projects| {
        let (project, branch) = found(projects, key, &parameters, "Component key")?;
        let issues = branch
            .issues
            .iter()
            .filter_map(|issue| issue.path.as_deref());
        let hotspots = branch.hotspots.iter().map(|hotspot| hotspot.path.as_str());
        let paths: BTreeSet<_> = issues.chain(hotspots).collect();
        let paths: Vec<_> = paths.into_iter().collect();
        let page = window.rows(&paths).iter();
        Ok(Json(json!({
            "paging": {"pageIndex": window.number, "pageSize": window.size, "total": paths.len()},
            "baseComponent": render::project(project),
            "components": page.map(|path| render::file(project, path)).collect::<Vec<_>>(),
        })))
    })
}

async fn list_branches(State(server): Shared, User(parameters): User) -> Answer {
    let key = required(&parameters, "project")?;
    server.portfolio.read(|projects| {
        let project = projects.iter().find(|project| project.key == key);
        let project =
            project.ok_or_else(|| Refusal::not_found(format!("Project '{key}' not found")))?;
        if !project.browsable {
            return Err(Refusal::forbidden());
        }
        let branches = project.branches.iter().enumerate();
        let branches: Vec<_> = branches
            .filter(|(_, branch)| !branch.is_pull_request)
            .map(|(index, branch)| {
                json!({
                    "name": branch.name, "isMain": index == 0, "type": "BRANCH",
                    "status": {"qualityGateStatus": "OK"}, "analysisDate": "2026-10-01T09:55:00+0200",
                    "excludedFromPurge": index == 0, "branchId": format!("branch-{index}"),
                })
            })
            .collect();
        Ok(Json(json!({"branches": branches})))
    })
}

async fn search_issues(State(server): Shared, User(parameters): User) -> Answer {
    if server.ways.edition == Edition::Cloud && !organization(&server, &parameters)? {
        let nothing: [Project; 0] = [];
        return search::issues(&nothing, &parameters, server.ways).map(Json);
    }
    let answer = server
        .portfolio
        .read(|projects| search::issues(projects, &parameters, server.ways));
    answer.map(Json)
}

async fn search_hotspots(State(server): Shared, User(parameters): User) -> Answer {
    let window = Window::of(&parameters)?;
    let ways = server.ways;
    let key = ways
        .project
        .iter()
        .find_map(|name| first(&parameters, name));
    let key = key.ok_or_else(|| {
        Refusal::bad(format!(
            "A value must be provided for either parameter '{}' or parameter 'hotspots'",
            ways.project[0]
        ))
    })?;
    let status = one_of(&parameters, "status", &["TO_REVIEW", "REVIEWED"])?;
    let resolutions: &[&str] = match ways.edition {
        Edition::Cloud => &["FIXED", "SAFE"],
        Edition::Server(_) => &["FIXED", "SAFE", "ACKNOWLEDGED"],
    };
    let resolution = one_of(&parameters, "resolution", resolutions)?;
    if resolution.is_some() && status.as_deref() != Some(&["REVIEWED"]) {
        return Err(Refusal::bad(
            "Value of parameter 'resolution' can only be used with status 'REVIEWED'".to_owned(),
        ));
    }
    let files = words(&parameters, "files");
    server.portfolio.read(|projects| {
        let (project, branch) = found(projects, key, &parameters, "Project")?;
        let listed: Vec<&Hotspot> = branch
            .hotspots
            .iter()
            .filter(|one| {
                status
                    .as_ref()
                    .is_none_or(|list| list.contains(&one.status.as_str()))
            })
            .filter(|one| {
                let own = one.resolution.as_deref().unwrap_or_default();
                resolution.as_ref().is_none_or(|list| list.contains(&own))
            })
            .filter(|one| {
                files
                    .as_ref()
                    .is_none_or(|list| list.contains(&one.path.as_str()))
            })
            .collect();
        let total = match ways.edition {
            Edition::Cloud => listed.len().min(CAP),
            Edition::Server(_) => listed.len(),
        };
        let page = window.rows(&listed);
        let paths: BTreeSet<_> = page.iter().map(|one| one.path.as_str()).collect();
        let files = paths.into_iter().map(|path| render::file(project, path));
        let components: Vec<_> = files.chain([render::project(project)]).collect();
        let rows: Vec<_> = page
            .iter()
            .map(|one| render::hotspot(one, project, ways))
            .collect();
        Ok(Json(json!({
            "paging": {"pageIndex": window.number, "pageSize": window.size, "total": total},
            "hotspots": rows, "components": components,
        })))
    })
}

async fn show_hotspot(State(server): Shared, User(parameters): User) -> Answer {
    let key = required(&parameters, "hotspot")?;
    server.portfolio.read(|projects| {
        let mut all = projects
            .iter()
            .filter(|project| project.browsable)
            .flat_map(|project| {
                let branches = project.branches.iter();
                branches
                    .flat_map(move |branch| branch.hotspots.iter().map(move |one| (project, one)))
            });
        let found = all.find(|(_, one)| one.key == key);
        let (project, one) =
            found.ok_or_else(|| Refusal::not_found(format!("Hotspot '{key}' does not exist")))?;
        Ok(Json(render::hotspot_alone(one, project, server.ways)))
    })
}

async fn show_rule(State(server): Shared, User(parameters): User) -> Answer {
    let key = required(&parameters, "key")?;
    let here = organization(&server, &parameters)?;
    match rules::rule(key).filter(|_| here) {
        Some(rule) => Ok(Json(json!({"rule": rule, "actives": []}))),
        None => Err(Refusal::not_found(format!("Rule not found: {key}"))),
    }
}

async fn search_rules(State(server): Shared, User(parameters): User) -> Answer {
    let here = organization(&server, &parameters)?;
    let key = first(&parameters, "rule_key").unwrap_or_default();
    let rule = rules::rule(key).filter(|_| here);
    let rule = rule.map(|mut rule| {
        rule["securityStandards"] = rules::standards(key);
        rule
    });
    let rules: Vec<_> = rule.into_iter().collect();
    let total = rules.len();
    Ok(Json(json!({
        "total": total, "p": 1, "ps": 100, "rules": rules,
        "paging": {"pageIndex": 1, "pageSize": 100, "total": total},
    })))
}

async fn mode(State(server): Shared, User(_): User) -> Answer {
    match server.ways.has_modes {
        true => Ok(Json(json!({"mode": server.mode, "modified": false}))),
        false => Err(Refusal::not_found(
            "Unknown url : /api/v2/clean-code-policy/mode".to_owned(),
        )),
    }
}

async fn risks_of_server(State(server): Shared, User(parameters): User) -> Answer {
    match server.ways.edition {
        Edition::Server(_) => risks(&server, &parameters),
        Edition::Cloud => Err(Refusal::not_found("Unknown url".to_owned())),
    }
}

async fn risks_of_cloud(State(server): Shared, User(parameters): User) -> Answer {
    match server.ways.edition {
        Edition::Cloud => risks(&server, &parameters),
        Edition::Server(_) => Err(Refusal::Frontend),
    }
}

fn risks(server: &Server, parameters: &Parameters) -> Answer {
    let not_found = |message: &str| Refusal::SaysV2(StatusCode::NOT_FOUND, message.to_owned());
    if !server.ways.has_risks || !server.advanced_security {
        return Err(not_found("No static resource sca/issues-releases."));
    }
    let key = required(parameters, "projectKey")?;
    let window = Window::of_v2(parameters)?;
    server.portfolio.read(|projects| {
        let project = projects.iter().find(|one| one.key == key && one.browsable);
        let project = project.ok_or_else(|| not_found("Project not found"))?;
        let (branch, number) = (
            first(parameters, "branchKey"),
            first(parameters, "pullRequestKey"),
        );
        let branch = project.branch(branch, number);
        let branch = branch.ok_or_else(|| not_found("Branch not found"))?;
        let total = branch.risks.len();
        Ok(Json(json!({
            "issuesReleases": window.rows(&branch.risks),
            "branches": [{"uuid": "b", "key": branch.name, "isPullRequest": branch.is_pull_request,
                          "projectKey": project.key, "projectName": project.name}],
            "countWithoutFilters": total,
            "page": {"pageIndex": window.number, "pageSize": window.size, "total": total},
        })))
    })
}
