//! Texts as narrow readers take them.

/// The text without NUL (which databases refuse) and with at most `longest` characters.
pub(super) fn cut(text: &str, longest: usize) -> String {
    text.chars().filter(|c| *c != '\0').take(longest).collect()
}

/// The text without NUL.
pub(super) fn whole(text: &str) -> String {
    cut(text, usize::MAX)
}
