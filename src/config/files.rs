//! Which files make up a configuration, and their text.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use nix::fcntl::OFlag;

use super::problem::{Place, Problem};

/// Where the configuration is if `--config` does not say otherwise.
pub const DEFAULT_PATH: &str = "/etc/secpull/secpull.toml";

const MAIN_FILE: &str = "secpull.toml";
const FRAGMENTS: &str = "conf.d";

/// More is no configuration (500 API configurations take a quarter of a MiB), and is not read into memory.
const LARGEST_FILE: u64 = 16 << 20;

/// One file, read.
pub(super) struct FileText {
    pub(super) path: PathBuf,
    pub(super) text: String,
    /// Permission bits.
    pub(super) mode: u32,
}

/// What was read, and what could not be.
#[derive(Default)]
pub(super) struct Files {
    pub(super) texts: Vec<FileText>,
    pub(super) problems: Vec<Problem>,
    /// Files and folders that exist but that this user may not read; each is also in `problems`.
    pub(super) forbidden: Vec<PathBuf>,
}

/// Reads the files that `path` stands for, in the order in which they are laid over each other:
/// a file and the `conf.d/*.toml` beside it; or a folder's `secpull.toml` (without one: all its `*.toml`), then its
/// `conf.d/*.toml`.
pub(super) fn read(path: &Path) -> Files {
    let mut files = Files::default();
    for file in files.list(path) {
        match read_file(&file) {
            Ok(text) => files.texts.push(text),
            Err(error) => files.fail(&file, &error),
        }
    }
    files
}

impl Files {
    fn list(&mut self, path: &Path) -> Vec<PathBuf> {
        let metadata = match fs::metadata(path) {
            Ok(metadata) => metadata,
            Err(error) => {
                self.fail(path, &error);
                return Vec::new();
            }
        };
        if !metadata.is_dir() {
            let beside = path.parent().unwrap_or(Path::new(""));
            let mut list = vec![path.to_path_buf()];
            list.extend(self.fragments(beside));
            return list;
        }
        let main = path.join(MAIN_FILE);
        // A link to nowhere is a mistake to tell, not a folder without main file.
        let mut list = if fs::symlink_metadata(&main).is_ok() {
            vec![main]
        } else {
            self.toml_files(path)
        };
        list.extend(self.fragments(path));
        if list.is_empty() && self.problems.is_empty() {
            self.problem(
                path,
                "the folder holds no configuration; allowed: secpull.toml, other *.toml, conf.d/*.toml"
                    .into(),
            );
        }
        list
    }

    fn fragments(&mut self, folder: &Path) -> Vec<PathBuf> {
        let fragments = folder.join(FRAGMENTS);
        if fragments.is_dir() {
            self.toml_files(&fragments)
        } else {
            Vec::new()
        }
    }

    /// In name order. Hidden ones are left out: editors keep their half-written copies there.
    fn toml_files(&mut self, folder: &Path) -> Vec<PathBuf> {
        let names = fs::read_dir(folder).and_then(|entries| {
            entries
                .map(|entry| entry.map(|entry| entry.file_name()))
                .collect::<io::Result<Vec<_>>>()
        });
        let mut names = match names {
            Ok(names) => names,
            Err(error) => {
                self.fail(folder, &error);
                return Vec::new();
            }
        };
        names.sort();
        names
            .into_iter()
            .filter(|name| !name.as_encoded_bytes().starts_with(b"."))
            .map(|name| folder.join(name))
            .filter(|file| file.extension().is_some_and(|end| end == "toml") && !file.is_dir())
            .collect()
    }

    pub(super) fn fail(&mut self, path: &Path, error: &io::Error) {
        if error.kind() == io::ErrorKind::PermissionDenied {
            self.forbidden.push(path.to_path_buf());
        }
        self.problem(path, format!("cannot be read: {error}"));
    }

    fn problem(&mut self, path: &Path, message: String) {
        self.problems.push(Problem {
            place: Place::Path(path.to_path_buf()),
            key: String::new(),
            message,
        });
    }
}

fn read_file(path: &Path) -> io::Result<FileText> {
    let (bytes, mode) = read_bytes(path, LARGEST_FILE)?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let good = error.utf8_error().valid_up_to();
        let line = error.as_bytes()[..good]
            .iter()
            .filter(|b| **b == b'\n')
            .count()
            + 1;
        io::Error::new(
            io::ErrorKind::InvalidData,
            format!("line {line} is not UTF-8 text"),
        )
    })?;
    Ok(FileText {
        path: path.to_path_buf(),
        text,
        mode,
    })
}

/// The content and permission bits of one and the same open file, so that nobody can swap it in between.
pub(super) fn read_bytes(path: &Path, largest: u64) -> io::Result<(Vec<u8>, u32)> {
    // A pipe would be waited for, for ever.
    let file = File::options()
        .read(true)
        .custom_flags(OFlag::O_NONBLOCK.bits())
        .open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "it is no regular file",
        ));
    }
    let mode = metadata.mode() & 0o7777;
    let mut bytes = Vec::new();
    file.take(largest + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > largest {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("it is larger than {} KiB", largest >> 10),
        ));
    }
    Ok((bytes, mode))
}

/// Whether group or others can read a file of this mode.
pub(super) fn readable_by_others(mode: u32) -> bool {
    mode & 0o044 != 0
}
