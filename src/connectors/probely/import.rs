//! The import of one target's findings.

use super::api::{Api, explain};
use super::finding;
use super::reading::{Envelope, READINGS, Reading, Step};
use super::target::Target;
use crate::connectors::pages::Pages;
use crate::connectors::{Completeness, ConnectorError, Pulled, Scope, Sink, SinkClosed};
use crate::http::HttpErrorKind;

/// A target on its way into the sink.
pub(super) struct Import<'a> {
    api: &'a Api,
    target: &'a Target,
    pages: Pages,
    /// Rows that have come, in all readings.
    rows: u64,
    expected: bool,
    sink: &'a mut Sink,
}

impl<'a> Import<'a> {
    pub(super) fn of(api: &'a Api, target: &'a Target, sink: &'a mut Sink) -> Self {
        let scope = Scope {
            record: target.record(),
            branch: None,
            part: None,
        };
        Self {
            api,
            target,
            pages: Pages::of(scope),
            rows: 0,
            expected: false,
            sink,
        }
    }

    /// Whether nothing has come, which may mean that there is nothing, or that the key lost its view.
    pub(super) fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// Reads the findings, again while the list is not to be believed.
    pub(super) async fn read(&mut self) -> Result<Completeness, ConnectorError> {
        let mut readings = 1;
        loop {
            let mut reading = Reading::default();
            let doubt = match self.read_once(&mut reading).await {
                Err(ConnectorError::Http(error))
                    if error.kind == HttpErrorKind::Truncated && readings < READINGS =>
                {
                    Some(error.to_string())
                }
                outcome => {
                    outcome?;
                    reading.doubt()
                }
            };
            match doubt {
                None => return Ok(Completeness::Complete),
                Some(reason) if readings == READINGS => {
                    return Ok(Completeness::Incomplete(format!(
                        "{}: the list of findings: {reason} (read {READINGS} times); it moves while a scan runs",
                        self.target.name
                    )));
                }
                Some(_) => readings += 1,
            }
        }
    }

    async fn read_once(&mut self, reading: &mut Reading) -> Result<(), ConnectorError> {
        loop {
            let page = reading.next_page();
            let mut elements = match self.api.findings(&self.target.id, page).await {
                Err(error) if error.status() == Some(404) && page > 1 => {
                    reading.page_is_gone();
                    return Ok(());
                }
                elements => elements.map_err(explain)?,
            };
            while let Some(rows) = elements.next().await.map_err(explain)? {
                for row in rows {
                    let row = finding::map(&row, &self.target.id);
                    let id = row.as_ref().ok();
                    reading.row(id.map(|sighting| sighting.source_id.as_str()));
                    self.rows += 1;
                    self.pages.add(row, self.sink).await?;
                }
            }
            let step = reading.close_page(Envelope::parse(elements.envelope()));
            drop(elements);
            self.expect(reading).await?;
            self.pages.flush(self.sink).await?;
            if step == Step::Stop {
                return Ok(());
            }
        }
    }

    async fn expect(&mut self, reading: &Reading) -> Result<(), SinkClosed> {
        match reading.count().filter(|_| !self.expected) {
            Some(count) => {
                self.expected = true;
                self.sink.put(Pulled::Expected(count)).await
            }
            None => Ok(()),
        }
    }

    pub(super) async fn end(self, completeness: Completeness) -> Result<(), SinkClosed> {
        self.pages.end(completeness, self.sink).await
    }
}
