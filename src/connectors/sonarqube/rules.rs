//! The rules that a run has met: each is fetched once, a few at the same time.

use std::collections::{BTreeSet, HashMap};

use futures_util::future::BoxFuture;
use futures_util::{FutureExt, StreamExt, stream};

use serde_json::value::RawValue;

use super::api::{Api, explain, refused, with};
use super::rule::Rule;
use crate::connectors::ConnectorError;
use crate::connectors::lenient::Text;
use crate::http::HttpErrorKind;

/// So many are fetched at the same time at most; Cloud asks for moderation (contract 7).
const AT_ONCE: usize = 4;

/// What is asked of rules on Cloud. The list names what is sent beside key and type.
const RULE_FIELDS: &str = "name,htmlDesc,descriptionSections,securityStandards";

/// A request for a rule, not yet sent, with the key that it is known by. Boxed, because the compiler does not find futures that
/// borrow from one another fit for other threads.
type Asked<'a> = BoxFuture<'a, (String, Result<Option<Rule>, ConnectorError>)>;

fn by_key<'a>(api: &'a Api<'_>, key: String) -> Asked<'a> {
    async move {
        let rule = self::rule(api, &key).await;
        (key, rule)
    }
    .boxed()
}

fn by_hotspot<'a>(api: &'a Api<'_>, key: String) -> Asked<'a> {
    async move {
        let rule = rule_of_hotspot(api, &key).await;
        (key, rule)
    }
    .boxed()
}

/// What is known of rules. Texts are an extra: that they cannot be had never fails an import.
pub(super) struct Rules {
    wanted: bool,
    /// None of those that the tool does not have.
    known: HashMap<String, Option<Rule>>,
    /// Why no more are fetched, and whether that was told.
    given_up: Option<(String, bool)>,
}

impl Rules {
    pub(super) fn new(wanted: bool) -> Self {
        Self {
            wanted,
            known: HashMap::new(),
            given_up: None,
        }
    }

    pub(super) fn get(&self, key: &str) -> Option<&Rule> {
        self.known.get(key)?.as_ref()
    }

    /// Fetches those of these rules that were not met before.
    pub(super) async fn learn(&mut self, api: &Api<'_>, keys: BTreeSet<String>) {
        let unknown = keys.into_iter().filter(|key| !self.known.contains_key(key));
        let asked: Vec<_> = unknown.map(|key| by_key(api, key)).collect();
        let fetched = self.fetch(asked).await;
        self.known.extend(fetched);
    }

    /// The rules of hotspots that do not name them, by the hotspots' keys: one request each.
    pub(super) async fn of_hotspots(
        &mut self,
        api: &Api<'_>,
        keys: Vec<String>,
    ) -> HashMap<String, Rule> {
        let asked = keys.into_iter().map(|key| by_hotspot(api, key));
        let fetched = self.fetch(asked.collect()).await.into_iter();
        fetched
            .filter_map(|(key, rule)| Some((key, rule?)))
            .collect()
    }

    async fn fetch(&mut self, asked: Vec<Asked<'_>>) -> Vec<(String, Option<Rule>)> {
        if !self.wanted || self.given_up.is_some() {
            return Vec::new();
        }
        let mut answers = stream::iter(asked).buffer_unordered(AT_ONCE);
        let mut fetched = Vec::new();
        while let Some((key, rule)) = answers.next().await {
            match rule {
                Ok(rule) => fetched.push((key, rule)),
                // One that cannot be read is as good as none.
                Err(ConnectorError::Refused(_)) => fetched.push((key, None)),
                Err(ConnectorError::Http(error))
                    if error.kind == HttpErrorKind::UnexpectedShape =>
                {
                    fetched.push((key, None));
                }
                Err(failure) => {
                    self.given_up = Some((failure.to_string(), false));
                    break;
                }
            }
        }
        fetched
    }

    /// What an operator should know, once.
    pub(super) fn warning(&mut self) -> Option<String> {
        let (reason, told) = self.given_up.as_mut()?;
        let first = !std::mem::replace(told, true);
        first.then(|| format!("texts and CWEs of some rules are missing this time: {reason}"))
    }
}

/// A rule; none if the tool has no such rule (any more).
async fn rule(api: &Api<'_>, key: &str) -> Result<Option<Rule>, ConnectorError> {
    if let Some(organization) = api.site.organization()
        && let Some(rule) = searched_rule(api, key, organization).await?
    {
        return Ok(Some(rule));
    }
    #[derive(serde::Deserialize)]
    struct Answer {
        rule: Box<RawValue>,
    }
    const PATH: &str = "/api/rules/show";
    let query = api.of_organization(vec![("key", key.to_owned())]);
    match with(api.request(PATH), &query).json::<Answer>().await {
        Ok(answer) => {
            let rule = Rule::parse(answer.body.rule.get());
            rule.map(Some).map_err(|reason| refused(PATH, &reason))
        }
        Err(error) if matches!(error.status(), Some(400 | 403 | 404)) => Ok(None),
        Err(error) => Err(explain(error)),
    }
}

/// On Cloud only the search tells the standards, CWEs among them.
async fn searched_rule(
    api: &Api<'_>,
    key: &str,
    organization: &str,
) -> Result<Option<Rule>, ConnectorError> {
    #[derive(serde::Deserialize)]
    struct Answer {
        rules: Vec<Box<RawValue>>,
    }
    #[derive(Default, serde::Deserialize)]
    #[serde(default)]
    struct Key<'a> {
        #[serde(borrow)]
        key: Text<'a>,
    }
    let query = [
        ("organization", organization.to_owned()),
        ("rule_key", key.to_owned()),
        ("f", RULE_FIELDS.to_owned()),
    ];
    let request = with(api.request("/api/rules/search"), &query);
    let answer = match request.json::<Answer>().await {
        Ok(answer) => answer.body,
        Err(error) if matches!(error.status(), Some(400 | 403 | 404)) => return Ok(None),
        Err(error) => return Err(explain(error)),
    };
    // A parameter that is not known is ignored: then all rules come.
    let found = answer.rules.iter().find(|json| {
        let row = serde_json::from_str::<Key<'_>>(json.get());
        row.is_ok_and(|row| row.key.as_str() == Some(key))
    });
    let rule = found.map(|json| Rule::parse(json.get())).transpose();
    rule.map_err(|reason| refused("/api/rules/search", &reason))
}

/// The rule of a hotspot with its texts, as servers before 9.7 tell it with the hotspot alone.
async fn rule_of_hotspot(api: &Api<'_>, key: &str) -> Result<Option<Rule>, ConnectorError> {
    #[derive(serde::Deserialize)]
    struct Answer {
        rule: Box<RawValue>,
    }
    const PATH: &str = "/api/hotspots/show";
    let query = [("hotspot", key.to_owned())];
    match with(api.request(PATH), &query).json::<Answer>().await {
        Ok(answer) => {
            let rule = Rule::parse(answer.body.rule.get());
            rule.map(Some).map_err(|reason| refused(PATH, &reason))
        }
        // It may be gone by now.
        Err(error) if matches!(error.status(), Some(403 | 404)) => Ok(None),
        Err(error) => Err(explain(error)),
    }
}
