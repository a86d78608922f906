//! `SECPULL_…` environment variables that override single values.
//!
//! Two underscores stand for a step into a table: `SECPULL_STORE__URL`, `SECPULL_TOOLS__DTRACK__TIMEOUT`. Upper and lower
//! case are the same, and in names of tools and API configurations `_` also stands for `-` and `.`, which no shell can
//! export. A variable overrides or adds a value; it cannot create a tool or an API configuration, since nobody would find
//! it in the files.

use std::collections::BTreeMap;

use config::ValueKind;

use super::ConnectorSpec;
use super::document::Document;
use super::key_path::KeyPath;
use super::keys::{self, Form, Section};
use super::kind::{Key, Kind, list_keys};
use super::problem::{Place, Problem};
use super::suggest::closest;

const PREFIX: &str = "SECPULL_";
const STEP: &str = "__";

/// The process's environment, without variables that are not Unicode.
#[must_use]
pub fn process_environment() -> BTreeMap<String, String> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

/// Whether a variable overrides something in one of these sections.
pub(super) fn overrides_section(variable: &str, sections: &[&str]) -> bool {
    let variable = variable.to_ascii_lowercase();
    variable
        .strip_prefix(&PREFIX.to_ascii_lowercase())
        .and_then(|rest| rest.split_once(STEP))
        .is_some_and(|(section, _)| sections.contains(&section))
}

/// A value from the environment.
pub(super) struct Override {
    pub(super) variable: String,
    pub(super) path: KeyPath,
    pub(super) value: ValueKind,
}

/// What the environment overrides, and the variables that mean to but cannot.
#[derive(Default)]
pub(super) struct Overrides {
    pub(super) set: Vec<Override>,
    pub(super) problems: Vec<Problem>,
}

