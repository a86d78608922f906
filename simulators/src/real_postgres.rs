//! Debian's own PostgreSQL in a temporary folder: what the store speaks to, for real.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Output, Stdio};

/// Where Debian's packages put the programs, and where `scripts/test` puts them where nothing is installed. The variable
/// `SECPULL_POSTGRESQL` names another such folder.
const PLACES: [&str; 2] = [
    "/usr/lib/postgresql",
    concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../target/tools/postgresql/usr/lib/postgresql"
    ),
];

/// Stops the server, which may hang, and removes its folder when its standard input ends: when this process ends, however
/// that happens.
const UNTIL_WE_END: &str = "cat >/dev/null; exec 2>/dev/null; kill -s CONT \"$(head -n 1 \"$2/data/postmaster.pid\")\"; \
    \"$1/pg_ctl\" -s -m immediate -D \"$2/data\" stop; rm -rf \"$2\"";

/// A PostgreSQL server on a socket of its own. It ends with this value, and at the latest with this process.
#[derive(Debug)]
pub struct RealPostgres {
    programs: PathBuf,
    folder: PathBuf,
    port: u16,
    watcher: Child,
    _until_dropped: Option<ChildStdin>,
}

impl RealPostgres {
    /// The user that owns everything on the server.
    pub const USER: &'static str = "secpull";

    /// Starts one with these further settings of `postgresql.conf`.
    ///
    /// # Errors
    /// There is no PostgreSQL on this machine, or it does not start; its words are in the error.
    pub fn start(settings: &[(&str, &str)]) -> io::Result<Self> {
        let programs = programs()?;
        let folder = new_folder()?;
        let data = folder.join("data");
        let initdb: [&OsStr; 9] = [
            "-D".as_ref(),
            data.as_os_str(),
            "-U".as_ref(),
            Self::USER.as_ref(),
            "--auth=trust".as_ref(),
            "--encoding=UTF8".as_ref(),
            "--locale=C.UTF-8".as_ref(),
            "--no-sync".as_ref(),
            "--no-instructions".as_ref(),
        ];
        done(
            &as_somebody(&programs.join("initdb"))
                .args(initdb)
                .output()?,
        )?;
        let server = Self::over(programs, folder, free_port()?)?;
        fs::write(data.join("postgresql.auto.conf"), "")?;
        server.configure(&server.place())?;
        server.configure(&[
            ("listen_addresses", ""),
            ("max_connections", "200"),
            ("fsync", "off"),
        ])?;
        server.configure(settings)?;
        server.control(&["start"])?;
        Ok(server)
    }

    /// A server that has not been started yet.
    fn over(programs: PathBuf, folder: PathBuf, port: u16) -> io::Result<Self> {
        let mut watcher = as_somebody(Path::new("sh"))
            .args(["-c", UNTIL_WE_END, "sh"])
            .args([&programs, &folder])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()?;
        Ok(Self {
            programs,
            folder,
            port,
            _until_dropped: watcher.stdin.take(),
            watcher,
        })
    }

