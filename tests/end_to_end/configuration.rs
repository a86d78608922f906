//! Mistakes in the configuration, as an admin meets them.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::support::Installation;

const TOOL: &str = "[tools.dtrack]\nconnector = \"dependency-track\"\n\
                    location = \"https://dt.example.com\"\nsecret = \"canary-of-a-key\"\n";

/// `check --offline` of this configuration: exit code 2, and these words in one line of standard error.
#[track_caller]
fn refused(toml: &str, words: &[&str]) {
    let installation = Installation::new(toml);
    let ran = installation.secpull(&["check", "--offline"]).exits(2);
    let line = ran
        .stderr
        .lines()
        .find(|line| words.iter().all(|word| line.contains(word)))
        .map(str::to_owned);
    assert!(line.is_some(), "no line with {words:?} in {ran:#?}");
    assert!(!ran.stderr.contains("canary-of-a-key"), "{ran:#?}");
}

#[test]
fn each_mistake_gives_one_line_with_file_line_key_and_what_is_allowed() {
    // Lines 1 to 6 are store and socket.
    refused(
        "[automatic_import]\nhuor = 3\n",
        &["secpull.toml:8", "huor", "hour"],
    );
    refused(
        "[automatic_import]\nhour = \"3\"\n",
        &["secpull.toml:8", "hour"],
    );
    refused(
        "[automatic_import]\nhour = 24\n",
        &["secpull.toml:8", "hour", "23"],
    );
    refused(
        "[tools.x]\nconnector = \"dependencytrack\"\nlocation = \"https://x.example.com\"\n",
        &[
            "secpull.toml:8",
            "connector",
            "dependency-track",
            "trivy-operator-prometheus",
        ],
    );
    refused(
        &format!("{TOOL}[api_configurations.shop]\ntool = \"dt\"\n"),
        &["secpull.toml:12", "tool", "dtrack"],
    );
    refused(
        &format!("{TOOL}[api_configurations.shop]\nproduct = \"Shop\"\n"),
        &["secpull.toml:11", "tool"],
    );
    refused(
        &format!(
            "{TOOL}[api_configurations.shop]\ntool = \"dtrack\"\n\
             automatic_import = {{ cron = \"0 0 31 2 *\" }}\n"
        ),
        &["secpull.toml:13", "cron"],
    );
    refused(
        &format!("{TOOL}ca_bundle = \"/nowhere/ca.pem\"\n"),
        &["secpull.toml:11", "ca_bundle", "/nowhere/ca.pem"],
    );
    refused(
        "[tools.x]\nconnector = \"dependency-track\"\nlocation = \"https://x.example.com\"\n",
        &["secpull.toml:7", "secret"],
    );
    refused(
        "[tools.x]\nconnector = \"dependency-track\"\nlocation = \"http://x.example.com\"\n\
         secret = \"canary-of-a-key\"\n",
        &["secpull.toml:", "http", "allow_plaintext_http"],
    );
}

#[test]
fn a_secret_file_that_others_can_read_is_refused() {
    let installation = Installation::new("");
    installation.write("key", "canary-of-a-key");
    fs::set_permissions(installation.path("key"), fs::Permissions::from_mode(0o644)).unwrap();
    installation.configure(&format!(
        "[tools.x]\nconnector = \"dependency-track\"\nlocation = \"https://x.example.com\"\n\
         secret = {{ file = \"{}\" }}\n",
        installation.path("key").display()
    ));
    let ran = installation.secpull(&["check", "--offline"]).exits(2);
    assert!(ran.stderr.contains("chmod 600"), "{ran:#?}");
    assert!(!ran.stderr.contains("canary"), "{ran:#?}");
}

#[test]
fn all_mistakes_of_all_files_are_told_at_once() {
    let installation = Installation::new(&format!(
        "{TOOL}[automatic_import]\nhour = 24\nminute = 60\n"
    ));
    installation.write(
        "conf.d/10-more.toml",
        "[tools.dtrack]\nconnector = \"dependency-track\"\n\n[imprt]\nmin_held = 1\n",
    );
    let ran = installation.secpull(&["check", "--offline"]).exits(2);
    for words in [
        ["secpull.toml:12", "hour"],
        ["secpull.toml:13", "minute"],
        ["10-more.toml:1", "secpull.toml:7"],
        ["10-more.toml:4", "imprt"],
    ] {
        let found = |line: &str| words.iter().all(|word| line.contains(word));
        assert!(ran.stderr.lines().any(found), "{words:?} not in {ran:#?}");
    }
}

#[test]
fn every_command_refuses_a_wrong_configuration_with_exit_code_2() {
    let installation = Installation::new("[automatic_import]\nhour = 24\n");
    for command in [
        &["daemon"] as &[&str],
        &["run", "--standalone", "--all"],
        &["check"],
        &["discover", "x"],
    ] {
        let ran = installation.secpull(command).exits(2);
        assert!(
            ran.stderr.contains("secpull.toml:8"),
            "{command:?}: {ran:#?}"
        );
    }
}
