//! What connectors need of Markdown: the URLs in it.

/// The http and https URLs of a text, each once, in order: those of Markdown links, and bare ones.
pub(super) fn urls(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut rest = text;
    while let Some(start) = next_url(rest) {
        let tail = &rest[start..];
        let url = &tail[..end_of_url(tail)];
        if !found.iter().any(|known| known == url) {
            found.push(url.to_owned());
        }
        rest = &tail[url.len()..];
    }
    found
}

fn next_url(text: &str) -> Option<usize> {
    memchr::memmem::find_iter(text.as_bytes(), b"http").find(|at| {
        let scheme = &text[*at..];
        scheme.starts_with("http://") || scheme.starts_with("https://")
    })
}

/// A URL ends at white space or at a bracket that was not opened in it (`[url](url)`, `<url>`); a full stop or comma at its
/// end belongs to the sentence.
fn end_of_url(text: &str) -> usize {
    let mut open = 0_u32;
    let mut end = text.len();
    for (at, c) in text.char_indices() {
        match c {
            '(' => open += 1,
            ')' if open > 0 => open -= 1,
            ')' | ']' | '[' | '<' | '>' | '"' | '`' => {
                end = at;
                break;
            }
            c if c.is_whitespace() => {
                end = at;
                break;
            }
            _ => {}
        }
    }
    text[..end].trim_end_matches(['.', ',', ';', ':']).len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_links_gives_each_url_once() {
        let text = "* [https://example.com/a](https://example.com/a)\n* [b](http://example.com/b)\n* [A](https://example.com/a)";
        assert_eq!(
            urls(text),
            ["https://example.com/a", "http://example.com/b"]
        );
    }

    #[test]
    fn brackets_inside_a_url_belong_to_it() {
        assert_eq!(
            urls("see (https://example.com/wiki/Foo_(bar)), then <https://example.com>."),
            ["https://example.com/wiki/Foo_(bar)", "https://example.com"]
        );
    }

    #[test]
    fn text_without_urls_gives_none() {
        assert!(urls("javascript:alert(1) ftp://example.com").is_empty());
    }
}
