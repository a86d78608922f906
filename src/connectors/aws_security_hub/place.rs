//! Where a finding is: resource, image, machine, cluster, code.

use super::asff::{Details, Finding, Package, Resource, Vulnerability};
use super::tables;
use crate::finding::{Cloud, Host, Image, ImageReference, Kubernetes, SourceLocation};

/// The first resource; the others are in the description.
pub(super) fn cloud(finding: &Finding<'_>, account: &str, region: &str) -> Cloud {
    let first = finding.resources.0.first().map(|resource| &resource.0);
    Cloud {
        provider: Some(tables::provider(
            first.and_then(|resource| resource.provider.as_str()),
        )),
        account: Some(account.to_owned()),
        region: Some(region.to_owned()),
        resource_type: first.and_then(|resource| resource.kind.to_owned()),
        resource_id: first.and_then(|resource| resource.id.to_owned()),
    }
}

/// The image, under the name by which it is pulled, so that other tools' findings in it are known to be in the same one.
pub(super) fn image(finding: &Finding<'_>, account: &str, region: &str) -> Option<Image> {
    let ecr = of_type(finding, "AwsEcrContainerImage")
        .and_then(|resource| ecr_image(resource, account, region));
    ecr.or_else(|| container_image(of_type(finding, "Container")?))
}

fn ecr_image(resource: &Resource<'_>, account: &str, region: &str) -> Option<Image> {
    let details = &resource.details.0.aws_ecr_container_image.0;
    let of_id = resource.id.as_str().and_then(EcrId::parse);
    let of_id = of_id.as_ref();
    let repository = details.repository_name.as_str();
    let repository = repository.or(of_id.map(|id| id.repository))?;
    let registry = details.registry_id.as_str();
    let registry = registry.or(of_id.map(|id| id.account)).unwrap_or(account);
    let region = of_id.map_or(region, |id| id.region);
    let suffix = if region.starts_with("cn-") { ".cn" } else { "" };
    let name = if repository.contains(".amazonaws.com") {
        repository.to_owned()
    } else {
        format!("{registry}.dkr.ecr.{region}.amazonaws.com{suffix}/{repository}")
    };
    Some(Image {
        name: Some(name),
        tag: details.image_tags.0.iter().find_map(|tag| tag.to_owned()),
        digest: details
            .image_digest
            .to_owned()
            .or_else(|| of_id?.digest.map(str::to_owned)),
    })
}

/// `arn:aws:ecr:<region>:<account>:repository/<name, with slashes>/sha256:<hex>`.
struct EcrId<'a> {
    region: &'a str,
    account: &'a str,
    repository: &'a str,
    digest: Option<&'a str>,
}

impl<'a> EcrId<'a> {
    fn parse(id: &'a str) -> Option<Self> {
        let mut parts = id.splitn(6, ':').skip(2);
        let (service, region, account, resource) =
            (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let path = resource.strip_prefix("repository/")?;
        let (repository, digest) = match path.rsplit_once('/') {
            Some((repository, digest)) if digest.starts_with("sha256:") => {
                (repository, Some(digest))
            }
            _ => (path, None),
        };
        (service == "ecr").then_some(Self {
            region,
            account,
            repository,
            digest,
        })
    }
}

fn container_image(resource: &Resource<'_>) -> Option<Image> {
    let details = &resource.details.0.container.0;
    let mut image = Image::from(ImageReference::parse(details.image_name.as_str()?));
    let id = details.image_id.to_owned();
    image.digest = image.digest.or(id.filter(|id| id.starts_with("sha256:")));
    Some(image)
}

/// The cluster, where one is the resource.
pub(super) fn kubernetes(finding: &Finding<'_>) -> Option<Kubernetes> {
    let name = with_details(finding, |details| details.aws_eks_cluster.0.name.to_owned());
    name.map(|cluster| Kubernetes {
        cluster: Some(cluster),
        ..Kubernetes::default()
    })
}

/// The machine, where one is a resource, and the port that it was reached at.
pub(super) fn host(finding: &Finding<'_>) -> Option<Host> {
    let instance = of_type(finding, "AwsEc2Instance");
    let name = instance.and_then(|instance| instance.tags.0.0.get("Name")?.to_owned());
    let addresses = instance.map(|instance| &instance.details.0.aws_ec2_instance.0.ip_v4_addresses);
    let network = &finding.network.0;
    let port = network.destination_port.0;
    let host = Host {
        name,
        ip: addresses.and_then(|list| list.0.iter().find_map(|address| address.to_owned())),
        port: port.and_then(|port| u16::try_from(port).ok()),
        protocol: network.protocol.to_owned(),
    };
    (host != Host::default()).then_some(host)
}

/// The lines of a weakness in code, else the file of a vulnerable package.
pub(super) fn source_location(
    vulnerability: &Vulnerability<'_>,
    package: Option<&Package<'_>>,
) -> Option<SourceLocation> {
    if let Some(code) = vulnerability.code_vulnerabilities.0.first() {
        let path = &code.0.file_path.0;
        let line = |number: Option<i64>| number.and_then(|number| u32::try_from(number).ok());
        let location = SourceLocation {
            file: path
                .file_path
                .to_owned()
                .or_else(|| path.file_name.to_owned()),
            line_start: line(path.start_line.0),
            line_end: line(path.end_line.0),
            url: None,
        };
        return (location != SourceLocation::default()).then_some(location);
    }
    package?.file_path.to_owned().map(|file| SourceLocation {
        file: Some(file),
        ..SourceLocation::default()
    })
}

fn of_type<'f, 'a>(finding: &'f Finding<'a>, kind: &str) -> Option<&'f Resource<'a>> {
    let mut resources = finding.resources.0.iter().map(|resource| &resource.0);
    resources.find(|resource| resource.kind.as_str() == Some(kind))
}

fn with_details<T>(finding: &Finding<'_>, part: impl Fn(&Details<'_>) -> Option<T>) -> Option<T> {
    let mut resources = finding.resources.0.iter();
    resources.find_map(|resource| part(&resource.0.details.0))
}
