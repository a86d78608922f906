//! What people ask.

use secpull::finding::{Finding, Kind, Severity, Status};
use secpull::store::{FindingFilter, StatusFilter};

use crate::world::{Read, World, day, sighting, with_severity, with_status};

fn titles(findings: &[Finding]) -> Vec<&str> {
    findings
        .iter()
        .map(|finding| finding.title.split(' ').next().unwrap())
        .collect()
}

async fn listed(world: &World, filter: FindingFilter) -> Vec<String> {
    let findings = world.list(filter).await;
    titles(&findings).into_iter().map(str::to_owned).collect()
}

/// Six findings of two API configurations in two products.
async fn mixed() -> World {
    let world = World::new().await;
    let mut other = sighting("e", "CVE-5");
    other.content.kind = Kind::Endpoint;
    let mut ghsa = sighting("c", "GHSA-3");
    ghsa.content.aliases = vec!["CVE-3".to_owned()];
    let first = [
        with_severity(sighting("a", "CVE-1"), Severity::Critical),
        with_severity(sighting("b", "CVE-2"), Severity::Low),
        ghsa,
    ];
    world
        .import_as(&Read::of("one", 0).branch("main"), &first)
        .await;
    let second = [
        with_status(sighting("d", "CVE-4"), Status::RiskAccepted),
        with_severity(other, Severity::Critical),
        sighting("f", "CVE-6"),
    ];
    let read = |at| Read::of("two", at).product("Web");
    world.import_as(&read(1), &second).await;
    world.import_as(&read(2), &second[..2]).await;
    world
}

#[tokio::test]
async fn resolved_findings_are_hidden_unless_asked_for() {
    let world = mixed().await;
    assert_eq!(
        listed(&world, FindingFilter::default()).await,
        ["CVE-1", "CVE-2", "GHSA-3", "CVE-4", "CVE-5"]
    );
    assert_eq!(world.all().await.len(), 6);
    let only = |statuses: &[Status]| FindingFilter {
        status: StatusFilter::Only(statuses.to_vec()),
        ..FindingFilter::default()
    };
    assert_eq!(listed(&world, only(&[Status::Resolved])).await, ["CVE-6"]);
    assert_eq!(
        listed(&world, only(&[Status::Resolved, Status::RiskAccepted])).await,
        ["CVE-4", "CVE-6"]
    );
}

#[tokio::test]
async fn every_filter_narrows_and_values_of_one_are_alternatives() {
    let world = mixed().await;
    let all = FindingFilter {
        status: StatusFilter::All,
        ..FindingFilter::default()
    };
    let texts = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect();
    let severities = FindingFilter {
        severities: vec![Severity::Low, Severity::Critical],
        ..all.clone()
    };
    assert_eq!(
        listed(&world, severities.clone()).await,
        ["CVE-1", "CVE-2", "CVE-5"]
    );
    let critical_web = FindingFilter {
        products: texts(&["Web"]),
        ..severities
    };
    assert_eq!(listed(&world, critical_web).await, ["CVE-5"]);
    let products = FindingFilter {
        products: texts(&["Web", "Shop"]),
        ..all.clone()
    };
    assert_eq!(listed(&world, products).await.len(), 6);
    let nobody = FindingFilter {
        products: texts(&["web"]),
        ..all.clone()
    };
    assert!(listed(&world, nobody).await.is_empty());
    let branches = FindingFilter {
        branches: texts(&["main"]),
        ..all.clone()
    };
    assert_eq!(listed(&world, branches).await.len(), 3);
    let services = FindingFilter {
        services: texts(&["checkout"]),
        ..all.clone()
    };
    assert!(listed(&world, services).await.is_empty());
    let kinds = FindingFilter {
        kinds: vec![Kind::Endpoint],
        ..all.clone()
    };
    assert_eq!(listed(&world, kinds).await, ["CVE-5"]);
    let apis = FindingFilter {
        api_configurations: texts(&["two", "nobody"]),
        ..all.clone()
    };
    assert_eq!(listed(&world, apis).await, ["CVE-4", "CVE-5", "CVE-6"]);
    let since = FindingFilter {
        first_seen_since: Some(day(1)),
        ..all.clone()
    };
    assert_eq!(listed(&world, since).await, ["CVE-4", "CVE-5", "CVE-6"]);
    let limit = FindingFilter {
        limit: Some(2),
        ..all
    };
    assert_eq!(listed(&world, limit).await, ["CVE-1", "CVE-2"]);
}

