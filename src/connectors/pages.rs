//! Gathers a scope's sightings into pages for the sink, whatever the size of the vendor's own pages.

use super::{Completeness, Pulled, Row, Scope, Sink, SinkClosed};
use crate::finding::Sighting;

/// So many sightings are handed over at once at most.
const SIGHTINGS_PER_PAGE: usize = 500;

/// The open page of a scope.
pub(super) struct Pages {
    scope: Scope,
    sightings: Vec<Sighting>,
    /// Rows that the import maps where it has to.
    rows: Vec<Row>,
    unreadable: u64,
    unreadable_reason: Option<String>,
}

impl Pages {
    pub(super) fn of(scope: Scope) -> Self {
        Self {
            scope,
            sightings: Vec::new(),
            rows: Vec::new(),
            unreadable: 0,
            unreadable_reason: None,
        }
    }

    /// Takes in a row: a sighting, or why it cannot be read.
    pub(super) async fn add(
        &mut self,
        row: Result<Sighting, String>,
        sink: &mut Sink,
    ) -> Result<(), SinkClosed> {
        match row {
            Ok(sighting) => self.sightings.push(sighting),
            Err(reason) => {
                self.unreadable += 1;
                self.unreadable_reason.get_or_insert(reason);
            }
        }
        if self.sightings.len() >= SIGHTINGS_PER_PAGE {
            self.flush(sink).await?;
        }
        Ok(())
    }

    /// Takes in a row as the vendor wrote it.
    pub(super) async fn add_row(&mut self, row: Row, sink: &mut Sink) -> Result<(), SinkClosed> {
        self.rows.push(row);
        if self.rows.len() >= SIGHTINGS_PER_PAGE {
            self.flush(sink).await?;
        }
        Ok(())
    }

    /// Hands over what is there, so that it does not wait for more.
    pub(super) async fn flush(&mut self, sink: &mut Sink) -> Result<(), SinkClosed> {
        if !self.rows.is_empty() {
            sink.put(Pulled::Rows {
                scope: self.scope.clone(),
                rows: std::mem::take(&mut self.rows),
            })
            .await?;
        }
        if self.sightings.is_empty() && self.unreadable == 0 {
            return Ok(());
        }
        sink.put(Pulled::Page {
            scope: self.scope.clone(),
            sightings: std::mem::take(&mut self.sightings),
            unreadable: std::mem::take(&mut self.unreadable),
            unreadable_reason: self.unreadable_reason.take(),
        })
        .await
    }

    /// Hands over the rest, and the scope's end.
    pub(super) async fn end(
        mut self,
        completeness: Completeness,
        sink: &mut Sink,
    ) -> Result<(), SinkClosed> {
        self.flush(sink).await?;
        sink.put(Pulled::End {
            scope: self.scope,
            completeness,
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::config::RecordFilter;
    use crate::connectors::Record;

    #[tokio::test]
    async fn pages_are_cut_at_their_limit_and_unreadable_rows_are_counted_once() {
        let (mut sink, mut receiver) = Sink::new(16, RecordFilter::default());
        let mut pages = Pages::of(Scope {
            record: Record {
                id: "1".to_owned(),
                name: "one".to_owned(),
                detail: None,
            },
            branch: None,
            part: None,
        });
        for _ in 0..SIGHTINGS_PER_PAGE + 1 {
            pages.add(Ok(Sighting::default()), &mut sink).await.unwrap();
        }
        pages.add(Err("odd".to_owned()), &mut sink).await.unwrap();
        pages.add(Err("other".to_owned()), &mut sink).await.unwrap();
        pages.end(Completeness::Complete, &mut sink).await.unwrap();
        drop(sink);

        let mut sizes = Vec::new();
        while let Some(pulled) = receiver.recv().await {
            match pulled {
                Pulled::Page {
                    sightings,
                    unreadable,
                    unreadable_reason,
                    ..
                } => sizes.push((sightings.len(), unreadable, unreadable_reason)),
                Pulled::End { completeness, .. } => {
                    assert_eq!(completeness, Completeness::Complete);
                }
                other => panic!("not expected: {other:?}"),
            }
        }
        assert_eq!(sizes, [(500, 0, None), (1, 2, Some("odd".to_owned()))]);
    }
}
