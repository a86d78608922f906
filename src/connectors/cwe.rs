//! CWE numbers in what vendors write about a weakness.

/// The numbers behind `CWE-`, each once, in order.
pub(super) fn numbers(text: &str) -> Vec<u32> {
    let mut found = Vec::new();
    for (at, word) in text.match_indices("CWE-") {
        let inside_a_word = text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
        let digits = text[at + word.len()..]
            .split(|c: char| !c.is_ascii_digit())
            .next();
        if let Some(Ok(number)) = digits.map(str::parse)
            && !inside_a_word
            && !found.contains(&number)
        {
            found.push(number);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_wherever_they_stand_each_once() {
        let html = "<a href=\"/79.html\">CWE-79: XSS</a> (CWE-79), CWE-116 and CWE-99999999999";
        assert_eq!(numbers(html), [79, 116]);
        assert_eq!(numbers("CWE-89: SQL Injection"), [89]);
        assert!(numbers("XCWE-1, CWE-, CWE 7").is_empty());
    }
}
