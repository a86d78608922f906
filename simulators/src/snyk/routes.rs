//! The calls.

use std::sync::Arc;

use axum::Router;
use axum::extract::{FromRequestParts, Path, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use axum::routing::get;
use serde_json::{Value, json};

use super::access::{Caller, caller};
use super::answer::{Refusal, document};
use super::model::{Organization, Quirk, Spelling, World};
use super::query::{Query, Window, cursor, is_uuid};
use super::{Customer, SERVICE_ACCOUNT};
use crate::server::parameters;

/// Parameters of every list.
const OF_LISTS: &[&str] = &["limit", "starting_after", "ending_before"];

/// Parameters of lists of issues beside those.
const OF_ISSUES: &[&str] = &[
    "limit",
    "starting_after",
    "ending_before",
    "scan_item.id",
    "scan_item.type",
    "type",
    "updated_before",
    "updated_after",
    "created_before",
    "created_after",
    "effective_severity_level",
    "status",
    "ignored",
];

/// The customer, as all calls see it.
type Shared = State<Arc<Customer>>;

pub(super) fn api(customer: Customer) -> Router {
    Router::new()
        .route("/rest/self", get(caller_of))
        .route("/rest/orgs", get(organizations))
        .route("/rest/groups/{group}/orgs", get(of_group))
        .route("/rest/orgs/{organization}/projects", get(projects))
        .route("/rest/orgs/{organization}/projects/{project}", get(project))
        .route("/rest/orgs/{organization}/issues", get(issues))
        .route("/rest/groups/{group}/issues", get(issues_of_group))
        .fallback(|| async { Refusal::NotFound("page".to_owned()) })
        .with_state(Arc::new(customer))
}

/// A request with a good key.
struct Request {
    caller: Caller,
    parameters: Vec<(String, String)>,
    path: String,
    host: String,
}

impl FromRequestParts<Arc<Customer>> for Request {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<Customer>) -> Result<Self, Refusal> {
        let caller = caller(&parts.headers)?;
        let parameters = parameters(&parts.extensions);
        Query(&parameters).version()?;
        Ok(Self {
            caller,
            parameters,
            path: parts.uri.path().to_owned(),
            host: host(&parts.headers),
        })
    }
}

fn host(headers: &HeaderMap) -> String {
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    host.unwrap_or_default().to_owned()
}

