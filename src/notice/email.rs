//! A notice as an e-mail of plain text.

use super::clean::one_line;
use super::{Notice, Templates, Words};

/// Longest subject, in characters.
const LONGEST_SUBJECT: usize = 200;

/// Subject, of one line, and text.
#[must_use]
pub fn email_message(notice: &Notice, templates: &Templates) -> (String, String) {
    let words = Words::of(notice);
    let subject = match templates.subject(notice) {
        Some(subject) => subject,
        None => format!("[secpull] {}", words.title),
    };
    let body = match templates.body(notice) {
        Some(body) => body,
        None => format!("{}\n\n{}\n", words.title, words.text()),
    };
    // A line that is a dot alone would end the message; whoever sends it sees to that. Other control characters are nobody's.
    let body = body
        .chars()
        .filter(|c| !c.is_control() || matches!(c, '\n' | '\t'))
        .collect();
    (one_line(&subject, LONGEST_SUBJECT), body)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::super::{Flavour, samples};
    use super::*;

    #[test]
    fn a_subject_is_one_line_whatever_is_in_it() {
        let templates = Templates::new(
            Flavour::Text,
            Some("{{ error }}\r\nBcc: everyone@example.com".into()),
            None,
        )
        .unwrap();
        let mut notice = samples::partial();
        notice.error = Some("502\r\nTo: somebody@example.com".into());
        let (subject, body) = email_message(&notice, &templates);
        assert_eq!(
            subject,
            "502 To: somebody@example.com Bcc: everyone@example.com"
        );
        assert!(!body.contains('\r'));
        let (subject, body) = email_message(&samples::partial(), &Templates::none(Flavour::Text));
        assert_eq!(
            subject,
            "[secpull] shop: import partial, 23 new findings at or above high (3 critical, 20 high)"
        );
        assert!(body.starts_with("shop: import partial"), "{body}");
        assert!(
            body.contains("- critical: CVE-2021-44228: Log4Shell"),
            "{body}"
        );
    }
}
