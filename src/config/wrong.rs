//! What is wrong with a value, in words.

/// What is wrong with a value.
#[derive(Debug, PartialEq)]
pub(super) struct Wrong {
    pub(super) what: String,
    /// Which item of a list it is.
    pub(super) item: Option<usize>,
}

impl Wrong {
    pub(super) fn so<T>(what: impl Into<String>) -> Result<T, Self> {
        Err(Self {
            what: what.into(),
            item: None,
        })
    }

    pub(super) fn in_item(self, index: usize) -> Self {
        Self {
            item: Some(index),
            ..self
        }
    }
}

/// In quotation marks, on one line, and not too long of it.
pub(super) fn quoted(text: &str) -> String {
    const LONGEST: usize = 60;
    if text.chars().count() > LONGEST {
        let start: String = text.chars().take(LONGEST).collect();
        format!("{:?}", start + "…")
    } else {
        format!("{text:?}")
    }
}
