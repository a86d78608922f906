//! The calls that change something.

use std::time::Duration;

use axum::extract::multipart::MultipartRejection;
use axum::extract::{Multipart, Path, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, LOCATION};
use axum::response::{Html, IntoResponse, Response};
use axum::{Json, http::HeaderMap};
use chrono::Utc;
use serde_json::{Map, Value, json};

use super::access::Caller;
use super::answer::Refusal;
use super::form::Form;
use super::import::{self, Refused};
use super::model::Gateway;
use super::page::Window;
use super::routes::Instance;
use super::{Finding, TestImport, render};
use crate::server::lock;

/// What the proxy before it says when it has no answer.
pub(super) fn bad_gateway() -> Response {
    let page = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>";
    (StatusCode::BAD_GATEWAY, Html(page)).into_response()
}

/// The permission is looked at before the method is.
pub(super) async fn no_reimport(_: Caller) -> Response {
    context("product_name parameter missing")
}

pub(super) async fn reimport(
    State(instance): State<Instance>,
    _: Caller,
    headers: HeaderMap,
    form: Result<Multipart, MultipartRejection>,
) -> Response {
    if lock(&instance.world).behaviour.redirects {
        let elsewhere = format!("{}/api/v2/reimport-scan/elsewhere/", instance.prefix);
        return (StatusCode::MOVED_PERMANENTLY, [(LOCATION, elsewhere)]).into_response();
    }
    let Ok(form) = form else {
        let kind = headers
            .get(CONTENT_TYPE)
            .and_then(|kind| kind.to_str().ok());
        let detail = format!(
            "Unsupported media type \"{}\" in request.",
            kind.unwrap_or_default()
        );
        let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        return (status, Json(json!({"detail": detail}))).into_response();
    };
    let Some(form) = Form::read(form).await else {
        let detail = json!({"detail": "Multipart form parse error"});
        return (StatusCode::BAD_REQUEST, Json(detail)).into_response();
    };
    let (gateway, takes) = {
        let mut world = lock(&instance.world);
        let behaviour = &mut world.behaviour;
        let gateway = match behaviour.gateway.is_empty() {
            true => Gateway::Passes,
            false => behaviour.gateway.remove(0),
        };
        (gateway, behaviour.import_takes)
    };
    if gateway == Gateway::NotReached {
        return bad_gateway();
    }
    // The server goes on whether anybody waits for the answer or not.
    let work = tokio::spawn(work(instance, form, takes));
    match gateway {
        Gateway::Hangs => std::future::pending().await,
        Gateway::GivesUp => {
            let _done = work.await;
            bad_gateway()
        }
        Gateway::IsImpatient => bad_gateway(),
        Gateway::Passes | Gateway::NotReached => match work.await {
            Ok(answer) => answer,
            Err(_) => unforeseen(),
        },
    }
}

/// Looks up first and creates after a while: two at a time create two.
async fn work(instance: Instance, form: Form, takes: Duration) -> Response {
    let looked_up = {
        let mut world = lock(&instance.world);
        if !world.behaviour.may_write {
            return forbidden();
        }
        if let Some((field, words)) = form.fault() {
            return invalid(field, &words);
        }
        import::look_up(&mut world, &form)
    };
    let target = match looked_up {
        Ok(target) => target,
        Err(refused) => return refusal(refused),
    };
    tokio::time::sleep(takes).await;
    if !form.is_json() {
        return refusal(Refused::Report(
            "['Unable to parse the file as CSV']".to_owned(),
        ));
    }
    let imported = import::import(&mut lock(&instance.world), &form, target);
    match imported {
        Ok(answer) => (StatusCode::CREATED, Json(answer)).into_response(),
        Err(refused) => refusal(refused),
    }
}

fn advert() -> Value {
    json!([
        "Did you know, Pro has an automated no-code connector for DefectDojo? Try today for free or email us at hello@dojo.example"
    ])
}

fn context(words: &str) -> Response {
    (StatusCode::BAD_REQUEST, Json(json!([words]))).into_response()
}

fn invalid(field: &str, words: &str) -> Response {
    let message = format!("{{'{field}': [ErrorDetail(string='{words}', code='invalid')]}}");
    let body = json!({field: [words], "message": message, "pro": advert()});
    (StatusCode::BAD_REQUEST, Json(body)).into_response()
}

