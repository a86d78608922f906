#![allow(clippy::unwrap_used)]

use reqwest::redirect::Policy;
use reqwest::{Client, Response};

use super::*;
use crate::misfortune::Misfortune;

struct Tester {
    simulator: Simulator,
    client: Client,
}

impl Tester {
    async fn new(simulator: Probely) -> Self {
        let client = Client::builder().no_proxy().tls_certs_only([]);
        let client = client.redirect(Policy::none()).user_agent("tester");
        Self {
            simulator: simulator.start().await.unwrap(),
            client: client.build().unwrap(),
        }
    }

    async fn send(&self, authorization: &str, path: &str) -> Response {
        let request = self.client.get(format!("{}{path}", self.simulator.url()));
        let request = request.header("Authorization", authorization);
        request.send().await.unwrap()
    }

    async fn answer(&self, path: &str) -> (u16, Value) {
        let response = self.send(&format!("JWT {API_KEY}"), path).await;
        (response.status().as_u16(), response.json().await.unwrap())
    }

    async fn get(&self, path: &str) -> Value {
        let (status, answer) = self.answer(path).await;
        assert_eq!(status, 200, "{path}: {answer}");
        answer
    }
}

fn rows(page: &Value) -> &Vec<Value> {
    page["results"].as_array().unwrap()
}

#[tokio::test]
async fn only_the_key_under_the_word_jwt_opens_the_account() {
    let tester = Tester::new(shop()).await;
    let status = async |authorization: &str| {
        let response = tester.send(authorization, "/profile/").await;
        response.status().as_u16()
    };
    assert_eq!(status(&format!("JWT {API_KEY}")).await, 200);
    assert_eq!(status(&format!("Bearer {API_KEY}")).await, 401);
    assert_eq!(status(API_KEY).await, 401);
    assert_eq!(status("JWT other").await, 401);
}

#[tokio::test]
async fn the_gateway_wants_a_user_agent_and_answers_with_html() {
    let tester = Tester::new(shop()).await;
    let nameless = Client::builder().no_proxy().tls_certs_only([]);
    let request = nameless.build().unwrap().get(tester.simulator.url());
    let refused = request.send().await.unwrap();
    assert_eq!(refused.status(), 403);
    assert!(refused.text().await.unwrap().contains("Error 1010"));
}

#[tokio::test]
async fn lists_are_paged_by_number_in_one_envelope() {
    let tester = Tester::new(Probely::new().many(25)).await;
    let path = "/targets/generated000/findings/";
    let first = tester.get(path).await;
    assert_eq!(rows(&first).len(), 10);
    assert_eq!(
        (
            &first["count"],
            &first["page_total"],
            &first["page"],
            &first["length"]
        ),
        (&25.into(), &3.into(), &1.into(), &10.into())
    );
    let last = tester.get(&format!("{path}?page=2&length=20")).await;
    assert_eq!((rows(&last).len(), &last["page_total"]), (5, &2.into()));
    for page in ["3", "0", "x"] {
        let (status, answer) = tester
            .answer(&format!("{path}?length=20&page={page}"))
            .await;
        assert_eq!((status, &answer["detail"]), (404, &"Invalid page.".into()));
    }
    tester.simulator.change(|account| account.longest_page = 4);
    let short = tester.get(&format!("{path}?length=20")).await;
    assert_eq!((rows(&short).len(), &short["length"]), (4, &4.into()));
}

#[tokio::test]
async fn a_key_without_view_gets_empty_lists_and_no_error() {
    let tester = Tester::new(shop()).await;
    tester.simulator.change(|account| account.may_view = false);
    for path in ["/targets/", "/targets/46aGYvJUPCtW/findings/"] {
        let empty = tester.get(path).await;
        assert_eq!((&empty["count"], rows(&empty).len()), (&0.into(), 0));
        assert_eq!(empty["page_total"], 1);
    }
}

#[tokio::test]
async fn findings_come_newest_first_if_asked_and_with_their_whole_target() {
    let tester = Tester::new(shop()).await;
    let path = "/targets/46aGYvJUPCtW/findings/?length=50";
    let numbered = tester.get(path).await;
    assert_eq!(rows(&numbered)[0]["id"], 1);
    let newest = tester.get(&format!("{path}&ordering=-last_found")).await;
    assert_eq!(rows(&newest)[0]["id"], "46aGYvJUPCtW-11");
    let text = newest.to_string();
    assert!(LOGIN_SECRETS.iter().all(|secret| text.contains(secret)));
    let (status, _) = tester.answer("/targets/unknown/findings/").await;
    assert_eq!(status, 404);
    let response = tester.send("JWT x", "/targets").await;
    let location = response.headers()["location"].to_str().unwrap();
    assert_eq!((response.status().as_u16(), location), (301, "/targets/"));
}

#[tokio::test]
async fn endless_pages_raise_the_count() {
    let tester = Tester::new(Probely::new().many(60)).await;
    tester.simulator.inflict(Misfortune::EndlessPages);
    let page = async |page: u32| {
        let path = format!("/targets/generated000/findings/?length=20&page={page}");
        tester.get(&path).await
    };
    let (first, second) = (page(1).await, page(2).await);
    assert_eq!(
        (&first["count"], &second["count"]),
        (&120.into(), &180.into())
    );
    assert_ne!(rows(&first)[0]["id"], rows(&second)[0]["id"]);
}
