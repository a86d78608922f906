//! A list, page by page, to its end.

use serde_json::value::RawValue;
use url::form_urlencoded::Serializer;

use super::api::Api;
use super::trail::{Step, Trail};
use crate::connectors::ConnectorError;

/// A parameter of a request.
pub(super) type Parameter = (&'static str, String);

/// The query of a first page. It is made anew for every list: a cursor in it would be that of another.
pub(super) fn first_query(version: &str, limit: u32, filters: &[Parameter]) -> String {
    let mut query = Serializer::new(String::new());
    query.append_pair("version", version);
    query.append_pair("limit", &limit.to_string());
    for (name, value) in filters {
        query.append_pair(name, value);
    }
    query.finish()
}

/// A walk over all pages of one list.
pub(super) struct Walk<'a> {
    api: &'a Api,
    path: String,
    trail: Trail,
    step: Step,
}

impl<'a> Walk<'a> {
    /// Along the list at this path, with these filters.
    pub(super) fn along(api: &'a Api, path: &str, filters: &[Parameter]) -> Self {
        let first = api.first_query(filters);
        Self {
            api,
            path: path.to_owned(),
            trail: Trail::from(&first),
            step: Step::Next(first),
        }
    }

    /// The next page's rows, which may be none; nothing after the last page.
    ///
    /// # Errors
    /// The request failed, or the list is not to be believed.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<Box<RawValue>>>, ConnectorError> {
        let query = match &self.step {
            Step::Next(query) => query,
            Step::End => return Ok(None),
            Step::Doubt(reason) => return Err(self.api.odd(&self.path, reason)),
        };
        let page = self.api.page(&self.path, query).await?;
        let next = page.next.map(|link| self.api.follow(&self.path, &link));
        self.step = self.trail.turn(&page.rows, next.transpose()?);
        Ok(Some(page.rows))
    }

    /// All rows, read to the end.
    pub(super) async fn all<T>(
        mut self,
        read: impl Fn(&RawValue) -> Result<T, String>,
    ) -> Result<Vec<T>, ConnectorError> {
        let mut all = Vec::new();
        while let Some(rows) = self.next().await? {
            for row in rows {
                let row = read(&row).map_err(|reason| self.api.odd(&self.path, &reason))?;
                all.push(row);
            }
        }
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_part_of_the_first_query() {
        let filters = [("status", "open,resolved".to_owned())];
        assert_eq!(
            first_query("2024-10-15", 100, &filters),
            "version=2024-10-15&limit=100&status=open%2Cresolved"
        );
    }
}
