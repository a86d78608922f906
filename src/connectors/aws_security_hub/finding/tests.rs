#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};

use super::*;
use crate::finding::{Severity, Status};

fn row() -> Value {
    json!({
        "SchemaVersion": "2018-10-08",
        "Id": "arn:aws:inspector2:us-east-1:111122223333:finding/0a1b",
        "ProductArn": "arn:aws:securityhub:us-east-1::product/aws/inspector",
        "ProductName": "Inspector", "Region": "us-east-1", "GeneratorId": "AWSInspector", "AwsAccountId": "111122223333",
        "Types": ["Software and Configuration Checks/Vulnerabilities/CVE"],
        "FirstObservedAt": "2026-01-05T08:00:00Z", "CreatedAt": "2026-01-05T08:00:01.123Z", "UpdatedAt": "2026-02-10T14:45:30.456+0530",
        "Severity": {"Label": "HIGH", "Normalized": 70},
        "Title": "CVE-2026-11111 - openssl", "Description": "A <b>flaw</b>",
        "Remediation": {"Recommendation": {"Url": "https://example.com/fix"}},
        "SourceUrl": "javascript:alert(1)",
        "Resources": [
            {"Type": "AwsEc2Instance", "Id": "arn:aws:ec2:us-east-1:111122223333:instance/i-1", "Region": "us-east-1",
             "Tags": {"Name": "web-1"}, "Details": {"AwsEc2Instance": {"IpV4Addresses": ["10.0.0.7"]}}},
            {"Type": "AwsEksCluster", "Id": "arn:aws:eks:us-east-1:111122223333:cluster/prod", "Details": {"AwsEksCluster": {"Name": "prod"}}}
        ],
        "Network": {"DestinationPort": 443, "Protocol": "TCP"},
        "Vulnerabilities": [
            {"Id": "CVE-2026-11111", "EpssScore": 0,
             "RelatedVulnerabilities": ["cve-2026-11111", "GHSA-aaaa-bbbb-cccc", null],
             "VulnerablePackages": [
                {"Name": "openssl", "Version": "1.1.1k", "Epoch": "1", "Release": "7.el8", "FixedInVersion": "1:1.1.1k-12.el8_9", "Remediation": "dnf update openssl", "FilePath": "usr/lib64/libssl.so"},
                {"Name": "openssl-libs", "Version": "1.1.1k", "FixedInVersion": "NotAvailable", "Remediation": "dnf update openssl"}
             ],
             "Cvss": [
                {"Version": "2.0", "BaseScore": 7.5, "BaseVector": "AV:N/AC:L/Au:N/C:P/I:P/A:P", "Source": "NVD"},
                {"Version": "3.1", "BaseScore": 5.0, "Source": "REDHAT"},
                {"Version": "3.1", "BaseScore": 9.8, "BaseVector": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "Source": "NVD"},
                {"Version": "4.0", "BaseScore": 9.3, "Source": "NVD"}
             ],
             "ReferenceUrls": ["https://example.com/a", "https://example.com/a"], "Vendor": {"Name": "NVD", "Url": "https://nvd.nist.gov/vuln/detail/CVE-2026-11111"}},
            {"Id": "CVE-2026-22222"}
        ],
        "Workflow": {"Status": "NOTIFIED"}, "WorkflowState": "NEW", "RecordState": "ACTIVE", "Sample": true, "NewMember": {"kept": 1}
    })
}

fn mapped(row: &Value) -> Mapped {
    map(&row.to_string()).unwrap()
}

