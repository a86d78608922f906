#![allow(clippy::unwrap_used)]

use reqwest::{Client, Response};
use serde_json::Value;

use super::*;
use crate::scenario::{many, shop};
use crate::server::SeenRequest;

struct Tester {
    simulator: Simulator,
    client: Client,
}

impl Tester {
    async fn new(dependency_track: DependencyTrack) -> Self {
        Self {
            simulator: dependency_track.start().await.unwrap(),
            client: Client::builder()
                .no_proxy()
                .tls_certs_only([])
                .build()
                .unwrap(),
        }
    }

    async fn get_as(&self, key: Option<&str>, path: &str) -> Response {
        let mut request = self.client.get(format!("{}{path}", self.simulator.url()));
        if let Some(key) = key {
            request = request.header("X-Api-Key", key);
        }
        request.send().await.unwrap()
    }

    async fn get(&self, path: &str) -> Response {
        self.get_as(Some(API_KEY), path).await
    }

    /// Total and rows.
    async fn list(&self, path: &str) -> (u64, Vec<Value>) {
        let response = self.get(path).await;
        assert_eq!(response.status(), 200, "{path}");
        let total = &response.headers()["x-total-count"];
        let total = total.to_str().unwrap().parse().unwrap();
        (total, response.json().await.unwrap())
    }

    /// Status and body.
    async fn refusal(&self, path: &str) -> (u16, String) {
        let response = self.get(path).await;
        (response.status().as_u16(), response.text().await.unwrap())
    }
}

fn generated(count: u64) -> Project {
    Project::new("generated", Some("1.0")).with(many(count, 7))
}

fn path_of(project: &Project) -> String {
    format!("/api/v1/finding/project/{}", project.uuid)
}

#[tokio::test]
async fn version_4_ignores_all_paging_of_a_projects_findings() {
    let project = generated(250);
    let path = path_of(&project);
    let tester = Tester::new(DependencyTrack::new(Version::V4_14).project(project)).await;

    let (total, rows) = tester
        .list(&format!("{path}?suppressed=true&pageNumber=2&pageSize=100"))
        .await;

    assert_eq!((total, rows.len()), (250, 250));
}

#[tokio::test]
async fn version_5_pages_findings_only_by_number_and_size_together() {
    let project = generated(250);
    let path = path_of(&project);
    let tester = Tester::new(DependencyTrack::new(Version::V5_0).project(project)).await;
    let rows_of = async |query: &str| tester.list(&format!("{path}?suppressed=true{query}")).await;

    let (total, first) = rows_of("").await;
    assert_eq!((total, first.len()), (250, 100));
    let (_, third) = rows_of("&pageNumber=3&pageSize=100").await;
    assert_eq!(third.len(), 50);
    assert_ne!(third[0]["matrix"], first[0]["matrix"]);
    let (_, size_alone) = rows_of("&pageSize=250").await;
    assert!(size_alone == first);
    let (_, number_alone) = rows_of("&pageNumber=3").await;
    assert!(number_alone == first);
    let (_, offset) = rows_of("&offset=200&limit=100").await;
    assert!(offset == third);
    let (_, nonsense) = rows_of("&pageNumber=x&pageSize=y").await;
    assert!(nonsense == first);
    let (behind, none) = rows_of("&pageNumber=9&pageSize=100").await;
    assert_eq!((behind, none.len()), (0, 0));
    let (_, all) = rows_of("&offset=0&limit=0").await;
    assert_eq!(all.len(), 250);
    let (status, words) = tester.refusal(&format!("{path}?offset=-1")).await;
    assert_eq!((status, &*words), (500, "Uncaught internal server error"));
}

