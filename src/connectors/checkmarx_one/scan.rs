//! Which scans count. A scan holds only what the engines that it ran have found, so the newest is looked for engine by engine.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::value::RawValue;

use super::engine::{Wanted, name_of};
use super::time::time;
use crate::connectors::lenient::{List, Object, Text};

/// A scan as far as the import needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Scan {
    pub(super) id: String,
    pub(super) branch: Option<String>,
    pub(super) project: Option<String>,
    pub(super) created: Option<DateTime<Utc>>,
    /// All that it ran.
    pub(super) engines: Vec<String>,
    status: String,
    /// Those that are said to have ended otherwise than well.
    failed: Vec<String>,
    /// Those that are said to have completed.
    completed: Vec<String>,
}

#[derive(Default, serde::Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Row<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    status: Text<'a>,
    branch: Text<'a>,
    project_id: Text<'a>,
    created_at: Text<'a>,
    engines: List<Text<'a>>,
    status_details: List<Object<Detail<'a>>>,
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct Detail<'a> {
    #[serde(borrow)]
    name: Text<'a>,
    status: Text<'a>,
}

const COMPLETED: &str = "Completed";
const PARTIAL: &str = "Partial";

impl Scan {
    pub(super) fn parse(json: &RawValue) -> Result<Self, String> {
        let Object(row) = serde_json::from_str::<Object<Row<'_>>>(json.get())
            .map_err(|error| format!("a scan cannot be read: {error}"))?;
        let id = (row.id.to_owned()).ok_or_else(|| "a scan has no id".to_owned())?;
        let (mut failed, mut completed) = (Vec::new(), Vec::new());
        for Object(detail) in &row.status_details.0 {
            let (Some(name), Some(status)) = (detail.name.as_str(), detail.status.as_str()) else {
                continue;
            };
            match status.eq_ignore_ascii_case(COMPLETED) {
                true => completed.push(name_of(name)),
                false => failed.push(name_of(name)),
            }
        }
        Ok(Self {
            id,
            branch: row.branch.to_owned(),
            project: row.project_id.to_owned(),
            created: time(row.created_at.as_str()),
            engines: (row.engines.0.iter())
                .filter_map(|engine| engine.as_str().map(name_of))
                .collect(),
            status: row.status.to_owned().unwrap_or_default(),
            failed,
            completed,
        })
    }

    /// Whether what the engine found in this scan is all that there is to find.
    fn proves(&self, engine: &str, accept_partial: bool) -> bool {
        let among = |names: &[String]| names.iter().any(|name| name == engine);
        if !among(&self.engines) {
            return false;
        }
        if self.status.eq_ignore_ascii_case(COMPLETED) {
            return !among(&self.failed);
        }
        accept_partial && self.status.eq_ignore_ascii_case(PARTIAL) && among(&self.completed)
    }

    /// Whether it is of this project and branch, in case that the tool overlooks a filter.
    pub(super) fn is_of(&self, project: &str, branch: Option<&str>) -> bool {
        self.branch.as_deref() == branch && self.project.as_deref().is_none_or(|own| own == project)
    }
}

/// A scan and the engines for which it is the newest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Chosen {
    pub(super) scan: Scan,
    pub(super) engines: Vec<String>,
}

/// For each engine that is wanted the newest scan that proves something of it; newest scans first.
pub(super) fn choose(mut scans: Vec<Scan>, wanted: &Wanted, accept_partial: bool) -> Vec<Chosen> {
    scans.sort_by_key(|scan| std::cmp::Reverse(scan.created));
    let mut taken: Vec<String> = Vec::new();
    let mut chosen = Vec::new();
    for scan in scans {
        let mut engines: Vec<String> = Vec::new();
        for engine in &scan.engines {
            let new = !taken.contains(engine) && !engines.contains(engine);
            if new && wanted.includes(engine) && scan.proves(engine, accept_partial) {
                engines.push(engine.clone());
            }
        }
        if !engines.is_empty() {
            taken.extend(engines.iter().cloned());
            chosen.push(Chosen { scan, engines });
        }
    }
    chosen
}

/// The engines that are wanted and not among the chosen.
pub(super) fn missing(chosen: &[Chosen], wanted: &Wanted) -> Vec<&'static str> {
    let has = |engine: &str| {
        chosen
            .iter()
            .any(|one| one.engines.iter().any(|e| e == engine))
    };
    let wanted = wanted.0.iter().copied();
    wanted.filter(|engine| !has(engine)).collect()
}

