//! Where connectors keep their vendors' documents: in the store, beside the findings.

use std::sync::Arc;

use async_trait::async_trait;

use crate::connectors::{Document, Documents};
use crate::store::{RunId, Store, StoredDocument};

/// The documents of one run. Where the store fails it is as if nothing were kept: the run itself will meet the same failure.
pub(super) struct InStore {
    store: Arc<dyn Store>,
    run: RunId,
}

impl InStore {
    pub(super) fn new(store: &Arc<dyn Store>, run: RunId) -> Self {
        Self {
            store: Arc::clone(store),
            run,
        }
    }
}

impl std::fmt::Debug for InStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("InStore").field("run", &self.run).finish()
    }
}

#[async_trait]
impl Documents for InStore {
    async fn find(&self, space: &str, names: Vec<String>) -> Vec<Document> {
        let found = self.store.documents(space, names, self.store.now()).await;
        let found = found.unwrap_or_else(|error| {
            tracing::warn!(
                run = self.run,
                "documents kept earlier cannot be read: {error}"
            );
            Vec::new()
        });
        let own = |document: StoredDocument| Document {
            name: document.name,
            version: document.version,
            text: document.text,
        };
        found.into_iter().map(own).collect()
    }

    async fn keep(&self, space: &str, documents: Vec<Document>) {
        let stored = |document: Document| StoredDocument {
            name: document.name,
            version: document.version,
            text: document.text,
        };
        let documents = documents.into_iter().map(stored).collect();
        if let Err(error) = self
            .store
            .keep_documents(space, documents, self.store.now())
            .await
        {
            tracing::warn!(run = self.run, "documents cannot be kept: {error}");
        }
    }
}
