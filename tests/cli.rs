//! The command line where no daemon is needed: usage, completions, man pages, and what is said when nobody answers.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;

use assert_cmd::Command;
use tempfile::TempDir;

struct Place(TempDir);

impl Place {
    /// A folder with a configuration whose socket and store lie in it.
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let text = format!(
            "[store]\nurl = \"sqlite:{0}/secpull.db\"\n[control]\nsocket = \"{0}/secpull.sock\"\n",
            folder.path().display()
        );
        fs::write(folder.path().join("secpull.toml"), text).unwrap();
        Self(folder)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn run(&self, arguments: &[&str]) -> (i32, String, String) {
        let mut command = Command::cargo_bin("secpull").unwrap();
        command.env_clear().env("SECPULL_CONFIG", self.path());
        let output = command.args(arguments).output().unwrap();
        (
            output.status.code().unwrap(),
            String::from_utf8(output.stdout).unwrap(),
            String::from_utf8(output.stderr).unwrap(),
        )
    }
}

#[test]
fn a_mistake_in_usage_exits_with_2() {
    let place = Place::new();
    for arguments in [
        &[][..],
        &["frobnicate"],
        &["run"],
        &["run", "--all", "shop"],
        &["run", "shop", "--detach", "--standalone"],
        &["runs", "--limit", "many"],
        &["findings", "--severity", "hihg"],
        &["findings", "--since", "yesterday"],
        &["findings", "--raw"],
        &["findings", "--format", "html"],
        &["findings", "--format", "sarif", "--raw"],
        &["runs", "--format", "sarif"],
        &["completions", "cmd.exe"],
        &["accept"],
    ] {
        let (code, out, err) = place.run(arguments);
        assert_eq!(code, 2, "{arguments:?}: {err}");
        assert_eq!(out, "", "{arguments:?}");
        assert!(!err.is_empty(), "{arguments:?}");
    }
}

#[test]
fn help_goes_to_standard_output_and_exits_with_0() {
    let place = Place::new();
    for arguments in [
        &["--help"][..],
        &["run", "--help"],
        &["findings", "show", "-h"],
    ] {
        let (code, out, err) = place.run(arguments);
        assert_eq!((code, err.as_str()), (0, ""), "{arguments:?}");
        assert!(out.contains("Usage: secpull"), "{arguments:?}: {out}");
    }
}

#[test]
fn the_long_help_of_the_program_names_the_exit_codes() {
    let (_, out, _) = Place::new().run(&["--help"]);
    assert!(out.contains("3  the daemon cannot be reached"), "{out}");
}

#[test]
fn without_a_daemon_commands_that_need_one_exit_with_3() {
    let place = Place::new();
    for arguments in [
        &["run", "shop"][..],
        &["run", "--all"],
        &["accept", "shop"],
        &["reload"],
        &["findings"],
        &["findings", "show", "1"],
        &["runs"],
    ] {
        let (code, out, err) = place.run(arguments);
        assert_eq!(code, 3, "{arguments:?}: {err}");
        assert_eq!(out, "", "{arguments:?}");
        let socket = place.path().join("secpull.sock");
        let expected = format!(
            "no daemon is running: there is no socket {}",
            socket.display()
        );
        assert!(err.contains(&expected), "{arguments:?}: {err}");
    }
}

#[test]
fn a_listing_without_daemon_and_store_gives_both_reasons() {
    let (code, _, err) = Place::new().run(&["runs"]);
    assert_eq!(code, 3);
    assert!(err.contains("no daemon is running"), "{err}");
    assert!(err.contains("there is no store at"), "{err}");
}

#[test]
fn a_socket_that_nobody_listens_at_is_told_as_such() {
    let place = Place::new();
    let socket = place.path().join("secpull.sock");
    drop(std::os::unix::net::UnixListener::bind(&socket).unwrap());
    let (code, _, err) = place.run(&["reload"]);
    assert_eq!(code, 3);
    assert!(err.contains("nobody answers at the socket"), "{err}");
}

#[test]
fn another_socket_may_be_named() {
    let place = Place::new();
    let (code, _, err) = place.run(&["reload", "--socket", "/nonexistent/other.sock"]);
    assert_eq!(code, 3);
    assert!(err.contains("/nonexistent/other.sock"), "{err}");
}

#[test]
fn each_mistake_of_the_configuration_is_a_line_and_the_code_is_2() {
    let place = Place::new();
    fs::create_dir(place.path().join("conf.d")).unwrap();
    let text = "[automatic_import]\nhour = 24\nfrobnicate = true\n";
    fs::write(place.path().join("conf.d/10.toml"), text).unwrap();
    let (code, out, err) = place.run(&["check", "--offline"]);
    assert_eq!(code, 2);
    assert_eq!(out, "");
    let lines: Vec<&str> = err.lines().filter(|l| l.starts_with("error: ")).collect();
    assert_eq!(lines.len(), 2, "{err}");
    assert!(lines.iter().all(|line| line.contains("10.toml:")), "{err}");
}

#[test]
fn a_right_configuration_is_said_to_be_right() {
    let place = Place::new();
    let (code, out, _) = place.run(&["check", "--offline"]);
    assert_eq!(code, 0);
    assert_eq!(
        out,
        format!(
            "configuration {}: ok: 0 tools, 0 API configurations\n",
            place.path().display()
        )
    );
}

#[test]
fn an_unknown_name_exits_with_2() {
    let place = Place::new();
    for arguments in [
        &["check", "nobody"][..],
        &["discover", "nobody"],
        &["connectors", "nobody"],
        &["run", "nobody", "--standalone"],
    ] {
        let (code, _, err) = place.run(arguments);
        assert_eq!(code, 2, "{arguments:?}: {err}");
    }
}

#[test]
fn there_are_completions_for_the_usual_shells() {
    let place = Place::new();
    for shell in ["bash", "zsh", "fish"] {
        let (code, out, _) = place.run(&["completions", shell]);
        assert_eq!(code, 0);
        assert!(out.contains("standalone"), "{shell}");
    }
}

#[test]
fn the_man_page_is_printed_or_all_pages_are_written() {
    let place = Place::new();
    let (code, out, _) = place.run(&["man"]);
    assert_eq!(code, 0);
    assert!(out.contains(".TH secpull 1"), "{out}");

    let folder = place.path().join("man1");
    let folder_text = folder.to_str().unwrap();
    let (code, _, err) = place.run(&["man", "--out", folder_text]);
    assert_eq!(code, 2);
    assert!(err.contains("is no folder"), "{err}");

    fs::create_dir(&folder).unwrap();
    let (code, _, err) = place.run(&["man", "--out", folder_text]);
    assert_eq!(code, 0, "{err}");
    for page in ["secpull.1", "secpull-run.1", "secpull-findings-show.1"] {
        assert!(folder.join(page).is_file(), "{page}");
    }
}
