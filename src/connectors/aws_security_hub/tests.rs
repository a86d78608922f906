//! The connector against the simulated hub.

#![allow(clippy::unwrap_used)]

mod access;
mod trust;

use std::collections::BTreeMap;
use std::time::Duration;

use secpull_simulators::aws_security_hub::{
    ACCESS_KEY, ACCOUNT, REGION, SECRET_KEY, SecurityHub as Simulated, Simulator, control, many,
    samples, vulnerability,
};
use secpull_simulators::misfortune::{Misfortune, Plan};

use super::*;
use crate::config::{
    Labels, MissingRecords, ProxySetting, RecordFilter, ScheduleSetting, Secret, Settings, Trust,
    Value,
};
use crate::connectors::{Completeness, Pulled};
use crate::finding::{Sighting, Status};

/// Eight attempts, as for admins, but quick.
const HASTY: Patience = Patience {
    attempts: 8,
    first: Duration::from_millis(1),
    longest: Duration::from_millis(2),
};

/// What a pull said.
#[derive(Debug, Default)]
struct Said {
    sightings: BTreeMap<String, Vec<Sighting>>,
    left_out: usize,
    unreadable: u64,
    ends: BTreeMap<String, Completeness>,
    records: Option<Vec<String>>,
    warnings: Vec<String>,
    requests: u64,
    retries: u64,
}

impl Said {
    fn count(&self) -> usize {
        self.sightings.values().map(Vec::len).sum()
    }

    fn is_complete(&self) -> bool {
        self.ends.values().all(|end| *end == Completeness::Complete)
    }

    fn reason(&self) -> &str {
        self.ends
            .values()
            .find_map(|end| match end {
                Completeness::Incomplete(reason) => Some(reason.as_str()),
                Completeness::Complete | Completeness::Unproven => None,
            })
            .unwrap()
    }
}

fn tool(location: &str) -> Tool {
    let mut settings = Settings::default();
    for (key, value) in [("access_key", ACCESS_KEY), ("region", REGION)] {
        settings.insert(key, Value::Text(value.to_owned()));
    }
    Tool {
        name: "aws".to_owned(),
        connector: "aws-security-hub".to_owned(),
        location: location.parse().unwrap(),
        secret: Some(Secret::new(SECRET_KEY)),
        trust: Trust::default(),
        proxy: ProxySetting::Direct,
        timeout: Duration::from_secs(20),
        max_requests_per_second: Some(1000.0),
        max_concurrent_requests: 4,
        settings,
        revision: [0; 8],
    }
}

fn connector(hub: &Simulator) -> SecurityHub {
    SecurityHub::with_patience(&tool(hub.url()), HASTY).unwrap()
}

fn api(settings: Settings) -> ApiConfiguration {
    ApiConfiguration {
        name: "prod".to_owned(),
        tool: "aws".to_owned(),
        product: None,
        labels: Labels::default(),
        records: RecordFilter::default(),
        missing_records: MissingRecords::Keep,
        resolve_after: 1,
        automatic_import: true,
        schedule: ScheduleSetting::Daily { hour: 2, minute: 0 },
        run_timeout: Duration::from_secs(60),
        settings,
        revision: [0; 8],
    }
}

async fn pull(connector: &SecurityHub) -> Result<Said, ConnectorError> {
    pull_with(connector, Settings::default()).await
}

async fn pull_with(connector: &SecurityHub, settings: Settings) -> Result<Said, ConnectorError> {
    let (mut sink, mut receiver) = Sink::new(4, RecordFilter::default());
    let meter = sink.meter();
    let listening = tokio::spawn(async move {
        let mut said = Said::default();
        while let Some(pulled) = receiver.recv().await {
            match pulled {
                Pulled::Page {
                    scope,
                    sightings,
                    unreadable,
                    ..
                } => {
                    said.unreadable += unreadable;
                    let of_record = said.sightings.entry(scope.record.id).or_default();
                    of_record.extend(sightings);
                }
                Pulled::LeftOut { keys, .. } => said.left_out += keys.len(),
                Pulled::End {
                    scope,
                    completeness,
                } => {
                    said.ends.insert(scope.record.id, completeness);
                }
                Pulled::Records(records) => {
                    said.records = Some(records.into_iter().map(|record| record.id).collect());
                }
                Pulled::Warning(warning) => said.warnings.push(warning),
                Pulled::Expected(_) => {}
                Pulled::Rows { .. } => unreachable!("its rows are mapped at once"),
            }
        }
        said
    });
    let result = connector.pull(&api(settings), &mut sink).await;
    drop(sink);
    let mut said = listening.await.unwrap();
    said.requests = meter.requests();
    said.retries = meter.retries();
    result.map(|()| said)
}

