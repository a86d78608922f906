//! The connector against the simulated tenant.

#![allow(clippy::unwrap_used)]

mod access;
mod jobs;

use std::collections::BTreeMap;
use std::time::Duration;

use secpull_simulators::tenable::{
    ACCESS_KEY, Fate, SECRET_KEY, Simulator, Tenable as Simulated, finding, shop,
};
use serde_json::json;

use super::*;
use crate::config::{
    Labels, MissingRecords, ProxySetting, RecordFilter, ScheduleSetting, Secret, Settings, Trust,
    Value,
};
use crate::connectors::Completeness;
use crate::finding::{Sighting, SourceKey, Status};

/// As for admins, but quick.
const HASTY: Pace = Pace {
    first: Duration::from_millis(1),
    longest: Duration::from_millis(5),
    busy: Duration::from_millis(5),
};

/// What a pull said.
#[derive(Debug, Default)]
struct Said {
    sightings: Vec<Sighting>,
    left_out: Vec<SourceKey>,
    unreadable: u64,
    ends: Vec<(String, Completeness)>,
    records: Vec<String>,
    warnings: Vec<String>,
}

impl Said {
    /// Each by its id, the last one if it came more than once.
    fn by_id(&self) -> BTreeMap<&str, &Sighting> {
        let pairs = self.sightings.iter().map(|s| (s.source_id.as_str(), s));
        pairs.collect()
    }

    fn is_complete(&self) -> bool {
        self.ends.len() == 1 && self.ends[0].1 == Completeness::Complete
    }

    fn reason(&self) -> &str {
        match &self.ends[..] {
            [(_, Completeness::Incomplete(reason))] => reason,
            ends => panic!("not one incomplete end: {ends:?}"),
        }
    }
}

fn tool(location: &str) -> Tool {
    let mut settings = Settings::default();
    settings.insert("access_key", Value::Text(ACCESS_KEY.to_owned()));
    Tool {
        name: "tenable".to_owned(),
        connector: "tenable".to_owned(),
        location: location.parse().unwrap(),
        secret: Some(Secret::new(SECRET_KEY)),
        trust: Trust::default(),
        proxy: ProxySetting::Direct,
        timeout: Duration::from_secs(20),
        max_requests_per_second: None,
        max_concurrent_requests: 8,
        settings,
        revision: [0; 8],
    }
}

fn connector(tenant: &Simulator) -> Tenable {
    Tenable::at_pace(&tool(tenant.url()), HASTY).unwrap()
}

