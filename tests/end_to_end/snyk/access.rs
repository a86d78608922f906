//! Keys, addresses, versions, and what `check` and `discover` prove.

use secpull_simulators::scenario::{SNYK_PACKAGES, snyk_shop};
use secpull_simulators::snyk::{ACCESS_TOKEN, API_KEY, ORGANIZATION_KEY, REQUEST_ID};

use super::super::support::Installation;
use super::super::support::snyk::serving;
use super::{ACME, configured, generated, installation, said};

#[test]
fn the_end_of_a_version_is_told_once() {
    let mut world = generated(250);
    world.sunset = Some("2027-01-31".to_owned());
    let simulator = serving(world);
    let installation = installation(&simulator, ACME);
    let ran = installation.import("shop").exits(0);
    let told = said(&ran);
    assert!(told.contains("to be served until 2027-01-31"), "{told}");
    let warnings = told.matches("WARN Snyk calls the version").count();
    assert_eq!(warnings, 1, "{told}");
}

#[test]
fn access_tokens_go_with_their_own_word() {
    let simulator = serving(snyk_shop());
    let toml = configured(&simulator, ACME).replace(API_KEY, ACCESS_TOKEN);
    let installation =
        Installation::new(&toml.replace("proxy = ", "auth_scheme = \"bearer\"\nproxy = "));
    installation.import("shop").exits(0);
    installation.configure(&toml);
    installation.import("shop").exits(1);
    let error = installation.last_run("shop")["error"].to_string();
    for word in [
        "401",
        "SNYK-0005",
        "api.eu.snyk.io",
        "auth_scheme",
        REQUEST_ID,
    ] {
        assert!(error.contains(word), "{word}: {error}");
    }
    assert!(!error.contains(ACCESS_TOKEN), "{error}");
}

#[test]
fn the_old_api_is_refused_and_the_right_one_named_before_any_request() {
    let simulator = serving(snyk_shop());
    let toml = configured(&simulator, ACME).replace("/rest\"", "/v1\"");
    let installation = Installation::new(&toml);
    let ran = installation.secpull(&["check", "--offline"]).exits(2);
    let right = format!("set location = \"{}\"", simulator.rest());
    assert!(said(&ran).contains(&right), "{ran:#?}");
    installation.import("shop").exits(2);
    assert_eq!(simulator.request_count(), 0);
    // Without /rest, and with a slash, it is understood.
    installation.configure(&toml.replace("/v1\"", "/\""));
    installation.import("shop").exits(0);
}

#[test]
fn mistakes_in_the_configuration_are_told() {
    let simulator = serving(snyk_shop());
    for (settings, word) in [
        ("", "organization"),
        (
            "organization = \"acme\"\ngroup = \"4a18d42f-0706-4ad0-b127-24078731fbed\"",
            "keep one of them",
        ),
        ("organization = \"acme\"\nproject_key = \"shop\"", "no UUID"),
        (
            "organization = \"acme\"\nissue_types = [\"sca\"]",
            "package_vulnerability",
        ),
    ] {
        let ran = installation(&simulator, settings)
            .secpull(&["check", "--offline"])
            .exits(2);
        assert!(said(&ran).contains(word), "{settings}: {ran:#?}");
    }
}

#[test]
fn check_and_discover_prove_what_can_be_read() {
    let simulator = serving(snyk_shop());
    let group = simulator.customer().change(|world| world.group.clone());
    let installation = installation(&simulator, ACME);
    let checked = installation.secpull(&["check"]).exits(0);
    assert!(
        checked.stdout.contains("service account secpull")
            && checked
                .stdout
                .contains("issues of the organization acme readable"),
        "{checked:#?}"
    );
    let records = installation
        .secpull(&["discover", "snyk", "--format", "jsonl"])
        .exits(0)
        .stdout;
    assert!(
        records.contains(SNYK_PACKAGES) && records.contains("labs/probe"),
        "{records}"
    );

    // Keys of apps may not ask who they are.
    simulator
        .customer()
        .change(|world| world.denies_self = true);
    installation.secpull(&["check"]).exits(0);
    simulator
        .customer()
        .change(|world| world.denies_self = false);

    for (toml, word) in [
        (
            configured(&simulator, "organization = \"nowhere\""),
            "no organization with the slug",
        ),
        (
            configured(&simulator, &format!("group = \"{group}\""))
                .replace(API_KEY, ORGANIZATION_KEY),
            "cannot read a group",
        ),
        (
            configured(&simulator, ACME).replace(API_KEY, "51b01a7e-0000-4000-8000-another0ne00"),
            "401",
        ),
    ] {
        installation.configure(&toml);
        let ran = installation.secpull(&["check"]).exits(1);
        assert!(said(&ran).contains(word), "{word}: {ran:#?}");
        assert!(!said(&ran).contains("another0ne"), "{ran:#?}");
    }
}
