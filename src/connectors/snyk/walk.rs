//! A list, page by page, to its end.

use serde_json::value::RawValue;

use super::api::Api;
use super::query::Parameter;
use super::trail::{Step, Trail};
use crate::connectors::ConnectorError;

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
