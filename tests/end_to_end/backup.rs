//! Backup and restore as docs/operations.md says.

use std::fs;

use secpull_simulators::dependency_track::Version;

use super::support::Installation;
use super::support::dependency_track::{finding, project, server, tool};

#[test]
fn a_backup_made_during_an_import_can_be_restored_and_is_brought_up_to_date_by_the_next() {
    let shop = project("shop", 0..600);
    let uuid = shop.uuid.clone();
    let server = server(Version::V5_0, vec![shop]);
    let installation = Installation::new(&format!(
        "{}page_size = 100\n[api_configurations.shop]\ntool = \"dt\"\nautomatic_import = {{ enabled = false }}\n",
        tool("dt", &server)
    ));
    installation.import("shop").exits(0);
    server.portfolio().change(&uuid, |project| {
        (600..900).for_each(|number| project.findings.add(finding(number)));
    });
    let (store, backup) = (installation.store(), installation.path("backup.db"));
    let (from, to) = (store.clone(), backup.clone());
    server.before_request(7, move || {
        let store = rusqlite::Connection::open(from).unwrap();
        let to = to.to_str().unwrap().to_owned();
        store.execute("VACUUM INTO ?1", [to]).unwrap();
    });
    let daemon = installation.daemon();
    installation.secpull(&["run", "shop"]).exits(0);
    assert!(daemon.stop().success());
    assert_eq!(installation.findings().len(), 900);
    assert!(backup.exists());

    for tail in ["", "-wal", "-shm"] {
        let mut name = store.clone().into_os_string();
        name.push(tail);
        let _absent = fs::remove_file(name);
    }
    fs::copy(&backup, &store).unwrap();
    assert_eq!(installation.integrity(), ["ok"]);
    let restored = installation.findings();
    assert!((600..900).contains(&restored.len()), "{}", restored.len());
    let first_seen = |findings: &[serde_json::Value]| {
        let old = findings
            .iter()
            .find(|f| f["vulnerability_id"] == "CVE-2026-00007");
        old.unwrap()["first_seen"].clone()
    };

    // The run that the backup has caught in the middle is in nobody's way.
    let daemon = installation.daemon();
    installation.secpull(&["run", "shop"]).exits(0);
    assert!(daemon.stop().success());
    let findings = installation.findings();
    assert_eq!(findings.len(), 900);
    assert!(findings.iter().all(|finding| finding["status"] == "open"));
    assert_eq!(first_seen(&findings), first_seen(&restored));
}
