//! A report in DefectDojo's own format: which keys and types its parser takes, and which values its tables do.

use chrono::{DateTime, NaiveDate, Utc};
use serde_json::{Map, Value};

use super::Finding;

/// What the parser has against a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fault {
    /// It says so.
    Refused(String),
    /// It did not see it coming.
    Unforeseen,
}

/// A report as far as it was parsed.
#[derive(Debug, Clone)]
pub(super) struct Report {
    /// The test type that it names.
    pub(super) test_type: Option<String>,
    pub(super) findings: Vec<Item>,
}

/// A finding of a report.
#[derive(Debug, Clone)]
pub(super) struct Item {
    pub(super) finding: Finding,
    /// No table takes it.
    pub(super) breaks: bool,
}

const REQUIRED: [&str; 3] = ["title", "severity", "description"];

const SEVERITIES: [&str; 5] = ["Critical", "High", "Medium", "Low", "Info"];

/// Texts with the length of their column, 0 for any.
const TEXTS: &[(&str, usize)] = &[
    ("title", 0),
    ("severity", 0),
    ("description", 0),
    ("mitigation", 0),
    ("impact", 0),
    ("references", 0),
    ("steps_to_reproduce", 0),
    ("severity_justification", 0),
    ("param", 0),
    ("payload", 0),
    ("cvssv3", 117),
    ("cvssv4", 255),
    ("cve", 50),
    ("component_name", 500),
    ("component_version", 100),
    ("fix_version", 100),
    ("file_path", 4000),
    ("sast_source_file_path", 4000),
    ("unique_id_from_tool", 500),
    ("vuln_id_from_tool", 500),
    ("sast_source_object", 500),
    ("sast_sink_object", 500),
    ("service", 200),
    ("planned_remediation_version", 99),
    ("effort_for_fixing", 99),
    ("date", 0),
    ("mitigated", 0),
    ("publish_date", 0),
    ("planned_remediation_date", 0),
    ("kev_date", 0),
];

const FLAGS: &[&str] = &[
    "active",
    "verified",
    "is_mitigated",
    "false_p",
    "out_of_scope",
    "risk_accepted",
    "under_review",
    "static_finding",
    "dynamic_finding",
    "known_exploited",
    "ransomware_used",
    "fix_available",
];

const NUMBERS: &[&str] = &[
    "cwe",
    "line",
    "sast_source_line",
    "nb_occurences",
    "scanner_confidence",
    "thread_id",
    "cvssv3_score",
    "cvssv4_score",
    "epss_score",
    "epss_percentile",
];

const LISTS: &[&str] = &["cwes", "vulnerability_ids", "endpoints", "tags", "files"];

/// Parses a whole file, or nothing of it.
pub(super) fn parse(file: &[u8], test: u64, now: DateTime<Utc>) -> Result<Report, Fault> {
    let Ok(Value::Object(report)) = serde_json::from_slice(file) else {
        return Err(Fault::Unforeseen);
    };
    let findings = match report.get("findings") {
        None => &Vec::new(),
        Some(Value::Array(findings)) => findings,
        Some(_) => return Err(Fault::Unforeseen),
    };
    let items = findings.iter().map(|finding| match finding {
        Value::Object(members) => item(members, test, now),
        _ => Err(Fault::Unforeseen),
    });
    Ok(Report {
        findings: items.collect::<Result<_, _>>()?,
        test_type: report
            .get("type")
            .and_then(Value::as_str)
            .map(str::to_owned),
    })
}

