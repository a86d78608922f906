//! The search for security hotspots of a project.

use std::collections::BTreeSet;

use async_trait::async_trait;

use super::api::{HOTSPOTS, Query};
use super::feed::{Feed, of_a_project};
use super::finding::hotspot;
use super::page::Page;
use super::reading::short_hash;
use super::row::{Hotspot, parse};
use super::slice::{HotspotCut, HotspotSlice};
use super::walk::{Cut, Expected, Search};
use crate::connectors::ConnectorError;
use crate::connectors::lenient::{Object, Text};

const PATH: &str = "/api/hotspots/search";

/// No list of files is followed further than this.
const MAX_FILES: u64 = 1_000_000;

/// All hotspots of a project.
pub(super) struct Hotspots<'a> {
    pub(super) feed: Feed<'a>,
    /// Paths of the project's files, or why they cannot be had, once they were asked for.
    pub(super) files: Option<Result<Vec<String>, String>>,
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct FileRow<'a> {
    #[serde(borrow)]
    path: Text<'a>,
}

impl Hotspots<'_> {
    fn query(&self, slice: &HotspotSlice) -> Query {
        let Feed { api, target, .. } = &self.feed;
        let mut query = api.hotspots_of(target.project(), &target.reference);
        query.extend(slice.query());
        query
    }

    fn expected(&self, total: u64) -> Expected {
        match self.feed.api.dialect.counts_all {
            true => Expected::Exactly(total),
            false => Expected::AtLeast(total),
        }
    }

    /// The paths of all files of the project, or why they are of no use.
    async fn list_files(&self) -> Result<Result<Vec<String>, String>, ConnectorError> {
        let Feed { api, target, .. } = &self.feed;
        let mut paths = BTreeSet::new();
        let mut rows = 0;
        for number in 1.. {
            let page = api.files(target.project(), &target.reference, number);
            let page = match page.await {
                Ok(page) => page,
                Err(ConnectorError::Http(error))
                    if matches!(error.status(), Some(400 | 403 | 404)) =>
                {
                    return Ok(Err(error.to_string()));
                }
                Err(failure) => return Err(failure),
            };
            let before = paths.len();
            rows += page.rows.len() as u64;
            for row in &page.rows {
                let row = serde_json::from_slice::<Object<FileRow<'_>>>(row);
                paths.extend(row.ok().and_then(|row| row.0.path.to_owned()));
            }
            let total = match page.total {
                Ok(total) => total,
                Err(miscount) => return Ok(Err(miscount.to_string())),
            };
            if rows >= total {
                break;
            }
            if paths.len() == before || rows > MAX_FILES {
                let reason = format!("the tool counts {total} files and gave {rows}");
                return Ok(Err(reason));
            }
        }
        // It would be taken for two paths. On servers the count then tells that something is missing.
        if !api.dialect.counts_all && paths.iter().any(|path| path.contains(',')) {
            return Ok(Err("a file has a comma in its path".to_owned()));
        }
        paths.retain(|path| !path.contains(','));
        Ok(Ok(paths.into_iter().collect()))
    }
}

#[async_trait]
impl Search for Hotspots<'_> {
    type Slice = HotspotSlice;

    async fn page(&mut self, slice: &HotspotSlice, number: u64) -> Result<Page, ConnectorError> {
        let api = self.feed.api;
        let query = self.query(slice);
        api.page(HOTSPOTS, query, number, api.page_size).await
    }

    async fn take(&mut self, page: Page) -> Result<Vec<Option<u64>>, ConnectorError> {
        let rows = page.rows.iter();
        let rows = rows.map(|row| parse::<Hotspot<'_>>(row, "a hotspot"));
        let rows: Vec<_> = rows.collect();
        let mut rules = BTreeSet::new();
        let mut without_rule = Vec::new();
        for (row, _) in rows.iter().flatten() {
            self.feed.refuse_foreign(PATH, row.project.as_str(), None)?;
            match row.rule_key.to_owned() {
                Some(key) => drop(rules.insert(key)),
                None => without_rule.extend(row.key.to_owned()),
            }
        }
        self.feed.learn(rules).await?;
        let own_rules = self.feed.rules.of_hotspots(self.feed.api, without_rule);
        let own_rules = own_rules.await;
        self.feed.warn().await?;
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
            let key = row.key.as_str();
            ids.push(key.map(short_hash));
            let rule = match row.rule_key.as_str() {
                Some(rule) => self.feed.rules.get(rule),
                None => key.and_then(|key| own_rules.get(key)),
            };
            let place = self.feed.place(&page.paths);
            let sighting = of_a_project(row.project.as_str(), "a hotspot")
                .and_then(|()| hotspot(&row, raw, &place, rule));
            self.feed.add(sighting).await?;
        }
        Ok(self.feed.flush().await.map(|()| ids)?)
    }

    async fn expect(&mut self, rows: u64) -> Result<(), ConnectorError> {
        Ok(self.feed.expect(rows).await?)
    }

    async fn cut(
        &mut self,
        slice: &HotspotSlice,
        total: u64,
    ) -> Result<Cut<HotspotSlice>, ConnectorError> {
        match slice.cut(&self.feed.api.dialect) {
            HotspotCut::Into(slices) => Ok(Cut::Into(slices, self.expected(total))),
            HotspotCut::Nothing => Ok(Cut::Never(format!(
                "{total} hotspots or more in one file are too many for one search"
            ))),
            HotspotCut::Files => {
                let files = match self.files.take() {
                    Some(files) => files,
                    None => self.list_files().await?,
                };
                let cut = match &files {
                    Ok(paths) => Cut::Into(slice.by_files(paths), self.expected(total)),
                    Err(reason) => Cut::Never(format!(
                        "{total} hotspots or more are too many for one search, and cannot be read file by file: {reason}"
                    )),
                };
                self.files = Some(files);
                Ok(cut)
            }
        }
    }
}
