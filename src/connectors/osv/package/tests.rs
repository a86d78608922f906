#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};

use super::*;

fn listed(purl: &str, version: Option<&str>) -> Listed {
    Listed {
        purl: Some(purl.to_owned()),
        version: version.map(str::to_owned),
        ..Listed::default()
    }
}

fn package(purl: &str, release: Option<&str>) -> Package {
    Package::of(listed(purl, None), release).unwrap()
}

fn query(package: &Package) -> Value {
    serde_json::to_value(package.query()).unwrap()
}

#[test]
fn a_language_package_is_asked_for_by_its_purl_without_qualifiers() {
    let package = package("pkg:npm/@babel/core@7.0.0?vcs_url=x", None);
    assert_eq!(
        query(&package),
        json!({"package": {"purl": "pkg:npm/%40babel/core@7.0.0"}})
    );
    assert_eq!(package.id, "pkg:npm/%40babel/core@7.0.0");
    assert_eq!(package.purl, "pkg:npm/%40babel/core@7.0.0?vcs_url=x");
    assert_eq!(
        (package.name.as_str(), package.version.as_str()),
        ("@babel/core", "7.0.0")
    );
    assert!(!package.lacks_release);
}

#[test]
fn a_version_beside_the_purl_is_sent_beside_it_and_the_purls_own_wins() {
    let beside = Package::of(listed("pkg:npm/lodash", Some("4.17.20")), None).unwrap();
    assert_eq!(
        query(&beside),
        json!({"package": {"purl": "pkg:npm/lodash"}, "version": "4.17.20"})
    );
    assert_eq!(
        beside.id, "pkg:npm/lodash@4.17.20",
        "or two versions would be one package"
    );
    let both = Package::of(listed("pkg:npm/lodash@4.17.21", Some("4.17.20")), None).unwrap();
    assert_eq!(
        query(&both),
        json!({"package": {"purl": "pkg:npm/lodash@4.17.21"}})
    );
    let neither = Package::of(listed("pkg:npm/lodash@", None), None);
    assert_eq!(neither, Err(NotAsked::NoVersion));
}

#[test]
fn a_distributions_package_is_asked_for_by_release_source_and_version() {
    for (purl, ecosystem, name, version) in [
        (
            "pkg:deb/debian/openssl@3.0.11-1~deb12u1?distro=debian-12",
            "Debian:12",
            "openssl",
            "3.0.11-1~deb12u1",
        ),
        (
            "pkg:deb/debian/linux@6.1.90-1?distro=bookworm",
            "Debian:12",
            "linux",
            "6.1.90-1",
        ),
        (
            "pkg:deb/debian/libssl3@3.0.11-1%2Bb1?arch=amd64&distro=debian-12&upstream=openssl%403.0.11-1",
            "Debian:12",
            "openssl",
            "3.0.11-1",
        ),
        (
            "pkg:deb/ubuntu/libssl3t64@3.0.13-0ubuntu3?distro=ubuntu-24.04&upstream=openssl",
            "Ubuntu:24.04",
            "openssl",
            "3.0.13-0ubuntu3",
        ),
        (
            "pkg:apk/alpine/libcrypto3@3.1.4-r2?distro=alpine-3.19.1&upstream=openssl",
            "Alpine:v3.19",
            "openssl",
            "3.1.4-r2",
        ),
    ] {
        let package = package(purl, None);
        assert_eq!(
            query(&package),
            json!({"package": {"ecosystem": ecosystem, "name": name}, "version": version}),
            "{purl}"
        );
        assert!(package.target.is_released && !package.lacks_release);
    }
    let package = package(
        "pkg:deb/debian/libssl3@3.0.11-1?arch=amd64&distro=debian-12&upstream=openssl",
        None,
    );
    assert_eq!(
        package.id,
        "pkg:deb/debian/libssl3@3.0.11-1?distro=debian-12"
    );
    assert_eq!(package.name, "libssl3");
}

#[test]
fn a_source_that_stands_beside_the_purl_is_asked_for() {
    let listed = Listed {
        source: Some(Source {
            name: "openssl".to_owned(),
            version: Some("3.0.11-1".to_owned()),
        }),
        ..listed(
            "pkg:deb/debian/libssl3@3.0.11-1%2Bb1?distro=debian-12.5",
            None,
        )
    };
    let package = Package::of(listed, None).unwrap();
    assert_eq!(
        query(&package),
        json!({"package": {"ecosystem": "Debian:12", "name": "openssl"}, "version": "3.0.11-1"})
    );
    assert_eq!(package.version, "3.0.11-1+b1");
}

#[test]
fn a_release_is_set_for_those_that_do_not_tell_theirs() {
    let set = |purl, release| query(&package(purl, Some(release)));
    assert_eq!(
        set("pkg:deb/ubuntu/openssl@3", "Ubuntu:24.04:LTS")["package"]["ecosystem"],
        "Ubuntu:24.04"
    );
    assert_eq!(
        set("pkg:deb/ubuntu/openssl@3?distro=jammy", "Ubuntu:24.04")["package"]["ecosystem"],
        "Ubuntu:22.04",
        "what the purl tells wins"
    );
    assert_eq!(
        set(
            "pkg:rpm/rocky/openssl@3.0.7-6?epoch=1&upstream=openssl-3.0.7-6.el9.src.rpm",
            "Rocky Linux:9"
        ),
        json!({"package": {"ecosystem": "Rocky Linux:9", "name": "openssl"}, "version": "1:3.0.7-6"})
    );
    // Another distribution's, or no distribution's, package.
    assert_eq!(
        set("pkg:deb/debian/openssl@3", "Ubuntu:24.04"),
        json!({"package": {"purl": "pkg:deb/debian/openssl"}, "version": "3"})
    );
    assert_eq!(
        set("pkg:npm/a@1", "Ubuntu:24.04"),
        json!({"package": {"purl": "pkg:npm/a@1"}})
    );
}

#[test]
fn without_a_release_it_is_asked_for_all_the_same_where_the_server_knows_it() {
    let ubuntu = package(
        "pkg:deb/ubuntu/libssl3@3.0.2?upstream=openssl&distro=sid",
        None,
    );
    assert_eq!(
        query(&ubuntu),
        json!({"package": {"purl": "pkg:deb/ubuntu/openssl"}, "version": "3.0.2"})
    );
    assert!(ubuntu.lacks_release);
    assert!(!package("pkg:apk/wolfi/openssl@3", None).lacks_release);
    let rocky = Package::of(listed("pkg:rpm/rocky/openssl@3", None), None);
    assert_eq!(rocky, Err(NotAsked::Unsupported("rpm/rocky".to_owned())));
}

#[test]
fn what_cannot_be_asked_is_told_apart() {
    let refused = |purl| Package::of(listed(purl, Some("1")), None).unwrap_err();
    assert_eq!(
        refused("pkg:docker/nginx@1"),
        NotAsked::Unsupported("docker".to_owned())
    );
    assert_eq!(
        refused("pkg:deb/raspbian/a@1"),
        NotAsked::Unsupported("deb/raspbian".to_owned())
    );
    assert_eq!(refused("nginx"), NotAsked::BadPurl("nginx".to_owned()));
    let no_purl = Listed {
        purl: None,
        ..listed("", Some("1"))
    };
    assert_eq!(Package::of(no_purl, None), Err(NotAsked::NoPurl));
}
