//! The body of a generic webhook: JSON, documented in docs/notifications.md.

use serde::Serialize;

use super::{Notice, Templates, Words};

/// Changes when a member changes its meaning or goes; new members do not change it.
const VERSION: u32 = 1;

#[derive(Serialize)]
struct Body<'a> {
    version: u32,
    title: &'a str,
    text: &'a str,
    #[serde(flatten)]
    notice: &'a Notice,
}

/// The bytes of the body. A template's are JSON too.
///
/// # Errors
/// None that a notice is known to cause.
pub fn webhook_body(notice: &Notice, templates: &Templates) -> Result<String, serde_json::Error> {
    if let Some(body) = templates.body(notice) {
        return Ok(body);
    }
    let words = Words::of(notice);
    serde_json::to_string(&Body {
        version: VERSION,
        title: templates.subject(notice).as_deref().unwrap_or(&words.title),
        text: &words.text(),
        notice,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::{Value, json};

    use super::super::{Flavour, samples};
    use super::*;

    #[test]
    fn the_body_has_every_member_whether_it_has_a_value_or_not() {
        let body = webhook_body(&samples::partial(), &Templates::none(Flavour::Json)).unwrap();
        let mut body: Value = serde_json::from_str(&body).unwrap();
        let text = body["text"].take();
        assert!(
            text.as_str()
                .unwrap()
                .starts_with("API configuration: shop")
        );
        assert_eq!(
            body,
            json!({
                "version": 1,
                "id": "5b0fe7a1c2d3e4f5a6b7c8d9e0f1a2b3",
                "events": ["import_partial", "new_findings"],
                "at": "2026-11-27T02:01:10Z",
                "title": "shop: import partial, 23 new findings at or above high (3 critical, 20 high)",
                "text": null,
                "api_configuration": "shop",
                "connector": "dependency-track",
                "product": "Shop",
                "run": {
                    "id": 42, "status": "partial",
                    "started_at": "2026-11-27T02:00:03Z", "finished_at": "2026-11-27T02:01:10Z",
                    "new": 25, "updated": 1, "unchanged": 100, "resolved": 0, "reopened": 2, "unreadable": 0,
                },
                "error": "GET https://dtrack.example.com/api/v1/finding: 502 Bad Gateway",
                "action": null,
                "new_findings": {
                    "severity": "high", "count": 23,
                    "by_severity": [
                        {"severity": "critical", "count": 3},
                        {"severity": "high", "count": 20},
                    ],
                    "findings": [{
                        "id": 17, "severity": "critical", "title": "Log4Shell", "vulnerability_id": "CVE-2021-44228",
                        "place": "log4j-core 2.14.1", "product": "Shop", "branch": "main", "service": "checkout",
                    }],
                    "more": 22,
                },
                "recovered": null,
                "not_imported": null,
            })
        );
    }

    #[test]
    fn a_template_makes_the_body_of_another_schema() {
        let template =
            "{\"msg\": {{ title }}, \"count\": {{ new_findings.count if new_findings else 0 }}}";
        let templates = Templates::new(Flavour::Json, None, Some(template.into())).unwrap();
        let body = webhook_body(&samples::partial(), &templates).unwrap();
        let body: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(body["count"], 23);
        assert!(body["msg"].as_str().unwrap().starts_with("shop: "));
    }
}
