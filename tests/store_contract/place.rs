//! An empty store of each engine.

use std::sync::Arc;

use secpull::config::StoreUrl;
use secpull::store::{self, Store};
use tempfile::TempDir;

/// Where a store is. It is removed with this value.
pub(crate) struct Place {
    pub(crate) url: StoreUrl,
    _folder: TempDir,
}

/// A new place. A second engine is added here: by an environment variable that names its server.
pub(crate) fn make_place() -> Place {
    let folder = tempfile::tempdir().unwrap();
    Place {
        url: StoreUrl::Sqlite(folder.path().join("secpull.db")),
        _folder: folder,
    }
}

impl Place {
    /// Opens the store: each call is like another process.
    pub(crate) async fn open(&self) -> Arc<dyn Store> {
        store::open(&self.url).await.unwrap()
    }
}
