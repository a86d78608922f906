//! Canaries instead of credentials: whatever happens, they appear nowhere but in the requests to their own tool.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use nix::sys::signal::Signal;
use secpull_simulators::dependency_track::{DependencyTrack, Key, Simulator, Version};
use secpull_simulators::misfortune::Misfortune;
use secpull_simulators::prometheus::{self, Prometheus, Series};

use super::support::dependency_track::project;
use super::support::{Daemon, Installation, Ran, wait_for};

/// Where it is given, and what it is. The slash and the plus are written differently in JSON and in URLs.
const CANARIES: &[(&str, &str)] = &[
    ("string", "canary+of/a-String-1f7Xq"),
    ("file", "canary+of/a-File-2kW9z"),
    ("environment", "canary+of/an-Environment-3pLm"),
    ("credential", "canary+of/a-Credential-4hTr"),
    ("bearer", "canary+of/a-Bearer-5vBn"),
    ("basic", "canary+of/a-Password-6yUj"),
];

/// The parts that survive every way of writing.
const TRACES: &[&str] = &["canary", "1f7Xq", "2kW9z", "3pLm", "4hTr", "5vBn", "6yUj"];

/// `scraper:canary+of/a-Password-6yUj`, as `Authorization: Basic` writes it.
const BASIC: &str = "c2NyYXBlcjpjYW5hcnkrb2YvYS1QYXNzd29yZC02eVVq";

fn canary(name: &str) -> &'static str {
    CANARIES.iter().find(|(known, _)| *known == name).unwrap().1
}

struct House {
    installation: Installation,
    dependency_tracks: Vec<Simulator>,
    prometheuses: Vec<prometheus::Simulator>,
    credentials: tempfile::TempDir,
}

impl House {
    fn new() -> Self {
        let credentials = tempfile::tempdir().unwrap();
        fs::write(credentials.path().join("dtrack"), canary("credential")).unwrap();
        let keys = tempfile::tempdir().unwrap().keep();
        let key_file = keys.join("key");
        fs::write(&key_file, canary("file")).unwrap();
        fs::set_permissions(&key_file, fs::Permissions::from_mode(0o600)).unwrap();
        let given = BTreeMap::from([
            ("string", format!("\"{}\"", canary("string"))),
            ("file", format!("{{ file = \"{}\" }}", key_file.display())),
            ("environment", "{ env = \"CANARY\" }".to_owned()),
            ("credential", "{ credential = \"dtrack\" }".to_owned()),
        ]);
        let mut toml = String::new();
        let mut dependency_tracks = Vec::new();
        for (number, (name, secret)) in given.iter().enumerate() {
            let first = u32::try_from(number).unwrap() * 10;
            let server = DependencyTrack::new(Version::V5_0)
                .project(project(name, first..first + 4))
                .key(canary(name), Key::all())
                .start_blocking()
                .unwrap();
            toml.push_str(&format!(
                "[tools.{name}]\nconnector = \"dependency-track\"\nlocation = \"{}\"\nsecret = {secret}\n\
                 [api_configurations.{name}]\ntool = \"{name}\"\nautomatic_import = {{ enabled = false }}\n",
                server.url()
            ));
            dependency_tracks.push(server);
        }
        let mut prometheuses = Vec::new();
        for (name, user) in [("bearer", None), ("basic", Some("scraper"))] {
            let server = Prometheus::new().series(series());
            let server = match user {
                Some(user) => server.basic(user, canary(name)),
                None => server.bearer(canary(name)),
            };
            let server = server.start_blocking().unwrap();
            let user = user.map_or(String::new(), |user| format!("username = \"{user}\"\n"));
            toml.push_str(&format!(
                "[tools.{name}]\nconnector = \"trivy-operator-prometheus\"\nlocation = \"{}\"\nsecret = \"{}\"\n{user}\
                 [api_configurations.{name}]\ntool = \"{name}\"\nproduct = \"{name}\"\nquery = \"trivy_vulnerability_id\"\n\
                 automatic_import = {{ enabled = false }}\n",
                server.url(),
                canary(name)
            ));
            prometheuses.push(server);
        }
        Self {
            installation: Installation::new(&toml),
            dependency_tracks,
            prometheuses,
            credentials,
        }
    }

