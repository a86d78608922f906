//! Slack's Block Kit, within its limits (docs.slack.dev, reference of blocks and of text objects).

use serde_json::{Value, json};

use super::clean::{chunks, cut, one_line};
use super::escape::for_slack;
use super::{Notice, Templates, Words};

/// Longest text of a header, in characters.
const LONGEST_HEADER: usize = 150;

/// Longest text of a section, in characters.
const LONGEST_SECTION: usize = 3000;

/// Most blocks in a message.
const MOST_BLOCKS: usize = 50;

/// The body of an incoming webhook's request. The words stand in plain text objects, in which Slack looks for no markup; a
/// template's body is mrkdwn.
#[must_use]
pub fn slack_message(notice: &Notice, templates: &Templates) -> Value {
    let words = Words::of(notice);
    let title = match templates.subject(notice) {
        Some(subject) => cut(&one_line(&subject, LONGEST_HEADER), LONGEST_HEADER),
        None => fitted(&words.title, LONGEST_HEADER),
    };
    let mut blocks = vec![json!({"type": "header", "text": plain(&title)})];
    match templates.body(notice) {
        Some(body) => {
            let sections = chunks(&body, LONGEST_SECTION);
            blocks.extend(sections.into_iter().map(|text| {
                json!({"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": true}})
            }));
        }
        None => {
            let sections = chunks(&for_slack(&words.text()), LONGEST_SECTION);
            let section = |text: String| json!({"type": "section", "text": plain(&text)});
            blocks.extend(sections.into_iter().map(section));
        }
    }
    blocks.truncate(MOST_BLOCKS);
    json!({
        // What phones show, and readers of screens read.
        "text": title,
        "mrkdwn": false,
        "blocks": blocks,
        "unfurl_links": false,
        "unfurl_media": false,
    })
}

fn plain(text: &str) -> Value {
    json!({"type": "plain_text", "text": text, "emoji": false})
}

/// The text escaped, with at most `longest` characters, and no escape cut in two.
fn fitted(text: &str, longest: usize) -> String {
    let mut kept = longest;
    loop {
        let escaped = for_slack(&cut(text, kept));
        let over = escaped.chars().count().saturating_sub(longest);
        if over == 0 {
            return escaped;
        }
        // The longest escape is five characters: so many at most are won by one that goes.
        kept = kept.saturating_sub(over.div_ceil(5));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::super::{Flavour, samples};
    use super::*;

    fn own() -> Templates {
        Templates::none(Flavour::Slack)
    }

    fn check_limits(message: &Value) {
        let blocks = message["blocks"].as_array().unwrap();
        assert!((1..=50).contains(&blocks.len()));
        for block in blocks {
            let text = block["text"]["text"].as_str().unwrap();
            let longest = match block["type"].as_str().unwrap() {
                "header" => 150,
                "section" => 3000,
                other => panic!("{other}"),
            };
            let length = text.chars().count();
            assert!((1..=longest).contains(&length), "{length}: {text}");
        }
    }

    #[test]
    fn a_notice_is_a_header_and_sections_of_plain_text() {
        let message = slack_message(&samples::partial(), &own());
        check_limits(&message);
        assert_eq!(
            message["text"],
            "shop: import partial, 23 new findings at or above high (3 critical, 20 high)"
        );
        assert_eq!(message["blocks"][0]["text"]["text"], message["text"]);
        let text = message["blocks"][1]["text"]["text"].as_str().unwrap();
        assert!(text.contains("- critical: CVE-2021-44228: Log4Shell, log4j-core 2.14.1"));
        assert_eq!(message["blocks"][1]["text"]["type"], "plain_text");
    }

    #[test]
    fn hostile_words_neither_mention_nor_break_a_limit() {
        let mut notice = samples::partial();
        notice.api_configuration = "<&>".repeat(60);
        let new = notice.new_findings.as_mut().unwrap();
        new.findings[0].title = "<!channel> & <https://evil|click>".into();
        new.findings = vec![new.findings[0].clone(); 200];
        let message = slack_message(&notice, &own());
        check_limits(&message);
        let written = message.to_string();
        assert!(!written.contains("<!channel>") && !written.contains("<https"));
        assert!(written.contains("&lt;!channel&gt; &amp; &lt;https://evil|click&gt;"));
        let header = message["blocks"][0]["text"]["text"].as_str().unwrap();
        assert!(header.ends_with(";…"), "{header}");
    }

    #[test]
    fn a_template_replaces_title_and_body() {
        let templates = Templates::new(
            Flavour::Slack,
            Some("*{{ api_configuration }}*".into()),
            Some("*{{ events | join(', ') }}*\n{{ error }}".into()),
        )
        .unwrap();
        let message = slack_message(&samples::partial(), &templates);
        check_limits(&message);
        assert_eq!(message["text"], "*shop*");
        assert_eq!(
            message["blocks"][1]["text"]["text"],
            "*import_partial, new_findings*\nGET https://dtrack.example.com/api/v1/finding: 502 Bad Gateway"
        );
        assert_eq!(message["blocks"][1]["text"]["type"], "mrkdwn");
    }
}