#[tokio::test]
async fn suppressed_findings_come_only_when_asked_for() {
    let projects = shop();
    let checkout = projects.iter().find(|p| p.name == "shop-checkout").unwrap();
    let (path, all) = (path_of(checkout), checkout.findings.len());
    let suppressed = checkout
        .findings
        .iter()
        .filter(|finding| finding.analysis.suppressed)
        .count() as u64;
    let tester = Tester::new(DependencyTrack::new(Version::V5_0).projects(projects)).await;

    assert!(suppressed > 0);
    assert_eq!(tester.list(&path).await.0, all - suppressed);
    assert_eq!(tester.list(&format!("{path}?suppressed=true")).await.0, all);
    let github = tester.list(&format!("{path}?source=GITHUB")).await.1;
    assert!(!github.is_empty());
    assert!(
        github
            .iter()
            .all(|row| row["vulnerability"]["source"] == "GITHUB")
    );
    assert_eq!(
        tester.refusal(&format!("{path}?source=github")).await.0,
        404
    );
    let unsortable = tester.get(&format!("{path}?sortName=mood")).await;
    assert_eq!(unsortable.status(), 400);
    assert_eq!(
        unsortable.headers()["content-type"],
        "application/problem+json"
    );
}

#[tokio::test]
async fn each_version_writes_the_fields_that_it_knows() {
    let of = async |version: Version| {
        let tester = Tester::new(DependencyTrack::new(version).projects(shop())).await;
        let mut rows = Vec::new();
        for project in shop() {
            let path = format!(
                "{}?suppressed=true&pageNumber=1&pageSize=500",
                path_of(&project)
            );
            rows.extend(tester.list(&path).await.1);
        }
        rows
    };
    let row = |rows: &[Value], id: &str| {
        let found = rows.iter().find(|row| row["vulnerability"]["vulnId"] == id);
        found.unwrap().clone()
    };

    let old = row(&of(Version::V4_7).await, "CVE-2021-44228");
    assert!(old["vulnerability"].get("aliases").is_none());
    assert!(old["vulnerability"].get("cvssV3Vector").is_none());
    assert_eq!(old["vulnerability"]["cvssV3BaseScore"], 10.0);

    let v4 = of(Version::V4_14).await;
    let unrated = row(&v4, "GHSA-m425-mq94-257g");
    assert_eq!(unrated["vulnerability"]["severity"], "UNASSIGNED");
    assert_eq!(unrated["vulnerability"]["aliases"], serde_json::json!([]));
    let log4j = row(&v4, "CVE-2021-44228");
    assert_eq!(log4j["vulnerability"]["cweId"], 502);
    assert!(log4j["component"].get("projectName").is_none());
    assert!(log4j["attribution"]["attributedOn"].is_i64());

    let v5 = of(Version::V5_0).await;
    let unrated = row(&v5, "GHSA-m425-mq94-257g");
    assert!(unrated["vulnerability"].get("severity").is_none());
    assert_eq!(unrated["vulnerability"]["severityRank"], 5);
    let log4j = row(&v5, "CVE-2021-44228");
    assert!(log4j["vulnerability"].get("cweId").is_none());
    assert_eq!(log4j["vulnerability"]["cwes"][0]["cweId"], 502);
    assert_eq!(log4j["component"]["projectName"], "shop-checkout");
    assert_eq!(log4j["component"]["group"], "org.apache.logging.log4j");
    assert!(log4j["vulnerability"].get("isKev").is_none());
    let newest = row(&of(Version::V5_1).await, "CVE-2021-44228");
    assert_eq!(newest["vulnerability"]["isKev"], true);
}

