#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};

use super::*;
use crate::finding::Severity;

fn row(with: Value) -> Value {
    let mut row = json!({
        "asset": {"uuid": "53ED0fa2-ccd5", "fqdn": "db.example", "hostname": "db", "ipv4": "192.0.2.20"},
        "plugin": {"id": 156_641, "name": "Missing update"},
        "port": {"port": 445, "protocol": "TCP"},
        "severity": "high", "severity_id": 3, "state": "OPEN", "severity_modification_type": "NONE",
    });
    merge(&mut row, with);
    row
}

fn merge(into: &mut Value, with: Value) {
    match (into, with) {
        (Value::Object(own), Value::Object(with)) => {
            for (name, value) in with {
                merge(own.entry(name).or_insert(Value::Null), value);
            }
        }
        (own, value) => *own = value,
    }
}

fn mapped(with: Value) -> Sighting {
    map(&row(with).to_string(), Source::Vm).unwrap().sighting
}

fn content_of(with: Value) -> Content {
    mapped(with).content
}

fn plugin(with: Value) -> Content {
    content_of(json!({"plugin": with}))
}

fn web(with: Value) -> Result<Sighting, String> {
    let mut row = json!({
        "finding_id": "044a6c5f", "url": "https://shop.example.com/a?q=1", "http_method": "GET", "input_name": "q",
        "severity": "MEDIUM", "state": "OPEN", "indexed_at": "2026-10-20T16:18:41Z",
        "first_found": "2026-09-01T16:08:41Z", "plugin": {"id": 98_104, "name": "XSS", "cwe": ["79"]},
        "asset": {"uuid": "a", "fqdn": "shop.example.com"},
    });
    merge(&mut row, with);
    map(&row.to_string(), Source::Was).map(|mapped| mapped.sighting)
}

#[test]
fn a_finding_is_known_by_asset_plugin_port_and_protocol() {
    let id = |with| mapped(with).source_id;
    assert_eq!(id(json!({})), "53ED0fa2-ccd5:156641:445:TCP");
    assert_eq!(
        id(json!({"port": {"port": "0", "protocol": "ICMP"}, "finding_id": "02716af9"})),
        "53ED0fa2-ccd5:156641:0:ICMP"
    );
    assert_eq!(
        id(json!({"plugin": {"id": "19506"}})),
        "53ED0fa2-ccd5:19506:445:TCP"
    );
}

#[test]
fn a_row_without_identity_cannot_be_read() {
    for (without, word) in [
        (json!({"asset": null}), "asset.uuid"),
        (json!({"asset": {"uuid": 7}}), "asset.uuid"),
        (json!({"plugin": {"id": null}}), "plugin.id"),
        (json!({"port": {"port": []}}), "port.port"),
        (json!({"port": {"protocol": " "}}), "port.protocol"),
    ] {
        let reason = map(&row(without).to_string(), Source::Vm).unwrap_err();
        assert!(reason.contains(word), "{reason}");
    }
    for no_row in ["null", "[]", "7", "\"x\""] {
        assert!(map(no_row, Source::Vm).is_err(), "{no_row}");
        assert!(map(no_row, Source::Was).is_err(), "{no_row}");
    }
    assert!(web(json!({"finding_id": null})).is_err());
}

#[test]
fn severity_and_status_follow_the_vendors_words_which_are_kept() {
    let sighting = mapped(json!({
        "severity": "Critical", "severity_id": 2, "severity_default_id": 1, "state": "REOPENED",
        "severity_modification_type": "ACCEPTED", "last_fixed": "2026-08-01T06:00:00Z",
    }));
    assert_eq!(sighting.severity, Severity::Critical);
    assert_eq!(sighting.status, Status::RiskAccepted);
    assert_eq!(sighting.source_severity.as_deref(), Some("Critical"));
    assert_eq!(sighting.source_status.as_deref(), Some("REOPENED"));
    let unknown = mapped(json!({"severity": "severe", "severity_id": "3", "state": "DORMANT"}));
    assert_eq!(
        (unknown.severity, unknown.status),
        (Severity::High, Status::Open)
    );
    assert_eq!(unknown.source_status.as_deref(), Some("DORMANT"));
    // That it was fixed once says nothing about now.
    let open = mapped(json!({"last_fixed": "2026-08-01T06:00:00Z"}));
    assert_eq!(open.status, Status::Open);
    let recast = mapped(json!({"severity_modification_type": "recasted"}));
    assert_eq!(recast.status, Status::Open);
    assert_eq!(recast.content.tags, ["recast"]);
}

