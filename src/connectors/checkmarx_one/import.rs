//! The import of one branch: scan by scan, each engine a scope of its own.

use std::collections::BTreeMap;

use super::api::Api;
use super::engine::{Owner, is_known, owner};
use super::finding::{self, Source};
use super::project::Project;
use super::reading::{Reading, Step, Verdict};
use super::row::Row;
use super::scan::{Chosen, Scan};
use super::spec::Selection;
use super::tables::States;
use crate::connectors::lenient::Whole;
use crate::connectors::pages::Pages;
use crate::connectors::{Completeness, ConnectorError, Pulled, Scope, Sink, SinkClosed};
use crate::finding::Sighting;
use crate::http::{Elements, HttpErrorKind};

/// A branch of a project, on its way into the sink.
pub(super) struct Import<'a> {
    pub(super) api: &'a Api,
    pub(super) project: &'a Project,
    pub(super) branch: Option<&'a str>,
    pub(super) selection: &'a Selection,
    pub(super) states: &'a States,
    /// Root of the pages for people.
    pub(super) location: &'a str,
    pub(super) page_size: u64,
    pub(super) sink: &'a mut Sink,
    /// Rows that have come, of whatever use.
    pub(super) rows: u64,
}

/// What of one scan is taken in.
struct Open {
    /// By part: an engine for which the scan was chosen, or a type that secpull does not know.
    parts: BTreeMap<String, Pages>,
    /// Why nothing can be concluded from absence, although all rows came.
    odd: Option<String>,
}

impl Import<'_> {
    /// Reads the chosen scans, and ends each of their scopes. A failure leaves the scopes of its scan incomplete, and is
    /// returned.
    pub(super) async fn read(&mut self, chosen: &[Chosen]) -> Result<(), ConnectorError> {
        let mut strangers: Vec<String> = Vec::new();
        for one in chosen {
            let mut open = Open {
                parts: BTreeMap::new(),
                odd: None,
            };
            for engine in one.engines.iter().filter(|engine| is_known(engine)) {
                open.parts
                    .insert(engine.clone(), Pages::of(self.scope(engine)));
            }
            let outcome = self.read_scan(one, &mut open, &strangers).await;
            let (completeness, failure) = match outcome {
                Ok(completeness) => (completeness, None),
                Err(ConnectorError::Closed(closed)) => return Err(closed.into()),
                // Nothing came yet: the failure is the whole story, and the run's.
                Err(failure) if self.rows == 0 => return Err(failure),
                Err(failure) => (Completeness::Incomplete(failure.to_string()), Some(failure)),
            };
            let completeness = match (completeness, open.odd) {
                (Completeness::Complete, Some(reason)) => Completeness::Incomplete(reason),
                (completeness, _) => completeness,
            };
            for (part, pages) in open.parts {
                if !is_known(&part) {
                    strangers.push(part);
                }
                pages.end(completeness.clone(), self.sink).await?;
            }
            if let Some(failure) = failure {
                return Err(failure);
            }
        }
        Ok(())
    }

    /// Ends the scopes of engines that are switched off for good: what they found is gone.
    pub(super) async fn give_up(&mut self, engines: &[&'static str]) -> Result<(), SinkClosed> {
        for engine in engines {
            let pages = Pages::of(self.scope(engine));
            pages.end(Completeness::Complete, self.sink).await?;
        }
        Ok(())
    }

    fn scope(&self, part: &str) -> Scope {
        Scope {
            record: self.project.record(),
            branch: self.branch.map(str::to_owned),
            part: Some(part.to_owned()),
        }
    }

    /// Reads a scan's results; once more if the first reading is not to be believed.
    async fn read_scan(
        &mut self,
        chosen: &Chosen,
        open: &mut Open,
        strangers: &[String],
    ) -> Result<Completeness, ConnectorError> {
        let mut earlier: Option<Reading> = None;
        loop {
            let mut reading = Reading::new(self.page_size);
            match self.read_once(chosen, open, strangers, &mut reading).await {
                Err(ConnectorError::Http(error))
                    if error.kind == HttpErrorKind::Truncated && earlier.is_none() =>
                {
                    earlier = Some(reading);
                    continue;
                }
                outcome => outcome?,
            }
            match reading.verdict(earlier.as_ref()) {
                Verdict::Whole => return Ok(Completeness::Complete),
                Verdict::Doubtful(reason) if earlier.is_some() => {
                    return Ok(Completeness::Incomplete(format!(
                        "{}: results of scan {}: {reason} (read twice)",
                        self.project.name, chosen.scan.id
                    )));
                }
                Verdict::Doubtful(_) => earlier = Some(reading),
            }
        }
    }

    async fn read_once(
        &mut self,
        chosen: &Chosen,
        open: &mut Open,
        strangers: &[String],
        reading: &mut Reading,
    ) -> Result<(), ConnectorError> {
        let scan = &chosen.scan;
        let exclude = self.selection.exclude_dev_and_test;
        'pages: loop {
            let (offset, limit) = (reading.offset(), reading.limit());
            let mut elements = self.api.results(&scan.id, offset, limit, exclude).await?;
            while let Some(rows) = next(&mut elements).await? {
                for row in rows {
                    match reading.row(&row) {
                        Step::Next => {}
                        Step::AskAgain => continue 'pages,
                        Step::Stop => return Ok(()),
                    }
                    self.rows += 1;
                    self.take(&row, chosen, open, strangers).await?;
                }
            }
            let first = reading.total().is_none();
            let step = reading.close_page(total(elements.envelope()));
            if let (true, Some(total)) = (first, reading.total()) {
                self.sink.put(Pulled::Expected(total)).await?;
            }
            for pages in open.parts.values_mut() {
                pages.flush(self.sink).await?;
            }
            if step == Step::Stop {
                return Ok(());
            }
        }
    }

    /// Takes a row in if this scan is the one that counts for it.
    async fn take(
        &mut self,
        row: &[u8],
        chosen: &Chosen,
        open: &mut Open,
        strangers: &[String],
    ) -> Result<(), SinkClosed> {
        let parsed = std::str::from_utf8(row)
            .map_err(|_| "a result is not UTF-8".to_owned())
            .and_then(|text| Ok((text, Row::parse(text)?)));
        let (text, row) = match parsed {
            Ok(parsed) => parsed,
            Err(reason) => {
                // It may be of any engine.
                let part = open.parts.keys().next().cloned();
                let part = part.unwrap_or_else(|| "unreadable".to_owned());
                return self.add(open, &part, Err(reason)).await;
            }
        };
        let kind = row.type_name();
        let Some(part) = self.part(&kind, chosen, open, strangers) else {
            return Ok(());
        };
        let source = Source {
            location: self.location,
            project: &self.project.id,
            scan: &chosen.scan.id,
            states: self.states,
        };
        let sighting = finding::map(&row, text, &source);
        self.add(open, &part, sighting).await
    }

    async fn add(
        &mut self,
        open: &mut Open,
        part: &str,
        row: Result<Sighting, String>,
    ) -> Result<(), SinkClosed> {
        if !open.parts.contains_key(part) {
            let pages = Pages::of(self.scope(part));
            open.parts.insert(part.to_owned(), pages);
        }
        match open.parts.get_mut(part) {
            Some(pages) => pages.add(row, self.sink).await,
            None => Ok(()),
        }
    }

    /// The part that a row of this type belongs to; none if it is not to be taken from this scan.
    fn part(
        &self,
        kind: &str,
        chosen: &Chosen,
        open: &mut Open,
        strangers: &[String],
    ) -> Option<String> {
        match owner(kind, &chosen.scan.engines) {
            Owner::Engine(engine) => {
                let listed = |engines: &[String]| engines.iter().any(|one| one == engine);
                if !listed(&chosen.scan.engines) && self.selection.engines.includes(engine) {
                    open.odd.get_or_insert_with(|| {
                        format!(
                            "{}: scan {} has results of {engine}, which it does not list among its engines, so nothing is concluded from it",
                            self.project.name, chosen.scan.id
                        )
                    });
                }
                listed(&chosen.engines).then(|| engine.to_owned())
            }
            Owner::Unknown(kind) => {
                if !explains_unknown_types(&chosen.scan) {
                    open.odd.get_or_insert_with(|| {
                        format!(
                            "{}: scan {} has results of the type {kind:?}, which may be a new name for a known one, so nothing is concluded from it; a newer secpull may know it",
                            self.project.name, chosen.scan.id
                        )
                    });
                    // Under another name it would be a second finding, and stay for ever.
                    return None;
                }
                let part = format!("type:{kind}");
                let wanted = self.selection.engines.is_all() && !strangers.contains(&part);
                wanted.then_some(part)
            }
        }
    }
}

