//! Every mistake that an admin can make is one line with its place, its key, and what is allowed.

use super::{Room, TOOL};

/// What `secpull.toml` holds before a sound tool, and the line that tells of it.
const MISTAKES: &[(&str, &str)] = &[
    // The top level.
    (
        "[tool.x]",
        "1:2: tool: unknown key; did you mean tools?; allowed: store, automatic_import, import, control, tools, api_configurations, forwards, notifications",
    ),
    (
        "import = 5",
        "1:10: import: is a whole number; allowed: a table of max_resolved_fraction, min_held, timeout",
    ),
    (
        "api_configurations = [\"shop\"]",
        "1:22: api_configurations: is a list; allowed: tables by name, [api_configurations.NAME]",
    ),
    // [store]
    (
        "store.url = 'postgres://secpull:s3cret@db/secpull?sslmode=allow'",
        "1:13: store.url: has sslmode=allow, which is not supported: give disable or prefer; allowed: \"sqlite:\" and an absolute path, or \"postgres://USER@HOST:PORT/DATABASE\"",
    ),
    (
        "store.url = 'postgres://secpull@db/secpull?target_session_attrs=any'",
        "1:13: store.url: has target_session_attrs=\"any\", which is not supported: give read-write, or leave it out; allowed: \"sqlite:\" and an absolute path, or \"postgres://USER@HOST:PORT/DATABASE\"",
    ),
    (
        "store = { url = 'sqlite:/a.db', lease = '1m' }",
        "1:33: store.lease: a SQLite file takes none; allowed: only beside a url that is postgres://…",
    ),
    (
        "store = { url = 'postgres://u@db/d', password = { env = 'NONE' } }",
        "1:38: store.password: environment variable \"NONE\" is not set; allowed: one that is, see Environment= or EnvironmentFile= of the unit",
    ),
    (
        "store.url = 'sqlite:findings.db'",
        "1:13: store.url: \"findings.db\" is not absolute, so it would mean different files to the daemon and to you; allowed: \"sqlite:\" and an absolute path, or \"postgres://USER@HOST:PORT/DATABASE\"",
    ),
    (
        "store.url = '/var/lib/secpull.db'",
        "1:13: store.url: is not the URL of a store; allowed: \"sqlite:\" and an absolute path, or \"postgres://USER@HOST:PORT/DATABASE\"",
    ),
    (
        "store.ulr = ''",
        "1:7: store.ulr: unknown key; did you mean url?; allowed: url, password, lease",
    ),
    (
        "store.proxy = 'socks5://proxy'",
        "1:7: store.proxy: unknown key; a store goes through no proxy, PostgreSQL's protocol is not HTTP: lead host and port of url to a tunnel, such as ssh -L; allowed: url, password, lease",
    ),
    (
        "store.client_key = '/a.key'",
        "1:7: store.client_key: unknown key; for PostgreSQL it is the parameter sslkey=/PATH of url; allowed: url, password, lease",
    ),
    // [automatic_import]
    (
        "automatic_import.hour = 24",
        "1:25: automatic_import.hour: 24 is out of range; allowed: a whole number from 0 to 23",
    ),
    (
        "automatic_import.hour = -1",
        "1:25: automatic_import.hour: -1 is out of range; allowed: a whole number from 0 to 23",
    ),
    (
        "automatic_import.hour = '2'",
        "1:25: automatic_import.hour: is text; allowed: a whole number from 0 to 23",
    ),
    (
        "automatic_import.hour = 2.5",
        "1:25: automatic_import.hour: is not a whole number, or too large for one; allowed: a whole number from 0 to 23",
    ),
    (
        "automatic_import.hour = 99999999999999999999",
        "1:25: automatic_import.hour: is not a whole number, or too large for one; allowed: a whole number from 0 to 23",
    ),
    (
        "automatic_import.hour = 02:00:00",
        "1:25: automatic_import.hour: is a date or time of day; allowed: a whole number from 0 to 23",
    ),
    (
        "automatic_import.minute = 60",
        "1:27: automatic_import.minute: 60 is out of range; allowed: a whole number from 0 to 59",
    ),
    (
        "automatic_import.enabled = 'yes'",
        "1:28: automatic_import.enabled: is text; allowed: true or false",
    ),
    (
        "automatic_import.max_concurrent = 0",
        "1:35: automatic_import.max_concurrent: 0 is out of range; allowed: a whole number from 1 to 256",
    ),
    (
        "automatic_import.every = '30s'",
        "1:26: automatic_import.every: \"30s\" is out of range; allowed: a time such as \"90s\", \"5m\", \"12h\" or \"1d\", from 1m to 366d",
    ),
    (
        "automatic_import.every = '90'",
        "1:26: automatic_import.every: \"90\" is not a time; allowed: a time such as \"90s\", \"5m\", \"12h\" or \"1d\", from 1m to 366d",
    ),
    (
        "automatic_import.every = '60500ms'",
        "1:26: automatic_import.every: \"60500ms\" is no whole number of seconds; allowed: a time such as \"90s\", \"5m\", \"12h\" or \"1d\", from 1m to 366d",
    ),
    (
        "automatic_import = { hour = 2, every = '6h' }",
        "1:32: automatic_import.every: stands beside automatic_import.hour (secpull.toml:1:22); allowed: hour and minute, or every, or cron",
    ),
    (
        "automatic_import = { every = '6h', cron = '0 4 * * *' }",
        "1:36: automatic_import.cron: stands beside automatic_import.every (secpull.toml:1:22); allowed: hour and minute, or every, or cron",
    ),
    (
        "automatic_import.cron = '0 4 * *'",
        "1:25: automatic_import.cron: \"0 4 * *\" has 4 fields; allowed: five fields (minute, hour, day of month, month, day of week, UTC) such as \"0 */6 * * *\", at most one of the two days restricted",
    ),
    (
        "automatic_import.cron = '0 24 * * *'",
        "1:25: automatic_import.cron: \"0 24 * * *\" cannot be read (number out of bounds); allowed: five fields (minute, hour, day of month, month, day of week, UTC) such as \"0 */6 * * *\", at most one of the two days restricted",
    ),
    (
        "automatic_import.cron = '0 0 31 2 *'",
        "1:25: automatic_import.cron: \"0 0 31 2 *\" never occurs; allowed: five fields (minute, hour, day of month, month, day of week, UTC) such as \"0 */6 * * *\", at most one of the two days restricted",
    ),
    (
        "automatic_import.cron = '0 0 1 * 1'",
        "1:25: automatic_import.cron: \"0 0 1 * 1\" restricts day of month and day of week, which some crons take as \"either\" and others as \"both\"; allowed: five fields (minute, hour, day of month, month, day of week, UTC) such as \"0 */6 * * *\", at most one of the two days restricted",
    ),
    // [import], [control]
    (
        "import.max_resolved_fraction = 1.5",
        "1:32: import.max_resolved_fraction: 1.5 is out of range; allowed: a number from 0 to 1",
    ),
    (
        "import.max_resolved_fraction = nan",
        "1:32: import.max_resolved_fraction: NaN is out of range; allowed: a number from 0 to 1",
    ),
    (
        "import.min_held = -1",
        "1:19: import.min_held: -1 is out of range; allowed: a whole number from 0",
    ),
    (
        "control.socket = 'secpull.sock'",
        "1:18: control.socket: \"secpull.sock\" is not absolute, so it would mean different files to the daemon and to you; allowed: an absolute path",
    ),
    (
        "control.group = ' '",
        "1:17: control.group: is empty; allowed: text that is not empty",
    ),
    (
        "control.metrics_listen = '9464'",
        "1:26: control.metrics_listen: \"9464\" is not an address; allowed: an IP address and port such as \"127.0.0.1:9464\"",
    ),
    // [tools.NAME]
    (
        "[tools]\nother = 5",
        "2:9: tools.other: is a whole number; allowed: a table of connector, location, secret, allow_plaintext_http, ca_bundle, ca_bundle_only, verify_tls, client_certificate, client_key, proxy, timeout, max_requests_per_second, max_concurrent_requests",
    ),
    (
        "[tools.'a b']",
        "1:8: tools.\"a b\": is not a name; allowed: 1 to 64 letters, digits, '.', '_' and '-'",
    ),
    (
        "[tools.other]\nconnector = 'scaner'",
        "2:13: tools.other.connector: there is no connector \"scaner\"; did you mean scanner?; allowed: \"catalogue\", \"dump\" or \"scanner\"",
    ),
    (
        "[tools.other]\nconnector = 7",
        "2:13: tools.other.connector: is a whole number; allowed: text that is not empty",
    ),
    (
        "[tools.other]\nlocation = 'https://x.example'",
        "1:8: tools.other.connector: is missing; allowed: text that is not empty",
    ),
    (
        "[tools.other]\nconnector = 'catalogue'\nsecret = 'x'",
        "3:1: tools.other.secret: connector catalogue takes no secret; allowed: leave it out",
    ),
    (
        "[tools.other]\nconnector = 'scanner'\nsecret = 's3cret'",
        "1:8: tools.other.location: is missing; allowed: the scanner's address, an http:// or https:// URL without user name, password, query and fragment",
    ),
    (
        "[tools.other]\nconnector = 'scanner'\nlocation = 'https://x.example'",
        "1:8: tools.other.secret: is missing; allowed: an API key, as text, or { credential = \"NAME\" }, { env = \"NAME\" } or { file = \"/PATH\" }",
    ),
    (
        "[tools.other]\nconnector = 'catalogue'\nlocation = 'x.example'",
        "3:12: tools.other.location: is not a URL (relative URL without a base); allowed: an http:// or https:// URL without user name, password, query and fragment",
    ),
    (
        "[tools.other]\nconnector = 'catalogue'\nlocation = 'ftp://x.example'",
        "3:12: tools.other.location: is neither an http:// nor an https:// URL; allowed: an http:// or https:// URL without user name, password, query and fragment",
    ),
    (
        "[tools.other]\nconnector = 'catalogue'\nlocation = 'https://u:s3cret@x.example'",
        "3:12: tools.other.location: holds a user name or password; allowed: an http:// or https:// URL without user name, password, query and fragment",
    ),
    (
        "[tools.other]\nconnector = 'catalogue'\nlocation = 'https://x.example?key=s3cret'",
        "3:12: tools.other.location: has a query or fragment; allowed: an http:// or https:// URL without user name, password, query and fragment",
    ),
    (
        "[tools.other]\nconnector = 'catalogue'\nproxy = 'direct'",
        "3:9: tools.other.proxy: is not a URL (relative URL without a base); allowed: \"none\", or an http://, https://, socks5:// or socks5h:// URL",
    ),
    (
        "[tools.other]\nconnector = 'catalogue'\nproxy = 'http://u:s3cret@proxy.example/path'",
        "3:9: tools.other.proxy: has a path, query or fragment, which no proxy would get; allowed: \"none\", or an http://, https://, socks5:// or socks5h:// URL",
    ),
    (
        "[tools.other]\nconnector = 'catalogue'\nproxy = 'socks4://u:s3cret@proxy.example'",
        "3:9: tools.other.proxy: is not the URL of a proxy; allowed: \"none\", or an http://, https://, socks5:// or socks5h:// URL",
    ),
    (
        "[tools.other]\nconnector = 'catalogue'\ntimeout = 30",
        "3:11: tools.other.timeout: is a whole number; allowed: a time such as \"90s\", \"5m\", \"12h\" or \"1d\", from 1s to 1d",
    ),
    (
        "[tools.other]\nconnector = 'catalogue'\nmax_requests_per_second = 0",
        "3:27: tools.other.max_requests_per_second: 0 is out of range; allowed: a number from 0.001 to 10000",
    ),
    (
        "[tools.other]\nconnector = 'catalogue'\nverify = false",
        "3:1: tools.other.verify: unknown key; allowed: connector, location, secret, allow_plaintext_http, ca_bundle, ca_bundle_only, verify_tls, client_certificate, client_key, proxy, timeout, max_requests_per_second, max_concurrent_requests",
    ),
    (
        "[tools.other]\nconnector = 'catalogue'\nproduct = 'Shop'",
        "3:1: tools.other.product: unknown key; it belongs in [api_configurations.NAME]; allowed: connector, location, secret, allow_plaintext_http, ca_bundle, ca_bundle_only, verify_tls, client_certificate, client_key, proxy, timeout, max_requests_per_second, max_concurrent_requests",
    ),
    (
        "[tools.other]\nconector = 'catalogue'\nconnector = 'scanner-2'",
        "2:1: tools.other.conector: unknown key; did you mean connector?; allowed: connector, location, secret, allow_plaintext_http, ca_bundle, ca_bundle_only, verify_tls, client_certificate, client_key, proxy, timeout, max_requests_per_second, max_concurrent_requests\nsecpull.toml:3:13: tools.other.connector: there is no connector \"scanner-2\"; did you mean scanner?; allowed: \"catalogue\", \"dump\" or \"scanner\"",
    ),
    // [api_configurations.NAME]
    (
        "[api_configurations.shop]\nproduct = 'Shop'",
        "1:21: api_configurations.shop.tool: is missing; allowed: text that is not empty",
    ),
    (
        "[api_configurations.shop]\ntool = 'scna'",
        "2:8: api_configurations.shop.tool: there is no tool \"scna\"; did you mean scan?; allowed: \"scan\"",
    ),
    (
        "[tools.out]\nconnector = 'dump'\n[api_configurations.shop]\ntool = 'out'\nlist = 'x'",
        "4:8: api_configurations.shop.tool: connector dump of the tool \"out\" only takes findings; allowed: \"scan\"",
    ),
    (
        "[api_configurations.shop]\ntool = 'scan'\nprodct = 'Shop'",
        "3:1: api_configurations.shop.prodct: unknown key; did you mean product?; allowed: tool, product, records, missing_records, resolve_after, timeout, automatic_import, project, kinds, labels, look_back, suppressed, all_branches",
    ),
    (
        "[api_configurations.shop]\ntool = 'scan'\nbranch = 'main'",
        "3:1: api_configurations.shop.branch: unknown key; it belongs in automatic_import = { branch = … }; allowed: tool, product, records, missing_records, resolve_after, timeout, automatic_import, project, kinds, labels, look_back, suppressed, all_branches",
    ),
    (
        "[api_configurations.shop]\ntool = 'scan'\nlocation = 'x'",
        "3:1: api_configurations.shop.location: unknown key; it belongs in [tools.NAME]; allowed: tool, product, records, missing_records, resolve_after, timeout, automatic_import, project, kinds, labels, look_back, suppressed, all_branches",
    ),
    (
        "[api_configurations.shop]\ntool = 'scan'\nproduct = ''",
        "3:11: api_configurations.shop.product: is empty; allowed: text that is not empty",
    ),
    (
        "[api_configurations.shop]\ntool = 'scan'\nmissing_records = 'drop'",
        "3:19: api_configurations.shop.missing_records: \"drop\" is not known; allowed: \"keep\" or \"resolve\"",
    ),
    (
        "[api_configurations.shop]\ntool = 'scan'\nresolve_after = 0",
        "3:17: api_configurations.shop.resolve_after: 0 is out of range; allowed: a whole number from 1 to 1000",
    ),
    (
        "[api_configurations.shop]\ntool = 'scan'\nrecords = ['shop']",
        "3:11: api_configurations.shop.records: is a list; allowed: a table of include, exclude",
    ),
    (
        "[api_configurations.shop]\ntool = 'scan'\nrecords = { include = [\n  'shop-*',\n  '[a',\n] }",
        "5:3: api_configurations.shop.records.include: \"[a\": unclosed character class; missing ']'; allowed: a list of texts with the wildcards * ? [a-z] {a,b}",
    ),
    (
        "[api_configurations.shop]\ntool = 'scan'\nrecords = { include = [] }",
        "3:23: api_configurations.shop.records.include: is empty, so nothing would be imported; allowed: leave it out to import all records",
    ),
    (
        "[api_configurations.shop]\ntool = 'scan'\nautomatic_import = false",
        "3:20: api_configurations.shop.automatic_import: is true or false; allowed: a table of enabled, hour, minute, every, cron, branch, service, docker_image, endpoint_url, kubernetes_cluster",
    ),
    (
        "[api_configurations.shop]\ntool = 'scan'\nautomatic_import.endpoint_url = 'shop'",
        "3:33: api_configurations.shop.automatic_import.endpoint_url: is not a URL (relative URL without a base); allowed: an http:// or https:// URL without user name and password",
    ),
    (
        "[api_configurations.shop]\ntool = 'scan'\nautomatic_import = { minute = 5, cron = '0 4 * * *' }",
        "3:34: api_configurations.shop.automatic_import.cron: stands beside api_configurations.shop.automatic_import.minute (secpull.toml:3:22); allowed: hour and minute, or every, or cron",
    ),
    (
        "[api_configurations.shop]\ntool = 'scan'\nall_branches = true\nautomatic_import = { branch = 'main' }",
        "4:22: api_configurations.shop.automatic_import.branch: would put one branch on findings of several, since all_branches reads several branches; allowed: one of the two",
    ),
    (
        "[api_configurations.shop]\ntool = 'scan'\nkinds = ['code', 'host']",
        "3:18: api_configurations.shop.kinds: \"host\" is not known; allowed: a list of \"code\" or \"secret\"",
    ),
    (
        "[api_configurations.shop]\ntool = 'scan'\nkinds = ['code', 1]",
        "3:18: api_configurations.shop.kinds: holds a whole number; allowed: a list of \"code\" or \"secret\"",
    ),
    (
        "[api_configurations.'sh\\nop']\ntool = 'scan'",
        "1:21: api_configurations.\"sh\\\\nop\": is not a name; allowed: 1 to 64 letters, digits, '.', '_' and '-'",
    ),
    (
        "[tools.cat]\nconnector = 'catalogue'\n[api_configurations.shop]\ntool = 'cat'",
        "3:21: api_configurations.shop.list: is missing; allowed: text",
    ),
];