#[tokio::test]
async fn only_a_known_key_with_the_permission_gets_in() {
    let projects = [Project::new("one", None), Project::new("two", None)];
    let (one, two) = (path_of(&projects[0]), path_of(&projects[1]));
    let build = |version| {
        DependencyTrack::new(version)
            .projects(projects.clone())
            .access_control()
            .key("portfolio", Key::with([Permission::ViewPortfolio]))
            .key("one", Key::all().assigned_to([&*projects[0].uuid]))
    };
    let v5 = Tester::new(build(Version::V5_0)).await;
    let v4 = Tester::new(build(Version::V4_14)).await;
    let status = async |tester: &Tester, key: Option<&str>, path: &str| {
        tester.get_as(key, path).await.status().as_u16()
    };

    assert_eq!(status(&v5, None, "/api/version").await, 200);
    assert_eq!(status(&v5, None, &one).await, 401);
    assert_eq!(status(&v5, Some("wrong"), &one).await, 401);
    assert_eq!(status(&v5, Some("portfolio"), "/api/v1/project").await, 200);
    let forbidden = v5.get_as(Some("portfolio"), &one).await;
    assert_eq!(forbidden.status(), 403);
    assert_eq!(forbidden.text().await.unwrap(), "");
    assert_eq!(status(&v5, Some("one"), &one).await, 200);
    let denied = v5.get_as(Some("one"), &two).await;
    assert_eq!(denied.status(), 403);
    assert_eq!(
        denied.json::<Value>().await.unwrap()["title"],
        "Project access denied"
    );
    let denied = v4.get_as(Some("one"), &two).await.text().await.unwrap();
    assert_eq!(denied, "Access to the specified project is forbidden");
    let listed = v4.get_as(Some("one"), "/api/v1/project").await;
    assert_eq!(listed.headers()["x-total-count"], "1");
    assert_eq!(status(&v4, None, &format!("{one}?apiKey=one")).await, 200);
    assert_eq!(status(&v5, None, &format!("{one}?apiKey=one")).await, 401);
}

#[tokio::test]
async fn projects_are_listed_looked_up_and_refused_as_by_the_vendor() {
    let tester = Tester::new(DependencyTrack::new(Version::V4_14).projects(shop())).await;
    let legacy = &shop()[5];
    let total = async |path: &str| tester.list(path).await.0;

    assert_eq!(total("/api/v1/project").await, 6);
    assert_eq!(total("/api/v1/project?excludeInactive=true").await, 5);
    assert_eq!(total("/api/v1/project?onlyRoot=true").await, 1);
    assert_eq!(total("/api/v1/project?name=shop-web").await, 1);
    let (_, page) = tester.list("/api/v1/project?pageNumber=2&pageSize=4").await;
    assert_eq!(page.len(), 2);
    let found: Value = tester
        .get("/api/v1/project/lookup?name=shop-web&version=1.2")
        .await
        .json()
        .await
        .unwrap();
    assert_eq!(found["name"], "shop-web");
    assert_eq!(
        tester
            .get("/api/v1/project/latest/shop-search")
            .await
            .status(),
        200
    );
    assert_eq!(
        tester
            .get(&format!("/api/v1/project/{}", legacy.uuid))
            .await
            .status(),
        200
    );
    let unknown = "/api/v1/project/lookup?name=shop-web";
    let words = "The project could not be found.".to_owned();
    assert_eq!(tester.refusal(unknown).await, (404, words));
    let (status, body) = tester.refusal("/api/v1/finding/project/shop").await;
    assert_eq!(status, 400);
    assert!(serde_json::from_str::<Vec<Value>>(&body).is_ok());
    let before = Tester::new(DependencyTrack::new(Version::V4_11).projects(shop())).await;
    assert_eq!(
        before
            .get("/api/v1/project/latest/shop-search")
            .await
            .status(),
        404
    );
}

#[tokio::test]
async fn the_frontend_answers_html_with_200_to_everything() {
    let tester = Tester::new(DependencyTrack::new(Version::V4_14).frontend()).await;

    let answer = tester.get("/api/v1/project").await;

    assert_eq!(answer.status(), 200);
    assert!(
        answer.headers()["content-type"]
            .to_str()
            .unwrap()
            .starts_with("text/html")
    );
}

#[tokio::test]
async fn requests_are_recorded_without_their_secrets() {
    let tester = Tester::new(DependencyTrack::new(Version::V4_14).under("/dtrack")).await;

    tester.get("/api/v1/project?pageSize=5&name=a%20b").await;
    tester.get_as(None, "/api/version?apiKey=abc").await;

    let [first, second]: [SeenRequest; 2] = tester.simulator.requests().try_into().unwrap();
    assert_eq!(
        (&*first.method, &*first.path),
        ("GET", "/dtrack/api/v1/project")
    );
    assert_eq!(first.parameter("name"), Some("a b"));
    assert_eq!(first.status, Some(200));
    assert!(first.credential && !first.credential_in_url);
    assert_eq!(first.headers["x-api-key"], "");
    assert!(!second.credential && second.credential_in_url);
    assert!(!format!("{:?}", tester.simulator.requests()).contains("abc"));
}