    fn inflict(&self, misfortune: Misfortune) {
        self.dependency_tracks
            .iter()
            .for_each(|server| server.inflict(misfortune));
        self.prometheuses
            .iter()
            .for_each(|server| server.inflict(misfortune));
    }

    fn calm(&self) {
        self.dependency_tracks
            .iter()
            .for_each(|server| server.calm());
        self.prometheuses.iter().for_each(|server| server.calm());
    }

    fn environment(&self) -> [(&'static str, String); 3] {
        [
            ("CANARY", canary("environment").to_owned()),
            (
                "CREDENTIALS_DIRECTORY",
                self.credentials.path().display().to_string(),
            ),
            ("SECPULL_LOG", "trace".to_owned()),
        ]
    }

    /// Runs a command at trace level; whatever it says must be clean.
    #[track_caller]
    fn clean(&self, arguments: &[&str]) -> Ran {
        let mut command = self.installation.command(arguments);
        let ran = Ran::from(command.envs(self.environment()).output().unwrap());
        is_clean(&format!("{arguments:?}"), ran.stdout.as_bytes());
        is_clean(&format!("{arguments:?}"), ran.stderr.as_bytes());
        ran
    }

    /// Every file that secpull has made, and every row.
    fn check_files(&self) {
        for row in self.installation.place().rows_elsewhere() {
            is_clean("the database", row.as_bytes());
        }
        for file in files_in(self.installation.folder()) {
            if !file.ends_with("secpull.toml") {
                is_clean(&file.display().to_string(), &fs::read(&file).unwrap());
            }
        }
    }
}

fn series() -> Vec<Series> {
    let series = (0..4).map(|number| {
        let name = format!("library-{number}");
        Series::new(
            "trivy_vulnerability_id",
            &[
                ("namespace", "shop"),
                ("resource_kind", "ReplicaSet"),
                ("resource_name", "web-6d4cf56db6"),
                ("resource", &name),
                ("installed_version", "1.0"),
                ("severity", "High"),
                ("vuln_id", "CVE-2026-00001"),
            ],
            1.0,
        )
    });
    let counted = Series::new("trivy_image_vulnerabilities", &[("severity", "High")], 4.0);
    series.chain([counted]).collect()
}

fn files_in(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(files_in(&path));
        } else if path.is_file() {
            files.push(path);
        }
    }
    files
}

#[track_caller]
fn is_clean(what: &str, bytes: &[u8]) {
    for trace in TRACES.iter().chain(&[BASIC]) {
        if let Some(at) = memchr::memmem::find(bytes, trace.as_bytes()) {
            let from = at.saturating_sub(200);
            let around = String::from_utf8_lossy(&bytes[from..bytes.len().min(at + 60)]);
            panic!("{trace} stands in {what}: …{around}…");
        }
    }
}

#[test]
fn credentials_are_seen_by_their_tools_and_by_nobody_else() {
    let house = House::new();
    let environment = house.environment();
    let environment: Vec<_> = environment.iter().map(|(k, v)| (*k, v.as_str())).collect();
    let daemon = Daemon::start_with(&house.installation, &environment);
    let asked = |path: &str| {
        let (status, body) = daemon.request("GET", path, None);
        is_clean(path, body.as_bytes());
        assert_eq!(status, 200, "{path}: {body}");
    };

    house.clean(&["check"]).exits(0);
    for tool in ["string", "bearer"] {
        house.clean(&["discover", tool]).exits(0);
    }
    house.clean(&["run", "--all"]).exits(0);
    for misfortune in [
        Misfortune::CredentialInAnError,
        Misfortune::CredentialInARow,
        Misfortune::KeyRevoked,
        Misfortune::HtmlLoginPage,
        Misfortune::RedirectToAnotherHost,
        Misfortune::TruncatedJson,
    ] {
        house.inflict(misfortune);
        house.clean(&["run", "--all"]);
        house.clean(&["check"]);
        house.calm();
        for listing in [
            &["findings", "--status", "all", "--raw", "--format", "jsonl"][..],
            &["findings", "--status", "all", "--format", "csv"],
            &["runs", "--format", "json"],
            &["status", "--format", "json"],
            &["status"],
        ] {
            house.clean(listing);
        }
        for path in [
            "/v1/status",
            "/v1/runs",
            "/v1/findings?status=all&raw=true",
            "/metrics",
        ] {
            asked(path);
        }
        house.check_files();
    }
    let raw = house
        .clean(&["findings", "--status", "all", "--raw", "--format", "jsonl"])
        .stdout;
    assert!(!raw.is_empty());
    house.clean(&["run", "--all"]).exits(0);
    // Without a daemon, at the same level.
    house.clean(&["run", "--standalone", "--all"]).exits(0);
    let process = daemon.pid();
    let line = fs::read(format!("/proc/{process}/cmdline")).unwrap();
    is_clean("the command line", &line);
    house.clean(&["reload"]).exits(0);
    let log = daemon.log();
    assert!(log.contains("TRACE"), "the log is not at trace level");
    assert!(daemon.stop().success());
    house.check_files();
}