#[test]
fn each_mistake_is_one_line_with_place_key_and_what_is_allowed() {
    let mut wrong = Vec::new();
    for (text, expected) in MISTAKES {
        let room = Room::with(&format!("{text}\n{TOOL}"));
        let problems = room.problems().join("\n");
        if problems != format!("secpull.toml:{expected}") {
            wrong.push(format!("{text}\n  gave   {problems}\n  wanted {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn all_mistakes_of_all_files_are_told_at_once_in_the_order_of_files_and_lines() {
    let room = Room::new()
        .file(
            "secpull.toml",
            "[automatic_import]\nhour = 24\nminute = 60\n[stoer]\n",
        )
        .file(
            "conf.d/10-eu.toml",
            "[tools.eu]\nconnector = 'scanner'\nlocation = 'https://eu.example.com'\nsecret = { env = 'SCAN_KEY' }\ntimeout = '5 minuets'\n",
        )
        .file(
            "conf.d/20-us.toml",
            "[tools.eu]\nlocation = 'https://us.example.com'\n[api_configurations.shop]\ntool = 'us'\nresolve_after = true\n",
        )
        .variable("SECPULL_CONTROL__SOKET", "/run/x.sock");
    let places: Vec<String> = room
        .problems()
        .iter()
        .map(|line| line.split(": ").take(2).collect::<Vec<_>>().join(" "))
        .collect();
    assert_eq!(
        places,
        [
            "secpull.toml:2:8 automatic_import.hour",
            "secpull.toml:3:10 automatic_import.minute",
            "secpull.toml:4:2 stoer",
            "conf.d/10-eu.toml:5:11 tools.eu.timeout",
            "conf.d/20-us.toml:1:8 tools.eu",
            "conf.d/20-us.toml:4:8 api_configurations.shop.tool",
            "conf.d/20-us.toml:5:17 api_configurations.shop.resolve_after",
            "environment variable SECPULL_CONTROL__SOKET control",
        ]
    );
}

#[test]
fn a_name_in_two_files_is_told_with_both_places() {
    let room = Room::new()
        .file("secpull.toml", TOOL)
        .file(
            "conf.d/a.toml",
            &format!("[api_configurations.x]\ntool = 'scan'\n{TOOL}"),
        )
        .file("conf.d/b.toml", "[api_configurations.x]\ntool = 'scan'\n");
    assert_eq!(
        room.problems(),
        [
            "conf.d/a.toml:4:8: tools.scan: is already defined in secpull.toml:2:8; allowed: each name in one file only",
            "conf.d/b.toml:1:21: api_configurations.x: is already defined in conf.d/a.toml:1:21; allowed: each name in one file only",
        ]
    );
}

#[test]
fn all_syntax_errors_are_told_beside_what_other_files_make_certain() {
    let room = Room::new()
        .file("secpull.toml", "[automatic_import]\nhour = 24\n")
        .file(
            "conf.d/a.toml",
            "location = https://x\nminute = 99\nmax = \n[tools.scan\n",
        )
        .file("conf.d/b.toml", "[api_configurations.x]\ntool = 'scan'\n");
    let problems = room.problems();
    assert_eq!(
        problems[0],
        "secpull.toml:2:8: automatic_import.hour: 24 is out of range; allowed: a whole number from 0 to 23"
    );
    assert!(problems.len() >= 4, "{problems:?}");
    for problem in &problems[1..] {
        // Not that the tool is missing: the broken file may define it.
        assert!(
            problem.starts_with("conf.d/a.toml:") && problem.contains(": not valid TOML: "),
            "{problem}"
        );
    }
}

#[test]
fn columns_count_characters_and_lines_count_from_one() {
    let room = Room::with("# ÄÖÜ\n\nstore = { url = 'sqlite:/é', 'ürl' = 1 }\n");
    assert_eq!(
        room.problems(),
        [
            "secpull.toml:3:30: store.\"ürl\": unknown key; did you mean url?; allowed: url, password, lease"
        ]
    );
}

#[test]
fn a_connectors_own_settings_are_checked_in_tools_and_api_configurations() {
    let room = Room::with(
        "[tools.scan]\nconnector = 'scanner'\nlocation = 'https://x'\nsecret = { env = 'SCAN_KEY' }\n\
         page_size = 501\nmethod = 'PUT'\nheaders = 'x'\n\
         [api_configurations.shop]\ntool = 'scan'\nlook_back = 5\nsuppressed = 'no'\n",
    );
    assert_eq!(
        room.problems(),
        [
            "secpull.toml:5:13: tools.scan.page_size: 501 is out of range; allowed: a whole number from 1 to 500",
            "secpull.toml:6:10: tools.scan.method: \"PUT\" is not known; allowed: \"GET\" or \"POST\"",
            "secpull.toml:7:11: tools.scan.headers: is text; allowed: a table of names, each with text, { credential = \"NAME\" }, { env = \"NAME\" } or { file = \"/PATH\" }",
            "secpull.toml:10:13: api_configurations.shop.look_back: is a whole number; allowed: a time such as \"90s\", \"5m\", \"12h\" or \"1d\", from 0s to 3660d",
            "secpull.toml:11:14: api_configurations.shop.suppressed: is text; allowed: true or false",
        ]
    );
}

#[test]
fn a_table_of_lists_is_read_with_any_names_and_checked_list_by_list() {
    let api = |labels: &str| {
        Room::with(&format!(
            "{TOOL}[api_configurations.shop]\ntool = 'scan'\nproject = 'p'\nlabels = {labels}\n"
        ))
    };
    let loaded = api("{ 'Any Name' = ['a', 'b'], other = ['c'] }")
        .load()
        .unwrap();
    let settings = &loaded.config.api_configurations["shop"].settings;
    let labels: Vec<_> = settings.lists("labels").collect();
    assert_eq!(
        labels,
        [
            ("Any Name", &["a".to_owned(), "b".to_owned()][..]),
            ("other", &["c".to_owned()][..])
        ]
    );
    for (wrong, what) in [
        ("['a']", "is a list"),
        ("{ os = 'a' }", "\"os\" is text"),
        ("{ os = [] }", "\"os\" is an empty list"),
        ("{ os = [1] }", "\"os\" holds a whole number"),
    ] {
        let problems = api(wrong).problems().join("\n");
        let expected = format!(
            "api_configurations.shop.labels: {what}; allowed: a table of names, each with a list of one text or more"
        );
        assert!(problems.ends_with(&expected), "{problems}");
    }
}

#[test]
fn what_a_connector_finds_wrong_is_told_at_the_key_or_else_at_the_table() {
    let room = Room::with(&format!(
        "{TOOL}method = 'GET'\npage_size = 300\n[api_configurations.shop]\ntool = 'scan'\n",
    ));
    assert_eq!(
        room.problems(),
        ["secpull.toml:7:13: tools.scan.page_size: is more than GET can carry; allowed: 200"]
    );
    let room = Room::with(&format!(
        "{TOOL}method = 'GET'\n[api_configurations.shop]\ntool = 'scan'\n",
    ));
    assert_eq!(
        room.problems(),
        [
            "secpull.toml:7:21: api_configurations.shop.project: is missing; allowed: an id, since method is GET"
        ]
    );
}

#[test]
fn an_api_configuration_is_checked_even_if_its_tool_has_a_mistake() {
    let room = Room::with(
        "[tools.scan]\nconnector = 'scanner'\n[api_configurations.shop]\ntool = 'scan'\nprodct = 'x'\n",
    );
    let keys: Vec<_> = room
        .problems()
        .iter()
        .map(|line| line.split(": ").nth(1).unwrap_or_default().to_owned())
        .collect();
    assert_eq!(
        keys,
        [
            "tools.scan.location",
            "tools.scan.secret",
            "api_configurations.shop.prodct"
        ]
    );
}
