//! The files that an API configuration names: one, or all in a folder. Each is a record.

use std::fs;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use super::sbom::{Sbom, parse};
use crate::connectors::Record;

/// A larger file is no SBOM.
const LARGEST: u64 = 64 << 20;

/// Taken off a file's name to get the record's.
const TAILS: &[&str] = &[
    ".cdx.json",
    ".spdx.json",
    ".sbom.json",
    ".bom.json",
    ".json",
];

/// An SBOM's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct File {
    path: PathBuf,
    pub(super) record: Record,
}

/// What an API configuration names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Files {
    One(File),
    /// Those of a folder, in order of their names.
    All(Vec<File>),
}

/// Why there are none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum NoFiles {
    /// The file is gone from its folder, which is there.
    Gone(String),
    Failed(String),
}

impl NoFiles {
    pub(super) fn into_reason(self) -> String {
        match self {
            Self::Gone(reason) | Self::Failed(reason) => reason,
        }
    }
}

impl Files {
    /// What is there now.
    pub(super) async fn at(path: &str) -> Result<Self, NoFiles> {
        let path = PathBuf::from(path);
        blocking(move || list(&path))
            .await
            .unwrap_or_else(|reason| Err(NoFiles::Failed(reason)))
    }

    pub(super) fn as_slice(&self) -> &[File] {
        match self {
            Self::One(file) => std::slice::from_ref(file),
            Self::All(files) => files,
        }
    }

    pub(super) fn records(&self) -> Vec<Record> {
        self.as_slice()
            .iter()
            .map(|file| file.record.clone())
            .collect()
    }
}

impl File {
    fn of(path: PathBuf) -> Self {
        let id = path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default();
        let lower = id.to_ascii_lowercase();
        let tail = TAILS
            .iter()
            .find(|tail| lower.ends_with(**tail))
            .map_or(0, |tail| tail.len());
        let name = id.get(..id.len() - tail).filter(|name| !name.is_empty());
        let record = Record {
            name: name.unwrap_or(&id).to_owned(),
            detail: Some(path.display().to_string()),
            id,
        };
        Self { path, record }
    }

    /// Reads it; the error names it.
    pub(super) async fn read(&self) -> Result<Sbom, String> {
        let path = self.path.clone();
        let read = blocking(move || read(&path)).await.unwrap_or_else(Err);
        read.map_err(|reason| format!("{}: {reason}", self.path.display()))
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, String> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| format!("reading files failed, which is a defect of secpull: {error}"))
}

fn list(path: &Path) -> Result<Files, NoFiles> {
    let failed = |error: &std::io::Error| {
        NoFiles::Failed(format!("{}: {}", path.display(), explained(error)))
    };
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => folder(path).map(Files::All),
        Ok(_) => Ok(Files::One(File::of(path.to_owned()))),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            // A folder that is missing as well may be a mount that failed.
            match path.parent().map(fs::metadata) {
                Some(Ok(parent)) if parent.is_dir() => Err(NoFiles::Gone(format!(
                    "{}: there is no such file; its findings stay as they are",
                    path.display()
                ))),
                _ => Err(failed(&error)),
            }
        }
        Err(error) => Err(failed(&error)),
    }
}

/// The `.json` files in a folder, not below it. Hidden ones are somebody's files in the making.
fn folder(path: &Path) -> Result<Vec<File>, NoFiles> {
    let failed = |error: std::io::Error| {
        NoFiles::Failed(format!("{}: {}", path.display(), explained(&error)))
    };
    let mut files = Vec::new();
    for entry in fs::read_dir(path).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let is_folder = entry.file_type().map_err(failed)?.is_dir();
        if !is_folder && !name.starts_with('.') && name.to_ascii_lowercase().ends_with(".json") {
            files.push(File::of(entry.path()));
        }
    }
    if files.is_empty() {
        return Err(NoFiles::Failed(format!(
            "{}: there is no .json file in this folder; nothing is concluded from that",
            path.display()
        )));
    }
    files.sort_by(|a, b| a.record.id.cmp(&b.record.id));
    Ok(files)
}

fn read(path: &Path) -> Result<Sbom, String> {
    let metadata = fs::metadata(path).map_err(|error| explained(&error))?;
    if !metadata.is_file() {
        return Err("it is not a regular file".to_owned());
    }
    let file = fs::File::open(path).map_err(|error| explained(&error))?;
    let mut text = Vec::new();
    file.take(LARGEST + 1)
        .read_to_end(&mut text)
        .map_err(|error| explained(&error))?;
    if text.len() as u64 > LARGEST {
        return Err(format!(
            "it is larger than {} MiB, which no SBOM is",
            LARGEST >> 20
        ));
    }
    parse(&text)
}

fn explained(error: &std::io::Error) -> String {
    match error.kind() {
        ErrorKind::NotFound => "there is no such file or folder".to_owned(),
        ErrorKind::PermissionDenied => "the user that secpull runs as may not read it".to_owned(),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const BOM: &str = r#"{"bomFormat":"CycloneDX","components":[{"purl":"pkg:npm/a@1"}]}"#;

    fn named(files: &Files) -> Vec<(&str, &str)> {
        let records = files.as_slice().iter().map(|file| &file.record);
        records
            .map(|record| (record.id.as_str(), record.name.as_str()))
            .collect()
    }

    #[tokio::test]
    async fn a_folders_json_files_are_records_and_nothing_else_in_it_is() {
        let folder = tempfile::tempdir().unwrap();
        for name in [
            "web.cdx.json",
            "api.spdx.json",
            "Bom.JSON",
            ".hidden.json",
            "notes.txt",
            "sub/deep.json",
        ] {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, BOM).unwrap();
        }
        let files = Files::at(folder.path().to_str().unwrap()).await.unwrap();
        assert_eq!(
            named(&files),
            [
                ("Bom.JSON", "Bom"),
                ("api.spdx.json", "api"),
                ("web.cdx.json", "web")
            ]
        );
        assert_eq!(files.as_slice()[0].read().await.unwrap().listed.len(), 1);
    }

    #[tokio::test]
    async fn a_file_that_is_gone_is_told_from_a_folder_that_is_not_there() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        assert!(matches!(
            Files::at(&at("shop.json")).await,
            Err(NoFiles::Gone(_))
        ));
        assert!(matches!(
            Files::at(&at("no/shop.json")).await,
            Err(NoFiles::Failed(_))
        ));
        fs::create_dir(at("empty")).unwrap();
        assert!(matches!(
            Files::at(&at("empty")).await,
            Err(NoFiles::Failed(_))
        ));
        fs::write(at("shop.json"), BOM).unwrap();
        let files = Files::at(&at("shop.json")).await.unwrap();
        assert_eq!(named(&files), [("shop.json", "shop")]);
    }

    #[tokio::test]
    async fn a_file_that_cannot_be_read_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shop.json");
        let file = File::of(path.clone());
        assert!(
            file.read()
                .await
                .unwrap_err()
                .contains("shop.json: there is no such file")
        );
        fs::write(&path, "{").unwrap();
        assert!(file.read().await.unwrap_err().contains("not JSON"));
        let huge = fs::File::create(&path).unwrap();
        huge.set_len(LARGEST + 1).unwrap();
        assert!(file.read().await.unwrap_err().contains("64 MiB"));
    }
}
