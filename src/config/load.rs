//! From files and environment to a [`Config`], or to everything that is wrong.

use std::collections::BTreeMap;
use std::path::Path;

use config::{Map, Value};

use super::api_configurations::{self, General};
use super::document::Document;
use super::environment;
use super::field::Fields;
use super::files::{self, Files};
use super::forwards;
use super::key_path::KeyPath;
use super::keys;
use super::notifications;
use super::problem::{Place, Problem, Problems};
use super::read::Reader;
use super::schedule;
use super::sources::Sources;
use super::store;
use super::suggest::closest;
use super::tools;
use super::{Config, ConnectorSpec, Control, ImportLimits, Secret, StoreUrl};

/// A configuration without mistakes.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// What the program uses.
    pub config: Config,
    /// What works but is hardly meant, or not safe; a line each.
    pub warnings: Vec<String>,
}

/// What a command needs that only reaches the daemon, or reads the store.
#[derive(Debug, Clone)]
pub struct Local {
    /// Where findings are kept.
    pub store: StoreUrl,
    /// `[store] password`, for a move to another store.
    pub store_password: Option<Secret>,
    /// Where the daemon listens.
    pub control: Control,
    /// Files that this user may not read, and syntax errors, so that defaults hold in place of what they say; a line each.
    pub warnings: Vec<String>,
}

