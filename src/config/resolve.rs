//! Finds the values of secrets: in systemd's credentials, the environment, files, or plainly in TOML.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use config::{Map, Value, ValueKind};

use super::Secret;
use super::files::{read_bytes, readable_by_others};
use super::key_path::KeyPath;
use super::kind::{Kind, type_in_words};
use super::read::Reader;
use super::wrong::quoted;

const CREDENTIALS_VARIABLE: &str = "CREDENTIALS_DIRECTORY";

/// Where the running service's credentials are: root can check the configuration there from a shell.
const SERVICE_CREDENTIALS: &str = "/run/credentials/secpull.service";

/// Longer is no API key, token or password.
const LONGEST_SECRET: u64 = 64 << 10;

/// What a secret's table says.
enum Origin<'v> {
    Credential(&'v str),
    Environment(&'v str),
    File(&'v str),
}

impl Reader<'_> {
    /// The secret at `path`; none after a problem.
    pub(super) fn secret(&mut self, path: &KeyPath, value: &ValueKind) -> Option<Secret> {
        let found = match value {
            ValueKind::String(text) => {
                self.note_plain_secret(path);
                Some(text.clone())
            }
            ValueKind::Table(table) => self.origin(path, table).and_then(|origin| {
                let found = match origin {
                    Origin::Credential(name) => self.credential(name),
                    Origin::Environment(name) => self.variable(name),
                    Origin::File(file) => self.secret_file(Path::new(file)),
                };
                match found {
                    Ok(text) => Some(text),
                    Err(_) if self.forgives_secrets => None,
                    Err(message) => {
                        self.wrong(path, message);
                        None
                    }
                }
            }),
            other => {
                let what = type_in_words(other);
                self.wrong(
                    path,
                    format!("is {what}; allowed: {}", Kind::Secret.allowed()),
                );
                None
            }
        }?;
        let secret = Secret::new(&found);
        if secret.expose().is_empty() {
            self.wrong(
                path,
                format!("is empty; allowed: {}", Kind::Secret.allowed()),
            );
            return None;
        }
        Some(secret)
    }

    /// The named secrets at `path`; those without a problem.
    pub(super) fn secrets(
        &mut self,
        path: &KeyPath,
        value: &ValueKind,
    ) -> Option<BTreeMap<String, Secret>> {
        let ValueKind::Table(table) = value else {
            let what = type_in_words(value);
            self.wrong(
                path,
                format!("is {what}; allowed: {}", Kind::Secrets.allowed()),
            );
            return None;
        };
        let read = |(name, value): (&String, &Value)| {
            Some((name.clone(), self.secret(&path.child(name), &value.kind)?))
        };
        Some(table.iter().filter_map(read).collect())
    }

    /// A file's plain secret binds that file's mode; one from an environment variable binds none.
    pub(super) fn note_plain_secret(&mut self, path: &KeyPath) {
        if let Some(document) = self.sources.file_of(path) {
            self.plain_secrets
                .entry(document.file.path.clone())
                .or_insert_with(|| path.clone());
        }
    }

    /// Refuses files with plain secrets that others can read.
    pub(super) fn check_plain_secrets(&mut self) {
        for (file, path) in std::mem::take(&mut self.plain_secrets) {
            let mode = self
                .sources
                .documents
                .iter()
                .find(|document| document.file.path == file)
                .map_or(0, |document| document.file.mode);
            if readable_by_others(mode) {
                let file = file.display();
                self.wrong_key(
                    &path,
                    format!(
                        "is a secret in plain text, and group or others can read the file (mode {mode:04o}); allowed: chmod 600 {file}, or {{ credential = \"NAME\" }}, {{ env = \"NAME\" }}, {{ file = \"/PATH\" }}"
                    ),
                );
            }
        }
    }

    fn origin<'v>(&mut self, path: &KeyPath, table: &'v Map<String, Value>) -> Option<Origin<'v>> {
        let mut entries = table.iter();
        let origin = match (entries.next(), entries.next()) {
            (Some((key, value)), None) => match (key.as_str(), &value.kind) {
                ("credential", ValueKind::String(name)) => Some(Origin::Credential(name)),
                ("env", ValueKind::String(name)) => Some(Origin::Environment(name)),
                ("file", ValueKind::String(file)) => Some(Origin::File(file)),
                _ => None,
            },
            _ => None,
        };
        if origin.is_none() {
            let mut keys: Vec<_> = table
                .iter()
                .map(|(key, value)| format!("{key:?} ({})", type_in_words(&value.kind)))
                .collect();
            keys.sort();
            self.wrong(
                path,
                format!(
                    "is a table of {}; allowed: {}",
                    if keys.is_empty() {
                        "nothing".into()
                    } else {
                        keys.join(", ")
                    },
                    Kind::Secret.allowed()
                ),
            );
        }
        origin
    }

    fn credential(&self, name: &str) -> Result<String, String> {
        if name.is_empty() || name.contains('/') || name.starts_with('.') {
            // Not repeated: somebody may have put the secret itself here. The same with variables below.
            return Err(
                "credential is not a name; allowed: NAME of LoadCredential=NAME:PATH in the unit"
                    .into(),
            );
        }
        let folder = self.credentials_folder();
        let file = match &folder {
            Some(folder) => folder.join(name),
            None => Path::new(SERVICE_CREDENTIALS).join(name),
        };
        read_text(&file).map(|(text, _)| text).map_err(|error| {
            let hint = match folder {
                Some(_) => "the unit needs LoadCredential=, and a restart (not a reload) brings it in",
                None => {
                    "$CREDENTIALS_DIRECTORY is not set, which systemd sets for the service; elsewhere use env or file"
                }
            };
            format!(
                "credential {}: {} cannot be read: {error}; allowed: {hint}",
                quoted(name),
                file.display()
            )
        })
    }

    fn credentials_folder(&self) -> Option<PathBuf> {
        self.environment
            .get(CREDENTIALS_VARIABLE)
            .filter(|folder| !folder.is_empty())
            .map(PathBuf::from)
    }

    fn variable(&self, name: &str) -> Result<String, String> {
        let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if name.is_empty()
            || name.starts_with(|c: char| c.is_ascii_digit())
            || !name.chars().all(word)
        {
            return Err(
                "env is not the name of a variable; allowed: letters, digits and _, such as DTRACK_API_KEY".into(),
            );
        }
        match self.environment.get(name) {
            Some(value) if !value.trim().is_empty() => Ok(value.clone()),
            Some(_) => Err(format!(
                "environment variable {} is empty; allowed: the secret in it",
                quoted(name)
            )),
            None => Err(format!(
                "environment variable {} is not set; allowed: one that is, see Environment= or EnvironmentFile= of the unit",
                quoted(name)
            )),
        }
    }

    /// A secret's own file, which nobody else may read; systemd sees to that for its credentials.
    pub(super) fn secret_file(&self, file: &Path) -> Result<String, String> {
        let shown = file.display();
        if !file.is_absolute() {
            return Err("file is not an absolute path; allowed: one that starts with /".into());
        }
        let (text, mode) = read_text(file).map_err(|error| {
            format!("{shown} cannot be read: {error}; allowed: a file with the secret that the user of the service can read")
        })?;
        let in_credentials = self
            .credentials_folder()
            .is_some_and(|folder| file.starts_with(folder));
        if readable_by_others(mode) && !in_credentials {
            return Err(format!(
                "group or others can read {shown} (mode {mode:04o}); allowed: chmod 600 {shown}"
            ));
        }
        if text.trim().is_empty() {
            return Err(format!("{shown} is empty; allowed: the secret in it"));
        }
        Ok(text)
    }
}

fn read_text(file: &Path) -> std::io::Result<(String, u32)> {
    let (bytes, mode) = read_bytes(file, LONGEST_SECRET)?;
    // The error of from_utf8 would carry the bytes along.
    let text = String::from_utf8(bytes).map_err(|_| {
        std::io::Error::new(std::io::ErrorKind::InvalidData, "it is not UTF-8 text")
    })?;
    Ok((text, mode))
}
