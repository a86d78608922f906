/// A word that is not one of those allowed; the message lists them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown word {word:?}; allowed: {allowed}")]
pub struct UnknownWord {
    word: String,
    allowed: String,
}

impl UnknownWord {
    pub(super) fn new(word: &str, allowed: &[&str]) -> Self {
        Self {
            word: word.to_owned(),
            allowed: allowed.join(", "),
        }
    }
}
