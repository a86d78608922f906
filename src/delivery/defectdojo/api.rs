//! DefectDojo's API v2, as far as a destination needs it. Every path ends with a slash: without it a redirect loses the body.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value};
use url::Url;

use super::answer::Answer;
use super::file::File;
use super::names::Names;
use crate::config::{Secret, Tool};
use crate::http::{Authentication, Client, HttpError, HttpErrorKind, UploadedFile};

/// What secpull sends is of this type to DefectDojo.
pub(super) const SCAN_TYPE: &str = "Generic Findings Import";

/// Rows of a list; longer pages take DefectDojo too long.
const PAGE: u32 = 250;

/// For anything but an upload, at least: a list of many findings takes its time.
const LIST_LIMIT: Duration = Duration::from_secs(120);

/// One row of a list.
pub(super) type Row = Map<String, Value>;

/// An instance.
pub(super) struct Api {
    client: Client,
    /// For an upload.
    limit: Duration,
    /// For anything else.
    list_limit: Duration,
}

/// What there is already of the names of a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Context {
    pub(super) has_product: bool,
    pub(super) test: Option<u64>,
}

/// The newest import into a test.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Import {
    pub(super) id: u64,
    #[serde(default)]
    pub(super) build_id: Option<String>,
}

#[derive(Deserialize)]
struct Page {
    results: Vec<Row>,
    next: Option<String>,
}

/// A file on its way.
pub(super) struct Upload {
    pub(super) fields: Vec<(&'static str, String)>,
    pub(super) file: File,
}

/// An upload that brought no proper answer.
pub(super) struct Broken {
    pub(super) error: HttpError,
    /// DefectDojo had the whole of it, so it may be at work.
    pub(super) was_sent: bool,
}

impl Api {
    pub(super) fn open(tool: &Tool, limit: Duration) -> Result<Self, HttpError> {
        let token = tool.secret.as_ref().map(|secret| {
            let token = Secret::new(&format!("Token {}", secret.expose()));
            ("Authorization".to_owned(), token)
        });
        let authentication = Authentication {
            headers: token.into_iter().collect(),
            ..Authentication::default()
        };
        Ok(Self {
            client: Client::without_redirects(tool, authentication)?,
            limit,
            list_limit: tool.timeout.max(LIST_LIMIT),
        })
    }

    /// Words of DefectDojo, fit to be shown.
    pub(super) fn quote(&self, words: &str) -> String {
        self.client.quote(words)
    }

    /// Whether there is a product of this name, and the test that an import by these names would go to: the last one.
    pub(super) async fn context(&self, names: &Names) -> Result<Context, HttpError> {
        let mut context = Context {
            has_product: false,
            test: None,
        };
        let Some(product) = self
            .last_named(
                "products",
                &[("name", &names.product)],
                "name",
                &names.product,
            )
            .await?
        else {
            return Ok(context);
        };
        context.has_product = true;
        let product = product.to_string();
        let of_product = [("product", product.as_str()), ("name", &names.engagement)];
        let engagement = self
            .last_named("engagements", &of_product, "name", &names.engagement)
            .await?;
        if let Some(engagement) = engagement {
            let engagement = engagement.to_string();
            let of_engagement = [("engagement", engagement.as_str()), ("title", &names.title)];
            context.test = self
                .last_named("tests", &of_engagement, "title", &names.title)
                .await?;
        }
        Ok(context)
    }

    /// The highest id of those rows whose name is exactly this; the filters look for parts of it, or are not known.
    async fn last_named(
        &self,
        list: &str,
        filter: &[(&str, &str)],
        member: &str,
        name: &str,
    ) -> Result<Option<u64>, HttpError> {
        let mut last = None;
        self.each(list, filter, |row| {
            let scan_type = row.get("scan_type").and_then(Value::as_str);
            let is_ours = scan_type.is_none_or(|kind| kind == SCAN_TYPE);
            if is_ours && row.get(member).and_then(Value::as_str) == Some(name) {
                last = last.max(row.get("id").and_then(Value::as_u64));
            }
        })
        .await?;
        Ok(last)
    }

    pub(super) async fn newest_import(&self, test: u64) -> Result<Option<Import>, HttpError> {
        #[derive(Deserialize)]
        struct Imports {
            results: Vec<Import>,
        }
        let request = self.client.get("api/v2/test_imports/");
        let request = request.query("test", test).query("o", "-id");
        let request = request.query("limit", 1).timeout(self.list_limit);
        let request = request.once();
        let imports: Imports = request.json().await?.body;
        Ok(imports.results.into_iter().max_by_key(|import| import.id))
    }

    /// Goes through the findings of a test.
    pub(super) async fn each_finding(
        &self,
        test: u64,
        each: impl FnMut(Row) + Send,
    ) -> Result<(), HttpError> {
        self.each("findings", &[("test", &test.to_string())], each)
            .await
    }

    async fn each(
        &self,
        list: &str,
        filter: &[(&str, &str)],
        mut each: impl FnMut(Row) + Send,
    ) -> Result<(), HttpError> {
        let path = format!("api/v2/{list}/");
        // Who is down is asked again with the whole message; who is in the middle, at once.
        let mut request = self.client.get(&path).once();
        request = request.query("o", "id").query("limit", PAGE);
        for (key, value) in filter {
            request = request.query(key, value);
        }
        let mut last_query = String::new();
        loop {
            let page: Page = request.timeout(self.list_limit).json().await?.body;
            let rows = page.results.len();
            page.results.into_iter().for_each(&mut each);
            let Some(next) = page.next else {
                return Ok(());
            };
            // Behind a proxy its host may be anyone's: only what it asks for counts.
            let query = Url::parse(&next).ok();
            let query = query.and_then(|url| url.query().map(str::to_owned));
            match query {
                Some(query) if query != last_query && rows > 0 => last_query = query,
                _ => {
                    return Err(HttpError {
                        kind: HttpErrorKind::UnexpectedShape,
                        message: format!("{path}: the link to the next page leads nowhere"),
                    });
                }
            }
            request = self.client.get(&path).raw_query(&last_query);
        }
    }

    pub(super) async fn reimport(&self, upload: Upload) -> Result<Answer, Broken> {
        let Upload { fields, file } = upload;
        let (content, sent) = file.content();
        let file = UploadedFile {
            name: "findings.json",
            media_type: "application/json",
            length: file.length,
            content,
        };
        let request = self.client.post("api/v2/reimport-scan/");
        let answer = request.timeout(self.limit).upload(fields, file).await;
        match answer {
            Ok(answer) => Ok(Answer::of(&answer.body)),
            Err(error) => Err(Broken {
                error,
                was_sent: sent.load(std::sync::atomic::Ordering::Relaxed),
            }),
        }
    }

    pub(super) async fn change(&self, finding: u64, change: &Row) -> Result<(), HttpError> {
        let path = format!("api/v2/findings/{finding}/");
        let request = self.client.patch(&path).body(change);
        // The same twice is the same once.
        let request = request.idempotent().timeout(self.list_limit);
        let _changed: Value = request.json().await?.body;
        Ok(())
    }
}
