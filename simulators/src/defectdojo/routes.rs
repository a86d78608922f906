//! The calls.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use axum::extract::{DefaultBodyLimit, Path, Request, State};
use axum::http::StatusCode;
use axum::http::Uri;
use axum::http::header::LOCATION;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

use super::access::Caller;
use super::answer::Refusal;
use super::model::World;
use super::page::Window;
use super::{filter, render, uploads};
use crate::server::lock;

/// What all calls know.
#[derive(Debug, Clone)]
pub(super) struct Instance {
    pub(super) world: Arc<Mutex<World>>,
    pub(super) prefix: &'static str,
    /// Lists of findings that were asked for.
    turn: Arc<AtomicU64>,
}

type Answer = Result<Json<Value>, Refusal>;

pub(super) fn router(world: Arc<Mutex<World>>, prefix: &'static str) -> Router {
    let instance = Instance {
        world,
        prefix,
        turn: Arc::default(),
    };
    let api = Router::new()
        .route("/api/v2/user_profile/", only(get(user_profile)))
        .route("/api/v2/product_types/", only(get(product_types)))
        .route("/api/v2/test_types/", only(get(test_types)))
        .route("/api/v2/products/", only(get(products)))
        .route("/api/v2/products/{id}/", only(get(product)))
        .route("/api/v2/engagements/", only(get(engagements)))
        .route("/api/v2/engagements/{id}/", only(get(engagement)))
        .route("/api/v2/tests/", only(get(tests)))
        .route("/api/v2/tests/{id}/", only(get(test)))
        .route("/api/v2/findings/", only(get(findings)))
        .route(
            "/api/v2/findings/{id}/",
            only(get(finding).patch(uploads::change_finding)),
        )
        .route("/api/v2/test_imports/", only(get(uploads::test_imports)))
        .route(
            "/api/v2/reimport-scan/",
            post(uploads::reimport)
                .get(uploads::no_reimport)
                .layer(DefaultBodyLimit::disable()),
        )
        .route("/", get(front))
        .fallback(elsewhere)
        .layer(from_fn_with_state(instance.clone(), when_up))
        .with_state(instance);
    match prefix {
        "" => api,
        prefix => Router::new()
            .nest(prefix, api)
            .fallback(async || Refusal::NoPath),
    }
}

/// While the instance is down, the proxy before it answers.
async fn when_up(State(instance): State<Instance>, request: Request, next: Next) -> Response {
    let is_down = lock(&instance.world).behaviour.down;
    match is_down {
        true => uploads::bad_gateway(),
        false => next.run(request).await,
    }
}

/// Other methods are refused, to those who may ask at all.
fn only(methods: MethodRouter<Instance>) -> MethodRouter<Instance> {
    methods
        .fallback(async |_: Caller, request: Request| Refusal::Method(request.method().to_string()))
}

/// The web application wants a login.
async fn front() -> Response {
    (StatusCode::FOUND, [(LOCATION, "/login?next=/")]).into_response()
}

/// A path of the API without its last slash leads to the one with it, whatever the method: a body is lost then.
async fn elsewhere(State(instance): State<Instance>, uri: Uri) -> Response {
    const LISTS: &[&str] = &[
        "user_profile",
        "product_types",
        "test_types",
        "products",
        "engagements",
        "tests",
        "findings",
        "test_imports",
        "import-scan",
        "reimport-scan",
    ];
    let path = uri.path();
    let is_known = path.strip_prefix("/api/v2/").is_some_and(|rest| {
        let mut parts = rest.split('/');
        let is_list = parts.next().is_some_and(|list| LISTS.contains(&list));
        let id = parts.next();
        let is_id = id.is_none_or(|id| !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit()));
        is_list && is_id && parts.next().is_none()
    });
    if !is_known {
        return Refusal::NoPath.into_response();
    }
    let query = uri.query().map(|query| format!("?{query}"));
    let slashed = format!("{}{path}/{}", instance.prefix, query.unwrap_or_default());
    (StatusCode::MOVED_PERMANENTLY, [(LOCATION, slashed)]).into_response()
}

async fn user_profile(_: Caller) -> Json<Value> {
    Json(json!({
        "user": {
            "id": 2, "username": "secpull", "first_name": "", "last_name": "", "email": "secpull@dojo.example",
            "date_joined": "2026-07-01T06:00:00.000001Z", "last_login": null, "is_active": true, "is_staff": false,
            "is_superuser": false, "token_last_reset": null, "password_last_reset": null, "configuration_permissions": [],
        },
        "user_contact_info": null,
    }))
}

/// The page of these rows that was asked for.
fn page<T>(
    world: &World,
    caller: &Caller,
    rows: &[(u64, &T)],
    render: impl Fn(u64, &T) -> Value,
) -> Json<Value> {
    let window = Window::of(caller, world.behaviour.longest_page);
    let cut = window.cut(rows).iter();
    let shown = cut.map(|(id, row)| render(*id, row)).collect();
    Json(window.answer(caller, rows.len() as u64, shown))
}

async fn product_types(State(instance): State<Instance>, caller: Caller) -> Answer {
    let world = lock(&instance.world);
    let name = caller.last("name");
    let mut rows: Vec<_> = world
        .product_types
        .iter()
        .filter(|(_, row)| name.is_none_or(|name| row.name == name))
        .collect();
    rows.sort_by(|(_, a), (_, b)| a.name.cmp(&b.name));
    Ok(page(&world, &caller, &rows, render::product_type))
}

