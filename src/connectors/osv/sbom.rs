//! SBOM documents: CycloneDX and SPDX, as JSON.
//!
//! Only the few fields that are needed are read, leniently. The crates that model these formats know no CycloneDX after 1.5 and
//! refuse a whole document for one licence that they do not know: its packages would go unscanned.

use super::super::lenient::{List, Object, Text};

/// A component of an SBOM as far as it is needed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Listed {
    pub(super) purl: Option<String>,
    pub(super) version: Option<String>,
    pub(super) cpe: Option<String>,
    /// The source package that it was built from, where that stands beside the purl.
    pub(super) source: Option<Source>,
}

/// A distribution's source package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Source {
    pub(super) name: String,
    /// None where it is the binary package's.
    pub(super) version: Option<String>,
}

/// What an SBOM lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sbom {
    /// Format and version, for people.
    pub(super) format: String,
    pub(super) listed: Vec<Listed>,
}

#[derive(Default, serde::Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Document<'a> {
    #[serde(borrow)]
    bom_format: Text<'a>,
    spec_version: Text<'a>,
    components: List<Object<Component<'a>>>,
    spdx_version: Text<'a>,
    packages: List<Object<Package<'a>>>,
    #[serde(rename = "@context")]
    context: Text<'a>,
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct Component<'a> {
    #[serde(rename = "type", borrow)]
    ty: Text<'a>,
    purl: Text<'a>,
    version: Text<'a>,
    cpe: Text<'a>,
    properties: List<Object<Property<'a>>>,
    components: List<Object<Component<'a>>>,
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct Property<'a> {
    #[serde(borrow)]
    name: Text<'a>,
    value: Text<'a>,
}

#[derive(Default, serde::Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Package<'a> {
    #[serde(borrow)]
    version_info: Text<'a>,
    external_refs: List<Object<Reference<'a>>>,
}

#[derive(Default, serde::Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Reference<'a> {
    #[serde(borrow)]
    reference_type: Text<'a>,
    reference_locator: Text<'a>,
}

/// Reads a document; told apart by its content.
pub(super) fn parse(text: &[u8]) -> Result<Sbom, String> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let text = std::str::from_utf8(text).map_err(|_| "it is not UTF-8 text".to_owned())?;
    let Object(document) = serde_json::from_str::<Object<Document<'_>>>(text).map_err(|error| {
        format!("it is not JSON ({error}); XML and tag-value documents are not read")
    })?;
    let sbom = match (document.bom_format.as_str(), document.spdx_version.as_str()) {
        (Some("CycloneDX"), _) => cyclonedx(document),
        (_, Some(version)) if version.starts_with("SPDX-2.") => spdx(document),
        (_, Some(version)) => return Err(unread_spdx(version)),
        _ if document
            .context
            .as_str()
            .is_some_and(|context| context.contains("spdx.org")) =>
        {
            return Err(unread_spdx("SPDX-3"));
        }
        _ => {
            return Err(
                "it is no SBOM: neither bomFormat (CycloneDX) nor spdxVersion (SPDX 2) is in it"
                    .to_owned(),
            );
        }
    };
    if sbom.listed.is_empty() {
        return Err(format!(
            "the {} document lists no component at all",
            sbom.format
        ));
    }
    Ok(sbom)
}

fn unread_spdx(version: &str) -> String {
    format!(
        "it is an {version} document; of SPDX the versions 2.x are read, so have the generator write SPDX 2.3 or CycloneDX"
    )
}

