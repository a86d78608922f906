//! Templates in place of a message's own words, in the language of Jinja.

use minijinja::value::{Serde, Value};
use minijinja::{AutoEscape, Environment, UndefinedBehavior};
use serde::Serialize;

use super::clean::one_line;
use super::escape::{for_slack, for_teams};
use super::{Notice, Words, samples};

/// Whom a template writes for: how values are escaped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flavour {
    /// Plain text: e-mail.
    Text,
    /// Slack's mrkdwn: `&`, `<` and `>` are escaped, so that no value links or mentions.
    Slack,
    /// The Markdown of Adaptive Cards: every mark is escaped.
    Teams,
    /// JSON: a value is written as JSON, quotation marks and all.
    Json,
}

/// Templates that were tried on a notice of each sort.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Templates {
    flavour: Flavour,
    subject: Option<String>,
    body: Option<String>,
}

/// What is wrong with a template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{what}", line.map(|line| format!("line {line}: ")).unwrap_or_default())]
pub struct TemplateFault {
    /// Whether it is the subject's; else the body's.
    pub of_subject: bool,
    /// Line in the template, from 1.
    pub line: Option<usize>,
    /// In words.
    pub what: String,
}

/// A template that takes more steps writes no message, but goes round in circles.
const MOST_STEPS: u64 = 1_000_000;

/// Longest words about a fault, in characters.
const LONGEST_FAULT: usize = 300;

/// What a template can name.
#[derive(Serialize)]
struct Context<'a> {
    #[serde(flatten)]
    notice: &'a Notice,
    title: &'a str,
    text: &'a str,
}

impl Templates {
    /// None: the message has its own words.
    #[must_use]
    pub fn none(flavour: Flavour) -> Self {
        Self {
            flavour,
            subject: None,
            body: None,
        }
    }

    /// Tries the templates on a notice of each sort.
    ///
    /// # Errors
    /// What is wrong with the first that does not work.
    pub fn new(
        flavour: Flavour,
        subject: Option<String>,
        body: Option<String>,
    ) -> Result<Self, TemplateFault> {
        let templates = Self {
            flavour,
            subject,
            body,
        };
        for notice in samples::one_of_each() {
            for of_subject in [true, false] {
                templates
                    .rendered(of_subject, &notice)
                    .map_err(|(line, what)| TemplateFault {
                        of_subject,
                        line,
                        what,
                    })?;
            }
        }
        Ok(templates)
    }

    /// The subject after its template, if there is one, on one line.
    pub(super) fn subject(&self, notice: &Notice) -> Option<String> {
        self.render(true, notice)
    }

    /// The body after its template, if there is one.
    pub(super) fn body(&self, notice: &Notice) -> Option<String> {
        self.render(false, notice)
    }

    fn render(&self, of_subject: bool, notice: &Notice) -> Option<String> {
        match self.rendered(of_subject, notice) {
            Ok(text) => text.filter(|text| !text.trim().is_empty()),
            // What was tried on samples can still fail on a notice like none of them: better told in other words than not.
            Err((_, what)) => {
                tracing::warn!("a template of a notification does not work: {what}");
                None
            }
        }
    }

    fn rendered(
        &self,
        of_subject: bool,
        notice: &Notice,
    ) -> Result<Option<String>, (Option<usize>, String)> {
        let source = if of_subject {
            &self.subject
        } else {
            &self.body
        };
        let Some(source) = source else {
            return Ok(None);
        };
        // A subject is a text, whatever the body is.
        let flavour = match (self.flavour, of_subject) {
            (Flavour::Json, true) => Flavour::Text,
            (flavour, _) => flavour,
        };
        let words = Words::of(notice);
        let context = Context {
            notice,
            title: &words.title,
            text: &words.text(),
        };
        let text = environment(flavour)
            .render_str(source, Value::from(Serde(&context)))
            .map_err(|error| (error.line(), in_words(&error)))?;
        if flavour == Flavour::Json
            && let Err(error) = serde_json::from_str::<serde_json::Value>(&text)
        {
            return Err((None, format!("does not make JSON: {error}")));
        }
        Ok(Some(text))
    }
}

