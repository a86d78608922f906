//! What an account has, and how it behaves.

use serde_json::{Value, json};

use crate::random::Random;

const SEED: u64 = 23;

/// Numbers of generated findings begin here.
const FIRST_GENERATED: u64 = 1_000;

/// An account, as its one key sees it.
#[derive(Debug, Clone)]
pub struct Account {
    /// In the order in which they are listed.
    pub targets: Vec<Target>,
    /// Whether the key's role has `view_target`. Without it all lists are empty.
    pub may_view: bool,
    /// No page has more rows than this, whatever is asked for.
    pub longest_page: u64,
    /// What lists of findings say in place of their true count.
    pub count: Option<u64>,
    /// Whether the gateway keeps everybody out.
    pub gateway_refuses: bool,
}

impl Default for Account {
    fn default() -> Self {
        Self {
            targets: Vec::new(),
            may_view: true,
            longest_page: 10_000,
            count: None,
            gateway_refuses: false,
        }
    }
}

impl Account {
    /// The target of this id.
    pub fn target(&mut self, id: &str) -> Option<&mut Target> {
        self.targets.iter_mut().find(|target| target.id == id)
    }
}

/// A target.
#[derive(Debug, Clone)]
pub struct Target {
    /// Base58, with `-` and `_`.
    pub id: String,
    /// What is tested, credentials included.
    pub site: Value,
    /// `single` for the web, `api`.
    pub kind: String,
    /// Names of labels.
    pub labels: Vec<String>,
    /// Findings without their target.
    pub findings: Vec<Value>,
    /// So many generated findings come behind those.
    pub generated: u64,
}

impl Target {
    /// A web target with these findings.
    #[must_use]
    pub fn new(id: &str, name: &str, findings: &[Value]) -> Self {
        let host = format!("{}.example", name.to_lowercase().replace(' ', "-"));
        Self {
            id: id.to_owned(),
            site: json!({
                "id": format!("site-{id}"), "name": name, "desc": "", "url": format!("https://{host}"), "host": host,
                "has_form_login": false, "form_login_url": "", "form_login_check_pattern": "", "form_login": [],
                "has_basic_auth": false, "basic_auth": {"username": "", "password": ""}, "headers": [], "cookies": [],
                "whitelist": [], "verified": true, "verification_token": "0a1b2c3d-simulated", "stack": [],
            }),
            kind: "single".to_owned(),
            labels: Vec::new(),
            findings: findings.to_vec(),
            generated: 0,
        }
    }

    pub(super) fn listed(&self) -> Value {
        let mut target = self.embedded();
        target["enabled"] = true.into();
        target["last_scan"] = Value::Null;
        target
    }

    /// As it stands in each of its findings.
    pub(super) fn embedded(&self) -> Value {
        let labels: Vec<_> = self
            .labels
            .iter()
            .map(|name| json!({"id": format!("label-{name}"), "name": name, "color": "orange"}))
            .collect();
        json!({
            "id": self.id, "name": "", "site": self.site, "type": self.kind, "desc": "",
            "labels": labels, "teams": [],
        })
    }

    pub(super) fn count(&self) -> u64 {
        self.findings.len() as u64 + self.generated
    }

    /// Its findings from one place up to another, newest first or as they are numbered.
    pub(super) fn page(&self, start: u64, end: u64, newest_first: bool) -> Vec<Value> {
        let mut listed: Vec<_> = self.findings.iter().collect();
        if newest_first {
            let last_found = |finding: &Value| finding["last_found"].as_str().map(str::to_owned);
            listed.sort_by_key(|finding| std::cmp::Reverse(last_found(finding)));
        }
        let known = listed.len() as u64;
        let target = self.embedded();
        (start..end.min(self.count()))
            .map(|place| {
                let mut row = match usize::try_from(place).ok().and_then(|at| listed.get(at)) {
                    Some(finding) => (*finding).clone(),
                    None => generated(place - known),
                };
                if row.get("target").is_none() {
                    row["target"] = target.clone();
                }
                row
            })
            .collect()
    }
}

/// A finding of a number as the service gives them today, without its target.
#[must_use]
pub fn finding(number: u64) -> Value {
    let at = format!("2026-10-01T06:00:{:02}.503243Z", number % 60);
    json!({
        "id": number,
        "scans": ["29CHejpCKeci"], "labels": [],
        "fix": "Escape **all** output.",
        "requests": [{
            "request": format!("```http\nGET /page/{number}?pp=1 HTTP/1.1\nHost: shop.example\nCookie: session=live-session-cookie\n\n```"),
            "response": "```http\nHTTP/1.1 200 OK\nSet-Cookie: session=live-session-cookie-2; HttpOnly\n\n<p>1</p>\n```",
        }],
        "evidence": null, "extra": "",
        "definition": {
            "id": "N9V9hJ_GnlKp", "name": "Reflected cross-site scripting",
            "desc": "Input comes back\r\nas HTML.", "cwe_id": "CWE-79", "cwe_name": "Cross-site scripting",
        },
        "url": format!("https://shop.example/page/{number}?pp=1"),
        "path": format!("https://shop.example/page/{number}"),
        "method": "get", "insertion_point": "parameter", "parameter": "pp", "value": "1", "params": {"pp": ["1"]},
        "assignee": null, "state": "notfixed", "severity": 30,
        "cvss_score": 6.1, "cvss_vector": "CVSS:3.0/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N",
        "last_found": at, "retesting": false, "new": true, "review_status": "notrequired", "review_reason": null,
        "created_at": "2026-09-01T06:00:00.503243Z", "changed": at,
        "changed_by": {"id": "u1", "email": "bot@probely.example", "name": "Probely"}, "comment": "",
    })
}

/// A made-up finding, the same one every time, of about 3 KB.
fn generated(index: u64) -> Value {
    let mut random = Random::new(SEED, index);
    let words = |random: &mut Random, count: u64| {
        let choices = [
            "the",
            "value",
            "is",
            "copied",
            "into",
            "a",
            "page",
            "unescaped",
        ];
        let words: Vec<&str> = (0..count).map(|_| random.pick(&choices)).collect();
        words.join(" ")
    };
    let mut row = finding(FIRST_GENERATED + index);
    row["severity"] = (10 * (1 + random.below(4))).into();
    row["definition"]["id"] = format!("generated-{}", index % 60).into();
    row["definition"]["name"] = format!("Generated weakness {}", index % 60).into();
    row["definition"]["desc"] = words(&mut random, 120).into();
    row["fix"] = words(&mut random, 60).into();
    row["evidence"] = words(&mut random, 30).into();
    row
}
