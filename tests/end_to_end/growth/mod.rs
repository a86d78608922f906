//! A store of many findings in PostgreSQL: what is done every day stays on indexes. The server itself says how it did each
//! statement of the real binary.
//!
//! `SECPULL_GROWTH=10000000 cargo test --test end_to_end growth -- --nocapture` generates that many findings, in some 10 GB
//! below the temporary folder, and prints how long everything took.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use secpull_simulators::dependency_track::{Simulator, Version};
use secpull_simulators::real_postgres::RealPostgres;

use super::support::dependency_track::{finding, project, server, tool};
use super::support::postgres::Database;
use super::support::{Installation, Ran};

/// So many are generated unless the variable says otherwise: enough for the planner to choose as for millions.
const FINDINGS: u32 = 200_000;

/// Nobody lists all of them by these: a listing begins where they begin, and ends after so many.
const LISTED: &str = "50";

const LISTINGS: &[&[&str]] = &[
    &["--severity", "critical"],
    &["--severity", "critical,high", "--status", "open"],
    &["--status", "false_positive"],
    &["--product", "Product 7"],
    &[
        "--product",
        "Product 7",
        "--branch",
        "release-2",
        "--severity",
        "high",
    ],
    &["--service", "api", "--product", "Product 50"],
    &["--kind", "secret"],
    &["--kind", "code", "--severity", "critical"],
    &["--api-configuration", "team-7"],
    &["--vulnerability", "CVE-2024-00042"],
    &["--since", "7d"],
    &["--since", "30d", "--severity", "critical"],
    &["--status", "all"],
];

/// What people ask the tables themselves.
const DASHBOARDS: &[(&str, &str)] = &[
    (
        "open findings of a product by severity",
        "SELECT f.severity::text || ' ' || count(*) FROM filings g JOIN findings f ON f.filing_id = g.id
         WHERE g.product = 'Product 7' AND f.status = 0 GROUP BY f.severity",
    ),
    (
        "critical and open, by product",
        "SELECT g.product || ' ' || count(*) FROM findings f JOIN filings g ON g.id = f.filing_id
         WHERE f.severity = 0 AND f.status = 0 GROUP BY g.product",
    ),
    (
        "who has this vulnerability",
        "SELECT g.product || ' ' || count(*) FROM findings f JOIN filings g ON g.id = f.filing_id
         WHERE f.canonical_id = 'CVE-2024-00042' AND f.status <> 6 GROUP BY g.product",
    ),
    (
        "what an API configuration has open, by its counters",
        "SELECT a.name || ' ' || sum(s.unresolved) FROM scopes s JOIN api_configurations a ON a.id = s.api_configuration_id
         GROUP BY a.name",
    ),
];

fn findings() -> u32 {
    std::env::var("SECPULL_GROWTH").map_or(FINDINGS, |number| number.parse().unwrap())
}

fn shop(count: u32) -> (Simulator, String, String) {
    let project = project("shop", 0..count);
    let uuid = project.uuid.clone();
    let server = server(Version::V5_0, vec![project]);
    let toml = format!(
        "{}page_size = 500\n[api_configurations.shop]\ntool = \"dt\"\nproduct = \"Shop\"\nproject_key = \"{uuid}\"\n\
         automatic_import = {{ enabled = false }}\n",
        tool("dt", &server)
    );
    (server, toml, uuid)
}

fn timed<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let begin = Instant::now();
    let done = work();
    let took: Duration = begin.elapsed();
    eprintln!("{what}: {:.3} s", took.as_secs_f64());
    done
}

/// From here on every session tells the server's log how its statements are done.
fn explain_all(database: &Database) {
    let name = database.name();
    for (key, value) in [
        ("session_preload_libraries", "auto_explain"),
        ("auto_explain.log_min_duration", "0"),
    ] {
        database.execute(&format!("ALTER DATABASE {name} SET {key} = '{value}'"));
    }
}

/// The statements in the server's log that read a large table whole, and how many there are in all.
fn explained(log: &str) -> (Vec<&str>, usize) {
    let plans: Vec<&str> = log.split("plan:\n").skip(1).collect();
    let is_whole = |plan: &&str| {
        ["findings", "sightings", "history"]
            .iter()
            .any(|table| plan.contains(&format!("Seq Scan on {table}")))
    };
    (
        plans.iter().copied().filter(is_whole).collect(),
        plans.len(),
    )
}

#[test]
fn with_many_findings_imports_listings_and_dashboards_stay_on_indexes() {
    let many = findings();
    let (imported, changed) = (many / 100, many / 10_000);
    let (tool, toml, uuid) = shop(imported);
    let server = RealPostgres::start(&[]).unwrap();
    let database = Database::on(&server);
    let installation = Installation::with_store(database.section(), &toml);
    installation.import("shop").exits(0);
    timed("generating", || {
        let sql = include_str!("generate.sql").replace("$FINDINGS", &many.to_string());
        database.execute(&sql);
    });
    // As autovacuum does by itself.
    timed("vacuum", || database.execute("VACUUM ANALYZE"));
    let megabytes = database.number("SELECT pg_database_size(current_database()) / 1000000");
    println!("{many} findings, {megabytes} MB");
    let before = server.log().len();
    explain_all(&database);

    let unchanged = format!("import of {imported} unchanged");
    timed(&unchanged, || installation.import("shop").exits(0));
    assert_eq!(installation.last_run("shop")["unchanged"], imported);
    let ids: HashSet<String> = (0..changed).map(|n| finding(n).vulnerability.id).collect();
    tool.portfolio().change(&uuid, |project| {
        project
            .findings
            .remove(|f| ids.contains(&f.vulnerability.id));
        for number in 0..changed {
            let mut worse = finding(number);
            worse.vulnerability.severity = "CRITICAL".to_owned();
            project.findings.add(worse);
        }
    });
    let some = format!("import of {imported}, {changed} of them changed");
    timed(&some, || installation.import("shop").exits(0));
    let run = installation.last_run("shop");
    assert_eq!(run["updated"], changed, "{run}");
    assert_eq!(run["resolved"], 0, "{run}");

    for filter in LISTINGS {
        let mut arguments = vec!["findings", "--format", "jsonl", "--limit", LISTED];
        arguments.extend(*filter);
        let listed: Ran = timed(&format!("findings {}", filter.join(" ")), || {
            installation.secpull(&arguments).exits(0)
        });
        assert!(!listed.lines().is_empty(), "{filter:?}");
    }
    for arguments in [
        &["status"][..],
        &["runs"],
        &["runs", "shop"],
        &["findings", "show", "1"],
    ] {
        timed(&arguments.join(" "), || installation.secpull(arguments));
    }
    for (what, sql) in DASHBOARDS {
        let rows = timed(what, || database.texts(sql));
        assert!(!rows.is_empty(), "{what}");
    }

    let log = server.log();
    let (whole, all) = explained(&log[before..]);
    assert!(all > 100, "only {all} statements were explained");
    assert!(whole.is_empty(), "{}", whole.join("\n"));
}
