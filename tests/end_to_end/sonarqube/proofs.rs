//! What is proven before anything is concluded, and what is said when it is not.

use secpull_simulators::misfortune::{Misfortune, Plan};
use secpull_simulators::scenario::sonarqube_shop;
use secpull_simulators::sonarqube::{Edition, Issue, Project, Simulator, SonarQube, TOKEN};
use serde_json::json;

use super::{SHOP, ids, includes, installation, of_source};
use crate::misfortunes::{Case, IMPATIENT, through_all};
use crate::support::Installation;
use crate::support::sonarqube::{NEW, server, tool};

#[test]
fn what_is_not_there_or_not_allowed_is_an_error_and_closes_nothing() {
    let simulator = server(NEW, sonarqube_shop());
    let installation = installation(&simulator, SHOP);
    installation.import("shop").exits(0);
    let before = ids(&installation);
    assert_eq!(before.len(), 10);
    let portfolio = simulator.portfolio();
    let failed = |word: &str| {
        installation.import("shop").exits(1);
        let run = installation.last_run("shop");
        let error = run["error"].as_str().unwrap();
        assert_eq!(run["status"], "failed", "{run}");
        assert!(error.contains(word), "{error}");
        assert_eq!(ids(&installation), before);
    };
    // Renamed, forbidden, and turned into an application: each would have no issues.
    portfolio.change("com.acme:shop", |project| {
        project.key = "com.acme:store".to_owned()
    });
    failed("there is no project com.acme:shop");
    portfolio.change("com.acme:store", |project| {
        project.key = "com.acme:shop".to_owned()
    });
    portfolio.change("com.acme:shop", |project| project.browsable = false);
    failed("needs Browse on the project");
    portfolio.change("com.acme:shop", |project| {
        project.browsable = true;
        project.qualifier = "APP".to_owned();
    });
    failed("is an application");
    portfolio.change("com.acme:shop", |project| {
        project.qualifier = "TRK".to_owned()
    });
    installation.import("shop").exits(0);
    assert_eq!(ids(&installation), before);
    // A server that does not know its own filter any more.
    let old = server(Edition::Server("9.9.8.100196"), sonarqube_shop());
    let toml = format!(
        "[tools.sonar]\nconnector = \"sonarqube\"\nlocation = \"{}\"\nsecret = \"{TOKEN}\"\nproxy = \"none\"\n\
         organization = \"acme-org\"\n[api_configurations.shop]\ntool = \"sonar\"\nproduct = \"Shop\"\n{SHOP}",
        old.url()
    );
    let mistaken = Installation::new(&toml);
    mistaken.import("shop").exits(1);
    assert_eq!(mistaken.findings().len(), 0);
}

#[test]
fn an_organization_that_is_misspelt_closes_nothing() {
    let simulator = server(Edition::Cloud, sonarqube_shop());
    let toml = |organization: &str| {
        format!(
            "{}[api_configurations.shop]\ntool = \"sonar\"\nproduct = \"Shop\"\n{SHOP}hotspots = false\n",
            tool("sonar", &simulator, Edition::Cloud).replace("acme-org", organization)
        )
    };
    let installation = Installation::new(&toml("acme-org"));
    installation.import("shop").exits(0);
    let before = ids(&installation);
    installation.configure(&toml("acme-orq"));
    installation.import("shop").exits(1);
    let error = installation.last_run("shop")["error"].to_string();
    assert!(
        error.contains("acme-orq does not list the project"),
        "{error}"
    );
    assert_eq!(ids(&installation), before);
}

#[test]
fn rows_of_another_project_are_never_taken() {
    let mut projects = sonarqube_shop();
    let stray = &mut projects[0].branches[0].issues[0];
    let _none = stray
        .extra
        .insert("project".to_owned(), json!("com.acme:other"));
    let simulator = server(NEW, projects);
    let installation = installation(&simulator, SHOP);
    installation.import("shop").exits(1);
    let error = installation.last_run("shop")["error"].to_string();
    assert!(
        error.contains("rows of project com.acme:other came"),
        "{error}"
    );
    assert_eq!(installation.findings().len(), 0);
}

