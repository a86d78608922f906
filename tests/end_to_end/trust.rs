//! Whom secpull trusts over TLS, and as whom it presents itself, as an admin meets it: `check`, `run`, and the mistakes in
//! the configuration.

use std::process::{Command, Stdio};

use secpull_simulators::burp::{API_KEY as BURP_KEY, Burp, Issue, IssueType, Scan};
use secpull_simulators::dependency_track::{API_KEY, Simulator, Version};
use secpull_simulators::prometheus::{Prometheus, Series};

use super::support::dependency_track::{project, server};
use super::support::postgres::{self, Database};
use super::support::tls::Authority;
use super::support::{Daemon, Installation};

/// A tool at this location, with these keys.
fn configured(location: &str, keys: &str) -> String {
    format!(
        "[tools.dt]\nconnector = \"dependency-track\"\nlocation = \"{location}\"\nsecret = \"{API_KEY}\"\n{keys}\
         [api_configurations.shop]\ntool = \"dt\"\nautomatic_import = {{ enabled = false }}\n"
    )
}

fn shop() -> Simulator {
    server(Version::V5_0, vec![project("shop", 0..3)])
}

/// `KEY = "the path of the file"`, as a line.
fn file(installation: &Installation, key: &str, name: &str) -> String {
    format!("{key} = \"{}\"\n", installation.path(name).display())
}

/// What `check` and `run` do in this environment.
#[track_caller]
fn both_end(installation: &Installation, variables: &[(&str, &str)], code: i32, words: &[&str]) {
    for command in [&["check"][..], &["run", "--standalone", "shop"]] {
        let ran = installation.secpull_with(variables, command).exits(code);
        let said = format!("{}{}", ran.stdout, ran.stderr);
        for word in words {
            assert!(said.contains(word), "{command:?}: {word} is not in: {said}");
        }
    }
}

#[test]
fn ca_bundle_only_refuses_whom_the_system_trusts_and_ca_bundle_alone_adds_to_it() {
    let simulator = shop();
    let (company, public) = (Authority::new(), Authority::named("Public CA"));
    let of_company = company.front("localhost", simulator.address(), |_| {});
    let of_public = public.front("localhost", simulator.address(), |_| {});
    let installation = Installation::new("");
    installation.write("company.pem", &company.pem());
    installation.write("public.pem", &public.pem());
    let system = installation.path("public.pem").display().to_string();
    let system = [("SSL_CERT_FILE", system.as_str())];
    let bundle = file(&installation, "ca_bundle", "company.pem");

    for front in [&of_company, &of_public] {
        installation.configure(&configured(&front.url(), &bundle));
        both_end(&installation, &system, 0, &[]);
    }
    let only = format!("{bundle}ca_bundle_only = true\n");
    installation.configure(&configured(&of_company.url(), &only));
    both_end(&installation, &system, 0, &[]);
    let asked = simulator.request_count();
    installation.configure(&configured(&of_public.url(), &only));
    let words = [
        "its issuer is not trusted",
        "Public CA",
        "https://localhost",
    ];
    both_end(&installation, &system, 1, &words);
    assert_eq!(simulator.request_count(), asked);
}

#[test]
fn the_systems_store_is_where_ssl_cert_file_and_ssl_cert_dir_say() {
    let simulator = shop();
    let authority = Authority::new();
    let front = authority.front("localhost", simulator.address(), |_| {});
    let installation = Installation::new(&configured(&front.url(), ""));
    installation.write("ca.pem", &authority.pem());
    installation.write("certs/company.crt", &authority.pem());
    installation.write("empty/README", "none\n");
    let path = |name: &str| installation.path(name).display().to_string();

    both_end(&installation, &[("SSL_CERT_FILE", &path("ca.pem"))], 0, &[]);
    let folders = format!("{}:{}", path("empty"), path("certs"));
    both_end(&installation, &[("SSL_CERT_DIR", &folders)], 0, &[]);
    for (variable, value, words) in [
        (
            "SSL_CERT_FILE",
            path("none.pem"),
            "none.pem, which cannot be read: No such file",
        ),
        (
            "SSL_CERT_DIR",
            path("none"),
            "none, which cannot be read: No such file",
        ),
        (
            "SSL_CERT_DIR",
            path("empty"),
            "what SSL_CERT_DIR names holds no certificate",
        ),
    ] {
        both_end(
            &installation,
            &[(variable, &value)],
            1,
            &[variable, words, "tool dt"],
        );
    }
}

