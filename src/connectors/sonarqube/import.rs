//! The import of one project, or of a branch of it: each type of issue, hotspots and dependency risks are scopes of their own, so
//! that a setting that takes one of them out does not make it look gone.

use super::api::{Api, ISSUES};
use super::feed::{Feed, Target};
use super::hotspots::Hotspots;
use super::issues::Issues;
use super::reading::Window;
use super::risks::Risks;
use super::rules::Rules;
use super::spec::{Selected, Selection};
use super::version::Mode;
use super::walk::read_all;
use crate::connectors::pages::Pages;
use crate::connectors::{Completeness, ConnectorError, Pulled, Sink};
use crate::http::HttpErrorKind;

const HOTSPOTS_PART: &str = "hotspots";
const RISKS_PART: &str = "dependency_risks";

/// A project on its way into the sink, after it was proven to be there.
pub(super) struct Import<'a> {
    pub(super) api: &'a Api<'a>,
    pub(super) mode: Mode,
    pub(super) rules: &'a mut Rules,
    pub(super) target: &'a Target,
    pub(super) selection: &'a Selection,
    pub(super) sink: &'a mut Sink,
    /// Rows that have come, of whatever use.
    pub(super) rows: u64,
}

impl Import<'_> {
    /// Reads all that is selected. A part that fails is incomplete, and the others go on if they may fare better.
    pub(super) async fn read(&mut self) -> Result<(), ConnectorError> {
        let selection = self.selection;
        let mut whole = true;
        for (index, selected) in selection.issues.iter().enumerate() {
            whole &= self.issues(*selected, &selection.issues[..index]).await?;
        }
        if whole && self.rows == 0 && !selection.issues.is_empty() {
            self.warn_of_others().await?;
        }
        if selection.hotspots {
            self.hotspots().await?;
        }
        if selection.risks {
            self.risks().await?;
        }
        Ok(())
    }

    /// Whether they were read to their end.
    async fn issues(
        &mut self,
        selected: Selected,
        taken: &[Selected],
    ) -> Result<bool, ConnectorError> {
        let window = Window::new(self.api.page_size);
        let mode = self.mode;
        let part = selected.part();
        let mut search = Issues {
            feed: self.feed(&part),
            mode,
            selected,
            taken,
        };
        let outcome = read_all(&mut search, window).await;
        let pages = search.feed.pages;
        let outcome = match outcome {
            Ok((0, None)) => self.doubt_of_nothing().await,
            outcome => outcome.map(|(_, doubt)| doubt),
        };
        self.end(pages, &part, outcome).await
    }

    /// Why that there are no issues may not be so: on Cloud there are none either in an organization that is misspelt.
    async fn doubt_of_nothing(&self) -> Result<Option<String>, ConnectorError> {
        let Some(organization) = self.api.site.organization() else {
            return Ok(None);
        };
        let project = self.target.project();
        Ok(match self.api.organization_has(project).await? {
            true => None,
            false => Some(format!(
                "the organization {organization} does not list the project, so its empty answer proves nothing; check `organization`"
            )),
        })
    }

    async fn hotspots(&mut self) -> Result<bool, ConnectorError> {
        let window = Window::new(self.api.page_size);
        let mut search = Hotspots {
            feed: self.feed(HOTSPOTS_PART),
            files: None,
        };
        let outcome = read_all(&mut search, window).await;
        let pages = search.feed.pages;
        let outcome = outcome.map(|(_, doubt)| doubt);
        self.end(pages, HOTSPOTS_PART, outcome).await
    }

    async fn risks(&mut self) -> Result<bool, ConnectorError> {
        let licences = self.selection.licences;
        let mut risks = Risks {
            feed: self.feed(RISKS_PART),
            part: RISKS_PART,
            licences,
        };
        let outcome = risks.read().await;
        let pages = risks.feed.pages;
        self.end(pages, RISKS_PART, outcome).await
    }

    fn feed(&mut self, part: &str) -> Feed<'_> {
        Feed {
            api: self.api,
            rules: self.rules,
            target: self.target,
            pages: Pages::of(self.target.scope(part)),
            sink: self.sink,
            rows: &mut self.rows,
        }
    }

    async fn end(
        &mut self,
        pages: Pages,
        part: &str,
        outcome: Result<Option<String>, ConnectorError>,
    ) -> Result<bool, ConnectorError> {
        let (completeness, failure) = match outcome {
            Ok(None) => (Completeness::Complete, None),
            Ok(Some(doubt)) => {
                let reason = format!("{}: {part}: {doubt}", self.target.words());
                (Completeness::Incomplete(reason), None)
            }
            Err(ConnectorError::Closed(closed)) => return Err(closed.into()),
            // Nothing came yet: the failure is the whole story, and the run's.
            Err(failure) if self.rows == 0 => return Err(failure),
            Err(failure) => {
                let reason = format!("{}: {part}: {failure}", self.target.words());
                (Completeness::Incomplete(reason), Some(failure))
            }
        };
        let whole = completeness == Completeness::Complete;
        pages.end(completeness, self.sink).await?;
        match failure {
            Some(failure) if pointless(&failure) || failure.concerns_all() => Err(failure),
            _ => Ok(whole),
        }
    }

    /// That nothing was found may be for the selection alone, which few people think of.
    async fn warn_of_others(&mut self) -> Result<(), ConnectorError> {
        let query = self
            .api
            .issues_of(self.target.project(), &self.target.reference);
        let page = self.api.page(ISSUES, query, 1, 1).await;
        let others = page.ok().and_then(|page| page.total.ok()).unwrap_or(0);
        if others == 0 {
            return Ok(());
        }
        let words: Vec<_> = self
            .selection
            .issues
            .iter()
            .map(|one| one.parameter().1)
            .collect();
        let warning = format!(
            "{}: none of its {others} issues is of {}; `types` or `software_qualities` selects others",
            self.target.words(),
            words.join(", ")
        );
        Ok(self.sink.put(Pulled::Warning(warning)).await?)
    }
}

/// Whether everything else would fail likewise.
pub(super) fn pointless(failure: &ConnectorError) -> bool {
    match failure {
        ConnectorError::Closed(_) | ConnectorError::Credentials(_) => true,
        ConnectorError::Refused(_) => false,
        ConnectorError::Http(error) => {
            error.status() == Some(401)
                || matches!(error.kind, HttpErrorKind::Redirected | HttpErrorKind::Setup)
        }
    }
}
