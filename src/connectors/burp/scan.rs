//! Which scan of a site is the truth about it: the newest that succeeded, however old. One that failed or was cancelled
//! holds a part of the issues only.

use chrono::{DateTime, Utc};

use super::api::Server;
use super::query::operations::{LatestScan, NewestScan, latest_scan, newest_scan};
use super::sites::Site;
use crate::connectors::ConnectorError;

/// The scan whose issues are read.
#[derive(Debug, Clone)]
pub(super) struct Scan {
    pub(super) id: String,
    pub(super) end_time: Option<DateTime<Utc>>,
    /// A lower bound: issues marked as false positives may not be counted.
    pub(super) issues_at_least: u64,
    /// What an operator should know of a newer scan.
    pub(super) newer: Option<String>,
}

/// What there is of a site.
#[derive(Debug)]
pub(super) enum Latest {
    /// A scan to read.
    Succeeded(Scan),
    /// Scans, but none that succeeded: the newest one's id and status.
    Unfinished { id: String, status: String },
    /// No scan at all.
    None,
}

impl Latest {
    pub(super) async fn of(
        server: &Server,
        site: &Site,
        schedule: Option<&str>,
    ) -> Result<Self, ConnectorError> {
        let set: &[&str] = if schedule.is_some() {
            &["schedule"]
        } else {
            &[]
        };
        let variables = latest_scan::Variables {
            site: site.id.clone(),
            schedule: schedule.map(str::to_owned),
        };
        let answer = server.ask::<LatestScan>(variables, set).await?;
        let latest = first(answer.scans, "scans")?;
        let variables = newest_scan::Variables {
            site: site.id.clone(),
            schedule: schedule.map(str::to_owned),
        };
        let answer = server.ask::<NewestScan>(variables, set).await?;
        let newest = first(answer.scans, "scans")?.map(|scan| {
            let status = scan.status.as_ref().map_or("unknown", newest_status);
            (scan.id, status.to_owned())
        });
        let Some(latest) = latest else {
            return Ok(match newest {
                Some((id, status)) => Self::Unfinished { id, status },
                None => Self::None,
            });
        };
        believe(&latest, site)?;
        let end_time = latest.end_time.as_deref().and_then(time);
        let newer = newest.filter(|(id, status)| *id != latest.id && status != "succeeded");
        Ok(Self::Succeeded(Scan {
            newer: newer.map(|(id, status)| {
                let when = end_time.map_or_else(
                    || "an unknown time".to_owned(),
                    |time| time.format("%Y-%m-%d %H:%M UTC").to_string(),
                );
                format!(
                    "{site}: the newest scan {id} is {status}; read is scan {}, the last that succeeded, of {when}",
                    latest.id
                )
            }),
            end_time,
            issues_at_least: latest
                .issue_counts
                .and_then(|counts| u64::try_from(counts.total).ok())
                .unwrap_or(0),
            id: latest.id,
        }))
    }
}

fn first<T>(scans: Option<Vec<T>>, what: &str) -> Result<Option<T>, ConnectorError> {
    let scans = scans.ok_or_else(|| {
        ConnectorError::Refused(format!(
            "the server gave no list of {what}, not even an empty one"
        ))
    })?;
    Ok(scans.into_iter().next())
}

/// A server that does not heed the arguments must not be taken for one that does.
fn believe(scan: &latest_scan::LatestScanScans, site: &Site) -> Result<(), ConnectorError> {
    if scan.status != Some(latest_scan::ScanStatus::Succeeded) {
        return Err(ConnectorError::Refused(format!(
            "asked for succeeded scans, the server gave scan {}, which is not one",
            scan.id
        )));
    }
    let target = scan.scan_target.as_ref().map(|target| &target.id);
    match target.or(scan.site_id.as_ref()) {
        Some(target) if *target != site.id => Err(ConnectorError::Refused(format!(
            "asked for scans of site {}, the server gave scan {} of site {target}",
            site.id, scan.id
        ))),
        _ => Ok(()),
    }
}

fn newest_status(status: &newest_scan::ScanStatus) -> &str {
    use newest_scan::ScanStatus;
    match status {
        ScanStatus::Queued => "queued",
        ScanStatus::Running => "running",
        ScanStatus::Succeeded => "succeeded",
        ScanStatus::Cancelled => "cancelled",
        ScanStatus::Failed => "failed",
        ScanStatus::Paused => "paused",
        ScanStatus::Other(word) => word,
    }
}

/// A time that cannot be read is unknown; it is no reason to leave the scan unread.
fn time(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text)
        .ok()
        .map(|time| time.to_utc())
}
