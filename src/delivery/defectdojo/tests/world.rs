//! An instance, a store with findings, and a forward between them.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use secpull_simulators::defectdojo::{self, Finding, Simulator, TOKEN};
use secpull_simulators::server::SeenRequest;
use tokio_util::sync::CancellationToken;

use crate::config::{ConnectorSpec, Direction, Need, load_texts};
use crate::delivery::defectdojo::{DefectDojo, Room};
use crate::delivery::fakes::Bench;
use crate::delivery::{Courier, Deliverer, announce_runs, look_round};
use crate::finding::{
    Component, Content, Filing, Kind, Severity, Sighting, Status, canonical_vulnerability_id,
    fingerprint,
};
use crate::store::{
    Before, Change, Claim, HoldLimits, NewRun, Proof, RunEnd, RunState, ScopeKey, Trigger, Unseen,
    Waiting,
};

static DOJO: ConnectorSpec = ConnectorSpec {
    direction: Direction::Destination,
    ..connector("defectdojo")
};

static SCANNER: ConnectorSpec = connector("scanner");

const fn connector(name: &'static str) -> ConnectorSpec {
    ConnectorSpec {
        name,
        title: "",
        direction: Direction::Source,
        location_meaning: "",
        default_location: None,
        endpoint_of_region: None,
        secret: Need::Optional,
        secret_meaning: "",
        permissions: &[],
        record_meaning: "",
        source_id_form: "",
        tool_settings: &[],
        api_settings: &[],
        resolve_after: 1,
        reads_several_branches: |_| None,
        validate_api: |_, _| Vec::new(),
        validate_tool: |_| Vec::new(),
    }
}

pub(super) struct World {
    pub(super) bench: Bench,
    pub(super) dojo: Simulator,
    pub(super) deliverer: Arc<dyn Deliverer>,
    day: AtomicI64,
}

impl World {
    /// With a forward that has these keys beside its tool's.
    pub(super) async fn new(keys: &str) -> Self {
        Self::with_room(keys, Room::default()).await
    }

    pub(super) async fn with_room(keys: &str, room: Room) -> Self {
        let dojo = defectdojo::DefectDojo::new(defectdojo::World::new());
        let dojo = dojo.start().await.unwrap();
        Self {
            bench: Bench::new().await,
            deliverer: forward(dojo.url(), keys, room),
            dojo,
            day: AtomicI64::new(0),
        }
    }

    /// From now on the forward is another.
    pub(super) fn set_up_anew(&mut self, keys: &str) {
        self.deliverer = forward(self.dojo.url(), keys, Room::default());
    }

    /// One whole import of the API configuration `shop` into the product Shop.
    pub(super) async fn import(&self, sightings: &[Sighting]) {
        self.import_as("shop", &shop(), true, sightings).await;
    }

    /// An import of one scope, whole or not.
    pub(super) async fn import_as(
        &self,
        api: &str,
        filing: &Filing,
        complete: bool,
        sightings: &[Sighting],
    ) {
        let store = self.bench.store();
        let at = day(self.day.fetch_add(1, Ordering::Relaxed));
        let run = NewRun {
            api_configuration: api.to_owned(),
            connector: "scanner".to_owned(),
            trigger: Trigger::Operator,
            slot: None,
            daemon: "host:1".to_owned(),
        };
        let run = store.enqueue(run).await.unwrap().unwrap();
        assert_eq!(store.start(run).await.unwrap(), Claim::Running);
        let scope = ScopeKey {
            record_id: filing.product.clone(),
            record_name: filing.product.clone(),
            part: None,
            filing: filing.clone(),
            branch_is_label: false,
        };
        let scope = store.open_scope(run, scope).await.unwrap();
        let before = |key| match scope.known.iter().any(|(known, _)| *known == key) {
            true => Before::Stored,
            false => Before::Nothing,
        };
        let change = |sighting: &Sighting| Change {
            key: sighting.source_key(),
            digest: sighting.digest(format!("{filing:?}").as_bytes()),
            before: before(sighting.source_key()),
            fingerprint: fingerprint(&sighting.content, sighting.weakness.as_deref()),
            canonical_id: canonical_vulnerability_id(&sighting.content),
            at,
            sighting: Box::new(sighting.clone()),
        };
        let changes = sightings.iter().map(change);
        let changes: Vec<_> = changes
            .filter(|change| !scope.known.contains(&(change.key, change.digest)))
            .collect();
        store.write(run, scope.id, changes.into()).await.unwrap();
        let seen: Vec<_> = sightings.iter().map(Sighting::source_key).collect();
        let unseen = scope.known.iter().map(|(key, _)| *key);
        let proof = Proof {
            scope: scope.id,
            unseen: Unseen::These(unseen.filter(|key| !seen.contains(key)).collect()),
            resolve_after: 1,
            at,
        };
        let never = HoldLimits {
            max_resolved_fraction: 1.0,
            min_held: u64::MAX,
        };
        let proofs = complete.then_some(proof).into_iter().collect();
        store.close(run, proofs, never).await.unwrap();
        let end = RunEnd::unread(
            match complete {
                true => RunState::Complete,
                false => RunState::Partial,
            },
            None,
        );
        store.finish(run, end).await.unwrap();
    }

