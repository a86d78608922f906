//! Vendors' documents, kept for the next import.

use secpull::store::StoredDocument;

use crate::world::{World, day};

fn document(name: &str, version: &str) -> StoredDocument {
    StoredDocument {
        name: name.to_owned(),
        version: version.to_owned(),
        // Long enough to be worth compressing, and not ASCII alone.
        text: format!(
            "{{\"id\":\"{name}\",\"modified\":\"{version}\",\"é\":\"{}\"}}",
            "x".repeat(5000)
        ),
    }
}

impl World {
    async fn keep(&self, space: &str, at: i64, documents: &[StoredDocument]) {
        let documents = documents.to_vec();
        self.store
            .keep_documents(space, documents, day(at))
            .await
            .unwrap();
    }

    async fn find(&self, space: &str, at: i64, names: &[&str]) -> Vec<StoredDocument> {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        let mut found = self.store.documents(space, names, day(at)).await.unwrap();
        found.sort_by(|a, b| a.name.cmp(&b.name));
        found
    }
}

#[tokio::test]
async fn documents_are_found_by_space_and_name_also_by_another_process() {
    let world = World::new().await;
    let (a, b) = (document("A", "1"), document("B", "1"));
    world.keep("osv", 1, &[a.clone(), b.clone()]).await;
    assert_eq!(world.find("osv", 1, &["B", "C", "A"]).await, [a.clone(), b]);
    assert!(world.find("other", 1, &["A"]).await.is_empty());
    assert!(world.find("osv", 1, &[]).await.is_empty());
    assert!(
        world.find("osv", 1, &["a"]).await.is_empty(),
        "names are case-sensitive"
    );
    let other = world.place.open().await;
    let found = other.documents("osv", vec!["A".to_owned()], day(1)).await;
    assert_eq!(found.unwrap(), [a]);
}

#[tokio::test]
async fn a_document_takes_the_place_of_its_earlier_version() {
    let world = World::new().await;
    world.keep("osv", 1, &[document("A", "1")]).await;
    world.keep("other", 1, &[document("A", "1")]).await;
    world.keep("osv", 1, &[document("A", "2")]).await;
    assert_eq!(world.find("osv", 1, &["A"]).await, [document("A", "2")]);
    assert_eq!(world.find("other", 1, &["A"]).await, [document("A", "1")]);
}

#[tokio::test]
async fn what_was_not_used_for_long_is_forgotten_and_what_was_read_is_used() {
    let world = World::new().await;
    world
        .keep("osv", 1, &[document("A", "1"), document("B", "1")])
        .await;
    assert_eq!(world.store.forget_documents(day(1)).await.unwrap(), 0);
    world.find("osv", 20, &["A"]).await;
    assert_eq!(world.store.forget_documents(day(15)).await.unwrap(), 1);
    assert_eq!(
        world.find("osv", 20, &["A", "B"]).await,
        [document("A", "1")]
    );
    assert_eq!(world.store.forget_documents(day(21)).await.unwrap(), 1);
    assert!(world.find("osv", 21, &["A"]).await.is_empty());
}
