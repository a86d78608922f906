use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream;
use serde_json::Value;

use super::server::{Server, Step, header, json as json_answer};
use super::{by_key, client, tool};
use crate::http::{Client, HttpErrorKind, UploadedFile};

fn file(pieces: &[&'static str]) -> UploadedFile {
    let length = pieces.iter().map(|piece| piece.len() as u64).sum();
    let pieces: Vec<_> = pieces
        .iter()
        .map(|piece| Ok(Bytes::from_static(piece.as_bytes())))
        .collect();
    UploadedFile {
        name: "a.json",
        media_type: "application/json",
        length,
        content: stream::iter(pieces).boxed(),
    }
}

#[tokio::test]
async fn an_upload_is_a_form_of_known_length_with_the_file_at_its_end() {
    let server = Server::start(|_, _| json_answer(r#"{"test":4}"#)).await;
    let client = client(&server.url);
    let fields = vec![("tags", "a".to_owned()), ("tags", "b c".to_owned())];
    let request = client.post("/import/");
    let answer = request.upload::<Value>(fields, file(&["{", "}"])).await;
    assert_eq!(answer.unwrap().body["test"], 4);
    let request = &server.requests()[0];
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    let kind = header(request, "content-type").unwrap();
    assert!(kind.starts_with("multipart/form-data; boundary="), "{kind}");
    let length = body.len().to_string();
    assert_eq!(
        header(request, "content-length"),
        Some(length.as_str()),
        "{head}"
    );
    let places = [
        "name=\"tags\"\r\n\r\na\r\n",
        "b c",
        "name=\"file\"; filename=\"a.json\"",
        "{}",
    ];
    let places = places.map(|part| body.find(part).unwrap());
    assert!(places.is_sorted(), "{body}");
}

#[tokio::test]
async fn an_upload_is_not_sent_twice_and_no_redirect_is_followed() {
    let server = Server::start(|number, _| {
        let status = ["502 Bad Gateway", "301 Moved Permanently"][number];
        let head =
            format!("HTTP/1.1 {status}\r\nLocation: /elsewhere/\r\nContent-Length: 0\r\n\r\n");
        vec![Step::Send(head.into_bytes())]
    })
    .await;
    let client = Client::without_redirects(&tool(&server.url), by_key()).unwrap();
    for expected in [502, 301] {
        let request = client.post("/import/");
        let error = request.upload::<Value>(Vec::new(), file(&["{}"])).await;
        let error = error.unwrap_err();
        assert!(matches!(error.kind, HttpErrorKind::Status { .. }));
        assert_eq!(error.status(), Some(expected), "{error}");
    }
    assert_eq!(server.requests().len(), 2);
}
