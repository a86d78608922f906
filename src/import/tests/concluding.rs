//! What is concluded at the end: held runs, delays, the tool's own word, records, filings.

use super::*;

#[tokio::test]
async fn what_smells_is_held_until_accepted() {
    let house = House::new().await;
    let names: Vec<_> = (0..40).map(|n| format!("f{n:02}")).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    house.import(vec![page("r", &names), complete("r")]).await;
    let run = house
        .import(vec![page("r", &names[..19]), complete("r")])
        .await;
    assert_eq!((run.status, run.resolved), (RunState::Held, 0));
    assert!(run.error.unwrap().contains("21 of 40"));
    assert!(
        house
            .statuses()
            .await
            .iter()
            .all(|(_, status)| *status == Status::Open)
    );

    let accepted = house
        .store
        .accept("shop", chrono::Utc::now())
        .await
        .unwrap()
        .unwrap();
    assert_eq!((accepted.run, accepted.resolved), (run.id, 21));
    assert_eq!(
        house
            .store
            .accept("shop", chrono::Utc::now())
            .await
            .unwrap(),
        None
    );
    let resolved = |statuses: Vec<(String, Status)>| {
        statuses
            .iter()
            .filter(|(_, s)| *s == Status::Resolved)
            .count()
    };
    assert_eq!(resolved(house.statuses().await), 21);
}

#[tokio::test]
async fn twenty_findings_less_one_are_never_held() {
    let house = House::new().await;
    let names: Vec<_> = (0..19).map(|n| format!("f{n:02}")).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    house.import(vec![page("r", &names), complete("r")]).await;
    let run = house.import(vec![complete("r")]).await;
    assert_eq!((run.status, run.resolved), (RunState::Complete, 19));
}

#[tokio::test]
async fn with_resolve_after_two_it_takes_two_complete_imports_in_a_row() {
    let mut house = House::new().await;
    house.api.resolve_after = 2;
    house
        .import(vec![page("r", &["a", "b"]), complete("r")])
        .await;
    assert_eq!(
        house
            .import(vec![page("r", &["a"]), complete("r")])
            .await
            .resolved,
        0
    );
    assert_eq!(
        house
            .import(vec![page("r", &["a", "b"]), complete("r")])
            .await
            .resolved,
        0
    );
    assert_eq!(
        house
            .import(vec![page("r", &["a"]), complete("r")])
            .await
            .resolved,
        0
    );
    assert_eq!(
        house
            .import(vec![page("r", &["a"]), complete("r")])
            .await
            .resolved,
        1
    );
}

#[tokio::test]
async fn the_tools_own_fixed_resolves_at_once_and_is_not_stored_if_never_seen_open() {
    let house = House::new().await;
    house.import(vec![page("r", &["a"]), complete("r")]).await;
    let fixed = |name: &str| Sighting {
        status: Status::Resolved,
        ..sighting(name)
    };
    let run = house
        .import(vec![
            page_of("r", vec![fixed("a"), fixed("never")]),
            incomplete("r"),
        ])
        .await;
    assert_eq!((run.new, run.resolved), (0, 1));
    assert_eq!(house.statuses().await, [status("a", Status::Resolved)]);
}

#[tokio::test]
async fn rows_of_one_source_id_are_one_sighting_whatever_pages_they_come_on() {
    let house = House::new().await;
    let worse = || Sighting {
        severity: Severity::Critical,
        ..sighting("a")
    };
    let acts = || {
        vec![
            page("r", &["a"]),
            page_of("r", vec![worse()]),
            complete("r"),
        ]
    };
    let run = house.import(acts()).await;
    assert_eq!((run.new, run.updated), (1, 0));
    assert_eq!(house.findings().await[0].severity, Severity::Critical);
    let again = house.import(acts()).await;
    assert_eq!((again.new, again.updated, again.unchanged), (0, 0, 1));
    assert_eq!(house.findings().await[0].severity, Severity::Critical);
}

#[tokio::test]
async fn what_a_setting_leaves_out_stays_as_it_is_and_is_not_taken_in_anew() {
    let house = House::new().await;
    house
        .import(vec![page("r", &["a", "b", "c"]), complete("r")])
        .await;
    let left_out = Act::Say(Pulled::LeftOut {
        scope: scope("r"),
        keys: vec![sighting("b").source_key(), sighting("new").source_key()],
    });
    let run = house
        .import(vec![page("r", &["a"]), left_out, complete("r")])
        .await;
    assert_eq!((run.new, run.resolved), (0, 1));
    assert_eq!(
        house.statuses().await,
        [
            status("a", Status::Open),
            status("b", Status::Open),
            status("c", Status::Resolved)
        ]
    );
}

#[tokio::test]
async fn a_record_that_is_no_longer_listed_is_missing_and_its_findings_stay() {
    let house = House::new().await;
    let listed = |names: &[&str]| {
        Act::Say(Pulled::Records(
            names.iter().map(|name| record(name)).collect(),
        ))
    };
    house
        .import(vec![
            listed(&["r", "s"]),
            page("r", &["a"]),
            complete("r"),
            page("s", &["b"]),
            complete("s"),
        ])
        .await;
    let run = house
        .import(vec![listed(&["r"]), page("r", &["a"]), complete("r")])
        .await;
    assert_eq!((run.status, run.resolved), (RunState::Complete, 0));
    let states = house.store.api_states().await.unwrap();
    let state = |name: &str| {
        let record = states[0].records.iter().find(|record| record.name == name);
        record.unwrap().state.clone()
    };
    assert_eq!(
        (state("r").as_str(), state("s").as_str()),
        ("present", "missing")
    );
}

#[tokio::test]
async fn missing_records_resolve_where_the_admin_says_so() {
    let mut house = House::new().await;
    house.api.missing_records = MissingRecords::Resolve;
    let listed = |names: &[&str]| {
        Act::Say(Pulled::Records(
            names.iter().map(|name| record(name)).collect(),
        ))
    };
    let both = vec![
        listed(&["r", "s"]),
        page("r", &["a"]),
        complete("r"),
        page("s", &["b"]),
        complete("s"),
    ];
    house.import(both).await;
    let run = house
        .import(vec![listed(&["r"]), page("r", &["a"]), complete("r")])
        .await;
    assert_eq!(run.resolved, 1);
    assert_eq!(
        house.statuses().await,
        [status("a", Status::Open), status("b", Status::Resolved)]
    );
}

#[tokio::test]
async fn findings_move_with_the_product_that_the_admin_renames() {
    let mut house = House::new().await;
    house.import(vec![page("r", &["a"]), complete("r")]).await;
    house.api.product = Some("Store".to_owned());
    house.import(vec![page("r", &["a"]), complete("r")]).await;
    let findings = house.findings().await;
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].product, "Store");
}

#[tokio::test]
async fn without_a_product_every_record_is_one() {
    let mut house = House::new().await;
    house.api.product = None;
    house
        .import(vec![
            page("web", &["a"]),
            complete("web"),
            page("api", &["a"]),
            complete("api"),
        ])
        .await;
    let mut products: Vec<_> = house
        .findings()
        .await
        .into_iter()
        .map(|f| f.product)
        .collect();
    products.sort();
    assert_eq!(products, ["api", "web"]);
}
