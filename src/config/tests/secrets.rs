//! Where secrets come from, and that they go nowhere else.

use super::{Room, TOOL};

const ALLOWED: &str =
    "text, or { credential = \"NAME\" }, { env = \"NAME\" } or { file = \"/PATH\" }";

fn tool(secret: &str) -> String {
    format!(
        "[tools.scan]\nconnector = 'scanner'\nlocation = 'https://scan.example.com'\nsecret = {secret}\n"
    )
}

fn secret_of(room: &Room) -> String {
    let config = room.load().unwrap().config;
    config.tools["scan"]
        .secret
        .as_ref()
        .unwrap()
        .expose()
        .to_owned()
}

#[test]
fn a_secret_comes_from_text_a_variable_a_file_or_a_credential() {
    assert_eq!(secret_of(&Room::with(&tool("'s3cret'"))), "s3cret");
    assert_eq!(
        secret_of(&Room::with(&tool("{ env = 'SCAN_KEY' }"))),
        "s3cret-scan"
    );

    let room = Room::new().file("key", "s3cret-file\n");
    let path = room.path("key").display().to_string();
    let room = room.file("secpull.toml", &tool(&format!("{{ file = '{path}' }}")));
    assert_eq!(secret_of(&room), "s3cret-file");

    let room = Room::with(&tool("{ credential = 'scan' }"))
        .file("credentials/scan", "s3cret-credential\n")
        .mode("credentials/scan", 0o440);
    let folder = room.path("credentials").display().to_string();
    let room = room.variable("CREDENTIALS_DIRECTORY", &folder);
    assert_eq!(secret_of(&room), "s3cret-credential");
}

#[test]
fn a_missing_or_empty_secret_is_told_with_where_it_was_looked_for() {
    for (secret, expected) in [
        ("{ env = 'NOT_SET' }", "environment variable \"NOT_SET\" is not set; allowed: one that is, see Environment= or EnvironmentFile= of the unit".to_owned()),
        ("{ env = 'BLANK' }", "environment variable \"BLANK\" is empty; allowed: the secret in it".into()),
        ("{ env = 's3cret/+=' }", "env is not the name of a variable; allowed: letters, digits and _, such as DTRACK_API_KEY".into()),
        ("{ file = 'key' }", "file is not an absolute path; allowed: one that starts with /".into()),
        ("{ file = '/nowhere/key' }", "/nowhere/key cannot be read: No such file or directory (os error 2); allowed: a file with the secret that the user of the service can read".into()),
        ("{ credential = 'scan' }", "credential \"scan\": /run/credentials/secpull.service/scan cannot be read: No such file or directory (os error 2); allowed: $CREDENTIALS_DIRECTORY is not set, which systemd sets for the service; elsewhere use env or file".into()),
        ("{ credential = '../s3cret' }", "credential is not a name; allowed: NAME of LoadCredential=NAME:PATH in the unit".into()),
        ("' '", format!("is empty; allowed: {ALLOWED}")),
        ("12", format!("is a whole number; allowed: {ALLOWED}")),
        ("['s3cret']", format!("is a list; allowed: {ALLOWED}")),
        ("{}", format!("is a table of nothing; allowed: {ALLOWED}")),
        ("{ value = 's3cret' }", format!("is a table of \"value\" (text); allowed: {ALLOWED}")),
        ("{ env = 'SCAN_KEY', file = '/x' }", format!("is a table of \"env\" (text), \"file\" (text); allowed: {ALLOWED}")),
        ("{ env = 5 }", format!("is a table of \"env\" (a whole number); allowed: {ALLOWED}")),
    ] {
        let room = Room::with(&tool(secret)).variable("BLANK", " ");
        // A table has its key as place, a value itself.
        let column = if secret.starts_with('{') { 1 } else { 10 };
        assert_eq!(
            room.problems(),
            [format!("secpull.toml:4:{column}: tools.scan.secret: {expected}")]
        );
    }
}

