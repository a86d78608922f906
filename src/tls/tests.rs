#![allow(clippy::unwrap_used)]

use std::ffi::OsString;
use std::fs;
use std::path::Path;

use rcgen::{BasicConstraints, CertificateParams, DnType, DnValue, IsCa, KeyPair};
use rustls::RootCertStore;
use tempfile::TempDir;

use super::client::{Authorities, config};
use super::name::{Names, shown};
use super::system::Named;
use crate::config::Trust;

fn authority() -> rcgen::Certificate {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.self_signed(&KeyPair::generate().unwrap()).unwrap()
}

/// A folder with two files of one authority each, one of them twice, and what is none.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("one.pem"), authority().pem()).unwrap();
    fs::write(path("other.pem"), authority().pem()).unwrap();
    std::os::unix::fs::symlink(path("one.pem"), path("5ed36f99.0")).unwrap();
    fs::write(path("README"), "no certificate").unwrap();
    folder
}

fn named(file: Option<&Path>, folders: Option<&str>) -> Named {
    Named::by(|name| match name {
        "SSL_CERT_FILE" => file.map(OsString::from),
        "SSL_CERT_DIR" => folders.map(OsString::from),
        _ => None,
    })
}

fn trusted(named: &Named) -> Result<usize, String> {
    named.add_to(&mut RootCertStore::empty())
}

#[test]
fn the_environment_names_a_file_and_folders_in_place_of_the_systems() {
    let (one, other) = (folder(), folder());
    let file = one.path().join("other.pem");
    assert_eq!(trusted(&named(Some(&file), None)), Ok(1));
    let both = format!("{}:{}", one.path().display(), other.path().display());
    assert_eq!(trusted(&named(None, Some(&both))), Ok(4));
    let there = other.path().display().to_string();
    assert_eq!(trusted(&named(Some(&file), Some(&there))), Ok(3));
}

#[test]
fn what_the_environment_names_in_vain_is_said() {
    let nowhere = Path::new("/nowhere/ca.pem");
    let words = "SSL_CERT_FILE names /nowhere/ca.pem, which cannot be read: No such file or directory (os error 2); correct or unset SSL_CERT_FILE";
    let wrong = named(Some(nowhere), None);
    assert_eq!(trusted(&wrong), Err(words.to_owned()));
    let wrong_folder = trusted(&named(None, Some("/nowhere"))).unwrap_err();
    assert!(
        wrong_folder.starts_with("SSL_CERT_DIR names /nowhere, "),
        "{wrong_folder}"
    );

    // Beside a bundle too: else others would be trusted than were meant. Not where the bundle replaces it.
    let mut trust = Trust {
        ca_bundle: Some(authority().pem().into_bytes()),
        ..Trust::default()
    };
    let said = config(&trust, Authorities::Systems, &wrong).unwrap_err();
    assert_eq!(said, words);
    trust.ca_bundle_only = true;
    config(&trust, Authorities::Systems, &wrong).unwrap();

    let folder = folder();
    let empty = named(Some(&folder.path().join("README")), None);
    let said = config(&Trust::default(), Authorities::Systems, &empty).unwrap_err();
    assert!(
        said.starts_with("what SSL_CERT_FILE names holds no certificate"),
        "{said}"
    );
    config(&Trust::default(), Authorities::NotNeeded, &empty).unwrap();
    assert_eq!(
        trusted(&named(Some(Path::new("")), Some(""))),
        trusted(&Named::default())
    );
}

#[test]
fn the_telling_part_of_a_name_is_shown() {
    let issued = |change: &dyn Fn(&mut rcgen::DistinguishedName)| {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name = rcgen::DistinguishedName::new();
        change(&mut params.distinguished_name);
        let certificate = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
        shown(Names::of(certificate.der()).unwrap().subject)
    };
    assert_eq!(issued(&|_| {}), "without a name");
    let name = issued(&|name| {
        name.push(DnType::CountryName, "DE");
        name.push(DnType::OrganizationName, "Company");
    });
    assert_eq!(name, "Company");
    let name = issued(&|name| {
        name.push(DnType::OrganizationName, "Company");
        name.push(
            DnType::CommonName,
            "Zertifizierungsstelle für Gäste \u{1b}[31m",
        );
    });
    assert_eq!(name, "Zertifizierungsstelle für Gäste [31m");
    let name = issued(&|name| {
        let text = rcgen::string::BmpString::try_from("Ввод").unwrap();
        name.push(DnType::CommonName, DnValue::BmpString(text));
    });
    assert_eq!(name, "Ввод");
    assert_eq!(
        issued(&|name| name.push(DnType::CommonName, "x".repeat(300))).len(),
        80
    );
}

#[test]
fn what_is_no_certificate_has_no_names() {
    let whole = authority();
    let der = whole.der();
    assert!(Names::of(der).is_some());
    for length in 0..der.len() {
        assert_eq!(Names::of(&der[..length]), None, "{length} bytes");
    }
    for bytes in [
        &[0x30, 0x84, 0xff, 0xff, 0xff, 0xff][..],
        &[0x30, 0x80],
        &[0x30, 0xff],
    ] {
        assert_eq!(Names::of(bytes), None);
    }
}