fn forbidden() -> Response {
    let body = json!({"detail": "You do not have permission to perform this action."});
    (StatusCode::FORBIDDEN, Json(body)).into_response()
}

fn unforeseen() -> Response {
    let message = "Internal server error, check logs for details";
    let body = json!({"message": message, "pro": advert()});
    (StatusCode::INTERNAL_SERVER_ERROR, Json(body)).into_response()
}

fn refusal(refused: Refused) -> Response {
    match refused {
        Refused::Context(words) => context(&words),
        Refused::Report(words) => {
            let body = json!({"message": format!("[\"{words}\"]"), "pro": advert()});
            (StatusCode::BAD_REQUEST, Json(body)).into_response()
        }
        Refused::Unforeseen => unforeseen(),
    }
}

pub(super) async fn test_imports(
    State(instance): State<Instance>,
    caller: Caller,
) -> Result<Json<Value>, Refusal> {
    let world = lock(&instance.world);
    let test = caller.existing("test", |id| world.tests.get(id).is_some())?;
    let build = caller.last("build_id");
    let rows = world.test_imports.iter().filter(|(_, row)| {
        world.behaviour.import_history
            && world.shows_test(row.test)
            && test.is_none_or(|test| row.test == test)
            && build.is_none_or(|build| row.build_id.as_deref() == Some(build))
    });
    let mut rows: Vec<(u64, &TestImport)> = rows.collect();
    match caller.last("o") {
        Some("-id") => rows.reverse(),
        Some("id") | None => {}
        Some(word) => {
            return Err(Refusal::Invalid {
                parameter: "o",
                message: format!(
                    "Select a valid choice. {word} is not one of the available choices."
                ),
            });
        }
    }
    let window = Window::of(&caller, world.behaviour.longest_page);
    let shown = window.cut(&rows).iter();
    let shown = shown
        .map(|(id, row)| render::test_import(*id, row))
        .collect();
    Ok(Json(window.answer(&caller, rows.len() as u64, shown)))
}

pub(super) async fn change_finding(
    State(instance): State<Instance>,
    Path(id): Path<String>,
    _: Caller,
    Json(change): Json<Map<String, Value>>,
) -> Response {
    let mut world = lock(&instance.world);
    let Ok(id) = id.parse::<u64>() else {
        return Refusal::NoPath.into_response();
    };
    let test = world.findings.get(id).map(|finding| finding.test);
    if !test.is_some_and(|test| world.shows_test(test)) {
        return Refusal::Gone("Finding").into_response();
    }
    if !world.behaviour.may_write || !world.behaviour.may_edit {
        return forbidden();
    }
    let accepts = world.behaviour.simple_risk_acceptance;
    if change.get("risk_accepted") == Some(&Value::Bool(true)) && !accepts {
        let words = "Simple risk acceptance is disabled for this product, use the UI to accept this finding.";
        return context(words);
    }
    if let Some(finding) = world.findings.get_mut(id) {
        apply(finding, &change);
    }
    match world.findings.get(id) {
        Some(finding) => Json(render::finding(&world, id, finding)).into_response(),
        None => Refusal::Gone("Finding").into_response(),
    }
}

/// Some members of a finding bring others along.
fn apply(finding: &mut Finding, change: &Map<String, Value>) {
    let now = Utc::now();
    let flag = |name: &str| change.get(name).and_then(Value::as_bool);
    if let Some(severity) = change.get("severity").and_then(Value::as_str) {
        severity.clone_into(&mut finding.severity);
    }
    for (field, name) in [
        (&mut finding.under_review, "under_review"),
        (&mut finding.risk_accepted, "risk_accepted"),
        (&mut finding.false_p, "false_p"),
        (&mut finding.out_of_scope, "out_of_scope"),
        (&mut finding.active, "active"),
        (&mut finding.is_mitigated, "is_mitigated"),
    ] {
        if let Some(value) = flag(name) {
            *field = value;
        }
    }
    if flag("active") == Some(true) {
        finding.false_p = false;
        finding.out_of_scope = false;
        finding.is_mitigated = false;
        finding.mitigated = None;
    }
    if flag("false_p") == Some(true) || flag("out_of_scope") == Some(true) {
        import::close(finding, now);
    }
    finding.updated = now;
}

#[cfg(test)]
mod tests;
