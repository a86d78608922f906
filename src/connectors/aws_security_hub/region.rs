//! Regions, and the hosts of the service in them.

/// Suffix of the service's hosts by the beginning of a Region's name (the SDK's partitions, and AWS's list of them). The first
/// that fits; the last fits all.
const PARTITIONS: &[(&str, &str)] = &[
    ("cn-", "amazonaws.com.cn"),
    ("us-isob-", "sc2s.sgov.gov"),
    ("us-isof-", "csp.hci.ic.gov"),
    ("us-iso-", "c2s.ic.gov"),
    ("eu-isoe-", "cloud.adc-e.uk"),
    ("eusc-", "amazonaws.eu"),
    ("", "amazonaws.com"),
];

/// The Regions of AWS's public partitions (AWS's list of them, 2026). A Region that is new is known by its findings.
const REGIONS: &[&[&str]] = &[
    &[
        "af-south-1",
        "ap-east-1",
        "ap-east-2",
        "ap-northeast-1",
        "ap-northeast-2",
        "ap-northeast-3",
        "ap-south-1",
        "ap-south-2",
        "ap-southeast-1",
        "ap-southeast-2",
        "ap-southeast-3",
        "ap-southeast-4",
        "ap-southeast-5",
        "ap-southeast-6",
        "ap-southeast-7",
        "ca-central-1",
        "ca-west-1",
        "eu-central-1",
        "eu-central-2",
        "eu-north-1",
        "eu-south-1",
        "eu-south-2",
        "eu-west-1",
        "eu-west-2",
        "eu-west-3",
        "il-central-1",
        "me-central-1",
        "me-south-1",
        "mx-central-1",
        "sa-east-1",
        "us-east-1",
        "us-east-2",
        "us-west-1",
        "us-west-2",
    ],
    &["us-gov-east-1", "us-gov-west-1"],
    &["cn-north-1", "cn-northwest-1"],
];

/// The labels before the Region in the names of the service's hosts.
const SERVICE_LABELS: [&str; 2] = ["securityhub", "securityhub-fips"];

/// The service's public endpoint in a Region.
pub(super) fn endpoint(region: &str) -> String {
    let suffix = PARTITIONS
        .iter()
        .find(|(prefix, _)| region.starts_with(prefix))
        .map_or("amazonaws.com", |(_, suffix)| suffix);
    format!("https://securityhub.{region}.{suffix}")
}

/// The Region that a host of the service tells: public, FIPS, dual stack and VPC endpoints do.
pub(super) fn of_host(host: &str) -> Option<&str> {
    let mut labels = host.split('.');
    labels.find(|label| SERVICE_LABELS.contains(label))?;
    labels.next().filter(|label| is_region(label))
}

/// All Regions of the same partition.
pub(super) fn beside(region: &str) -> impl Iterator<Item = String> {
    let partition = REGIONS.iter().find(|regions| regions.contains(&region));
    let regions = partition.copied().unwrap_or_default();
    regions.iter().map(|region| (*region).to_owned())
}

/// Whether a text is spelled like a Region: `eu-west-1`, `us-gov-east-1`.
pub(super) fn is_region(text: &str) -> bool {
    let mut parts = text.split('-');
    let area = parts.next().unwrap_or_default();
    let Some(number) = parts.next_back() else {
        return false;
    };
    let is_word = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase());
    let middle: Vec<_> = parts.collect();
    is_word(area)
        && (1..=2).contains(&middle.len())
        && middle.iter().all(|word| is_word(word))
        && (1..=2).contains(&number.len())
        && number.bytes().all(|b| b.is_ascii_digit())
}

/// The Region and the account of an ARN (`arn:partition:service:region:account:resource`); parts that are empty are absent.
pub(super) fn of_arn(arn: &str) -> (Option<&str>, Option<&str>) {
    let mut parts = arn.splitn(6, ':');
    if parts.next() != Some("arn") {
        return (None, None);
    }
    let mut part = |n| parts.nth(n).filter(|part| !part.is_empty());
    (part(2), part(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_tells_the_region_if_it_is_one_of_the_services() {
        for (host, region) in [
            ("securityhub.us-east-1.amazonaws.com", Some("us-east-1")),
            (
                "securityhub.cn-north-1.amazonaws.com.cn",
                Some("cn-north-1"),
            ),
            (
                "securityhub-fips.us-gov-west-1.amazonaws.com",
                Some("us-gov-west-1"),
            ),
            ("securityhub.eu-west-1.api.aws", Some("eu-west-1")),
            (
                "vpce-0a1b-2c3d.securityhub.eu-central-1.vpce.amazonaws.com",
                Some("eu-central-1"),
            ),
            ("127.0.0.1", None),
            ("proxy.example.com", None),
            ("securityhub.example.com", None),
            ("inspector2.us-east-1.amazonaws.com", None),
        ] {
            assert_eq!(of_host(host), region, "{host}");
        }
    }

    #[test]
    fn a_plain_region_has_the_public_endpoint_of_its_partition() {
        for (region, url) in [
            ("eu-west-1", "https://securityhub.eu-west-1.amazonaws.com"),
            (
                "us-gov-east-1",
                "https://securityhub.us-gov-east-1.amazonaws.com",
            ),
            (
                "cn-north-1",
                "https://securityhub.cn-north-1.amazonaws.com.cn",
            ),
            (
                "eusc-de-east-1",
                "https://securityhub.eusc-de-east-1.amazonaws.eu",
            ),
        ] {
            assert!(is_region(region));
            assert_eq!(endpoint(region), url);
        }
        for odd in [
            "",
            "us-east",
            "us-east-1a",
            "US-EAST-1",
            "localhost",
            "a-b-c-d-1",
            "us--1",
        ] {
            assert!(!is_region(odd), "{odd}");
        }
    }

    #[test]
    fn an_arn_tells_region_and_account_where_it_has_them() {
        assert_eq!(
            of_arn("arn:aws:securityhub:us-east-1:111122223333:hub/default"),
            (Some("us-east-1"), Some("111122223333"))
        );
        assert_eq!(of_arn("arn:aws:s3:::bucket"), (None, None));
        assert_eq!(of_arn("i-0123"), (None, None));
    }
}
