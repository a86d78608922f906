//! Data to serve: a small shop to look at, and as many findings as wanted.

mod catalogue;
mod checkmarx;
mod cluster;
mod many;
mod osv;
mod semgrep;
mod shop;
mod snyk;
mod sonarqube;

pub use checkmarx::{ManyResults, checkmarx_shop, many_results, sast};
pub use cluster::{OPERATOR_NAMESPACE, shop_cluster};
pub use many::{Many, many, many_series};
pub use osv::{osv_image_sbom, osv_shop, osv_shop_sbom};
pub use semgrep::{
    code as semgrep_code, many_secrets, many_semgrep, package as semgrep_package,
    secret as semgrep_secret, semgrep_shop,
};
pub use shop::{SHOP_IMAGE, shop};
pub use snyk::{
    ManyIssues, SNYK_CODE, SNYK_IMAGE, SNYK_INACTIVE, SNYK_PACKAGES, SNYK_UNLISTED, many_issues,
    snyk_shop,
};
pub use sonarqube::sonarqube_shop;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_web_image_is_in_both_tools_with_the_same_packages_and_vulnerabilities() {
        let projects = shop();
        let web = projects.iter().find(|project| project.name == "shop-web");
        let listed = web.unwrap().findings.iter().collect::<Vec<_>>();
        let series = shop_cluster();
        let running = series
            .iter()
            .filter(|series| series.metric() == "trivy_vulnerability_id")
            .collect::<Vec<_>>();

        assert!(running.len() > 20);
        for series in running {
            let [registry, repository, tag] =
                ["image_registry", "image_repository", "image_tag"].map(|name| series.label(name));
            assert_eq!(format!("{registry}/{repository}:{tag}"), SHOP_IMAGE);
            let twin = listed.iter().find(|finding| {
                finding.component.name == series.label("resource")
                    && finding.component.version.as_deref()
                        == Some(series.label("installed_version"))
                    && finding.vulnerability.id == series.label("vuln_id")
            });
            assert!(twin.is_some(), "{series:?}");
        }
    }
}