#[test]
fn a_vulnerability_is_mapped_field_by_field() {
    let text = row().to_string();
    let mapped = map(&text).unwrap();
    assert_eq!(
        (mapped.account.as_str(), mapped.region.as_str()),
        ("111122223333", "us-east-1")
    );
    assert_eq!(mapped.product, "aws/inspector");
    let sighting = mapped.sighting;
    assert_eq!(
        sighting.source_id,
        "arn:aws:inspector2:us-east-1:111122223333:finding/0a1b"
    );
    assert_eq!(sighting.raw, text);
    assert_eq!(sighting.severity, Severity::High);
    assert_eq!(sighting.source_severity.as_deref(), Some("HIGH"));
    assert_eq!(sighting.status, Status::InReview);
    assert_eq!(sighting.source_status.as_deref(), Some("ACTIVE/NOTIFIED"));
    assert_eq!(
        sighting.found_at.unwrap().to_rfc3339(),
        "2026-01-05T08:00:00+00:00"
    );
    assert_eq!(
        sighting.source_updated_at.unwrap().to_rfc3339(),
        "2026-02-10T09:15:30.456+00:00"
    );
    let content = sighting.content;
    assert_eq!(content.kind, Kind::Component);
    assert_eq!(content.title, "CVE-2026-11111 - openssl");
    let description = content.description.unwrap();
    assert!(
        description.starts_with("A <b>flaw</b>\n\nOther vulnerable packages: openssl-libs 1.1.1k"),
        "{description}"
    );
    assert!(description.contains("Other vulnerabilities: CVE-2026-22222"));
    assert!(description.contains(
        "Other resources: AwsEksCluster arn:aws:eks:us-east-1:111122223333:cluster/prod"
    ));
    assert_eq!(
        content.recommendation.as_deref(),
        Some("dnf update openssl")
    );
    assert_eq!(content.vulnerability_id.as_deref(), Some("CVE-2026-11111"));
    assert_eq!(content.aliases, ["GHSA-aaaa-bbbb-cccc"]);
    assert_eq!(content.cvss3_score, Some(9.8));
    assert!(content.cvss3_vector.unwrap().starts_with("CVSS:3.1/"));
    assert_eq!(
        (content.cvss4_score, content.cvss4_vector),
        (Some(9.3), None)
    );
    assert_eq!(content.epss_score, Some(0.0));
    let component = content.component.unwrap();
    assert_eq!(component.name.as_deref(), Some("openssl"));
    assert_eq!(component.version.as_deref(), Some("1:1.1.1k-7.el8"));
    assert_eq!(
        component.fixed_version.as_deref(),
        Some("1:1.1.1k-12.el8_9")
    );
    assert_eq!(
        content.source_location.unwrap().file.as_deref(),
        Some("usr/lib64/libssl.so")
    );
    let cloud = content.cloud.unwrap();
    assert_eq!(cloud.provider.as_deref(), Some("aws"));
    assert_eq!(cloud.account.as_deref(), Some("111122223333"));
    assert_eq!(cloud.resource_type.as_deref(), Some("AwsEc2Instance"));
    assert_eq!(content.kubernetes.unwrap().cluster.as_deref(), Some("prod"));
    let host = content.host.unwrap();
    assert_eq!(
        (host.name.as_deref(), host.ip.as_deref()),
        (Some("web-1"), Some("10.0.0.7"))
    );
    assert_eq!(
        (host.port, host.protocol.as_deref()),
        (Some(443), Some("TCP"))
    );
    assert_eq!(
        content.references,
        [
            "https://example.com/fix",
            "https://example.com/a",
            "https://nvd.nist.gov/vuln/detail/CVE-2026-11111"
        ]
    );
    assert_eq!(
        content.tags,
        [
            "product:Inspector",
            "Software and Configuration Checks/Vulnerabilities/CVE",
            "sample"
        ]
    );
}

#[test]
fn a_control_is_one_rule_at_a_resource_under_all_standards() {
    let mut row = row();
    row.as_object_mut().unwrap().remove("Vulnerabilities");
    row["Compliance"] = json!({"Status": "FAILED", "SecurityControlId": "S3.8"});
    row["Remediation"]["Recommendation"]["Text"] = "Follow the guide".into();
    let sighting = mapped(&row).sighting;
    assert_eq!(sighting.weakness.as_deref(), Some("S3.8"));
    assert_eq!(
        sighting.source_status.as_deref(),
        Some("ACTIVE/NOTIFIED/FAILED")
    );
    let content = sighting.content;
    assert_eq!(
        (content.kind, content.vulnerability_id),
        (Kind::Cloud, None)
    );
    assert_eq!(content.recommendation.as_deref(), Some("Follow the guide"));
    assert!(content.tags.contains(&"control:S3.8".to_owned()));
    assert!(content.tags.contains(&"compliance:FAILED".to_owned()));
}

#[test]
fn a_detector_of_many_things_does_not_make_them_one() {
    let mut row = row();
    row["Vulnerabilities"] = json!([{"Id": "python/sql-injection@v1.0", "CodeVulnerabilities": [
        {"Cwes": ["CWE-89", "cwe-89", "CWE-x"], "FilePath": {"FileName": "app.py", "FilePath": "src/app.py", "StartLine": 12, "EndLine": 14}}
    ]}]);
    let sighting = mapped(&row).sighting;
    assert_eq!(
        sighting.weakness.as_deref(),
        Some("AWSInspector CVE-2026-11111 - openssl")
    );
    let content = sighting.content;
    assert_eq!((content.kind, content.vulnerability_id), (Kind::Code, None));
    assert_eq!(content.cwes, [89]);
    let location = content.source_location.unwrap();
    assert_eq!(location.file.as_deref(), Some("src/app.py"));
    assert_eq!(
        (location.line_start, location.line_end),
        (Some(12), Some(14))
    );
}

