//! The parameters of a call, read as strictly as Snyk does: what it does not know is an error.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::answer::Refusal;

/// The first version with lists of issues.
const FIRST_VERSION: &str = "2024-01-23";

/// Types of issues.
const TYPES: &[&str] = &[
    "package_vulnerability",
    "license",
    "cloud",
    "code",
    "custom",
    "config",
    "secrets",
];

/// Parameters of a call.
pub(super) struct Query<'a>(pub(super) &'a [(String, String)]);

/// A part of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) start: u64,
    pub(super) limit: u64,
}

impl Query<'_> {
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        let mut found = self.0.iter().filter(|(key, _)| key == name);
        found.next().map(|(_, value)| value.as_str())
    }

    /// Refuses parameters that the call does not have, and none twice: that is what a version after a version comes to.
    pub(super) fn allow(&self, allowed: &[&str]) -> Result<(), Refusal> {
        for (position, (key, _)) in self.0.iter().enumerate() {
            let common = matches!(key.as_str(), "version");
            if !common && !allowed.contains(&key.as_str()) {
                let detail = format!("Unknown query parameter '{key}'");
                return Err(Refusal::Parameter(key.clone(), detail));
            }
            if self.0[..position].iter().any(|(earlier, _)| earlier == key) {
                return Err(wrong(key, "is given twice"));
            }
        }
        Ok(())
    }

    /// The version that is asked for.
    pub(super) fn version(&self) -> Result<String, Refusal> {
        let version = self.text("version").unwrap_or_default();
        let date = version.split('~').next().unwrap_or_default();
        let is_date = date.len() == FIRST_VERSION.len()
            && date.bytes().enumerate().all(|(at, byte)| match at {
                4 | 7 => byte == b'-',
                _ => byte.is_ascii_digit(),
            });
        match is_date {
            false => Err(wrong("version", "is not like 2024-10-15")),
            true if date < FIRST_VERSION => Err(Refusal::NotFound(format!("version {version}"))),
            true => Ok(date.to_owned()),
        }
    }

    /// The part of a list that is asked for.
    pub(super) fn window(&self) -> Result<Window, Refusal> {
        let limit = self.text("limit").unwrap_or("10").parse::<u64>();
        let limit = limit.ok().filter(|n| (10..=100).contains(n) && n % 10 == 0);
        let limit =
            limit.ok_or_else(|| wrong("limit", "must be a multiple of 10 from 10 to 100"))?;
        let start = match self.text("starting_after") {
            None => 0,
            Some(cursor) => {
                of_cursor(cursor).ok_or_else(|| wrong("starting_after", "is no cursor"))?
            }
        };
        Ok(Window { start, limit })
    }

    /// Refuses values that a list of issues cannot be filtered by.
    pub(super) fn check_filters(&self) -> Result<(), Refusal> {
        let words = |name: &str, allowed: &[&str]| match self.text(name) {
            Some(list) if !list.split(',').all(|word| allowed.contains(&word)) => {
                Err(wrong(name, "has a value that is not allowed"))
            }
            _ => Ok(()),
        };
        words("status", &["open", "resolved"])?;
        words("ignored", &["true", "false"])?;
        words("scan_item.type", &["project", "environment"])?;
        words(
            "effective_severity_level",
            &["info", "low", "medium", "high", "critical"],
        )?;
        if self.text("type").is_some_and(|word| !TYPES.contains(&word)) {
            return Err(wrong("type", "is not a type of issues"));
        }
        if self.text("scan_item.id").is_some_and(|id| !is_uuid(id)) {
            return Err(wrong("scan_item.id", "is no UUID"));
        }
        Ok(())
    }

    /// Whether an issue passes the filters.
    pub(super) fn passes(&self, issue: &Value) -> bool {
        let attributes = &issue["attributes"];
        let item = &issue["relationships"]["scan_item"]["data"];
        let among = |name: &str, value: &Value| {
            self.text(name).is_none_or(|list| {
                let mut words = list.split(',');
                value
                    .as_str()
                    .is_some_and(|value| words.any(|word| word == value))
            })
        };
        let ignored = self.text("ignored").map(|word| word == "true");
        among("status", &attributes["status"])
            && among("type", &attributes["type"])
            && among(
                "effective_severity_level",
                &attributes["effective_severity_level"],
            )
            && among("scan_item.id", &item["id"])
            && among("scan_item.type", &item["type"])
            && ignored.is_none_or(|ignored| attributes["ignored"] == ignored)
    }
}

fn wrong(name: &str, what: &str) -> Refusal {
    Refusal::Parameter(name.to_owned(), format!("{name} {what}"))
}

pub(super) fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// The cursor that stands behind so many rows. Written as it is seen in the wild, with a line feed in it and `=` at its end.
pub(super) fn cursor(rows: u64) -> String {
    let inside = format!("{}\n", json!({"id": rows.to_string()}));
    format!("v1.{}", STANDARD.encode(inside))
}

fn of_cursor(cursor: &str) -> Option<u64> {
    let inside = STANDARD.decode(cursor.strip_prefix("v1.")?).ok()?;
    let inside: Value = serde_json::from_slice(&inside).ok()?;
    inside["id"].as_str()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_only_as_it_was_written() {
        assert_eq!(cursor(1000), "v1.eyJpZCI6IjEwMDAifQo=");
        for rows in [0, 10, 100, 1000] {
            assert_eq!(of_cursor(&cursor(rows)), Some(rows));
        }
        assert_eq!(of_cursor("v1.eyJpZCI6IjEwMDAifQo%3D"), None);
        assert_eq!(of_cursor("100"), None);
    }
}
