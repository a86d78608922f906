//! A small plant to look at: every field, and every word of the tables.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::model::DEFAULT_NETWORK;
use super::{Tenable, World};

/// The network of the plant's machines.
const PLANT: &str = "42475f11-5e6b-4d6a-a53d-63fe494961df";

/// An open finding of high severity, with as little as there always is and its times. The asset's UUID is
/// [`World::asset`] of its name.
#[must_use]
pub fn finding(asset: &str, plugin: u64, port: u64, protocol: &str) -> Value {
    json!({
        "asset": {"uuid": World::asset(asset), "fqdn": asset, "network_id": DEFAULT_NETWORK},
        "plugin": {"id": plugin, "name": format!("Plugin {plugin}"), "family": "General"},
        "port": {"port": port, "protocol": protocol},
        "severity": "high", "severity_id": 3, "severity_default_id": 3, "severity_modification_type": "NONE",
        "state": "OPEN", "source": "NESSUS",
        "first_found": "2026-09-01T06:00:00.123Z", "last_found": "2026-10-20T06:00:00.123Z",
        "indexed": "2026-10-20T06:10:00.123456Z",
    })
}

/// An open web finding of medium severity.
#[must_use]
pub fn web_finding(id: &str) -> Value {
    json!({
        "finding_id": id,
        "url": "https://shop.example.com/search?q=1",
        "output": "The parameter q is copied into the page.",
        "proof": "<script>alert(1)</script>",
        "payload": "\"><script>alert(1)</script>",
        "http_method": "GET", "input_type": "link", "input_name": "q",
        "state": "OPEN", "severity": "MEDIUM", "severity_id": 2, "severity_default_id": 2,
        "severity_modification_type": "NONE",
        "first_found": "2026-09-01T16:08:41Z", "last_found": "2026-10-20T16:08:41Z", "indexed_at": "2026-10-20T16:18:41Z",
        "plugin": {
            "id": 98104, "name": "Cross-Site Scripting (XSS)", "family": "Cross Site Scripting",
            "description": "Scripts of others run in the page.", "solution": "Encode what is put into pages.",
            "see_also": ["https://example.com/xss"], "cwe": ["79", "80"],
            "xrefs": [{"type": "owasp_asvs", "id": ["4.0.2-5.3.3"]}, {"type": "CWE", "id": ["116"]}],
            "cvss3_base_score": 6.1, "cvss3_vector": {"raw": "CVSS:3.0/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N"},
        },
        "asset": {"uuid": World::asset("shop.example.com"), "fqdn": "shop.example.com", "ipv4": "192.0.2.80",
            "ipv4s": ["192.0.2.80"]},
        "scan": {"uuid": "8c6490cf-7052-4167-bc9b-598edad80746", "completed_at": "2026-10-20T16:08:41Z"},
    })
}

/// A plant with a data base, a line controller, an office machine and a passing guest; its shop on the web.
#[must_use]
pub fn shop() -> Tenable {
    Tenable::new().with(|world| {
        world.networks.insert(PLANT.to_owned(), "Plant".to_owned());
        let assets = |names: &[&str]| -> BTreeSet<String> {
            names.iter().map(|name| World::asset(name)).collect()
        };
        world.tags = vec![
            (
                "Environment".to_owned(),
                "Production".to_owned(),
                assets(&["db.example", "plc"]),
            ),
            (
                "Environment".to_owned(),
                "Office".to_owned(),
                assets(&["office"]),
            ),
        ];
        world.unlicensed = assets(&["spare"]);
        world.findings = findings();
        world.web_findings = vec![web_finding("044a6c5f-3b1c-5c2d-bc76-36e0072ab19c")];
        world.looks = 1;
    })
}

fn findings() -> Vec<Value> {
    let mut all = on_the_data_base();
    all.extend(in_the_plant());
    all.extend(in_the_office());
    all
}

/// With the members of `with` in place of, or beside, its own; null takes one away.
fn but(mut finding: Value, with: Value) -> Value {
    if let (Value::Object(own), Value::Object(with)) = (&mut finding, with) {
        for (name, value) in with {
            match value {
                Value::Null => drop(own.remove(&name)),
                value => drop(own.insert(name, value)),
            }
        }
    }
    finding
}

fn data_base() -> Value {
    json!({
        "uuid": World::asset("db.example"), "fqdn": "db.example", "hostname": "db", "netbios_name": "DB01",
        "ipv4": "192.0.2.20", "ipv6": "2001:db8::20", "network_id": DEFAULT_NETWORK, "tracked": true,
        "operating_system": ["Microsoft Windows Server 2019"], "netbios_workgroup": ["PLANT"],
    })
}

