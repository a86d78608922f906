//! Rules: what they say of the weakness, and how to mend it.

use crate::connectors::html;
use crate::connectors::lenient::{List, Object, Text};

/// Sections that describe the weakness, in their order; the others are how to fix it, and where to read on.
const DESCRIBING: &[&str] = &["introduction", "root_cause", "assess_the_problem"];

const FIXING: &str = "how_to_fix";

const RESOURCES: &str = "resources";

/// A rule's texts as Markdown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Rule {
    /// Known where only the hotspot tells it.
    pub(super) key: Option<String>,
    pub(super) name: Option<String>,
    pub(super) description: Option<String>,
    fixes: Vec<Fix>,
    pub(super) cwes: Vec<u32>,
    pub(super) references: Vec<String>,
}

/// How to fix it, in general or with one framework.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Fix {
    context: Option<String>,
    heading: Option<String>,
    text: String,
}

#[derive(Default, serde::Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Row<'a> {
    #[serde(borrow)]
    key: Text<'a>,
    name: Text<'a>,
    html_desc: Text<'a>,
    md_desc: Text<'a>,
    description_sections: List<Object<Section<'a>>>,
    security_standards: List<Text<'a>>,
    // Of a hotspot's rule, in servers before 9.7.
    risk_description: Text<'a>,
    vulnerability_description: Text<'a>,
    fix_recommendations: Text<'a>,
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct Section<'a> {
    #[serde(borrow)]
    key: Text<'a>,
    content: Text<'a>,
    context: Object<Context<'a>>,
}

#[derive(Default, serde::Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Context<'a> {
    #[serde(borrow)]
    key: Text<'a>,
    display_name: Text<'a>,
}

impl Rule {
    /// Reads the object of a rule, of `rules/show`, `rules/search` or a hotspot.
    ///
    /// # Errors
    /// It is no JSON.
    pub(super) fn parse(json: &str) -> Result<Self, String> {
        let Object(row) = serde_json::from_str::<Object<Row<'_>>>(json)
            .map_err(|error| format!("a rule cannot be read: {error}"))?;
        let sections = |key: &'static str| {
            let sections = row.description_sections.0.iter().map(|section| &section.0);
            sections.filter(move |section| section.key.as_str() == Some(key))
        };
        let describing = DESCRIBING.iter().flat_map(|key| sections(key));
        let hotspot = [&row.risk_description, &row.vulnerability_description];
        let texts = describing.map(|section| &section.content).chain(hotspot);
        let texts: Vec<_> = texts.filter_map(markdown).collect();
        let description = match texts.is_empty() {
            true => markdown(&row.html_desc).or_else(|| markdown_of_either(&row.md_desc)),
            false => Some(texts.join("\n\n")),
        };
        let fixes = sections(FIXING).filter_map(|section| {
            Some(Fix {
                context: section.context.0.key.to_owned(),
                heading: section.context.0.display_name.to_owned(),
                text: markdown(&section.content)?,
            })
        });
        let fix_of_hotspot = markdown(&row.fix_recommendations).map(|text| Fix {
            context: None,
            heading: None,
            text,
        });
        let resources: Vec<_> = sections(RESOURCES)
            .filter_map(|section| section.content.as_str())
            .collect();
        let elsewhere = [&row.html_desc, &row.md_desc, &row.vulnerability_description];
        let elsewhere = elsewhere.into_iter().filter_map(|text| text.as_str());
        let sources: Vec<_> = resources.iter().copied().chain(elsewhere).collect();
        let mut cwes = of_standards(&row.security_standards);
        if cwes.is_empty() {
            let found = sources.iter().map(|text| cwes_in(text));
            cwes = found
                .into_iter()
                .find(|cwes| !cwes.is_empty())
                .unwrap_or_default();
        }
        let references = match resources.is_empty() {
            true => row.html_desc.as_str().map(html::links).unwrap_or_default(),
            false => resources
                .iter()
                .flat_map(|text| html::links(text))
                .collect(),
        };
        Ok(Self {
            key: row.key.to_owned(),
            name: row.name.to_owned(),
            description,
            fixes: fixes.chain(fix_of_hotspot).collect(),
            cwes,
            references,
        })
    }

    /// How to fix it where the context is known, else in every context.
    pub(super) fn recommendation(&self, context: Option<&str>) -> Option<String> {
        let of_context = |fix: &&Fix| context.is_some() && fix.context.as_deref() == context;
        let chosen: Vec<_> = self.fixes.iter().filter(of_context).collect();
        let texts: Vec<_> = match chosen.is_empty() {
            false => chosen.iter().map(|fix| fix.text.clone()).collect(),
            true => self.fixes.iter().map(Fix::with_heading).collect(),
        };
        (!texts.is_empty()).then(|| texts.join("\n\n"))
    }
}

impl Fix {
    fn with_heading(&self) -> String {
        match &self.heading {
            Some(heading) => format!("### {heading}\n\n{}", self.text),
            None => self.text.clone(),
        }
    }
}

/// Of HTML.
fn markdown(text: &Text<'_>) -> Option<String> {
    html::to_markdown(text.as_str()?)
}

