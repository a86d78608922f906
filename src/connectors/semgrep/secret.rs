//! The mapping of one found secret.

use super::issue_type::IssueType;
use super::row::{SecretRow, web};
use super::tables::{severity, status_of_secret};
use super::time::time;
use crate::finding::{Content, Kind, Sighting, SourceLocation};

/// Maps a secret, or tells why it cannot be taken in.
pub(super) fn map(row: &SecretRow<'_>, raw: &str) -> Result<Sighting, String> {
    let id = row.id.text().ok_or("a secret has no id")?;
    let kind = row.kind.as_str();
    Ok(Sighting {
        // Whether these ids are of the same numbers as the others is not said.
        source_id: format!("secrets:{id}"),
        id_space: None,
        severity: severity(row.severity.as_str()),
        status: status_of_secret(row.status.as_str()),
        source_severity: row.severity.to_owned(),
        source_status: row.status.to_owned(),
        found_at: time(row.created_at.as_str()),
        source_updated_at: time(row.updated_at.as_str()),
        weakness: kind.map(|kind| format!("semgrep:secrets/{kind}")),
        content: Content {
            kind: Kind::Secret,
            title: kind.map_or_else(|| "Secret".to_owned(), |kind| format!("{kind} secret")),
            source_location: source_location(row),
            references: web(&row.external_ticket.0.url).into_iter().collect(),
            tags: tags(row),
            ..Content::default()
        },
        raw: raw.to_owned(),
    })
}

/// `src/pay.py:232`. A path may hold colons itself.
fn source_location(row: &SecretRow<'_>) -> Option<SourceLocation> {
    let url = web(&row.finding_path_url);
    let Some(path) = row.finding_path.as_str() else {
        return url.map(|url| SourceLocation {
            url: Some(url),
            ..SourceLocation::default()
        });
    };
    let split = path.rsplit_once(':');
    let numbered = split.and_then(|(file, line)| Some((file, line.parse::<u32>().ok()?)));
    let (file, line) = match numbered {
        Some((file, line)) if !file.is_empty() => (file, Some(line)),
        _ => (path, None),
    };
    Some(SourceLocation {
        file: Some(file.to_owned()),
        line_start: line.filter(|line| *line > 0),
        line_end: None,
        url,
    })
}

fn tags(row: &SecretRow<'_>) -> Vec<String> {
    let words = [&row.validation_state, &row.confidence, &row.mode];
    let words = words.into_iter().filter_map(|word| word.to_owned());
    let git_ref = row.git_ref.as_str().map(|name| format!("ref:{name}"));
    std::iter::once(IssueType::Secrets.to_string())
        .chain(words)
        .chain(git_ref)
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::{Value, json};

    use super::super::row::parse;
    use super::*;
    use crate::finding::{Severity, Status};

    fn mapped(json: &Value) -> Result<Sighting, String> {
        let json = json.to_string();
        let (raw, row) = parse::<SecretRow<'_>>(json.as_bytes()).unwrap();
        map(&row, raw)
    }

    #[test]
    fn a_secret_is_mapped_field_by_field() {
        let json = json!({
            "id": "691234", "type": "OpenAI", "findingPath": "src/pay.py:232",
            "findingPathUrl": "https://github.com/acme/shop/blob/6ad1/src/pay.py#L232", "ref": "main",
            "repository": {"name": "acme/shop", "scmType": "SCM_TYPE_GITHUB"}, "severity": "SEVERITY_HIGH",
            "confidence": "CONFIDENCE_HIGH", "status": "FINDING_STATUS_PROVISIONALLY_IGNORED",
            "validationState": "VALIDATION_STATE_CONFIRMED_VALID", "mode": "MODE_MONITOR",
            "createdAt": "2026-06-17T17:23:01.901204Z", "updatedAt": "2026-06-20T17:33:00.669343Z",
            "externalTicket": {"url": "https://tickets.example.com/OPS-1"}, "ruleHashId": "lBU41LA"
        });
        let sighting = mapped(&json).unwrap();
        assert_eq!(sighting.source_id, "secrets:691234");
        assert_eq!(sighting.severity, Severity::High);
        assert_eq!(sighting.status, Status::InReview);
        assert_eq!(sighting.source_severity.as_deref(), Some("SEVERITY_HIGH"));
        assert_eq!(
            sighting.source_status.as_deref(),
            Some("FINDING_STATUS_PROVISIONALLY_IGNORED")
        );
        assert_eq!(
            sighting.found_at.unwrap().to_rfc3339(),
            "2026-06-17T17:23:01.901204+00:00"
        );
        assert_eq!(
            sighting.source_updated_at.unwrap().to_rfc3339(),
            "2026-06-20T17:33:00.669343+00:00"
        );
        assert_eq!(sighting.weakness.as_deref(), Some("semgrep:secrets/OpenAI"));
        assert_eq!(sighting.raw, json.to_string());
        let content = sighting.content;
        assert_eq!(
            (content.kind, content.title.as_str()),
            (Kind::Secret, "OpenAI secret")
        );
        assert_eq!(
            content.source_location.unwrap(),
            SourceLocation {
                file: Some("src/pay.py".to_owned()),
                line_start: Some(232),
                line_end: None,
                url: Some("https://github.com/acme/shop/blob/6ad1/src/pay.py#L232".to_owned()),
            }
        );
        assert_eq!(content.references, ["https://tickets.example.com/OPS-1"]);
        assert_eq!(
            content.tags,
            [
                "secrets",
                "VALIDATION_STATE_CONFIRMED_VALID",
                "CONFIDENCE_HIGH",
                "MODE_MONITOR",
                "ref:main"
            ]
        );
    }

    #[test]
    fn a_path_is_split_at_its_last_colon_if_a_line_follows() {
        let place = |path: Value| {
            let sighting = mapped(&json!({"id": "1", "findingPath": path})).unwrap();
            let place = sighting.content.source_location?;
            Some((place.file?, place.line_start))
        };
        let is = |file: &str, line| Some((file.to_owned(), line));
        assert_eq!(place(json!("a:b/c.py:7")), is("a:b/c.py", Some(7)));
        assert_eq!(place(json!("config.yaml")), is("config.yaml", None));
        assert_eq!(place(json!("c:/config")), is("c:/config", None));
        assert_eq!(place(json!("a.py:0")), is("a.py", None));
        assert_eq!(place(json!(":7")), is(":7", None));
        assert_eq!(place(json!(7)), None);
    }

    #[test]
    fn a_secret_of_little_more_than_an_id_is_taken_in_and_without_one_is_unreadable() {
        let sighting =
            mapped(&json!({"id": 7, "findingPathUrl": "https://h/x", "severity": null})).unwrap();
        assert_eq!(sighting.source_id, "secrets:7");
        assert_eq!(sighting.content.title, "Secret");
        assert_eq!(
            (sighting.severity, sighting.status),
            (Severity::Unknown, Status::Open)
        );
        let place = sighting.content.source_location.unwrap();
        assert_eq!(
            (place.file, place.url.as_deref()),
            (None, Some("https://h/x"))
        );
        assert_eq!(
            mapped(&json!({"type": "OpenAI"})).unwrap_err(),
            "a secret has no id"
        );
        assert!(mapped(&Value::Null).is_err());
    }
}