impl Request {
    fn query(&self) -> Query<'_> {
        Query(&self.parameters)
    }

    /// Refuses a service account of one organization.
    fn of_group(&self, world: &World, group: &str) -> Result<(), Refusal> {
        if !is_uuid(group) {
            return Err(Refusal::Path("group_id"));
        }
        if group != world.group {
            return Err(Refusal::NotFound("group".to_owned()));
        }
        match self.caller {
            Caller::Group => Ok(()),
            Caller::Organization => Err(Refusal::Forbidden),
        }
    }

    /// The link to the page that begins behind so many rows, with all parameters of this one.
    fn link(&self, world: &World, start: u64) -> Value {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (name, value) in &self.parameters {
            if name != "starting_after" {
                query.append_pair(name, value);
            }
        }
        query.append_pair("starting_after", &cursor(start));
        self.link_to(world, &query.finish())
    }

    /// The link to this very page.
    fn link_to_itself(&self, world: &World) -> Value {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(&self.parameters);
        self.link_to(world, &query.finish())
    }

    fn link_to(&self, world: &World, query: &str) -> Value {
        if let Some(Quirk::LeadsTo(origin)) = &world.quirk {
            return json!(format!("{origin}{}?{query}", self.path));
        }
        let inside = self.path.strip_prefix("/rest").unwrap_or(&self.path);
        match world.spelling {
            Spelling::WithRest => json!(format!("{}?{query}", self.path)),
            Spelling::WithoutRest => json!(format!("{inside}?{query}")),
            Spelling::Absolute => json!(format!("http://{}{}?{query}", self.host, self.path)),
            Spelling::Object => json!({"href": format!("{}?{query}", self.path), "meta": {}}),
        }
    }

    /// An answer with the headers about its version.
    fn answer(&self, world: &World, body: &Value) -> Response {
        let mut response = document(StatusCode::OK, body);
        let headers = response.headers_mut();
        let mut set = |name: &'static str, value: &str| {
            if let Ok(value) = HeaderValue::from_str(value) {
                headers.insert(name, value);
            }
        };
        let version = self.query().text("version").unwrap_or_default().to_owned();
        set("snyk-version-requested", &version);
        set("snyk-version-served", &version);
        match &world.sunset {
            Some(date) => {
                set("snyk-version-lifecycle-stage", "deprecated");
                set("deprecation", "2026-01-01T00:00:00Z");
                set("sunset", date);
            }
            None => set("snyk-version-lifecycle-stage", "ga"),
        }
        response
    }

    /// A page of a small list, which has no quirks.
    fn page(&self, world: &World, rows: Vec<Value>) -> Result<Response, Refusal> {
        let Window { start, limit } = self.query().window()?;
        let total = rows.len() as u64;
        let position = |n: u64| usize::try_from(n.min(total)).unwrap_or(usize::MAX);
        let page = rows[position(start)..position(start + limit)].to_vec();
        let mut links = json!({});
        if start + limit < total {
            links["next"] = self.link(world, start + limit);
        }
        Ok(self.answer(
            world,
            &json!({"jsonapi": {"version": "1.0"}, "data": page, "links": links}),
        ))
    }
}

async fn caller_of(State(customer): Shared, request: Request) -> Result<Response, Refusal> {
    request.query().allow(&[])?;
    customer.read(|world| {
        if world.denies_self {
            return Err(Refusal::Forbidden);
        }
        let body = json!({"jsonapi": {"version": "1.0"}, "data": {
            "id": "c0ffee00-0000-4000-8000-000000000000", "type": "service_account",
            "attributes": {"name": SERVICE_ACCOUNT, "default_org_context": null},
        }});
        Ok(request.answer(world, &body))
    })
}

async fn organizations(State(customer): Shared, request: Request) -> Result<Response, Refusal> {
    let allowed = [
        OF_LISTS,
        &["group_id", "is_personal", "slug", "name", "expand"],
    ]
    .concat();
    request.query().allow(&allowed)?;
    customer.read(|world| {
        let slug = request.query().text("slug").map(str::to_owned);
        let mut listed: Vec<_> = world.organizations.iter().collect();
        if request.caller == Caller::Organization {
            listed.truncate(1);
        }
        listed.retain(|one| slug.as_ref().is_none_or(|slug| one.slug == *slug));
        let rows = listed.iter().map(|one| one.render(&world.group)).collect();
        request.page(world, rows)
    })
}

async fn of_group(
    State(customer): Shared,
    Path(group): Path<String>,
    request: Request,
) -> Result<Response, Refusal> {
    request
        .query()
        .allow(&[OF_LISTS, &["name", "slug"]].concat())?;
    customer.read(|world| {
        request.of_group(world, &group)?;
        let organizations = world.organizations.iter();
        let rows = organizations.map(|one| one.render(&world.group)).collect();
        request.page(world, rows)
    })
}

/// The organization that is asked about.
fn organization<'w>(world: &'w World, id: &str) -> Result<&'w Organization, Refusal> {
    if !is_uuid(id) {
        return Err(Refusal::Path("org_id"));
    }
    let mut all = world.organizations.iter();
    let found = all.find(|organization| organization.id.eq_ignore_ascii_case(id));
    let found = found.ok_or_else(|| Refusal::NotFound("org".to_owned()))?;
    match found.is_forbidden {
        true => Err(Refusal::Forbidden),
        false => Ok(found),
    }
}