    /// Makes known what has happened, and tries once what is due.
    pub(super) async fn go(&self) {
        let deliverers = [Arc::clone(&self.deliverer)];
        announce_runs(&self.bench.office, &deliverers)
            .await
            .unwrap();
        look_round(&self.bench.office, &deliverers).await.unwrap();
        let never = CancellationToken::new();
        let mut courier = Courier::new(self.bench.office.clone(), Arc::clone(&self.deliverer));
        courier.deliver_due(&never, &never).await.unwrap();
    }

    /// The same, and everything has arrived.
    pub(super) async fn deliver(&self) {
        self.go().await;
        let waiting = self.bench.waiting().await;
        assert!(waiting.is_empty(), "{waiting:?}");
    }

    pub(super) async fn waits(&self) -> Waiting {
        let mut waiting = self.bench.waiting().await;
        assert_eq!(waiting.len(), 1, "{waiting:?}");
        waiting.remove(0)
    }

    pub(super) fn later(&self, seconds: u64) {
        self.bench.forward(Duration::from_secs(seconds));
    }

    /// All findings of the instance, by id.
    pub(super) fn findings(&self) -> Vec<Finding> {
        self.dojo.change(|world| {
            let findings = world.findings.iter();
            findings.map(|(_, finding)| finding.clone()).collect()
        })
    }

    /// The only finding with this title.
    pub(super) fn finding(&self, title: &str) -> Finding {
        let named = self.findings().into_iter();
        let mut named: Vec<_> = named.filter(|finding| finding.title == title).collect();
        assert_eq!(named.len(), 1, "{title}: {named:#?}");
        named.remove(0)
    }

    /// Severity, `+` where it is open, and title, in the order of the titles.
    pub(super) fn listed(&self) -> Vec<String> {
        let line = |finding: Finding| {
            let open = if finding.active { "+" } else { "-" };
            format!("{} {open}{}", finding.title, finding.severity)
        };
        let mut lines: Vec<_> = self.findings().into_iter().map(line).collect();
        lines.sort();
        lines
    }

    /// Names of product, engagement and test, and how many findings are in it.
    pub(super) fn tests(&self) -> Vec<(String, String, String, usize)> {
        self.dojo.change(|world| {
            let row = |(id, test): (u64, &defectdojo::Test)| {
                let engagement = world.engagements.get(test.engagement).unwrap();
                let product = world.products.get(engagement.product).unwrap();
                let own = world.findings.iter().filter(|(_, f)| f.test == id);
                (
                    product.name.clone(),
                    engagement.name.clone(),
                    test.title.clone().unwrap(),
                    own.count(),
                )
            };
            world.tests.iter().map(row).collect()
        })
    }

    fn requests(&self, method: &str) -> Vec<SeenRequest> {
        let requests = self.dojo.requests().into_iter();
        requests.filter(|seen| seen.method == method).collect()
    }

    pub(super) fn uploads(&self) -> Vec<SeenRequest> {
        self.requests("POST")
    }

    pub(super) fn patches(&self) -> usize {
        self.requests("PATCH").len()
    }
}

fn forward(url: &str, keys: &str, room: Room) -> Arc<dyn Deliverer> {
    let toml = format!(
        "[tools.dojo]\nconnector = 'defectdojo'\nlocation = '{url}'\nsecret = '{TOKEN}'\nproxy = 'none'\n\
         [tools.scan]\nconnector = 'scanner'\nlocation = 'http://127.0.0.1:1'\n\
         [api_configurations.shop]\ntool = 'scan'\n[api_configurations.other]\ntool = 'scan'\n\
         [forwards.dojo]\ntool = 'dojo'\n{keys}\n"
    );
    let texts = [("secpull.toml", toml.as_str())];
    let loaded = load_texts(&texts, &BTreeMap::new(), &[&DOJO, &SCANNER]).unwrap();
    assert_eq!(loaded.warnings, [""; 0]);
    let config = loaded.config;
    let mut deliverer =
        DefectDojo::new(Arc::clone(&config.forwards["dojo"]), &config.tools["dojo"]);
    deliverer.room = room;
    Arc::new(deliverer)
}

pub(super) fn shop() -> Filing {
    filed("Shop", None, None)
}

pub(super) fn filed(product: &str, branch: Option<&str>, service: Option<&str>) -> Filing {
    Filing {
        product: product.to_owned(),
        branch: branch.map(str::to_owned),
        service: service.map(str::to_owned),
    }
}

fn day(day: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_700_000_000, 0).unwrap() + TimeDelta::days(day)
}

/// A high weakness of a component of its own.
pub(super) fn weakness(name: &str) -> Sighting {
    Sighting {
        source_id: format!("id of {name}"),
        severity: Severity::High,
        status: Status::Open,
        content: Content {
            kind: Kind::Component,
            title: format!("Weakness {name}"),
            description: Some("As the vendor has it.".to_owned()),
            vulnerability_id: Some(format!("CVE-2026-{name}")),
            component: Some(Component {
                name: Some("lib".to_owned()),
                version: Some("1".to_owned()),
                ..Component::default()
            }),
            ..Content::default()
        },
        raw: "{}".to_owned(),
        ..Sighting::default()
    }
}

pub(super) fn severe(mut sighting: Sighting, severity: Severity) -> Sighting {
    sighting.severity = severity;
    sighting
}

pub(super) fn judged(mut sighting: Sighting, status: Status) -> Sighting {
    sighting.status = status;
    sighting
}