/// Loads and checks a whole configuration: the file `path` and the `conf.d/*.toml` beside it, or the folder `path`
/// (`secpull.toml`, or all its `*.toml` if it has none, then `conf.d/*.toml`), under what `environment` overrides
/// (`SECPULL_…`; also secrets and `$CREDENTIALS_DIRECTORY` are looked up in it).
///
/// # Errors
/// All mistakes at once. Behind a syntax error in a file, only what the other files make certain is told beside it.
pub fn load(
    path: &Path,
    environment: &BTreeMap<String, String>,
    connectors: &[&'static ConnectorSpec],
) -> Result<Loaded, Problems> {
    load_files(path, &files::read(path), environment, connectors)
}

/// Loads these texts, given with the names of their files, as if they lay in a folder. For fuzzing.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) fn load_texts(
    texts: &[(&str, &str)],
    environment: &BTreeMap<String, String>,
    connectors: &[&'static ConnectorSpec],
) -> Result<Loaded, Problems> {
    let texts = texts.iter().map(|(name, text)| files::FileText {
        path: Path::new(name).to_path_buf(),
        text: (*text).to_owned(),
        mode: 0o600,
    });
    let files = Files {
        texts: texts.collect(),
        ..Files::default()
    };
    load_files(Path::new("secpull.toml"), &files, environment, connectors)
}

fn load_files(
    path: &Path,
    files: &Files,
    environment: &BTreeMap<String, String>,
    connectors: &[&'static ConnectorSpec],
) -> Result<Loaded, Problems> {
    let prepared = Prepared::of(path, files, environment, connectors);
    let mut reader = prepared.reader(environment);
    let config = prepared
        .merged(&mut reader)
        .and_then(|root| config(&mut reader, &prepared.sources, &root, connectors));
    let (warnings, problems) = reader.finish();
    match (config, problems) {
        (Some(config), None) => Ok(Loaded { config, warnings }),
        (_, Some(problems)) => Err(problems),
        (None, None) => Err(Problems::inner(path)),
    }
}

/// Loads `[store]` and `[control]` alone: nothing else is looked at, least of all secrets. Files that this user may not
/// read are passed over, since members of the socket's group need no access to the daemon's configuration; so is what a
/// syntax error hides, since the daemon goes on with the configuration that it has while somebody edits.
///
/// # Errors
/// All mistakes in what is looked at.
pub fn load_local(path: &Path, environment: &BTreeMap<String, String>) -> Result<Local, Problems> {
    local(path, files::read(path), environment)
}

pub(super) fn local(
    path: &Path,
    mut files: Files,
    environment: &BTreeMap<String, String>,
) -> Result<Local, Problems> {
    let forbidden = std::mem::take(&mut files.forbidden);
    files
        .problems
        .retain(|problem| !matches!(&problem.place, Place::Path(path) if forbidden.contains(path)));
    let environment: BTreeMap<_, _> = environment
        .iter()
        .filter(|(name, _)| environment::overrides_section(name, &[keys::STORE, keys::CONTROL]))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    let mut prepared = Prepared::of(path, &files, &environment, &[]);
    let broken = prepared.forgive_syntax();
    let mut reader = prepared.reader(&environment);
    let root = prepared.merged(&mut reader).unwrap_or_default();
    reader.forgive_secrets();
    let store_password = store::password(&mut reader, &root);
    let store = store::read(&mut reader, &root);
    let control = control(&mut reader, &root);
    let (_, problems) = reader.finish();
    match (store, control, problems) {
        (Some(store), Some(control), None) => Ok(Local {
            store,
            store_password,
            control,
            warnings: forbidden
                .iter()
                .map(|file| format!("{}: may not be read by this user", file.display()))
                .chain(broken)
                .collect(),
        }),
        (_, _, Some(problems)) => Err(problems),
        (_, _, None) => Err(Problems::inner(path)),
    }
}

/// Sources, and what was wrong with them before their meaning is looked at.
struct Prepared<'a> {
    sources: Sources<'a>,
    problems: Vec<Problem>,
    incomplete: bool,
}

impl<'a> Prepared<'a> {
    fn of(
        path: &'a Path,
        files: &'a Files,
        environment: &BTreeMap<String, String>,
        connectors: &[&'static ConnectorSpec],
    ) -> Self {
        let documents: Vec<_> = files.texts.iter().map(Document::parse).collect();
        let incomplete = !files.problems.is_empty() || documents.iter().any(Document::is_broken);
        let overrides = environment::overrides(environment, &documents, connectors);
        let mut problems = files.problems.clone();
        for document in &documents {
            problems.extend(document.syntax_problems.iter().cloned());
        }
        // A variable may mean what stands in the file that could not be read.
        if !incomplete {
            problems.extend(overrides.problems);
        }
        Self {
            sources: Sources {
                path,
                documents,
                overrides: overrides.set,
            },
            problems,
            incomplete,
        }
    }

    /// Takes the syntax errors out of the problems, and gives them as lines: what stands beside them can still be read.
    fn forgive_syntax(&mut self) -> Vec<String> {
        let documents = self.sources.documents.iter();
        let lines: Vec<String> = documents
            .flat_map(|document| document.syntax_problems.iter().map(ToString::to_string))
            .collect();
        self.problems
            .retain(|problem| !lines.contains(&problem.to_string()));
        lines
    }

    fn reader(&'a self, environment: &'a BTreeMap<String, String>) -> Reader<'a> {
        Reader::new(
            &self.sources,
            environment,
            self.problems.clone(),
            self.incomplete,
        )
    }

    fn merged(&self, reader: &mut Reader<'_>) -> Option<Map<String, Value>> {
        self.sources
            .merged()
            .map_err(|error| reader.wrong(&KeyPath::of(&[]), error.to_string()))
            .ok()
    }
}

fn config(
    reader: &mut Reader<'_>,
    sources: &Sources<'_>,
    root: &Map<String, Value>,
    connectors: &[&'static ConnectorSpec],
) -> Option<Config> {
    top_level(reader, sources);
    let store = store::read(reader, root);
    let control = control(reader, root);
    let mut general = reader.section(root, keys::AUTOMATIC_IMPORT);
    let path = KeyPath::of(&[keys::AUTOMATIC_IMPORT]);
    let schedule = schedule::read(reader, &path, &mut general, &schedule::DEFAULT);
    let import = import_limits(reader.section(root, keys::IMPORT));
    let run_timeout = import
        .as_ref()
        .map_or(std::time::Duration::MAX, |import| import.run_timeout);
    let tools = tools::read(reader, root, connectors);
    let general_of_apis = General {
        schedule,
        run_timeout,
    };
    let api_configurations = api_configurations::read(reader, root, &tools, &general_of_apis);
    let forwards = forwards::read(reader, root, &tools, &api_configurations);
    let notifications = notifications::read(reader, root, &api_configurations);
    reader.check_plain_secrets();
    if !root.contains_key(keys::API_CONFIGURATIONS) {
        reader
            .warnings
            .push("there are no [api_configurations.NAME], so nothing will be imported".into());
    }
    Some(Config {
        store: store?,
        automatic_import: general.take("enabled")?,
        max_concurrent: general.whole("max_concurrent")?,
        catch_up_within: general.take("catch_up_within")?,
        import: import?,
        control: control?,
        tools: tools.tools,
        api_configurations,
        forwards,
        notifications,
    })
}

/// What is wrong with the names of sections, tools and API configurations, over all files.
fn top_level(reader: &mut Reader<'_>, sources: &Sources<'_>) {
    for problem in sources.duplicates() {
        reader.add(problem);
    }
    let names: Vec<_> = keys::SECTIONS.iter().map(|section| section.key).collect();
    for (place, name) in sources.unknown_sections() {
        let suggestion = closest(&name, names.iter().copied())
            .map(|near| format!("; did you mean {near}?"))
            .unwrap_or_default();
        reader.add(Problem {
            place,
            key: KeyPath::of(&[&name]).to_string(),
            message: format!("unknown key{suggestion}; allowed: {}", names.join(", ")),
        });
    }
}

fn control(reader: &mut Reader<'_>, root: &Map<String, Value>) -> Option<Control> {
    let mut fields = reader.section(root, keys::CONTROL);
    Some(Control {
        socket: fields.take("socket")?,
        group: fields.take("group"),
        metrics_listen: fields.take("metrics_listen"),
    })
}

fn import_limits(mut fields: Fields) -> Option<ImportLimits> {
    Some(ImportLimits {
        max_resolved_fraction: fields.take("max_resolved_fraction")?,
        min_held: fields.whole("min_held")?,
        run_timeout: fields.take("timeout")?,
    })
}
