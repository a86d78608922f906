//! What is counted for Prometheus. Labels are names of API configurations and destinations, and fixed words, never text from a tool.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, Utc};
use metrics::{Label, Level, Metadata, Recorder, Unit};
use metrics_exporter_prometheus::{
    BuildError, PrometheusBuilder, PrometheusHandle, PrometheusRecorder,
};

use crate::delivery::Ledger;
use crate::store::{Run, RunState, Waiting};

const RUNS: &str = "secpull_runs_total";
const RUN_DURATION: &str = "secpull_run_duration_seconds";
const SIGHTINGS: &str = "secpull_sightings_total";
const PAGES: &str = "secpull_pages_total";
const REQUESTS: &str = "secpull_requests_total";
const RETRIES: &str = "secpull_retries_total";
const LAST_COMPLETE: &str = "secpull_last_complete_timestamp_seconds";
const LAST_RUN_FAILED: &str = "secpull_last_run_failed";
const RUNNING: &str = "secpull_runs_running";
const QUEUED: &str = "secpull_runs_queued";
const STORE_UP: &str = "secpull_store_up";
const RELOAD_OK: &str = "secpull_configuration_last_reload_successful";
const DELIVERIES: &str = "secpull_deliveries_total";
const OUTBOX_WAITING: &str = "secpull_outbox_waiting";
const BUILD_INFO: &str = "secpull_build_info";

/// From one second to the six hours after which most run limits strike.
const DURATION_BUCKETS: [f64; 7] = [1.0, 10.0, 60.0, 300.0, 1800.0, 7200.0, 21600.0];

/// The daemon's own registry; nothing is global, so that several engines can live in one process.
pub struct Metrics {
    recorder: PrometheusRecorder,
    handle: PrometheusHandle,
    /// Destinations that something waited for: what has been delivered is to show as none.
    destinations: Mutex<BTreeSet<String>>,
}

impl Metrics {
    /// An empty registry, with the build's version in it.
    ///
    /// # Errors
    /// The histogram's buckets are not acceptable.
    pub fn new() -> Result<Self, BuildError> {
        let recorder = PrometheusBuilder::new()
            .set_buckets(&DURATION_BUCKETS)?
            .build_recorder();
        let handle = recorder.handle();
        let metrics = Self {
            recorder,
            handle,
            destinations: Mutex::default(),
        };
        metrics.describe();
        let version = vec![Label::new("version", env!("CARGO_PKG_VERSION"))];
        metrics.gauge(BUILD_INFO, version, 1.0);
        Ok(metrics)
    }

    /// The Prometheus text format.
    #[must_use]
    pub fn render(&self) -> String {
        self.handle.run_upkeep();
        self.handle.render()
    }

    /// Counts a run that is over.
    pub fn run_ended(&self, run: &Run) {
        let api = || Label::new("api_configuration", run.api_configuration.clone());
        let labels = vec![
            api(),
            Label::new("status", run.status.as_str()),
            Label::new("trigger", run.trigger.as_str()),
        ];
        self.count(RUNS, labels, 1);
        let changes = [
            ("new", run.new),
            ("updated", run.updated),
            ("unchanged", run.unchanged),
            ("resolved", run.resolved),
            ("reopened", run.reopened),
            ("unreadable", run.unreadable),
        ];
        for (change, number) in changes {
            self.count(SIGHTINGS, vec![api(), Label::new("change", change)], number);
        }
        self.count(PAGES, vec![api()], run.pages);
        self.count(REQUESTS, vec![api()], run.requests);
        self.count(RETRIES, vec![api()], run.retries);
        if let (Some(from), Some(to)) = (run.started_at, run.finished_at) {
            let seconds = (to - from).as_seconds_f64().max(0.0);
            let key = metrics::Key::from_parts(RUN_DURATION, vec![api()]);
            self.recorder
                .register_histogram(&key, &METADATA)
                .record(seconds);
        }
        if run.status != RunState::Skipped {
            let failed = f64::from(u8::from(run.status != RunState::Complete));
            self.gauge(LAST_RUN_FAILED, vec![api()], failed);
        }
        if let (RunState::Complete, Some(at)) = (run.status, run.finished_at) {
            self.last_complete(&run.api_configuration, at);
        }
    }

