use serde::de::DeserializeOwned;
use serde_json::error::Category;

use super::HttpErrorKind;
use super::splitter::BYTE_ORDER_MARK;

/// Longest part of a reader's complaint that is passed on: it may quote the body.
const MAX_COMPLAINT: usize = 300;

/// Reads a whole body, and tells apart what is cut off, what is no JSON, and what is JSON of another shape.
pub(super) fn json<T: DeserializeOwned>(body: &[u8]) -> Result<T, (HttpErrorKind, String)> {
    let body = body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(body);
    if body.is_empty() {
        return Err((HttpErrorKind::Truncated, "an empty body".to_owned()));
    }
    let mut reader = serde_json::Deserializer::from_slice(body);
    let value =
        T::deserialize(&mut reader).map_err(|error| complaint(&error, || path::<T>(body)))?;
    reader.end().map_err(|error| {
        let (line, column) = (error.line(), error.column());
        (
            HttpErrorKind::Truncated,
            format!("the body goes on after the JSON document, at line {line} column {column}"),
        )
    })?;
    Ok(value)
}

fn complaint(
    error: &serde_json::Error,
    path: impl FnOnce() -> Option<String>,
) -> (HttpErrorKind, String) {
    match error.classify() {
        Category::Eof => (
            HttpErrorKind::Truncated,
            format!(
                "the body ends in the middle of the JSON document, at line {} column {}",
                error.line(),
                error.column()
            ),
        ),
        Category::Syntax => (
            HttpErrorKind::NotJson,
            format!("the body calls itself JSON and is not: {error}"),
        ),
        Category::Data | Category::Io => {
            let place = path().map(|path| format!(" at {path}")).unwrap_or_default();
            let detail: String = error.to_string().chars().take(MAX_COMPLAINT).collect();
            (
                HttpErrorKind::UnexpectedShape,
                format!(
                    "JSON of another shape than expected{place}: {detail}; is this version of the tool supported?"
                ),
            )
        }
    }
}

/// Where the body does not fit. Reads it once more, because keeping track costs time that only failures need.
fn path<T: DeserializeOwned>(body: &[u8]) -> Option<String> {
    let mut reader = serde_json::Deserializer::from_slice(body);
    let error = serde_path_to_error::deserialize::<_, T>(&mut reader).err()?;
    let path = error.path().to_string();
    (path != ".").then_some(path)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    struct Page {
        items: Vec<Item>,
    }

    #[derive(Debug, Deserialize)]
    struct Item {
        id: u64,
    }

    #[test]
    fn a_cut_body_broken_json_another_shape_and_trailing_bytes_are_told_apart() {
        let read = |body: &str| json::<Page>(body.as_bytes()).unwrap_err();
        assert_eq!(read(r#"{"items":[{"id":1"#).0, HttpErrorKind::Truncated);
        assert_eq!(read("").0, HttpErrorKind::Truncated);
        assert_eq!(read("<html>").0, HttpErrorKind::NotJson);
        assert_eq!(read(r#"{"items":[]} x"#).0, HttpErrorKind::Truncated);
        let (kind, message) = read(r#"{"items":[{"id":1},{"id":"x"}]}"#);
        assert_eq!(kind, HttpErrorKind::UnexpectedShape);
        assert!(message.contains("items[1].id"), "{message}");
    }

    #[test]
    fn a_byte_order_mark_is_passed_over() {
        let page: Page = json(b"\xEF\xBB\xBF{\"items\":[{\"id\":7}]}").unwrap();
        assert_eq!(page.items[0].id, 7);
    }
}