/// The engines that are switched off by now: their newest scan is older than so many days, or there is none although the scans
/// that are listed go back that far.
pub(super) fn given_up(
    chosen: &[Chosen],
    wanted: &Wanted,
    oldest_listed: Option<DateTime<Utc>>,
    max_age_days: i64,
) -> Vec<&'static str> {
    let Some(newest) = chosen.iter().filter_map(|one| one.scan.created).max() else {
        return Vec::new();
    };
    let limit = newest - TimeDelta::days(max_age_days);
    let is_old = |engine: &str| {
        let of_engine = chosen
            .iter()
            .find(|one| one.engines.iter().any(|e| e == engine));
        match of_engine {
            Some(one) => one.scan.created.is_some_and(|created| created < limit),
            None => oldest_listed.is_some_and(|oldest| oldest < limit),
        }
    };
    let wanted = wanted.0.iter().copied();
    wanted.filter(|engine| is_old(engine)).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::{Value, json};

    use super::*;

    fn scan(id: &str, day: u32, engines: &[&str]) -> Value {
        json!({
            "id": id, "status": "Completed", "branch": "main", "projectId": "p",
            "createdAt": format!("2026-11-{day:02}T06:00:00.123456Z"), "engines": engines,
            "statusDetails": [{"name": "general", "status": "Completed"}]
        })
    }

    fn parsed(scan: &Value) -> Scan {
        Scan::parse(&RawValue::from_string(scan.to_string()).unwrap()).unwrap()
    }

    fn chosen(scans: &[Value], wanted: &[&str], accept_partial: bool) -> Vec<(String, String)> {
        let wanted: Vec<_> = wanted.iter().map(|e| (*e).to_owned()).collect();
        let scans = scans.iter().map(parsed).collect();
        choose(scans, &Wanted::of(&wanted), accept_partial)
            .into_iter()
            .map(|one| (one.scan.id, one.engines.join(",")))
            .collect()
    }

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs
            .iter()
            .map(|(a, b)| ((*a).to_owned(), (*b).to_owned()))
            .collect()
    }

    #[test]
    fn each_engine_has_the_newest_scan_that_ran_it_whatever_the_order_of_the_list() {
        let scans = [
            scan("old", 1, &["sast", "sca", "kics"]),
            scan("new", 9, &["sca"]),
            scan("middle", 5, &["sast", "sca", "apisec"]),
        ];
        assert_eq!(
            chosen(&scans, &[], false),
            pairs(&[("new", "sca"), ("middle", "sast,apisec"), ("old", "kics")])
        );
        assert_eq!(
            chosen(&scans, &["sast"], false),
            pairs(&[("middle", "sast")])
        );
    }

    #[test]
    fn only_completed_scans_count_and_of_partial_ones_only_completed_engines_on_request() {
        let mut scans = vec![scan("good", 1, &["sast", "sca"])];
        for status in [
            "Failed", "Canceled", "Queued", "Running", "Partial", "NewWord",
        ] {
            let mut bad = scan(status, 9, &["sast", "sca"]);
            bad["status"] = json!(status);
            bad["statusDetails"] = json!([
                {"name": "sast", "status": "Completed"}, {"name": "sca", "status": "Failed"}
            ]);
            scans.push(bad);
        }
        assert_eq!(chosen(&scans, &[], false), pairs(&[("good", "sast,sca")]));
        assert_eq!(
            chosen(&scans, &[], true),
            pairs(&[("Partial", "sast"), ("good", "sca")])
        );
    }

    #[test]
    fn an_engine_that_failed_in_a_completed_scan_is_not_taken_from_it() {
        let mut odd = scan("odd", 9, &["sast", "sca"]);
        odd["statusDetails"] = json!([{"name": "sca", "status": "Failed"}]);
        let scans = [odd, scan("good", 1, &["sca"])];
        assert_eq!(
            chosen(&scans, &[], false),
            pairs(&[("odd", "sast"), ("good", "sca")])
        );
    }

    #[test]
    fn an_engine_is_given_up_only_when_others_went_on_scanning_without_it() {
        let wanted = Wanted::of(&["sast".to_owned(), "sca".to_owned(), "kics".to_owned()]);
        let scans = vec![
            parsed(&scan("new", 28, &["sast"])),
            parsed(&scan("old", 3, &["sca"])),
        ];
        let oldest = scans.iter().filter_map(|scan| scan.created).min();
        let chosen = choose(scans, &wanted, false);
        assert_eq!(missing(&chosen, &wanted), ["kics"]);
        assert_eq!(given_up(&chosen, &wanted, oldest, 20), ["sca", "kics"]);
        assert_eq!(given_up(&chosen, &wanted, None, 20), ["sca"]);
        assert!(given_up(&chosen, &wanted, oldest, 30).is_empty());
        assert!(given_up(&[], &wanted, oldest, 1).is_empty());
    }

    #[test]
    fn a_scan_of_another_branch_or_project_is_known_as_such() {
        let scan = parsed(&scan("s", 1, &["sast"]));
        assert!(scan.is_of("p", Some("main")));
        assert!(!scan.is_of("p", Some("release")) && !scan.is_of("p", None));
        assert!(!scan.is_of("other", Some("main")));
    }
}
