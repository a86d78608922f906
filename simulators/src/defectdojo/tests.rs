#![allow(clippy::unwrap_used)]

use reqwest::redirect::Policy;
use reqwest::{Client, Method, Response};

use super::*;

struct Tester {
    simulator: Simulator,
    client: Client,
}

impl Tester {
    async fn new(simulator: DefectDojo) -> Self {
        let client = Client::builder().no_proxy().tls_certs_only([]);
        let client = client.redirect(Policy::none());
        Self {
            simulator: simulator.start().await.unwrap(),
            client: client.build().unwrap(),
        }
    }

    async fn of(world: World) -> Self {
        Self::new(DefectDojo::new(world)).await
    }

    async fn send(&self, method: Method, authorization: &str, path: &str) -> Response {
        let url = format!("{}{path}", self.simulator.url());
        let request = self.client.request(method, url);
        let request = request.header("Authorization", authorization);
        request.send().await.unwrap()
    }

    async fn answer(&self, path: &str) -> (u16, Value) {
        let token = format!("Token {TOKEN}");
        let response = self.send(Method::GET, &token, path).await;
        (response.status().as_u16(), response.json().await.unwrap())
    }

    async fn get(&self, path: &str) -> Value {
        let (status, answer) = self.answer(&format!("/api/v2/{path}")).await;
        assert_eq!(status, 200, "{path}: {answer}");
        answer
    }

    async fn ids(&self, query: &str) -> Vec<u64> {
        ids(&self.get(&format!("findings/?limit=100&{query}")).await)
    }
}

fn ids(page: &Value) -> Vec<u64> {
    let rows = page["results"].as_array().unwrap();
    rows.iter().map(|row| row["id"].as_u64().unwrap()).collect()
}

/// A world with one test of so many findings, all alike.
fn alike(count: u64) -> World {
    let mut world = World::new();
    let test = world.add_tested_product("Shop", None);
    for _ in 0..count {
        world.add_finding(Finding::new(test, "Weakness", "High"));
    }
    world
}

#[tokio::test]
async fn the_key_comes_under_the_word_token_and_all_else_is_a_403() {
    let tester = Tester::of(shop()).await;
    let mut answers = Vec::new();
    for authorization in [
        format!("Token {TOKEN}"),
        format!("token {TOKEN}"),
        format!("Bearer {TOKEN}"),
        "Token 00ff".to_owned(),
        "Token".to_owned(),
        "Token a b".to_owned(),
    ] {
        let path = "/api/v2/user_profile/";
        let response = tester.send(Method::GET, &authorization, path).await;
        assert_eq!(response.headers().get("WWW-Authenticate"), None);
        let status = response.status().as_u16();
        let body: Value = response.json().await.unwrap();
        answers.push((
            status,
            body["detail"].as_str().unwrap_or_default().to_owned(),
        ));
    }
    let refused = |detail: &str| (403, detail.to_owned());
    assert_eq!(
        answers,
        [
            (200, String::new()),
            (200, String::new()),
            refused("Authentication credentials were not provided."),
            refused("Invalid token."),
            refused("Invalid token header. No credentials provided."),
            refused("Invalid token header. Token string should not contain spaces."),
        ]
    );
    tester
        .simulator
        .change(|world| world.behaviour.tokens_enabled = false);
    let (status, answer) = tester.answer("/api/v2/user_profile/").await;
    assert_eq!(
        (status, answer["detail"].as_str()),
        (403, Some("Authentication credentials were not provided."))
    );
}

#[tokio::test]
async fn a_path_without_its_slash_is_sent_on_and_an_unknown_one_is_html() {
    let tester = Tester::of(shop()).await;
    let token = format!("Token {TOKEN}");
    for method in [Method::GET, Method::POST] {
        let response = tester
            .send(method, &token, "/api/v2/findings?limit=1")
            .await;
        assert_eq!(response.status(), 301);
        assert_eq!(response.headers()["Location"], "/api/v2/findings/?limit=1");
    }
    for path in [
        "/api/v2/",
        "/api/v2/nonsense/",
        "/api/v2/api/v2/products/",
        "/api/v2/findings/one/",
        "/api/v1/findings/",
    ] {
        let response = tester.send(Method::GET, &token, path).await;
        assert_eq!(response.status(), 404, "{path}");
        assert!(
            response.headers()["Content-Type"]
                .to_str()
                .unwrap()
                .starts_with("text/html"),
            "{path}"
        );
    }
    let response = tester.send(Method::GET, &token, "/").await;
    assert_eq!(
        (
            response.status().as_u16(),
            response.headers()["Location"].to_str().unwrap()
        ),
        (302, "/login?next=/")
    );
    let response = tester
        .send(Method::DELETE, &token, "/api/v2/findings/")
        .await;
    assert_eq!(response.status(), 405);
    let (status, answer) = tester.answer("/api/v2/findings/4711/").await;
    assert_eq!(
        (status, answer["detail"].as_str()),
        (404, Some("No Finding matches the given query."))
    );
}

