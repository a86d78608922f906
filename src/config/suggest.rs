//! "Did you mean …?"

/// The word that somebody may have meant, if one is close.
pub(super) fn closest<'a>(
    wrong: &str,
    words: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    // Two slips in six letters are still close: `prodct`, `loction`, `tool` for `tools`.
    within(0.65, wrong, words)
}

/// The word that somebody surely meant, where other words are possible too.
pub(super) fn misspelt<'a>(
    wrong: &str,
    words: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    within(0.8, wrong, words)
}

fn within<'a>(
    similarity: f64,
    wrong: &str,
    words: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let wrong = wrong.to_lowercase();
    words
        .into_iter()
        .map(|word| (strsim::normalized_damerau_levenshtein(&wrong, word), word))
        .filter(|(similar, _)| *similar >= similarity)
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_, word)| word)
}
