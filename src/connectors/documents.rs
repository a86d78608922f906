//! Documents of a vendor that many findings share (an advisory, say), kept between imports so that each is fetched once.

use std::fmt::Debug;

use async_trait::async_trait;

/// A vendor's text under the name that the vendor gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// The vendor's stable name of it.
    pub name: String,
    /// What changes whenever the text does: the time of its last change, a revision, an ETag.
    pub version: String,
    /// The text, without secrets.
    pub text: String,
}

/// Keeps documents between imports. A convenience: what is not found is fetched again, so nothing here can fail.
///
/// A `space` is what names are unique in: the connector's name, and where the documents come from.
#[async_trait]
pub trait Documents: Debug + Send + Sync {
    /// Those of these names that are kept, in whatever version; in any order.
    async fn find(&self, space: &str, names: Vec<String>) -> Vec<Document>;

    /// Keeps these, each in place of an earlier version.
    async fn keep(&self, space: &str, documents: Vec<Document>);
}

/// Keeps nothing: for a pull that no import stands behind.
#[derive(Debug, Clone, Copy)]
pub(super) struct Nowhere;

#[async_trait]
impl Documents for Nowhere {
    async fn find(&self, _space: &str, _names: Vec<String>) -> Vec<Document> {
        Vec::new()
    }

    async fn keep(&self, _space: &str, _documents: Vec<Document>) {}
}
