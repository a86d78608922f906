//! One import: all findings of the hub, page by page, each to its record.

use std::collections::BTreeMap;

use super::finding::{self, Mapped};
use super::hub::Hub;
use super::page::{Broken, Page, Walk};
use super::reach::{self, Reach};
use super::selection::{Selection, Wanted};
use crate::connectors::{Completeness, ConnectorError, Pulled, Record, Scope, Sink};
use crate::finding::{Sighting, SourceKey};

/// The record of an account in a Region.
pub(super) fn record(account: &str, region: &str) -> Record {
    let name = format!("{account}/{region}");
    Record {
        id: name.clone(),
        name,
        detail: None,
    }
}

/// Reads everything, and says how it ended.
pub(super) async fn pull(
    hub: &Hub,
    selection: Selection,
    sink: &mut Sink,
) -> Result<(), ConnectorError> {
    let before = reach::of(hub).await?;
    if let Some(warning) = before.warning.clone() {
        sink.put(Pulled::Warning(warning)).await?;
    }
    let mut reading = Reading {
        selection,
        records: BTreeMap::new(),
        rows: 0,
        homeless: 0,
        homeless_reason: None,
    };
    let doubt = match reading.read(hub, sink).await? {
        None => reading.doubt(hub, &before).await?,
        doubt => doubt,
    };
    reading.end(&before, doubt, sink).await
}

/// Every record of the hub: where it has findings, and those that it is linked to. The policy allows no call that lists
/// member accounts, so the findings are walked through.
pub(super) async fn discover(hub: &Hub) -> Result<Vec<Record>, ConnectorError> {
    let reach = reach::of(hub).await?;
    let mut records = BTreeMap::new();
    for region in &reach.regions {
        let record = record(&reach.account, region);
        records.insert(record.id.clone(), record);
    }
    let mut walk = Walk::new(hub, Selection::default().filters());
    loop {
        let page = match walk.next().await {
            Ok(Some(page)) => page,
            Ok(None) => break,
            Err(Broken::Failed(trouble)) => return Err(trouble.into()),
            Err(Broken::Doubtful(reason)) => return Err(ConnectorError::Refused(reason)),
        };
        for row in page {
            if let Ok(mapped) = finding::map(row.get()) {
                let record = record(&mapped.account, &mapped.region);
                records.entry(record.id.clone()).or_insert(record);
            }
        }
    }
    Ok(records.into_values().collect())
}

/// The rows of one page that are one record's.
#[derive(Default)]
struct Part {
    sightings: Vec<Sighting>,
    left_out: Vec<SourceKey>,
    unreadable: u64,
    unreadable_reason: Option<String>,
}

struct Reading {
    selection: Selection,
    /// Records that rows were read of, by id.
    records: BTreeMap<String, Record>,
    rows: u64,
    /// Rows that could not even be given to a record.
    homeless: u64,
    /// Why the first of them could not.
    homeless_reason: Option<String>,
}

impl Reading {
    /// Reads to the end; the reason is why nothing can be concluded from it. An error is one before the first row.
    async fn read(&mut self, hub: &Hub, sink: &mut Sink) -> Result<Option<String>, ConnectorError> {
        let mut walk = Walk::new(hub, self.selection.filters());
        loop {
            match walk.next().await {
                Ok(Some(page)) => self.take(page, sink).await?,
                Ok(None) => return Ok(self.homeless_reason.clone()),
                Err(Broken::Failed(trouble)) if self.rows == 0 => return Err(trouble.into()),
                Err(Broken::Failed(trouble)) => return Ok(Some(trouble.error.to_string())),
                Err(Broken::Doubtful(reason)) => return Ok(Some(reason)),
            }
        }
    }