#[tokio::test]
async fn below_a_prefix_links_have_it_too() {
    let tester = Tester::new(DefectDojo::new(alike(2)).below("/dojo")).await;
    let page = tester.get("findings/?o=id&limit=1").await;
    let next = format!(
        "{}/api/v2/findings/?limit=1&o=id&offset=1",
        tester.simulator.url()
    );
    assert_eq!(page["next"], next);
    assert!(next.contains("/dojo/api"), "{next}");
}

#[tokio::test]
async fn a_limit_that_is_none_gives_25_rows_and_a_page_past_the_end_none() {
    let tester = Tester::of(alike(60)).await;
    for limit in ["", "limit=0", "limit=-1", "limit=many"] {
        let page = tester.get(&format!("findings/?o=id&{limit}")).await;
        assert_eq!(ids(&page), (1..=25).collect::<Vec<_>>(), "{limit}");
        assert_eq!(
            (page["count"].as_u64(), page["previous"].as_str()),
            (Some(60), None)
        );
        assert!(
            page["next"]
                .as_str()
                .unwrap()
                .ends_with("?limit=25&o=id&offset=25"),
            "{page}"
        );
    }
    assert_eq!(ids(&tester.get("findings/?limit=5000").await).len(), 60);
    let last = tester.get("findings/?o=id&limit=25&offset=50").await;
    assert_eq!((ids(&last).len(), last["next"].as_str()), (10, None));
    assert!(last["previous"].as_str().unwrap().ends_with("offset=25"));
    let past = tester.get("findings/?limit=25&offset=99").await;
    assert_eq!(
        (
            past["count"].as_u64(),
            ids(&past).len(),
            past["next"].as_str()
        ),
        (Some(60), 0, None)
    );
}

#[tokio::test]
async fn links_are_made_of_what_the_request_says_or_a_proxy() {
    let tester = Tester::of(alike(2)).await;
    tester
        .simulator
        .change(|world| world.behaviour.origin = Some("http://inside.example:8080".to_owned()));
    let page = tester.get("findings/?limit=1").await;
    assert_eq!(
        page["next"],
        "http://inside.example:8080/api/v2/findings/?limit=1&offset=1"
    );
}

#[tokio::test]
async fn equals_come_in_no_order_unless_they_are_sorted_by_id() {
    let tester = Tester::of(alike(10)).await;
    assert_ne!(tester.ids("").await, tester.ids("").await);
    assert_eq!(tester.ids("o=id").await, tester.ids("o=id").await);
    assert_eq!(tester.ids("o=-id").await[0], 10);
    let (status, answer) = tester.answer("/api/v2/findings/?o=nope").await;
    assert_eq!(status, 400);
    assert_eq!(
        answer["o"][0],
        "Select a valid choice. nope is not one of the available choices."
    );
}