fn list(key: &'static str, values: &[&str]) -> Settings {
    let mut settings = Settings::default();
    let values = values.iter().map(|value| (*value).to_owned()).collect();
    settings.insert(key, Value::List(values));
    settings
}

#[tokio::test]
async fn every_sample_comes_to_its_record() {
    let hub = Simulated::new()
        .findings(samples())
        .aggregator(REGION, "SPECIFIED_REGIONS", &["eu-west-1"])
        .start()
        .await
        .unwrap();
    let said = pull(&connector(&hub)).await.unwrap();
    assert_eq!(said.count(), 6);
    assert!(said.is_complete() && said.warnings.is_empty());
    let ids = [
        "111122223333/eu-west-1",
        "111122223333/us-east-1",
        "444455556666/eu-west-1",
    ];
    assert_eq!(said.records.unwrap(), ids);
    assert_eq!(
        said.ends.keys().map(String::as_str).collect::<Vec<_>>(),
        ids
    );
    assert_eq!(said.sightings["444455556666/eu-west-1"].len(), 1);
    let statuses: Vec<_> = said.sightings["111122223333/us-east-1"]
        .iter()
        .map(|s| s.status)
        .collect();
    assert_eq!(
        statuses,
        [
            Status::Open,
            Status::Open,
            Status::RiskAccepted,
            Status::InReview,
            Status::Resolved
        ]
    );
    assert_eq!(said.retries, 0);
    assert_eq!(said.requests, 7);
    let query = hub
        .requests()
        .into_iter()
        .find(|seen| seen.path == "/findings")
        .unwrap();
    assert_eq!(query.parameter("MaxResults"), Some("100"));
}

/// Unoptimised, the SDK would need more stack than a test's thread has; this is a whole page of rich findings in the profile
/// that `cargo test` and `cargo run` use.
#[tokio::test]
async fn a_full_page_of_rich_findings_fits_the_stack_and_all_pages_are_read() {
    let hub = Simulated::new().findings(many(251)).start().await.unwrap();
    let said = pull(&connector(&hub)).await.unwrap();
    assert_eq!(said.count(), 251);
    assert!(said.is_complete());
    assert_eq!(
        hub.requests()
            .iter()
            .filter(|seen| seen.path == "/findings")
            .count(),
        3
    );
}

#[tokio::test]
async fn an_empty_page_in_the_middle_is_not_the_end() {
    let hub = Simulated::new().findings(many(150)).start().await.unwrap();
    hub.change(|hub| hub.short_pages = true);
    let said = pull(&connector(&hub)).await.unwrap();
    assert_eq!((said.count(), said.is_complete()), (50, true));
}

#[tokio::test]
async fn a_list_that_goes_in_a_circle_proves_nothing() {
    let hub = Simulated::new().findings(many(300)).start().await.unwrap();
    hub.inflict(Misfortune::RepeatedPage);
    let said = pull(&connector(&hub)).await.unwrap();
    assert!(
        said.reason().contains("goes in a circle"),
        "{}",
        said.reason()
    );
    assert_eq!(said.records, None);
}

#[tokio::test]
async fn an_answer_without_findings_is_not_an_empty_hub() {
    for body in [
        "{}",
        r#"{"Findings":null}"#,
        r#"{"findings":[]}"#,
        "[]",
        "<html>",
        "{\"Findings\":[",
        "",
    ] {
        let hub = Simulated::new().start().await.unwrap();
        hub.change(|hub| hub.body = Some(body.to_owned()));
        let error = pull(&connector(&hub)).await.unwrap_err().to_string();
        assert!(error.contains("GetFindings"), "{body}: {error}");
    }
}

#[tokio::test]
async fn an_empty_hub_is_complete() {
    let hub = Simulated::new().start().await.unwrap();
    let said = pull(&connector(&hub)).await.unwrap();
    assert_eq!(said.count(), 0);
    assert_eq!(said.ends.len(), 1);
    assert!(said.is_complete());
}

