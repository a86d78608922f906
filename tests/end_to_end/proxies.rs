//! A tool that only a proxy can reach.

use std::fs;
use std::path::Path;

use secpull_simulators::dependency_track::{API_KEY, Simulator, Version};
use secpull_simulators::forward_proxy::{ForwardProxy, Running};

use super::support::dependency_track::{project, server};
use super::support::tls::{Authority, TlsFront};
use super::support::{Installation, Ran};

const HOST: &str = "tool.example";
const PASSWORD: &str = "C4NARY/of-a+Proxy";
/// In a URL, in base64 behind `me:`, and what is left of it in any way of writing.
const TRACES: [&str; 3] = ["C4NARY", "bWU6QzROQVJZ", "of-a"];
const WRONG: &str = "C4NARY-that-is-wrong";

struct Office {
    installation: Installation,
    proxy: Running,
    _simulator: Simulator,
    _front: TlsFront,
}

impl Office {
    /// A tool behind TLS at a name that only the proxy knows.
    fn new() -> Self {
        let simulator = server(Version::V5_0, vec![project("shop", 0..3)]);
        let authority = Authority::new();
        let front = authority.front(HOST, simulator.address(), |_| {});
        let proxy = ForwardProxy::new()
            .account("me", PASSWORD)
            .host(HOST, front.address())
            .start_blocking()
            .unwrap();
        let installation = Installation::new("");
        installation.write("ca.pem", &authority.pem());
        Self {
            installation,
            proxy,
            _simulator: simulator,
            _front: front,
        }
    }

    /// With this line in the tool's table.
    fn configure(&self, line: &str) {
        let bundle = self.installation.path("ca.pem");
        self.installation.configure(&format!(
            "[tools.dt]\nconnector = \"dependency-track\"\nlocation = \"https://{HOST}\"\nsecret = \"{API_KEY}\"\n\
             ca_bundle = \"{}\"\nca_bundle_only = true\n{line}\n\
             [api_configurations.shop]\ntool = \"dt\"\n",
            bundle.display()
        ));
    }

    fn url(&self, scheme: &str, account: &str) -> String {
        format!("{scheme}://{account}{}", self.proxy.address())
    }

    /// `check` and `run` at trace level, which must not show the password.
    #[track_caller]
    fn both_end(&self, variables: &[(&str, &str)], code: i32, words: &[&str]) {
        for command in [&["check"][..], &["run", "--standalone", "shop"]] {
            let mut variables = variables.to_vec();
            variables.push(("SECPULL_LOG", "trace"));
            let ran = self
                .installation
                .secpull_with(&variables, command)
                .exits(code);
            is_clean(&ran);
            let said = format!("{}{}", ran.stdout, ran.stderr);
            for word in words {
                assert!(said.contains(word), "{command:?}: {word} is not in: {said}");
            }
        }
        let status = ["status", "--format", "json"];
        is_clean(&self.installation.secpull(&status));
        files_are_clean(self.installation.folder());
    }
}

#[track_caller]
fn is_clean(ran: &Ran) {
    for trace in TRACES {
        assert!(
            !ran.stdout.contains(trace) && !ran.stderr.contains(trace),
            "{ran:#?}"
        );
    }
}

#[track_caller]
fn files_are_clean(folder: &Path) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files_are_clean(&path);
        } else if path.is_file() && !path.ends_with("secpull.toml") {
            let bytes = fs::read(&path).unwrap();
            for trace in TRACES {
                let found = memchr::memmem::find(&bytes, trace.as_bytes());
                assert!(found.is_none(), "{trace} stands in {}", path.display());
            }
        }
    }
}

#[test]
fn a_proxy_of_the_configuration_lets_the_right_account_through_and_says_why_no_other() {
    let office = Office::new();
    let right = "me:C4NARY%2Fof-a%2BProxy@";
    for scheme in ["http", "socks5h"] {
        office.configure(&format!("proxy = \"{}\"", office.url(scheme, right)));
        office.both_end(&[], 0, &[]);
        let passage = office.proxy.passages().pop().unwrap();
        assert_eq!(passage.target, format!("{HOST}:443"));
        assert_eq!(passage.account, Some(format!("me:{PASSWORD}")));

        let who = format!("the proxy {}", office.url(scheme, ""));
        let wrong = format!("me:{WRONG}@");
        office.configure(&format!("proxy = \"{}\"", office.url(scheme, &wrong)));
        let words = [
            &who,
            "does not accept the user name and password (407)",
            "correct them in `proxy`",
        ];
        office.both_end(&[], 1, &words);
        office.configure(&format!("proxy = \"{}\"", office.url(scheme, "")));
        let words = [
            &who,
            "wants a user name and password (407)",
            "USER:PASSWORD@HOST:PORT",
        ];
        office.both_end(&[], 1, &words);
    }
    assert_eq!(office.installation.findings().len(), 3);
    // With the password in it the file is for its owner only.
    office.configure(&format!("proxy = \"{}\"", office.url("http", right)));
    let toml = office.installation.path("secpull.toml");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    fs::set_permissions(toml, mode).unwrap();
    is_clean(
        &office
            .installation
            .secpull(&["check", "--offline"])
            .exits(2),
    );
}

#[test]
fn the_environments_proxy_is_used_and_no_proxy_and_the_configuration_win() {
    let office = Office::new();
    let named = office.url("http", "me:C4NARY%2Fof-a%2BProxy@");
    office.configure("");
    office.both_end(&[("HTTPS_PROXY", &named)], 0, &[]);
    office.both_end(&[("ALL_PROXY", &named), ("HTTPS_PROXY", "")], 0, &[]);
    let passed = office.proxy.passages().len();
    assert!(passed > 0);
    for variables in [
        &[
            ("HTTPS_PROXY", named.as_str()),
            ("NO_PROXY", "other.example,.tool.example"),
        ][..],
        &[("http_proxy", &named)],
    ] {
        office.both_end(
            variables,
            1,
            &["host name cannot be resolved", "`location`"],
        );
    }
    office.configure("proxy = \"none\"");
    office.both_end(
        &[("HTTPS_PROXY", &named)],
        1,
        &["host name cannot be resolved"],
    );
    assert_eq!(
        office.proxy.passages().len(),
        passed,
        "the proxy was asked all the same"
    );

    office.configure("");
    let wrong = office.url("http", &format!("me:{WRONG}@"));
    let words = [
        "(HTTPS_PROXY) does not accept",
        "correct them in HTTPS_PROXY",
    ];
    office.both_end(&[("HTTPS_PROXY", &wrong)], 1, &words);
    // What cannot be used is not passed over in silence: going directly may be what is not wanted.
    let odd = office.url("socks4", "C4NARY@");
    let words = ["HTTPS_PROXY names no proxy that can be used", "tool dt"];
    office.both_end(&[("HTTPS_PROXY", &odd)], 1, &words);
}