#[test]
fn an_image_has_the_name_by_which_it_is_pulled() {
    let mut row = row();
    let id = "arn:aws:ecr:eu-west-1:444455556666:repository/shop/web/sha256:0a0b";
    row["Resources"] = json!([{"Type": "AwsEcrContainerImage", "Id": id, "Details": {"AwsEcrContainerImage": {
        "RegistryId": "444455556666", "RepositoryName": "shop/web", "ImageDigest": "sha256:0a0b", "ImageTags": ["1.2", "latest"]}}}]);
    let image = mapped(&row).sighting.content.image.unwrap();
    assert_eq!(
        image.name.as_deref(),
        Some("444455556666.dkr.ecr.eu-west-1.amazonaws.com/shop/web")
    );
    assert_eq!(
        (image.tag.as_deref(), image.digest.as_deref()),
        (Some("1.2"), Some("sha256:0a0b"))
    );

    row["Resources"] = json!([{"Type": "AwsEcrContainerImage", "Id": id}]);
    let bare = mapped(&row).sighting.content.image.unwrap();
    assert_eq!(
        (bare.name, bare.digest, bare.tag),
        (image.name, image.digest, None)
    );

    row["Resources"] = json!([{"Type": "Container", "Id": "c", "Details": {"Container": {"ImageName": "registry.corp/shop/web:2", "ImageId": "sha256:0c"}}}]);
    let container = mapped(&row).sighting.content.image.unwrap();
    assert_eq!(container.name.as_deref(), Some("registry.corp/shop/web"));
    assert_eq!(
        (container.tag.as_deref(), container.digest.as_deref()),
        (Some("2"), Some("sha256:0c"))
    );
}

#[test]
fn resources_of_other_clouds_are_theirs() {
    let mut row = row();
    row["Resources"] = json!([{"Type": "AzureVm", "Id": "vm", "Provider": "Azure"}]);
    assert_eq!(
        mapped(&row)
            .sighting
            .content
            .cloud
            .unwrap()
            .provider
            .as_deref(),
        Some("azure")
    );
}

#[test]
fn the_region_is_the_findings_own_else_its_resources_else_its_products() {
    let mut row = row();
    row["Region"].take();
    row["Resources"][0]["Region"] = "eu-west-3".into();
    assert_eq!(mapped(&row).region, "eu-west-3");
    row["Resources"].take();
    assert_eq!(mapped(&row).region, "us-east-1");
}

#[test]
fn equal_ids_of_two_products_are_two() {
    let mut row = row();
    row["Id"] = "finding-1".into();
    let one = mapped(&row).sighting;
    row["ProductArn"] = "arn:aws:securityhub:us-east-1::product/prowler/prowler".into();
    let other = mapped(&row).sighting;
    assert_eq!(one.source_id, other.source_id);
    assert_ne!(one.source_key(), other.source_key());
}

#[test]
fn nulls_wrong_types_and_unknown_words_cost_their_field_and_not_the_finding() {
    let row = json!({
        "Id": "x", "ProductArn": "arn:aws:securityhub:eu-west-1:111122223333:product/111122223333/default", "AwsAccountId": "111122223333",
        "Severity": {"Label": "DIRE"}, "Title": null, "Description": 7, "Resources": {}, "Types": "none", "Vulnerabilities": [null, 3],
        "Workflow": null, "RecordState": "SLEEPING", "CreatedAt": "yesterday", "Compliance": [], "Network": {"DestinationPort": 99999}
    });
    let mapped = mapped(&row);
    assert_eq!(
        (mapped.region.as_str(), mapped.product.as_str()),
        ("eu-west-1", "111122223333/default")
    );
    let sighting = mapped.sighting;
    assert_eq!(
        (sighting.status, sighting.severity),
        (Status::Open, Severity::Unknown)
    );
    assert_eq!(sighting.source_severity.as_deref(), Some("DIRE"));
    assert_eq!(sighting.source_status.as_deref(), Some("SLEEPING"));
    assert_eq!((sighting.found_at, sighting.content.host), (None, None));
    assert_eq!(sighting.content.title, "x");
}

#[test]
fn a_finding_that_cannot_be_known_again_is_unreadable_in_its_record_if_it_tells_one() {
    let record = Some(("111122223333".to_owned(), "us-east-1".to_owned()));
    for (member, expected) in [
        ("Id", record.clone()),
        ("ProductArn", record),
        ("AwsAccountId", None),
    ] {
        let mut row = row();
        row[member] = Value::Null;
        assert_eq!(
            map(&row.to_string()).unwrap_err().record,
            expected,
            "{member}"
        );
    }
    assert_eq!(map("null").unwrap_err().record, None);
    assert_eq!(map("[]").unwrap_err().record, None);
}
