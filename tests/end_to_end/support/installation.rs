use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use super::{Daemon, Ran};

/// A folder with a configuration, in which everything that secpull makes stays.
pub(crate) struct Installation {
    folder: TempDir,
    /// The store's, below the other.
    store_folder: &'static str,
    /// In place of a file of this folder.
    store_url: Option<String>,
}

impl Installation {
    /// An installation whose `secpull.toml` ends with this text.
    pub(crate) fn new(toml: &str) -> Self {
        Self::with_store_in("", toml)
    }

    /// With a folder for the store alone, which can be given troubles of its own.
    pub(crate) fn with_store_in(store_folder: &'static str, toml: &str) -> Self {
        let installation = Self {
            folder: tempfile::tempdir().unwrap(),
            store_folder,
            store_url: None,
        };
        fs::create_dir_all(installation.path(store_folder)).unwrap();
        installation.configure(toml);
        installation
    }

    /// With a store elsewhere; `store` is the whole section.
    pub(crate) fn with_store(store: String, toml: &str) -> Self {
        let installation = Self {
            folder: tempfile::tempdir().unwrap(),
            store_folder: "",
            store_url: Some(store),
        };
        installation.configure(toml);
        installation
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.path("secpull.sock")
    }

    pub(crate) fn store(&self) -> PathBuf {
        self.path(self.store_folder).join("secpull.db")
    }

    /// Whether there is a store that has got its tables.
    pub(crate) fn has_schema(&self) -> bool {
        self.store().exists() && {
            let store = rusqlite::Connection::open(self.store()).unwrap();
            let version =
                store.pragma_query_value(None, "user_version", |row| row.get::<_, u32>(0));
            version.unwrap() > 0
        }
    }

    /// What SQLite finds wrong with the store; `ok` if nothing.
    pub(crate) fn integrity(&self) -> Vec<String> {
        let store = rusqlite::Connection::open(self.store()).unwrap();
        let mut violations = store.prepare("PRAGMA foreign_key_check").unwrap();
        assert!(violations.query([]).unwrap().next().unwrap().is_none());
        let mut check = store.prepare("PRAGMA integrity_check").unwrap();
        let lines = check.query_map([], |row| row.get(0)).unwrap();
        lines.map(Result::unwrap).collect()
    }

    /// How many runs are over without being known to destinations.
    pub(crate) fn unannounced(&self) -> i64 {
        let store = rusqlite::Connection::open(self.store()).unwrap();
        let count =
            "SELECT count(*) FROM runs WHERE announced = 0 AND state NOT IN ('queued', 'running')";
        store.query_row(count, [], |row| row.get(0)).unwrap()
    }

    /// Writes `secpull.toml`: store and socket in this folder, and the text.
    pub(crate) fn configure(&self, toml: &str) {
        let store = match &self.store_url {
            Some(store) => store.clone(),
            None => format!("url = \"sqlite:{}\"", self.store().display()),
        };
        let own = format!(
            "[store]\n{store}\n\n[control]\nsocket = \"{}\"\n\n",
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