#[test]
fn a_missing_credential_names_the_file_in_the_services_folder() {
    let room =
        Room::with(&tool("{ credential = 'scan' }")).variable("CREDENTIALS_DIRECTORY", "/run/c");
    assert_eq!(
        room.problems(),
        [
            "secpull.toml:4:1: tools.scan.secret: credential \"scan\": /run/c/scan cannot be read: No such file or directory (os error 2); allowed: the unit needs LoadCredential=, and a restart (not a reload) brings it in"
        ]
    );
}

#[test]
fn a_secret_file_that_others_can_read_is_refused_except_among_the_credentials() {
    let room = Room::new().file("key", "s3cret").mode("key", 0o640);
    let path = room.path("key").display().to_string();
    let room = room.file("secpull.toml", &tool(&format!("{{ file = '{path}' }}")));
    assert_eq!(
        room.problems(),
        [
            "secpull.toml:4:1: tools.scan.secret: group or others can read key (mode 0640); allowed: chmod 600 key"
        ]
    );
    let folder = room.folder.path().display().to_string();
    let room = room.variable("CREDENTIALS_DIRECTORY", &folder);
    assert_eq!(secret_of(&room), "s3cret");
}

#[test]
fn a_pipe_in_place_of_a_secret_file_is_refused_and_not_waited_for() {
    let room = Room::new();
    let path = room.path("pipe");
    nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRUSR).unwrap();
    let room = room.file(
        "secpull.toml",
        &tool(&format!("{{ file = '{}' }}", path.display())),
    );
    let problems = room.problems();
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(
        problems[0].contains("it is no regular file"),
        "{problems:?}"
    );
}

#[test]
fn a_file_with_a_plain_secret_that_others_can_read_is_refused() {
    let refused = |line: &str| {
        format!(
            "{line}: is a secret in plain text, and group or others can read the file (mode 0644); allowed: chmod 600 secpull.toml, or {{ credential = \"NAME\" }}, {{ env = \"NAME\" }}, {{ file = \"/PATH\" }}"
        )
    };
    let room = Room::with(&tool("'s3cret'")).mode("secpull.toml", 0o644);
    assert_eq!(
        room.problems(),
        [refused("secpull.toml:4:1: tools.scan.secret")]
    );
    let room = Room::with(&format!("{TOOL}headers = {{ X-Key = 's3cret' }}\n"))
        .mode("secpull.toml", 0o644);
    assert_eq!(
        room.problems(),
        [refused("secpull.toml:6:13: tools.scan.headers.X-Key")]
    );
    let room = Room::with(&format!("{TOOL}proxy = 'http://me:s3cret@proxy.example'\n"))
        .mode("secpull.toml", 0o644);
    assert_eq!(
        room.problems(),
        [refused("secpull.toml:6:1: tools.scan.proxy")]
    );
    // A user name alone is a token.
    let room = Room::with(&format!("{TOOL}proxy = 'http://s3cret@proxy.example'\n"))
        .mode("secpull.toml", 0o644);
    assert_eq!(
        room.problems(),
        [refused("secpull.toml:6:1: tools.scan.proxy")]
    );
    // Without plain secrets, and from a variable, any mode will do.
    let room = Room::with(TOOL)
        .mode("secpull.toml", 0o644)
        .variable("SECPULL_TOOLS__SCAN__SECRET", "s3cret");
    assert_eq!(secret_of(&room), "s3cret");
}

