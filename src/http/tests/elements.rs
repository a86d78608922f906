use std::time::Duration;

use bytes::Bytes;

use super::server::{Server, Step, answer, beginning, json};
use super::{KEY, client, client_of, tool};
use crate::http::{Elements, HttpError, HttpErrorKind};

async fn all(elements: &mut Elements) -> Result<Vec<Bytes>, HttpError> {
    let mut all = Vec::new();
    while let Some(some) = elements.next().await? {
        assert!(!some.is_empty());
        all.extend(some);
    }
    Ok(all)
}

#[tokio::test]
async fn elements_come_one_by_one_with_the_document_around_them() {
    let server = Server::start(|_, _| {
        json(r#"{"status":"success","data":{"resultType":"vector","result":[{"a":[1]}, {"b":"]"}]}}"#)
    })
    .await;
    let request = client(&server.url).get("/");
    let mut elements = request.elements(&["data", "result"]).await.unwrap();
    let found = all(&mut elements).await.unwrap();
    assert_eq!(found, [r#"{"a":[1]}"#, r#"{"b":"]"}"#]);
    assert_eq!(
        elements.envelope(),
        r#"{"status":"success","data":{"resultType":"vector","result":[]}}"#
    );
    assert_eq!(elements.next().await.unwrap(), None);
}

#[tokio::test]
async fn a_document_without_the_array_fails_at_its_end_and_can_be_read() {
    let text = r#"{"status":"error","error":"too many samples"}"#;
    let server = Server::start(move |_, _| json(text)).await;
    let request = client(&server.url).get("/");
    let mut elements = request.elements(&["data", "result"]).await.unwrap();
    let error = elements.next().await.unwrap_err();
    assert_eq!(error.kind, HttpErrorKind::UnexpectedShape);
    assert!(error.message.contains("no array at data.result"), "{error}");
    assert_eq!(elements.envelope(), text);
    let again = elements.next().await.unwrap_err();
    assert_eq!(again.kind, HttpErrorKind::UnexpectedShape);
}

#[tokio::test]
async fn a_body_that_is_cut_off_is_never_taken_for_complete() {
    let server = Server::start(|_, _| vec![beginning(1000, r#"[{"a":1},{"b""#)]).await;
    let mut elements = client(&server.url).get("/").elements(&[]).await.unwrap();
    assert_eq!(elements.next().await.unwrap().unwrap(), [r#"{"a":1}"#]);
    for _ in 0..2 {
        let error = elements.next().await.unwrap_err();
        assert_eq!(error.kind, HttpErrorKind::Truncated);
    }
    assert_eq!(server.requests().len(), 1);
    // Cut by whoever wrote the body, its length being right.
    let server = Server::start(|_, _| json(r#"[{"a":1},"#)).await;
    let mut elements = client(&server.url).get("/").elements(&[]).await.unwrap();
    let error = all(&mut elements).await.unwrap_err();
    assert_eq!(error.kind, HttpErrorKind::Truncated);
}

#[tokio::test]
async fn it_is_tried_again_until_the_first_byte_of_the_body() {
    let server = Server::start(|number, _| match number {
        0 => answer(503, &[], ""),
        1 => vec![beginning(5, ""), Step::Reset],
        _ => json("[[1]]"),
    })
    .await;
    let mut elements = client(&server.url).get("/").elements(&[]).await.unwrap();
    assert_eq!(all(&mut elements).await.unwrap(), ["[1]"]);
    assert_eq!(server.requests().len(), 3);
}

#[tokio::test]
async fn an_element_over_the_cap_ends_the_reading() {
    let server = Server::start(|_, _| {
        let text = "x".repeat(9 << 20);
        json(format!(r#"[{{}},{{"a":"{text}"}}]"#))
    })
    .await;
    let mut elements = client(&server.url).get("/").elements(&[]).await.unwrap();
    let error = all(&mut elements).await.unwrap_err();
    assert_eq!(error.kind, HttpErrorKind::TooLarge);
    assert!(error.message.contains("8 MiB"), "{error}");
}

#[tokio::test]
async fn html_is_refused_before_any_element() {
    let server = Server::start(|_, _| answer(200, &[("content-type", "text/html")], KEY)).await;
    let error = client(&server.url)
        .get("/")
        .elements(&[])
        .await
        .unwrap_err();
    assert_eq!(error.kind, HttpErrorKind::NotJson);
    assert!(!error.message.contains(KEY), "{error}");
}

#[tokio::test]
async fn a_slow_import_does_not_use_up_the_tools_time() {
    let server = Server::start(|_, _| {
        let mut steps = vec![beginning(9, "[{},")];
        steps.push(Step::Wait(Duration::from_millis(20)));
        steps.push(Step::Send(b"{},{}".to_vec()));
        steps.push(Step::Hang);
        steps
    })
    .await;
    let mut tool = tool(&server.url);
    tool.timeout = Duration::from_millis(400);
    let mut elements = client_of(&tool).get("/").elements(&[]).await.unwrap();
    elements.next().await.unwrap().unwrap();
    // The import is busy for longer than the whole limit.
    tokio::time::sleep(Duration::from_millis(500)).await;
    elements.next().await.unwrap().unwrap();
}

#[tokio::test]
async fn json_that_is_offered_as_a_file_is_read_only_where_it_is_expected() {
    let server =
        Server::start(|_, _| answer(200, &[("content-type", "application/octet-stream")], "[{}]"))
            .await;
    let client = client(&server.url);
    let error = client.get("/").elements(&[]).await.unwrap_err();
    assert_eq!(error.kind, HttpErrorKind::NotJson);
    let mut elements = client.get("/").file().elements(&[]).await.unwrap();
    assert_eq!(all(&mut elements).await.unwrap(), ["{}"]);

    let server = Server::start(|_, _| answer(200, &[("content-type", "text/plain")], "[{}]")).await;
    let file = super::client(&server.url).get("/").file();
    let error = file.elements(&[]).await.unwrap_err();
    assert_eq!(error.kind, HttpErrorKind::NotJson);
}
