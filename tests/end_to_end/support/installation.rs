use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use super::place::Place;
use super::{Daemon, Ran};

/// A folder with a configuration, in which everything that secpull makes stays, but for a store that is a database.
pub(crate) struct Installation {
    folder: TempDir,
    place: Place,
}

impl Installation {
    /// An installation whose `secpull.toml` ends with this text, with a store of the engine that these tests run on.
    pub(crate) fn new(toml: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let place = crate::engine::place(folder.path());
        Self::at(folder, place, toml)
    }

    /// With a folder for SQLite's file alone, which can be given troubles of its own.
    pub(crate) fn with_store_in(store_folder: &str, toml: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store_folder = folder.path().join(store_folder);
        fs::create_dir_all(&store_folder).unwrap();
        Self::at(folder, Place::File(store_folder.join("secpull.db")), toml)
    }

    /// With a store elsewhere; `store` is the whole section.
    pub(crate) fn with_store(store: String, toml: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self::at(folder, Place::Elsewhere(store), toml)
    }

    fn at(folder: TempDir, place: Place, toml: &str) -> Self {
        let installation = Self { folder, place };
        installation.configure(toml);
        installation
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.path("secpull.sock")
    }

    /// Where its store is.
    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    /// SQLite's file.
    pub(crate) fn store(&self) -> PathBuf {
        self.place.file().clone()
    }

    /// What is wrong with the store; `ok` if nothing.
    pub(crate) fn integrity(&self) -> Vec<String> {
        self.place.integrity()
    }

    /// How many runs are over without being known to destinations.
    pub(crate) fn unannounced(&self) -> i64 {
        let over = "state NOT IN ('queued', 'running')";
        self.place.number(&format!(
            "SELECT count(*) FROM runs WHERE announced = 0 AND {over}"
        ))
    }

    /// Writes `secpull.toml`: store and socket in this folder, and the text.
    pub(crate) fn configure(&self, toml: &str) {
        let own = format!(
            "[store]\n{}\n\n[control]\nsocket = \"{}\"\n\n",
            self.place.section(),
            self.socket().display()
        );
        self.write("secpull.toml", &format!("{own}{toml}"));
    }

    /// Writes a file that only its owner can read.
    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    }

    /// The binary with this installation's configuration, not yet started.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_secpull"));
        // What the machine of the tests needs to get out is no affair of theirs.
        for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"] {
            command.env_remove(name).env_remove(name.to_lowercase());
        }
        for name in ["SSL_CERT_FILE", "SSL_CERT_DIR"] {
            command.env_remove(name);
        }
        command
            .arg("--config")
            .arg(self.folder.path())
            .args(arguments)
            .env_remove("NOTIFY_SOCKET")
            .env_remove("JOURNAL_STREAM")
            .env("NO_COLOR", "1")
            .stdin(Stdio::null());
        command
    }

    /// Runs a command to its end.
    pub(crate) fn secpull(&self, arguments: &[&str]) -> Ran {
        self.command(arguments).output().unwrap().into()
    }

    /// The same with more variables in its environment.
    pub(crate) fn secpull_with(&self, variables: &[(&str, &str)], arguments: &[&str]) -> Ran {
        let mut command = self.command(arguments);
        command.envs(variables.iter().copied());
        command.output().unwrap().into()
    }

    /// Starts a daemon and waits until it answers.
    pub(crate) fn daemon(&self) -> Daemon {
        Daemon::start(self)
    }

    /// Imports without a daemon.
    pub(crate) fn import(&self, name: &str) -> Ran {
        self.secpull(&["run", "--standalone", name])
    }

    /// Imports without a daemon, to its good end; the most memory that was resident at a time, in KiB.
    #[track_caller]
    pub(crate) fn peak_memory_of_import(&self, name: &str) -> u64 {
        let mut child = self
            .command(&["run", "--standalone", name])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let status = format!("/proc/{}/status", child.id());
        let mut peak = 0;
        // As long as its own time limit lets it: a busy machine needs its time.
        let ended = loop {
            let memory = fs::read_to_string(&status).unwrap_or_default();
            let line = memory.lines().find(|line| line.starts_with("VmHWM:"));
            let kibibytes = line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok());
            peak = kibibytes.unwrap_or(0).max(peak);
            match child.try_wait().unwrap() {
                Some(ended) => break ended,
                None => std::thread::sleep(Duration::from_millis(20)),
            }
        };
        assert!(ended.success(), "{}", self.last_run(name));
        peak
    }

    /// All findings, resolved ones too.
    #[track_caller]
    pub(crate) fn findings(&self) -> Vec<Value> {
        self.secpull(&["findings", "--status", "all", "--format", "jsonl"])
            .exits(0)
            .lines()
    }

    /// The newest run.
    #[track_caller]
    pub(crate) fn last_run(&self, name: &str) -> Value {
        self.runs(name).remove(0)
    }

    /// All runs, newest first.
    #[track_caller]
    pub(crate) fn runs(&self, name: &str) -> Vec<Value> {
        self.secpull(&["runs", name, "--format", "jsonl"])
            .exits(0)
            .lines()
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }
}
