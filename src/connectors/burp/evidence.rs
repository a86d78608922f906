//! Requests and responses as they are kept: as text, without the credentials that can be told. They are live ones.

use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::query::operations::scan_issue_evidence::{
    ScanIssueEvidenceScanIssues as Row, ScanIssueEvidenceScanIssuesEvidence as Item, Segment,
};
use crate::connectors::html;
use crate::connectors::message::{Credentials, GAP};

/// The evidence of one issue.
#[derive(Debug)]
pub(super) struct Evidence {
    /// Method of its first request.
    pub(super) method: Option<String>,
    /// What is kept.
    pub(super) kept: Value,
}

/// The evidence of a row, with the serial number of its issue; none of a row that cannot be read.
pub(super) fn of(json: &RawValue) -> Option<(String, Evidence)> {
    let row: Row = serde_json::from_str(json.get()).ok()?;
    let messages: Vec<Message> = row
        .evidence
        .into_iter()
        .flatten()
        .flat_map(messages)
        .collect();
    let method = messages
        .iter()
        .find(|message| message.kind == "request")
        .and_then(|message| method(&message.text));
    let mut credentials = Credentials::default();
    let mut texts: Vec<(&str, Option<String>, String)> = Vec::new();
    for message in messages {
        let text = match message.kind {
            "description" => message.text,
            _ => credentials.take_out_of_message(&message.text),
        };
        texts.push((message.kind, message.title, text));
    }
    let kept = texts.into_iter().map(|(kind, title, text)| {
        let text = credentials.take_out(&text);
        match title {
            Some(title) => json!({"kind": kind, "title": title, "text": text}),
            None => json!({"kind": kind, "text": text}),
        }
    });
    let evidence = Evidence {
        method,
        kept: kept.collect(),
    };
    Some((row.serial_number, evidence))
}

struct Message {
    kind: &'static str,
    title: Option<String>,
    text: String,
}

fn messages(item: Item) -> Vec<Message> {
    let described = |title: &str, html: Option<String>| {
        let text = html.and_then(|html| html::to_markdown(&html));
        text.map(|text| Message {
            kind: "description",
            title: Some(title.to_owned()),
            text,
        })
    };
    match item {
        Item::Request(request) => vec![message("request", None, request.request_segments)],
        Item::Response(response) => vec![message("response", None, response.response_segments)],
        Item::HttpInteraction(interaction) => {
            let title = interaction.title;
            let description = described(&title, interaction.description_html);
            let request = message("request", Some(title.clone()), interaction.request);
            let response = message("response", Some(title), interaction.response);
            description.into_iter().chain([request, response]).collect()
        }
        Item::DescriptiveEvidence(evidence) => {
            described(&evidence.title, evidence.description_html)
                .into_iter()
                .collect()
        }
        // A sort of evidence that this version does not know.
        Item::Unknown => Vec::new(),
    }
}

/// Joins the pieces: a header may begin in one and end in the next.
fn message(
    kind: &'static str,
    title: Option<String>,
    segments: Option<Vec<Option<Segment>>>,
) -> Message {
    let mut text = String::new();
    for segment in segments.into_iter().flatten().flatten() {
        match segment {
            Segment::DataSegment(data) => {
                text.push_str(&unescape(&data.data_html.unwrap_or_default()))
            }
            Segment::HighlightSegment(data) => {
                text.push_str(&unescape(&data.highlight_html.unwrap_or_default()));
            }
            Segment::SnipSegment(snip) => {
                let length = snip.snip_length.unwrap_or(0);
                text.push_str(&format!("{GAP}{length} bytes left out by Burp]"));
            }
            Segment::Unknown => text.push_str(&format!("{GAP}a part of unknown sort]")),
        }
    }
    Message { kind, title, text }
}

/// The pieces are HTML-escaped once.
fn unescape(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&#x27;", "'")
        .replace("&amp;", "&")
}

fn method(request: &str) -> Option<String> {
    let word = request.split(' ').next()?;
    let is_method = (1..=16).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_uppercase());
    is_method.then(|| word.to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn kept(evidence: Value) -> (Evidence, String) {
        let row = json!({"serial_number": "7", "evidence": evidence}).to_string();
        let (serial, evidence) = of(&RawValue::from_string(row).unwrap()).unwrap();
        assert_eq!(serial, "7");
        let text = evidence.kept.to_string();
        (evidence, text)
    }

    #[test]
    fn credentials_are_taken_out_wherever_they_are_and_the_rest_is_kept() {
        let data = |text: &str| json!({"__typename": "DataSegment", "data_html": text});
        let (evidence, text) = kept(json!([
            {"__typename": "Request", "request_segments": [
                data("POST /login?api_key=key-in-the-url&amp;page=2 HTTP/1.1\r\nHost: shop.example.com\r\nCoo"),
                {"__typename": "HighlightSegment", "highlight_html": "kie: sid=cookie-value-1"},
                data("23; lang=en\r\nAuthorization: Bearer bearer-value-123\r\n\r\nuser=me&amp;password=hunter2&amp;x=1"),
            ]},
            {"__typename": "Response", "response_segments": [
                data("HTTP/1.1 200 OK\r\nSet-Cookie: sid=new-cookie-456; HttpOnly\r\nX: &lt;b&gt;\r\n\r\n{\"access_token\": \"tok-789-abc\", \"n\": 1} you sent cookie-value-123"),
                null,
                {"__typename": "SnipSegment", "snip_length": 500},
            ]},
            {"__typename": "FromTheFuture"},
        ]));
        assert_eq!(evidence.method.as_deref(), Some("POST"));
        for secret in [
            "key-in-the-url",
            "cookie-value",
            "bearer-value",
            "hunter2",
            "new-cookie",
            "tok-789",
        ] {
            assert!(!text.contains(secret), "{secret}: {text}");
        }
        for kept in [
            "page=2",
            "Host: shop.example.com",
            "user=me",
            "x=1",
            "X: <b>",
            "you sent ***",
            "500 bytes",
        ] {
            assert!(text.contains(kept), "{kept}: {text}");
        }
    }

    #[test]
    fn what_follows_a_gap_in_the_head_is_taken_out() {
        let (_, text) = kept(
            json!([{"__typename": "HttpInteraction", "title": "DNS", "description_html": "<b>seen</b>",
            "request": [
                {"__typename": "DataSegment", "data_html": "GET / HTTP/1.1\r\nCookie: a=first-part-of-it"},
                {"__typename": "SnipSegment", "snip_length": 9},
                {"__typename": "DataSegment", "data_html": "rest-of-a-cookie\r\nAccept: */*\r\n\r\n"},
            ], "response": null}]),
        );
        assert!(
            !text.contains("rest-of-a-cookie") && !text.contains("first-part"),
            "{text}"
        );
        assert!(
            text.contains("Accept: */*") && text.contains("**seen**"),
            "{text}"
        );
    }

    #[test]
    fn empty_and_missing_evidence_is_no_failure() {
        for evidence in [
            json!(null),
            json!([]),
            json!([{"__typename": "Request", "request_segments": null}]),
            json!([{"__typename": "Request", "request_segments": [{"__typename": "DataSegment", "data_html": null}]}]),
        ] {
            let (evidence, _) = kept(evidence);
            assert_eq!(evidence.method, None);
        }
    }
}
