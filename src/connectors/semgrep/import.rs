//! The import of one type of findings of one project.

use super::api::{Api, explain};
use super::finding::{self, Source};
use super::issue_type::IssueType;
use super::paging::{Cursors, READINGS, Reading, Step, Turn, Verdict, cursor, lists_nothing};
use super::project::{Deployment, Project};
use super::row::{Row, SecretRow, parse};
use super::secret;
use super::spec::{Selection, short_ref};
use super::time::time;
use crate::connectors::lenient::Text;
use crate::connectors::pages::Pages;
use crate::connectors::{Completeness, ConnectorError, Scope, Sink, SinkClosed};
use crate::finding::Sighting;
use crate::http::{Elements, HttpErrorKind};

/// What is read, from where.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a> {
    pub(super) api: &'a Api,
    pub(super) deployment: &'a Deployment,
    pub(super) project: &'a Project,
    pub(super) selection: &'a Selection,
    pub(super) issue_type: IssueType,
}

/// A scope on its way into the sink.
pub(super) struct Import<'a> {
    reader: Reader<'a>,
    pages: Pages,
    sink: &'a mut Sink,
    /// Rows of this project and branch, readable or not.
    own: u64,
    /// Rows that were not asked for.
    foreign: u64,
}

impl<'a> Import<'a> {
    pub(super) fn of(reader: Reader<'a>, sink: &'a mut Sink) -> Self {
        Self {
            pages: Pages::of(reader.scope()),
            reader,
            sink,
            own: 0,
            foreign: 0,
        }
    }

    /// Reads all there is.
    pub(super) async fn read(&mut self) -> Result<Completeness, ConnectorError> {
        let completeness = match self.reader.issue_type {
            IssueType::Secrets => self.read_secrets().await?,
            _ => self.read_findings().await?,
        };
        // Some rows that were not asked for do no harm; if there are no others, the filter did not do what it should.
        Ok(match completeness {
            Completeness::Complete if self.own == 0 && self.foreign > 0 => {
                self.reader.incomplete(&format!(
                    "all {} rows are of other projects or branches than was asked for",
                    self.foreign
                ))
            }
            completeness => completeness,
        })
    }

    /// Whether there was nothing to take in.
    pub(super) fn is_empty(&self) -> bool {
        self.own == 0
    }

    pub(super) async fn end(self, completeness: Completeness) -> Result<(), SinkClosed> {
        self.pages.end(completeness, self.sink).await
    }

    /// Reads the list of findings as often as it takes to believe it.
    async fn read_findings(&mut self) -> Result<Completeness, ConnectorError> {
        let mut earlier: Option<Reading> = None;
        let mut readings = 0;
        loop {
            let outcome = self.read_pages().await;
            readings += 1;
            let mut reading = match outcome {
                Err(failure) if readings == 1 && is_cut(&failure) => continue,
                outcome => outcome?,
            };
            let reason = match reading.verdict(earlier.as_ref()) {
                Verdict::Whole => return Ok(Completeness::Complete),
                Verdict::Doubtful(_) if readings < READINGS => {
                    earlier = Some(reading);
                    continue;
                }
                Verdict::Doubtful(reason) | Verdict::Hopeless(reason) => reason,
            };
            return Ok(self
                .reader
                .incomplete(&format!("{reason} (read {readings} times)")));
        }
    }

    async fn read_pages(&mut self) -> Result<Reading, ConnectorError> {
        let Reader {
            api,
            deployment,
            project,
            selection,
            issue_type,
        } = self.reader;
        let branch = selection.branch.as_deref();
        let source = Source {
            issue_type,
            project: &project.name,
            identity: selection.identity,
            of_one_ref: branch.is_some(),
        };
        let mut reading = Reading::default();
        loop {
            let page = reading.page();
            let mut elements = api
                .findings(deployment, issue_type, project, branch, page)
                .await?;
            while let Some(rows) = elements.next().await.map_err(explain)? {
                for row in rows {
                    let parsed = parse::<Row<'_>>(&row);
                    let read = parsed.as_ref().ok().map(|(_, row)| row);
                    let id = read.and_then(|row| row.id.text());
                    let since = read.and_then(|row| time(row.relevant_since.as_str()));
                    reading.row(id.as_deref(), since);
                    let asked_for = read.is_none_or(|row| {
                        is_of(project, &row.repository.0.name) && is_on(branch, &row.git_ref)
                    });
                    let sighting = parsed.and_then(|(raw, row)| finding::map(&row, raw, &source));
                    self.take(sighting, asked_for).await?;
                }
            }
            self.pages.flush(self.sink).await?;
            if reading.close_page() == Step::Stop {
                return Ok(reading);
            }
        }
    }

