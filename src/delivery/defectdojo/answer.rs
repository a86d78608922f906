//! DefectDojo's answers, read as tolerantly as they are written: an object or a list, with more or less in it.

use serde_json::Value;

/// Longest words that are passed on.
const LONGEST: usize = 300;

/// What an import says that it has done; what it does not say is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Answer {
    pub(super) test: Option<u64>,
    /// Findings of the test, in whatever state.
    pub(super) total: Option<u64>,
    /// Closed by this import.
    pub(super) closed: Option<u64>,
}

impl Answer {
    pub(super) fn of(answer: &Value) -> Self {
        let number = |path: &str| answer.pointer(path).and_then(Value::as_u64);
        Self {
            test: number("/test_id").or_else(|| number("/test")),
            total: number("/statistics/after/total/total"),
            closed: number("/statistics/delta/closed/total/total"),
        }
    }

    /// What of it does not fit a file of so many findings, in words. A new test holds no others; one that was there may hold
    /// what was closed before.
    pub(super) fn contradiction(&self, sent: u64, is_new: bool, closes: bool) -> Option<String> {
        if let Some(total) = self.total
            && (total < sent || (is_new && total != sent))
        {
            return Some(format!(
                "DefectDojo has {total} findings in the test after {sent} were sent"
            ));
        }
        let closed = self.closed.filter(|closed| *closed > 0 && !closes)?;
        Some(format!(
            "DefectDojo has closed {closed} findings although it was told to close none"
        ))
    }
}

/// What a refusal says, without what it says to everybody.
pub(super) fn words(body: &str) -> Option<String> {
    let said = match serde_json::from_str(body).ok()? {
        Value::Array(texts) => joined(&texts),
        Value::Object(members) => {
            let fields: Vec<_> = members
                .iter()
                .filter(|(name, _)| !matches!(name.as_str(), "message" | "pro" | "detail"))
                .map(|(name, texts)| format!("{name}: {}", text(texts)))
                .collect();
            match ["detail", "message"]
                .iter()
                .find_map(|name| members.get(*name))
            {
                // It repeats the fields in Python.
                Some(message) if fields.is_empty() => text(message),
                _ => fields.join("; "),
            }
        }
        _ => return None,
    };
    let said: String = said.chars().take(LONGEST).collect();
    (!said.is_empty()).then_some(said)
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(texts) => joined(texts),
        other => other.to_string(),
    }
}

fn joined(texts: &[Value]) -> String {
    let texts: Vec<_> = texts.iter().map(text).collect();
    texts.join(", ")
}

/// Whether a refusal is about names that do not go together, which another look may mend.
pub(super) fn is_about_names(body: &str) -> bool {
    matches!(serde_json::from_str(body), Ok(Value::Array(_)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_answer_is_read_with_whatever_is_in_it() {
        let total =
            |many: u64| json!({"total": {"total": many, "active": 1}, "high": {"total": 0}});
        let later = json!({"test_id": 4, "test": 4, "pro": ["advert"], "statistics": {
            "before": total(3), "after": total(5),
            "delta": {"created": total(2), "closed": total(1), "reactivated": total(0), "untouched": total(3)}}});
        let expected = Answer {
            test: Some(4),
            total: Some(5),
            closed: Some(1),
        };
        assert_eq!(Answer::of(&later), expected);
        let first = json!({"test": 7, "statistics": {"after": total(5)}});
        let expected = Answer {
            test: Some(7),
            total: Some(5),
            ..Answer::default()
        };
        assert_eq!(Answer::of(&first), expected);
        assert_eq!(Answer::of(&json!([])), Answer::default());
    }

    #[test]
    fn what_does_not_fit_is_told() {
        let answer = |total, closed| Answer {
            total: Some(total),
            closed,
            ..Answer::default()
        };
        let told =
            |answer: Answer, is_new, closes| answer.contradiction(3, is_new, closes).is_some();
        assert!(!told(answer(3, None), true, false));
        assert!(told(answer(1, None), true, false), "duplicates in the file");
        assert!(told(answer(4, None), true, false));
        assert!(!told(answer(9, Some(0)), false, false), "closed ones stay");
        assert!(told(answer(2, None), false, true));
        assert!(!told(answer(3, Some(2)), false, true));
        assert!(told(answer(3, Some(2)), false, false));
        assert!(!told(Answer::default(), true, false), "it says nothing");
    }

    #[test]
    fn refusals_are_told_in_defectdojos_words_without_adverts() {
        let said = |body: Value| words(&body.to_string());
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(
            said(json!(["product_name parameter missing"])),
            some("product_name parameter missing")
        );
        assert_eq!(
            said(
                json!({"scan_type": ["is not valid"], "message": "{'scan_type': …}", "pro": ["Buy"]})
            ),
            some("scan_type: is not valid")
        );
        assert_eq!(
            said(
                json!({"message": "[\"Required fields are missing: ['description']\"]", "pro": []})
            ),
            some("[\"Required fields are missing: ['description']\"]")
        );
        assert_eq!(
            said(json!({"detail": "Invalid token."})),
            some("Invalid token.")
        );
        assert_eq!(words("<html>Bad Gateway</html>"), None);
    }
}
