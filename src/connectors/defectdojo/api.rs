//! The calls, and what their failures mean.

use serde_json::value::RawValue;

use super::inventory::{Engagement, FORWARDED, Part, Product, Test};
use super::reading::{Envelope, READINGS, Reading, Step};
use crate::connectors::ConnectorError;
use crate::connectors::lenient::{Object, Text, Whole};
use crate::http::{Client, Elements, HttpError, HttpErrorKind, Request};

/// Rows of a page of anything but findings.
const ROWS: u64 = 100;

/// What an empty list of products means.
pub(super) const SEES_NOTHING: &str = "connected, but the key's user sees no product: it needs the role Reader on those to be imported (without it lists are empty and no error is told)";

const RESULTS: &[&str] = &["results"];

/// One instance, and one run's meter.
pub(super) struct Api(Client);

/// A list, as far as it could be read.
pub(super) struct List<T> {
    /// In the order in which they were listed, each once.
    pub(super) items: Vec<T>,
    /// Why the list may not be whole, if so.
    pub(super) doubt: Option<String>,
}

/// Which list is read.
struct Listing<T> {
    path: &'static str,
    query: Vec<(&'static str, String)>,
    parse: fn(&[u8]) -> Result<T, String>,
    id: fn(&T) -> u64,
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct Profile<'a> {
    #[serde(borrow)]
    user: Object<User<'a>>,
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct User<'a> {
    id: Whole,
    #[serde(borrow)]
    username: Text<'a>,
}

impl Api {
    pub(super) fn new(client: Client) -> Self {
        Self(client)
    }

    /// Proves host and key; gives the name of the key's user.
    pub(super) async fn user(&self) -> Result<String, ConnectorError> {
        const PATH: &str = "/api/v2/user_profile/";
        let body = self.object(PATH).await.map_err(explain)?;
        let profile = serde_json::from_str::<Object<Profile<'_>>>(body.get());
        let user = profile.unwrap_or_default().0.user.0;
        match (user.username.to_owned(), user.id.0) {
            (Some(name), Some(_)) => Ok(name),
            _ => Err(ConnectorError::Refused(format!(
                "GET {PATH}: the answer is no profile, so this is not DefectDojo's API; check `location`"
            ))),
        }
    }

    /// How many products the key's user sees.
    pub(super) async fn count_products(&self) -> Result<u64, ConnectorError> {
        self.count(self.0.get("/api/v2/products/")).await
    }

    /// The products that the key's user sees, of all names or with a part of one.
    pub(super) async fn products(
        &self,
        name: Option<&str>,
    ) -> Result<List<Product>, ConnectorError> {
        let name = name.map(|name| ("name", name.to_owned()));
        let order = ("o", "id".to_owned());
        self.list(&Listing {
            path: "/api/v2/products/",
            query: [Some(order), name].into_iter().flatten().collect(),
            parse: Product::parse,
            id: |product| product.id,
        })
        .await
    }

    /// The engagements of a product, or all. They come by id, and cannot be asked for in that order.
    pub(super) async fn engagements(
        &self,
        product: Option<u64>,
    ) -> Result<List<Engagement>, ConnectorError> {
        let product = product.map(|id| ("product", id.to_string()));
        self.list(&Listing {
            path: "/api/v2/engagements/",
            query: product.into_iter().collect(),
            parse: Engagement::parse,
            id: |engagement| engagement.id,
        })
        .await
    }

    /// The tests of an engagement, or all. They come by id, and cannot be asked for in that order.
    pub(super) async fn tests(
        &self,
        engagement: Option<u64>,
    ) -> Result<List<Test>, ConnectorError> {
        let engagement = engagement.map(|id| ("engagement", id.to_string()));
        self.list(&Listing {
            path: "/api/v2/tests/",
            query: engagement.into_iter().collect(),
            parse: Test::parse,
            id: |test| test.id,
        })
        .await
    }

    pub(super) async fn product(&self, id: u64) -> Result<Product, ConnectorError> {
        let path = format!("/api/v2/products/{id}/");
        self.one(&path, &format!("product {id}"), Product::parse)
            .await
    }

    pub(super) async fn engagement(&self, id: u64) -> Result<Engagement, ConnectorError> {
        let path = format!("/api/v2/engagements/{id}/");
        self.one(&path, &format!("engagement {id}"), Engagement::parse)
            .await
    }