    /// The URL of one of its databases, by its socket.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        let folder = self.folder.display().to_string().replace('/', "%2F");
        format!(
            "postgres://{}@{folder}:{}/{database}",
            Self::USER,
            self.port
        )
    }

    /// Its port, on whatever addresses it was told to listen.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The folder of its data, with its configuration.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// What it has written to its log since it was made.
    #[must_use]
    pub fn log(&self) -> String {
        let log = fs::read(self.folder.join("log")).unwrap_or_default();
        String::from_utf8_lossy(&log).into_owned()
    }

    /// Gives it a folder that somebody else has made.
    ///
    /// # Errors
    /// It is not this process's to give.
    pub fn give(&self, folder: &Path) -> io::Result<()> {
        give_away(folder)
    }

    /// Writes a file into the folder of its data, as only the server may read it.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write(&self, name: &str, text: &str) -> io::Result<()> {
        let path = self.data().join(name);
        fs::write(&path, text)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
        give_away(&path)
    }

    /// Changes settings of `postgresql.conf`; they hold from the next start on.
    ///
    /// # Errors
    /// Its configuration cannot be written.
    pub fn configure(&self, settings: &[(&str, impl AsRef<str>)]) -> io::Result<()> {
        let path = self.data().join("postgresql.auto.conf");
        let mut lines = fs::read_to_string(&path)?;
        for (key, value) in settings {
            lines += &format!("{key} = '{}'\n", value.as_ref());
        }
        fs::write(path, lines)
    }

    /// A standby that follows it, with everything that it holds.
    ///
    /// # Errors
    /// It cannot be copied, or the copy does not start.
    pub fn standby(&self) -> io::Result<Self> {
        let folder = new_folder()?;
        let data = folder.join("data");
        let mut copying = as_somebody(&self.programs.join("pg_basebackup"));
        copying
            .args(["--write-recovery-conf", "--checkpoint=fast", "--no-sync"])
            .args(["--username", Self::USER, "--port", &self.port.to_string()])
            .arg("--host")
            .arg(&self.folder)
            .arg("--pgdata")
            .arg(&data);
        done(&copying.output()?)?;
        let standby = Self::over(self.programs.clone(), folder, free_port()?)?;
        standby.configure(&standby.place())?;
        standby.control(&["start"])?;
        Ok(standby)
    }

    /// Makes a standby the primary, and waits until it is.
    ///
    /// # Errors
    /// It is none.
    pub fn promote(&self) -> io::Result<()> {
        self.control(&["promote"])
    }

    /// Restarts it where another one, which has been stopped, was reached: as a virtual address that moves.
    ///
    /// # Errors
    /// It cannot be restarted.
    pub fn take_the_place_of(&self, other: &Self) -> io::Result<()> {
        self.stop()?;
        self.configure(&other.place())?;
        self.start_again()
    }

    /// Stops all of its processes in the middle of what they do, until the answer is dropped.
    ///
    /// # Errors
    /// It does not run.
    pub fn hang(&self) -> io::Result<Hanging> {
        let main = fs::read_to_string(self.data().join("postmaster.pid"))?;
        let main = main.lines().next().unwrap_or_default().to_owned();
        send("STOP", std::slice::from_ref(&main))?;
        // From here on there are no more of them.
        let mut processes = children(&main)?;
        send("STOP", &processes)?;
        processes.push(main);
        Ok(Hanging(processes))
    }

    fn place(&self) -> [(&str, String); 2] {
        [
            ("port", self.port.to_string()),
            ("unix_socket_directories", self.folder.display().to_string()),
        ]
    }

    /// Ends it, and every connection to it, at once.
    ///
    /// # Errors
    /// It cannot be stopped.
    pub fn stop(&self) -> io::Result<()> {
        self.control(&["-m", "immediate", "stop"])
    }

    /// Starts it again after a [stop](Self::stop), and waits until it answers.
    ///
    /// # Errors
    /// It does not start; its words are in the error.
    pub fn start_again(&self) -> io::Result<()> {
        self.control(&["start"])
    }

    fn control(&self, arguments: &[&str]) -> io::Result<()> {
        let log = self.folder.join("log");
        let mut command = as_somebody(&self.programs.join("pg_ctl"));
        command
            .args(["-s", "-w", "-t", "60", "-D"])
            .arg(self.data())
            .arg("-l")
            .arg(&log)
            .args(arguments);
        // The server would keep pipes open.
        let status = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()?;
        if status.success() {
            return Ok(());
        }
        let words = fs::read_to_string(&log).unwrap_or_default();
        Err(io::Error::other(format!("PostgreSQL: {status}: {words}")))
    }
}

impl Drop for RealPostgres {
    fn drop(&mut self) {
        drop(self._until_dropped.take());
        let _already_waited = self.watcher.wait();
    }
}

/// A server whose processes are stopped in the middle of what they do. They go on when this is dropped.
#[derive(Debug)]
pub struct Hanging(Vec<String>);

impl Drop for Hanging {
    fn drop(&mut self) {
        let _those_that_are_gone = send("CONT", &self.0);
    }
}

/// Sends a signal to those processes that are still there.
fn send(signal: &str, processes: &[String]) -> io::Result<()> {
    Command::new("kill")
        .args(["-s", signal, "--"])
        .args(processes)
        .stderr(Stdio::null())
        .status()?;
    Ok(())
}

/// The processes that this one has started.
fn children(parent: &str) -> io::Result<Vec<String>> {
    let listed = Command::new("ps")
        .args(["-o", "pid=", "--ppid", parent])
        .output()?;
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    Ok(listed.split_whitespace().map(str::to_owned).collect())
}

fn new_folder() -> io::Result<PathBuf> {
    let folder = tempfile::Builder::new()
        .prefix("postgres-")
        .tempdir()?
        .keep();
    give_away(&folder)?;
    Ok(folder)
}

/// The folder of the newest version's programs.
fn programs() -> io::Result<PathBuf> {
    let places = match std::env::var("SECPULL_POSTGRESQL") {
        Ok(told) => vec![told],
        Err(_) => PLACES.map(str::to_owned).to_vec(),
    };
    let versions = places.iter().filter_map(|place| fs::read_dir(place).ok());
    versions
        .flatten()
        .filter_map(|version| {
            let programs = version.ok()?.path().join("bin");
            let number = programs.parent()?.file_name()?.to_str()?.parse::<u32>().ok()?;
            programs.join("initdb").exists().then_some((number, programs))
        })
        .max()
        .map(|(_, programs)| programs)
        .ok_or_else(|| {
            io::Error::new(
                io::ErrorKind::NotFound,
                "there is no PostgreSQL server on this machine: start the tests by scripts/test, which fetches one",
            )
        })
}

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}

/// PostgreSQL refuses to run as root: then it runs as nobody.
fn as_somebody(program: &Path) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command
        .args(["--reuid=65534", "--regid=65534", "--clear-groups", "--"])
        .arg(program);
    command
}

fn give_away(folder: &Path) -> io::Result<()> {
    if is_root() {
        std::os::unix::fs::chown(folder, Some(65534), Some(65534))?;
    }
    Ok(())
}

fn done(output: &Output) -> io::Result<()> {
    if output.status.success() {
        return Ok(());
    }
    let words = String::from_utf8_lossy(&output.stderr);
    Err(io::Error::other(format!("{}: {words}", output.status)))
}

fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
        .local_addr()?
        .port())
}
