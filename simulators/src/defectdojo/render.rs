//! What there is as JSON, with the members of release 3.2.

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};

use super::{Engagement, Finding, Product, ProductType, Test, TestImport, TestType, World};

fn time(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Micros, true)
}

pub(super) fn product_type(id: u64, product_type: &ProductType) -> Value {
    json!({
        "id": id, "name": product_type.name, "description": null, "critical_product": false, "key_product": false,
        "created": "2026-07-01T06:00:00.000001Z", "updated": "2026-07-01T06:00:00.000001Z", "authorized_users": [],
    })
}

pub(super) fn test_type(id: u64, test_type: &TestType) -> Value {
    json!({"id": id, "name": test_type.name, "static_tool": false, "dynamic_tool": false, "active": true})
}

pub(super) fn product(world: &World, id: u64, product: &Product) -> Value {
    let own = world
        .findings
        .iter()
        .filter(|(_, finding)| world.product_of(finding.test) == Some(id));
    let own: Vec<_> = own.collect();
    let active = own.iter().filter(|(_, finding)| finding.active).count();
    let all: Vec<_> = own.iter().map(|(id, _)| *id).collect();
    json!({
        "id": id, "findings_count": active, "findings_list": all, "tags": product.tags, "business_criticality": null,
        "platform": null, "lifecycle": null, "origin": null, "product_meta": [], "created": "2026-07-01T06:00:00.000001Z",
        "name": product.name, "description": product.name, "prod_numeric_grade": null, "user_records": null, "revenue": null,
        "external_audience": false, "internet_accessible": false, "enable_product_tag_inheritance": false,
        "enable_simple_risk_acceptance": false, "enable_full_risk_acceptance": true, "disable_sla_breach_notifications": false,
        "product_manager": null, "technical_contact": null, "team_manager": null, "prod_type": product.product_type,
        "sla_configuration": 1, "authorized_users": [], "regulations": [],
    })
}

pub(super) fn engagement(id: u64, engagement: &Engagement) -> Value {
    json!({
        "id": id, "tags": [], "created": "2026-07-01T06:00:00.000001Z", "updated": "2026-07-01T06:00:00.000001Z",
        "name": engagement.name, "description": null, "version": null, "first_contacted": null,
        "target_start": engagement.target_start, "target_end": engagement.target_end, "reason": null, "active": true,
        "tracker": null, "test_strategy": null, "threat_model": true, "api_test": true, "pen_test": true, "check_list": true,
        "status": "In Progress", "progress": "threat_model", "tmodel_path": "none", "done_testing": false,
        "engagement_type": engagement.kind, "build_id": null, "commit_hash": null, "branch_tag": null,
        "source_code_management_uri": null, "deduplication_on_engagement": engagement.deduplication_on_engagement,
        "lead": null, "requester": null, "preset": null, "report_type": null, "product": engagement.product,
        "cicd_scm_server": null, "cicd_build_server": null, "cicd_orchestration_engine": null, "notes": [], "files": [],
        "risk_acceptance": [],
    })
}

pub(super) fn test(world: &World, id: u64, test: &Test) -> Value {
    let name = world.test_types.get(test.test_type).map(|kind| &kind.name);
    json!({
        "id": id, "tags": test.tags, "test_type_name": name, "finding_groups": [], "deduplication_algorithm": "hash_code",
        "hash_code_fields": null, "scan_type": test.scan_type, "title": test.title, "description": null,
        "target_start": time(test.created), "target_end": time(test.created), "percent_complete": 100,
        "updated": time(test.updated), "created": time(test.created), "version": test.version, "build_id": test.build_id,
        "commit_hash": test.commit_hash, "branch_tag": test.branch_tag, "engagement": test.engagement, "lead": null,
        "test_type": test.test_type, "environment": 1, "api_scan_configuration": null, "notes": [], "files": [],
    })
}

pub(super) fn test_import(id: u64, import: &TestImport) -> Value {
    let actions = import.actions.iter();
    let actions: Vec<_> = actions
        .map(|(finding, action)| json!({"action": action.to_string(), "finding": finding}))
        .collect();
    let affected: Vec<_> = import.actions.iter().map(|(finding, _)| finding).collect();
    json!({
        "id": id, "test_import_finding_action_set": actions, "created": time(import.created),
        "modified": time(import.created), "import_settings": import.settings, "type": import.kind,
        "version": import.version, "build_id": import.build_id, "commit_hash": null, "branch_tag": import.branch_tag,
        "test": import.test, "findings_affected": affected,
    })
}