fn environment(flavour: Flavour) -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(MOST_STEPS));
    match flavour {
        Flavour::Json => environment.set_auto_escape_callback(|_| AutoEscape::Json),
        Flavour::Text | Flavour::Slack | Flavour::Teams => {
            environment.set_formatter(move |out, _, value| {
                if value.is_none() {
                    return Ok(());
                }
                let text = value.to_string();
                let text = match flavour {
                    _ if value.is_safe() => text,
                    Flavour::Slack => for_slack(&text),
                    Flavour::Teams => for_teams(&text),
                    Flavour::Text | Flavour::Json => text,
                };
                out.write_str(&text).map_err(minijinja::Error::from)
            });
        }
    }
    environment
}

/// The error without the library's own name for its sort.
fn in_words(error: &minijinja::Error) -> String {
    let words = match error.detail() {
        Some(detail) => detail.to_owned(),
        None => error.kind().to_string(),
    };
    one_line(&words, LONGEST_FAULT)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn hostile() -> Notice {
        let mut notice = samples::partial();
        let new = notice.new_findings.as_mut().unwrap();
        new.findings[0].title = "<!channel> [x](http://evil) \"&{{ error }}".into();
        notice
    }

    const TITLE: &str = "{{ new_findings.findings[0].title if new_findings else title }}";

    #[test]
    fn values_are_escaped_for_whom_they_are_written() {
        for (flavour, expected) in [
            (Flavour::Text, "<!channel> [x](http://evil) \"&{{ error }}"),
            (
                Flavour::Slack,
                "&lt;!channel&gt; [x](http://evil) \"&amp;{{ error }}",
            ),
            (
                Flavour::Teams,
                "\\<!channel\\> \\[x\\]\\(http://evil\\) \"&{{ error }}",
            ),
            (
                Flavour::Json,
                "\"<!channel> [x](http://evil) \\\"&{{ error }}\"",
            ),
        ] {
            let templates = Templates::new(flavour, None, Some(TITLE.into())).unwrap();
            let body = templates.body(&hostile()).unwrap();
            assert_eq!(body, expected, "{flavour:?}");
        }
    }

    #[test]
    fn an_absent_value_is_written_as_nothing_or_as_null() {
        let body = |flavour| {
            let templates = Templates::new(flavour, None, Some("[{{ error }}]".into())).unwrap();
            let mut notice = hostile();
            notice.error = None;
            templates.body(&notice)
        };
        assert_eq!(body(Flavour::Text).as_deref(), Some("[]"));
        assert_eq!(body(Flavour::Json).as_deref(), Some("[null]"));
    }

    #[test]
    fn what_would_fail_on_some_notice_is_told_beforehand() {
        let fault = |flavour, subject: Option<&str>, body: Option<&str>| {
            Templates::new(flavour, subject.map(Into::into), body.map(Into::into))
                .unwrap_err()
                .to_string()
        };
        let text = |body| fault(Flavour::Text, None, Some(body));
        assert!(text("one\n{{ titel }}").starts_with("line 2: "));
        // There are notices without a run.
        assert!(text("{{ run.id }}").starts_with("line 1: "));
        assert!(text("{% if run %}").starts_with("line 1: "));
        assert!(text("{{ title | shout }}").contains("shout"));
        let endless =
            "{% for i in range(9999) %}{% for j in range(9999) %}{% endfor %}{% endfor %}";
        assert!(text(endless).starts_with("line 1: "));
        assert!(
            fault(Flavour::Json, None, Some("{\"text\": \"{{ title }}\"}"))
                .starts_with("does not make JSON")
        );
        let subject = Templates::new(Flavour::Text, Some("{{ nobody }}".into()), None).unwrap_err();
        assert!(subject.of_subject);
    }
}
