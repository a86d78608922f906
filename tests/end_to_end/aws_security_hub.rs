//! AWS Security Hub through the real binary: against the simulated hub, and against moto, which somebody else has written.

#![allow(clippy::unwrap_used)]

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use secpull_simulators::aws_security_hub::{
    ACCESS_KEY, ACCOUNT, REGION, SECRET_KEY, SecurityHub, Simulator, control, many, samples,
    vulnerability,
};
use serde_json::{Value, json};

use super::misfortunes::{Case, IMPATIENT, through_all};
use super::support::{Installation, wait_for};

/// A tool at this URL. The rate is ours to choose on loopback.
fn tool(url: &str) -> String {
    format!(
        "[tools.aws]\nconnector = \"aws-security-hub\"\nlocation = \"{url}\"\nregion = \"{REGION}\"\n\
         access_key = \"{ACCESS_KEY}\"\nsecret = \"{SECRET_KEY}\"\nmax_requests_per_second = 1000\n"
    )
}

fn api(settings: &str) -> String {
    format!("[api_configurations.prod]\ntool = \"aws\"\nproduct = \"Landing zone\"\n{settings}\n")
}

fn installation(hub: &Simulator, settings: &str) -> Installation {
    Installation::new(&format!("{}{}", tool(hub.url()), api(settings)))
}

fn statuses(installation: &Installation) -> Vec<(String, String)> {
    let of = |finding: &Value| {
        let id = finding["sightings"][0]["source_id"].as_str().unwrap();
        let status = finding["status"].as_str().unwrap();
        (id.rsplit('/').next().unwrap().to_owned(), status.to_owned())
    };
    let mut statuses: Vec<_> = installation.findings().iter().map(of).collect();
    statuses.sort();
    statuses
}

#[test]
fn a_hub_is_checked_discovered_and_imported() {
    let hub = SecurityHub::new()
        .findings(samples())
        .aggregator(REGION, "SPECIFIED_REGIONS", &["eu-west-1"])
        .start_blocking()
        .unwrap();
    let installation = installation(&hub, "");
    let checked = installation.secpull(&["check"]).exits(0);
    assert!(
        checked.stdout.contains("account 111122223333"),
        "{checked:?}"
    );
    let discovered = installation.secpull(&["discover", "aws"]).exits(0);
    assert!(
        discovered.stdout.contains("444455556666/eu-west-1"),
        "{discovered:?}"
    );
    installation.import("prod").exits(0);
    let run = installation.last_run("prod");
    // The control that has passed was never seen open.
    assert_eq!(
        (&run["status"], &run["new"]),
        (&json!("complete"), &json!(5))
    );
    let raw = installation
        .secpull(&["findings", "--status", "all", "--format", "jsonl", "--raw"])
        .exits(0)
        .lines();
    let machine = raw
        .iter()
        .find(|finding| finding["vulnerability_id"] == "CVE-2026-00001")
        .unwrap();
    assert_eq!(machine["cloud"]["account"], ACCOUNT);
    assert_eq!(
        machine["sightings"][0]["raw"],
        vulnerability(ACCOUNT, REGION, 1)
    );
    installation.import("prod").exits(0);
    let run = installation.last_run("prod");
    assert_eq!(
        (&run["new"], &run["updated"], &run["unchanged"]),
        (&json!(0), &json!(0), &json!(5))
    );
}

