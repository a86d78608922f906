//! The layer over a simulator's router that lets misfortunes happen.

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;

use super::plan::page_of;
use super::{Misfortune, answers, rows};
use crate::server::{Peer, Shared, change_parameters, credential, lock, parameters};

/// Page that only [`Misfortune::EndlessPages`] reaches; its total is always one page ahead.
const ONE_MORE: u64 = 1;

pub(crate) async fn apply(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    request: Request,
    next: Next,
) -> Response {
    let dialect = shared.dialect;
    let parameters = parameters(request.extensions());
    let struck = lock(&shared.plans).strike(dialect, request.uri().path(), &parameters);
    let Some(misfortune) = struck else {
        return next.run(request).await;
    };
    match misfortune {
        Misfortune::EmptyAnswer => answers::empty(dialect),
        Misfortune::PermissionLostInTheMiddle => StatusCode::FORBIDDEN.into_response(),
        Misfortune::KeyRevoked => StatusCode::UNAUTHORIZED.into_response(),
        Misfortune::TooManyRequests { retry_after } => answers::too_many_requests(retry_after),
        Misfortune::ServerError | Misfortune::ServerErrorOnPage(_) => {
            (StatusCode::INTERNAL_SERVER_ERROR, "internal server error").into_response()
        }
        Misfortune::BadGateway => answers::bad_gateway(),
        Misfortune::HtmlLoginPage => answers::login_page(),
        Misfortune::HugeBody => answers::huge_body(dialect),
        Misfortune::HugeRow => answers::huge_row(dialect),
        Misfortune::CompressedBomb => answers::bomb(dialect),
        Misfortune::NoAnswer => std::future::pending().await,
        Misfortune::RedirectToAnotherHost => {
            answers::redirect(&shared.elsewhere, request.uri().path())
        }
        Misfortune::TruncatedJson => {
            altered(request, next, |body| {
                Body::from(body.slice(..body.len() / 2))
            })
            .await
        }
        Misfortune::GarbageBehindJson => {
            altered(request, next, |body| {
                Body::from([&body[..], b"\n<b>Warning</b>: something in line 12"].concat())
            })
            .await
        }
        Misfortune::InvalidUtf8 => {
            altered(request, next, |body| {
                Body::from(rows::with_invalid_utf8(&body))
            })
            .await
        }
        Misfortune::OneByteASecond => altered(request, next, answers::one_byte_a_second).await,
        Misfortune::ConnectionReset => {
            peer.reset_at_end();
            altered(request, next, answers::broken_half_way).await
        }
        Misfortune::WrongContentType => {
            let mut response = next.run(request).await;
            let text = HeaderValue::from_static("text/plain; charset=utf-8");
            response.headers_mut().insert(CONTENT_TYPE, text);
            response
        }
        Misfortune::RepeatedPage => {
            next.run(with_page(
                request,
                dialect.page_parameters,
                dialect.first_page,
            ))
            .await
        }
        Misfortune::EndlessPages => {
            let page = page_of(dialect, &parameters).unwrap_or(dialect.first_page);
            let first = with_page(request, dialect.page_parameters, dialect.first_page);
            let pages = u64::from(page - dialect.first_page) + 1 + ONE_MORE;
            let mut response = altered(first, next, |body| {
                let body = rows::as_of_page(dialect, &body, page);
                Body::from(rows::with_total(dialect, &body, pages))
            })
            .await;
            raise_total(&mut response, dialect.total_header, pages);
            response
        }
        Misfortune::UnknownEnumValues => {
            altered(request, next, |body| {
                Body::from(rows::with_unknown_words(dialect, &body))
            })
            .await
        }
        Misfortune::WrongTypesAndNullsInARow => {
            altered(request, next, |body| {
                Body::from(rows::with_wrong_types(dialect, &body))
            })
            .await
        }
        Misfortune::CredentialInAnError => answers::echo(&credential(request.headers())),
        Misfortune::CredentialInARow => {
            let credential = credential(request.headers());
            altered(request, next, |body| {
                Body::from(rows::with_text(dialect, &body, &credential))
            })
            .await
        }
        Misfortune::NullInsteadOfARow => {
            altered(request, next, |body| {
                Body::from(rows::with_null_row(dialect, &body))
            })
            .await
        }
    }
}

/// The answer with another body; status and headers stay, but for the length.
async fn altered(request: Request, next: Next, alter: impl FnOnce(Bytes) -> Body) -> Response {
    let (mut parts, body) = next.run(request).await.into_parts();
    match to_bytes(body, usize::MAX).await {
        Ok(body) => {
            parts.headers.remove(CONTENT_LENGTH);
            Response::from_parts(parts, alter(body))
        }
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

/// The same request for another page.
fn with_page(mut request: Request, names: &[&str], page: u32) -> Request {
    change_parameters(request.extensions_mut(), |key, value| {
        if names.contains(&key) {
            *value = page.to_string();
        }
    });
    request
}

/// The total grows with the page, so that it never says that all has been read.
fn raise_total(response: &mut Response, header: Option<&'static str>, pages: u64) {
    let Some(header) = header else { return };
    let total = response
        .headers()
        .get(header)
        .and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if let Some(total) = total {
        let total = total.saturating_mul(pages);
        response.headers_mut().insert(header, total.into());
    }
}
