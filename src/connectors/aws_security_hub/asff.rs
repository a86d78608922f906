//! The AWS Security Finding Format, as far as it is mapped. Any field may be absent, null or of another type.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;

use super::super::lenient::{Flag, List, Number, Object, Text, Whole};

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct Finding<'a> {
    #[serde(borrow)]
    pub(super) id: Text<'a>,
    pub(super) product_arn: Text<'a>,
    pub(super) product_name: Text<'a>,
    pub(super) region: Text<'a>,
    pub(super) generator_id: Text<'a>,
    pub(super) aws_account_id: Text<'a>,
    pub(super) types: List<Text<'a>>,
    pub(super) first_observed_at: Text<'a>,
    pub(super) created_at: Text<'a>,
    pub(super) updated_at: Text<'a>,
    pub(super) severity: Object<SeverityPart<'a>>,
    pub(super) title: Text<'a>,
    pub(super) description: Text<'a>,
    pub(super) remediation: Object<Remediation<'a>>,
    pub(super) source_url: Text<'a>,
    pub(super) network: Object<Network<'a>>,
    pub(super) resources: List<Object<Resource<'a>>>,
    pub(super) compliance: Object<Compliance<'a>>,
    pub(super) verification_state: Text<'a>,
    pub(super) workflow_state: Text<'a>,
    pub(super) workflow: Object<Workflow<'a>>,
    pub(super) record_state: Text<'a>,
    pub(super) vulnerabilities: List<Object<Vulnerability<'a>>>,
    pub(super) sample: Flag,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct SeverityPart<'a> {
    #[serde(borrow)]
    pub(super) label: Text<'a>,
    pub(super) normalized: Number,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct Remediation<'a> {
    #[serde(borrow)]
    pub(super) recommendation: Object<Recommendation<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct Recommendation<'a> {
    #[serde(borrow)]
    pub(super) text: Text<'a>,
    pub(super) url: Text<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct Network<'a> {
    #[serde(borrow)]
    pub(super) protocol: Text<'a>,
    pub(super) destination_port: Whole,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct Resource<'a> {
    #[serde(rename = "Type", borrow)]
    pub(super) kind: Text<'a>,
    pub(super) id: Text<'a>,
    pub(super) region: Text<'a>,
    pub(super) provider: Text<'a>,
    pub(super) tags: Object<Tags<'a>>,
    pub(super) details: Object<Details<'a>>,
}

/// A resource's tags by name.
#[derive(Debug, Default, Deserialize)]
#[serde(default, transparent)]
pub(super) struct Tags<'a>(#[serde(borrow)] pub(super) BTreeMap<Cow<'a, str>, Text<'a>>);

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct Details<'a> {
    #[serde(borrow)]
    pub(super) aws_ecr_container_image: Object<EcrImage<'a>>,
    pub(super) container: Object<Container<'a>>,
    pub(super) aws_eks_cluster: Object<EksCluster<'a>>,
    pub(super) aws_ec2_instance: Object<Ec2Instance<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct EcrImage<'a> {
    #[serde(borrow)]
    pub(super) registry_id: Text<'a>,
    pub(super) repository_name: Text<'a>,
    pub(super) image_digest: Text<'a>,
    pub(super) image_tags: List<Text<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct Container<'a> {
    #[serde(borrow)]
    pub(super) image_id: Text<'a>,
    pub(super) image_name: Text<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct EksCluster<'a> {
    #[serde(borrow)]
    pub(super) name: Text<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct Ec2Instance<'a> {
    #[serde(borrow, rename = "IpV4Addresses")]
    pub(super) ip_v4_addresses: List<Text<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct Compliance<'a> {
    #[serde(borrow)]
    pub(super) status: Text<'a>,
    pub(super) security_control_id: Text<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct Workflow<'a> {
    #[serde(borrow)]
    pub(super) status: Text<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct Vulnerability<'a> {
    #[serde(borrow)]
    pub(super) id: Text<'a>,
    pub(super) vulnerable_packages: List<Object<Package<'a>>>,
    pub(super) cvss: List<Object<CvssPart<'a>>>,
    pub(super) related_vulnerabilities: List<Text<'a>>,
    pub(super) vendor: Object<Vendor<'a>>,
    pub(super) reference_urls: List<Text<'a>>,
    pub(super) epss_score: Number,
    pub(super) code_vulnerabilities: List<Object<CodeVulnerability<'a>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct Package<'a> {
    #[serde(borrow)]
    pub(super) name: Text<'a>,
    pub(super) version: Text<'a>,
    pub(super) epoch: Text<'a>,
    pub(super) release: Text<'a>,
    pub(super) file_path: Text<'a>,
    pub(super) fixed_in_version: Text<'a>,
    pub(super) remediation: Text<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct CvssPart<'a> {
    #[serde(borrow)]
    pub(super) version: Text<'a>,
    pub(super) base_score: Number,
    pub(super) base_vector: Text<'a>,
    pub(super) source: Text<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct Vendor<'a> {
    #[serde(borrow)]
    pub(super) url: Text<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct CodeVulnerability<'a> {
    #[serde(borrow)]
    pub(super) cwes: List<Text<'a>>,
    pub(super) file_path: Object<CodePath<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct CodePath<'a> {
    #[serde(borrow)]
    pub(super) file_path: Text<'a>,
    pub(super) file_name: Text<'a>,
    pub(super) start_line: Whole,
    pub(super) end_line: Whole,
}
