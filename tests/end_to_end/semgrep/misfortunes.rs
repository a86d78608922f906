//! Both endpoints through the table of misfortunes.

use std::cell::Cell;

use secpull_simulators::misfortune::Misfortune;
use secpull_simulators::semgrep::{API_TOKEN, Project, Rows, Simulator};

use super::{deployment, tool};
use crate::misfortunes::{Case, IMPATIENT, through_all};
use crate::support::Installation;

fn impatient(simulator: &Simulator, issue_type: &str) -> Installation {
    Installation::new(&format!(
        "[automatic_import]\nenabled = false\n{}page_size = 100\n{IMPATIENT}\
         [api_configurations.shop]\ntool = \"semgrep\"\nproduct = \"Shop\"\nproject = \"acme/shop\"\ntimeout = \"40s\"\n\
         issue_types = [\"{issue_type}\"]\n",
        tool("semgrep", simulator)
    ))
}

#[test]
fn semgreps_findings_are_never_believed_when_they_should_not_be() {
    let simulator = deployment(vec![Project::new("acme/shop").with_many(250)]);
    let installation = impatient(&simulator, "sast");
    let endless = Cell::new(false);
    through_all(&Case {
        name: "Semgrep",
        installation: &installation,
        secret: API_TOKEN,
        inflict: &|misfortune| {
            endless.set(misfortune == Misfortune::EndlessPages);
            simulator.inflict(misfortune);
        },
        calm: &|| {
            simulator.calm();
            // Nothing in the answers tells that they are made up: they were taken in until the time was over, and are more
            // than those that are real. So somebody has to say that they may go.
            if endless.replace(false) {
                installation.import("shop").exits(1);
                assert_eq!(installation.last_run("shop")["status"], "held");
                let _daemon = installation.daemon();
                installation.secpull(&["accept", "shop"]).exits(0);
            }
        },
    });
    assert!(
        simulator.requests_elsewhere().is_empty(),
        "followed to another host"
    );
}

#[test]
fn semgreps_secrets_are_never_believed_when_they_should_not_be() {
    let simulator = deployment(vec![
        Project::new("acme/shop").with_secrets(Rows::many(1100)),
    ]);
    let installation = impatient(&simulator, "secrets");
    through_all(&Case {
        name: "Semgrep's secrets",
        installation: &installation,
        secret: API_TOKEN,
        inflict: &|misfortune| match misfortune {
            Misfortune::KeyRevoked => simulator.inflict(misfortune),
            // Cursors have no numbers; see the tests of cursors.
            _ if misfortune.needs_pages() => {}
            _ => simulator.inflict_as(misfortune.plan().everywhere().on("/secrets")),
        },
        calm: &|| simulator.calm(),
    });
    assert!(simulator.requests_elsewhere().is_empty());
}