/// Whether it is no wonder that a scan has results of unknown types: it ran an engine that secpull does not know.
fn explains_unknown_types(scan: &Scan) -> bool {
    scan.engines.iter().any(|engine| !is_known(engine))
}

/// The next rows. A scan without results may have `null` in their place.
async fn next(elements: &mut Elements) -> Result<Option<Vec<bytes::Bytes>>, ConnectorError> {
    match elements.next().await {
        Err(error)
            if error.kind == HttpErrorKind::UnexpectedShape && is_empty(elements.envelope()) =>
        {
            Ok(None)
        }
        rows => Ok(rows?),
    }
}

#[derive(Default, serde::Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Envelope {
    total_count: Whole,
    results: Option<serde_json::Value>,
}

fn is_empty(envelope: &str) -> bool {
    serde_json::from_str::<Envelope>(envelope)
        .is_ok_and(|envelope| envelope.results.is_none() && envelope.total_count.0 == Some(0))
}

fn total(envelope: &str) -> Option<u64> {
    let envelope = serde_json::from_str::<Envelope>(envelope).ok()?;
    u64::try_from(envelope.total_count.0?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_no_results_by_count_are_an_empty_scan() {
        assert!(is_empty(r#"{"results":null,"totalCount":0}"#));
        assert!(is_empty(r#"{"totalCount":0}"#));
        assert!(!is_empty(r#"{"results":null,"totalCount":3}"#));
        assert!(!is_empty(r#"{"results":null}"#));
        assert!(!is_empty(r#"{"results":{},"totalCount":0}"#));
        assert!(!is_empty(""));
        assert_eq!(total(r#"{"results":[],"totalCount":7}"#), Some(7));
        assert_eq!(total(r#"{"results":[],"totalCount":"many"}"#), None);
    }
}
