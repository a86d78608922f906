//! What issues, hotspots and dependency risks of one project have in common on their way into the sink.

use std::collections::{BTreeSet, HashMap};

use super::api::{Api, refused};
use super::place::{Place, Reference};
use super::rules::Rules;
use crate::connectors::pages::Pages;
use crate::connectors::{ConnectorError, Pulled, Record, Scope, Sink, SinkClosed};
use crate::finding::Sighting;

/// What is imported: a project, or a branch or pull request of it.
#[derive(Debug, Clone)]
pub(super) struct Target {
    pub(super) record: Record,
    pub(super) reference: Reference,
    /// The name that findings are filed under.
    pub(super) branch: Option<String>,
}

impl Target {
    pub(super) fn project(&self) -> &str {
        &self.record.id
    }

    pub(super) fn scope(&self, part: &str) -> Scope {
        Scope {
            record: self.record.clone(),
            branch: self.branch.clone(),
            part: Some(part.to_owned()),
        }
    }

    /// `com.acme:shop on branch release/1`, for people.
    pub(super) fn words(&self) -> String {
        format!("{}{}", self.record.id, self.reference.words())
    }
}

/// One scope on its way into the sink.
pub(super) struct Feed<'a> {
    pub(super) api: &'a Api<'a>,
    pub(super) rules: &'a mut Rules,
    pub(super) target: &'a Target,
    pub(super) sink: &'a mut Sink,
    pub(super) pages: Pages,
    /// Rows of the whole import so far.
    pub(super) rows: &'a mut u64,
}

impl Feed<'_> {
    pub(super) fn place<'b>(&'b self, paths: &'b HashMap<String, String>) -> Place<'b> {
        Place {
            root: self.api.site.root.as_str(),
            project: self.target.project(),
            reference: &self.target.reference,
            paths,
        }
    }

    /// Refuses an answer with rows of another project or branch: the tool has ignored a filter that it does not know, and what
    /// comes is everything that the token's user may see.
    pub(super) fn refuse_foreign(
        &self,
        path: &str,
        project: Option<&str>,
        branch: Option<&str>,
    ) -> Result<(), ConnectorError> {
        let wanted = self.target.project();
        if let Some(other) = project.filter(|project| *project != wanted) {
            let reason = format!(
                "rows of project {other} came, and {wanted} was asked for; nothing is taken from such an answer"
            );
            return Err(refused(path, &reason));
        }
        if let (Some((name, wanted)), Some(other)) = (self.target.reference.parameter(), branch)
            && wanted != other
        {
            let reason = format!(
                "rows of {name} {other} came, and {wanted} was asked for; nothing is taken from such an answer"
            );
            return Err(refused(path, &reason));
        }
        Ok(())
    }

    /// Fetches what is not yet known of these rules.
    pub(super) async fn learn(&mut self, keys: BTreeSet<String>) -> Result<(), SinkClosed> {
        self.rules.learn(self.api, keys).await;
        self.warn().await
    }

    pub(super) async fn warn(&mut self) -> Result<(), SinkClosed> {
        match self.rules.warning() {
            Some(warning) => self.sink.put(Pulled::Warning(warning)).await,
            None => Ok(()),
        }
    }

    pub(super) async fn add(&mut self, row: Result<Sighting, String>) -> Result<(), SinkClosed> {
        *self.rows += 1;
        self.pages.add(row, self.sink).await
    }

    pub(super) async fn flush(&mut self) -> Result<(), SinkClosed> {
        self.pages.flush(self.sink).await
    }

    pub(super) async fn expect(&mut self, rows: u64) -> Result<(), SinkClosed> {
        self.sink.put(Pulled::Expected(rows)).await
    }
}

/// A row that does not say whose it is cannot be known to be this project's.
pub(super) fn of_a_project(project: Option<&str>, what: &str) -> Result<(), String> {
    match project {
        Some(_) => Ok(()),
        None => Err(format!("{what} does not tell its project")),
    }
}
