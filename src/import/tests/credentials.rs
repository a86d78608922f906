//! Whether a run says that its credentials were refused.

use super::*;
use crate::http::{HttpError, HttpErrorKind};

fn status(status: u16) -> HttpError {
    HttpError {
        kind: HttpErrorKind::Status {
            status,
            body: String::new(),
            retry_after: None,
        },
        message: format!("GET /: {status}"),
    }
}

/// What the store was told, by the runs that wait to be announced.
async fn refused(house: &House) -> Vec<bool> {
    let runs = house.store.unannounced_runs(99).await.unwrap();
    runs.iter().map(|run| run.credentials_refused).collect()
}

#[tokio::test]
async fn a_run_knows_by_the_kind_of_its_failure_that_the_credentials_were_refused() {
    let house = House::new().await;
    for error in [
        ConnectorError::Http(status(401)),
        ConnectorError::Http(status(403)),
        ConnectorError::Credentials(status(400)),
        ConnectorError::Http(status(404)),
        ConnectorError::Http(status(500)),
        ConnectorError::Refused("401 is only a word here".to_owned()),
    ] {
        let run = house.import(vec![Act::Break(error)]).await;
        assert_eq!(run.status, RunState::Failed);
    }
    house.import(vec![page("r", &["a"]), complete("r")]).await;
    assert_eq!(
        refused(&house).await,
        [true, true, true, false, false, false, false]
    );
}

#[tokio::test]
async fn credentials_that_are_refused_in_the_middle_or_before_the_beginning_are_known_too() {
    let house = House::new().await;
    let partial = house
        .import(vec![
            page("r", &["a"]),
            Act::Break(ConnectorError::Http(status(401))),
        ])
        .await;
    assert_eq!(partial.status, RunState::Partial);
    let id = house.start().await;
    let (progress, _) = watch::channel(ProgressSnapshot::default());
    let job = Job {
        connector: Err(ConnectorError::Http(status(401))),
        ..house.job(id, Vec::new())
    };
    let end = run(&house.store, job, &progress, CancellationToken::new()).await;
    assert!(end.credentials_refused);
    assert_eq!(refused(&house).await, [true, true]);
}