fn settings(pairs: Vec<(&'static str, Value)>) -> Settings {
    let mut settings = Settings::default();
    for (key, value) in pairs {
        settings.insert(key, value);
    }
    settings
}

fn list(items: &[&str]) -> Value {
    Value::List(items.iter().map(|item| (*item).to_owned()).collect())
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn tags(values: &[&str]) -> Value {
    let values = values.iter().map(|value| (*value).to_owned()).collect();
    Value::Lists(BTreeMap::from([("Environment".to_owned(), values)]))
}

fn api(settings: Settings) -> ApiConfiguration {
    ApiConfiguration {
        name: "plant".to_owned(),
        tool: "tenable".to_owned(),
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

async fn pull(connector: &Tenable) -> Result<Said, ConnectorError> {
    pull_with(connector, Settings::default()).await
}

async fn pull_with(connector: &Tenable, settings: Settings) -> Result<Said, ConnectorError> {
    let (mut sink, mut receiver) = Sink::new(4, RecordFilter::default());
    let listening = tokio::spawn(async move {
        let mut said = Said::default();
        while let Some(pulled) = receiver.recv().await {
            match pulled {
                Pulled::Page {
                    sightings,
                    unreadable,
                    ..
                } => {
                    said.unreadable += unreadable;
                    said.sightings.extend(sightings);
                }
                Pulled::LeftOut { keys, .. } => said.left_out.extend(keys),
                Pulled::End {
                    scope,
                    completeness,
                } => said.ends.push((scope.record.id, completeness)),
                Pulled::Records(records) => {
                    said.records = records.into_iter().map(|record| record.id).collect();
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
    let said = listening.await.unwrap();
    result.map(|()| said)
}

/// A tenant with a finding on each of so many assets, an asset a chunk.
fn chunked(assets: u64) -> Simulated {
    Simulated::new().with(|world| {
        world.findings = (0..assets)
            .map(|number| finding(&format!("host-{number}"), 1000 + number, 443, "TCP"))
            .collect();
        world.assets_per_chunk = Some(1);
    })
}

/// Waits for something that other tasks bring about; fails after a bound that no healthy machine reaches.
async fn until(what: &str, condition: impl Fn() -> bool) {
    for _ in 0..6000 {
        if condition() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("waited in vain for {what}");
}

#[tokio::test]
async fn everything_is_asked_for_and_comes() {
    let tenant = shop().start().await.unwrap();
    let said = pull(&connector(&tenant)).await.unwrap();
    assert!(said.is_complete(), "{said:?}");
    assert_eq!(said.by_id().len(), 12);
    assert_eq!((said.unreadable, said.warnings.len()), (0, 0));
    assert_eq!(said.records, ["all-assets"]);
    assert_eq!(said.ends[0].0, "all-assets");
    let fixed = said
        .sightings
        .iter()
        .filter(|s| s.status == Status::Resolved);
    assert_eq!(fixed.count(), 1);

    let expected = json!({"num_assets": 500, "include_unlicensed": true,
        "filters": {"since": 946_684_800, "state": ["OPEN", "REOPENED", "FIXED"]}});
    assert_eq!(tenant.jobs()[0].body, expected);
    for request in tenant.requests() {
        assert!(
            request.credential && !request.credential_in_url,
            "{request:?}"
        );
        let agent = &request.headers["user-agent"];
        assert!(
            agent.starts_with("Integration/1.0 (secpull; secpull; Build/"),
            "{agent}"
        );
    }
}

#[tokio::test]
async fn every_chunk_that_is_listed_is_read_once_whatever_their_number() {
    for assets in [0, 1, 2, 7] {
        let tenant = chunked(assets).with(|world| world.looks = 4);
        let tenant = tenant.start().await.unwrap();
        let said = pull(&connector(&tenant)).await.unwrap();
        assert!(said.is_complete(), "{assets}: {said:?}");
        assert_eq!(said.by_id().len() as u64, assets);
        let mut downloads = tenant.jobs()[0].downloads.clone();
        // Half of them came while the job was under way, the last ones first.
        downloads.sort_unstable();
        let ids = [1, 2, 4, 5, 7, 8, 10];
        assert_eq!(downloads, ids[..usize::try_from(assets).unwrap()]);
        let warned = said.warnings.iter().any(|w| w.contains("Can View"));
        assert_eq!(warned, assets == 0, "{said:?}");
    }
}

#[tokio::test]
async fn a_tenant_that_tells_as_little_as_in_2018_is_read_too() {
    let tenant = chunked(3).with(|world| world.is_terse = true);
    let tenant = tenant.start().await.unwrap();
    let said = pull(&connector(&tenant)).await.unwrap();
    assert!(said.is_complete() && said.by_id().len() == 3, "{said:?}");
}

#[tokio::test]
async fn a_row_that_comes_again_is_no_error_and_the_last_one_counts() {
    let tenant = chunked(1);
    let tenant = tenant.with(|world| {
        let mut again = world.findings[0].clone();
        again["state"] = json!("FIXED");
        world.findings.push(again);
    });
    let tenant = tenant.start().await.unwrap();
    let said = pull(&connector(&tenant)).await.unwrap();
    assert!(said.is_complete());
    assert_eq!(said.sightings.len(), 1);
    assert_eq!(said.sightings[0].status, Status::Resolved);
}

#[tokio::test]
async fn a_narrower_choice_leaves_out_and_lets_the_rest_be() {
    let tenant = shop().start().await.unwrap();
    let narrow = settings(vec![("severities", list(&["high", "critical"]))]);
    let said = pull_with(&connector(&tenant), narrow).await.unwrap();
    assert!(said.is_complete());
    // One accepted as medium, two of information; the low one is fixed and told.
    assert_eq!((said.by_id().len(), said.left_out.len()), (9, 3));
    let family = settings(vec![("plugin_families", list(&["Local"]))]);
    let said = pull_with(&connector(&tenant), family).await.unwrap();
    assert_eq!((said.by_id().len(), said.left_out.len()), (2, 10));
    // Neither was asked of Tenable.
    let filters = tenant.jobs().pop().unwrap().body["filters"].clone();
    assert!(filters.get("severity").is_none(), "{filters}");
}

#[tokio::test]
async fn a_choice_of_assets_is_asked_of_tenable_and_is_a_record_of_its_own() {
    let tenant = shop().start().await.unwrap();
    let connector = connector(&tenant);
    let plant = "42475f11-5e6b-4d6a-a53d-63fe494961df";
    for (choice, count, record) in [
        (
            vec![("network_id", text(plant))],
            3,
            format!("network:{plant}"),
        ),
        (
            vec![("cidr_range", text("192.0.2.0/24"))],
            8,
            "cidr:192.0.2.0/24".to_owned(),
        ),
        (
            vec![("tags", tags(&["Office"]))],
            1,
            "tag:Environment=Office".to_owned(),
        ),
        (
            vec![("include_unlicensed", Value::Boolean(false))],
            11,
            "all-assets;licensed".to_owned(),
        ),
    ] {
        let said = pull_with(&connector, settings(choice)).await.unwrap();
        assert!(said.is_complete(), "{said:?}");
        assert_eq!(said.by_id().len(), count, "{record}");
        assert_eq!(
            (&said.ends[0].0, &said.records),
            (&record, &vec![record.clone()])
        );
    }
    let unknown = settings(vec![("tags", tags(&["Attic"]))]);
    let said = pull_with(&connector, unknown).await.unwrap();
    assert!(said.warnings[0].contains("no finding"), "{said:?}");
}

#[tokio::test]
async fn an_excerpt_of_the_history_proves_nothing() {
    let tenant = shop().start().await.unwrap();
    let recent = settings(vec![("since_days", Value::Integer(3650))]);
    let said = pull_with(&connector(&tenant), recent).await.unwrap();
    assert!(said.reason().contains("since_days"), "{said:?}");
    assert_eq!(said.by_id().len(), 12);
}

#[tokio::test]
async fn records_may_leave_out_what_is_selected() {
    let tenant = shop().start().await.unwrap();
    let exclude = globset::GlobSetBuilder::new()
        .add(globset::Glob::new("all-*").unwrap())
        .build()
        .unwrap();
    let filter = RecordFilter {
        exclude: Some(exclude),
        ..RecordFilter::default()
    };
    let (mut sink, mut receiver) = Sink::new(8, filter);
    let connector = connector(&tenant);
    connector
        .pull(&api(Settings::default()), &mut sink)
        .await
        .unwrap();
    drop(sink);
    let mut warned = false;
    while let Some(pulled) = receiver.recv().await {
        warned |= matches!(&pulled, Pulled::Warning(words) if words.contains("All assets"));
        assert!(!matches!(pulled, Pulled::End { .. } | Pulled::Page { .. }));
    }
    assert!(warned);
    assert_eq!(tenant.request_count(), 0);
}

#[tokio::test]
async fn web_findings_are_read_by_jobs_of_their_own() {
    let tenant = shop().start().await.unwrap();
    let web = settings(vec![("source", text("was"))]);
    let said = pull_with(&connector(&tenant), web).await.unwrap();
    assert!(said.is_complete(), "{said:?}");
    assert_eq!(said.records, ["web-applications"]);
    let ids: Vec<_> = said.by_id().into_keys().collect();
    assert_eq!(ids, ["was:044a6c5f-3b1c-5c2d-bc76-36e0072ab19c"]);
    let mut paths = tenant.requests().into_iter().map(|request| request.path);
    assert!(paths.all(|path| path.starts_with("/was/v1/export/vulns")));
}