#[tokio::test]
async fn findings_are_filtered_and_what_is_not_known_is_ignored() {
    let tester = Tester::of(shop()).await;
    let all = tester.ids("o=id").await;
    assert_eq!(all.len(), 12);
    for (query, expected) in [
        ("test__engagement__product=1", 11),
        ("test__engagement__product=1,2", 12),
        ("test__engagement=2", 1),
        ("test=1", 9),
        ("product_name=sHOP", 11),
        ("product_name=Sho", 0),
        ("active=true", 6),
        ("active=perhaps", 12),
        ("duplicate=false", 11),
        ("is_mitigated=true", 2),
        ("false_p=True", 1),
        ("severity=High,Critical", 5),
        ("severity=high", 0),
        ("tags=sprint-7,other", 1),
        ("id=1,2,99", 2),
        ("unique_id_from_tool=B", 1),
        ("not_test__tags=secpull", 11),
        ("test__tags=secpull", 1),
        ("not_test_tags=secpull", 12),
        ("duplicates=false", 12),
    ] {
        assert_eq!(tester.ids(query).await.len(), expected, "{query}");
    }
    for query in ["test=99", "test=x", "test__engagement__product=shop"] {
        let (status, answer) = tester.answer(&format!("/api/v2/findings/?{query}")).await;
        assert_eq!(status, 400, "{query}: {answer}");
    }
    tester
        .simulator
        .change(|world| world.behaviour.unknown_parameters.insert("not_test__tags"));
    assert_eq!(tester.ids("not_test__tags=secpull").await.len(), 12);
}

#[tokio::test]
async fn who_may_not_see_a_product_sees_nothing_of_it() {
    let tester = Tester::of(shop()).await;
    tester
        .simulator
        .change(|world| world.behaviour.visible = Some([2].into()));
    assert_eq!(ids(&tester.get("products/").await), [2]);
    assert_eq!(ids(&tester.get("engagements/?product=1").await), [0_u64; 0]);
    assert_eq!(ids(&tester.get("tests/").await), [4]);
    assert_eq!(tester.ids("").await, [12]);
    assert_eq!(tester.ids("test=1").await, [0_u64; 0]);
    for path in ["products/1/", "engagements/1/", "tests/1/", "findings/1/"] {
        assert_eq!(
            tester.answer(&format!("/api/v2/{path}")).await.0,
            404,
            "{path}"
        );
    }
}

#[tokio::test]
async fn lists_tell_how_things_belong_together() {
    let tester = Tester::of(shop()).await;
    let products = tester.get("products/?name=sho").await;
    assert_eq!(products["results"][0]["name"], "Shop");
    assert_eq!(
        (
            products["count"].as_u64(),
            products["results"][0]["findings_count"].as_u64()
        ),
        (Some(1), Some(5))
    );
    assert_eq!(ids(&tester.get("products/?name_exact=sho").await).len(), 0);
    let engagement = tester.get("engagements/?product=1").await["results"][0].take();
    assert_eq!(
        (engagement["id"].as_u64(), engagement["product"].as_u64()),
        (Some(1), Some(1))
    );
    let tests = tester.get("tests/?engagement=1").await;
    assert_eq!(ids(&tests), [1, 2, 3]);
    assert_eq!(tests["results"][0]["branch_tag"], "main");
    assert_eq!(
        tests["results"][2]["tags"],
        serde_json::json!(["secpull", "nightly"])
    );
    assert_eq!(
        ids(&tester.get("tests/?not_tags=secpull&engagement=1").await),
        [1, 2]
    );
    let kinds = tester.get("test_types/?name=Generic+Findings+Import").await;
    assert_eq!(tests["results"][0]["test_type"], kinds["results"][0]["id"]);
    assert_eq!(
        tester.get("product_types/").await["results"][0]["name"],
        "Research and Development"
    );
}

#[tokio::test]
async fn the_status_in_words_is_that_of_the_flags() {
    let tester = Tester::of(shop()).await;
    let page = tester.get("findings/?test=1&o=id").await;
    let rows = page["results"].as_array().unwrap();
    let words: Vec<_> = rows
        .iter()
        .map(|row| row["display_status"].as_str().unwrap())
        .collect();
    assert_eq!(
        words,
        [
            "Active, Verified",
            "Active",
            "Inactive, Duplicate",
            "Inactive, Mitigated, False Positive",
            "Inactive, Risk Accepted",
            "Inactive, Out Of Scope",
            "Inactive, Mitigated",
            "Under Review, Active",
            "Inactive",
        ]
    );
    assert_eq!(rows[0]["created"], "2026-09-01T00:00:00.503243Z");
}

#[tokio::test]
async fn generated_findings_are_the_same_every_time() {
    let mut first = World::new();
    many(&mut first, 3);
    let mut second = World::new();
    many(&mut second, 3);
    let all = |world: &World| {
        world
            .findings
            .iter()
            .map(|(_, finding)| finding.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(all(&first), all(&second));
    assert_eq!(all(&first).len(), 3);
}
