//! A shop's packages, and what OSV knows of them: a record for every way in which the service says how bad something is.

use serde_json::{Value, json};

use crate::osv::Advisory;

const CRITICAL: &str = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H";
const MEDIUM: &str = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:L";
const CVSS_4: &str = "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N";

fn rated(ty: &str, score: &str) -> Value {
    json!([{"type": ty, "score": score}])
}

fn affected(ecosystem: &str, name: &str, ty: &str, fixed: &str) -> Value {
    json!({
        "package": {"ecosystem": ecosystem, "name": name},
        "ranges": [{"type": ty, "events": [{"introduced": "0"}, {"fixed": fixed}]}]
    })
}

/// The shop's SBOM, CycloneDX: packages of languages.
#[must_use]
pub fn osv_shop_sbom() -> String {
    let library = |name: &str, version: &str, purl: &str| json!({"type": "library", "name": name, "version": version, "purl": purl});
    let mut web = library("web", "1.0.0", "pkg:npm/%40shop/web@1.0.0");
    web["components"] = json!([
        library("lodash", "4.17.20", "pkg:npm/lodash"),
        library("mocker", "3.2.7", "pkg:npm/@vitest%2Fmocker@3.2.7")
    ]);
    json!({
        "bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1,
        "metadata": {"component": {"type": "application", "name": "shop", "version": "1.2", "purl": "pkg:maven/com.example/shop@1.2"}},
        "components": [
            web,
            {
                "type": "library", "group": "org.apache.logging.log4j", "name": "log4j-core", "version": "2.14.1",
                "purl": "pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1?type=jar",
                "cpe": "cpe:2.3:a:apache:log4j:2.14.1:*:*:*:*:*:*:*"
            },
            library("Jinja2", "2.4.1", "pkg:pypi/Jinja2@2.4.1"),
            library("gin", "v1.6.0", "pkg:golang/github.com/gin-gonic/gin@v1.6.0"),
            library("evil-pkg", "1.0.0", "pkg:npm/evil-pkg@1.0.0"),
            library("gone", "1.0.0", "pkg:npm/gone@1.0.0"),
            library("nginx", "1.27", "pkg:docker/nginx@1.27"),
            {"type": "library", "name": "in-house", "version": "1"},
            {"type": "library", "name": "unversioned", "purl": "pkg:npm/unversioned"},
            {"type": "file", "name": "/etc/shop.conf"}
        ]
    })
    .to_string()
}

/// The shop's image, SPDX: packages of distributions.
#[must_use]
pub fn osv_image_sbom() -> String {
    let package = |name: &str, version: &str, category: &str, purl: &str| {
        json!({
            "SPDXID": format!("SPDXRef-{name}"), "name": name, "versionInfo": version,
            "externalRefs": [{"referenceCategory": category, "referenceType": "purl", "referenceLocator": purl}]
        })
    };
    json!({
        "spdxVersion": "SPDX-2.3", "SPDXID": "SPDXRef-DOCUMENT", "name": "shop-image",
        "packages": [
            package("libssl3", "3.0.11-1~deb12u1", "PACKAGE-MANAGER",
                "pkg:deb/debian/libssl3@3.0.11-1~deb12u1?arch=amd64&distro=debian-12&upstream=openssl"),
            package("libssl3t64", "3.0.13-0ubuntu3", "PACKAGE_MANAGER",
                "pkg:deb/ubuntu/libssl3t64@3.0.13-0ubuntu3?distro=ubuntu-24.04&upstream=openssl"),
            package("libcrypto3", "3.1.4-r1", "PACKAGE-MANAGER",
                "pkg:apk/alpine/libcrypto3@3.1.4-r1?distro=alpine-3.19.1&upstream=openssl")
        ]
    })
    .to_string()
}

/// What OSV knows of both.
#[must_use]
pub fn osv_shop() -> Vec<Advisory> {
    let mut all = languages();
    all.extend(distributions());
    all
}