#[test]
fn a_server_that_does_not_send_its_intermediate_is_told_of_and_the_bundle_may_hold_it() {
    let simulator = shop();
    let root = Authority::new();
    let issuing = root.below("Issuing CA");
    let front = issuing.front("localhost", simulator.address(), |_| {});
    let installation = Installation::new("");
    let bundle = file(&installation, "ca_bundle", "ca.pem");
    installation.configure(&configured(&front.url(), &bundle));
    installation.write("ca.pem", &root.pem());
    let words = [
        "\"Issuing CA\"",
        "the tool sends no intermediate certificate",
        "have the tool send it along",
    ];
    both_end(&installation, &[], 1, &words);
    installation.write("ca.pem", &(root.pem() + &issuing.pem()));
    both_end(&installation, &[], 0, &[]);
}

#[test]
fn a_client_certificate_opens_and_none_or_a_strangers_does_not() {
    let simulator = shop();
    let authority = Authority::new();
    let front = authority.front_for_clients("localhost", simulator.address());
    let installation = Installation::new("");
    installation.write("ca.pem", &authority.pem());
    for (name, issuer) in [
        ("own", &authority),
        ("other", &Authority::named("Other CA")),
    ] {
        let (certificate, key) = issuer.identity("secpull", |_| {});
        installation.write(&format!("{name}.pem"), &certificate);
        installation.write(&format!("{name}.key"), &key);
    }
    let bundle = file(&installation, "ca_bundle", "ca.pem");
    let identity = |certificate: &str, key: &str| {
        let certificate = file(&installation, "client_certificate", certificate);
        let key = file(&installation, "client_key", key);
        configured(&front.url(), &format!("{bundle}{certificate}{key}"))
    };
    installation.configure(&identity("own.pem", "own.key"));
    both_end(&installation, &[], 0, &[]);
    installation.configure(&configured(&front.url(), &bundle));
    let words = [
        "the tool wants a client certificate",
        "client_certificate and client_key",
    ];
    both_end(&installation, &[], 1, &words);
    installation.configure(&identity("other.pem", "other.key"));
    let words = [
        "the tool refuses the client certificate",
        "check client_certificate",
    ];
    both_end(&installation, &[], 1, &words);

    // A key of another, and one that wants a passphrase, are mistakes of the configuration.
    let encrypted = Command::new("openssl")
        .args([
            "pkcs8",
            "-topk8",
            "-v2",
            "aes-256-cbc",
            "-passout",
            "pass:C4NARY",
        ])
        .arg("-in")
        .arg(installation.path("own.key"))
        .stderr(Stdio::null())
        .output()
        .unwrap();
    let encrypted = String::from_utf8(encrypted.stdout).unwrap();
    installation.write("encrypted.key", &encrypted);
    for (key, words) in [
        ("other.key", "cannot be used with client_certificate"),
        ("encrypted.key", "is encrypted"),
    ] {
        installation.configure(&identity("own.pem", key));
        for command in [
            &["check", "--offline"][..],
            &["run", "--standalone", "shop"],
        ] {
            let refused = installation.secpull(command).exits(2);
            let said = refused.stderr;
            assert!(said.contains("secpull.toml:"), "{said}");
            assert!(
                said.contains("tools.dt.client_key") && said.contains(words),
                "{said}"
            );
            // The inside of no key is shown.
            let inside = encrypted.lines().nth(1).unwrap();
            assert!(
                !said.contains(inside) && !said.contains("PRIVATE"),
                "{said}"
            );
        }
    }
}

#[test]
fn verify_tls_false_is_warned_about_at_each_run() {
    let simulator = shop();
    let front = Authority::new().front("tool.example", simulator.address(), |_| {});
    let installation = Installation::new(&configured(&front.url(), "verify_tls = false\n"));
    let warning = "verify_tls = false of tool dt: who answered as localhost was not checked";
    let alone = installation.import("shop").exits(0);
    assert!(alone.stderr.contains(warning), "{alone:#?}");

    let daemon = Daemon::start(&installation);
    for run in 1..=2 {
        let ran = installation.secpull(&["run", "shop"]).exits(0);
        assert!(ran.stderr.contains(warning), "{ran:#?}");
        assert_eq!(daemon.log().matches(warning).count(), run);
    }
    let accepts = "verify_tls = false accepts any certificate";
    assert!(daemon.log().contains(accepts), "not at the start");
}