#[test]
fn what_a_tool_echoes_is_stored_without_the_credential_and_with_the_rest() {
    let house = House::new();
    house.inflict(Misfortune::CredentialInARow);
    house.clean(&["run", "--standalone", "--all"]).exits(0);
    let findings = house
        .clean(&["findings", "--raw", "--format", "jsonl"])
        .exits(0);
    assert_eq!(findings.lines().len(), 6 * 4);
    let echoed = findings.stdout.matches("sent with ***").count();
    assert!(echoed >= 6, "{echoed} rows hold an echo");
    house.check_files();
}

#[test]
fn mistakes_in_the_configuration_are_told_without_the_secret() {
    let house = House::new();
    let path = house.installation.path("secpull.toml");
    let right = fs::read_to_string(&path).unwrap();
    let mode = |mode| fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();

    mode(0o644);
    let ran = house.clean(&["check", "--offline"]).exits(2);
    assert!(ran.stderr.contains("secret"), "{ran:#?}");
    mode(0o600);
    for wrong in [
        // A key and a value that are not known, a list, a text that does not end.
        right.replace("secret = \"canary", "secrte = \"canary"),
        right.replace("secret = { env", "secret = { environ"),
        right.replace(
            &format!("secret = \"{}\"", canary("string")),
            &format!("secret = [\"{}\"]", canary("string")),
        ),
        right.replace(
            &format!("secret = \"{}\"", canary("string")),
            &format!("secret = \"{}", canary("string")),
        ),
    ] {
        assert_ne!(wrong, right);
        fs::write(&path, wrong).unwrap();
        house.clean(&["check", "--offline"]).exits(2);
    }
}

#[test]
fn a_crash_leaves_no_memory_behind() {
    let house = House::new();
    let mut command = Command::new("sh");
    // The process itself has to forbid what it was allowed.
    let mut daemon = command
        .args(["-c", "ulimit -c unlimited; exec \"$@\"", "sh"])
        .arg(env!("CARGO_BIN_EXE_secpull"))
        .arg("--config")
        .arg(house.installation.folder())
        .arg("daemon")
        .envs(house.environment())
        .env_remove("NOTIFY_SOCKET")
        .current_dir(house.installation.folder())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    wait_for("the daemon to answer", || {
        std::os::unix::net::UnixStream::connect(house.installation.socket()).ok()
    });
    let limits = fs::read_to_string(format!("/proc/{}/limits", daemon.id()));
    if let Ok(limits) = limits {
        let core = limits
            .lines()
            .find(|line| line.starts_with("Max core file size"));
        let core: Vec<_> = core.unwrap().split_whitespace().skip(4).take(2).collect();
        assert_eq!(core, ["0", "0"]);
    }
    let process = nix::unistd::Pid::from_raw(daemon.id().cast_signed());
    nix::sys::signal::kill(process, Signal::SIGABRT).unwrap();
    let status = daemon.wait().unwrap();
    assert_eq!(status.signal(), Some(Signal::SIGABRT as i32));
    assert!(!status.core_dumped());
    house.check_files();
}
