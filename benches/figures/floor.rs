//! The least that could be done: the same questions asked and the answers parsed, and the same rows inserted in one
//! transaction. One thing after the other, without looking at anything twice.

use std::borrow::Cow;
use std::collections::HashMap;
use std::hint::black_box;
use std::path::Path;

use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags, params_from_iter};
use secpull_simulators::dependency_track::API_KEY;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::Result;
use crate::measure::{self, Taken};
use crate::source::{Kind, Question, Source};

/// Asks all questions and parses all answers. What it takes, and how many findings there were.
pub(crate) fn download_and_parse(source: &Source, questions: &[Question]) -> Result<(Taken, u64)> {
    measure::here(|| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        runtime.block_on(async {
            let client = reqwest::Client::builder().no_proxy().build()?;
            let mut findings = 0;
            for question in questions {
                let request = client
                    .request(
                        question.method.parse()?,
                        format!("{}{}", source.url, question.target),
                    )
                    .header("X-Api-Key", API_KEY)
                    .header("Accept", "application/json")
                    .header("Content-Type", "application/x-www-form-urlencoded")
                    .body(question.body.clone());
                let body = request.send().await?.bytes().await?;
                findings += parse(source.kind, &body)?;
            }
            Ok(findings)
        })
    })
}

fn parse(kind: Kind, body: &[u8]) -> Result<u64> {
    let text = std::str::from_utf8(body)?;
    let elements: Vec<&RawValue> = match kind {
        Kind::Pages | Kind::OneAnswer if text.starts_with('[') => serde_json::from_str(text)?,
        Kind::Prometheus => match serde_json::from_str::<Vector<'_>>(text) {
            // The server's time is a pair of plain values.
            Ok(vector)
                if !vector
                    .data
                    .result
                    .iter()
                    .all(|element| element.get().starts_with('{')) =>
            {
                Vec::new()
            }
            Ok(vector) => vector.data.result,
            Err(_) => Vec::new(),
        },
        _ => Vec::new(),
    };
    for element in &elements {
        match kind {
            Kind::Pages | Kind::OneAnswer => {
                black_box(serde_json::from_str::<Finding<'_>>(element.get())?);
            }
            Kind::Prometheus => {
                black_box(serde_json::from_str::<Series<'_>>(element.get())?);
            }
        }
    }
    Ok(elements.len() as u64)
}

/// What secpull takes from a finding of Dependency-Track.
#[derive(Deserialize)]
#[allow(dead_code)]
struct Finding<'a> {
    #[serde(borrow)]
    matrix: Cow<'a, str>,
    component: Component<'a>,
    vulnerability: Vulnerability<'a>,
    analysis: Analysis<'a>,
    attribution: Attribution<'a>,
}

#[derive(Deserialize)]
#[allow(dead_code)]
struct Component<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    version: Option<Cow<'a, str>>,
    #[serde(borrow)]
    purl: Option<Cow<'a, str>>,
    #[serde(borrow)]
    cpe: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(dead_code)]
struct Vulnerability<'a> {
    #[serde(borrow)]
    source: Cow<'a, str>,
    #[serde(borrow)]
    vuln_id: Cow<'a, str>,
    #[serde(borrow)]
    title: Option<Cow<'a, str>>,
    #[serde(borrow)]
    description: Option<Cow<'a, str>>,
    #[serde(borrow)]
    recommendation: Option<Cow<'a, str>>,
    #[serde(borrow)]
    references: Option<Cow<'a, str>>,
    #[serde(borrow)]
    severity: Option<Cow<'a, str>>,
    #[serde(rename = "cvssV3BaseScore")]
    cvss3_score: Option<f64>,
    #[serde(borrow, rename = "cvssV3Vector")]
    cvss3_vector: Option<Cow<'a, str>>,
    epss_score: Option<f64>,
    #[serde(default)]
    cwes: Vec<Cwe>,
    #[serde(borrow, default)]
    aliases: Vec<HashMap<&'a str, Cow<'a, str>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(dead_code)]
struct Cwe {
    cwe_id: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(dead_code)]
struct Analysis<'a> {
    #[serde(borrow)]
    state: Option<Cow<'a, str>>,
    is_suppressed: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(dead_code)]
struct Attribution<'a> {
    #[serde(borrow)]
    analyzer_identity: Cow<'a, str>,
    attributed_on: i64,
}

#[derive(Deserialize)]
struct Vector<'a> {
    #[serde(borrow)]
    data: VectorData<'a>,
}

#[derive(Deserialize)]
struct VectorData<'a> {
    #[serde(borrow)]
    result: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
#[allow(dead_code)]
struct Series<'a> {
    #[serde(borrow)]
    metric: HashMap<Cow<'a, str>, Cow<'a, str>>,
    #[serde(borrow)]
    value: (f64, Cow<'a, str>),
}

/// All rows of a store, in memory, with its schema.
pub(crate) struct Rows {
    schema: Vec<String>,
    tables: Vec<(String, Vec<Vec<Value>>)>,
}

impl Rows {
    pub(crate) fn of(store: &Path) -> Result<Self> {
        let connection = Connection::open_with_flags(store, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        let schema = texts(
            &connection,
            "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'
             ORDER BY type <> 'table', rowid",
        )?;
        let names = texts(
            &connection,
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
        )?;
        let mut tables = Vec::new();
        for name in names {
            let mut statement = connection.prepare(&format!("SELECT * FROM {name}"))?;
            let columns = statement.column_count();
            let rows = statement.query_map([], |row| {
                (0..columns)
                    .map(|column| row.get(column))
                    .collect::<rusqlite::Result<Vec<Value>>>()
            })?;
            let rows = rows.collect::<rusqlite::Result<Vec<_>>>()?;
            tables.push((name, rows));
        }
        Ok(Self { schema, tables })
    }

    /// Inserts them into a new database with the same settings, indexes included; done when they are in the database's own
    /// file, as they are when an import of secpull has ended.
    pub(crate) fn insert(&self, into: &Path) -> Result<Taken> {
        let mut connection = Connection::open(into)?;
        connection.execute_batch(
            "PRAGMA page_size = 8192; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;
             PRAGMA foreign_keys = OFF; PRAGMA cache_size = -16000;",
        )?;
        for statement in &self.schema {
            connection.execute_batch(statement)?;
        }
        let (taken, ()) = measure::here(|| {
            let transaction = connection.transaction()?;
            for (name, rows) in &self.tables {
                let Some(first) = rows.first() else { continue };
                let places = vec!["?"; first.len()].join(", ");
                let sql = format!("INSERT INTO {name} VALUES ({places})");
                let mut statement = transaction.prepare(&sql)?;
                for row in rows {
                    statement.execute(params_from_iter(row))?;
                }
            }
            transaction.commit()?;
            connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
            connection.close().map_err(|(_, error)| error)?;
            Ok(())
        })?;
        std::fs::remove_file(into)?;
        Ok(taken)
    }
}

fn texts(connection: &Connection, sql: &str) -> Result<Vec<String>> {
    let mut statement = connection.prepare(sql)?;
    let texts = statement.query_map([], |row| row.get(0))?;
    Ok(texts.collect::<rusqlite::Result<_>>()?)
}