#[tokio::test]
async fn throttling_is_waited_for_with_and_without_awss_code() {
    let hub = Simulated::new().findings(many(150)).start().await.unwrap();
    hub.change(|hub| hub.throttled = 3);
    let said = pull(&connector(&hub)).await.unwrap();
    assert_eq!((said.count(), said.retries), (150, 3));

    let bare = Misfortune::TooManyRequests { retry_after: None };
    hub.inflict_as(Plan::new(bare).after(1).times(2));
    let said = pull(&connector(&hub)).await.unwrap();
    assert_eq!((said.count(), said.retries), (150, 2));
    assert!(said.is_complete());
}

#[tokio::test]
async fn a_gateway_that_wants_a_long_rest_is_not_asked_again() {
    let hub = Simulated::new().findings(many(150)).start().await.unwrap();
    let later = Misfortune::TooManyRequests {
        retry_after: Some(3600),
    };
    hub.inflict_as(Plan::new(later).after(1));
    let said = pull(&connector(&hub)).await.unwrap();
    assert_eq!((said.count(), said.retries), (100, 0));
    assert!(said.reason().contains("429"), "{}", said.reason());
}

#[tokio::test]
async fn what_breaks_after_the_first_page_keeps_it_and_proves_nothing() {
    for misfortune in [
        Misfortune::PermissionLostInTheMiddle,
        Misfortune::ServerErrorOnPage(2),
    ] {
        let hub = Simulated::new().findings(many(150)).start().await.unwrap();
        hub.inflict(misfortune);
        let said = pull(&connector(&hub)).await.unwrap();
        assert_eq!(said.count(), 100, "{misfortune:?}");
        assert!(!said.is_complete() && said.records.is_none());
    }
    for misfortune in [
        Misfortune::BadGateway,
        Misfortune::TruncatedJson,
        Misfortune::GarbageBehindJson,
        Misfortune::HtmlLoginPage,
        Misfortune::ConnectionReset,
        Misfortune::RedirectToAnotherHost,
        Misfortune::CompressedBomb,
    ] {
        let hub = Simulated::new().findings(many(150)).start().await.unwrap();
        hub.inflict_as(Plan::new(misfortune).after(1));
        let said = pull(&connector(&hub)).await.unwrap();
        assert_eq!(said.count(), 100, "{misfortune:?}");
        assert!(!said.is_complete(), "{misfortune:?}");
        assert!(hub.requests_elsewhere().is_empty());
    }
}

/// Two attempts, and little time for an answer.
fn impatient(hub: &Simulator) -> SecurityHub {
    let patience = Patience {
        attempts: 2,
        ..HASTY
    };
    let mut tool = tool(hub.url());
    tool.timeout = Duration::from_millis(800);
    SecurityHub::with_patience(&tool, patience).unwrap()
}

#[tokio::test]
async fn no_misfortune_looks_like_a_hub_that_has_fewer_findings() {
    for &misfortune in Misfortune::ALL {
        let hub = Simulated::new().findings(many(150)).start().await.unwrap();
        hub.inflict(misfortune);
        match pull(&impatient(&hub)).await {
            Err(error) => {
                let error = error.to_string();
                assert!(
                    !error.contains(SECRET_KEY) && error.lines().count() == 1,
                    "{error}"
                );
            }
            Ok(said) if said.is_complete() => {
                // Not even this is believed by the import, which holds it.
                let all = said.count() == 150 || misfortune == Misfortune::EmptyAnswer;
                assert!(all, "{misfortune:?}: {}", said.count());
            }
            Ok(_) => {}
        }
        assert!(hub.requests_elsewhere().is_empty());
    }
}

#[tokio::test]
async fn a_null_row_costs_the_proof_and_not_its_page() {
    let hub = Simulated::new().findings(many(3)).start().await.unwrap();
    hub.inflict(Misfortune::NullInsteadOfARow);
    let said = pull(&connector(&hub)).await.unwrap();
    assert_eq!(
        (said.count(), said.unreadable, said.is_complete()),
        (2, 1, false)
    );
}

#[tokio::test]
async fn odd_rows_are_taken_as_far_as_they_can_be_read() {
    for misfortune in [
        Misfortune::UnknownEnumValues,
        Misfortune::WrongTypesAndNullsInARow,
        Misfortune::WrongContentType,
    ] {
        let hub = Simulated::new().findings(many(3)).start().await.unwrap();
        hub.inflict(misfortune);
        let said = pull(&connector(&hub)).await.unwrap();
        assert_eq!(
            (said.count(), said.is_complete()),
            (3, true),
            "{misfortune:?}"
        );
    }
}