/// Of `mdDesc`, which is Markdown or HTML.
fn markdown_of_either(text: &Text<'_>) -> Option<String> {
    match text.as_str()?.contains("</") {
        true => markdown(text),
        false => text.to_owned(),
    }
}

fn of_standards(standards: &List<Text<'_>>) -> Vec<u32> {
    let standards = standards.0.iter().filter_map(|standard| standard.as_str());
    let numbers = standards.filter_map(|standard| standard.trim().strip_prefix("cwe:"));
    numbers.filter_map(|number| number.parse().ok()).collect()
}

/// The numbers of `CWE-89` in a text, each once, in order.
fn cwes_in(text: &str) -> Vec<u32> {
    let mut cwes = Vec::new();
    for (at, _) in text.match_indices("CWE-") {
        let rest = &text[at + "CWE-".len()..];
        let end = rest.find(|c: char| !c.is_ascii_digit());
        let digits = &rest[..end.unwrap_or(rest.len())];
        if let Ok(cwe) = digits.parse()
            && cwe > 0
            && !cwes.contains(&cwe)
        {
            cwes.push(cwe);
        }
    }
    cwes
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;

    fn rule(json: &serde_json::Value) -> Rule {
        Rule::parse(&json.to_string()).unwrap()
    }

    #[test]
    fn sections_become_description_recommendation_references_and_cwes() {
        let rule = rule(&json!({
            "key": "java:S3649", "name": "Queries should not be open to injection",
            "htmlDesc": "<p>not used</p>",
            "descriptionSections": [
                {"key": "resources", "content": "<ul><li>CWE - <a href=\"https://cwe.mitre.org/data/definitions/89\">CWE-89 - SQL Injection</a></li><li>CWE-20</li><li>CWE-89</li></ul>"},
                {"key": "how_to_fix", "content": "<p>Use <code>bind</code>.</p>", "context": {"key": "jdbc", "displayName": "JDBC"}},
                {"key": "root_cause", "content": "<p>Input is trusted.</p>"},
                {"key": "introduction", "content": "<p>About queries.</p>"},
                {"key": "how_to_fix", "content": "<p>Use criteria.</p>", "context": {"key": "jpa", "displayName": "JPA"}},
                {"key": "somewhere_else", "content": "<p>unknown</p>"}
            ]
        }));
        assert_eq!(
            rule.description.as_deref(),
            Some("About queries.\n\nInput is trusted.")
        );
        assert_eq!(rule.recommendation(Some("jdbc")).unwrap(), "Use `bind`.");
        let all = "### JDBC\n\nUse `bind`.\n\n### JPA\n\nUse criteria.";
        assert_eq!(rule.recommendation(None).unwrap(), all);
        assert_eq!(rule.recommendation(Some("spring")).unwrap(), all);
        assert_eq!(rule.cwes, [89, 20]);
        assert_eq!(
            rule.references,
            ["https://cwe.mitre.org/data/definitions/89"]
        );
    }

    #[test]
    fn standards_win_over_texts_and_other_standards_are_passed_over() {
        let read = rule(&json!({
            "securityStandards": ["cwe:476", "owaspTop10:a1", "cwe:x", 7], "htmlDesc": "<p>CWE-1</p>"
        }));
        assert_eq!(read.cwes, [476]);
        let read =
            rule(&json!({"securityStandards": [], "htmlDesc": "<p>See CWE-1, CWE-0, CWE-</p>"}));
        assert_eq!(read.cwes, [1]);
        let read = rule(&json!({"mdDesc": "CWE-7 in a plain *text*"}));
        assert_eq!(read.cwes, [7]);
        assert_eq!(read.description.as_deref(), Some("CWE-7 in a plain *text*"));
    }

    #[test]
    fn an_old_rule_has_one_html_text_and_a_hotspots_rule_three() {
        let read = rule(&json!({"htmlDesc": "<p>All of it.</p><a href=\"https://e.com/a\">a</a>"}));
        assert!(read.description.unwrap().starts_with("All of it."));
        assert_eq!(read.references, ["https://e.com/a"]);
        let read = rule(&json!({
            "key": "java:S2068", "riskDescription": "<p>Risk.</p>", "vulnerabilityDescription": "<p>Ask, CWE-798.</p>",
            "fixRecommendations": "<p>Fix.</p>"
        }));
        assert_eq!(read.key.as_deref(), Some("java:S2068"));
        assert_eq!(read.description.as_deref(), Some("Risk.\n\nAsk, CWE-798."));
        assert_eq!(read.recommendation(None).as_deref(), Some("Fix."));
        assert_eq!(read.cwes, [798]);
    }

    #[test]
    fn a_rule_of_wrong_types_is_a_rule_without_texts() {
        let read = rule(&json!({
            "name": 3, "descriptionSections": "none", "htmlDesc": [], "securityStandards": {}
        }));
        assert_eq!(read, Rule::default());
        assert_eq!(rule(&json!(null)), Rule::default());
        assert!(Rule::parse("{").is_err());
    }
}
