//! Jobs that come to no good end, and places for them.

use std::sync::Arc;

use super::*;

/// So many more exports of the whole tenant come to this end.
async fn tenant_of(fates: &[Fate]) -> Simulator {
    let tenant = chunked(5).with(|world| {
        world.looks = 2;
        world.fates = fates.iter().cloned().collect();
    });
    tenant.start().await.unwrap()
}

fn quickly(tenant: &Simulator, limit: Duration) -> Tenable {
    let mut connector = connector(tenant);
    connector.manner.limit = limit;
    connector
}

#[tokio::test]
async fn an_export_that_fails_is_asked_for_once_more_and_never_believed_if_that_fails_too() {
    for (fate, words) in [
        (Fate::Error, "failed to export: An unexpected error"),
        (Fate::FailedChunk(2), "without 1 of its chunks: 1 of 5"),
        (Fate::CancelledChunk(2), "1 of its chunks cancelled"),
        (Fate::Expired, "expired"),
        (Fate::Forgotten, "expired"),
    ] {
        let tenant = tenant_of(std::slice::from_ref(&fate)).await;
        let said = pull(&connector(&tenant)).await.unwrap();
        assert!(said.is_complete(), "{fate:?}: {said:?}");
        assert_eq!(
            (said.by_id().len(), tenant.jobs().len()),
            (5, 2),
            "{fate:?}"
        );
        assert!(said.warnings[0].contains(words), "{fate:?}: {said:?}");

        let tenant = tenant_of(&[fate.clone(), fate.clone(), Fate::Well]).await;
        let said = pull(&connector(&tenant)).await.unwrap();
        assert!(said.reason().contains(words), "{fate:?}: {said:?}");
        assert_eq!(tenant.jobs().len(), 2, "{fate:?}");
    }
}

#[tokio::test]
async fn an_export_that_lacks_something_is_incomplete_and_the_rest_is_kept() {
    for (fate, words, findings) in [
        (Fate::Cancelled, "cancelled in Tenable", 3),
        (
            Fate::OneChunkShort,
            "has 6 chunks by its own count, and 5",
            5,
        ),
        (Fate::EmptyBody(2, 3), "chunk 4 could not be read", 4),
        (Fate::NotReady(2, 30), "chunk 4 could not be read", 4),
    ] {
        let tenant = tenant_of(std::slice::from_ref(&fate)).await;
        let said = pull(&connector(&tenant)).await.unwrap();
        assert!(said.reason().contains(words), "{fate:?}: {said:?}");
        assert_eq!(said.by_id().len(), findings, "{fate:?}");
        assert_eq!(tenant.jobs().len(), 1, "{fate:?}");
    }
}

#[tokio::test]
async fn a_chunk_that_is_empty_or_not_ready_at_first_is_read_in_the_end() {
    for fate in [
        Fate::EmptyBody(2, 2),
        Fate::NotReady(4, 2),
        Fate::NotReady(4, 5),
    ] {
        let tenant = tenant_of(std::slice::from_ref(&fate)).await;
        let said = pull(&connector(&tenant)).await.unwrap();
        assert!(said.is_complete(), "{fate:?}: {said:?}");
        assert_eq!(said.by_id().len(), 5, "{fate:?}");
    }
}

#[tokio::test]
async fn a_job_that_never_ends_is_cancelled_at_the_limit() {
    let tenant = tenant_of(&[Fate::Stuck]).await;
    let connector = quickly(&tenant, Duration::from_millis(50));
    let said = pull(&connector).await.unwrap();
    assert!(said.reason().contains("within 50ms"), "{said:?}");
    assert!(said.reason().contains("export_timeout_minutes"), "{said:?}");
    assert_eq!(tenant.jobs()[0].status, "CANCELLED");
    // What had come is kept.
    assert_eq!(said.by_id().len(), 3);
}

#[tokio::test]
async fn an_import_that_is_stopped_cancels_its_job_and_frees_its_place() {
    let tenant = tenant_of(&[Fate::Stuck, Fate::Stuck, Fate::Well]).await;
    let connector = Arc::new(connector(&tenant));
    for job in 0..2 {
        let pulling = tokio::spawn({
            let connector = Arc::clone(&connector);
            async move { pull(&connector).await.map(drop) }
        });
        until("the job", || tenant.jobs().len() > job).await;
        pulling.abort();
        until("its end", || tenant.jobs()[job].status == "CANCELLED").await;
    }
    let said = pull(&connector).await.unwrap();
    assert!(said.is_complete(), "{said:?}");
}