#[test]
fn what_vanishes_is_resolved_and_a_narrower_setting_resolves_nothing() {
    let findings = [
        vulnerability(ACCOUNT, REGION, 1),
        control(ACCOUNT, REGION, 2, "FAILED"),
        control(ACCOUNT, REGION, 3, "FAILED"),
        control("444455556666", REGION, 4, "FAILED"),
    ];
    let hub = SecurityHub::new()
        .findings(findings)
        .start_blocking()
        .unwrap();
    let installation = installation(&hub, "");
    installation.import("prod").exits(0);

    let narrow = "products = [\"aws/inspector\"]\naccounts = [\"111122223333\"]";
    installation.configure(&format!("{}{}", tool(hub.url()), api(narrow)));
    hub.change(|hub| hub.findings.remove(2));
    installation.import("prod").exits(0);
    let open = |id: &str| (id.to_owned(), "open".to_owned());
    let resolved = |id: &str| (id.to_owned(), "resolved".to_owned());
    assert_eq!(
        statuses(&installation),
        [
            open("00000000000000000000000000000001"),
            open("00000002"),
            resolved("00000003"),
            open("00000004"),
        ]
    );

    // A member account that leaves takes its findings with it: that does not mend them.
    installation.configure(&format!("{}{}", tool(hub.url()), api("")));
    hub.change(|hub| {
        hub.findings
            .retain(|finding| finding["AwsAccountId"] == ACCOUNT)
    });
    installation.import("prod").exits(0);
    assert_eq!(statuses(&installation)[3], open("00000004"));

    // The control passes.
    hub.change(|hub| hub.findings[1]["Compliance"]["Status"] = "PASSED".into());
    installation.import("prod").exits(0);
    assert_eq!(statuses(&installation)[1], resolved("00000002"));
}

#[test]
fn twenty_thousand_findings_come_page_by_page() {
    let hub = SecurityHub::new()
        .findings(many(20_000))
        .start_blocking()
        .unwrap();
    let installation = installation(&hub, "");
    installation.import("prod").exits(0);
    let run = installation.last_run("prod");
    assert_eq!(
        (&run["status"], &run["new"]),
        (&json!("complete"), &json!(20_000))
    );
    let pages = hub
        .requests()
        .iter()
        .filter(|seen| seen.path == "/findings")
        .count();
    assert_eq!(pages, 200);
}

