//! What a sound configuration becomes.

use std::path::Path;
use std::time::Duration;

use super::super::{Direction, MissingRecords, ProxySetting, ScheduleSetting, StoreUrl};
use super::{CATALOGUE, ConnectorSpec, Room, SCANNER, SettingKind, TOOL, setting};

fn daily(hour: u8, minute: u8) -> ScheduleSetting {
    ScheduleSetting::Daily { hour, minute }
}

#[test]
fn nothing_written_is_all_defaults_and_a_warning() {
    let loaded = Room::with("").load().unwrap();
    let config = loaded.config;
    assert_eq!(
        config.store,
        StoreUrl::Sqlite("/var/lib/secpull/secpull.db".into())
    );
    assert!(config.automatic_import);
    assert_eq!(config.max_concurrent, 4);
    assert_eq!(config.catch_up_within, Duration::from_secs(12 * 3600));
    assert!((config.import.max_resolved_fraction - 0.5).abs() < 1e-9);
    assert_eq!(config.import.min_held, 20);
    assert_eq!(config.import.run_timeout, Duration::from_secs(6 * 3600));
    assert_eq!(
        config.control.socket,
        Path::new("/run/secpull/secpull.sock")
    );
    assert_eq!(
        (config.control.group, config.control.metrics_listen),
        (None, None)
    );
    assert!(config.tools.is_empty() && config.api_configurations.is_empty());
    assert_eq!(
        loaded.warnings,
        ["there are no [api_configurations.NAME], so nothing will be imported"]
    );
}

#[test]
fn a_tool_and_an_api_configuration_with_little_written_get_their_defaults() {
    let loaded = Room::with(&format!("{TOOL}[api_configurations.shop]\ntool = 'scan'\n"))
        .load()
        .unwrap();
    assert!(loaded.warnings.is_empty());
    let tool = &loaded.config.tools["scan"];
    assert_eq!(
        (tool.name.as_str(), tool.connector.as_str()),
        ("scan", "scanner")
    );
    assert_eq!(tool.location.as_str(), "https://scan.example.com/");
    assert_eq!(tool.timeout, Duration::from_secs(300));
    assert_eq!(tool.proxy, ProxySetting::Environment);
    assert_eq!(tool.max_requests_per_second, None);
    assert_eq!(tool.max_concurrent_requests, 4);
    assert_eq!(tool.settings.integer("page_size"), Some(100));
    assert_eq!(tool.settings.text("method"), Some("POST"));
    assert_eq!(tool.settings.secrets("headers").count(), 0);
    let api = &loaded.config.api_configurations["shop"];
    assert_eq!((api.tool.as_str(), api.product.as_deref()), ("scan", None));
    assert_eq!(api.missing_records, MissingRecords::Keep);
    assert_eq!(api.resolve_after, SCANNER.resolve_after);
    assert!(api.automatic_import);
    assert_eq!(api.schedule, daily(2, 0));
    assert_eq!(api.run_timeout, Duration::from_secs(6 * 3600));
    assert!(api.records.admits("1", "anything"));
    assert_eq!(api.settings.text("project"), None);
    assert_eq!(api.settings.list("kinds"), ["code"]);
    assert_eq!(
        api.settings.duration("look_back"),
        Some(Duration::from_secs(86_400))
    );
    assert_eq!(api.settings.boolean("suppressed"), Some(true));
}

