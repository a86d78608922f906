//! The shop's sites, with a row of each interesting sort.

use serde_json::json;

use super::{Burp, Folder, Issue, IssueType, Scan, Site};

/// A server with two sites called Shop in two folders, one that was never scanned, one whose only scan failed, and one of a
/// pipeline. Site 11 has the issues of every sort; its newest scan failed, the one before succeeded.
#[must_use]
pub fn shop() -> Burp {
    let mut partial = issues();
    partial.truncate(1);
    Burp::new()
        .with(|world| {
            for (id, name) in [("1", "EU"), ("2", "US")] {
                world.folders.push(Folder {
                    id: id.to_owned(),
                    name: name.to_owned(),
                    parent: Some("0".to_owned()),
                });
            }
            for (id, name, parent, from_pipeline) in [
                ("11", "Shop", "1", false),
                ("12", "Shop", "2", false),
                ("13", "Never scanned", "0", false),
                ("14", "Failed only", "0", false),
                ("20", "shop-pipeline", "1", true),
            ] {
                world.sites.push(Site {
                    id: id.to_owned(),
                    name: name.to_owned(),
                    parent: parent.to_owned(),
                    from_pipeline,
                });
            }
        })
        .scan(Scan::new("999", "11", "2026-09-01T06:00:00.000Z", issues()))
        .scan(Scan::new(
            "1003",
            "11",
            "2026-10-01T06:00:00.000Z",
            issues(),
        ))
        .scan(Scan::new("1004", "11", "2026-10-08T06:00:00.000Z", partial.clone()).status("failed"))
        .scan(Scan::new(
            "1002",
            "12",
            "2026-10-01T06:00:00.000Z",
            vec![Issue::new(1, cookie())],
        ))
        .scan(Scan::new("1005", "14", "2026-10-01T06:00:00.000Z", partial).status("cancelled"))
        .scan(Scan::new(
            "1006",
            "20",
            "2026-10-01T06:00:00.000Z",
            vec![Issue::new(9, cookie())],
        ))
}

fn issues() -> Vec<Issue> {
    let sql = Issue {
        fingerprint: Some("9f1c".to_owned()),
        confidence: "certain".to_owned(),
        novelty: Some("repeated".to_owned()),
        origin: "https://shop.example.com:8443".to_owned(),
        path: "/api/v1/items".to_owned(),
        description: Some(
            "The <b>id</b> parameter appears to be vulnerable.<br><br>The payload <b>' and 1=1</b> was submitted."
                .to_owned(),
        ),
        evidence: evidence(),
        ..Issue::new(101, sql_injection())
    };
    vec![
        sql,
        Issue {
            fingerprint: Some("marked".to_owned()),
            severity: "medium".to_owned(),
            false_positive: true,
            ..Issue::new(102, cookie())
        },
        Issue {
            fingerprint: Some("accepted".to_owned()),
            severity: "low".to_owned(),
            accepted_risk: true,
            novelty: Some("regression".to_owned()),
            ..Issue::new(103, cookie())
        },
        Issue {
            fingerprint: Some("changed".to_owned()),
            severity: "info".to_owned(),
            original_severity: "high".to_owned(),
            confidence: "tentative".to_owned(),
            path: String::new(),
            ..Issue::new(104, cookie())
        },
        Issue {
            fingerprint: Some("extension".to_owned()),
            extension: Some("Scanner++".to_owned()),
            path: "/straße/%2e%2E".to_owned(),
            remediation: Some("<p>Take it out.</p>".to_owned()),
            ..Issue::new(105, own("134217728", Some("Secret in page")))
        },
        Issue {
            fingerprint: Some("bcheck".to_owned()),
            bcheck: Some("exposed-git".to_owned()),
            novelty: None,
            ..Issue::new(106, own("134217729", None))
        },
        Issue {
            fingerprint: Some("untyped".to_owned()),
            kind: None,
            ..Issue::new(107, IssueType::default())
        },
        // One fingerprint on two issues.
        Issue {
            fingerprint: Some("twice".to_owned()),
            path: "/z".to_owned(),
            ..Issue::new(108, cookie())
        },
        Issue {
            fingerprint: Some("twice".to_owned()),
            path: "/a".to_owned(),
            ..Issue::new(109, cookie())
        },
        // Two parameters at one URL, without fingerprints: one finding.
        Issue {
            fingerprint: None,
            severity: "low".to_owned(),
            false_positive: true,
            path: "/search".to_owned(),
            ..Issue::new(110, sql_injection())
        },
        Issue {
            fingerprint: None,
            severity: "medium".to_owned(),
            path: "/search".to_owned(),
            ..Issue::new(111, sql_injection())
        },
    ]
}

fn sql_injection() -> IssueType {
    IssueType {
        index: "1049088".to_owned(),
        name: Some("SQL injection".to_owned()),
        description: Some("<p>It arises when input reaches a <code>query</code>.</p>".to_owned()),
        remediation: Some("<p>Use parameters:</p>\n<ul><li>always</li><li>everywhere</li></ul>".to_owned()),
        classifications: Some(
            "<ul>\n<li><a href=\"https://cwe.mitre.org/data/definitions/89.html\">CWE-89: SQL</a></li>\n\
             <li><a href=\"https://cwe.mitre.org/data/definitions/943.html\">CWE-943: Logic</a></li>\n\
             <li><a href=\"https://capec.mitre.org/data/definitions/66.html\">CAPEC-66: SQL</a></li>\n</ul>"
                .to_owned(),
        ),
        references: Some(
            "<ul>\n<li><a href=\"https://portswigger.net/web-security/sql-injection\">SQL</a></li>\n\
             <li><a href=\"https://example.com/?a=1&amp;b=2\">More</a></li>\n</ul>"
                .to_owned(),
        ),
    }
}

fn cookie() -> IssueType {
    own("5243392", Some("Cookie without Secure flag set"))
}

fn own(index: &str, name: Option<&str>) -> IssueType {
    IssueType {
        index: index.to_owned(),
        name: name.map(str::to_owned),
        ..IssueType::default()
    }
}

fn evidence() -> Vec<serde_json::Value> {
    let data = |text: &str| json!({"__typename": "DataSegment", "data_html": text});
    vec![
        json!({"__typename": "Request", "request_segments": [
            data("PUT /api/v1/items?id="),
            {"__typename": "HighlightSegment", "highlight_html": "1&#39; and 1=1"},
            data(" HTTP/1.1\r\nHost: shop.example.com\r\nCookie: sid=live-session-cookie\r\n\r\n"),
        ]}),
        json!({"__typename": "Response", "response_segments": [
            data("HTTP/1.1 500 Error\r\nSet-Cookie: sid=next-session-cookie\r\n\r\n&lt;b&gt;syntax error&lt;/b&gt;"),
            null,
            {"__typename": "SnipSegment", "snip_length": 4000},
        ]}),
    ]
}