#[test]
fn rules_that_cannot_be_had_are_missed_and_told_and_fail_nothing() {
    let simulator = server(NEW, sonarqube_shop());
    let installation = installation(&simulator, SHOP);
    simulator.inflict_as(
        Plan::new(Misfortune::ServerError)
            .everywhere()
            .on("/api/rules/show"),
    );
    let ran = installation.import("shop").exits(0);
    let said = format!("{}{}", ran.stdout, ran.stderr);
    assert!(
        said.contains("texts and CWEs of some rules are missing"),
        "{said}"
    );
    includes(
        &installation.last_run("shop"),
        &json!({"status": "complete", "new": 10}),
    );
    simulator.calm();
    installation.import("shop").exits(0);
    let findings = installation.findings();
    let cwes = &of_source(&findings, "AZ-injection-12")["cwes"];
    assert_eq!(*cwes, json!([20, 89]));
}

#[test]
fn check_tells_what_is_wrong_and_what_can_be_read() {
    let check = |simulator: &Simulator, edition, change: (&str, &str), settings: &str| {
        let toml = format!(
            "{}[api_configurations.shop]\ntool = \"sonar\"\nproduct = \"Shop\"\n{settings}\n",
            tool("sonar", simulator, edition)
        );
        let ran = Installation::new(&toml.replace(change.0, change.1)).secpull(&["check"]);
        let said = format!("{}{}", ran.stdout, ran.stderr);
        assert!(!said.contains(TOKEN), "{said}");
        (ran.code, said)
    };
    let simulator = server(NEW, sonarqube_shop());
    let (code, said) = check(&simulator, NEW, ("", ""), SHOP);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("SonarQube 2025.4, token accepted"), "{said}");
    assert!(
        said.contains("project com.acme:shop readable: 8 VULNERABILITY issues, 4 hotspots"),
        "{said}"
    );
    let other = "sqp_0fAnalysisNotOfUsers";
    for (change, settings, word) in [
        ((TOKEN, other), SHOP, "does not accept the token"),
        (
            ("location = \"http", "location = \"http"),
            "project_key = \"com.acme:hidden\"",
            "Browse",
        ),
        (
            ("", ""),
            "project_key = \"com.acme:typo\"",
            "there is no project",
        ),
        (
            ("", ""),
            "project_key = \"com.acme:app\"",
            "is an application",
        ),
        (("\"\nsecret", "/wrong\"\nsecret"), SHOP, "location"),
    ] {
        let (code, said) = check(&simulator, NEW, change, settings);
        assert_eq!(code, 1, "{said}");
        assert!(said.contains(word) && !said.contains(other), "{said}");
    }
    let migrating = SonarQube::new(NEW).status("DB_MIGRATION_NEEDED");
    let migrating = migrating.start_blocking().unwrap();
    let (code, said) = check(&migrating, NEW, ("", ""), SHOP);
    assert!(code == 1 && said.contains("DB_MIGRATION_NEEDED"), "{said}");
    let cloud = server(Edition::Cloud, sonarqube_shop());
    let (code, said) = check(&cloud, Edition::Cloud, ("", ""), SHOP);
    assert!(
        code == 0 && said.contains("organization acme-org"),
        "{said}"
    );
    let (code, said) = check(&cloud, Edition::Cloud, (TOKEN, other), SHOP);
    assert!(
        code == 1 && said.contains("does not accept the token"),
        "{said}"
    );
    let (code, said) = check(
        &simulator,
        NEW,
        ("", ""),
        "project_key = \"https://sonar.example/dashboard?id=shop\"",
    );
    assert!(code == 2 && said.contains("is an address"), "{said}");
}

#[test]
fn a_token_that_may_browse_nothing_closes_nothing() {
    let simulator = server(NEW, sonarqube_shop());
    let installation = installation(&simulator, "missing_records = \"resolve\"");
    installation.import("shop").exits(0);
    let before = ids(&installation);
    for key in ["com.acme:shop", "com.acme:legacy"] {
        simulator
            .portfolio()
            .change(key, |project| project.browsable = false);
    }
    installation.import("shop").exits(1);
    let error = installation.last_run("shop")["error"].to_string();
    assert!(error.contains("may browse no project"), "{error}");
    assert_eq!(ids(&installation), before);
}

#[test]
fn sonarqube_is_never_believed_when_it_should_not_be() {
    through_all(&Case {
        name: "SonarQube",
        secret: TOKEN,
        start: &|name| {
            let project = Project::new("com.acme:shop", "Shop").issues(Issue::many(60, 5));
            let simulator = server(NEW, vec![project]);
            let toml = format!(
                "{}page_size = 20\n{IMPATIENT}[api_configurations.{name}]\ntool = \"{name}\"\nproduct = \"{name}\"\n{SHOP}rule_details = false\n",
                tool(name, &simulator, NEW)
            );
            (simulator, toml)
        },
    });
}
