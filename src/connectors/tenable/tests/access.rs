//! Who may do what, and what is said when it may not.

use secpull_simulators::misfortune::{Misfortune, Plan};

use super::*;

#[tokio::test]
async fn check_tells_what_was_proven() {
    let tenant = shop().start().await.unwrap();
    let connector = connector(&tenant);
    let proven = connector.check(None).await.unwrap();
    assert_eq!(
        proven,
        "Tenable Vulnerability Management 6.9.1, keys accepted, exports allowed"
    );
    let web = api(settings(vec![("source", text("was"))]));
    let proven = connector.check(Some(&web)).await.unwrap();
    assert!(
        proven.contains("Web App Scanning") && proven.contains("first import"),
        "{proven}"
    );
    // No job was started for that.
    assert!(tenant.jobs().is_empty());
}

#[tokio::test]
async fn wrong_keys_and_missing_permissions_are_told_with_what_to_do() {
    let tenant = shop().start().await.unwrap();
    let mut wrong = tool(tenant.url());
    wrong.secret = Some(Secret::new("7f7f7f7f7f7f7f7f"));
    let stranger = Tenable::at_pace(&wrong, HASTY).unwrap();
    for error in [
        stranger.check(None).await.unwrap_err(),
        stranger.discover().await.unwrap_err(),
        pull(&stranger).await.unwrap_err(),
    ] {
        let error = error.to_string();
        assert!(
            error.contains("401") && error.contains("newest pair"),
            "{error}"
        );
        assert!(!error.contains("7f7f7f7f"), "{error}");
    }
    tenant.change(|world| world.may_export = false);
    let connector = connector(&tenant);
    for error in [
        connector.check(None).await.unwrap_err(),
        pull(&connector).await.unwrap_err(),
    ] {
        let error = error.to_string();
        assert!(
            error.contains("403") && error.contains("Can View"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_secret_may_hold_both_keys_and_one_alone_is_refused_when_the_tool_is_opened() {
    let tenant = shop().start().await.unwrap();
    let opened = |secret: &str| {
        let mut tool = tool(tenant.url());
        tool.settings = Settings::default();
        tool.secret = Some(Secret::new(secret));
        Tenable::at_pace(&tool, HASTY)
    };
    for both in [
        format!("accessKey={ACCESS_KEY};secretKey={SECRET_KEY}"),
        format!("accessKey={ACCESS_KEY}; secretKey={SECRET_KEY};"),
        format!("{ACCESS_KEY}:{SECRET_KEY}"),
    ] {
        opened(&both).unwrap().check(None).await.unwrap();
    }
    let refused = opened(SECRET_KEY).err().unwrap().to_string();
    assert!(refused.contains("access_key"), "{refused}");
    assert!(!refused.contains(SECRET_KEY), "{refused}");
}

#[tokio::test]
async fn a_host_that_is_not_tenables_is_told() {
    let tenant = shop().start().await.unwrap();
    tenant.inflict_as(Plan::new(Misfortune::HtmlLoginPage).everywhere());
    let error = connector(&tenant)
        .check(None)
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("location must be"), "{error}");
}

#[tokio::test]
async fn discover_lists_what_can_be_selected() {
    let tenant = shop().start().await.unwrap();
    let connector = connector(&tenant);
    let of = |records: &[Record]| records.iter().map(|r| r.name.clone()).collect::<Vec<_>>();
    let all = connector.discover().await.unwrap();
    assert_eq!(
        of(&all),
        [
            "All assets",
            "Web applications",
            "Default",
            "Plant",
            "Environment: Production",
            "Environment: Office"
        ]
    );
    assert_eq!(
        all[4].detail.as_deref(),
        Some("with tags = { \"Environment\" = [\"Production\"] }")
    );
    let office = api(settings(vec![("tags", tags(&["Office"]))]));
    let selected = all
        .iter()
        .filter(|record| connector.selects(&office, record));
    assert_eq!(selected.count(), 1);
    tenant.change(|world| world.may_list_networks = false);
    let fewer = connector.discover().await.unwrap();
    assert_eq!(fewer.len(), 4);
}

#[tokio::test]
async fn a_key_in_a_message_or_a_row_is_never_shown() {
    let tenant = chunked(2).start().await.unwrap();
    let connector = connector(&tenant);
    tenant.inflict(Misfortune::CredentialInAnError);
    let said = pull(&connector).await.unwrap();
    assert!(!said.reason().contains(SECRET_KEY), "{said:?}");
    tenant.calm();
    tenant.inflict(Misfortune::CredentialInARow);
    let said = pull(&connector).await.unwrap();
    assert!(said.sightings.iter().any(|s| s.raw.contains("sent with")));
    assert!(
        said.sightings
            .iter()
            .all(|s| !format!("{s:?}").contains(SECRET_KEY))
    );
}