#[test]
fn times_are_those_of_the_vendor_and_the_last_word_on_it_counts() {
    let at = |with| {
        let updated = mapped(with).source_updated_at;
        updated.map(|time| time.to_rfc3339())
    };
    let all = json!({
        "first_found": "2026-01-01T00:00:00Z", "last_found": "2026-02-02T00:00:00.5Z",
        "last_fixed": "2026-03-03T00:00:00Z", "indexed": "2026-04-04T00:00:00.123456Z",
    });
    let found = mapped(all.clone()).found_at.unwrap();
    assert_eq!(found.to_rfc3339(), "2026-01-01T00:00:00+00:00");
    assert_eq!(at(all).unwrap(), "2026-04-04T00:00:00.123456+00:00");
    let indexed = json!({"indexed": 1_729_404_600});
    assert_eq!(at(indexed).unwrap(), "2024-10-20T06:10:00+00:00");
    let old = json!({"last_found": "2026-02-02T00:00:00Z", "last_fixed": "2026-03-03T00:00:00Z"});
    assert_eq!(at(old.clone()).unwrap(), "2026-02-02T00:00:00+00:00");
    let mut fixed = old;
    fixed["state"] = json!("FIXED");
    assert_eq!(at(fixed).unwrap(), "2026-03-03T00:00:00+00:00");
    assert_eq!(at(json!({})), None);
}

#[test]
fn vulnerability_ids_weakness_and_cwes() {
    let content = plugin(json!({"cve": ["CVE-1", "CVE-2", "CVE-1"]}));
    assert_eq!(content.vulnerability_id.as_deref(), Some("CVE-1"));
    assert_eq!(content.aliases, ["CVE-2"]);
    let one = plugin(json!({"cve": "CVE-3"}));
    assert_eq!(one.vulnerability_id.as_deref(), Some("CVE-3"));
    for none in [json!(null), json!([]), json!({})] {
        let sighting = mapped(json!({"plugin": {"cve": none}}));
        assert_eq!(sighting.content.vulnerability_id, None);
        assert_eq!(sighting.weakness.as_deref(), Some("156641"));
    }
    let references = json!([{"type": "CWE", "id": "79"}, {"type": "cwe", "id": ["CWE-80", "x", "0"]},
        {"type": "CVE", "id": "2022-1"}, null, {"type": "CISA-KNOWN-EXPLOITED", "id": "2022/07/01"}]);
    let content = plugin(json!({"xrefs": references, "cwe": [81]}));
    assert_eq!(content.cwes, [79, 80, 81]);
    assert_eq!(content.tags, ["kev"]);
}

#[test]
fn ratings_get_their_prefix_and_a_zero_without_vector_is_none() {
    let content = plugin(json!({
        "cvss3_base_score": "8.8", "cvss3_vector": {"raw": "AV:N/AC:L/PR:N/UI:R/S:U/C:H/I:H/A:H"},
        "cvss4_base_score": 6.9,
        "cvss4_vector": {"raw": "AV:N/AC:L/AT:P/PR:H/UI:N/VC:N/VI:N/VA:H/SC:N/SI:N/SA:H"},
    }));
    assert_eq!(
        (content.cvss3_score, content.cvss3_vector.as_deref()),
        (
            Some(8.8),
            Some("CVSS:3.0/AV:N/AC:L/PR:N/UI:R/S:U/C:H/I:H/A:H")
        )
    );
    assert_eq!(
        (content.cvss4_score, content.cvss4_vector.as_deref()),
        (
            Some(6.9),
            Some("CVSS:4.0/AV:N/AC:L/AT:P/PR:H/UI:N/VC:N/VI:N/VA:H/SC:N/SI:N/SA:H")
        )
    );
    let whole = "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N";
    let content = plugin(json!({"cvss3_vector": {"raw": whole}}));
    assert_eq!(content.cvss3_vector.as_deref(), Some(whole));
    let none = plugin(json!({"cvss3_base_score": 0, "cvss4_base_score": 0.0}));
    assert_eq!((none.cvss3_score, none.cvss4_score), (None, None));
    let harmless = json!({"cvss3_base_score": 0, "cvss3_vector": {"raw": "AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N"}});
    assert_eq!(plugin(harmless).cvss3_score, Some(0.0));
}

