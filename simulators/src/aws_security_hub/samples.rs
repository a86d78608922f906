//! Findings in ASFF.

use serde_json::{Value, json};

use super::{ACCOUNT, REGION};

/// A vulnerable package on a machine, as Inspector reports it.
#[must_use]
pub fn vulnerability(account: &str, region: &str, number: u32) -> Value {
    json!({
        "SchemaVersion": "2018-10-08",
        "Id": format!("arn:aws:inspector2:{region}:{account}:finding/{number:032x}"),
        "ProductArn": format!("arn:aws:securityhub:{region}::product/aws/inspector"),
        "ProductName": "Inspector",
        "CompanyName": "Amazon",
        "Region": region,
        "GeneratorId": "AWSInspector",
        "AwsAccountId": account,
        "Types": ["Software and Configuration Checks/Vulnerabilities/CVE"],
        "FirstObservedAt": "2026-01-05T08:00:00.000Z",
        "LastObservedAt": "2026-02-10T09:15:30.456Z",
        "CreatedAt": "2026-01-05T08:00:01.123Z",
        "UpdatedAt": "2026-02-10T09:15:30.456Z",
        "Severity": {"Label": "HIGH", "Normalized": 70},
        "Title": format!("CVE-2026-{number:05} - package-{number}"),
        "Description": format!("Flaw {number} in a package"),
        "Remediation": {"Recommendation": {"Text": "Update the package"}},
        "Resources": [{
            "Type": "AwsEc2Instance",
            "Id": format!("arn:aws:ec2:{region}:{account}:instance/i-{number:017x}"),
            "Partition": "aws",
            "Region": region,
            "Tags": {"Name": format!("web-{number}")},
            "Details": {"AwsEc2Instance": {"IpV4Addresses": ["10.0.0.7"], "VpcId": "vpc-1"}},
        }],
        "Vulnerabilities": [{
            "Id": format!("CVE-2026-{number:05}"),
            "VulnerablePackages": [{
                "Name": format!("package-{number}"),
                "Version": "1.1.1k",
                "Epoch": "1",
                "Release": "7.el8",
                "Architecture": "X86_64",
                "PackageManager": "OS",
                "FixedInVersion": "1:1.1.1k-12.el8_9",
            }],
            "Cvss": [{"Version": "3.1", "BaseScore": 9.8, "BaseVector": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "Source": "NVD"}],
            "RelatedVulnerabilities": [format!("CVE-2026-{number:05}")],
            "EpssScore": 0.0842,
            "FixAvailable": "YES",
            "ReferenceUrls": [format!("https://example.com/cve/{number}")],
        }],
        "Workflow": {"Status": "NEW"},
        "WorkflowState": "NEW",
        "RecordState": "ACTIVE",
    })
}

/// A control's result for a bucket: `status` is the compliance.
#[must_use]
pub fn control(account: &str, region: &str, number: u32, status: &str) -> Value {
    json!({
        "SchemaVersion": "2018-10-08",
        "Id": format!("arn:aws:securityhub:{region}:{account}:security-control/S3.8/finding/{number:08x}"),
        "ProductArn": format!("arn:aws:securityhub:{region}::product/aws/securityhub"),
        "ProductName": "Security Hub",
        "Region": region,
        "GeneratorId": "security-control/S3.8",
        "AwsAccountId": account,
        "Types": ["Software and Configuration Checks/Industry and Regulatory Standards"],
        "CreatedAt": "2026-01-05T08:00:01Z",
        "UpdatedAt": "2026-02-10T14:45:30+0530",
        "Severity": {"Label": if status == "PASSED" { "INFORMATIONAL" } else { "HIGH" }},
        "Title": "S3 buckets should block public access",
        "Description": "This control checks whether a bucket blocks public access.",
        "Remediation": {"Recommendation": {"Text": "Follow the guide", "Url": "https://docs.aws.amazon.com/console/securityhub/S3.8/remediation"}},
        "Resources": [{"Type": "AwsS3Bucket", "Id": format!("arn:aws:s3:::bucket-{number}"), "Partition": "aws", "Region": region}],
        "Compliance": {"Status": status, "SecurityControlId": "S3.8"},
        "Workflow": {"Status": "NEW"},
        "RecordState": "ACTIVE",
    })
}

/// One of each sort, in the hub's own account and in a member's.
#[must_use]
pub fn samples() -> Vec<Value> {
    let mut image = vulnerability(ACCOUNT, REGION, 2);
    image["Resources"] = json!([{
        "Type": "AwsEcrContainerImage",
        "Id": format!("arn:aws:ecr:{REGION}:{ACCOUNT}:repository/shop/web/sha256:{:064x}", 7),
        "Region": REGION,
        "Details": {"AwsEcrContainerImage": {
            "RegistryId": ACCOUNT,
            "RepositoryName": "shop/web",
            "ImageDigest": format!("sha256:{:064x}", 7),
            "ImageTags": ["1.2", "latest"],
        }},
    }]);
    let mut suppressed = control(ACCOUNT, REGION, 3, "FAILED");
    suppressed["Workflow"]["Status"] = "SUPPRESSED".into();
    let mut detection = control(ACCOUNT, REGION, 4, "FAILED");
    detection["Id"] = "arn:aws:guardduty:us-east-1:111122223333:detector/d/finding/f".into();
    detection["ProductArn"] = format!("arn:aws:securityhub:{REGION}::product/aws/guardduty").into();
    detection["ProductName"] = "GuardDuty".into();
    detection["GeneratorId"] = "arn:aws:guardduty:us-east-1:111122223333:detector/d".into();
    detection["Title"] = "An unprotected port is probed.".into();
    detection["Workflow"]["Status"] = "NOTIFIED".into();
    if let Some(members) = detection.as_object_mut() {
        members.remove("Compliance");
    }
    vec![
        vulnerability(ACCOUNT, REGION, 1),
        image,
        suppressed,
        detection,
        control(ACCOUNT, REGION, 5, "PASSED"),
        control("444455556666", "eu-west-1", 6, "FAILED"),
    ]
}

/// So many vulnerabilities, over two accounts and two Regions.
#[must_use]
pub fn many(count: u32) -> Vec<Value> {
    (0..count)
        .map(|number| {
            let account = if number % 3 == 0 {
                "444455556666"
            } else {
                ACCOUNT
            };
            let region = if number % 2 == 0 { REGION } else { "eu-west-1" };
            vulnerability(account, region, number)
        })
        .collect()
}
