//! Microsoft Teams' Adaptive Cards, as the Workflows app takes them (learn.microsoft.com, "Create incoming webhooks with
//! Workflows for Microsoft Teams").

use serde_json::{Value, json};

use super::clean::{cut, one_line};
use super::{Notice, Templates, Words};

/// Largest request, in bytes of JSON. Teams' own limit is "about 28 KB" of a form that it makes of the card.
const LARGEST: usize = 20_000;

/// Longest title, in characters.
const LONGEST_TITLE: usize = 300;

/// The body of a request to a workflow. Text runs know no markup, so that no word links or mentions; a template's body is
/// a text block, with the Markdown of Adaptive Cards.
#[must_use]
pub fn teams_message(notice: &Notice, templates: &Templates) -> Value {
    let words = Words::of(notice);
    let title = match templates.subject(notice) {
        Some(subject) => one_line(&subject, LONGEST_TITLE),
        None => cut(&words.title, LONGEST_TITLE),
    };
    if let Some(body) = templates.body(notice) {
        let block = |longest| {
            let text = cut(&body, longest);
            vec![json!({"type": "TextBlock", "text": text, "wrap": true})]
        };
        return largest_that_fits(LARGEST, |longest| message(&title, block(longest)));
    }
    // Findings are what there can be too much of.
    largest_that_fits(words.findings.len(), |most| {
        message(&title, blocks(&words, most))
    })
}

fn blocks(words: &Words, most: usize) -> Vec<Value> {
    let facts = words.facts.iter().map(|(label, value)| {
        rich(&[
            json!({"type": "TextRun", "text": format!("{label}: "), "weight": "Bolder"}),
            run(value),
        ])
    });
    let findings = words.findings.iter().take(most);
    let findings = findings.map(|[severity, what, whereabouts]| {
        rich(&[
            json!({"type": "TextRun", "text": format!("{severity}: "), "weight": "Bolder"}),
            run(&format!("{what} ({whereabouts})")),
        ])
    });
    let mut blocks: Vec<Value> = facts.chain(findings).collect();
    let left_out = words.findings.len().saturating_sub(most);
    if left_out > 0 {
        blocks.push(rich(&[run(&format!(
            "{left_out} left out here, since the message would be too large"
        ))]));
    }
    if let Some(more) = &words.more {
        blocks.push(rich(&[run(more)]));
    }
    blocks
}

fn rich(inlines: &[Value]) -> Value {
    json!({"type": "RichTextBlock", "inlines": inlines})
}

fn run(text: &str) -> Value {
    json!({"type": "TextRun", "text": text})
}

fn message(title: &str, blocks: Vec<Value>) -> Value {
    let head = json!({
        "type": "RichTextBlock",
        "inlines": [{"type": "TextRun", "text": title, "weight": "Bolder", "size": "Large"}],
    });
    let body: Vec<Value> = std::iter::once(head).chain(blocks).collect();
    json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "contentUrl": null,
            "content": {
                "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                "type": "AdaptiveCard",
                "version": "1.4",
                "msteams": {"width": "Full"},
                "fallbackText": title,
                "body": body,
            },
        }],
    })
}

/// What `make` makes of the largest number up to `most` with which the message is not too large.
fn largest_that_fits(most: usize, make: impl Fn(usize) -> Value) -> Value {
    let fits = |number: usize| make(number).to_string().len() <= LARGEST;
    if fits(most) {
        return make(most);
    }
    let (mut fitting, mut too_large) = (0, most);
    while too_large - fitting > 1 {
        let middle = fitting + (too_large - fitting) / 2;
        if fits(middle) {
            fitting = middle;
        } else {
            too_large = middle;
        }
    }
    make(fitting)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::super::{Flavour, samples};
    use super::*;

    fn card(message: &Value) -> &Value {
        assert_eq!(message["type"], "message");
        let attachment = &message["attachments"][0];
        assert_eq!(
            attachment["contentType"],
            "application/vnd.microsoft.card.adaptive"
        );
        &attachment["content"]
    }

    fn texts(message: &Value) -> Vec<String> {
        let body = card(message)["body"].as_array().unwrap();
        let text = |block: &Value| {
            let runs = block["inlines"].as_array().unwrap();
            runs.iter()
                .map(|run| run["text"].as_str().unwrap())
                .collect()
        };
        body.iter().map(text).collect()
    }

    #[test]
    fn a_notice_is_a_card_of_text_runs() {
        let message = teams_message(&samples::partial(), &Templates::none(Flavour::Teams));
        assert_eq!(card(&message)["version"], "1.4");
        let texts = texts(&message);
        assert_eq!(
            texts[0],
            "shop: import partial, 23 new findings at or above high (3 critical, 20 high)"
        );
        assert_eq!(texts[1], "API configuration: shop (dependency-track)");
        let finding = "critical: CVE-2021-44228: Log4Shell, log4j-core 2.14.1 (Shop/checkout@main, finding 17)";
        assert!(texts.contains(&finding.to_owned()), "{texts:?}");
    }

    #[test]
    fn what_is_too_large_loses_findings_and_says_so() {
        let mut notice = samples::partial();
        let new = notice.new_findings.as_mut().unwrap();
        new.findings[0].title = "\"ä\"".repeat(60);
        new.findings = vec![new.findings[0].clone(); 100];
        let message = teams_message(&notice, &Templates::none(Flavour::Teams));
        let size = message.to_string().len();
        assert!((15_000..=LARGEST).contains(&size), "{size}");
        let told = texts(&message).join("\n");
        assert!(told.contains("left out here"), "{told}");
        assert!(told.contains("and 22 more: secpull findings"), "{told}");
    }

    #[test]
    fn a_template_of_any_length_fits() {
        let template = "{% for i in range(3000) %}{{ error }} **bold** {% endfor %}";
        let templates = Templates::new(Flavour::Teams, None, Some(template.into())).unwrap();
        let message = teams_message(&samples::partial(), &templates);
        let size = message.to_string().len();
        assert!((15_000..=LARGEST).contains(&size), "{size}");
        let block = &card(&message)["body"][1];
        assert_eq!(block["type"], "TextBlock");
        assert!(block["text"].as_str().unwrap().ends_with('…'));
    }
}
