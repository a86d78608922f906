use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::Instant;

use super::server::{Server, Step, answer};
use super::{client_of, tool};
use crate::http::Client;

async fn five_at_once(client: &Client) {
    let requests = (0..5).map(|_| client.clone().get("/").text());
    for answer in join_all(requests).await {
        answer.unwrap();
    }
}

#[tokio::test]
async fn no_more_requests_are_under_way_than_allowed_over_all_clones() {
    let server = Server::start(|_, _| {
        let mut steps = vec![Step::Wait(Duration::from_millis(30))];
        steps.extend(answer(200, &[], "ok"));
        steps
    })
    .await;
    let mut tool = tool(&server.url);
    tool.max_concurrent_requests = 2;
    five_at_once(&client_of(&tool)).await;
    assert_eq!(server.most_under_way(), 2);
}

#[tokio::test]
async fn a_place_is_held_until_the_body_is_read() {
    let server = Server::start(|_, _| super::server::json("[{},{}]")).await;
    let mut tool = tool(&server.url);
    tool.max_concurrent_requests = 1;
    let client = client_of(&tool);
    let mut elements = client.get("/").elements(&[]).await.unwrap();
    let wait = Duration::from_millis(50);
    let other = tokio::time::timeout(wait, client.get("/").text()).await;
    assert!(other.is_err(), "the place was free");
    while elements.next().await.unwrap().is_some() {}
    client.get("/").text().await.unwrap();
}

#[tokio::test]
async fn the_rate_is_kept_over_all_clones() {
    let server = Server::start(|_, _| answer(200, &[], "ok")).await;
    let mut tool = tool(&server.url);
    tool.max_requests_per_second = Some(12.5);
    let begun = Instant::now();
    five_at_once(&client_of(&tool)).await;
    // The first goes at once, four follow 80 ms after one another.
    assert!(begun.elapsed() >= Duration::from_millis(318));
}

#[test]
fn an_impossible_rate_is_refused() {
    for rate in [0.0, -1.0, f64::NAN, 1e-300] {
        let mut tool = tool(&"http://127.0.0.1/".parse().unwrap());
        tool.max_requests_per_second = Some(rate);
        let error = Client::new(&tool, super::by_key()).unwrap_err();
        assert!(error.message.contains("max_requests_per_second"), "{error}");
    }
}