fn item(members: &Map<String, Value>, test: u64, now: DateTime<Utc>) -> Result<Item, Fault> {
    check_keys(members)?;
    for flag in FLAGS {
        match members.get(*flag) {
            None | Some(Value::Bool(_)) => {}
            Some(Value::Null) if *flag == "fix_available" => {}
            Some(Value::Null) => return Err(Fault::Unforeseen),
            Some(_) => return Err(Fault::Refused(format!("{flag} is no boolean"))),
        }
    }
    let text = |key: &str| members.get(key).and_then(Value::as_str);
    let owned = |key: &str| text(key).map(str::to_owned);
    let flag = |key: &str| members.get(key).and_then(Value::as_bool);
    let number = |key: &str| members.get(key).and_then(Value::as_f64);
    let whole = |key: &str| members.get(key).and_then(Value::as_i64);
    let list = |key: &str| -> Vec<String> {
        let items = members.get(key).and_then(Value::as_array);
        let items = items.into_iter().flatten();
        items
            .map(|item| {
                item.as_str()
                    .map_or_else(|| item.to_string(), str::to_owned)
            })
            .collect()
    };
    let severity = text("severity").unwrap_or_default();
    let severity = match severity.to_lowercase() {
        word if word == "none" || word.starts_with("info") => "Info",
        _ => severity,
    };
    if !SEVERITIES.contains(&severity) {
        return Err(Fault::Refused(format!("Unknown severity: {severity}")));
    }
    let date = match (members.get("date"), text("date")) {
        (None, _) => now.date_naive(),
        (Some(_), None) => return Err(Fault::Unforeseen),
        (_, Some(text)) => day(text).ok_or(Fault::Refused(format!("no date: {text:?}")))?,
    };
    let title: String = text("title")
        .unwrap_or_default()
        .chars()
        .take(511)
        .collect();
    let cwes = list("cwes")
        .into_iter()
        .map(|cwe| match cwe.parse::<u32>() {
            Ok(number) => format!("CWE-{number}"),
            Err(_) => cwe,
        });
    let tags = list("tags").into_iter();
    let is_mitigated = flag("is_mitigated").unwrap_or(false);
    let finding = Finding {
        description: owned("description").unwrap_or_default(),
        mitigation: owned("mitigation"),
        impact: owned("impact"),
        references: owned("references"),
        steps_to_reproduce: owned("steps_to_reproduce"),
        severity_justification: owned("severity_justification"),
        date,
        active: flag("active").unwrap_or(true),
        verified: flag("verified").unwrap_or(false),
        false_p: flag("false_p").unwrap_or(false),
        out_of_scope: flag("out_of_scope").unwrap_or(false),
        risk_accepted: flag("risk_accepted").unwrap_or(false),
        under_review: flag("under_review").unwrap_or(false),
        is_mitigated,
        mitigated: is_mitigated.then_some(now),
        cwe: whole("cwe").or(Some(0)),
        cwes: cwes.collect(),
        vulnerability_ids: list("vulnerability_ids"),
        cvssv3: owned("cvssv3"),
        cvssv3_score: number("cvssv3_score"),
        cvssv4: owned("cvssv4"),
        cvssv4_score: number("cvssv4_score"),
        epss_score: number("epss_score"),
        component_name: owned("component_name"),
        component_version: owned("component_version"),
        fix_available: flag("fix_available"),
        fix_version: owned("fix_version"),
        file_path: owned("file_path"),
        line: whole("line"),
        unique_id_from_tool: owned("unique_id_from_tool"),
        vuln_id_from_tool: owned("vuln_id_from_tool"),
        service: owned("service"),
        tags: tags
            .map(|tag| tag.replace([' ', ',', '"', '\''], "_").to_lowercase())
            .collect(),
        static_finding: flag("static_finding").unwrap_or(false),
        dynamic_finding: flag("dynamic_finding").unwrap_or(true),
        created: now,
        updated: now,
        last_status_update: now,
        ..Finding::new(test, &title_case(&title), severity)
    };
    Ok(Item {
        breaks: breaks(members, &finding),
        finding,
    })
}

fn check_keys(members: &Map<String, Value>) -> Result<(), Fault> {
    let quoted = |keys: Vec<&str>| {
        let keys: Vec<_> = keys.iter().map(|key| format!("'{key}'")).collect();
        format!("[{}]", keys.join(", "))
    };
    let missing: Vec<_> = REQUIRED
        .into_iter()
        .filter(|key| !members.contains_key(*key))
        .collect();
    if !missing.is_empty() {
        let keys = quoted(missing);
        return Err(Fault::Refused(format!(
            "Required fields are missing: {keys}"
        )));
    }
    let is_known = |key: &str| {
        TEXTS.iter().any(|(text, _)| *text == key)
            || [FLAGS, NUMBERS, LISTS]
                .iter()
                .any(|keys| keys.contains(&key))
    };
    let odd: Vec<_> = members
        .keys()
        .map(String::as_str)
        .filter(|key| !is_known(key))
        .collect();
    match odd.is_empty() {
        true => Ok(()),
        false => Err(Fault::Refused(format!(
            "Not allowed fields are present: {}",
            quoted(odd)
        ))),
    }
}

/// Whether storing it fails: a value too long for its column, or a NUL.
fn breaks(members: &Map<String, Value>, finding: &Finding) -> bool {
    let too_long = TEXTS.iter().any(|(key, longest)| {
        let text = members.get(*key).and_then(Value::as_str);
        *longest > 0 && text.is_some_and(|text| text.chars().count() > *longest)
    });
    let first_id = finding.vulnerability_ids.first();
    let too_large = ["cwe", "line", "nb_occurences", "sast_source_line"].iter();
    let mut too_large = too_large.filter_map(|key| members.get(*key)?.as_i64());
    too_long
        || first_id.is_some_and(|id| id.chars().count() > 50)
        || too_large.any(|number| i32::try_from(number).is_err())
        || holds_nul(&Value::Object(members.clone()))
}

fn holds_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(holds_nul),
        Value::Object(members) => members.values().any(holds_nul),
        _ => false,
    }
}

fn day(text: &str) -> Option<NaiveDate> {
    text.get(..10)?.parse().ok()
}

/// Capitals as in a headline, and abbreviations that it knows; words with capitals of their own stay.
fn title_case(title: &str) -> String {
    const SMALL: &[&str] = &[
        "a", "an", "and", "as", "at", "but", "by", "for", "if", "in", "of", "on", "or", "the",
        "to", "via", "vs",
    ];
    const ABBREVIATIONS: &[&str] = &["sql", "xss", "csrf", "html", "xml", "http"];
    let words: Vec<_> = title.split(' ').collect();
    let last = words.len().saturating_sub(1);
    let word = |(place, word): (usize, &&str)| {
        let is_inside = place != 0 && place != last;
        if word.chars().any(|c| c.is_uppercase() || !c.is_alphabetic())
            || (is_inside && SMALL.contains(word))
        {
            (*word).to_owned()
        } else if ABBREVIATIONS.contains(word) {
            word.to_uppercase()
        } else {
            let mut letters = word.chars();
            let first = letters.next().map(char::to_uppercase);
            first.into_iter().flatten().chain(letters).collect()
        }
    };
    let words: Vec<_> = words.iter().enumerate().map(word).collect();
    words.join(" ")
}