pub(super) fn finding(world: &World, id: u64, finding: &Finding) -> Value {
    let parts = [
        about(world, id, finding),
        weakness(finding),
        status(finding),
        place(finding),
    ];
    let members = parts.into_iter().filter_map(|part| match part {
        Value::Object(members) => Some(members),
        _ => None,
    });
    let other = finding.other.clone();
    Value::Object(members.chain([other]).flatten().collect())
}

fn about(world: &World, id: u64, finding: &Finding) -> Value {
    let test = world.tests.get(finding.test);
    let found_by: Vec<_> = test.map(|test| test.test_type).into_iter().collect();
    json!({
        "id": id, "tags": finding.tags, "request_response": {"req_resp": []}, "accepted_risks": [], "push_to_jira": false,
        "found_by": found_by, "age": 30, "sla_days_remaining": 60, "finding_meta": [], "related_fields": null,
        "jira_creation": null, "jira_change": null, "finding_groups": [], "reporter": 1, "url": null, "param": null,
        "payload": null, "thread_id": 0, "created": time(finding.created), "updated": time(finding.updated),
        "date": finding.date, "sla_start_date": null, "sla_expiration_date": null, "test": finding.test,
        "service": finding.service, "unique_id_from_tool": finding.unique_id_from_tool,
        "vuln_id_from_tool": finding.vuln_id_from_tool, "hash_code": finding.hash_code, "scanner_confidence": null,
        "static_finding": finding.static_finding, "dynamic_finding": finding.dynamic_finding, "sonarqube_issue": null,
        "notes": [], "files": [],
    })
}

fn weakness(finding: &Finding) -> Value {
    let ids = finding.vulnerability_ids.iter();
    let ids: Vec<_> = ids.map(|id| json!({"vulnerability_id": id})).collect();
    let cwes: Vec<_> = finding.cwes.iter().map(|cwe| json!({"cwe": cwe})).collect();
    json!({
        "title": finding.title, "severity": finding.severity, "numerical_severity": finding.numerical_severity(),
        "severity_justification": finding.severity_justification, "description": finding.description,
        "mitigation": finding.mitigation, "impact": finding.impact, "steps_to_reproduce": finding.steps_to_reproduce,
        "references": finding.references, "vulnerability_ids": ids, "cwe": finding.cwe, "cwes": cwes,
        "cvssv3": finding.cvssv3, "cvssv3_score": finding.cvssv3_score, "cvssv4": finding.cvssv4,
        "cvssv4_score": finding.cvssv4_score, "epss_score": finding.epss_score, "epss_percentile": finding.epss_percentile,
        "known_exploited": finding.known_exploited, "ransomware_used": finding.ransomware_used, "kev_date": finding.kev_date,
        "publish_date": finding.publish_date, "effort_for_fixing": null, "planned_remediation_date": null,
        "planned_remediation_version": null,
    })
}

fn status(finding: &Finding) -> Value {
    json!({
        "display_status": finding.display_status(), "active": finding.active, "verified": finding.verified,
        "false_p": finding.false_p, "duplicate": finding.duplicate, "duplicate_finding": null,
        "out_of_scope": finding.out_of_scope, "risk_accepted": finding.risk_accepted, "under_review": finding.under_review,
        "under_defect_review": false, "review_requested_by": null, "defect_review_requested_by": null, "reviewers": [],
        "last_reviewed": null, "last_reviewed_by": null, "last_status_update": time(finding.last_status_update),
        "is_mitigated": finding.is_mitigated, "mitigated": finding.mitigated.map(time), "mitigated_by": null,
    })
}

fn place(finding: &Finding) -> Value {
    json!({
        "component_name": finding.component_name, "component_version": finding.component_version,
        "fix_available": finding.fix_available, "fix_version": finding.fix_version, "file_path": finding.file_path,
        "line": finding.line, "sast_source_object": finding.sast_source_object, "sast_sink_object": finding.sast_sink_object,
        "sast_source_file_path": finding.sast_source_file_path, "sast_source_line": finding.sast_source_line,
        "nb_occurences": finding.nb_occurences, "endpoints": finding.endpoints,
    })
}
