//! `SECPULL_…` variables.

use super::super::{ScheduleSetting, StoreUrl};
use super::{Room, TOOL};

const SHOP: &str = "[api_configurations.web-shop]\ntool = 'scan'\n";

#[test]
fn variables_override_scalars_whatever_their_case() {
    let room = Room::with(&format!("{TOOL}{SHOP}automatic_import.hour = 5\n"))
        .variable("SECPULL_STORE__URL", "sqlite:/env.db")
        .variable("SECPULL_Automatic_Import__Max_Concurrent", "9")
        .variable("SECPULL_IMPORT__MAX_RESOLVED_FRACTION", "0.25")
        .variable("SECPULL_TOOLS__SCAN__VERIFY_TLS", "FALSE")
        .variable("SECPULL_TOOLS__SCAN__SECRET", "from-env")
        .variable("SECPULL_TOOLS__SCAN__PAGE_SIZE", "7")
        .variable(
            "SECPULL_API_CONFIGURATIONS__WEB_SHOP__AUTOMATIC_IMPORT__HOUR",
            "6",
        )
        .variable("SECPULL_API_CONFIGURATIONS__WEB_SHOP__PROJECT", "12");
    let config = room.load().unwrap().config;
    assert_eq!(config.store, StoreUrl::Sqlite("/env.db".into()));
    assert_eq!(config.max_concurrent, 9);
    assert!((config.import.max_resolved_fraction - 0.25).abs() < 1e-9);
    let tool = &config.tools["scan"];
    assert!(tool.trust.accept_invalid);
    assert_eq!(tool.secret.as_ref().unwrap().expose(), "from-env");
    assert_eq!(tool.settings.integer("page_size"), Some(7));
    let shop = &config.api_configurations["web-shop"];
    assert_eq!(shop.schedule, ScheduleSetting::Daily { hour: 6, minute: 0 });
    assert_eq!(shop.settings.text("project"), Some("12"));
}

#[test]
fn a_wrong_value_is_told_at_the_variable() {
    let room = Room::with(TOOL)
        .variable("SECPULL_AUTOMATIC_IMPORT__HOUR", "24")
        .variable("SECPULL_AUTOMATIC_IMPORT__MINUTE", "ten");
    assert_eq!(
        room.problems(),
        [
            "environment variable SECPULL_AUTOMATIC_IMPORT__HOUR: automatic_import.hour: 24 is out of range; allowed: a whole number from 0 to 23",
            "environment variable SECPULL_AUTOMATIC_IMPORT__MINUTE: automatic_import.minute: is text; allowed: a whole number from 0 to 59",
        ]
    );
}

#[test]
fn variables_that_mean_a_key_and_miss_it_are_refused() {
    for (variable, expected) in [
        (
            "SECPULL_STOER__URL",
            "no section stoer; did you mean STORE?; allowed: store, automatic_import, import, control, tools, api_configurations, forwards, notifications",
        ),
        (
            "SECPULL_STORE_URL",
            "sets nothing; did you mean SECPULL_STORE__URL?",
        ),
        (
            "SECPULL_TOOLS_SCAN_SECRET",
            "sets nothing; did you mean SECPULL_TOOLS__NAME__KEY?",
        ),
        (
            "SECPULL_STORE__ULR",
            "store: no key ulr; did you mean URL?; allowed: url, password, lease",
        ),
        ("SECPULL_STORE__URL__X", "store.url: holds no further keys"),
        (
            "SECPULL_TOOLS__SCAN",
            "tools.scan: is a table; allowed: SECPULL_…__KEY with one of connector, location, secret, allow_plaintext_http, ca_bundle, ca_bundle_only, verify_tls, client_certificate, client_key, proxy, timeout, max_requests_per_second, max_concurrent_requests, page_size, headers, session, method, up_query",
        ),
        (
            "SECPULL_TOOLS__NEW__LOCATION",
            "tools: no file defines new, and a variable cannot add it; allowed: scan",
        ),
        (
            "SECPULL_TOOLS__SCAN__HEADERS",
            "tools.scan.headers: a list or table cannot be set by an environment variable; allowed: in a file",
        ),
    ] {
        let room = Room::with(TOOL).variable(variable, "s3cret");
        assert_eq!(
            room.problems(),
            [format!("environment variable {variable}: {expected}")]
        );
    }
}

#[test]
fn two_names_or_two_variables_for_one_key_are_refused() {
    let room = Room::with(&format!(
        "{TOOL}[tools.a-b]\nconnector = 'catalogue'\n[tools.a_b]\nconnector = 'catalogue'\n"
    ))
    .variable("SECPULL_TOOLS__A_B__LOCATION", "https://x.example")
    .variable("SECPULL_STORE__URL", "sqlite:/a.db")
    .variable("SECPULL_store__url", "sqlite:/b.db");
    assert_eq!(
        room.problems(),
        [
            "environment variable SECPULL_TOOLS__A_B__LOCATION: tools: a_b means a-b as well as a_b; allowed: set it in a file",
            "environment variable SECPULL_store__url: store.url: is set by environment variable SECPULL_STORE__URL already",
        ]
    );
}

#[test]
fn variables_of_other_programs_and_empty_ones_are_left_alone() {
    let room = Room::with(TOOL)
        .variable("SECPULL_CONFIG", "/etc/x")
        .variable("SECPULL_LOG", "debug")
        .variable("SECPULL_SERVICE_HOST", "10.0.0.1")
        .variable("SECPULL_PORT_80_TCP", "tcp://10.0.0.1:80")
        .variable("SECPULL_STORE__URL", "")
        .variable("SECPULLER__X", "1");
    assert_eq!(
        room.load().unwrap().config.store,
        StoreUrl::Sqlite("/var/lib/secpull/secpull.db".into())
    );
}

#[test]
fn an_override_beside_another_way_to_schedule_is_told() {
    let room = Room::with(&format!("[automatic_import]\nhour = 4\n{TOOL}"))
        .variable("SECPULL_AUTOMATIC_IMPORT__EVERY", "6h");
    assert_eq!(
        room.problems(),
        [
            "environment variable SECPULL_AUTOMATIC_IMPORT__EVERY: automatic_import.every: stands beside automatic_import.hour (secpull.toml:2:1); allowed: hour and minute, or every, or cron"
        ]
    );
}