#[test]
fn everything_written_arrives() {
    let config = Room::with(
        r#"
[store]
url = "sqlite:///srv/findings.db"
[automatic_import]
enabled = false
every = "6h"
max_concurrent = 2
catch_up_within = "0s"
[import]
max_resolved_fraction = 1
min_held = 0
timeout = "1h"
[control]
socket = "/tmp/x.sock"
group = "ops"
metrics_listen = "[::1]:9464"
[tools."eu.scan-1"]
connector = "scanner"
location = "https://scan.example.com/base"
secret = "s3cret"
proxy = "none"
timeout = "1m 30s"
max_requests_per_second = 2.5
max_concurrent_requests = 1
page_size = 500
headers = { X-One = "1", X-Two = { env = "SCAN_KEY" } }
session = { env = "SCAN_KEY" }
up_query = ""
[api_configurations.shop]
tool = "eu.scan-1"
product = "Shop"
records = { include = ["shop-*", "7"], exclude = ["*-test"] }
missing_records = "resolve"
resolve_after = 3
timeout = "30m"
project = "p"
kinds = []
look_back = "1h"
suppressed = false
[api_configurations.shop.automatic_import]
enabled = false
cron = " 0  */6 * * *"
branch = "main"
service = "checkout"
docker_image = "registry/shop:1.2"
endpoint_url = "https://shop.example.com/?a=b"
kubernetes_cluster = "prod"
"#,
    )
    .load()
    .unwrap()
    .config;
    assert_eq!(config.store, StoreUrl::Sqlite("/srv/findings.db".into()));
    assert!(!config.automatic_import);
    assert_eq!(config.catch_up_within, Duration::ZERO);
    assert_eq!(
        config.control.metrics_listen,
        Some("[::1]:9464".parse().unwrap())
    );
    let tool = &config.tools["eu.scan-1"];
    assert_eq!(tool.proxy, ProxySetting::Direct);
    assert_eq!(tool.timeout, Duration::from_secs(90));
    assert_eq!(tool.max_requests_per_second, Some(2.5));
    assert_eq!(
        tool.settings.secret("session").unwrap().expose(),
        "s3cret-scan"
    );
    assert_eq!(tool.settings.text("up_query"), Some(""));
    let headers: Vec<_> = tool
        .settings
        .secrets("headers")
        .map(|(name, secret)| (name, secret.expose()))
        .collect();
    assert_eq!(headers, [("X-One", "1"), ("X-Two", "s3cret-scan")]);
    let api = &config.api_configurations["shop"];
    assert_eq!(api.product.as_deref(), Some("Shop"));
    assert!(api.records.admits("1", "shop-a") && api.records.admits("7", "x"));
    assert!(!api.records.admits("1", "shop-test") && !api.records.admits("8", "x"));
    assert_eq!(api.missing_records, MissingRecords::Resolve);
    assert_eq!(api.resolve_after, 3);
    assert_eq!(api.run_timeout, Duration::from_secs(1800));
    assert!(!api.automatic_import);
    assert_eq!(api.schedule, ScheduleSetting::Cron("0 */6 * * *".into()));
    assert_eq!(api.labels.branch.as_deref(), Some("main"));
    assert_eq!(api.labels.service.as_deref(), Some("checkout"));
    assert_eq!(
        api.labels.docker_image.as_deref(),
        Some("registry/shop:1.2")
    );
    assert_eq!(
        api.labels.endpoint_url.as_deref(),
        Some("https://shop.example.com/?a=b")
    );
    assert_eq!(api.labels.kubernetes_cluster.as_deref(), Some("prod"));
    assert!(api.settings.list("kinds").is_empty());
    assert_eq!(api.settings.boolean("suppressed"), Some(false));
}

#[test]
fn an_own_time_is_completed_by_the_general_one_if_that_is_daily() {
    for (general, own, expected) in [
        ("", "", daily(2, 0)),
        ("hour = 4", "", daily(4, 0)),
        ("minute = 4", "", daily(2, 4)),
        ("hour = 4\nminute = 15", "hour = 5", daily(5, 15)),
        ("hour = 4\nminute = 15", "minute = 30", daily(4, 30)),
        (
            "every = '1h'",
            "",
            ScheduleSetting::Every(Duration::from_secs(3600)),
        ),
        ("every = '1h'", "hour = 5", daily(5, 0)),
        ("cron = '1 2 * * *'", "minute = 5", daily(0, 5)),
        (
            "hour = 4",
            "every = '2d'",
            ScheduleSetting::Every(Duration::from_secs(172_800)),
        ),
        (
            "hour = 4",
            "cron = '5 4 * * SUN'",
            ScheduleSetting::Cron("5 4 * * SUN".into()),
        ),
        (
            "hour = 4",
            "cron = '5 4 29 2 *'",
            ScheduleSetting::Cron("5 4 29 2 *".into()),
        ),
    ] {
        let text = format!(
            "[automatic_import]\n{general}\n{TOOL}[api_configurations.x]\ntool = 'scan'\n[api_configurations.x.automatic_import]\n{own}\n"
        );
        let config = Room::with(&text).load().unwrap().config;
        assert_eq!(
            config.api_configurations["x"].schedule, expected,
            "{general} / {own}"
        );
    }
}

