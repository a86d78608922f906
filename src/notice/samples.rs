//! One notice of each sort: what templates are tried on when the configuration is loaded.

use chrono::{DateTime, Utc};

use super::{
    Event, ListedFinding, NewFindings, Notice, Overdue, Recovered, RunFacts, SeverityCount,
};
use crate::finding::Severity;

/// Every member is there in one of them, and missing in another.
pub(super) fn one_of_each() -> Vec<Notice> {
    vec![
        partial(),
        refused(),
        held(),
        overdue(),
        recovered(),
        found(),
    ]
}

/// An import that broke off, with many new findings.
pub(super) fn partial() -> Notice {
    Notice {
        events: vec![Event::ImportPartial, Event::NewFindings],
        run: Some(run("partial")),
        error: Some("GET https://dtrack.example.com/api/v1/finding: 502 Bad Gateway".into()),
        new_findings: Some(NewFindings {
            severity: Severity::High,
            count: 23,
            by_severity: vec![
                SeverityCount {
                    severity: Severity::Critical,
                    count: 3,
                },
                SeverityCount {
                    severity: Severity::High,
                    count: 20,
                },
            ],
            findings: vec![log4shell()],
            more: 22,
        }),
        ..bare()
    }
}

fn refused() -> Notice {
    Notice {
        events: vec![Event::CredentialsRefused, Event::ImportFailed],
        run: Some(run("failed")),
        error: Some(UNAUTHORIZED.into()),
        action: Some("secpull check shop".into()),
        ..bare()
    }
}

fn held() -> Notice {
    Notice {
        events: vec![Event::ImportHeld],
        product: None,
        run: Some(run("held")),
        action: Some("secpull accept shop".into()),
        ..bare()
    }
}

fn overdue() -> Notice {
    Notice {
        events: vec![Event::NotImported],
        not_imported: Some(Overdue {
            last_complete_at: Some(time(25, 2, 1, 10)),
            limit_seconds: 26 * 3600,
        }),
        ..bare()
    }
}

fn recovered() -> Notice {
    Notice {
        events: vec![Event::Recovered],
        run: Some(run("complete")),
        recovered: Some(Recovered {
            from: Event::ImportFailed,
            run: Some(43),
            error: Some(UNAUTHORIZED.into()),
        }),
        ..bare()
    }
}

fn found() -> Notice {
    Notice {
        events: vec![Event::NewFindings],
        run: Some(run("complete")),
        new_findings: Some(NewFindings {
            severity: Severity::Critical,
            count: 1,
            by_severity: vec![SeverityCount {
                severity: Severity::Critical,
                count: 1,
            }],
            findings: vec![ListedFinding {
                vulnerability_id: None,
                branch: None,
                service: None,
                ..log4shell()
            }],
            more: 0,
        }),
        ..bare()
    }
}

const UNAUTHORIZED: &str = "GET https://dtrack.example.com/api/version: 401 Unauthorized";

fn bare() -> Notice {
    Notice {
        id: "5b0fe7a1c2d3e4f5a6b7c8d9e0f1a2b3".into(),
        events: Vec::new(),
        at: time(27, 2, 1, 10),
        api_configuration: "shop".into(),
        connector: "dependency-track".into(),
        product: Some("Shop".into()),
        run: None,
        error: None,
        action: None,
        new_findings: None,
        recovered: None,
        not_imported: None,
    }
}

fn run(status: &str) -> RunFacts {
    RunFacts {
        id: 42,
        status: status.into(),
        started_at: Some(time(27, 2, 0, 3)),
        finished_at: Some(time(27, 2, 1, 10)),
        new: 25,
        updated: 1,
        unchanged: 100,
        resolved: 0,
        reopened: 2,
        unreadable: 0,
    }
}

fn log4shell() -> ListedFinding {
    ListedFinding {
        id: 17,
        severity: Severity::Critical,
        title: "Log4Shell".into(),
        vulnerability_id: Some("CVE-2021-44228".into()),
        place: "log4j-core 2.14.1".into(),
        product: "Shop".into(),
        branch: Some("main".into()),
        service: Some("checkout".into()),
    }
}

/// A time of November 2026, UTC.
fn time(day: i64, hour: i64, minute: i64, second: i64) -> DateTime<Utc> {
    /// 2026-11-01.
    const NOVEMBER: i64 = 1_793_491_200;
    let seconds = ((day - 1) * 24 + hour) * 3600 + minute * 60 + second;
    DateTime::from_timestamp(NOVEMBER + seconds, 0).unwrap_or_default()
}
