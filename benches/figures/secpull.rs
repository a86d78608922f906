//! The real binary, in a folder of its own.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::resource::UsageWho;
use tempfile::TempDir;

use crate::Result;
use crate::measure::{Taken, cpu_of, memory};
use crate::postgres::Database;
use crate::source::Source;

/// Where findings are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Engine {
    Sqlite,
    Postgres,
}

impl Engine {
    /// What stands behind a figure of it.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Sqlite => "",
            Self::Postgres => ", PostgreSQL",
        }
    }
}

/// An installation. All is removed when it is dropped.
pub(crate) struct Installation {
    folder: TempDir,
    /// In place of a file in the folder.
    database: Option<Database>,
}

impl Installation {
    /// With this configuration beside store and socket.
    pub(crate) fn new(toml: &str, engine: Engine) -> Result<Self> {
        let installation = Self {
            folder: tempfile::Builder::new()
                .prefix("secpull-figures-")
                .tempdir()?,
            database: match engine {
                Engine::Sqlite => None,
                Engine::Postgres => Some(Database::new()?),
            },
        };
        installation.configure(toml)?;
        Ok(installation)
    }

    /// With one API configuration, `all`, that reads all of the source.
    pub(crate) fn of(source: &Source, engine: Engine) -> Result<Self> {
        let toml = format!(
            "{}\n[api_configurations.all]\ntool = \"source\"\nproduct = \"Figures\"\n{}automatic_import = {{ enabled = false }}\n",
            source.tool(),
            source.selectors()
        );
        Self::new(&toml, engine)
    }

    pub(crate) fn configure(&self, toml: &str) -> Result<()> {
        let url = match &self.database {
            Some(database) => database.url.clone(),
            None => format!("sqlite:{}", self.store().display()),
        };
        let text = format!(
            "[store]\nurl = \"{url}\"\n\n[control]\nsocket = \"{}\"\n\n{toml}",
            self.path("secpull.sock").display()
        );
        let mut file = std::fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(self.path("secpull.toml"))?;
        std::io::Write::write_all(&mut file, text.as_bytes())?;
        Ok(())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn store(&self) -> PathBuf {
        self.path("secpull.db")
    }

    pub(crate) fn database(&self) -> Option<&Database> {
        self.database.as_ref()
    }

    /// Removes what was imported.
    pub(crate) fn forget(&self) -> Result<()> {
        if let Some(database) = &self.database {
            database.forget()?;
        }
        for entry in std::fs::read_dir(self.folder())? {
            let path = entry?.path();
            if path.extension().is_none_or(|extension| extension != "toml") {
                std::fs::remove_file(path)?;
            }
        }
        Ok(())
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_secpull"));
        command
            .arg("--config")
            .arg(self.folder.path())
            .args(arguments)
            .env_remove("NOTIFY_SOCKET")
            .env_remove("JOURNAL_STREAM")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
    }

    /// Imports, from the start of the process to its end.
    pub(crate) fn import(&self) -> Result<Taken> {
        let (cpu, begin) = (cpu_of(UsageWho::RUSAGE_CHILDREN)?, Instant::now());
        let mut child = self.command(&["run", "--standalone", "all"]).spawn()?;
        let mut peak = 0;
        let status = loop {
            // What a process that has ended needed at most can no longer be read; it only grows, so a late look is enough.
            peak = memory(child.id(), "VmHWM").unwrap_or(peak);
            match child.try_wait()? {
                Some(status) => break status,
                None => std::thread::sleep(Duration::from_millis(5)),
            }
        };
        let time = begin.elapsed();
        if !status.success() {
            // Once more, for its reasons.
            let mut again = self.command(&["run", "--standalone", "all"]);
            let output = again.stderr(Stdio::piped()).output()?;
            let reasons = String::from_utf8_lossy(&output.stderr);
            return Err(format!("the import ended with {status}: {reasons}").into());
        }
        Ok(Taken {
            time,
            cpu: cpu_of(UsageWho::RUSAGE_CHILDREN)? - cpu,
            peak,
        })
    }

    /// The counts of the last import: new, updated, unchanged.
    pub(crate) fn last_counts(&self) -> Result<[u64; 3]> {
        let output = self
            .command(&["runs", "all", "--format", "jsonl"])
            .stdout(Stdio::piped())
            .output()?;
        let newest = output.stdout.split(|byte| *byte == b'\n').next();
        let run: serde_json::Value = serde_json::from_slice(newest.unwrap_or_default())?;
        Ok(["new", "updated", "unchanged"].map(|name| run[name].as_u64().unwrap_or(u64::MAX)))
    }

    /// From the start of a command to its first line.
    pub(crate) fn first_line(&self, arguments: &[&str]) -> Result<Taken> {
        let begin = Instant::now();
        let mut child = self.command(arguments).stdout(Stdio::piped()).spawn()?;
        let mut line = String::new();
        if let Some(stdout) = child.stdout.take() {
            BufReader::new(stdout).read_line(&mut line)?;
        }
        let time = begin.elapsed();
        child.kill()?;
        child.wait()?;
        if line.trim().is_empty() {
            return Err(format!("secpull {} printed nothing", arguments.join(" ")).into());
        }
        Ok(Taken {
            time,
            ..Taken::default()
        })
    }

    /// Starts the daemon and waits until it says that it is ready.
    pub(crate) fn daemon(&self) -> Result<(Daemon, Duration)> {
        let place = self.path("notify.sock");
        let _there_was_none = std::fs::remove_file(&place);
        let notified = std::os::unix::net::UnixDatagram::bind(&place)?;
        notified.set_read_timeout(Some(Duration::from_secs(60)))?;
        let begin = Instant::now();
        let child = self
            .command(&["daemon"])
            .env("NOTIFY_SOCKET", &place)
            .spawn()?;
        let daemon = Daemon(child);
        let mut message = [0; 4096];
        loop {
            let length = notified.recv(&mut message)?;
            if message[..length]
                .split(|b| *b == b'\n')
                .any(|line| line == b"READY=1")
            {
                return Ok((daemon, begin.elapsed()));
            }
        }
    }
}

/// A daemon that runs. Stopped when it is dropped.
pub(crate) struct Daemon(Child);

impl Daemon {
    pub(crate) fn pid(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let pid = nix::unistd::Pid::from_raw(self.0.id().cast_signed());
        let _it_may_have_ended = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM);
        let _it_has_ended_then = self.0.wait();
    }
}