#[test]
fn epss_is_a_percentage() {
    let epss = |value| plugin(json!({"epss_score": value})).epss_score;
    assert_eq!(epss(json!(10.647)), Some(0.10647));
    assert_eq!(epss(json!(0.043)), Some(0.00043));
    assert_eq!(epss(json!(100)), Some(1.0));
    assert_eq!(epss(json!("97.5")), Some(0.975));
    for none in [json!(null), json!(101), json!(-1), json!("high")] {
        assert_eq!(epss(none.clone()), None, "{none}");
    }
}

#[test]
fn texts_say_what_the_plugin_is_about_and_what_it_saw() {
    let content = content_of(json!({
        "output": "\n  KB : 1\n  ```\n",
        "plugin": {"description": " Long. ", "synopsis": "Short.", "solution": "Install KB 1."},
    }));
    assert_eq!(
        content.description.as_deref(),
        Some("Long.\n\nShort.\n\n### Output\n\n````\n  KB : 1\n  ```\n````")
    );
    assert_eq!(content.recommendation.as_deref(), Some("Install KB 1."));
    let same = plugin(json!({"description": "Same.", "synopsis": "Same."}));
    assert_eq!(same.description.as_deref(), Some("Same."));
    for none in ["n/a", "N/A", " n/A ", ""] {
        assert_eq!(plugin(json!({"solution": none})).recommendation, None);
    }
    let title = |name| plugin(json!({"name": name})).title;
    assert_eq!(
        title(json!("Client &lt; 2.0 &amp; &quot;x&quot; &amp;lt;")),
        "Client < 2.0 & \"x\" &lt;"
    );
    assert_eq!(title(json!(null)), "Tenable plugin 156641");
    assert_eq!(content_of(json!({})).description, None);
}

#[test]
fn a_host_is_called_by_the_best_name_that_is_known() {
    let host = |asset: Value| content_of(json!({"asset": asset})).host.unwrap();
    let full = host(json!({"fqdn": "db.example"}));
    assert_eq!(
        (
            full.name.as_deref(),
            full.ip.as_deref(),
            full.port,
            full.protocol.as_deref()
        ),
        (
            Some("db.example"),
            Some("192.0.2.20"),
            Some(445),
            Some("tcp")
        )
    );
    let bare = json!({"fqdn": null, "hostname": [], "netbios_name": "DB01"});
    assert_eq!(host(bare).name.as_deref(), Some("DB01"));
    let by_hostname = json!({"fqdn": [], "hostname": "192.0.2.20"});
    assert_eq!(host(by_hostname).name.as_deref(), Some("192.0.2.20"));
    let nameless = json!({"fqdn": null, "hostname": null, "ipv4": null, "ipv6": ["2001:db8::1", "2001:db8::2"]});
    let nameless = host(nameless);
    assert_eq!(nameless.name.as_deref(), Some("2001:db8::1"));
    assert_eq!(nameless.ip.as_deref(), Some("2001:db8::1"));
    let port = |port| {
        content_of(json!({"port": {"port": port}}))
            .host
            .unwrap()
            .port
    };
    assert_eq!(port(json!(0)), None);
    assert_eq!(port(json!("443")), Some(443));
    assert_eq!(port(json!(70_000)), None);
}