#[test]
fn without_keys_the_default_chain_finds_those_of_the_environment() {
    let hub = SecurityHub::new()
        .findings(samples())
        .start_blocking()
        .unwrap();
    let installation = Installation::new(&format!(
        "[tools.aws]\nconnector = \"aws-security-hub\"\nlocation = \"{}\"\nregion = \"{REGION}\"\nauth = \"default\"\n{}",
        hub.url(),
        api("")
    ));
    let output = installation
        .command(&["run", "--standalone", "prod"])
        .env("AWS_ACCESS_KEY_ID", ACCESS_KEY)
        .env("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
        // Nobody but the environment is asked.
        .env("AWS_EC2_METADATA_DISABLED", "true")
        // None of these may lead the requests elsewhere.
        .env("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
        .env("AWS_REGION", "eu-west-1")
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(installation.last_run("prod")["new"], 5);
}

#[test]
fn without_any_credentials_the_message_says_where_they_may_come_from() {
    let hub = SecurityHub::new().start_blocking().unwrap();
    let installation = Installation::new(&format!(
        "[tools.aws]\nconnector = \"aws-security-hub\"\nlocation = \"{}\"\nregion = \"{REGION}\"\n{}",
        hub.url(),
        api("")
    ));
    let output = installation
        .command(&["run", "--standalone", "prod"])
        .env_remove("AWS_ACCESS_KEY_ID")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("HOME", installation.folder())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let run = installation.last_run("prod");
    let error = run["error"].as_str().unwrap();
    assert!(error.contains("no usable AWS credentials"), "{error}");
    assert!(
        error.contains("instance role") && error.len() < 600,
        "{error}"
    );
    assert_eq!(hub.request_count(), 0);
}

#[test]
fn a_plain_region_is_a_location_and_other_words_are_not() {
    let check = |lines: &str| {
        let installation = Installation::new(&format!(
            "[tools.aws]\nconnector = \"aws-security-hub\"\n{lines}\n{}",
            api("")
        ));
        installation.secpull(&["check", "--offline"])
    };
    check("location = \"eu-west-1\"").exits(0);
    check("region = \"eu-west-1\"").exits(0);
    let wrong = check("location = \"Ireland\"").exits(2);
    assert!(wrong.stderr.contains("location"), "{wrong:?}");
    let missing = check("").exits(2);
    assert!(missing.stderr.contains("location"), "{missing:?}");
}

#[test]
fn aws_security_hub_is_never_believed_when_it_should_not_be() {
    through_all(&Case {
        name: "AWS Security Hub",
        secret: SECRET_KEY,
        start: &|name| {
            // More than one page of the fixed size.
            let findings = (0..150).map(|number| vulnerability(ACCOUNT, REGION, number));
            let hub = SecurityHub::new()
                .findings(findings)
                .start_blocking()
                .unwrap();
            let toml = format!(
                "[tools.{name}]\nconnector = \"aws-security-hub\"\nlocation = \"{}\"\nregion = \"{REGION}\"\n\
                 access_key = \"{ACCESS_KEY}\"\nsecret = \"{SECRET_KEY}\"\nmax_requests_per_second = 1000\n{IMPATIENT}\
                 [api_configurations.{name}]\ntool = \"{name}\"\nproduct = \"{name}\"\n",
                hub.url()
            );
            (hub, toml)
        },
    });
}

/// A moto server; killed when dropped.
struct Moto {
    child: Child,
    port: u16,
}

impl Moto {
    fn start() -> Self {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .and_then(|listener| listener.local_addr())
            .unwrap()
            .port();
        let child = Command::new(moto_server())
            .args(["-H", "127.0.0.1", "-p", &port.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("there is no moto_server in the PATH; scripts/test installs it");
        let mut moto = Self { child, port };
        wait_for("moto to answer", || {
            if let Some(status) = moto.child.try_wait().unwrap() {
                panic!("moto_server ended with {status}");
            }
            TcpStream::connect((Ipv4Addr::LOCALHOST, port))
                .is_ok()
                .then_some(())
        });
        moto
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// A POST that moto gives to its Security Hub by the scope in the header; it checks no signature.
    fn post(&self, path: &str, body: &Value) -> String {
        let body = body.to_string();
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).unwrap();
        write!(
            stream,
            "POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nConnection: close\r\nContent-Type: application/json\r\n\
             X-Amz-Date: 20260101T000000Z\r\nAuthorization: AWS4-HMAC-SHA256 \
             Credential={ACCESS_KEY}/20260101/{REGION}/securityhub/aws4_request, SignedHeaders=host;x-amz-date, Signature=00\r\n\
             Content-Length: {}\r\n\r\n{body}",
            self.port,
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        answer
    }
}

/// In the PATH, or where `scripts/test` puts it.
fn moto_server() -> PathBuf {
    let own = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target/tools/moto/bin/moto_server");
    if own.exists() {
        own
    } else {
        "moto_server".into()
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _already_gone = self.child.kill();
        let _already_waited = self.child.wait();
    }
}

#[test]
fn motos_security_hub_is_imported_to_its_end() {
    let moto = Moto::start();
    moto.post("/accounts", &json!({"EnableDefaultStandards": false}));
    for findings in many(250).chunks(100) {
        let answer = moto.post("/findings/import", &json!({"Findings": findings}));
        assert!(answer.contains("\"FailedCount\": 0"), "{answer}");
    }
    let installation = Installation::new(&format!("{}{}", tool(&moto.url()), api("")));
    installation.secpull(&["check"]).exits(0);
    installation.import("prod").exits(0);
    let run = installation.last_run("prod");
    assert_eq!(
        (&run["status"], &run["new"]),
        (&json!("complete"), &json!(250))
    );
    let open = installation.findings();
    assert!(open.iter().all(|finding| finding["status"] == "open"));
    installation.import("prod").exits(0);
    assert_eq!(installation.last_run("prod")["unchanged"], 250);
}
