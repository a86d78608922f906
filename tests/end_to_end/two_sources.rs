//! Two tools, one finding.

use secpull_simulators::dependency_track::{Aliases, Version};
use secpull_simulators::prometheus::{Prometheus, Series, Simulator};
use serde_json::Value;

use super::support::Installation;
use super::support::dependency_track::{finding, project, server, tool};

fn workload(name: &str, vulnerability: &str) -> Series {
    Series::new(
        "trivy_vulnerability_id",
        &[
            ("namespace", "shop"),
            ("name", &format!("replicaset-{name}-web")),
            ("resource_kind", "ReplicaSet"),
            ("resource_name", name),
            ("container_name", "web"),
            ("image_registry", "registry.example.com"),
            ("image_repository", "shop/web"),
            ("image_tag", "1.2"),
            ("installed_version", "1.0"),
            ("resource", "library-1"),
            ("severity", "Critical"),
            ("vuln_id", vulnerability),
        ],
        1.0,
    )
}

fn healthy(mut series: Vec<Series>) -> Vec<Series> {
    series.push(Series::new(
        "trivy_image_vulnerabilities",
        &[("severity", "Critical")],
        1.0,
    ));
    series
}

fn replace(prometheus: &Simulator, series: Vec<Series>) {
    prometheus.change(|cluster| {
        cluster.remove(|_| true);
        series.into_iter().for_each(|one| cluster.add(one));
    });
}

fn of_component(findings: &[Value], name: &str) -> Vec<Value> {
    findings
        .iter()
        .filter(|finding| finding["component"]["name"] == name)
        .cloned()
        .collect()
}

#[test]
fn the_same_vulnerability_in_the_same_component_of_the_same_image_is_one_finding() {
    // Dependency-Track knows it by its GHSA id with the CVE as alias, Trivy by the CVE, in ten workloads.
    let mut shop = project("shop", [1]);
    shop.findings.change(
        |_| true,
        |finding| {
            finding.vulnerability.source = "GITHUB".to_owned();
            finding.vulnerability.id = "GHSA-aaaa-bbbb-cccc".to_owned();
            finding.vulnerability.aliases = vec![Aliases {
                cve_id: Some("CVE-2026-00001".to_owned()),
                ghsa_id: Some("GHSA-aaaa-bbbb-cccc".to_owned()),
                ..Aliases::default()
            }];
        },
    );
    let uuid = shop.uuid.clone();
    let track = server(Version::V5_0, vec![shop]);
    let running = |hash: &str| {
        (0..10)
            .map(|n| workload(&format!("web{n}-{hash}"), "CVE-2026-00001"))
            .collect::<Vec<_>>()
    };
    let prometheus = Prometheus::new()
        .series(healthy(running("6d4cf56db6")))
        .start_blocking()
        .unwrap();
    let installation = Installation::new(&format!(
        "{}\n[tools.prom]\nconnector = \"trivy-operator-prometheus\"\nlocation = \"{}\"\n\
         [api_configurations.dt]\ntool = \"dt\"\nproduct = \"Shop\"\nproject_key = \"{uuid}\"\n\
         automatic_import = {{ docker_image = \"registry.example.com/shop/web:1.1\" }}\n\
         [api_configurations.trivy]\ntool = \"prom\"\nproduct = \"Shop\"\n\
         query = \"trivy_vulnerability_id\"\n",
        tool("dt", &track),
        prometheus.url()
    ));
    installation.import("dt").exits(0);
    installation.import("trivy").exits(0);
    let findings = installation.findings();
    assert_eq!(findings.len(), 1, "{findings:#?}");
    assert_eq!(findings[0]["sightings"].as_array().unwrap().len(), 11);
    assert_eq!(
        findings[0]["severity"], "critical",
        "the highest of its sightings"
    );

    // A rollout: other names for the same workloads. No new finding, none resolved.
    replace(&prometheus, healthy(running("7f9c8b6d54")));
    for _ in 0..2 {
        installation.import("trivy").exits(0);
    }
    let after = installation.findings();
    assert_eq!(after.len(), 1);
    assert_eq!(
        (&after[0]["id"], &after[0]["status"]),
        (&findings[0]["id"], &"open".into())
    );

    // Repaired for Trivy, still there for Dependency-Track.
    replace(
        &prometheus,
        healthy(vec![workload("other-6d4cf56db6", "CVE-2026-00099")]),
    );
    for _ in 0..2 {
        installation.import("trivy").exits(0);
    }
    let after = installation.findings();
    let shared = after.iter().find(|f| f["id"] == findings[0]["id"]).unwrap();
    assert_eq!(shared["status"], "open");
    assert_eq!(
        shared["severity"], "high",
        "only Dependency-Track's sighting is unresolved"
    );

    // Gone there too.
    track
        .portfolio()
        .change(&uuid, |project| project.findings.remove(|_| true));
    installation.import("dt").exits(0);
    let after = installation.findings();
    let shared = after.iter().find(|f| f["id"] == findings[0]["id"]).unwrap();
    assert_eq!(shared["status"], "resolved");
}

#[test]
fn branches_share_nothing_and_a_fix_on_one_closes_nothing_on_the_other() {
    let (main, next) = (project("main", [1]), project("next", [1]));
    let (main_key, next_key) = (main.uuid.clone(), next.uuid.clone());
    let track = server(Version::V5_0, vec![main, next]);
    let configuration = |name: &str, key: &str| {
        format!(
            "[api_configurations.{name}]\ntool = \"dt\"\nproduct = \"Shop\"\nproject_key = \"{key}\"\n\
             automatic_import = {{ branch = \"{name}\" }}\n"
        )
    };
    let installation = Installation::new(&format!(
        "{}\n{}\n{}",
        tool("dt", &track),
        configuration("main", &main_key),
        configuration("next", &next_key)
    ));
    installation.import("main").exits(0);
    installation.import("next").exits(0);
    assert_eq!(of_component(&installation.findings(), "library-1").len(), 2);
    track
        .portfolio()
        .change(&main_key, |project| project.findings.remove(|_| true));
    installation.import("main").exits(0);
    for found in installation.findings() {
        let expected = if found["branch"] == "main" {
            "resolved"
        } else {
            "open"
        };
        assert_eq!(found["status"], expected, "{found}");
    }
    assert_eq!(finding(1).vulnerability.id, "CVE-2026-00001");
}