    /// Follows the cursors of the list of secrets; once more from the beginning if an answer was cut off.
    async fn read_secrets(&mut self) -> Result<Completeness, ConnectorError> {
        match self.read_cursors().await {
            Err(failure) if is_cut(&failure) => self.read_cursors().await,
            outcome => outcome,
        }
    }

    async fn read_cursors(&mut self) -> Result<Completeness, ConnectorError> {
        let Reader {
            api,
            deployment,
            project,
            ..
        } = self.reader;
        let mut cursors = Cursors::default();
        let mut at: Option<String> = None;
        loop {
            let mut elements = api.secrets(deployment, project, at.as_deref()).await?;
            while let Some(rows) = next(&mut elements).await? {
                for row in rows {
                    let parsed = parse::<SecretRow<'_>>(&row);
                    let asked_for = parsed
                        .as_ref()
                        .map_or(true, |(_, row)| is_of(project, &row.repository.0.name));
                    let sighting = parsed.and_then(|(raw, row)| secret::map(&row, raw));
                    self.take(sighting, asked_for).await?;
                }
            }
            self.pages.flush(self.sink).await?;
            let cursor = match cursor(elements.envelope()) {
                Ok(cursor) => cursor,
                Err(reason) => return Ok(self.reader.incomplete(&reason)),
            };
            match cursors.turn(cursor) {
                Turn::End => return Ok(Completeness::Complete),
                Turn::Next(cursor) => at = Some(cursor),
                Turn::Stuck(reason) => return Ok(self.reader.incomplete(&reason)),
            }
        }
    }

    async fn take(
        &mut self,
        row: Result<Sighting, String>,
        asked_for: bool,
    ) -> Result<(), SinkClosed> {
        if !asked_for {
            self.foreign += 1;
            return Ok(());
        }
        self.own += 1;
        self.pages.add(row, self.sink).await
    }
}

impl Reader<'_> {
    /// Each type is a scope of its own, and so is each view of the findings: over all refs, or of one. What another view does
    /// not show is not gone.
    fn scope(&self) -> Scope {
        let branch = match self.issue_type {
            // Of a secret only the newest place is told, on whatever branch.
            IssueType::Secrets => None,
            _ => self.selection.branch.clone(),
        };
        let part = match &branch {
            Some(branch) => format!("{}@{branch}", self.issue_type),
            None => self.issue_type.to_string(),
        };
        Scope {
            record: self.project.record(),
            branch,
            part: Some(part),
        }
    }

    /// The end of a scope for this reason.
    pub(super) fn incomplete(&self, reason: &str) -> Completeness {
        let (project, issue_type) = (&self.project.name, self.issue_type);
        Completeness::Incomplete(format!("{project}, {issue_type}: {reason}"))
    }
}

/// A row that names no project is of the one that was asked for.
fn is_of(project: &Project, named: &Text<'_>) -> bool {
    let named = named.as_str();
    named.is_none_or(|named| named.eq_ignore_ascii_case(&project.name))
}

fn is_on(branch: Option<&str>, git_ref: &Text<'_>) -> bool {
    match (branch, git_ref.as_str()) {
        (Some(branch), Some(git_ref)) => short_ref(git_ref) == branch,
        _ => true,
    }
}

fn is_cut(failure: &ConnectorError) -> bool {
    matches!(failure, ConnectorError::Http(error) if error.kind == HttpErrorKind::Truncated)
}

/// The next rows of a list by cursors.
async fn next(elements: &mut Elements) -> Result<Option<Vec<bytes::Bytes>>, ConnectorError> {
    match elements.next().await {
        Err(error)
            if error.kind == HttpErrorKind::UnexpectedShape
                && lists_nothing(elements.envelope()) =>
        {
            Ok(None)
        }
        rows => rows.map_err(explain),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn rows_of_other_projects_and_refs_are_known_by_what_they_say() {
        let project = Project::parse(br#"{"name":"acme/shop"}"#).unwrap();
        let text = |text: &'static str| Text(Some(text.into()));
        assert!(is_of(&project, &text("Acme/Shop")));
        assert!(is_of(&project, &Text(None)));
        assert!(!is_of(&project, &text("acme/shop-web")));
        assert!(is_on(Some("main"), &text("refs/heads/main")));
        assert!(is_on(Some("main"), &Text(None)));
        assert!(is_on(None, &text("anything")));
        assert!(!is_on(Some("main"), &text("maintenance")));
    }
}