/// A server each that speaks REST, GraphQL and PromQL: all of them by the one client.
#[test]
fn a_private_authority_and_a_client_certificate_serve_every_kind_of_tool() {
    let track = shop();
    let burp = Burp::new()
        .site("11", "Shop")
        .scan(Scan::new(
            "1003",
            "11",
            "2026-10-01T06:00:00.000Z",
            vec![Issue::new(1, IssueType::default())],
        ))
        .start_blocking()
        .unwrap();
    let prometheus = Prometheus::new()
        .series([
            Series::new(
                "trivy_vulnerability_id",
                &[
                    ("namespace", "shop"),
                    ("resource_name", "web"),
                    ("vuln_id", "CVE-2026-00001"),
                ],
                1.0,
            ),
            Series::new("trivy_image_vulnerabilities", &[("severity", "High")], 1.0),
        ])
        .start_blocking()
        .unwrap();
    let authority = Authority::new();
    let installation = Installation::new("");
    let (certificate, key) = authority.identity("secpull", |_| {});
    installation.write("ca.pem", &authority.pem());
    installation.write("own.pem", &certificate);
    installation.write("own.key", &key);
    let trust = [
        file(&installation, "ca_bundle", "ca.pem"),
        "ca_bundle_only = true\n".to_owned(),
        file(&installation, "client_certificate", "own.pem"),
        file(&installation, "client_key", "own.key"),
    ]
    .concat();
    let mut toml = String::new();
    let mut fronts = Vec::new();
    for (connector, address, tool, api) in [
        (
            "dependency-track",
            track.address(),
            format!("secret = \"{API_KEY}\"\n"),
            "",
        ),
        (
            "burp",
            burp.address(),
            format!("secret = \"{BURP_KEY}\"\n"),
            "",
        ),
        (
            "trivy-operator-prometheus",
            prometheus.address(),
            String::new(),
            "query = \"trivy_vulnerability_id\"\n",
        ),
    ] {
        let front = authority.front_for_clients("localhost", address);
        toml += &format!(
            "[tools.{connector}]\nconnector = \"{connector}\"\nlocation = \"{}\"\n{tool}{trust}\
             [api_configurations.{connector}]\ntool = \"{connector}\"\nproduct = \"{connector}\"\n{api}",
            front.url()
        );
        fronts.push(front);
    }
    installation.configure(&toml);
    installation.secpull(&["check"]).exits(0);
    installation
        .secpull(&["run", "--standalone", "--all"])
        .exits(0);
    // Without the certificate none of them is reached.
    installation.configure(
        &toml
            .replace("client_certificate", "#")
            .replace("client_key", "#"),
    );
    let refused = installation.secpull(&["check"]).exits(1);
    let said = format!("{}{}", refused.stdout, refused.stderr);
    let count = said.matches("the tool wants a client certificate").count();
    assert!(count >= 3, "{said}");
}

#[test]
fn a_postgresql_server_is_checked_against_the_systems_store_and_sslrootcert() {
    let simulator = shop();
    let authority = Authority::new();
    let server = postgres::server_over_tls(&authority);
    let database = Database::on(&server);
    let files = Installation::new("");
    let (certificate, key) = postgres::client_of(&authority);
    files.write("ca.pem", &authority.pem());
    files.write("other.pem", &Authority::named("Other CA").pem());
    files.write("client.pem", &certificate);
    files.write("client.key", &key);
    let path = |name: &str| files.path(name).display().to_string();
    let import = |parameters: &str, system: &str| {
        let url = format!(
            "postgres://secpull@localhost:{}/{}?sslcert={}&sslkey={}{parameters}",
            server.port(),
            database.name(),
            path("client.pem"),
            path("client.key")
        );
        let toml = configured(simulator.url(), "");
        let installation = Installation::with_store(Database::section_at(&url), &toml);
        installation.secpull_with(
            &[("SSL_CERT_FILE", &path(system))],
            &["run", "--standalone", "shop"],
        )
    };
    import("&sslmode=verify-full", "ca.pem").exits(0);
    import("&sslrootcert=system", "ca.pem").exits(0);
    let root = format!("&sslrootcert={}", path("ca.pem"));
    import(&root, "other.pem").exits(0);
    for (parameters, system, words) in [
        (
            "&sslmode=verify-full",
            "other.pem",
            "the server's certificate is refused: its issuer is not trusted",
        ),
        (&root, "none.pem", "SSL_CERT_FILE names"),
    ] {
        let refused = import(parameters, system).exits(1);
        assert!(refused.stderr.contains(words), "{words}: {refused:#?}");
    }
}

#[test]
fn what_a_store_cannot_do_is_refused_with_the_reason_and_the_line() {
    let installation = Installation::with_store(
        "url = \"postgres://u@db.example/d\"\nproxy = \"socks5://proxy.example\"\nca_bundle = \"/ca.pem\"\n\
         ca_bundle_only = true"
            .to_owned(),
        "",
    );
    let said = installation
        .secpull(&["check", "--offline"])
        .exits(2)
        .stderr;
    for words in [
        "secpull.toml:3:1: store.proxy: unknown key; a store goes through no proxy",
        "secpull.toml:4:1: store.ca_bundle: unknown key; for PostgreSQL it is the parameter sslrootcert=/PATH of url",
        "secpull.toml:5:1: store.ca_bundle_only: unknown key; PostgreSQL's driver trusts the system's authorities beside",
    ] {
        assert!(said.contains(words), "{words} is not in: {said}");
    }
}
