//! A finding's JSON as it comes: every field lenient, whatever the release.

use crate::connectors::lenient::{Flag, List, Number, Object, Text, Whole};

/// A finding.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct Row<'a> {
    pub(super) id: Whole,
    pub(super) test: Whole,
    #[serde(borrow)]
    pub(super) title: Text<'a>,
    pub(super) description: Text<'a>,
    pub(super) mitigation: Text<'a>,
    pub(super) references: Text<'a>,
    pub(super) severity: Text<'a>,
    pub(super) display_status: Text<'a>,
    pub(super) active: Flag,
    pub(super) duplicate: Flag,
    pub(super) false_p: Flag,
    pub(super) risk_accepted: Flag,
    pub(super) out_of_scope: Flag,
    pub(super) is_mitigated: Flag,
    pub(super) under_review: Flag,
    pub(super) vulnerability_ids: List<Object<VulnerabilityId<'a>>>,
    pub(super) cwe: Whole,
    pub(super) cwes: List<Object<Cwe<'a>>>,
    pub(super) cvssv3: Text<'a>,
    pub(super) cvssv3_score: Number,
    pub(super) cvssv4: Text<'a>,
    pub(super) cvssv4_score: Number,
    pub(super) epss_score: Number,
    pub(super) component_name: Text<'a>,
    pub(super) component_version: Text<'a>,
    pub(super) fix_version: Text<'a>,
    pub(super) file_path: Text<'a>,
    pub(super) line: Whole,
    pub(super) sast_source_file_path: Text<'a>,
    pub(super) sast_source_line: Whole,
    pub(super) vuln_id_from_tool: Text<'a>,
    pub(super) hash_code: Text<'a>,
    pub(super) service: Text<'a>,
    pub(super) tags: List<Text<'a>>,
    pub(super) date: Text<'a>,
    pub(super) last_status_update: Text<'a>,
}

/// One of a finding's ids.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct VulnerabilityId<'a> {
    #[serde(borrow)]
    pub(super) vulnerability_id: Text<'a>,
}

/// One of a finding's weaknesses, since 3.0.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct Cwe<'a> {
    #[serde(borrow)]
    pub(super) cwe: Text<'a>,
}