async fn projects(
    State(customer): Shared,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Refusal> {
    let own = [
        "ids",
        "names",
        "names_start_with",
        "origins",
        "types",
        "target_id",
        "tags",
        "expand",
    ];
    request.query().allow(&[OF_LISTS, &own].concat())?;
    customer.read(|world| {
        let organization = organization(world, &id)?;
        let listed = organization.projects.iter().filter(|one| one.is_listed);
        let rows = listed.map(|one| one.render(&organization.id)).collect();
        request.page(world, rows)
    })
}

async fn project(
    State(customer): Shared,
    Path((id, project)): Path<(String, String)>,
    request: Request,
) -> Result<Response, Refusal> {
    request.query().allow(&["expand"])?;
    customer.read(|world| {
        let organization = organization(world, &id)?;
        let mut projects = organization.projects.iter();
        let project = projects.find(|one| one.id == project);
        let project = project.ok_or_else(|| Refusal::NotFound("project".to_owned()))?;
        let data = project.render(&organization.id);
        Ok(request.answer(
            world,
            &json!({"jsonapi": {"version": "1.0"}, "data": data, "links": {}}),
        ))
    })
}

async fn issues(
    State(customer): Shared,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Refusal> {
    customer.read(|world| {
        let organization = organization(world, &id)?;
        page_of_issues(&request, world, &[organization])
    })
}

async fn issues_of_group(
    State(customer): Shared,
    Path(group): Path<String>,
    request: Request,
) -> Result<Response, Refusal> {
    customer.read(|world| {
        request.of_group(world, &group)?;
        let organizations: Vec<_> = world.organizations.iter().collect();
        page_of_issues(&request, world, &organizations)
    })
}

/// A page of the issues of some organizations, one after the other. Cursors count issues as they were made, whatever the
/// filters let through.
fn page_of_issues(
    request: &Request,
    world: &World,
    organizations: &[&Organization],
) -> Result<Response, Refusal> {
    let query = request.query();
    query.allow(OF_ISSUES)?;
    query.check_filters()?;
    let Window { start, limit } = query.window()?;
    let total: u64 = organizations.iter().map(|one| one.issue_count()).sum();
    let mut rows = Vec::new();
    let (mut at, empty) = match world.quirk {
        // Every other place of such a list is that of an empty page.
        Some(Quirk::EmptyPages) => (start / 2, start % 2 == 1),
        Some(Quirk::Endless) => (start % total.max(1), false),
        _ => (start, start > total),
    };
    let begun = at;
    while at < total && (rows.len() as u64) < limit && !empty {
        rows.extend(issue(organizations, at).filter(|issue| query.passes(issue)));
        at += 1;
    }
    let next = match world.quirk {
        Some(Quirk::EmptyPages) if empty => (at < total).then(|| request.link(world, at * 2)),
        Some(Quirk::EmptyPages) => Some(request.link(world, at * 2 + 1)),
        Some(Quirk::Endless) => Some(request.link(world, start + total.max(1))),
        Some(Quirk::CircleAtTheEnd) if at >= total => Some(request.link_to_itself(world)),
        Some(Quirk::EmptyCircle) if begun > total => Some(request.link_to_itself(world)),
        Some(Quirk::EmptyCircle) if at >= total => Some(request.link(world, total + 1)),
        _ => (at < total).then(|| request.link(world, at)),
    };
    let mut links = json!({"self": request.link_to_itself(world)});
    if let Some(next) = next {
        links["next"] = next;
    }
    let body = json!({"jsonapi": {"version": "1.0"}, "data": rows, "links": links});
    Ok(request.answer(world, &body))
}

/// The issue of a number, if it is reported.
fn issue(organizations: &[&Organization], mut number: u64) -> Option<Value> {
    for organization in organizations {
        let count = organization.issue_count();
        if number < count {
            let issue = organization.issue_at(number)?;
            return organization.reports(&issue).then_some(issue);
        }
        number -= count;
    }
    None
}
