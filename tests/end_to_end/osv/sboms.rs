//! Which files are asked about, and what is said of them.

use super::*;

#[test]
fn what_is_not_scanned_is_told() {
    let simulator = service(osv_shop());
    let installation = installation(&simulator, &[("web.cdx.json", &osv_shop_sbom())]);
    let ran = installation.import("shop").exits(0);
    let said = format!("{}{}", ran.stdout, ran.stderr);
    assert!(
        said.contains("11 packages, 8 asked, 3 not scanned"),
        "{said}"
    );
    assert!(said.contains("docker"), "{said}");
}

#[test]
fn an_sbom_that_is_gone_is_a_missing_record_and_not_a_clean_one() {
    let simulator = service(vec![flaw("GHSA-1", "a"), flaw("GHSA-2", "b")]);
    let installation = installation(
        &simulator,
        &[
            ("one.json", &sbom(&["pkg:npm/a@1.0.0"])),
            ("two.json", &sbom(&["pkg:npm/b@1.0.0"])),
        ],
    );
    imported(&installation, &json!({"status": "complete", "new": 2}));
    let open = ["pkg:npm/a@1.0.0|GHSA-1 open", "pkg:npm/b@1.0.0|GHSA-2 open"];
    let one = installation.path("sboms/one.json");
    let text = fs::read_to_string(&one).unwrap();
    let states = || {
        let status = installation.secpull(&["status", "--format", "json"]).json();
        let records = status["api_configurations"][0]["records"]
            .as_array()
            .unwrap()
            .clone();
        let states = records
            .iter()
            .map(|record| (record["name"].to_string(), record["state"].to_string()));
        states.collect::<BTreeMap<_, _>>()
    };
    let both = |one: &str, two: &str| {
        BTreeMap::from(
            [("one", one), ("two", two)]
                .map(|(name, state)| (json!(name).to_string(), json!(state).to_string())),
        )
    };
    fs::remove_file(&one).unwrap();
    imported(&installation, &json!({"status": "complete", "resolved": 0}));
    assert_eq!(sightings(&installation), open);
    assert_eq!(states(), both("missing", "present"));
    // All gone: as if the folder had not been mounted.
    let two = installation.path("sboms/two.json");
    let other = fs::read_to_string(&two).unwrap();
    fs::remove_file(&two).unwrap();
    imported(&installation, &json!({"status": "failed", "resolved": 0}));
    assert_eq!(sightings(&installation), open);
    fs::write(&one, text).unwrap();
    fs::write(&two, other).unwrap();
    imported(
        &installation,
        &json!({"status": "complete", "resolved": 0, "unchanged": 2}),
    );
    assert_eq!(states(), both("present", "present"));

    // The one file that is configured.
    configure(&installation, &simulator, "sboms/one.json", "");
    imported(&installation, &json!({"status": "complete", "resolved": 0}));
    assert_eq!(states(), both("present", "missing"));
    fs::remove_file(&one).unwrap();
    imported(&installation, &json!({"status": "failed", "resolved": 0}));
    assert_eq!(states(), both("missing", "missing"));
    assert_eq!(sightings(&installation), open);
}

#[test]
fn an_sbom_that_cannot_be_read_resolves_nothing_and_keeps_no_other_from_being_read() {
    let simulator = service(vec![flaw("GHSA-1", "a"), flaw("GHSA-2", "b")]);
    let installation = installation(
        &simulator,
        &[
            ("one.json", &sbom(&["pkg:npm/a@1.0.0"])),
            ("two.json", &sbom(&["pkg:npm/b@1.0.0"])),
        ],
    );
    imported(&installation, &json!({"status": "complete", "new": 2}));
    simulator.change(|all| all.push(flaw("GHSA-3", "b")));
    let open = [
        "pkg:npm/a@1.0.0|GHSA-1 open",
        "pkg:npm/b@1.0.0|GHSA-2 open",
        "pkg:npm/b@1.0.0|GHSA-3 open",
    ];
    for (text, word) in [
        ("", "not JSON"),
        (
            "{\"bomFormat\":\"CycloneDX\",\"components\":[{\"purl\"",
            "not JSON",
        ),
        (
            "{\"bomFormat\":\"CycloneDX\",\"components\":[]}",
            "no component",
        ),
        (
            "{\"@context\":\"https://spdx.org/rdf/3.0.1/spdx-context.jsonld\"}",
            "SPDX 2.3",
        ),
        (
            "{\"bomFormat\":\"CycloneDX\",\"components\":[{\"purl\":\"pkg:docker/a@1\"}]}",
            "none of its 1 packages",
        ),
    ] {
        installation.write("sboms/one.json", text);
        imported(&installation, &json!({"status": "partial", "resolved": 0}));
        let error = installation.last_run("shop")["error"].to_string();
        assert!(error.contains(word), "{error}");
        assert_eq!(sightings(&installation), open);
    }
    configure(&installation, &simulator, "sboms/one.json", "");
    installation.write("sboms/one.json", "{}");
    imported(&installation, &json!({"status": "failed", "resolved": 0}));
    assert!(
        installation.last_run("shop")["error"]
            .to_string()
            .contains("one.json")
    );
}

#[test]
fn no_credential_is_ever_sent() {
    let simulator = service(osv_shop());
    let installation = installation(&simulator, &[("web.cdx.json", &osv_shop_sbom())]);
    configure(
        &installation,
        &simulator,
        "sboms",
        &format!("secret = \"{SECRET}\"\n"),
    );
    imported(&installation, &json!({"status": "complete", "new": 7}));
    let requests = simulator.requests();
    assert!(!requests.is_empty());
    for request in requests {
        assert!(
            !request.credential && !request.credential_in_url,
            "{request:#?}"
        );
        assert!(
            request.headers["user-agent"].starts_with("secpull/"),
            "{request:#?}"
        );
    }
}

#[test]
fn check_proves_the_service_and_the_files() {
    let simulator = service(osv_shop());
    let installation = installation(
        &simulator,
        &[
            ("web.cdx.json", &osv_shop_sbom()),
            ("image.spdx.json", &osv_image_sbom()),
        ],
    );
    let said = |code: i32| {
        let ran = installation.secpull(&["check"]).exits(code);
        format!("{}{}", ran.stdout, ran.stderr)
    };
    let right = said(0);
    assert!(
        right.contains("image.spdx.json: SPDX 2.3, packages: 3, to be asked: 3"),
        "{right}"
    );
    assert!(
        right.contains("web.cdx.json: CycloneDX 1.6, packages: 11, to be asked: 8"),
        "{right}"
    );
    let harmless = json!({"package": {"purl": "pkg:pypi/jinja2@2.4.1"}});
    let asked = simulator.asked();
    assert!(
        !asked.is_empty() && asked.iter().all(|query| *query == harmless),
        "packages of ours were sent: {asked:#?}"
    );
    installation.secpull(&["discover", "osv"]).exits(0);
    installation.write("sboms/image.spdx.json", "{}");
    assert!(said(1).contains("image.spdx.json"));
    installation.write("sboms/image.spdx.json", &osv_image_sbom());
    simulator.inflict_as(Plan::new(Misfortune::HtmlLoginPage).everywhere());
    let wrong = said(1);
    assert!(wrong.contains("https://api.osv.dev"), "{wrong}");
}
