//! Who wants to be told is told, once, whatever happens on the way.

mod mail;
mod secrets;
mod troubles;
mod webhooks;

use secpull_simulators::dependency_track::{Project, Simulator, Version};
use secpull_simulators::hooks::{Receiver, Taken};

use super::support::dependency_track::{finding, project, server, tool};
use super::support::{Daemon, Installation, wait_for};

/// Findings, a tool that has them, and an installation that imports them as `shop` and tells of it.
pub(super) struct Shop {
    pub(super) server: Simulator,
    pub(super) installation: Installation,
    project: String,
}

impl Shop {
    /// With so many findings, all of them high, and these tables beside the tool's.
    pub(super) fn new(findings: u32, tables: &str) -> Self {
        let project = project("shop", 0..findings);
        let uuid = project.uuid.clone();
        let server = server(Version::V5_0, vec![project]);
        let toml = format!(
            "{}timeout = \"5s\"\n[api_configurations.shop]\ntool = \"dt\"\nproduct = \"Shop\"\nproject_key = \"{uuid}\"\n\
             automatic_import = {{ enabled = false }}\n{tables}",
            tool("dt", &server)
        );
        Self {
            server,
            installation: Installation::new(&toml),
            project: uuid,
        }
    }

    /// From now on it has these findings; those from 900 on are critical.
    pub(super) fn has(&self, numbers: impl IntoIterator<Item = u32>) {
        let findings = numbers.into_iter().map(|number| {
            let mut finding = finding(number);
            if number >= 900 {
                finding.vulnerability.severity = "CRITICAL".to_owned();
            }
            finding
        });
        let change = |project: &mut Project| {
            project.findings.remove(|_| true);
            findings.for_each(|finding| project.findings.add(finding));
        };
        self.server
            .portfolio()
            .change(&self.project, change)
            .unwrap();
    }

    pub(super) fn daemon(&self) -> Daemon {
        self.installation.daemon()
    }

    /// Imports, and gives back when the run is over.
    #[track_caller]
    pub(super) fn runs(&self, code: i32) {
        self.installation.secpull(&["run", "shop"]).exits(code);
    }
}

/// A table of a notification `n` that posts to this receiver.
pub(super) fn told(receiver: &Receiver, keys: &str) -> String {
    format!(
        "[notifications.n]\nurl = \"{}\"\nproxy = \"none\"\n{keys}\n",
        receiver.hook_url()
    )
}

/// What a receiver has taken, once it is so many messages.
#[track_caller]
pub(super) fn taken(receiver: &Receiver, messages: usize) -> Vec<Taken> {
    let taken = wait_for(&format!("{messages} messages"), || {
        let taken = receiver.taken();
        (taken.len() >= messages).then_some(taken)
    });
    assert_eq!(taken.len(), messages, "{taken:#?}");
    taken
}

/// The words of a message's events.
pub(super) fn events(taken: &Taken) -> Vec<&str> {
    let events = taken.body["events"].as_array().unwrap();
    events.iter().map(|event| event.as_str().unwrap()).collect()
}