#[test]
fn components_references_and_tags() {
    let cpes = json!({"plugin": {"cpe": ["cpe:/a:example:db", "x-cpe:/a:example:other"]}});
    let component = content_of(cpes.clone()).component.unwrap();
    assert_eq!(component.cpe.as_deref(), Some("cpe:/a:example:db"));
    assert_eq!(component.name, None);
    let vim = json!({"identifier": "pkg:deb/debian/vim@9.0", "product": "vim", "version": "9.0",
        "fixes": [{"value": "pkg:deb/debian/vim@9.1?arch=amd64"}, {"value": "9.2"}]});
    let one = content_of(json!({"software_vulns": [vim.clone()]}))
        .component
        .unwrap();
    assert_eq!(
        (
            one.name.as_deref(),
            one.version.as_deref(),
            one.purl.as_deref(),
            one.fixed_version.as_deref()
        ),
        (
            Some("vim"),
            Some("9.0"),
            Some("pkg:deb/debian/vim@9.0"),
            Some("9.1, 9.2")
        )
    );
    let server = "cpe:2.3:a:apache:http_server:2.4.58:*:*:*:*:*:*:*";
    let by_cpe =
        content_of(json!({"software_vulns": [{"identifier": server, "product": "Http Server"}]}));
    assert_eq!(by_cpe.component.unwrap().cpe.as_deref(), Some(server));
    // Which of two it is, is not said.
    let two = content_of(json!({"software_vulns": [vim.clone(), vim]}));
    assert_eq!(two.component, None);
    assert_eq!(content_of(json!({"software_vulns": "x"})).component, None);

    let links = |links| plugin(json!({"see_also": links})).references;
    let expected = ["https://example.com/a", "http://example.com/b"];
    assert_eq!(
        links(json!([
            "https://example.com/a",
            "http://example.com/b",
            "ftp://x"
        ])),
        expected
    );
    assert_eq!(
        links(json!("https://example.com/a\nhttp://example.com/b")),
        expected
    );

    let tagged = json!({"source": "NESSUS", "asset": {"tracked": false}, "plugin": {"family": "General"},
        "severity_modification_type": "ACCEPTED"});
    assert_eq!(
        content_of(tagged).tags,
        ["family:General", "source:NESSUS", "accepted", "untracked"]
    );
    assert!(
        content_of(json!({"asset": {"tracked": true}}))
            .tags
            .is_empty()
    );
}

#[test]
fn any_field_may_be_of_any_type_as_long_as_the_identity_is_there() {
    let good = row(json!({}));
    for field in [
        "output",
        "severity",
        "severity_id",
        "state",
        "severity_modification_type",
        "source",
        "first_found",
        "last_found",
        "last_fixed",
        "indexed",
        "software_vulns",
        "finding_id",
    ] {
        for wrong in [
            json!(null),
            json!(true),
            json!(-1.5),
            json!("x"),
            json!([[1]]),
            json!({"a": 1}),
        ] {
            let mut row = good.clone();
            row[field] = wrong;
            let mapped = map(&row.to_string(), Source::Vm).unwrap();
            assert_eq!(
                mapped.sighting.source_id, "53ED0fa2-ccd5:156641:445:TCP",
                "{row}"
            );
        }
    }
    for field in [
        "cve",
        "cwe",
        "cpe",
        "xrefs",
        "see_also",
        "cvss3_vector",
        "cvss4_base_score",
        "epss_score",
        "name",
    ] {
        for wrong in [
            json!(null),
            json!(true),
            json!(-1.5),
            json!("x"),
            json!([[1]]),
            json!({"a": 1}),
        ] {
            let content = plugin(json!({field: wrong}));
            assert_eq!(content.kind, Kind::Host, "{field}");
        }
    }
}

#[test]
fn a_web_finding_is_at_a_url_and_known_by_its_own_id() {
    let sighting = web(json!({
        "output": "o", "proof": "p", "payload": "l",
        "plugin": {"cvss3_vector": {"raw": "CVSS:3.0/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N"}},
    }))
    .unwrap();
    assert_eq!(sighting.source_id, "was:044a6c5f");
    assert_eq!(sighting.severity, Severity::Medium);
    assert_eq!(sighting.weakness.as_deref(), Some("98104"));
    let content = &sighting.content;
    assert_eq!((content.kind, &content.host), (Kind::Endpoint, &None));
    let endpoint = content.endpoint.clone().unwrap();
    assert_eq!(
        (
            endpoint.url.as_deref(),
            endpoint.method.as_deref(),
            endpoint.parameter.as_deref()
        ),
        (
            Some("https://shop.example.com/a?q=1"),
            Some("GET"),
            Some("q")
        )
    );
    assert_eq!(content.cwes, [79]);
    assert_eq!(content.cvss3_score, Some(6.1));
    let description = content.description.as_deref().unwrap();
    for part in [
        "### Output\n\n```\no",
        "### Proof\n\n```\np",
        "### Payload\n\n```\nl",
    ] {
        assert!(description.contains(part), "{description}");
    }
    assert!(sighting.found_at.is_some() && sighting.source_updated_at.is_some());
}