async fn test_types(State(instance): State<Instance>, caller: Caller) -> Answer {
    let world = lock(&instance.world);
    let name = caller.last("name");
    let rows = world.test_types.iter();
    let rows: Vec<_> = rows
        .filter(|(_, row)| name.is_none_or(|name| row.name == name))
        .collect();
    Ok(page(&world, &caller, &rows, render::test_type))
}

async fn products(State(instance): State<Instance>, caller: Caller) -> Answer {
    let world = lock(&instance.world);
    let ids = caller.numbers("id")?;
    let part = caller.last("name").map(str::to_lowercase);
    let exact = caller.last("name_exact").map(str::to_lowercase);
    let mut rows: Vec<_> = world
        .products
        .iter()
        .filter(|(id, product)| {
            let name = product.name.to_lowercase();
            world.behaviour.shows(*id)
                && ids.as_ref().is_none_or(|ids| ids.contains(id))
                && part.as_ref().is_none_or(|part| name.contains(part))
                && exact.as_ref().is_none_or(|exact| name == *exact)
        })
        .collect();
    rows.sort_by(|(_, a), (_, b)| a.name.cmp(&b.name));
    let render = |id, row: &_| render::product(&world, id, row);
    Ok(page(&world, &caller, &rows, render))
}

async fn product(State(instance): State<Instance>, Path(id): Path<String>, _: Caller) -> Answer {
    let world = lock(&instance.world);
    let id = id_of(&id)?;
    let product = world.products.get(id);
    let product = product.filter(|_| world.behaviour.shows(id));
    let product = product.ok_or(Refusal::Gone("Product"))?;
    Ok(Json(render::product(&world, id, product)))
}

async fn engagements(State(instance): State<Instance>, caller: Caller) -> Answer {
    let world = lock(&instance.world);
    let product = caller.existing("product", |id| world.products.get(id).is_some())?;
    let name = caller.last("name");
    let rows = world.engagements.iter().filter(|(_, row)| {
        world.behaviour.shows(row.product)
            && product.is_none_or(|product| row.product == product)
            && name.is_none_or(|name| row.name == name)
    });
    let rows: Vec<_> = rows.collect();
    Ok(page(&world, &caller, &rows, render::engagement))
}

async fn engagement(State(instance): State<Instance>, Path(id): Path<String>, _: Caller) -> Answer {
    let world = lock(&instance.world);
    let id = id_of(&id)?;
    let engagement = world.engagements.get(id);
    let engagement = engagement.filter(|row| world.behaviour.shows(row.product));
    let engagement = engagement.ok_or(Refusal::Gone("Engagement"))?;
    Ok(Json(render::engagement(id, engagement)))
}

async fn tests(State(instance): State<Instance>, caller: Caller) -> Answer {
    let world = lock(&instance.world);
    let engagement = caller.existing("engagement", |id| world.engagements.get(id).is_some())?;
    let words = |name| {
        caller
            .last(name)
            .map(|list| list.split(',').collect::<Vec<_>>())
    };
    let (tags, not_tags) = (words("tags"), words("not_tags"));
    let any = |list: &[&str], tags: &[String]| tags.iter().any(|tag| list.contains(&tag.as_str()));
    let title = caller.last("title");
    let rows = world.tests.iter().filter(|(id, row)| {
        world.shows_test(*id)
            && engagement.is_none_or(|engagement| row.engagement == engagement)
            && title.is_none_or(|title| row.title.as_deref() == Some(title))
            && tags.as_ref().is_none_or(|list| any(list, &row.tags))
            && !not_tags.as_ref().is_some_and(|list| any(list, &row.tags))
    });
    let rows: Vec<_> = rows.collect();
    let render = |id, row: &_| render::test(&world, id, row);
    Ok(page(&world, &caller, &rows, render))
}

async fn test(State(instance): State<Instance>, Path(id): Path<String>, _: Caller) -> Answer {
    let world = lock(&instance.world);
    let id = id_of(&id)?;
    let test = world.tests.get(id).filter(|_| world.shows_test(id));
    let test = test.ok_or(Refusal::Gone("Test"))?;
    Ok(Json(render::test(&world, id, test)))
}

async fn findings(State(instance): State<Instance>, caller: Caller) -> Answer {
    let world = lock(&instance.world);
    let turn = instance.turn.fetch_add(1, Ordering::Relaxed);
    let ids = filter::findings(&world, &caller, turn)?;
    let window = Window::of(&caller, world.behaviour.longest_page);
    let rows = window.cut(&ids).iter().filter_map(|id| {
        let finding = world.findings.get(*id)?;
        Some(render::finding(&world, *id, finding))
    });
    let rows = rows.collect();
    let count = world.behaviour.count.unwrap_or(ids.len() as u64);
    Ok(Json(window.answer(&caller, count, rows)))
}

async fn finding(State(instance): State<Instance>, Path(id): Path<String>, _: Caller) -> Answer {
    let world = lock(&instance.world);
    let id = id_of(&id)?;
    let finding = world.findings.get(id);
    let finding = finding.filter(|finding| world.shows_test(finding.test));
    let finding = finding.ok_or(Refusal::Gone("Finding"))?;
    Ok(Json(render::finding(&world, id, finding)))
}

/// What is no number is no path.
fn id_of(text: &str) -> Result<u64, Refusal> {
    text.parse().map_err(|_| Refusal::NoPath)
}