fn languages() -> Vec<Advisory> {
    let log4j = json!({
        "package": {"ecosystem": "Maven", "name": "org.apache.logging.log4j:log4j-core", "purl": "pkg:maven/org.apache.logging.log4j/log4j-core"},
        "ranges": [
            {"type": "ECOSYSTEM", "events": [{"introduced": "2.4"}, {"fixed": "2.12.2"}]},
            {"type": "ECOSYSTEM", "events": [{"introduced": "2.13.0"}, {"fixed": "2.15.0"}]},
            {"type": "ECOSYSTEM", "events": [{"introduced": "2.0-beta9"}, {"fixed": "2.3.1"}]}
        ]
    });
    let mut withdrawn = Advisory::new(
        "GHSA-with-draw-n111",
        json!({"summary": "Not a flaw after all", "withdrawn": "2026-01-01T00:00:00Z"}),
    );
    // The two lists are not in step: batches may still name it.
    withdrawn = withdrawn.found_by("npm", "lodash", &["4.17.20"]);
    let npm = |name: &str, fixed: &str| json!([affected("npm", name, "SEMVER", fixed)]);
    vec![
        Advisory::new(
            "GHSA-jfh8-c2jp-5v3q",
            json!({
                "summary": "Remote code injection in Log4j", "details": "Lookups in messages load code from anywhere.",
                "aliases": ["CVE-2021-44228"], "related": ["CVE-2021-45046"], "published": "2021-12-10T00:40:56Z",
                "severity": rated("CVSS_V3", CRITICAL), "affected": [log4j],
                "references": [{"type": "ADVISORY", "url": "https://example.com/advisories/log4shell"}],
                "database_specific": {"severity": "CRITICAL", "cwe_ids": ["CWE-20", "CWE-400", "CWE-502"]}, "schema_version": "1.7.3"
            }),
        )
        .found_by("Maven", "org.apache.logging.log4j:log4j-core", &["2.14.1"]),
        // One flaw, two databases.
        Advisory::new(
            "GHSA-g3rq-g295-4j3m",
            json!({
                "summary": "ReDoS in Jinja2", "aliases": ["CVE-2020-28493", "PYSEC-2021-66"],
                "affected": [affected("PyPI", "jinja2", "ECOSYSTEM", "2.11.3")],
                "database_specific": {"severity": "MODERATE", "cwe_ids": ["CWE-400"]}
            }),
        )
        .found_by("PyPI", "jinja2", &["2.4.1"]),
        Advisory::new(
            "PYSEC-2021-66",
            json!({
                "details": "The pattern for e-mail addresses is slow.", "aliases": ["CVE-2020-28493", "GHSA-g3rq-g295-4j3m"],
                "severity": rated("CVSS_V3", MEDIUM), "affected": [affected("PyPI", "jinja2", "ECOSYSTEM", "2.11.3")]
            }),
        )
        .found_by("PyPI", "jinja2", &["2.4.1"]),
        Advisory::new(
            "GHSA-35jh-r3h4-6jhm",
            json!({"summary": "Command injection in lodash", "aliases": ["CVE-2021-23337"], "severity": rated("CVSS_V4", CVSS_4), "affected": npm("lodash", "4.17.21")}),
        )
        .found_by("npm", "lodash", &["4.17.20"]),
        withdrawn,
        Advisory::new(
            "GHSA-mock-mock-mock",
            json!({"summary": "Path traversal", "affected": npm("@vitest/mocker", "3.2.8"), "database_specific": {"severity": "LOW"}}),
        )
        .found_by("npm", "@vitest/mocker", &["3.2.7"]),
        Advisory::new(
            "GO-2020-0001",
            json!({
                "summary": "Log injection in gin", "aliases": ["CVE-2020-36567"],
                "affected": [{
                    "package": {"ecosystem": "Go", "name": "github.com/gin-gonic/gin"},
                    "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": "1.6.3"}]}],
                    "ecosystem_specific": {"severity": "HIGH"}
                }]
            }),
        )
        .found_by("Go", "github.com/gin-gonic/gin", &["v1.6.0"]),
        Advisory::new("MAL-2026-1", json!({"summary": "Malicious code in evil-pkg", "affected": [{"package": {"ecosystem": "npm", "name": "evil-pkg"}, "versions": ["1.0.0"]}]}))
            .found_by("npm", "evil-pkg", &["1.0.0"]),
        Advisory::new("GHSA-cvss-two2-only", json!({"severity": rated("CVSS_V2", "AV:N/AC:L/Au:N/C:P/I:P/A:P"), "affected": [{"package": {"ecosystem": "npm", "name": "gone"}, "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}, {"last_affected": "1.0.0"}]}]}]}))
            .found_by("npm", "gone", &["1.0.0"]),
    ]
}

fn distributions() -> Vec<Advisory> {
    let of_release = |release: &str, fixed: &str| affected(release, "openssl", "ECOSYSTEM", fixed);
    vec![
        Advisory::new(
            "DEBIAN-CVE-2023-5363",
            json!({"details": "Key and IV lengths are mixed up.", "upstream": ["CVE-2023-5363"],
                "affected": [of_release("Debian:11", "1.1.1"), of_release("Debian:12", "3.0.11-1~deb12u2")]}),
        )
        .found_by("Debian:12", "openssl", &["3.0.11-1~deb12u1"]),
        Advisory::new(
            "UBUNTU-CVE-2024-0727",
            json!({"details": "A crash.", "upstream": ["CVE-2024-0727"], "severity": rated("Ubuntu", "negligible"),
                "affected": [of_release("Ubuntu:24.04:LTS", "3.0.13-0ubuntu4"), of_release("Ubuntu:22.04:LTS", "3.0.2-1")]}),
        )
        .found_by("Ubuntu:24.04:LTS", "openssl", &["3.0.13-0ubuntu3"]),
        // Of another release than the one that was asked for.
        Advisory::new("UBUNTU-CVE-2024-9999", json!({"affected": [of_release("Ubuntu:22.04:LTS", "9")]}))
            .found_by("Ubuntu:24.04:LTS", "openssl", &["3.0.13-0ubuntu3"]),
        Advisory::new(
            "ALPINE-CVE-2023-6129",
            json!({"upstream": ["CVE-2023-6129"], "affected": [of_release("Alpine:v3.19", "3.1.4-r3")]}),
        )
        .found_by("Alpine:v3.19", "openssl", &["3.1.4-r1"]),
    ]
}
