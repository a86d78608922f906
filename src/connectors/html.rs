//! HTML of vendors as Markdown, and the links in it.

use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use htmd::element_handler::{HandlerResult, Handlers};
use htmd::options::Options;
use htmd::{Element, HtmlToMarkdown};

/// Longest HTML that is converted; what is beyond is cut off. Vendors' texts have some hundred kilobytes at most.
const MAX_BYTES: usize = 512 << 10;

/// HTML whose tags are nested deeper than this is not a text for people. Its conversion, which recurses, is not tried.
const MAX_DEPTH: usize = 200;

/// Elements whose content is not text, or nothing in Markdown.
const SKIPPED: &[&str] = &[
    "script", "style", "head", "title", "img", "iframe", "object", "svg", "input", "button",
];

/// Elements that are never closed.
const VOID: &[&str] = &["br", "hr", "img", "input", "wbr", "meta", "link", "col"];

static CONVERTER: LazyLock<HtmlToMarkdown> = LazyLock::new(|| {
    HtmlToMarkdown::builder()
        .options(Options {
            ul_bullet_spacing: 1,
            ol_number_spacing: 1,
            ..Options::default()
        })
        .skip_tags(SKIPPED.to_vec())
        .add_handler(vec!["a"], link)
        .build()
});

/// The HTML as Markdown; nothing if no text is in it. Links other than to http and https are left out, their text stays.
pub(super) fn to_markdown(html: &str) -> Option<String> {
    let html = cut(html);
    let text = if depth(html) > MAX_DEPTH {
        without_tags(html)
    } else {
        // It reads from memory, and takes whatever it finds for HTML.
        CONVERTER.convert(html).ok()?
    };
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// Where the http and https links of the HTML lead, unescaped, each once, in order.
pub(super) fn links(html: &str) -> Vec<String> {
    let html = cut(html);
    if depth(html) > MAX_DEPTH {
        return Vec::new();
    }
    let found = Arc::new(Mutex::new(Vec::new()));
    let collected = Arc::clone(&found);
    let converter = HtmlToMarkdown::builder()
        .add_handler(vec!["a"], move |_: &dyn Handlers, element: Element<'_>| {
            let mut found = collected.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(url) = web_address(&element)
                && !found.contains(&url)
            {
                found.push(url);
            }
            None
        })
        .build();
    // It reads from memory, and takes whatever it finds for HTML.
    let _ = converter.convert(html);
    std::mem::take(&mut *found.lock().unwrap_or_else(PoisonError::into_inner))
}

fn link(handlers: &dyn Handlers, element: Element<'_>) -> Option<HandlerResult> {
    if web_address(&element).is_some() {
        handlers.fallback(element)
    } else {
        Some(handlers.walk_children(element.node))
    }
}

fn web_address(element: &Element<'_>) -> Option<String> {
    let href = element.attrs.iter().find(|a| &*a.name.local == "href")?;
    let href = href.value.trim();
    ["http://", "https://"]
        .iter()
        .any(|scheme| {
            href.get(..scheme.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(scheme))
        })
        .then(|| href.to_owned())
}

fn cut(html: &str) -> &str {
    let mut end = html.len().min(MAX_BYTES);
    while !html.is_char_boundary(end) {
        end -= 1;
    }
    &html[..end]
}

/// How deep tags are nested at most; too much where closing tags are left out.
fn depth(html: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    for (at, _) in html.match_indices('<') {
        let tail = &html[at + 1..];
        if tail.starts_with('/') {
            depth = depth.saturating_sub(1);
        } else if tail.starts_with(|c: char| c.is_ascii_alphabetic()) {
            let name = tail.split(|c: char| !c.is_ascii_alphanumeric()).next();
            let is_void =
                name.is_some_and(|name| VOID.iter().any(|v| v.eq_ignore_ascii_case(name)));
            depth += usize::from(!is_void);
            deepest = deepest.max(depth);
        }
    }
    deepest
}

fn without_tags(html: &str) -> String {
    let mut text = String::new();
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        text.push_str(&rest[..start]);
        let end = rest[start..]
            .find('>')
            .map_or(rest.len(), |end| start + end + 1);
        rest = &rest[end..];
    }
    text.push_str(rest);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn html_becomes_markdown_and_stays_what_it_says() {
        assert_eq!(
            to_markdown("The <b>id</b> parameter: <code>a_b</code> &lt;script&gt;.<br>Second line.<ul><li>one</li><li>two</li></ul>")
                .as_deref(),
            Some("The **id** parameter: `a_b` \\<script>.  \nSecond line.\n\n* one\n* two")
        );
        assert_eq!(to_markdown("plain, 5 < 6").as_deref(), Some("plain, 5 < 6"));
    }

    #[test]
    fn html_without_text_is_nothing() {
        for html in [
            "",
            "  ",
            "<div> </div>",
            "<script>alert(1)</script><style>p{}</style>",
            "<img src=x>",
        ] {
            assert_eq!(to_markdown(html), None, "{html}");
        }
    }

    #[test]
    fn only_links_to_the_web_stay_links() {
        let html = r#"<a href="https://e.com/?a=1&amp;b=2">one</a> <a href="javascript:alert(1)">two</a> <a>three</a> <a href="https://e.com/?a=1&amp;b=2">again</a>"#;
        assert_eq!(links(html), ["https://e.com/?a=1&b=2"]);
        let markdown = to_markdown(html).unwrap_or_default();
        assert!(
            markdown.contains("[one](https://e.com/?a=1&b=2) two three"),
            "{markdown}"
        );
        assert!(!markdown.contains("javascript"), "{markdown}");
    }

    #[test]
    fn hostile_html_is_neither_slow_nor_the_end() {
        let deep = format!("{}text", "<div>".repeat(1 << 20));
        assert_eq!(links(&deep), Vec::<String>::new());
        assert_eq!(to_markdown(&deep), None, "cut before the text");
        let deep = format!("{}text", "<div>".repeat(10_000));
        assert_eq!(to_markdown(&deep).as_deref(), Some("text"));
        assert!(to_markdown(&"é".repeat(MAX_BYTES)).is_some());
    }
}
