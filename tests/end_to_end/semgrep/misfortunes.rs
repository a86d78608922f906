//! Both endpoints through the table of misfortunes.

use secpull_simulators::semgrep::{API_TOKEN, Project, Rows, Semgrep, Simulator};

use super::tool;
use crate::misfortunes::{Case, IMPATIENT, through_all};

fn impatient(name: &str, simulator: &Simulator, issue_type: &str) -> String {
    format!(
        "{}{IMPATIENT}[api_configurations.{name}]\ntool = \"{name}\"\nproduct = \"{name}\"\n\
         project = \"acme/shop\"\nissue_types = [\"{issue_type}\"]\n",
        tool(name, simulator)
    )
}

#[test]
fn semgreps_findings_are_never_believed_when_they_should_not_be() {
    through_all(&Case {
        name: "Semgrep",
        secret: API_TOKEN,
        start: &|name| {
            // Pages smaller than what may be asked for, so that few rows are several pages.
            let project = Project::new("acme/shop").with_many(60);
            let simulator = Semgrep::new().projects([project]).clamps_pages(20);
            let simulator = simulator.start_blocking().unwrap();
            let toml = impatient(name, &simulator, "sast");
            (simulator, toml)
        },
    });
}

#[test]
fn semgreps_secrets_are_never_believed_when_they_should_not_be() {
    through_all(&Case {
        name: "Semgrep's secrets",
        secret: API_TOKEN,
        start: &|name| {
            let project = Project::new("acme/shop").with_secrets(Rows::many(60));
            let simulator = Semgrep::new().projects([project]).clamps_pages(20);
            let simulator = simulator.strikes_secrets().start_blocking().unwrap();
            let toml = impatient(name, &simulator, "secrets");
            (simulator, toml)
        },
    });
}
