//! The pages of GetFindings, one after the other, until there is no more.

use std::collections::HashSet;

use aws_sdk_securityhub::types::AwsSecurityFindingFilters;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::failure::{EXPIRED, INVALID, Trouble};
use super::hub::{Hub, PAGE};

/// One page: the JSON of each finding.
pub(super) type Page = Vec<Box<RawValue>>;

/// What an answer holds.
#[derive(Debug, Deserialize)]
struct Answer {
    /// Absent in what is no answer of GetFindings.
    #[serde(rename = "Findings")]
    findings: Page,
    #[serde(rename = "NextToken")]
    next_token: Option<String>,
}

/// Why there is no next page although there should be one.
#[derive(Debug)]
pub(super) enum Broken {
    /// The call failed.
    Failed(Trouble),
    /// What came is not to be trusted.
    Doubtful(String),
}

/// A walk over all pages of one query.
pub(super) struct Walk {
    hub: Hub,
    filters: Option<AwsSecurityFindingFilters>,
    token: Option<String>,
    /// 16 bytes of each token's hash.
    seen: HashSet<[u8; 16]>,
    pages: u64,
    done: bool,
    began_again: bool,
}

impl Walk {
    pub(super) fn new(hub: &Hub, filters: Option<AwsSecurityFindingFilters>) -> Self {
        Self {
            hub: hub.clone(),
            filters,
            token: None,
            seen: HashSet::new(),
            pages: 0,
            done: false,
            began_again: false,
        }
    }

    /// The next page, or none after the one without a token. A short or an empty page is not the end.
    pub(super) async fn next(&mut self) -> Result<Option<Page>, Broken> {
        if self.done {
            return Ok(None);
        }
        let body = match self.ask().await {
            // A token is good for one query and some time. Once, from the start; what comes twice is merged.
            Err(trouble) if self.token.is_some() && !self.began_again && is_stale(&trouble) => {
                self.began_again = true;
                self.token = None;
                self.seen.clear();
                self.ask().await
            }
            answer => answer,
        };
        let body = body.map_err(Broken::Failed)?;
        self.pages += 1;
        let page = self.pages;
        let answer: Answer = serde_json::from_slice(&body).map_err(|error| {
            let what = format!("on page {page} is not a page of findings ({error})");
            Broken::Failed(self.hub.odd("GetFindings", &what))
        })?;
        let token = answer.next_token.filter(|token| !token.is_empty());
        match &token {
            None => self.done = true,
            Some(token) => {
                let mut hash = [0; 16];
                hash.copy_from_slice(&blake3::hash(token.as_bytes()).as_bytes()[..16]);
                if !self.seen.insert(hash) {
                    return Err(Broken::Doubtful(format!(
                        "page {page} names a page as the next that was read before: the list goes in a circle, and may lack findings"
                    )));
                }
            }
        }
        self.token = token;
        Ok(Some(answer.findings))
    }

    /// Asks for the page; once more with new credentials if the old ones have expired meanwhile.
    async fn ask(&mut self) -> Result<Vec<u8>, Trouble> {
        let answer = self.ask_once().await;
        let Err(trouble) = &answer else {
            return answer;
        };
        match self.hub.renewed().filter(|_| trouble.is(EXPIRED)) {
            None => answer,
            Some(hub) => {
                self.hub = hub;
                self.ask_once().await
            }
        }
    }

    async fn ask_once(&self) -> Result<Vec<u8>, Trouble> {
        let (filters, token) = (self.filters.as_ref(), self.token.as_deref());
        self.hub.findings(filters, token, PAGE).await
    }
}

fn is_stale(trouble: &Trouble) -> bool {
    let said = trouble.said.as_deref().unwrap_or_default();
    trouble.is(INVALID) && said.contains("NextToken")
}
