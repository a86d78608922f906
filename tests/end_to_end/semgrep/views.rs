//! Which findings are read, and under which branch and identity they are filed.

use secpull_simulators::scenario::{semgrep_secret, semgrep_shop};
use serde_json::{Value, json};

use super::{SHOP, codes, deployment, includes, installation, on_main, open_ids, tool, with_code};
use crate::support::Installation;

/// The finding of this id as it is on another ref.
fn on_ref(id: u64, git_ref: &str, id_there: u64) -> Value {
    let mut finding = on_main(id);
    finding["id"] = json!(id_there);
    finding["ref"] = json!(git_ref);
    finding["relevant_since"] = json!("2026-08-01T00:00:00Z");
    finding
}

#[test]
fn a_finding_on_several_refs_is_one_over_all_of_them_and_one_for_each_branch_that_is_read() {
    let mut findings = codes([1, 2]);
    findings.extend([
        on_ref(1, "release/1", 11),
        on_ref(1, "refs/pull/7/merge", 21),
    ]);
    findings.push(on_ref(3, "release/1", 13));
    let project = super::Project::new("acme/shop").with("sast", findings);
    let simulator = deployment(vec![project]);

    let all = installation(&simulator, SHOP);
    all.import("shop").exits(0);
    assert_eq!(open_ids(&all), ["- 1", "- 13", "- 2"]);

    let branches = Installation::new(&format!(
        "{}\n[api_configurations.main]\ntool = \"semgrep\"\nproduct = \"Shop\"\n{SHOP}\nbranch = \"refs/heads/main\"\n\
         [api_configurations.release]\ntool = \"semgrep\"\nproduct = \"Shop\"\n{SHOP}\nbranch = \"release/1\"\n",
        tool("semgrep", &simulator)
    ));
    let import = || branches.secpull(&["run", "--standalone", "--all"]).exits(0);
    import();
    let ids = ["main 1", "main 2", "release/1 11", "release/1 13"];
    assert_eq!(open_ids(&branches), ids);
    let refs: Vec<_> = simulator
        .requests()
        .iter()
        .filter_map(|request| request.parameter("ref").map(str::to_owned))
        .collect();
    assert!(refs.contains(&"main".to_owned()) && refs.contains(&"release/1".to_owned()));
    assert!(
        simulator
            .requests()
            .iter()
            .all(|request| request.parameter("ref").is_none()
                || request.parameter("dedup").is_none())
    );
    // Where the branch is known, the ref is no tag.
    let tags: Vec<_> = branches
        .findings()
        .iter()
        .map(|f| f["tags"].to_string())
        .collect();
    assert!(!tags.concat().contains("ref:"), "{tags:?}");

    // A fix on one branch closes nothing on the other.
    simulator.deployment().change("acme/shop", |project| {
        project.findings.retain(|finding| finding.json["id"] != 1)
    });
    import();
    assert_eq!(open_ids(&branches), ids[1..]);
}

#[test]
fn another_view_of_the_findings_resolves_none_of_those_that_it_hides() {
    let project = with_code([1, 2]).with("sast", vec![on_ref(3, "feature", 13)]);
    let simulator = deployment(vec![
        project.with_secrets(vec![semgrep_secret(5, "AWS", "a:1")]),
    ]);
    let installation = installation(&simulator, SHOP);
    installation.import("shop").exits(0);
    let all = ["- 1", "- 13", "- 2", "- secrets:5"];
    assert_eq!(open_ids(&installation), all);
    let reconfigure = |settings: &str| {
        installation.configure(&format!(
            "{}\n[api_configurations.shop]\ntool = \"semgrep\"\nproduct = \"Shop\"\n{SHOP}\n{settings}\n",
            tool("semgrep", &simulator)
        ));
        installation.import("shop").exits(0);
        includes(
            &installation.last_run("shop"),
            &json!({"status": "complete", "resolved": 0}),
        );
    };
    reconfigure("branch = \"main\"");
    assert_eq!(
        open_ids(&installation),
        ["- 1", "- 13", "- 2", "- secrets:5", "main 1", "main 2"],
        "secrets are not told apart by branch"
    );
    // Under one label the two views would be one scope, if they were not told apart.
    reconfigure("branch = \"main\"\nautomatic_import = { branch = \"label\" }");
    reconfigure("automatic_import = { branch = \"label\" }");
    reconfigure("issue_types = [\"sca\"]");
    // They followed the label.
    let open = open_ids(&installation);
    for id in ["1", "13", "2", "secrets:5"] {
        let is_open = open.iter().any(|other| other.ends_with(&format!(" {id}")));
        assert!(is_open, "{id} in {open:?}");
    }
}