    pub(super) async fn test(&self, id: u64) -> Result<Test, ConnectorError> {
        let path = format!("/api/v2/tests/{id}/");
        self.one(&path, &format!("test {id}"), Test::parse).await
    }

    /// Names of product types by id.
    pub(super) async fn product_types(&self) -> Result<List<Product>, ConnectorError> {
        // They have an id and a name, and that is all that is read of either.
        self.list(&Listing {
            path: "/api/v2/product_types/",
            query: Vec::new(),
            parse: Product::parse,
            id: |product_type| product_type.id,
        })
        .await
    }

    /// A page of findings, of whatever status, but no duplicates, and none of tests that secpull forwarded.
    pub(super) async fn findings(
        &self,
        part: Part,
        (limit, offset): (u64, u64),
    ) -> Result<Elements, HttpError> {
        let request = self.findings_of(part).query("o", "id");
        page(request, limit, offset).elements(RESULTS).await
    }

    /// How many findings there are.
    pub(super) async fn count_findings(&self, part: Part) -> Result<u64, ConnectorError> {
        self.count(self.findings_of(part)).await
    }

    fn findings_of(&self, part: Part) -> Request {
        let (filter, id) = part.filter();
        let request = self.0.get("/api/v2/findings/").query(filter, id);
        request
            .query("duplicate", false)
            .query("not_test__tags", FORWARDED)
    }

    async fn object(&self, path: &str) -> Result<Box<RawValue>, HttpError> {
        let answer = self.0.get(path).json::<Box<RawValue>>().await?;
        Ok(answer.body)
    }

    async fn one<T>(
        &self,
        path: &str,
        what: &str,
        parse: fn(&[u8]) -> Result<T, String>,
    ) -> Result<T, ConnectorError> {
        let body = self.object(path).await.map_err(|error| match error.status() {
            Some(404) if !is_html(&error) => ConnectorError::Http(HttpError {
                message: format!(
                    "{}: there is no {what}, or the key's user may not see it; nothing is concluded from that",
                    error.message
                ),
                kind: error.kind,
            }),
            _ => explain(error),
        })?;
        parse(body.get().as_bytes())
            .map_err(|reason| ConnectorError::Refused(format!("GET {path}: {reason}")))
    }

    async fn count(&self, request: Request) -> Result<u64, ConnectorError> {
        let mut elements = page(request, 1, 0)
            .elements(RESULTS)
            .await
            .map_err(explain)?;
        while elements.next().await.map_err(explain)?.is_some() {}
        Envelope::parse(elements.envelope()).count().ok_or_else(|| {
            ConnectorError::Refused("the answer does not tell the count of the list".to_owned())
        })
    }

    /// Reads a list, again while it is not to be believed.
    async fn list<T>(&self, listing: &Listing<T>) -> Result<List<T>, ConnectorError> {
        let mut readings = 1;
        loop {
            let list = self.list_once(listing).await?;
            if list.doubt.is_none() || readings == READINGS {
                return Ok(list);
            }
            readings += 1;
        }
    }