/// All components, also those inside others, but not the product itself (`metadata.component`).
fn cyclonedx(document: Document<'_>) -> Sbom {
    let mut listed = Vec::new();
    let mut waiting = document.components.0;
    while let Some(Object(component)) = waiting.pop() {
        let is_package = !matches!(component.ty.as_str(), Some("file" | "operating-system"));
        if is_package || component.purl.0.is_some() {
            listed.push(Listed {
                purl: component.purl.to_owned(),
                version: component.version.to_owned(),
                cpe: component.cpe.to_owned(),
                source: trivy_source(&component),
            });
        }
        waiting.extend(component.components.0);
    }
    let version = document.spec_version.as_str().unwrap_or_default();
    Sbom {
        format: format!("CycloneDX {version}").trim_end().to_owned(),
        listed,
    }
}

/// Trivy names the source package in properties, not in the purl.
fn trivy_source(component: &Component<'_>) -> Option<Source> {
    let property = |key: &str| {
        let mut properties = component
            .properties
            .0
            .iter()
            .map(|Object(property)| property);
        let found = properties.find(|property| {
            let name = property.name.as_str();
            name.and_then(|name| name.strip_prefix("aquasecurity:trivy:")) == Some(key)
        });
        found.and_then(|property| property.value.to_owned())
    };
    let version = property("SrcVersion").map(|version| {
        let epoch = property("SrcEpoch").filter(|epoch| epoch != "0");
        let epoch = epoch.map_or(String::new(), |epoch| format!("{epoch}:"));
        let release = property("SrcRelease").map_or(String::new(), |release| format!("-{release}"));
        format!("{epoch}{version}{release}")
    });
    Some(Source {
        name: property("SrcName")?,
        version,
    })
}

