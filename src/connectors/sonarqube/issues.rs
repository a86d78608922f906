//! The search for issues of a project.

use std::collections::BTreeSet;

use async_trait::async_trait;

use super::api::{ISSUES, Query};
use super::feed::{Feed, of_a_project};
use super::finding::{concerns, issue};
use super::page::Page;
use super::reading::short_hash;
use super::row::{Issue, parse};
use super::slice::{IssueCut, IssueSlice};
use super::spec::Selected;
use super::tables::FACET_VALUES;
use super::time::time;
use super::version::Mode;
use super::walk::{Cut, Expected, Search};
use crate::connectors::ConnectorError;

/// What the page is to hold beside the rows: names of rules, for titles.
const RULES: (&str, &str) = ("additionalFields", "rules");

const PATH: &str = "/api/issues/search";

/// One type, or one quality, of issues.
pub(super) struct Issues<'a> {
    pub(super) feed: Feed<'a>,
    pub(super) mode: Mode,
    pub(super) selected: Selected,
    /// Qualities whose search has already taken what has an impact on them too.
    pub(super) taken: &'a [Selected],
}

impl Issues<'_> {
    /// No filter of status: what was accepted would else look repaired.
    fn query(&self, slice: &IssueSlice) -> Query {
        let Feed { api, target, .. } = &self.feed;
        let mut query = api.issues_of(target.project(), &target.reference);
        let (name, value) = self.selected.parameter();
        query.push((name, value.to_owned()));
        query.extend(slice.query());
        query
    }

    /// When the oldest or the newest issue of a slice was created, in seconds since 1970.
    async fn end(
        &self,
        slice: &IssueSlice,
        ascending: bool,
    ) -> Result<Option<i64>, ConnectorError> {
        let mut query = self.query(slice);
        query.push(("s", "CREATION_DATE".to_owned()));
        query.push(("asc", ascending.to_string()));
        let page = self.feed.api.page(ISSUES, query, 1, 1).await?;
        let Some(row) = page.rows.first() else {
            return Ok(None);
        };
        let (row, _) = parse::<Issue<'_>>(row, "an issue").map_err(ConnectorError::Refused)?;
        Ok(time(row.creation_date.as_str()).map(|time| time.timestamp()))
    }

    fn expected(&self, total: u64) -> Expected {
        match self.feed.api.dialect.counts_all {
            true => Expected::Exactly(total),
            false => Expected::AtLeast(total),
        }
    }

    /// By the values of the first facet that tells all of them.
    async fn by_facets(
        &self,
        slice: &IssueSlice,
        total: u64,
    ) -> Result<Cut<IssueSlice>, ConnectorError> {
        let dialect = &self.feed.api.dialect;
        let mut slice = slice.clone();
        while let IssueCut::Facet(facet) = slice.cut(dialect) {
            let mut query = self.query(&slice);
            query.push(("facets", facet.to_owned()));
            let page = self.feed.api.page(ISSUES, query, 1, 1).await?;
            let values = page.facet;
            if values.is_empty() || values.len() >= FACET_VALUES {
                slice = slice.without_facet();
                continue;
            }
            let counted = values.iter().map(|(_, count)| *count).sum::<u64>();
            let expected = match dialect.counts_all {
                true => Expected::Exactly(total),
                false => Expected::AtLeast(total.max(counted)),
            };
            let slices = values.into_iter().filter(|(_, count)| *count > 0);
            let slices = slices.map(|(value, _)| slice.by(facet, value));
            return Ok(Cut::Into(slices.collect(), expected));
        }
        Ok(Cut::Never(format!(
            "{total} issues or more {} are too many for one search, and neither severity nor rule, directory or file tells fewer of them apart",
            slice.words()
        )))
    }

    /// Whether an earlier search of this import has this issue too.
    fn is_taken(&self, row: &Issue<'_>) -> bool {
        self.taken.iter().any(|earlier| match earlier {
            Selected::Quality(quality) => concerns(row, quality),
            Selected::Type(_) => false,
        })
    }
}

#[async_trait]
impl Search for Issues<'_> {
    type Slice = IssueSlice;

    async fn page(&mut self, slice: &IssueSlice, number: u64) -> Result<Page, ConnectorError> {
        let api = self.feed.api;
        let mut query = self.query(slice);
        query.push((RULES.0, RULES.1.to_owned()));
        api.page(ISSUES, query, number, api.page_size).await
    }

    async fn take(&mut self, page: Page) -> Result<Vec<Option<u64>>, ConnectorError> {
        let rows = page
            .rows
            .iter()
            .map(|row| parse::<Issue<'_>>(row, "an issue"));
        let rows: Vec<_> = rows.collect();
        let mut rules = BTreeSet::new();
        for (row, _) in rows.iter().flatten() {
            let branch = row.branch.as_str().or(row.pull_request.as_str());
            self.feed
                .refuse_foreign(PATH, row.project.as_str(), branch)?;
            rules.extend(row.rule.to_owned());
        }
        self.feed.learn(rules).await?;
        let mut ids = Vec::with_capacity(rows.len());
        for row in rows {
            let (row, raw) = match row {
                Ok(row) => row,
                Err(reason) => {
                    ids.push(None);
                    self.feed.add(Err(reason)).await?;
                    continue;
                }
            };
            ids.push(row.key.as_str().map(short_hash));
            if self.is_taken(&row) {
                continue;
            }
            let key = row.rule.as_str().unwrap_or_default();
            let name = page.names.get(key).map(String::as_str);
            let rule = self.feed.rules.get(key);
            let place = self.feed.place(&page.paths);
            let sighting = of_a_project(row.project.as_str(), "an issue")
                .and_then(|()| issue(&row, raw, &place, self.mode, rule, name));
            self.feed.add(sighting).await?;
        }
        Ok(self.feed.flush().await.map(|()| ids)?)
    }

    async fn expect(&mut self, rows: u64) -> Result<(), ConnectorError> {
        Ok(self.feed.expect(rows).await?)
    }

    async fn cut(
        &mut self,
        slice: &IssueSlice,
        total: u64,
    ) -> Result<Cut<IssueSlice>, ConnectorError> {
        match slice.cut(&self.feed.api.dialect) {
            IssueCut::Into(slices) => Ok(Cut::Into(slices, self.expected(total))),
            IssueCut::Facet(_) | IssueCut::Nothing => self.by_facets(slice, total).await,
            IssueCut::Ends => {
                let oldest = self.end(slice, true).await?;
                let newest = self.end(slice, false).await?;
                Ok(match oldest.zip(newest) {
                    Some((oldest, newest)) => {
                        Cut::Into(slice.within(oldest, newest), self.expected(total))
                    }
                    None => Cut::Never(format!(
                        "{total} issues are too many for one search, and the oldest and newest do not tell when they were created"
                    )),
                })
            }
        }
    }
}
