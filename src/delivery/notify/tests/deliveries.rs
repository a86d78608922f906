//! What becomes of a message in the end.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use secpull_simulators::hooks::{Hook, Receiver};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::super::notifiers;
use super::{config, notice};
use crate::config::StoreUrl;
use crate::delivery::{Deliverer, Desk, Hold, Outcome};
use crate::store::{NewMessage, Store, open};

const LEASE: Duration = Duration::from_secs(60);

struct World {
    store: Arc<dyn Store>,
    deliverer: Arc<dyn Deliverer>,
    receiver: Receiver,
    start: DateTime<Utc>,
    _folder: tempfile::TempDir,
}

impl World {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = StoreUrl::Sqlite(folder.path().join("a.db"));
        let receiver = Hook::slack().start_blocking().unwrap();
        let config = config(&format!(
            "kind = 'slack'\nproxy = 'none'\nurl = '{}'",
            receiver.hook_url()
        ));
        Self {
            store: open(&url).await.unwrap(),
            deliverer: notifiers(&config).remove(0),
            receiver,
            start: Utc::now(),
            _folder: folder,
        }
    }

    /// One attempt to deliver this content so long after it came.
    async fn delivers(&self, key: &str, content: &str, after: TimeDelta) -> Outcome {
        let message = NewMessage {
            destination: "notifications.n".to_owned(),
            topic: None,
            content: content.to_owned(),
        };
        let added = self.store.announce_once(key, vec![message], self.start);
        added.await.unwrap();
        let now = self.start + after;
        let taken = self.store.take_message("notifications.n", "me", LEASE, now);
        let message = taken.await.unwrap().unwrap();
        let hold = Hold {
            store: &self.store,
            message: &message,
            holder: "me",
        };
        let desk = Desk::new(hold, now, CancellationToken::new());
        let outcome = self.deliverer.deliver(&message, &desk).await;
        self.store.delivered(&message, "me").await.unwrap();
        outcome
    }
}

fn found(id: &str, run: i64, events: Value) -> String {
    let mut notice = serde_json::to_value(notice()).unwrap();
    notice["id"] = id.into();
    notice["events"] = events;
    notice["run"] = json!({
        "id": run, "status": "held", "started_at": null, "finished_at": null, "new": 1, "updated": 0, "unchanged": 0,
        "resolved": 0, "reopened": 0, "unreadable": 0,
    });
    notice["new_findings"] = json!({
        "severity": "high", "count": 1, "by_severity": [{"severity": "high", "count": 1}], "findings": [], "more": 1,
    });
    notice.to_string()
}

#[tokio::test]
async fn a_message_is_given_up_after_three_days_of_trying() {
    let world = World::new().await;
    let content = serde_json::to_string(&notice()).unwrap();
    world.receiver.refuse(404, "nobody");
    let early = world.delivers("a", &content, TimeDelta::days(2)).await;
    assert!(matches!(early, Outcome::Unavailable { .. }), "{early:?}");
    let late = world.delivers("b", &content, TimeDelta::days(4)).await;
    assert!(
        matches!(&late, Outcome::GivenUp { problem } if problem.contains("404 \"nobody\"")),
        "{late:?}"
    );
    // Late is better than never, if it is taken.
    world.receiver.accept();
    let taken = world.delivers("c", &content, TimeDelta::days(4)).await;
    assert_eq!(taken, Outcome::Delivered);
    let unknown = world.delivers("d", "{}", TimeDelta::zero()).await;
    assert!(matches!(unknown, Outcome::GivenUp { .. }), "{unknown:?}");
    assert_eq!(world.receiver.taken().len(), 1);
}

#[tokio::test]
async fn findings_of_one_run_are_told_once_though_it_is_announced_twice() {
    let world = World::new().await;
    let now = TimeDelta::zero();
    let held = found("first", 7, json!(["import_held", "new_findings"]));
    assert_eq!(world.delivers("a", &held, now).await, Outcome::Delivered);
    // The same notice again: somebody was killed before the first was remembered.
    assert_eq!(world.delivers("b", &held, now).await, Outcome::Delivered);
    assert_eq!(world.receiver.taken().len(), 2);
    // Accepted, the run is announced as complete.
    let accepted = found("second", 7, json!(["new_findings"]));
    assert_eq!(
        world.delivers("c", &accepted, now).await,
        Outcome::Delivered
    );
    assert_eq!(world.receiver.taken().len(), 2);
    // One of another number, whose digits begin alike, is another.
    let next = found("third", 70, json!(["new_findings"]));
    assert_eq!(world.delivers("d", &next, now).await, Outcome::Delivered);
    assert_eq!(world.receiver.taken().len(), 3);
}