#[test]
fn a_secret_over_plain_http_is_refused_but_to_this_machine_or_on_request() {
    let tool = |location: &str, more: &str| {
        Room::with(&format!(
            "[tools.scan]\nconnector = 'scanner'\nlocation = '{location}'\nsecret = 's3cret'\n{more}\n"
        ))
    };
    for elsewhere in [
        "http://scan.example.com",
        "http://10.0.0.1",
        "http://localhost.example.com",
    ] {
        assert_eq!(
            tool(elsewhere, "").problems(),
            [
                "secpull.toml:3:12: tools.scan.location: plain http would show the secret to anyone on the way; allowed: https, http to this machine, or allow_plaintext_http = true"
            ]
        );
        let loaded = tool(elsewhere, "allow_plaintext_http = true")
            .load()
            .unwrap();
        assert!(
            loaded.warnings[0].contains("plain http"),
            "{:?}",
            loaded.warnings
        );
    }
    for here in [
        "http://localhost:8080",
        "http://127.1.2.3",
        "http://[::1]:80",
        "http://[::ffff:127.0.0.1]",
        "http://prom.localhost",
    ] {
        tool(here, "").load().unwrap();
    }
    Room::with("[tools.open]\nconnector = 'catalogue'\nlocation = 'http://x.example'\n")
        .load()
        .unwrap();
}

#[test]
fn no_mistake_ever_shows_a_secret() {
    let canary = "C4NARY";
    for text in [
        "[tools.scan]\nsecert = 'C4NARY'\nconnector = 'scanner'\n",
        "[tools.scan]\nconnector = 'scanner'\nsecret = ['C4NARY']\n",
        "[tools.scan]\nconnector = 'scanner'\nsecret = { file = 'C4NARY' }\n",
        "[tools.scan]\nconnector = 'scanner'\nsecret = { credential = 'C4NARY/x' }\n",
        "[tools.scan]\nconnector = 'scanner'\nsecret = { value = 'C4NARY' }\n",
        "[tools.scan]\nconnector = 'scanner'\nsecret = C4NARY\n",
        "[tools.scan]\nconnector = 'scanner'\nsecret = 'C4NARY\n",
        "[tools.scan]\nconnector = 'scanner'\nsecret = \"C4NARY\\q\"\n",
        "[tools.scan]\nconnector = 'scanner'\nlocation = 'https://x:C4NARY@x'\n",
        "[tools.scan]\nconnector = 'scanner'\nlocation = 'C4NARY'\n",
        "[tools.scan]\nconnector = 'scanner'\nlocation = 'https://x/?C4NARY'\n",
        "[tools.scan]\nconnector = 'scanner'\nproxy = 'ftp://x:C4NARY@x'\n",
        "[tools.scan]\nconnector = 'scanner'\nheaders = ['C4NARY']\n",
        "[tools.scan]\nconnector = 'scanner'\nheaders = { x = ['C4NARY'] }\n",
        "[tools.scan]\nconnector = 'scanner'\nsecret = 'C4NARY'\nsession = 'C4NARY'\n",
        "[store]\nurl = 'postgres://x:C4NARY@x'\n",
        "[stoer]\nurl = 'postgres://x:C4NARY@x'\n",
        "[api_configurations.x]\ntool = 'scan'\nsecret = 'C4NARY'\nautomatic_import.endpoint_url = 'https://x:C4NARY@x'\n",
    ] {
        let room = Room::with(text)
            .mode("secpull.toml", 0o644)
            .variable("SECPULL_TOOLS__SCAN__SECERT", canary)
            .variable("SECPULL_TOOLS_SCAN_SECRET", canary)
            .variable("SECPULL_STORE__URL__X", canary);
        let problems = room.problems().join("\n");
        assert!(!problems.contains(canary), "{problems}\nfor\n{text}");
    }
}

#[test]
fn a_loaded_configuration_shows_no_secret_in_debug() {
    let room = Room::with(
        "[tools.scan]\nconnector = 'scanner'\nlocation = 'https://x'\nsecret = 'C4NARY'\nsession = 'C4NARY'\n\
         headers = { x = 'C4NARY' }\nproxy = 'http://u:C4NARY@proxy.example:3128'\n",
    );
    let debug = format!("{:?}", room.load().unwrap());
    assert!(!debug.contains("C4NARY"), "{debug}");
    assert!(
        debug.contains("Through(http://proxy.example:3128)"),
        "{debug}"
    );
}
