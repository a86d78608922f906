//! Dependency risks of a project.

use super::feed::Feed;
use super::finding::{is_licence, risk};
use super::page::Page;
use super::reading::{Reading, Step, Window, short_hash};
use super::row::{Risk, parse};
use crate::connectors::{ConnectorError, Pulled};

/// How often they are read if their rows move meanwhile.
const READINGS: u32 = 2;

/// All dependency risks of a project.
pub(super) struct Risks<'a> {
    pub(super) feed: Feed<'a>,
    pub(super) part: &'static str,
    /// Whether prohibited licences are taken in.
    pub(super) licences: bool,
}

impl Risks<'_> {
    /// Reads them. Gives why they may not be all, if so.
    pub(super) async fn read(&mut self) -> Result<Option<String>, ConnectorError> {
        let mut attempt = 1;
        loop {
            let mut reading = Reading::new(Window::new(self.feed.api.page_size));
            loop {
                let page = self.page(reading.next_page()).await?;
                let total = page.total;
                if let (1, 1, Ok(total)) = (attempt, reading.next_page(), total) {
                    self.feed.expect(total).await?;
                }
                let ids = self.take(page).await?;
                if reading.page(total, &ids) == Step::Stop {
                    break;
                }
            }
            match reading.doubt_of_end() {
                Some(_) if attempt < READINGS => attempt += 1,
                doubt => return Ok(doubt),
            }
        }
    }

    async fn page(&self, number: u64) -> Result<Page, ConnectorError> {
        let Feed { api, target, .. } = &self.feed;
        if !api.dialect.bearer {
            return Err(ConnectorError::Refused(
                "dependency_risks: this server is too old for dependency risks, which came with 2025.4".to_owned(),
            ));
        }
        let page = api.risks(target.project(), &target.reference, number).await;
        page.map_err(|failure| match failure {
            ConnectorError::Http(error) if error.status() == Some(404) => {
                ConnectorError::Refused(format!(
                    "{error}: dependency_risks needs Advanced Security, and a server of 2025.4 Enterprise or later"
                ))
            }
            failure => failure,
        })
    }

    async fn take(&mut self, page: Page) -> Result<Vec<Option<u64>>, ConnectorError> {
        let path = self.feed.api.site.risks_path();
        for project in &page.projects {
            self.feed.refuse_foreign(path, Some(project), None)?;
        }
        let mut ids = Vec::with_capacity(page.rows.len());
        let mut left_out = Vec::new();
        for row in &page.rows {
            let (row, raw) = match parse::<Risk<'_>>(row, "a dependency risk") {
                Ok(row) => row,
                Err(reason) => {
                    ids.push(None);
                    self.feed.add(Err(reason)).await?;
                    continue;
                }
            };
            ids.push(row.key.as_str().map(short_hash));
            match risk(&row, raw) {
                Ok(sighting) if is_licence(&row) && !self.licences => {
                    left_out.push(sighting.source_key());
                }
                row => self.feed.add(row).await?,
            }
        }
        self.feed.flush().await?;
        if !left_out.is_empty() {
            let left = Pulled::LeftOut {
                scope: self.feed.target.scope(self.part),
                keys: left_out,
            };
            self.feed.sink.put(left).await?;
        }
        Ok(ids)
    }
}
