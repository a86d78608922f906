//! A row of a chunk. Of what is empty Tenable leaves out the key, or writes null or an empty list.

use super::words::Words;
use crate::connectors::lenient::{Flag, List, Number, Object, Text, Whole};

/// A finding of either product; each has fields that the other has not.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct Row<'a> {
    #[serde(borrow)]
    pub(super) asset: Object<Asset<'a>>,
    pub(super) plugin: Object<Plugin<'a>>,
    pub(super) port: Object<Port<'a>>,
    pub(super) output: Text<'a>,
    pub(super) severity: Text<'a>,
    pub(super) severity_id: Whole,
    pub(super) severity_modification_type: Text<'a>,
    pub(super) state: Text<'a>,
    pub(super) source: Text<'a>,
    pub(super) first_found: Words<'a>,
    pub(super) last_found: Words<'a>,
    pub(super) last_fixed: Words<'a>,
    pub(super) indexed: Words<'a>,
    pub(super) indexed_at: Words<'a>,
    pub(super) software_vulns: List<Object<Software<'a>>>,
    // Of Web App Scanning.
    pub(super) finding_id: Text<'a>,
    pub(super) url: Text<'a>,
    pub(super) http_method: Text<'a>,
    pub(super) input_name: Text<'a>,
    pub(super) proof: Text<'a>,
    pub(super) payload: Text<'a>,
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct Asset<'a> {
    #[serde(borrow)]
    pub(super) uuid: Text<'a>,
    pub(super) fqdn: Words<'a>,
    pub(super) hostname: Words<'a>,
    pub(super) netbios_name: Words<'a>,
    pub(super) ipv4: Words<'a>,
    pub(super) ipv6: Words<'a>,
    pub(super) tracked: Flag,
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct Plugin<'a> {
    pub(super) id: Whole,
    #[serde(borrow)]
    pub(super) name: Text<'a>,
    pub(super) family: Text<'a>,
    pub(super) synopsis: Text<'a>,
    pub(super) description: Text<'a>,
    pub(super) solution: Text<'a>,
    pub(super) see_also: Words<'a>,
    pub(super) cve: Words<'a>,
    pub(super) cwe: Words<'a>,
    pub(super) cpe: Words<'a>,
    pub(super) xrefs: List<Object<Reference<'a>>>,
    pub(super) cvss3_base_score: Number,
    pub(super) cvss3_vector: Object<Vector<'a>>,
    pub(super) cvss4_base_score: Number,
    pub(super) cvss4_vector: Object<Vector<'a>>,
    pub(super) epss_score: Number,
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct Reference<'a> {
    #[serde(borrow, rename = "type")]
    pub(super) kind: Text<'a>,
    pub(super) id: Words<'a>,
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct Vector<'a> {
    #[serde(borrow)]
    pub(super) raw: Text<'a>,
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct Port<'a> {
    pub(super) port: Whole,
    #[serde(borrow)]
    pub(super) protocol: Text<'a>,
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct Software<'a> {
    #[serde(borrow)]
    pub(super) product: Text<'a>,
    pub(super) version: Text<'a>,
    pub(super) identifier: Text<'a>,
    pub(super) fixes: List<Object<Fix<'a>>>,
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct Fix<'a> {
    #[serde(borrow)]
    pub(super) value: Text<'a>,
}

impl<'a> Row<'a> {
    /// Reads one element of a chunk; what is no object has no field.
    ///
    /// # Errors
    /// It is no JSON.
    pub(super) fn parse(text: &'a str) -> Result<Self, String> {
        let row = serde_json::from_str::<Object<Row<'a>>>(text);
        row.map(|Object(row)| row)
            .map_err(|error| format!("a finding cannot be read: {error}"))
    }
}
