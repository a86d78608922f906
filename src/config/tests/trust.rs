//! Certificates and keys are tried out when the configuration is loaded.

use super::{Room, TOOL};

// Made for these tests, trusted nowhere: a certificate with its key, and a key of no certificate.
const CERTIFICATE: &str = include_str!("tls/certificate.pem");
const KEY: &str = include_str!("tls/key.pem");
const OTHER_KEY: &str = include_str!("tls/other_key.pem");

fn room(keys: &str) -> Room {
    let room = Room::new()
        .file("ca.pem", CERTIFICATE)
        .mode("ca.pem", 0o644)
        .file("key.pem", KEY)
        .file("other.pem", OTHER_KEY)
        .file("open.pem", KEY)
        .mode("open.pem", 0o644)
        .file("text.pem", "no certificate in here\n")
        .file("pkcs8.pem", "-----BEGIN ENCRYPTED PRIVATE KEY-----\n")
        .file(
            "pkcs1.pem",
            "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n",
        )
        .file(
            "garbage.pem",
            "-----BEGIN CERTIFICATE-----\nbm90IGEgY2VydGlmaWNhdGU=\n-----END CERTIFICATE-----\n",
        );
    let folder = room.folder.path().display().to_string();
    let text = format!("{}{keys}\n", TOOL).replace("DIR", &folder);
    room.file("secpull.toml", &text)
}

#[test]
fn bundle_and_client_identity_are_read_into_the_tool() {
    let room = room(
        "ca_bundle = 'DIR/ca.pem'\nca_bundle_only = true\nclient_certificate = 'DIR/ca.pem'\nclient_key = 'DIR/key.pem'",
    );
    let config = room.load().unwrap().config;
    let trust = &config.tools["scan"].trust;
    assert_eq!(trust.ca_bundle.as_deref(), Some(CERTIFICATE.as_bytes()));
    assert!(trust.ca_bundle_only && !trust.accept_invalid);
    assert!(trust.client_identity.is_some());
    assert!(!format!("{trust:?}").contains("45, 45, 45"), "{trust:?}");
}

#[test]
fn certificates_and_keys_that_cannot_be_used_are_told() {
    const PEM: &str = "allowed: a PEM file with -----BEGIN CERTIFICATE-----";
    let unusable = |keys: &str, expected: &[String]| {
        let expected: Vec<_> = expected
            .iter()
            .map(|line| format!("secpull.toml:{line}"))
            .collect();
        assert_eq!(room(keys).problems(), expected, "for {keys}");
    };
    unusable(
        "ca_bundle = 'DIR/none.pem'",
        &[format!(
            "6:13: tools.scan.ca_bundle: none.pem cannot be read: No such file or directory (os error 2); {PEM}"
        )],
    );
    unusable(
        "ca_bundle = 'DIR/text.pem'",
        &[format!(
            "6:13: tools.scan.ca_bundle: text.pem holds no certificate; {PEM}"
        )],
    );
    let der = room("ca_bundle = 'DIR/ca.der'");
    std::fs::write(der.path("ca.der"), [0x30, 0x82, 1, 0]).unwrap();
    assert_eq!(
        der.problems(),
        [format!(
            "secpull.toml:6:13: tools.scan.ca_bundle: ca.der holds no PEM but DER or PKCS #12 (openssl x509 -inform DER, or openssl pkcs12 -nodes, makes PEM of it); {PEM}"
        )]
    );
    for encrypted in ["pkcs8.pem", "pkcs1.pem"] {
        unusable(
            &format!("client_certificate = 'DIR/ca.pem'\nclient_key = 'DIR/{encrypted}'"),
            &[format!(
                "7:14: tools.scan.client_key: {encrypted} is encrypted, and nobody is there to type its passphrase when the daemon starts; allowed: the key in plain (openssl pkey -in {encrypted} -out PLAIN), not readable by group and others"
            )],
        );
    }
    unusable("ca_bundle_only = true", &["6:18: tools.scan.ca_bundle_only: is true without ca_bundle, so nothing would be trusted; allowed: only beside ca_bundle".into()]);
    unusable("client_certificate = 'DIR/ca.pem'", &["6:22: tools.scan.client_certificate: stands without client_key; allowed: both or neither".into()]);
    unusable("client_key = 'DIR/key.pem'", &["6:14: tools.scan.client_key: stands without client_certificate; allowed: both or neither".into()]);
    unusable(
        "client_certificate = 'DIR/ca.pem'\nclient_key = 'DIR/open.pem'",
        &["7:14: tools.scan.client_key: group or others can read open.pem (mode 0644); allowed: chmod 600 open.pem".into()],
    );
    let problems = room("ca_bundle = 'DIR/garbage.pem'").problems();
    assert!(problems.len() == 1 && problems[0].starts_with("secpull.toml:6:13: tools.scan.ca_bundle: garbage.pem holds no usable certificates: "), "{problems:?}");
    for wrong in ["other.pem", "ca.pem"] {
        let problems = room(&format!(
            "client_certificate = 'DIR/ca.pem'\nclient_key = 'DIR/{wrong}'"
        ))
        .problems();
        assert!(
            problems.len() == 1
                && problems[0].starts_with("secpull.toml:7:14: tools.scan.client_key: "),
            "{problems:?}"
        );
    }
}

#[test]
fn switching_verification_off_is_warned_about() {
    let room = room("verify_tls = false");
    let loaded = room.load().unwrap();
    assert!(loaded.config.tools["scan"].trust.accept_invalid);
    assert_eq!(
        room.lines(&loaded.warnings[0]),
        [
            "secpull.toml:6:1: tools.scan: verify_tls = false accepts any certificate, also an attacker's; prefer ca_bundle"
        ]
    );
}

#[test]
fn a_bundle_that_is_not_looked_at_is_told() {
    let room = room("ca_bundle = 'DIR/ca.pem'\nverify_tls = false");
    let warnings = room.load().unwrap().warnings;
    assert!(
        warnings[0].contains("and ca_bundle is not looked at"),
        "{warnings:?}"
    );
    let room = self::room("ca_bundle = 'DIR/ca.pem'\nca_bundle_only = true\nverify_tls = false");
    assert_eq!(
        room.problems(),
        [
            "secpull.toml:7:18: tools.scan.ca_bundle_only: is true beside verify_tls = false, which trusts everybody; allowed: one of the two"
        ]
    );
}

#[test]
fn each_run_of_a_tool_that_is_not_checked_has_a_warning() {
    for (verify, warnings) in [("true", 0), ("false", 1)] {
        let room = room(&format!(
            "verify_tls = {verify}\n[api_configurations.shop]\ntool = 'scan'"
        ));
        let config = room.load().unwrap().config;
        let said = config.warnings_of(&config.api_configurations["shop"]);
        assert_eq!(said.len(), warnings, "{said:?}");
        assert!(
            said.iter()
                .all(|warning| warning.contains("scan.example.com"))
        );
    }
}