#[tokio::test]
async fn data_changes_while_it_runs_also_between_two_pages() {
    let project = generated(250);
    let (uuid, path) = (project.uuid.clone(), path_of(&project));
    let tester = Tester::new(DependencyTrack::new(Version::V5_0).project(project)).await;
    let portfolio = tester.simulator.portfolio();
    let first_id = many(250, 7).finding(0).vulnerability.id;
    tester.simulator.before_request(2, move || {
        portfolio.change(&uuid, |project| {
            project
                .findings
                .remove(|finding| finding.vulnerability.id == first_id)
        });
    });

    let page = async |page: u32| {
        let query = format!("{path}?suppressed=true&pageNumber={page}&pageSize=100");
        tester.list(&query).await
    };
    let ((before, first), (after, second)) = (page(1).await, page(2).await);

    assert_eq!((before, after), (250, 249));
    let hundredth = many(250, 7).finding(101);
    assert_eq!(
        second[0]["vulnerability"]["vulnId"],
        *hundredth.vulnerability.id
    );
    assert_eq!(first.len(), 100);
}

#[test]
fn generated_findings_can_be_removed_changed_and_added() {
    let mut findings = Findings::from(many(1000, 3));
    let id = |number: u64| many(1000, 3).finding(number).vulnerability.id;
    let (second, fourth) = (id(1), id(3));

    assert_eq!(findings.remove(|f| f.vulnerability.id == second), 1);
    assert_eq!(
        findings.set_severity(|f| f.vulnerability.id == fourth, "LOW"),
        1
    );
    assert_eq!(
        findings.analyse(|f| f.vulnerability.id == fourth, Some("RESOLVED"), true),
        1
    );
    findings.add(many(1, 99).finding(0));

    assert_eq!(findings.len(), 1000);
    let all = findings.iter().collect::<Vec<_>>();
    assert_eq!(all.len(), 1000);
    assert_eq!(all[1].vulnerability.id, id(2));
    assert_eq!(all[2].vulnerability.severity, "LOW");
    assert!(all[2].analysis.suppressed);
    assert_eq!(all[999], many(1, 99).finding(0));
    let page = findings.range(1..3).collect::<Vec<_>>();
    assert!(page == all[1..3]);
}

#[test]
fn the_shop_has_every_severity_and_status_and_generated_findings_have_two_kilobytes() {
    let findings = shop()
        .into_iter()
        .filter(|project| project.active)
        .flat_map(|project| project.findings.iter().collect::<Vec<_>>())
        .collect::<Vec<_>>();
    let has = |fits: &dyn Fn(&Finding) -> bool| findings.iter().any(fits);

    assert!((50..=75).contains(&findings.len()), "{}", findings.len());
    for severity in ["CRITICAL", "HIGH", "MEDIUM", "LOW", "INFO", "UNASSIGNED"] {
        assert!(has(&|f| f.vulnerability.severity == severity), "{severity}");
    }
    for state in [
        "EXPLOITABLE",
        "IN_TRIAGE",
        "NOT_AFFECTED",
        "FALSE_POSITIVE",
        "RESOLVED",
        "NOT_SET",
    ] {
        assert!(
            has(&|f| f.analysis.state.as_deref() == Some(state)),
            "{state}"
        );
    }
    let mut json = Vec::new();
    let project = generated(1);
    for finding in (0..100).map(|number| many(100, 1).finding(number)) {
        render::finding(&mut json, &finding, &project, Version::V5_0).unwrap();
    }
    assert!((180_000..230_000).contains(&json.len()), "{}", json.len());
}
