//! An empty store of the SQLite engine.

use std::sync::Arc;

use secpull::config::StoreUrl;
use secpull::store::{self, Store};
use tempfile::TempDir;

/// How many random histories are tried: a file is quick.
pub(crate) const CASES: u32 = 48;

/// Where a store is. It is removed with this value.
pub(crate) struct Place {
    pub(crate) url: StoreUrl,
    _folder: TempDir,
}

/// A new place.
pub(crate) async fn make_place() -> Place {
    let folder = tempfile::tempdir().unwrap();
    Place {
        url: StoreUrl::Sqlite(folder.path().join("secpull.db")),
        _folder: folder,
    }
}

/// The same place, named by a text that another process can be given.
pub(crate) fn name(url: &StoreUrl) -> String {
    match url {
        StoreUrl::Sqlite(path) => path.display().to_string(),
        StoreUrl::Postgres(_) => unreachable!("places of this engine are files"),
    }
}

/// The place of this name.
pub(crate) fn named(name: &str) -> StoreUrl {
    StoreUrl::Sqlite(name.into())
}

impl Place {
    /// Opens the store: each call is like another process.
    pub(crate) async fn open(&self) -> Arc<dyn Store> {
        store::open(&self.url).await.unwrap()
    }
}
