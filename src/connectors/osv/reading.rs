//! The import of one SBOM.

use std::collections::BTreeMap;

use super::super::pages::Pages;
use super::api::{Api, Asked, Batch};
use super::batch::{Asking, Found, MOST_QUERIES, Trouble};
use super::details::{Detail, Details};
use super::finding;
use super::group::of_one_package;
use super::package::Package;
use super::row::Row;
use super::selection::Selection;
use crate::connectors::{Completeness, ConnectorError, Pulled, Record, Scope, Sink, SinkClosed};

/// So many records are in memory at once at most.
const RECORDS: usize = 64;

/// If OSV refuses more packages than this, the packages are not to blame.
const MOST_REFUSED: usize = 50;

/// Reads what OSV says of the packages of one SBOM.
pub(super) struct Reading<'a, 'd> {
    api: &'a Api,
    details: &'a mut Details<'d>,
    sink: &'a mut Sink,
    pages: Pages,
    /// Whether anything was handed over.
    pub(super) has_read: bool,
    refused: usize,
    /// Why nothing may be concluded, in the order in which it was found out.
    doubts: Vec<String>,
}

impl<'a, 'd> Reading<'a, 'd> {
    pub(super) fn new(
        record: Record,
        api: &'a Api,
        details: &'a mut Details<'d>,
        sink: &'a mut Sink,
    ) -> Self {
        let scope = Scope {
            record,
            branch: None,
            part: None,
        };
        Self {
            api,
            details,
            sink,
            pages: Pages::of(scope),
            has_read: false,
            refused: 0,
            doubts: Vec::new(),
        }
    }

    /// Asks for all packages, and hands over what is found.
    pub(super) async fn read(
        &mut self,
        selection: &Selection,
    ) -> Result<Completeness, ConnectorError> {
        if selection.packages.is_empty() {
            self.doubts.push(format!(
                "none of its {} packages can be asked for, so nothing is concluded",
                selection.total()
            ));
        }
        for packages in selection.packages.chunks(MOST_QUERIES) {
            let found = self.ask(packages).await?;
            self.take(packages, found).await?;
            self.pages.flush(self.sink).await?;
        }
        Ok(match self.doubts.as_slice() {
            [] => Completeness::Complete,
            [only] => Completeness::Incomplete(only.clone()),
            [first, rest @ ..] => {
                Completeness::Incomplete(format!("{first} (and {} more like it)", rest.len()))
            }
        })
    }

    pub(super) async fn end(self, completeness: Completeness) -> Result<(), SinkClosed> {
        self.pages.end(completeness, self.sink).await
    }

    /// Tells which packages are not scanned.
    pub(super) async fn warn(
        &mut self,
        name: &str,
        selection: &Selection,
    ) -> Result<(), SinkClosed> {
        match selection.warning() {
            Some(warning) => {
                self.sink
                    .put(Pulled::Warning(format!("{name}: {warning}")))
                    .await
            }
            None => Ok(()),
        }
    }

    async fn ask(&mut self, packages: &[Package]) -> Result<Vec<Found>, ConnectorError> {
        let mut asking = Asking::new(packages.len());
        while let Some(places) = asking.next() {
            let queries: Vec<_> = places
                .iter()
                .map(|place| Asked {
                    query: packages[*place].query(),
                    page_token: asking.token(*place),
                })
                .collect();
            match self.api.ask(&queries).await? {
                Batch::Pages(pages) => asking.answered(&places, pages),
                Batch::Refused { index, reason } => {
                    asking.refuse(places, index, &reason);
                    if self.refused + asking.refused() > MOST_REFUSED {
                        return Err(ConnectorError::Refused(format!(
                            "OSV refuses more than {MOST_REFUSED} packages, the last one with {reason:?}; check linux_release and the purls of the SBOM"
                        )));
                    }
                }
            }
        }
        self.refused += asking.refused();
        Ok(asking.finish().collect())
    }

    async fn take(
        &mut self,
        packages: &[Package],
        found: Vec<Found>,
    ) -> Result<(), ConnectorError> {
        let found: Vec<_> = packages.iter().zip(found).collect();
        for (package, found) in &found {
            self.note(package, found.trouble.as_ref()).await?;
        }
        let found: Vec<_> = found
            .into_iter()
            .filter(|(_, found)| !found.hits.is_empty())
            .collect();
        let mut rest = found.as_slice();
        while !rest.is_empty() {
            // As many packages as share one round of records, or one whose own take several.
            let mut hits = 0;
            let fits = |(_, found): &&(&Package, Found)| {
                hits += found.hits.len();
                hits <= RECORDS
            };
            let count = rest.iter().take_while(fits).count().max(1);
            let (now, later) = rest.split_at(count);
            self.give(now).await?;
            rest = later;
        }
        Ok(())
    }

    async fn note(
        &mut self,
        package: &Package,
        trouble: Option<&Trouble>,
    ) -> Result<(), SinkClosed> {
        let id = &package.id;
        match trouble {
            None => Ok(()),
            Some(Trouble::Unreadable(reason)) => {
                let reason = format!("{id}: {reason}");
                self.pages.add(Err(reason), self.sink).await
            }
            Some(Trouble::Refused(reason)) => {
                self.doubts.push(format!(
                    "OSV refuses to look for {id} ({reason}): it was set aside, and nothing is concluded"
                ));
                Ok(())
            }
            Some(Trouble::Endless) => {
                self.doubts.push(format!(
                    "{id}: OSV always had one more page, so they were not read to their end"
                ));
                Ok(())
            }
        }
    }

    /// Hands over the findings of these packages.
    async fn give(&mut self, found: &[(&Package, Found)]) -> Result<(), ConnectorError> {
        let pairs: Vec<_> = found
            .iter()
            .enumerate()
            .flat_map(|(place, (_, found))| found.hits.iter().map(move |hit| (place, hit)))
            .collect();
        let mut rows: Vec<Vec<Row>> = found.iter().map(|_| Vec::new()).collect();
        for pairs in pairs.chunks(RECORDS) {
            let hits: BTreeMap<&str, &str> = pairs
                .iter()
                .map(|(_, (id, modified))| (id.as_str(), modified.as_str()))
                .collect();
            let details = self.details.of(&hits).await?;
            for (place, (id, modified)) in pairs {
                let Some(detail) = details.get(id.as_str()) else {
                    continue;
                };
                let row = self.row(found[*place].0, id, modified, detail).await?;
                rows[*place].extend(row);
            }
        }
        for ((package, _), rows) in found.iter().zip(rows) {
            for group in of_one_package(rows) {
                let Some((kept, others)) = group.split_first() else {
                    continue;
                };
                self.has_read = true;
                let sighting = finding::map(package, kept, others);
                self.pages.add(Ok(sighting), self.sink).await?;
            }
        }
        Ok(())
    }

    /// What a record says of a package; if it was not given, what it said before, or that it is there at least.
    async fn row(
        &mut self,
        package: &Package,
        id: &str,
        modified: &str,
        detail: &Detail,
    ) -> Result<Option<Row>, SinkClosed> {
        let text = match detail {
            Detail::Now(text) => Some(text),
            Detail::Not {
                reason,
                earlier,
                gone,
            } => {
                self.doubts.push(format!("{id}: {reason}"));
                if earlier.is_none() && *gone {
                    return Ok(Some(Row::bare(id, modified)));
                }
                earlier.as_ref()
            }
        };
        let Some(text) = text else { return Ok(None) };
        match Row::of(package, text) {
            Ok(row) => Ok(row),
            Err(reason) => {
                self.pages.add(Err(reason), self.sink).await?;
                Ok(None)
            }
        }
    }
}