#[tokio::test]
async fn a_stale_token_begins_the_list_again_but_once() {
    let hub = Simulated::new().findings(many(150)).start().await.unwrap();
    hub.change(|hub| hub.stale_tokens = 1);
    let said = pull(&connector(&hub)).await.unwrap();
    assert!(said.is_complete());
    assert_eq!(said.count(), 250);
    hub.change(|hub| hub.stale_tokens = 9);
    let said = pull(&connector(&hub)).await.unwrap();
    assert!(
        said.reason().contains("Invalid NextToken"),
        "{}",
        said.reason()
    );
}

#[tokio::test]
async fn regions_that_are_unlinked_on_the_way_prove_nothing() {
    let hub = Simulated::new()
        .findings(many(150))
        .aggregator(REGION, "SPECIFIED_REGIONS", &["eu-west-1"])
        .start()
        .await
        .unwrap();
    let inside = hub.hub();
    hub.before_request(5, move || {
        let mut hub = inside.lock().unwrap();
        hub.aggregator = Some((REGION.to_owned(), "NO_REGIONS".to_owned(), Vec::new()));
    });
    let said = pull(&connector(&hub)).await.unwrap();
    assert!(said.reason().contains("unlinked"), "{}", said.reason());
}

#[tokio::test]
async fn what_the_settings_leave_out_is_said_to_be_there() {
    let hub = Simulated::new().findings(samples()).start().await.unwrap();
    let connector = connector(&hub);
    let said = pull_with(&connector, list("products", &["aws/inspector"]))
        .await
        .unwrap();
    // The control that has passed is fixed, and told as such.
    assert_eq!(
        (said.count(), said.left_out, said.is_complete()),
        (3, 3, true)
    );
    let said = pull_with(&connector, list("accounts", &["444455556666"]))
        .await
        .unwrap();
    assert_eq!((said.count(), said.records), (1, None));
    assert_eq!(
        said.ends.keys().map(String::as_str).collect::<Vec<_>>(),
        ["444455556666/eu-west-1"]
    );
    let query = hub.requests().pop().unwrap();
    assert_eq!(query.method, "GET");
}

#[tokio::test]
async fn archived_findings_are_read_only_where_asked_for() {
    let mut archived = vulnerability(ACCOUNT, REGION, 1);
    archived["RecordState"] = "ARCHIVED".into();
    let active = control(ACCOUNT, REGION, 2, "FAILED");
    let hub = Simulated::new()
        .findings([archived, active])
        .start()
        .await
        .unwrap();
    let connector = connector(&hub);
    assert_eq!(pull(&connector).await.unwrap().count(), 1);
    let mut settings = Settings::default();
    settings.insert("include_archived", Value::Boolean(true));
    let said = pull_with(&connector, settings).await.unwrap();
    assert_eq!(said.count(), 2);
    let rows = &said.sightings["111122223333/us-east-1"];
    assert_eq!(
        (rows[0].status, rows[1].status),
        (Status::Resolved, Status::Open)
    );
}

#[tokio::test]
async fn a_denied_aggregator_leaves_one_region_and_a_warning() {
    let hub = Simulated::new().findings(many(3)).start().await.unwrap();
    hub.change(|hub| hub.denied.insert("ListFindingAggregators".to_owned()));
    let said = pull(&connector(&hub)).await.unwrap();
    assert!(said.is_complete());
    assert!(
        said.warnings[0].contains("securityhub:ListFindingAggregators"),
        "{:?}",
        said.warnings
    );
}

#[tokio::test]
async fn discover_lists_linked_regions_and_whoever_has_findings() {
    let hub = Simulated::new()
        .findings(samples())
        .aggregator(REGION, "SPECIFIED_REGIONS", &["eu-west-1"])
        .start()
        .await
        .unwrap();
    let records = connector(&hub).discover().await.unwrap();
    let ids: Vec<_> = records.iter().map(|record| record.id.as_str()).collect();
    assert_eq!(
        ids,
        [
            "111122223333/eu-west-1",
            "111122223333/us-east-1",
            "444455556666/eu-west-1"
        ]
    );
}
