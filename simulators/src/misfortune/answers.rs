//! Answers that owe nothing to the simulator's data, and bodies that never come to a good end.

use std::io;
use std::time::Duration;

use axum::body::Body;
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE, LOCATION, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use bytes::{BufMut, Bytes, BytesMut};
use futures_util::stream::{self, Stream, StreamExt};

use super::Dialect;

const CHUNK: usize = 64 << 10;
const HUGE: usize = 4 << 30;
const JSON: HeaderValue = HeaderValue::from_static("application/json");

pub(super) fn empty(dialect: &Dialect) -> Response {
    let mut response = ([(CONTENT_TYPE, JSON)], dialect.empty).into_response();
    if let Some(header) = dialect.total_header {
        let none = HeaderValue::from_static("0");
        response.headers_mut().insert(header, none);
    }
    response
}

pub(super) fn too_many_requests(retry_after: Option<u32>) -> Response {
    let mut response = (StatusCode::TOO_MANY_REQUESTS, "slow down").into_response();
    if let Some(seconds) = retry_after {
        response.headers_mut().insert(RETRY_AFTER, seconds.into());
    }
    response
}

pub(super) fn echo(credential: &str) -> Response {
    let text = format!("cannot understand a request that came with {credential}");
    (StatusCode::BAD_REQUEST, text).into_response()
}

pub(super) fn bad_gateway() -> Response {
    let page = Html("<html><head><title>502 Bad Gateway</title></head><body></body></html>");
    (StatusCode::BAD_GATEWAY, page).into_response()
}

pub(super) fn login_page() -> Response {
    let page = "<!doctype html><html><head><title>Sign in</title></head><body>\
                <form action=\"/login\"><input name=\"user\"></form></body></html>";
    Html(page).into_response()
}

pub(super) fn redirect(host: &str, path: &str) -> Response {
    (StatusCode::FOUND, [(LOCATION, format!("{host}{path}"))]).into_response()
}

pub(super) fn huge_body(dialect: &'static Dialect) -> Response {
    json(endless(dialect.opening.to_owned(), b' '))
}

pub(super) fn huge_row(dialect: &'static Dialect) -> Response {
    json(endless(
        format!("{}{{\"padding\":\"", dialect.opening),
        b'x',
    ))
}

fn json(body: impl Stream<Item = io::Result<Bytes>> + Send + 'static) -> Response {
    ([(CONTENT_TYPE, JSON)], Body::from_stream(body)).into_response()
}

/// `opening` and then 4 GiB of one byte.
fn endless(opening: String, filler: u8) -> impl Stream<Item = io::Result<Bytes>> {
    let chunk = Bytes::from(vec![filler; CHUNK]);
    stream::once(async move { Bytes::from(opening) })
        .chain(stream::repeat(chunk).take(HUGE / CHUNK))
        .map(Ok)
}

/// A zstd frame (RFC 8878) with the opening in a raw block, and then run-length blocks of 128 KiB white space for four bytes
/// each.
pub(super) fn bomb(dialect: &Dialect) -> Response {
    const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
    const NO_SIZE_NO_CHECKSUM: u8 = 0;
    const WINDOW_OF_128_KIB: u8 = 7 << 3;
    const RAW: u64 = 0;
    const RUN_LENGTH: u64 = 1;
    const BLOCK: u64 = 128 << 10;

    let mut frame = BytesMut::new();
    frame.put_slice(&MAGIC);
    frame.put_u8(NO_SIZE_NO_CHECKSUM);
    frame.put_u8(WINDOW_OF_128_KIB);
    frame.put_uint_le((dialect.opening.len() as u64) << 3 | RAW << 1, 3);
    frame.put_slice(dialect.opening.as_bytes());
    let blocks = HUGE as u64 / BLOCK;
    for block in 1..=blocks {
        let last = u64::from(block == blocks);
        frame.put_uint_le(BLOCK << 3 | RUN_LENGTH << 1 | last, 3);
        frame.put_u8(b' ');
    }
    let encoding = HeaderValue::from_static("zstd");
    let headers = [(CONTENT_TYPE, JSON), (CONTENT_ENCODING, encoding)];
    (headers, frame.freeze()).into_response()
}

pub(super) fn one_byte_a_second(body: Bytes) -> Body {
    let bytes = stream::unfold(0, move |at| {
        let byte = body.get(at..=at).map(Bytes::copy_from_slice);
        async move {
            let byte = byte?;
            tokio::time::sleep(Duration::from_secs(1)).await;
            Some((io::Result::Ok(byte), at + 1))
        }
    });
    Body::from_stream(bytes)
}

/// The first half of the body; then the connection is given up.
pub(super) fn broken_half_way(body: Bytes) -> Body {
    let half = body.slice(..body.len() / 2);
    let broken = io::Error::from(io::ErrorKind::ConnectionReset);
    let pieces = stream::iter([Ok(half)]).chain(stream::once(async move {
        // So that the half leaves the machine before the reset.
        tokio::time::sleep(Duration::from_millis(50)).await;
        Err(broken)
    }));
    Body::from_stream(pieces)
}