#[tokio::test]
async fn no_more_exports_run_at_once_than_the_tenant_has_places() {
    let tenant = shop().with(|world| world.looks = 6).start().await.unwrap();
    let connector = Arc::new(connector(&tenant));
    let choices = [
        &["Office"][..],
        &["Production"],
        &["Attic"],
        &["Office", "Production"],
    ];
    let pulls = choices.map(|values| {
        let connector = Arc::clone(&connector);
        let choice = settings(vec![("tags", tags(values))]);
        tokio::spawn(async move { pull_with(&connector, choice).await.unwrap() })
    });
    for pull in pulls {
        assert!(pull.await.unwrap().is_complete());
    }
    assert_eq!(tenant.most_at_once(), 2);
    let statuses: Vec<_> = tenant.requests().iter().map(|r| r.status).collect();
    assert!(!statuses.contains(&Some(429)), "{statuses:?}");
}

#[tokio::test]
async fn it_waits_for_a_place_that_others_take_but_not_for_ever() {
    let tenant = chunked(2).with(|world| {
        world.others = 2;
        world.retry_after = 0;
    });
    let tenant = Arc::new(tenant.start().await.unwrap());
    let said = pull(&quickly(&tenant, Duration::from_millis(40)))
        .await
        .unwrap();
    assert!(
        said.reason().contains("no export could be started"),
        "{said:?}"
    );

    let freeing = tokio::spawn({
        let tenant = Arc::clone(&tenant);
        let asked = tenant.request_count();
        async move {
            until("a second wish", || tenant.request_count() > asked + 1).await;
            tenant.change(|world| world.others = 1);
        }
    });
    let said = pull(&connector(&tenant)).await.unwrap();
    freeing.await.unwrap();
    assert!(said.is_complete() && said.by_id().len() == 2, "{said:?}");
}

fn whole() -> serde_json::Value {
    json!({"num_assets": 50, "include_unlicensed": true,
        "filters": {"since": 946_684_800, "state": ["OPEN", "REOPENED", "FIXED"]}})
}

#[tokio::test]
async fn an_export_of_the_same_that_is_under_way_is_taken_over_and_left_to_its_owner() {
    for says_duplicate in [false, true] {
        let tenant = chunked(3).with(|world| {
            world.looks = 4;
            world.says_duplicate = says_duplicate;
        });
        let tenant = tenant.start().await.unwrap();
        tenant.start_elsewhere(&whole());
        let said = pull(&connector(&tenant)).await.unwrap();
        assert!(said.is_complete() && said.by_id().len() == 3, "{said:?}");
        assert_eq!(tenant.jobs().len(), 1);
        let mut paths = tenant.requests().into_iter().map(|request| request.path);
        assert!(!paths.any(|path| path.ends_with("/cancel")));
    }
}

#[tokio::test]
async fn an_export_under_way_that_cannot_be_compared_is_waited_for() {
    let tenant = chunked(3).with(|world| {
        world.looks = 4;
        world.is_terse = true;
    });
    let tenant = tenant.start().await.unwrap();
    tenant.start_elsewhere(&whole());
    let said = pull(&connector(&tenant)).await.unwrap();
    assert!(said.is_complete(), "{said:?}");
    let jobs = tenant.jobs();
    assert_eq!((jobs.len(), jobs[0].downloads.len()), (2, 0));
}

#[tokio::test]
async fn an_export_that_its_owner_cancels_is_replaced_by_one_of_our_own() {
    let tenant = chunked(3).with(|world| {
        world.looks = 2;
        world.fates = [Fate::Cancelled].into();
    });
    let tenant = tenant.start().await.unwrap();
    tenant.start_elsewhere(&whole());
    let said = pull(&connector(&tenant)).await.unwrap();
    assert!(said.is_complete(), "{said:?}");
    assert_eq!(tenant.jobs().len(), 2);
}

#[tokio::test]
async fn an_export_that_was_started_although_the_gateway_gave_up_is_found_again() {
    let tenant = chunked(3).with(|world| {
        world.looks = 3;
        world.gateway_timeouts = 1;
    });
    let tenant = tenant.start().await.unwrap();
    let said = pull(&connector(&tenant)).await.unwrap();
    assert!(said.is_complete(), "{said:?}");
    assert_eq!(tenant.jobs().len(), 1);
}

#[tokio::test]
async fn two_imports_of_the_same_share_an_export_unless_one_asks_for_more() {
    let tenant = shop().with(|world| world.looks = 20).start().await.unwrap();
    let connector = Arc::new(connector(&tenant));
    let pulling = |choice: Settings| {
        let connector = Arc::clone(&connector);
        tokio::spawn(async move { pull_with(&connector, choice).await.unwrap() })
    };
    let first = pulling(Settings::default());
    until("the first job", || tenant.jobs().len() == 1).await;
    let second = pulling(Settings::default());
    // The same filters, and less than all.
    let third = pulling(settings(vec![(
        "include_unlicensed",
        Value::Boolean(false),
    )]));
    for (pull, count) in [(first, 12), (second, 12), (third, 11)] {
        let said = pull.await.unwrap();
        assert!(said.is_complete(), "{said:?}");
        assert_eq!(said.by_id().len(), count);
    }
    assert_eq!(tenant.jobs().len(), 2);
}