fn on_the_data_base() -> Vec<Value> {
    let with = |plugin, port, protocol, with| {
        let finding = but(
            finding("db.example", plugin, port, protocol),
            json!({"asset": data_base()}),
        );
        but(finding, with)
    };
    let sharing = json!({
        "id": 156_641, "name": "Security Updates for the file service", "family": "Windows : Microsoft Bulletins",
        "synopsis": "Updates are missing.", "description": "An attacker can run commands.",
        "solution": "Install KB5002113.", "see_also": ["https://example.com/kb/5002113", "https://example.com/more"],
        "cve": ["CVE-2022-21837", "CVE-2022-21840"], "cpe": ["cpe:/a:example:file_service"], "bid": [156_641],
        "cvss3_base_score": 8.8, "cvss3_vector": {"raw": "AV:N/AC:L/PR:N/UI:R/S:U/C:H/I:H/A:H"},
        "cvss4_base_score": 6.9, "cvss4_vector": {"raw": "AV:N/AC:L/AT:P/PR:H/UI:N/VC:N/VI:N/VA:H/SC:N/SI:N/SA:H"},
        "epss_score": 10.647, "risk_factor": "high", "ms_bulletin": ["5002113"], "exploit_available": true,
        "vpr": {"score": 6.7}, "vpr_v2": {"score": 4.9},
        "xrefs": [{"type": "CVE", "id": "2022-21837"}, {"type": "CWE", "id": "787"}, {"type": "CWE", "id": "CWE-20"},
            {"type": "MSKB", "id": "5002113"}, {"type": "CISA-KNOWN-EXPLOITED", "id": "2022/07/01"}],
    });
    vec![
        with(
            156_641,
            445,
            "TCP",
            json!({"plugin": sharing,
            "output": "\n  KB : 5002113\n  Remote version : 16.0.4342\n", "finding_id": "02716af9-1adb-4057-b4d5-dcb0c36b290c",
            "scan": {"uuid": "270b911b-1fe6-4760-8c49-88d315cb764e", "started_at": "2026-10-20T05:14:02.387Z"}}),
        ),
        // The same weakness on the same port of another protocol, and on another port.
        with(156_641, 445, "UDP", json!({})),
        with(156_641, 139, "TCP", json!({})),
        // Gave way to a rule: high, said to be critical.
        with(
            20_007,
            1433,
            "TCP",
            json!({"severity": "critical", "severity_id": 4, "severity_modification_type": "RECASTED",
            "state": "REOPENED", "last_fixed": "2026-08-01T06:00:00.000Z", "resurfaced_date": "2026-10-01T00:00:00.000Z",
            "recast_reason": "reachable", "recast_rule_uuid": "a2ee5a5a-6fb2-44c8-8d6a-b2a4a2c7a2ee"}),
        ),
        with(
            57_582,
            1433,
            "TCP",
            json!({"severity": "medium", "severity_id": 2, "severity_modification_type": "ACCEPTED",
            "recast_reason": "self-signed on purpose"}),
        ),
        with(
            42_873,
            1433,
            "TCP",
            json!({"severity": "low", "severity_id": 1, "state": "FIXED",
            "last_fixed": "2026-10-10T06:00:00.000Z", "time_taken_to_fix": "3045760", "indexed": null}),
        ),
        // Nothing but what a plugin is called, and no rating.
        with(
            11_219,
            0,
            "ICMP",
            json!({"severity": "info", "severity_id": 0, "severity_default_id": 0,
            "port": {"port": "0", "protocol": "ICMP"}, "source": "NNM", "indexed": null,
            "plugin": {"id": 11_219, "name": "Client &lt; 2.0 &amp; others &quot;seen&quot;", "solution": "n/a",
                "cvss3_base_score": 0, "see_also": "https://example.com/one\nhttps://example.com/two", "xrefs": null}}),
        ),
    ]
}

fn in_the_plant() -> Vec<Value> {
    let controller = json!({"uuid": World::asset("plc"), "hostname": "198.51.100.7", "netbios_name": "PLC7",
        "ipv4": "198.51.100.7", "network_id": PLANT, "tracked": true});
    vec![
        // Not seen for two years.
        but(
            finding("plc", 500_001, 502, "TCP"),
            json!({"asset": controller, "source": "OT",
            "last_found": "2024-10-20T06:00:00Z", "first_found": "2024-01-02T03:04:05Z", "indexed": 1_729_404_600_i64}),
        ),
        // Words of a later release.
        but(
            finding("plc", 500_002, 502, "TCP"),
            json!({"asset": controller, "severity": "severe", "severity_id": 3,
            "state": "DORMANT", "severity_modification_type": "SNOOZED"}),
        ),
        // Has no licence.
        but(
            finding("spare", 500_001, 502, "TCP"),
            json!({"asset": {"uuid": World::asset("spare"),
            "netbios_name": "SPARE", "ipv6": "2001:db8::99", "network_id": PLANT}}),
        ),
    ]
}

fn in_the_office() -> Vec<Value> {
    vec![
        // As the newer service writes what is empty.
        but(
            finding("office", 190_500, 0, "TCP"),
            json!({
                "asset": {"uuid": World::asset("office"), "fqdn": null, "hostname": "office-17", "netbios_name": [],
                    "ipv4": "192.0.2.117", "ipv6": null, "network_id": DEFAULT_NETWORK, "tracked": true},
                "source": "AGENT", "output": null,
                "plugin": {"id": 190_500, "name": "vim < 9.1", "family": "Local", "cve": "CVE-2026-1111", "cpe": [], "xrefs": [],
                    "see_also": [], "synopsis": null, "description": null, "solution": "N/A", "epss_score": null},
                "software_vulns": [{"identifier": "pkg:deb/debian/vim@9.0", "product": "vim", "version": "9.0",
                    "fixes": [{"fix_type": "deb", "value": "pkg:deb/debian/vim@9.1?arch=amd64"}], "potential": false}],
            }),
        ),
        // A guest's: another asset after each scan.
        but(
            finding("guest", 19_506, 0, "TCP"),
            json!({
            "asset": {"uuid": World::asset("guest"), "ipv4": "203.0.113.9", "network_id": DEFAULT_NETWORK, "tracked": false},
            "severity": "info", "severity_id": 0}),
        ),
    ]
}