    /// Sets when an API configuration was last complete.
    pub fn last_complete(&self, api_configuration: &str, at: DateTime<Utc>) {
        let labels = vec![Label::new(
            "api_configuration",
            api_configuration.to_owned(),
        )];
        #[expect(
            clippy::cast_precision_loss,
            reason = "milliseconds since 1970 fit in 53 bits"
        )]
        let seconds = at.timestamp_millis() as f64 / 1000.0;
        self.gauge(LAST_COMPLETE, labels, seconds);
    }

    /// Sets how many runs are under way and how many wait.
    pub fn load(&self, running: usize, queued: usize) {
        #[expect(clippy::cast_precision_loss, reason = "numbers of runs are small")]
        let (running, queued) = (running as f64, queued as f64);
        self.gauge(RUNNING, Vec::new(), running);
        self.gauge(QUEUED, Vec::new(), queued);
    }

    /// Sets whether the store works.
    pub fn store_up(&self, up: bool) {
        self.gauge(STORE_UP, Vec::new(), f64::from(u8::from(up)));
    }

    /// Sets whether the configuration was accepted when it was last read.
    pub fn reloaded(&self, accepted: bool) {
        self.gauge(RELOAD_OK, Vec::new(), f64::from(u8::from(accepted)));
    }

    fn count(&self, name: &'static str, labels: Vec<Label>, by: u64) {
        let key = metrics::Key::from_parts(name, labels);
        self.recorder
            .register_counter(&key, &METADATA)
            .increment(by);
    }

    fn gauge(&self, name: &'static str, labels: Vec<Label>, value: f64) {
        let key = metrics::Key::from_parts(name, labels);
        self.recorder.register_gauge(&key, &METADATA).set(value);
    }

    fn describe(&self) {
        let counters = [
            (RUNS, "Imports that ended, by how"),
            (SIGHTINGS, "Sightings that imports read, by what changed"),
            (PAGES, "Pages that imports read"),
            (REQUESTS, "Requests that imports sent to tools"),
            (RETRIES, "Requests that were sent again"),
            (
                DELIVERIES,
                "Attempts to deliver a message to a destination, by how they ended",
            ),
        ];
        for (name, text) in counters {
            self.recorder
                .describe_counter(name.into(), None, text.into());
        }
        let gauges = [
            (BUILD_INFO, "Version of the daemon; always 1"),
            (RUNNING, "Imports under way"),
            (QUEUED, "Imports that wait for their turn"),
            (OUTBOX_WAITING, "Messages that wait for a destination"),
            (STORE_UP, "1 while the store works, else 0"),
            (
                RELOAD_OK,
                "1 if the configuration was accepted when last read",
            ),
            (
                LAST_COMPLETE,
                "When an API configuration was last imported completely, in seconds since 1970",
            ),
            (
                LAST_RUN_FAILED,
                "1 if the last import that was not skipped ended other than complete",
            ),
        ];
        for (name, text) in gauges {
            self.recorder.describe_gauge(name.into(), None, text.into());
        }
        self.recorder.describe_histogram(
            RUN_DURATION.into(),
            Some(Unit::Seconds),
            "How long imports took".into(),
        );
    }
}

impl Ledger for Metrics {
    fn attempted(&self, destination: &str, outcome: &'static str) {
        let labels = vec![
            Label::new("destination", destination.to_owned()),
            Label::new("outcome", outcome),
        ];
        self.count(DELIVERIES, labels, 1);
    }

    fn waiting(&self, waiting: &[Waiting]) {
        let mut known = self
            .destinations
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        known.extend(waiting.iter().map(|waiting| waiting.destination.clone()));
        for destination in known.iter() {
            let messages = waiting
                .iter()
                .find(|waiting| waiting.destination == *destination)
                .map_or(0, |waiting| waiting.messages);
            #[expect(clippy::cast_precision_loss, reason = "numbers of messages are small")]
            let messages = messages as f64;
            let labels = vec![Label::new("destination", destination.clone())];
            self.gauge(OUTBOX_WAITING, labels, messages);
        }
    }
}

const METADATA: Metadata<'static> = Metadata::new(module_path!(), Level::INFO, None);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Trigger;

    #[test]
    fn a_run_is_counted_by_state_and_api_configuration() {
        let metrics = Metrics::new().unwrap();
        metrics.run_ended(&Run {
            id: 1,
            api_configuration: "shop".to_owned(),
            trigger: Trigger::Schedule,
            status: RunState::Complete,
            started_at: Some(DateTime::UNIX_EPOCH),
            finished_at: DateTime::from_timestamp(90, 0),
            new: 7,
            updated: 0,
            unchanged: 3,
            resolved: 2,
            reopened: 0,
            unreadable: 0,
            pages: 4,
            requests: 6,
            retries: 1,
            daemon: "host:1".to_owned(),
            error: None,
        });
        let text = metrics.render();
        for line in [
            r#"secpull_runs_total{api_configuration="shop",status="complete",trigger="schedule"} 1"#,
            r#"secpull_sightings_total{api_configuration="shop",change="new"} 7"#,
            r#"secpull_retries_total{api_configuration="shop"} 1"#,
            r#"secpull_last_complete_timestamp_seconds{api_configuration="shop"} 90"#,
            r#"secpull_run_duration_seconds_bucket{api_configuration="shop",le="60"} 0"#,
            r#"secpull_run_duration_seconds_bucket{api_configuration="shop",le="300"} 1"#,
            concat!(
                r#"secpull_build_info{version=""#,
                env!("CARGO_PKG_VERSION"),
                r#""} 1"#
            ),
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
    }

    #[test]
    fn deliveries_are_counted_and_what_has_been_delivered_waits_no_more() {
        let metrics = Metrics::new().unwrap();
        let waits = |destination: &str, messages| Waiting {
            destination: destination.to_owned(),
            messages,
            since: DateTime::UNIX_EPOCH,
            attempts: 1,
            problem: None,
            next_attempt_at: None,
        };
        metrics.attempted("forwards.dojo", "later");
        metrics.attempted("forwards.dojo", "delivered");
        metrics.attempted("forwards.dojo", "delivered");
        metrics.waiting(&[waits("forwards.dojo", 3), waits("notifications.ops", 1)]);
        metrics.waiting(&[waits("notifications.ops", 2)]);
        let text = metrics.render();
        for line in [
            r#"secpull_deliveries_total{destination="forwards.dojo",outcome="later"} 1"#,
            r#"secpull_deliveries_total{destination="forwards.dojo",outcome="delivered"} 2"#,
            r#"secpull_outbox_waiting{destination="forwards.dojo"} 0"#,
            r#"secpull_outbox_waiting{destination="notifications.ops"} 2"#,
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
    }
}
