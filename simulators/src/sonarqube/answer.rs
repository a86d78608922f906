//! SonarQube's own way to say no, and to read parameters.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use serde_json::json;

/// No search shows rows beyond this.
pub(super) const CAP: usize = 10_000;

/// A refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refusal {
    /// A bad token, or none on a server: nothing but the status.
    Unauthorized,
    /// None on Cloud.
    AuthenticationRequired,
    /// The first generation of the API.
    Says(StatusCode, String),
    /// The second generation.
    SaysV2(StatusCode, String),
    /// What is not the API is the web frontend.
    Frontend,
}

impl Refusal {
    pub(super) fn bad(message: String) -> Self {
        Self::Says(StatusCode::BAD_REQUEST, message)
    }

    pub(super) fn not_found(message: String) -> Self {
        Self::Says(StatusCode::NOT_FOUND, message)
    }

    pub(super) fn forbidden() -> Self {
        Self::Says(StatusCode::FORBIDDEN, "Insufficient privileges".to_owned())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Self::Unauthorized => StatusCode::UNAUTHORIZED.into_response(),
            Self::AuthenticationRequired => {
                let body = json!({"errors": [{"msg": "Authentication is required"}]});
                (StatusCode::UNAUTHORIZED, Json(body)).into_response()
            }
            Self::Says(status, message) => {
                (status, Json(json!({"errors": [{"msg": message}]}))).into_response()
            }
            Self::SaysV2(status, message) => {
                (status, Json(json!({"message": message}))).into_response()
            }
            Self::Frontend => {
                Html("<!doctype html><html><head><title>SonarQube</title></head></html>")
                    .into_response()
            }
        }
    }
}

pub(super) type Parameters = Vec<(String, String)>;

/// The first value of a parameter that is not empty.
pub(super) fn first<'a>(parameters: &'a [(String, String)], name: &str) -> Option<&'a str> {
    parameters
        .iter()
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.as_str())
        .filter(|value| !value.is_empty())
}

/// The words of a list in one parameter.
pub(super) fn words<'a>(parameters: &'a [(String, String)], name: &str) -> Option<Vec<&'a str>> {
    let list = first(parameters, name)?;
    Some(list.split(',').map(str::trim).collect())
}

/// One of the words that the parameter takes.
pub(super) fn one_of<'a>(
    parameters: &'a [(String, String)],
    name: &str,
    allowed: &[&str],
) -> Result<Option<Vec<&'a str>>, Refusal> {
    let Some(words) = words(parameters, name) else {
        return Ok(None);
    };
    match words.iter().find(|word| !allowed.contains(word)) {
        None => Ok(Some(words)),
        Some(word) => Err(Refusal::bad(format!(
            "Value of parameter '{name}' ({word}) must be one of: [{}]",
            allowed.join(", ")
        ))),
    }
}

/// The page that is asked for: its number, its size, and the rows that are on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) number: usize,
    pub(super) size: usize,
}

impl Window {
    pub(super) fn of(parameters: &[(String, String)]) -> Result<Self, Refusal> {
        let number = self::number(parameters, "p", 1)?;
        let size = number_of_rows(parameters, "ps")?;
        let last = number.saturating_mul(size);
        if last > CAP {
            return Err(Refusal::bad(format!(
                "Can return only the first {CAP} results. {last}th result asked."
            )));
        }
        Ok(Self { number, size })
    }

    /// Of the second generation, which has no cap.
    pub(super) fn of_v2(parameters: &[(String, String)]) -> Result<Self, Refusal> {
        Ok(Self {
            number: self::number(parameters, "pageIndex", 1)?,
            size: number_of_rows(parameters, "pageSize")?,
        })
    }

    pub(super) fn rows<T>(self, all: &[T]) -> &[T] {
        let start = ((self.number - 1) * self.size).min(all.len());
        let end = (start + self.size).min(all.len());
        &all[start..end]
    }
}

fn number(parameters: &[(String, String)], name: &str, default: usize) -> Result<usize, Refusal> {
    let Some(text) = first(parameters, name) else {
        return Ok(default);
    };
    match text.parse() {
        Ok(number) if number > 0 => Ok(number),
        _ => Err(Refusal::bad(format!(
            "The '{name}' parameter cannot be parsed as an integer value: {text}"
        ))),
    }
}

fn number_of_rows(parameters: &[(String, String)], name: &str) -> Result<usize, Refusal> {
    match number(parameters, name, 100)? {
        size if size > 500 => Err(Refusal::bad(format!(
            "'{name}' value ({size}) must be less than 500"
        ))),
        size => Ok(size),
    }
}
