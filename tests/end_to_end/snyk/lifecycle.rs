//! What becomes of issues, projects and organizations from one import to the next.

use secpull_simulators::scenario::{SNYK_CODE, SNYK_INACTIVE, SNYK_PACKAGES, snyk_shop};
use secpull_simulators::snyk::{Organization, Project};
use serde_json::{Value, json};

use super::super::support::snyk::serving;
use super::{
    ACME, LODASH, configured, ids_of_status, includes, installation, numbered, of_source, open,
    said,
};

#[test]
fn statuses_follow_snyk_and_ids_stay_through_all_of_it() {
    let simulator = serving(snyk_shop());
    let installation = installation(
        &simulator,
        "organization = \"acme\"\nstatuses = [\"open\", \"resolved\"]",
    );
    installation.import("shop").exits(0);
    // What was never seen open is not stored.
    assert_eq!(
        ids_of_status(&installation, "resolved"),
        Vec::<String>::new()
    );
    let set = |status: &str, ignored: bool| {
        simulator.customer().change(|world| {
            world.organization("acme").change(LODASH, |issue| {
                issue["attributes"]["status"] = json!(status);
                issue["attributes"]["ignored"] = json!(ignored);
            });
        });
        installation.import("shop").exits(0);
        let findings = installation.findings();
        of_source(&findings, LODASH)["status"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert_eq!(set("open", true), "risk_accepted");
    assert_eq!(set("open", false), "open");
    assert_eq!(set("resolved", true), "resolved");
    assert_eq!(set("open", false), "open");
    let ran = {
        simulator.customer().change(|world| {
            let change = |issue: &mut Value| issue["attributes"]["status"] = json!("paused");
            world.organization("acme").change(LODASH, change);
        });
        installation.import("shop").exits(0)
    };
    assert_eq!(
        of_source(&installation.findings(), LODASH)["status"],
        "open"
    );
    assert!(said(&ran).contains("paused"), "{ran:#?}");
}

#[test]
fn what_is_mended_is_resolved_and_the_issues_of_an_inactive_project_stay() {
    let simulator = serving(snyk_shop());
    let installation = installation(&simulator, ACME);
    let ran = installation.import("shop").exits(0);
    assert!(said(&ran).contains(SNYK_INACTIVE), "{ran:#?}");
    let remove = |id: &str| {
        let id = id.to_owned();
        simulator.customer().change(move |world| {
            world
                .organization("acme")
                .issues
                .retain(|issue| issue["id"] != *id);
        });
    };
    remove(&numbered(3));
    installation.import("shop").exits(0);
    assert_eq!(ids_of_status(&installation, "resolved"), [numbered(3)]);

    let status = |status: &str| {
        let status = status.to_owned();
        simulator.customer().change(move |world| {
            world.organization("acme").projects[1].status = status;
        });
    };
    status("inactive");
    installation.import("shop").exits(0);
    includes(
        &installation.last_run("shop"),
        &json!({"status": "complete", "resolved": 0}),
    );
    // Active again, and one of its two issues was mended meanwhile.
    status("active");
    remove(&numbered(6));
    installation.import("shop").exits(0);
    assert_eq!(
        ids_of_status(&installation, "resolved"),
        [numbered(3), numbered(6)]
    );
}

#[test]
fn a_project_that_is_deactivated_while_issues_are_read_loses_none() {
    let simulator = serving(snyk_shop());
    let installation = installation(&simulator, ACME);
    installation.import("shop").exits(0);
    let customer = simulator.customer();
    // The organization, its projects, and then the issues.
    simulator.before_request(3, move || {
        customer
            .change(|world| world.organization("acme").projects[0].status = "inactive".to_owned());
    });
    installation.import("shop").exits(0);
    includes(
        &installation.last_run("shop"),
        &json!({"status": "complete", "resolved": 0}),
    );
}

#[test]
fn a_configured_project_is_read_alone_and_its_end_resolves_nothing() {
    let simulator = serving(snyk_shop());
    let id = Project::new(SNYK_PACKAGES, "npm", "main").id;
    let installation = installation(
        &simulator,
        &format!(
            "organization = \"acme\"\nproject_key = \"{}\"",
            id.to_uppercase()
        ),
    );
    installation.import("shop").exits(0);
    assert_eq!(open(&installation), 2);
    let issues = simulator.requests();
    let issues = issues
        .iter()
        .find(|one| one.path.ends_with("/issues"))
        .unwrap();
    assert_eq!(issues.parameter("scan_item.id"), Some(id.as_str()));
    assert_eq!(issues.parameter("scan_item.type"), Some("project"));

    let change = |act: fn(&mut Organization)| {
        simulator
            .customer()
            .change(|world| act(world.organization("acme")));
        installation.import("shop")
    };
    let ran = change(|acme| acme.projects[0].status = "inactive".to_owned()).exits(0);
    assert!(said(&ran).contains("inactive in Snyk"), "{ran:#?}");
    assert_eq!(open(&installation), 2);
    change(|acme| drop(acme.projects.remove(0))).exits(1);
    let error = installation.last_run("shop")["error"].to_string();
    assert!(error.contains("nothing is concluded"), "{error}");
    assert_eq!(open(&installation), 2);
}

#[test]
fn a_type_that_is_taken_out_of_the_configuration_keeps_what_it_has() {
    let simulator = serving(snyk_shop());
    let installation = installation(&simulator, ACME);
    installation.import("shop").exits(0);
    let before = installation.findings().len();
    installation.configure(&configured(
        &simulator,
        "organization = \"acme\"\nissue_types = [\"package_vulnerability\"]",
    ));
    simulator.customer().change(|world| {
        let acme = world.organization("acme");
        acme.issues.retain(|issue| issue["id"] != LODASH && issue["attributes"]["type"] != "secrets");
        acme.add(SNYK_CODE, json!({"id": numbered(99), "attributes": {"type": "code", "status": "open", "title": "new"}}));
    });
    installation.import("shop").exits(0);
    // Gone are the vulnerability and the secret: that one is of another type, but no longer listed at all.
    assert_eq!(
        ids_of_status(&installation, "resolved"),
        [numbered(6), LODASH.to_owned()]
    );
    assert_eq!(
        installation.findings().len(),
        before,
        "another type was taken in"
    );
}

#[test]
fn a_group_is_read_with_all_its_organizations_and_one_that_fails_resolves_nothing() {
    let simulator = serving(snyk_shop());
    let group = simulator.customer().change(|world| world.group.clone());
    let installation = installation(&simulator, &format!("group = \"{group}\""));
    installation.import("shop").exits(0);
    let run = installation.last_run("shop");
    includes(&run, &json!({"status": "complete", "new": 11}));
    let path = format!("/rest/groups/{group}/issues");
    assert!(simulator.requests().iter().any(|one| one.path == path));

    simulator.customer().change(|world| {
        world.organization("acme-labs").is_forbidden = true;
        world.organization("acme").issues.remove(0);
    });
    installation.import("shop").exits(1);
    let run = installation.last_run("shop");
    includes(&run, &json!({"status": "partial", "resolved": 0}));
    let error = run["error"].to_string();
    assert!(
        error.contains("acme-labs") && error.contains("403"),
        "{error}"
    );
    simulator
        .customer()
        .change(|world| world.organization("acme-labs").is_forbidden = false);
    installation.import("shop").exits(0);
    assert_eq!(ids_of_status(&installation, "resolved"), [LODASH]);
}
