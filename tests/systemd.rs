//! The unit and its companions in `systemd/`, by systemd's own tools (252 or later), and against the code's defaults.
//!
//! `scripts/test-deb` boots a machine with them.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use secpull::config::{self, Config, DEFAULT_PATH};

fn shipped(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("systemd")
        .join(name)
}

/// The values of each key of the unit, in order.
fn unit() -> BTreeMap<String, Vec<String>> {
    let text = fs::read_to_string(shipped("secpull.service")).unwrap();
    let mut keys: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in text.lines().filter(|line| !line.starts_with(['#', '['])) {
        if let Some((key, value)) = line.split_once('=') {
            keys.entry(key.to_owned())
                .or_default()
                .push(value.to_owned());
        }
    }
    keys
}

/// A root folder in which the unit is installed with what it starts.
fn installed() -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    let units = root.path().join("usr/lib/systemd/system");
    fs::create_dir_all(&units).unwrap();
    fs::copy(shipped("secpull.service"), units.join("secpull.service")).unwrap();
    fs::create_dir_all(root.path().join("usr/bin")).unwrap();
    // Only that it is there and may be executed is looked at.
    let program = root.path().join("usr/bin/secpull");
    fs::write(&program, "").unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    root
}

fn tool(name: &str, arguments: &[&str]) -> Output {
    Command::new(name)
        .args(arguments)
        .env("SYSTEMD_PAGER", "")
        .output()
        .unwrap_or_else(|error| panic!("{name} is needed (Debian's package systemd): {error}"))
}

fn said(output: &Output) -> String {
    let both = [&output.stdout[..], &output.stderr[..]].concat();
    String::from_utf8(both).unwrap()
}

/// The configuration of an empty file: all defaults.
fn defaults() -> Config {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secpull.toml");
    fs::write(&file, "").unwrap();
    config::load(&file, &BTreeMap::new(), &[]).unwrap().config
}

#[test]
fn systemd_finds_nothing_wrong_with_the_unit() {
    let root = installed();
    let root = format!("--root={}", root.path().display());
    let flags = [
        "verify",
        &root,
        "--man=no",
        "--recursive-errors=no",
        "secpull.service",
    ];
    let output = tool("systemd-analyze", &flags);
    assert!(
        output.status.success() && said(&output).is_empty(),
        "{output:?}"
    );
}

#[test]
fn the_exposure_is_at_most_one_point_two() {
    let unit = shipped("secpull.service");
    let flags = ["security", "--offline=true", "--no-pager", "--threshold=12"];
    let flags = [&flags[..], &[unit.to_str().unwrap()]].concat();
    let output = tool("systemd-analyze", &flags);
    assert!(output.status.success(), "{}", said(&output));
}

#[test]
fn the_folders_of_the_unit_are_where_the_code_looks() {
    let unit = unit();
    let defaults = defaults();
    let state = Path::new("/var/lib").join(&unit["StateDirectory"][0]);
    let store = format!("{:?}", defaults.store);
    assert!(
        store.contains(&format!("\"{}/", state.display())),
        "{store}"
    );
    let runtime = Path::new("/run").join(&unit["RuntimeDirectory"][0]);
    assert_eq!(defaults.control.socket.parent(), Some(&*runtime));
    let tmpfiles = fs::read_to_string(shipped("secpull.tmpfiles")).unwrap();
    let folder = Path::new(DEFAULT_PATH)
        .parent()
        .unwrap()
        .display()
        .to_string();
    assert!(tmpfiles.contains(&format!("d {folder} ")), "{tmpfiles}");
    assert_eq!(unit["ExecStart"], ["/usr/bin/secpull daemon"]);
}

#[test]
fn the_control_socket_can_tell_who_asks() {
    let unit = unit();
    assert_eq!(unit["PrivateUsers"], ["no"]);
    assert_eq!(unit["User"], unit["Group"]);
    assert_eq!(unit["RuntimeDirectoryMode"], ["0750"]);
}

#[test]
fn the_user_is_one_that_sysusers_makes() {
    let root = tempfile::tempdir().unwrap();
    fs::create_dir(root.path().join("etc")).unwrap();
    let file = shipped("secpull.sysusers");
    let at = format!("--root={}", root.path().display());
    let output = tool("systemd-sysusers", &[&at, file.to_str().unwrap()]);
    assert!(output.status.success(), "{}", said(&output));
    let line = |name: &str| {
        let text = fs::read_to_string(root.path().join(name)).unwrap();
        text.lines()
            .find(|line| line.starts_with("secpull:"))
            .unwrap()
            .to_owned()
    };
    line("etc/group");
    assert!(line("etc/passwd").ends_with(":/var/lib/secpull:/usr/sbin/nologin"));
    assert_eq!(unit()["User"], ["secpull"]);
}

#[test]
fn the_folders_of_the_configuration_are_made_with_their_modes() {
    let root = tempfile::tempdir().unwrap();
    fs::create_dir(root.path().join("etc")).unwrap();
    // Only root can give them away; for others, what is made is looked at with their own names.
    let own = |id: u32| id.to_string();
    let made = fs::metadata(root.path()).unwrap();
    let text = fs::read_to_string(shipped("secpull.tmpfiles")).unwrap();
    let text = text
        .replace(" root ", &format!(" {} ", own(made.uid())))
        .replace(" secpull\n", &format!(" {}\n", own(made.gid())))
        .replace(" root\n", &format!(" {}\n", own(made.gid())));
    let file = root.path().join("secpull.conf");
    fs::write(&file, text).unwrap();
    let at = format!("--root={}", root.path().display());
    let output = tool(
        "systemd-tmpfiles",
        &[&at, "--create", file.to_str().unwrap()],
    );
    assert!(
        output.status.success() && said(&output).is_empty(),
        "{output:?}"
    );
    for (folder, mode) in [
        ("etc/secpull", 0o750),
        ("etc/secpull/conf.d", 0o750),
        ("etc/secpull/credentials", 0o700),
    ] {
        let made = fs::metadata(root.path().join(folder)).unwrap();
        assert_eq!(made.mode() & 0o7777, mode, "{folder}");
    }
}