/// Reads the overrides out of the environment. Empty variables count as not set.
pub(super) fn overrides(
    environment: &BTreeMap<String, String>,
    documents: &[Document<'_>],
    connectors: &[&'static ConnectorSpec],
) -> Overrides {
    let mut overrides = Overrides::default();
    for (variable, value) in environment {
        let name = variable.to_ascii_uppercase();
        let Some(rest) = name.strip_prefix(PREFIX) else {
            continue;
        };
        if value.is_empty() {
            continue;
        }
        let target = if rest.contains(STEP) {
            target(rest, documents, connectors)
        } else {
            match meant(rest) {
                Some(meant) => Err(Refusal {
                    key: String::new(),
                    message: format!("sets nothing; did you mean {PREFIX}{meant}?"),
                }),
                // Not ours: SECPULL_CONFIG, SECPULL_LOG, or what an orchestrator sets for a service of our name.
                None => continue,
            }
        };
        let target = target.and_then(|(path, kind)| {
            match overrides.set.iter().find(|set| set.path == path) {
                Some(first) => Err(Refusal {
                    message: format!("is set by environment variable {} already", first.variable),
                    key: path.to_string(),
                }),
                None => Ok((path, kind)),
            }
        });
        match target {
            Ok((path, kind)) => overrides.set.push(Override {
                variable: variable.clone(),
                path,
                value: typed(&kind, value),
            }),
            Err(Refusal { key, message }) => overrides.problems.push(Problem {
                place: Place::Variable(variable.clone()),
                key,
                message,
            }),
        }
    }
    overrides
}

struct Refusal {
    key: String,
    message: String,
}

impl Refusal {
    fn new(path: &KeyPath, message: String) -> Self {
        Self {
            key: path.to_string(),
            message,
        }
    }
}

/// The key that a variable means, and what it takes.
fn target(
    rest: &str,
    documents: &[Document<'_>],
    connectors: &[&'static ConnectorSpec],
) -> Result<(KeyPath, Kind), Refusal> {
    let mut steps = rest.split(STEP).map(str::to_ascii_lowercase);
    let first = steps.next().unwrap_or_default();
    let Some(section) = keys::section(&first) else {
        let sections = || keys::SECTIONS.iter().map(|section| section.key);
        let suggestion = closest(&first, sections())
            .map(|near| format!("; did you mean {}?", near.to_ascii_uppercase()))
            .unwrap_or_default();
        return Err(Refusal {
            key: String::new(),
            message: format!(
                "no section {first}{suggestion}; allowed: {}",
                sections().collect::<Vec<_>>().join(", ")
            ),
        });
    };
    let mut path = KeyPath::of(&[section.key]);
    let mut known: Vec<Key> = section.keys.to_vec();
    if section.form == Form::Named {
        let wanted = steps.next().unwrap_or_default();
        path = path.child(&name_in_files(section, &wanted, documents)?);
        let spec = spec_of(&path, documents, connectors);
        known = match section.key {
            keys::TOOLS => keys::tool_keys(spec),
            keys::API_CONFIGURATIONS => keys::api_keys(spec),
            keys::NOTIFICATIONS => keys::notification_keys(None),
            _ => known,
        };
    }
    let mut kind = None;
    for step in steps {
        if let Some(Kind::Table(inner)) = kind {
            known = inner.to_vec();
        } else if kind.is_some() {
            return Err(Refusal::new(&path, "holds no further keys".into()));
        }
        let Some(key) = known.iter().find(|key| key.key.eq_ignore_ascii_case(&step)) else {
            return Err(Refusal::new(&path, unknown_key(&step, &known)));
        };
        path = path.child(key.key);
        kind = Some(key.kind.clone());
    }
    match kind {
        None => Err(Refusal::new(
            &path,
            format!(
                "is a table; allowed: {PREFIX}…{STEP}KEY with one of {}",
                list_keys(&known)
            ),
        )),
        Some(Kind::Table(_) | Kind::List(_) | Kind::Lists | Kind::Patterns | Kind::Secrets) => {
            Err(Refusal::new(
                &path,
                "a list or table cannot be set by an environment variable; allowed: in a file"
                    .into(),
            ))
        }
        Some(kind) => Ok((path, kind)),
    }
}

fn unknown_key(step: &str, known: &[Key]) -> String {
    let suggestion = closest(step, known.iter().map(|key| key.key))
        .map(|near| format!("; did you mean {}?", near.to_ascii_uppercase()))
        .unwrap_or_default();
    format!("no key {step}{suggestion}; allowed: {}", list_keys(known))
}

/// The tool or API configuration that the files define and that a variable's step means.
fn name_in_files(
    section: &Section,
    wanted: &str,
    documents: &[Document<'_>],
) -> Result<String, Refusal> {
    let path = KeyPath::of(&[section.key]);
    let exportable = |name: &str| name.to_ascii_lowercase().replace(['-', '.'], "_");
    let mut names: Vec<&str> = documents
        .iter()
        .flat_map(|document| document.keys(&path))
        .collect();
    names.sort_unstable();
    names.dedup();
    let mut meant = names.iter().filter(|name| exportable(name) == *wanted);
    match (meant.next(), meant.next()) {
        (Some(name), None) => Ok((*name).to_owned()),
        (Some(one), Some(other)) => Err(Refusal::new(
            &path,
            format!("{wanted} means {one} as well as {other}; allowed: set it in a file"),
        )),
        (None, _) => Err(Refusal::new(
            &path,
            format!(
                "no file defines {wanted}, and a variable cannot add it; allowed: {}",
                if names.is_empty() {
                    "nothing".into()
                } else {
                    names.join(", ")
                }
            ),
        )),
    }
}

/// The connector of the tool at this path, or of the API configuration at this path.
fn spec_of(
    path: &KeyPath,
    documents: &[Document<'_>],
    connectors: &[&'static ConnectorSpec],
) -> Option<&'static ConnectorSpec> {
    let last = |path: &KeyPath| {
        documents
            .iter()
            .rev()
            .find_map(|document| document.text(path))
    };
    let tool = match path.first().map(String::as_str) {
        Some(keys::API_CONFIGURATIONS) => KeyPath::of(&[keys::TOOLS, last(&path.child("tool"))?]),
        _ => path.clone(),
    };
    let connector = last(&tool.child("connector"))?;
    connectors
        .iter()
        .copied()
        .find(|spec| spec.name == connector)
}

/// `STORE__URL` for `STORE_URL`: one underscore is the likeliest slip.
fn meant(rest: &str) -> Option<String> {
    let rest = rest.to_ascii_lowercase();
    keys::SECTIONS.iter().find_map(|section| {
        let key = rest.strip_prefix(section.key)?.strip_prefix('_')?;
        let exists = match section.form {
            Form::Single => section.keys.iter().any(|known| known.key == key),
            Form::Named => section.keys.iter().any(|known| {
                key.strip_suffix(known.key)
                    .is_some_and(|name| name.ends_with('_'))
            }),
        };
        let step = match section.form {
            Form::Single => key.to_ascii_uppercase(),
            Form::Named => format!("NAME{STEP}KEY"),
        };
        exists.then(|| format!("{}{STEP}{step}", section.key.to_ascii_uppercase()))
    })
}

/// The value as the key's type, where the text allows it; else text, and reading says what is wrong with it.
fn typed(kind: &Kind, value: &str) -> ValueKind {
    let typed = match kind {
        Kind::Boolean => value
            .to_ascii_lowercase()
            .parse()
            .ok()
            .map(ValueKind::Boolean),
        Kind::Integer { .. } => value.parse().ok().map(ValueKind::I64),
        Kind::Number { .. } => value.parse().ok().map(ValueKind::Float),
        _ => None,
    };
    typed.unwrap_or_else(|| ValueKind::String(value.into()))
}
