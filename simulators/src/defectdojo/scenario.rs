//! A small shop to look at, and as many findings as are asked for.

use chrono::{NaiveDate, TimeDelta};
use serde_json::json;

use super::{Finding, World};
use crate::random::Random;

const SEED: u64 = 31;

/// Three products: one of two branches with findings of every severity and status, and with a test that secpull has forwarded; one
/// whose scanner's words are odd; one without findings.
#[must_use]
pub fn shop() -> World {
    let mut world = World::new();
    let test = world.add_tested_product("Shop", Some("main"));
    for finding in main_branch(test) {
        world.add_finding(finding);
    }
    let engagement = world.engagement_of(test).unwrap_or_default();
    let release = world.add_test(engagement, "Scan of the release");
    if let Some(test) = world.tests.get_mut(release) {
        test.branch_tag = Some("release/1.2".to_owned());
    }
    world.add_finding(Finding::new(release, "Cross-Site Scripting", "Medium"));
    let forwarded = world.add_test(engagement, "snyk/shop");
    if let Some(test) = world.tests.get_mut(forwarded) {
        test.tags = vec!["secpull".to_owned(), "nightly".to_owned()];
    }
    world.add_finding(Finding::new(forwarded, "Forwarded by Secpull", "Critical"));

    let test = world.add_tested_product("Warehouse", None);
    let mut odd = Finding::new(test, "Odd words", "Catastrophic");
    odd.other =
        json!({"cwe": "none", "vulnerability_ids": "VNS/7", "cvssv3": 7, "tags": null, "line": {}})
            .as_object()
            .cloned()
            .unwrap_or_default();
    world.add_finding(odd);
    world.add_product("Empty");
    world
}

fn main_branch(test: u64) -> Vec<Finding> {
    let new = |title: &str, severity: &str| Finding::new(test, title, severity);
    let closed = |mut finding: Finding| {
        finding.active = false;
        finding
    };
    vec![
        Finding {
            description: "Lookups in logged text\r\nload classes from elsewhere.".to_owned(),
            mitigation: Some("Update to 2.17.1.".to_owned()),
            references: Some(
                "https://nvd.nist.gov/vuln/detail/CVE-2021-44228\nsee also https://logging.apache.org/security.html."
                    .to_owned(),
            ),
            verified: true,
            cwe: Some(502),
            cwes: vec!["CWE-502".to_owned(), "CWE-917".to_owned()],
            vulnerability_ids: vec![
                "GHSA-jfh8-c2jp-5v3q".to_owned(),
                "CVE-2021-44228".to_owned(),
                "SNYK-JAVA-1".to_owned(),
            ],
            cvssv3: Some("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H".to_owned()),
            cvssv3_score: Some(10.0),
            epss_score: Some(0.97),
            epss_percentile: Some(0.999),
            known_exploited: true,
            kev_date: NaiveDate::from_ymd_opt(2021, 12, 10),
            component_name: Some("log4j-core".to_owned()),
            component_version: Some("2.14.1".to_owned()),
            fix_available: Some(true),
            fix_version: Some("2.17.1".to_owned()),
            unique_id_from_tool: Some("a1b2".to_owned()),
            service: Some("checkout".to_owned()),
            tags: vec!["internet-facing".to_owned(), "sprint-7".to_owned()],
            hash_code: Some("5f".repeat(32)),
            ..new("Remote Code Execution in log4j-core", "Critical")
        },
        Finding {
            cwe: Some(89),
            cvssv4: Some("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N".to_owned()),
            cvssv4_score: Some(9.3),
            file_path: Some("src/login.py".to_owned()),
            line: Some(42),
            sast_source_file_path: Some("src/form.py".to_owned()),
            sast_source_line: Some(7),
            vuln_id_from_tool: Some("python.sql-injection".to_owned()),
            static_finding: true,
            dynamic_finding: false,
            ..new("SQL Injection in Login Form", "High")
        },
        Finding {
            duplicate: true,
            ..closed(new("Seen Elsewhere", "Low"))
        },
        Finding {
            false_p: true,
            is_mitigated: true,
            mitigated: Some(new("", "").created + TimeDelta::days(3)),
            ..closed(new("Not One", "Medium"))
        },
        Finding {
            risk_accepted: true,
            ..closed(new("Lived With", "Medium"))
        },
        Finding {
            out_of_scope: true,
            ..closed(new("Of Others", "Info"))
        },
        Finding {
            is_mitigated: true,
            mitigated: Some(new("", "").created + TimeDelta::days(3)),
            ..closed(new("Closed", "High"))
        },
        Finding {
            under_review: true,
            endpoints: vec![7],
            ..new("Looked At", "High")
        },
        closed(new("Not Yet Confirmed", "Info")),
    ]
}

/// One product with one test of so many generated findings, of about 3 KB each, the same every time.
pub fn many(world: &mut World, count: u64) {
    let test = world.add_tested_product("Generated", None);
    for index in 0..count {
        world.add_finding(generated(test, index));
    }
}

fn generated(test: u64, index: u64) -> Finding {
    let mut random = Random::new(SEED, index);
    let severity = random.pick(&["Critical", "High", "Medium", "Low", "Info"]);
    let mut finding = Finding::new(
        test,
        &format!("Generated Weakness {}", index % 60),
        severity,
    );
    let words = [
        "the",
        "value",
        "is",
        "copied",
        "into",
        "a",
        "page",
        "unescaped",
    ];
    let text: Vec<&str> = (0..150).map(|_| random.pick(&words)).collect();
    finding.description = text.join(" ");
    finding.file_path = Some(format!("src/module_{}/page_{index}.py", index % 97));
    finding.line = Some(i64::try_from(random.below(900)).unwrap_or(0) + 1);
    finding.cwe = Some(79);
    finding.unique_id_from_tool = Some(random.uuid());
    finding
}