#[test]
fn the_match_may_be_the_identity_and_a_finding_whose_id_changes_is_then_the_same() {
    let mut nameless = on_main(3);
    nameless["match_based_id"] = Value::Null;
    let simulator = deployment(vec![with_code([1, 2]).with("sast", vec![nameless])]);
    let installation = installation(&simulator, &format!("{SHOP}\nsource_id = \"match\""));
    installation.import("shop").exits(0);
    let of_match = |id| {
        format!(
            "- acme/shop:{}",
            on_main(id)["match_based_id"].as_str().unwrap()
        )
    };
    let mut ids = vec![of_match(1), of_match(2), "- 3".to_owned()];
    ids.sort();
    assert_eq!(open_ids(&installation), ids);
    // The pull request that stood for the group was merged: now it is the row of another ref.
    simulator.deployment().change("acme/shop", |project| {
        project.findings[0].json["id"] = json!(77)
    });
    installation.import("shop").exits(0);
    includes(
        &installation.last_run("shop"),
        &json!({"status": "complete", "new": 0, "resolved": 0, "reopened": 0}),
    );
    assert_eq!(open_ids(&installation), ids);
}

#[test]
fn an_id_that_changes_moves_the_sighting_and_leaves_the_finding_open() {
    let simulator = deployment(vec![with_code([1, 2])]);
    let installation = installation(&simulator, SHOP);
    installation.import("shop").exits(0);
    simulator.deployment().change("acme/shop", |project| {
        project.findings[0].json["id"] = json!(77)
    });
    installation.import("shop").exits(0);
    let findings = installation.findings();
    assert_eq!(findings.len(), 2);
    assert!(findings.iter().all(|finding| finding["status"] == "open"));
    assert_eq!(open_ids(&installation), ["- 2", "- 77"]);
}

#[test]
fn all_projects_are_read_and_told_apart_by_their_record() {
    let simulator = deployment(semgrep_shop());
    simulator
        .deployment()
        .add(super::Project::new("acme/pay").with("sast", codes([7])));
    let installation = Installation::new(&format!(
        "{}\n[api_configurations.all]\ntool = \"semgrep\"\nrecords = {{ exclude = [\"acme/shop\"] }}\n",
        tool("semgrep", &simulator)
    ));
    installation.import("all").exits(0);
    let findings = installation.findings();
    assert_eq!(findings.len(), 1);
    includes(
        &findings[0],
        &json!({"product": "acme/pay", "sightings": [{"record": "acme/pay", "source_id": "7"}]}),
    );
    let asked = simulator.requests();
    assert!(
        asked
            .iter()
            .all(|request| request.parameter("repos") != Some("acme/shop"))
    );
}

#[test]
fn mistakes_in_the_settings_are_told_before_anything_is_asked() {
    let simulator = deployment(semgrep_shop());
    for (settings, words) in [
        ("branch = \"_default\"", "all branches"),
        ("issue_types = []", "issue_types"),
        ("issue_types = [\"dast\"]", "issue_types"),
        ("source_id = \"hash\"", "source_id"),
    ] {
        let ran = installation(&simulator, settings)
            .secpull(&["check", "--offline"])
            .exits(2);
        let said = format!("{}{}", ran.stdout, ran.stderr);
        assert!(said.contains(words), "{said}");
    }
    let ran = super::with_tool(&simulator, "page_size = 50\n", SHOP)
        .secpull(&["check", "--offline"])
        .exits(2);
    assert!(format!("{}{}", ran.stdout, ran.stderr).contains("page_size"));
    assert!(simulator.requests().is_empty());
}
