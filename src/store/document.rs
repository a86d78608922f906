/// A text of a vendor that imports keep for one another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredDocument {
    /// The vendor's name of it.
    pub name: String,
    /// The vendor's version of it.
    pub version: String,
    /// The text.
    pub text: String,
}