    async fn list_once<T>(&self, listing: &Listing<T>) -> Result<List<T>, ConnectorError> {
        let mut reading = Reading::with_limit(ROWS);
        let mut items: Vec<T> = Vec::new();
        loop {
            let request = self.0.get(listing.path);
            let request = listing
                .query
                .iter()
                .fold(request, |request, (key, value)| request.query(key, value));
            let (limit, offset) = reading.next_page();
            let request = page(request, limit, offset);
            let mut elements = request.elements(RESULTS).await.map_err(explain)?;
            while let Some(rows) = elements.next().await.map_err(explain)? {
                for row in rows {
                    let item = (listing.parse)(&row).map_err(|reason| {
                        ConnectorError::Refused(format!("GET {}: {reason}", listing.path))
                    })?;
                    reading.row(Some((listing.id)(&item)));
                    items.push(item);
                }
            }
            if reading.close_page(&Envelope::parse(elements.envelope())) == Step::Stop {
                break;
            }
        }
        items.sort_by_key(listing.id);
        items.dedup_by_key(|item| (listing.id)(item));
        let doubt = reading.doubt();
        let doubt = doubt.map(|doubt| format!("GET {}: {doubt}", listing.path));
        Ok(List { items, doubt })
    }
}

fn page(request: Request, limit: u64, offset: u64) -> Request {
    request.query("limit", limit).query("offset", offset)
}

/// Adds to a failure what only DefectDojo's own facts explain.
pub(super) fn explain(error: HttpError) -> ConnectorError {
    let advice = match &error.kind {
        _ if refuses_key(&error) => {
            "`secret` must be an API v2 key of this instance (user menu, API v2 Key); it may have been reset, its user be inactive, or API tokens be switched off (DD_API_TOKENS_ENABLED)"
        }
        HttpErrorKind::Status { status: 403, .. } => {
            "the key's user needs the right to view that (Reader), or a proxy in front of DefectDojo keeps this machine out"
        }
        HttpErrorKind::Status { status: 404, .. } if is_html(&error) => {
            "this is not DefectDojo's API; `location` must be the instance's address, without /api/v2"
        }
        HttpErrorKind::Status {
            status: 502 | 504, ..
        }
        | HttpErrorKind::TimedOut => {
            "where an instance is slow, a smaller `page_size` of the API configuration and a longer `timeout` of the tool help"
        }
        HttpErrorKind::NotJson => {
            "`location` must be the instance's address, without /api/v2, and nothing before it may ask for another login"
        }
        _ => return ConnectorError::Http(error),
    };
    let is_of_key = refuses_key(&error);
    let error = HttpError {
        message: format!("{}; {advice}", error.message),
        kind: error.kind,
    };
    match is_of_key {
        true => ConnectorError::Credentials(error),
        false => ConnectorError::Http(error),
    }
}

/// Whether it is the key that was refused. DefectDojo says so with status 403, and its words tell it from a missing permission.
fn refuses_key(error: &HttpError) -> bool {
    /// In the words of its framework.
    const REFUSALS: &[&str] = &[
        "credentials were not provided",
        "invalid token",
        "inactive or deleted",
    ];
    match &error.kind {
        HttpErrorKind::Status { status: 401, .. } => true,
        HttpErrorKind::Status {
            status: 403, body, ..
        } => {
            let body = body.to_ascii_lowercase();
            REFUSALS.iter().any(|words| body.contains(words))
        }
        _ => false,
    }
}

/// An unknown path of the web application is told in HTML, an unknown id in JSON.
fn is_html(error: &HttpError) -> bool {
    match &error.kind {
        HttpErrorKind::Status { body, .. } => body.trim_start().starts_with('<'),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(kind: HttpErrorKind) -> HttpError {
        let message = "GET https://dojo.example/api/v2/findings/: failed".to_owned();
        HttpError { kind, message }
    }

    fn status(status: u16, body: &str) -> HttpErrorKind {
        HttpErrorKind::Status {
            status,
            body: body.to_owned(),
            retry_after: None,
        }
    }

    #[test]
    fn failures_say_what_to_do() {
        let explained = |kind| explain(failure(kind)).to_string();
        for detail in [
            "Invalid token.",
            "Authentication credentials were not provided.",
            "User inactive or deleted.",
        ] {
            let body = format!(r#"{{"detail":"{detail}"}}"#);
            let told = explain(failure(status(403, &body)));
            assert!(matches!(told, ConnectorError::Credentials(_)), "{told}");
            assert!(told.to_string().contains("API v2 Key"), "{told}");
        }
        let denied = r#"{"detail":"You do not have permission to perform this action."}"#;
        assert!(explained(status(403, denied)).contains("Reader"));
        assert!(explained(status(404, "<!doctype html>")).contains("`location`"));
        assert!(explained(HttpErrorKind::NotJson).contains("`location`"));
        assert!(explained(HttpErrorKind::TimedOut).contains("page_size"));
        assert!(explained(status(502, "<html>")).contains("page_size"));
        assert!(!explained(status(404, r#"{"detail":"No Test."}"#)).contains(';'));
        assert!(!explained(HttpErrorKind::Connection).contains(';'));
    }

    #[test]
    fn a_refused_key_is_told_from_a_missing_permission() {
        let refused = |kind| refuses_key(&failure(kind));
        assert!(refused(status(401, "")));
        assert!(refused(status(403, r#"{"detail":"Invalid token."}"#)));
        assert!(!refused(status(
            403,
            r#"{"detail":"You do not have permission to perform this action."}"#
        )));
        assert!(!refused(status(403, "<html>Forbidden</html>")));
        assert!(!refused(HttpErrorKind::Connection));
    }
}