#[tokio::test]
async fn a_vulnerability_is_found_by_each_of_its_names() {
    let world = mixed().await;
    for name in ["CVE-3", "GHSA-3", " ghsa-3 "] {
        let filter = FindingFilter {
            vulnerabilities: vec![name.to_owned()],
            ..FindingFilter::default()
        };
        assert_eq!(listed(&world, filter).await, ["GHSA-3"], "{name}");
    }
    let filter = FindingFilter {
        vulnerabilities: vec!["CVE-2".to_owned(), "CVE-1".to_owned()],
        ..FindingFilter::default()
    };
    assert_eq!(listed(&world, filter).await, ["CVE-1", "CVE-2"]);
}

#[tokio::test]
async fn a_finding_is_listed_for_each_api_configuration_that_sees_it() {
    let world = World::new().await;
    world.import("one", 0, &[sighting("a", "CVE-1")]).await;
    world
        .import("two", 0, &[sighting("b", "CVE-1"), sighting("c", "CVE-2")])
        .await;
    for (api, count) in [("one", 1), ("two", 2)] {
        let filter = FindingFilter {
            api_configurations: vec![api.to_owned()],
            ..FindingFilter::default()
        };
        assert_eq!(world.list(filter).await.len(), count, "{api}");
    }
}

#[tokio::test]
async fn a_long_listing_is_in_order_and_whole_however_it_is_found() {
    let world = World::new().await;
    let all: Vec<_> = (0..1500)
        .map(|n| {
            let sighting = sighting(&format!("s{n}"), &format!("CVE-{n:05}"));
            with_severity(sighting, Severity::ALL[n % 6])
        })
        .collect();
    world.import("shop", 0, &all).await;
    let filters = [
        FindingFilter::default(),
        FindingFilter {
            status: StatusFilter::All,
            ..FindingFilter::default()
        },
        FindingFilter {
            products: vec!["Shop".to_owned()],
            ..FindingFilter::default()
        },
        FindingFilter {
            severities: Severity::ALL.to_vec(),
            ..FindingFilter::default()
        },
    ];
    for filter in filters {
        let findings = world.list(filter.clone()).await;
        assert_eq!(findings.len(), 1500, "{filter:?}");
        assert!(
            findings.windows(2).all(|two| two[0].id < two[1].id),
            "{filter:?}"
        );
    }
}

#[tokio::test]
async fn a_listing_that_nobody_reads_on_stands_in_nobodys_way() {
    let world = World::new().await;
    let all: Vec<_> = (0..500)
        .map(|n| sighting(&format!("s{n}"), &format!("CVE-{n:05}")))
        .collect();
    world.import("shop", 0, &all).await;
    let mut slow = Vec::new();
    for _ in 0..8 {
        let mut stream = world
            .store
            .findings(FindingFilter::default())
            .await
            .unwrap();
        assert!(stream.recv().await.unwrap().is_ok());
        slow.push(stream);
    }
    world.import("shop", 1, &all[..400]).await;
    world.store.settle().await.unwrap();
    assert_eq!(world.unresolved("shop").await, 400);
    drop(slow.pop());
    // The others are read on: each finding is as it is now, none comes twice.
    let mut stream = slow.remove(0);
    let mut last = 0;
    while let Some(finding) = stream.recv().await {
        let finding = finding.unwrap();
        assert!(finding.id > last);
        last = finding.id;
    }
}