    async fn take(&mut self, page: Page, sink: &mut Sink) -> Result<(), ConnectorError> {
        let mut parts: BTreeMap<String, Part> = BTreeMap::new();
        for row in page {
            self.rows += 1;
            match finding::map(row.get()) {
                Ok(mapped) => self.sort(mapped, &mut parts, sink),
                Err(unreadable) => match unreadable.record {
                    Some((account, region)) => {
                        let wanted = self.selection.covers(&account, &region);
                        if let Some(part) = self.part(&account, &region, wanted, &mut parts, sink) {
                            part.unreadable += 1;
                            part.unreadable_reason.get_or_insert(unreadable.reason);
                        }
                    }
                    None => {
                        self.homeless += 1;
                        self.homeless_reason.get_or_insert(unreadable.reason);
                    }
                },
            }
        }
        for (id, part) in parts {
            let Some(record) = self.records.get(&id).cloned() else {
                continue;
            };
            let scope = Scope {
                part: None,
                record,
                branch: None,
            };
            if !part.left_out.is_empty() {
                let left_out = Pulled::LeftOut {
                    scope: scope.clone(),
                    keys: part.left_out,
                };
                sink.put(left_out).await?;
            }
            sink.put(Pulled::Page {
                scope,
                sightings: part.sightings,
                unreadable: part.unreadable,
                unreadable_reason: part.unreadable_reason,
            })
            .await?;
        }
        Ok(())
    }

    fn sort(&mut self, mapped: Mapped, parts: &mut BTreeMap<String, Part>, sink: &Sink) {
        let wanted = self.selection.wants(&mapped);
        let ours = wanted != Wanted::Elsewhere;
        let Some(part) = self.part(&mapped.account, &mapped.region, ours, parts, sink) else {
            return;
        };
        match wanted {
            Wanted::Yes => part.sightings.push(mapped.sighting),
            Wanted::LeftOut => part.left_out.push(mapped.sighting.source_key()),
            Wanted::Elsewhere => {}
        }
    }

    /// The part of a record, if the record is wanted.
    fn part<'p>(
        &mut self,
        account: &str,
        region: &str,
        ours: bool,
        parts: &'p mut BTreeMap<String, Part>,
        sink: &Sink,
    ) -> Option<&'p mut Part> {
        let record = record(account, region);
        if !ours || !sink.wants(&record) {
            return None;
        }
        let id = record.id.clone();
        self.records.entry(id.clone()).or_insert(record);
        Some(parts.entry(id).or_default())
    }

    /// Whether the hub still is what it was.
    async fn doubt(&self, hub: &Hub, before: &Reach) -> Result<Option<String>, ConnectorError> {
        match reach::of(hub).await {
            Ok(after) => Ok(after.shrunk(before)),
            Err(trouble) if self.rows == 0 => Err(trouble.into()),
            Err(trouble) => Ok(Some(trouble.error.to_string())),
        }
    }

    /// Concludes: about records that had findings, and about those of the hub's own account, which may have none left. Others
    /// are gone from the hub, and that does not mean that they are mended.
    async fn end(
        mut self,
        reach: &Reach,
        doubt: Option<String>,
        sink: &mut Sink,
    ) -> Result<(), ConnectorError> {
        for region in &reach.regions {
            if self.selection.covers(&reach.account, region) {
                let record = record(&reach.account, region);
                self.records.entry(record.id.clone()).or_insert(record);
            }
        }
        if doubt.is_none() && self.selection.is_of_all_records() {
            let records = self.records.values().cloned().collect();
            sink.put(Pulled::Records(records)).await?;
        }
        for record in self.records.into_values() {
            if !sink.wants(&record) {
                continue;
            }
            let homeless = std::mem::take(&mut self.homeless);
            if homeless > 0 {
                // They count, and no record is nearer than another: any may have lost them.
                sink.put(Pulled::Page {
                    scope: Scope {
                        part: None,
                        record: record.clone(),
                        branch: None,
                    },
                    sightings: Vec::new(),
                    unreadable: homeless,
                    unreadable_reason: self.homeless_reason.take(),
                })
                .await?;
            }
            let completeness = match &doubt {
                None => Completeness::Complete,
                Some(reason) => Completeness::Incomplete(reason.clone()),
            };
            let scope = Scope {
                part: None,
                record,
                branch: None,
            };
            sink.put(Pulled::End {
                scope,
                completeness,
            })
            .await?;
        }
        Ok(())
    }
}