fn spdx(document: Document<'_>) -> Sbom {
    let packages = document.packages.0.into_iter().map(|Object(package)| {
        let of_type = |types: &[&str]| {
            let references = package
                .external_refs
                .0
                .iter()
                .map(|Object(reference)| reference);
            let mut fitting = references.filter(|reference| {
                reference
                    .reference_type
                    .as_str()
                    .is_some_and(|ty| types.contains(&ty))
            });
            fitting.find_map(|reference| reference.reference_locator.to_owned())
        };
        Listed {
            purl: of_type(&["purl"]),
            version: package
                .version_info
                .to_owned()
                .filter(|version| version != "NOASSERTION"),
            cpe: of_type(&["cpe23Type", "cpe22Type"]),
            source: None,
        }
    });
    Sbom {
        listed: packages.collect(),
        format: document
            .spdx_version
            .as_str()
            .unwrap_or_default()
            .replacen('-', " ", 1),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn purls(text: &str) -> Vec<String> {
        let listed = parse(text.as_bytes()).unwrap().listed;
        let mut purls: Vec<_> = listed
            .into_iter()
            .map(|one| one.purl.unwrap_or_default())
            .collect();
        purls.sort();
        purls
    }

    #[test]
    fn cyclonedx_components_are_read_however_deep_and_the_product_itself_is_not() {
        let text = r#"{"bomFormat":"CycloneDX","specVersion":"1.6","metadata":{"component":{"purl":"pkg:npm/shop@1"}},
            "components":[
              {"type":"library","name":"a","version":"1","purl":"pkg:npm/a@1","cpe":"cpe:2.3:a:a:a:1:*:*:*:*:*:*:*",
               "components":[{"type":"library","purl":"pkg:npm/b@2","components":[{"purl":"pkg:npm/c@3"}]}]},
              {"type":"file","name":"/etc/passwd"},{"type":"operating-system","name":"debian"},
              {"type":"library","name":"no purl","version":7},
              7, null]}"#;
        assert_eq!(
            purls(text),
            ["", "", "", "pkg:npm/a@1", "pkg:npm/b@2", "pkg:npm/c@3"]
        );
        let sbom = parse(text.as_bytes()).unwrap();
        assert_eq!(sbom.format, "CycloneDX 1.6");
        let a = sbom.listed.iter().find(|one| one.cpe.is_some()).unwrap();
        assert_eq!(a.version.as_deref(), Some("1"));
    }

    #[test]
    fn trivys_source_packages_are_read_from_its_properties() {
        let source = |properties: &str| {
            let text = format!(
                r#"{{"bomFormat":"CycloneDX","components":[{{"purl":"pkg:deb/debian/libssl3@3","properties":{properties}}}]}}"#
            );
            let source = parse(text.as_bytes()).unwrap().listed.remove(0).source;
            source.map(|source| (source.name, source.version))
        };
        let property = |key: &str, value: &str| {
            format!(r#"{{"name":"aquasecurity:trivy:{key}","value":"{value}"}}"#)
        };
        let whole = [
            property("SrcName", "openssl"),
            property("SrcVersion", "3.0.11"),
            property("SrcRelease", "1~deb12u1"),
            property("SrcEpoch", "1"),
        ];
        let version = Some("1:3.0.11-1~deb12u1".to_owned());
        assert_eq!(
            source(&format!("[{}]", whole.join(","))),
            Some(("openssl".to_owned(), version))
        );
        let name = property("SrcName", "openssl");
        assert_eq!(
            source(&format!("[{name}]")),
            Some(("openssl".to_owned(), None))
        );
        assert_eq!(source("[7,{}]"), None);
    }

    #[test]
    fn spdx_packages_are_read_by_their_purl_reference_in_both_spellings() {
        let text = r#"{"spdxVersion":"SPDX-2.3","packages":[
            {"name":"a","versionInfo":"1","externalRefs":[
              {"referenceCategory":"SECURITY","referenceType":"cpe23Type","referenceLocator":"cpe:2.3:a:a:a:1"},
              {"referenceCategory":"PACKAGE-MANAGER","referenceType":"purl","referenceLocator":"pkg:npm/a@1"}]},
            {"name":"b","versionInfo":"NOASSERTION","externalRefs":[
              {"referenceCategory":"PACKAGE_MANAGER","referenceType":"purl","referenceLocator":"pkg:npm/b"}]},
            {"name":"c"}]}"#;
        assert_eq!(purls(text), ["", "pkg:npm/a@1", "pkg:npm/b"]);
        let sbom = parse(text.as_bytes()).unwrap();
        assert_eq!(sbom.format, "SPDX 2.3");
        assert_eq!(sbom.listed[0].cpe.as_deref(), Some("cpe:2.3:a:a:a:1"));
        assert_eq!(sbom.listed[1].version, None);
    }

    #[test]
    fn what_is_no_sbom_or_an_empty_one_is_refused_with_what_to_do() {
        for (text, word) in [
            ("", "not JSON"),
            ("<bom/>", "not JSON"),
            (
                r#"{"bomFormat":"CycloneDX","components":[{"purl":"pkg:npm/a@1"}"#,
                "not JSON",
            ),
            ("[]", "no SBOM"),
            ("{}", "no SBOM"),
            (
                r#"{"@context":"https://spdx.org/rdf/3.0.1/spdx-context.jsonld","@graph":[]}"#,
                "SPDX 2.3",
            ),
            (r#"{"spdxVersion":"SPDX-3.0","packages":[]}"#, "SPDX 2.3"),
            (r#"{"bomFormat":"CycloneDX"}"#, "no component"),
            (
                r#"{"bomFormat":"CycloneDX","components":[{"type":"file"}]}"#,
                "no component",
            ),
            (
                r#"{"spdxVersion":"SPDX-2.2","packages":[]}"#,
                "no component",
            ),
        ] {
            let error = parse(text.as_bytes()).unwrap_err();
            assert!(error.contains(word), "{text}: {error}");
        }
        assert!(parse(b"\xff").unwrap_err().contains("UTF-8"));
    }

    #[test]
    fn a_byte_order_mark_is_no_harm() {
        let text =
            "\u{feff}{\"bomFormat\":\"CycloneDX\",\"components\":[{\"purl\":\"pkg:npm/a@1\"}]}";
        assert_eq!(purls(text), ["pkg:npm/a@1"]);
    }
}