#[test]
fn a_schedule_is_said_in_words() {
    let minutes = |minutes: u64| ScheduleSetting::Every(Duration::from_secs(minutes * 60));
    for (schedule, words) in [
        (daily(2, 0), "daily 02:00"),
        (daily(23, 9), "daily 23:09"),
        (minutes(360), "every 6h"),
        (minutes(90), "every 1h 30m"),
        (minutes(48 * 60), "every 2d"),
        (
            ScheduleSetting::Cron("0 */6 * * *".into()),
            "cron 0 */6 * * *",
        ),
    ] {
        assert_eq!(schedule.to_string(), words);
    }
}

#[test]
fn a_connector_with_a_known_place_needs_neither_location_nor_secret() {
    let config = Room::with("[tools.list]\nconnector = 'catalogue'\n")
        .load()
        .unwrap()
        .config;
    assert_eq!(
        config.tools["list"].location.as_str(),
        "https://catalogue.example.org/"
    );
    assert!(config.tools["list"].secret.is_none());
}

#[test]
fn settings_of_a_connector_say_what_is_allowed_and_their_default() {
    let said: Vec<_> = SCANNER
        .tool_settings
        .iter()
        .chain(SCANNER.api_settings)
        .map(|setting| (setting.allowed(), setting.default_toml()))
        .collect();
    assert_eq!(
        said[0],
        ("a whole number from 1 to 500".into(), Some("100".into()))
    );
    assert_eq!(
        said[3],
        ("\"GET\" or \"POST\"".into(), Some("\"POST\"".into()))
    );
    assert_eq!(said[4], ("text".into(), Some("\"up\"".into())));
    assert_eq!(said[5].1, None);
    assert_eq!(said[6].1.as_deref(), Some("[\"code\"]"));
    assert_eq!(said[8].1.as_deref(), Some("\"1d\""));
}

#[test]
fn five_hundred_api_configurations_load_at_once() {
    let mut text = TOOL.to_owned();
    for number in 0..500 {
        let _ = std::fmt::Write::write_fmt(
            &mut text,
            format_args!("[api_configurations.n{number}]\ntool = 'scan'\nproduct = 'p'\n"),
        );
    }
    let loaded = Room::with(&text).load().unwrap();
    assert_eq!(loaded.config.api_configurations.len(), 500);
}

#[test]
fn revisions_change_with_what_they_stand_for_and_with_nothing_else() {
    let text = |more: &str| format!("{TOOL}{more}\n[api_configurations.shop]\ntool = 'scan'\n");
    let revisions = |room: &Room| {
        let config = room.load().unwrap().config;
        (
            config.tools["scan"].revision,
            config.api_configurations["shop"].revision,
        )
    };
    let before = Room::with(&text(""));
    let (tool, api) = revisions(&before);
    assert_eq!(
        revisions(&Room::with(&format!("# comment\n{}", text("")))),
        (tool, api)
    );
    let (other_tool, same_api) = revisions(&Room::with(&text("page_size = 7")));
    assert!(other_tool != tool && same_api == api);
    let (other_tool, same_api) = revisions(&Room::with(&text("")).variable("SCAN_KEY", "another"));
    assert!(other_tool != tool && same_api == api);
    let general = format!("[automatic_import]\nhour = 9\n{}", text(""));
    let (same_tool, other_api) = revisions(&Room::with(&general));
    assert!(same_tool == tool && other_api != api);
}

#[test]
fn a_connector_setting_that_hides_behind_a_common_key_is_found() {
    assert!(SCANNER.key_clashes().is_empty() && CATALOGUE.key_clashes().is_empty());
    static CLASHING: ConnectorSpec = ConnectorSpec {
        tool_settings: &[setting("timeout", SettingKind::Secret)],
        api_settings: &[
            setting("project", SettingKind::Secret),
            setting("project", SettingKind::Secret),
        ],
        ..CATALOGUE_COPY
    };
    assert_eq!(CLASHING.key_clashes(), ["timeout", "project"]);
}

const CATALOGUE_COPY: ConnectorSpec = ConnectorSpec {
    name: "copy",
    title: "",
    direction: Direction::Source,
    location_meaning: "",
    default_location: None,
    endpoint_of_region: None,
    secret: super::Need::Refused,
    secret_meaning: "",
    permissions: &[],
    record_meaning: "",
    source_id_form: "",
    tool_settings: &[],
    api_settings: &[],
    resolve_after: 1,
    reads_several_branches: |_| None,
    validate_api: |_, _| Vec::new(),
    validate_tool: |_| Vec::new(),
};
