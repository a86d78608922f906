//! DefectDojo as a source: the findings of one product, engagement or test, or of every product that the key's user sees.
//!
//! What a user may not see is not there for it, with status 200, and so is what a misspelt filter asks for. So a product is asked
//! for by itself before its findings, and after them if there were none; and each finding is known by its test. What secpull has
//! forwarded there stays there.

mod api;
mod finding;
#[cfg(any(test, feature = "fuzzing"))]
pub(super) mod fuzzed;
mod import;
mod inventory;
mod reading;
mod row;
mod run;
mod spec;
mod tables;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use self::api::{Api, List, SEES_NOTHING};
use self::inventory::Part;
use self::run::Run;
use self::spec::{Selection, Wanted};
use super::{Connector, ConnectorError, Record, Sink};
use crate::config::{ApiConfiguration, Secret, Tool};
use crate::http::{Authentication, Client, HttpError};

pub(super) use self::spec::SPEC;

struct DefectDojo {
    client: Client,
    /// The product of each engagement and test, as last discovered: a record does not tell.
    products: Mutex<HashMap<(Kind, u64), u64>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Engagement,
    Test,
}

/// Opens the connector of a tool.
pub(super) fn open(tool: &Tool) -> Result<Arc<dyn Connector>, HttpError> {
    let headers = tool.secret.iter();
    // The vendor's word for it is Token. Under Bearer nobody reads it.
    let headers = headers.map(|key| {
        let value = Secret::new(&format!("Token {}", key.expose()));
        ("Authorization".to_owned(), value)
    });
    let authentication = Authentication {
        headers: headers.collect(),
        ..Authentication::default()
    };
    Ok(Arc::new(DefectDojo {
        client: Client::new(tool, authentication)?,
        products: Mutex::default(),
    }))
}

#[async_trait]
impl Connector for DefectDojo {
    async fn check(&self, api: Option<&ApiConfiguration>) -> Result<String, ConnectorError> {
        let server = Api::new(self.client.clone());
        let user = server.user().await?;
        let count = server.count_products().await?;
        let Some(api) = api else {
            return Ok(match count {
                0 => format!("DefectDojo: {SEES_NOTHING}"),
                count => format!("DefectDojo, key of {user} accepted, products visible: {count}"),
            });
        };
        if count == 0 {
            return Err(ConnectorError::Refused(SEES_NOTHING.to_owned()));
        }
        let selection = Selection::of(&api.settings);
        let what = match run::target(&server, &selection).await? {
            Some(target) => {
                let findings = server.count_findings(target.part).await?;
                format!("{} readable, findings: {findings}", target.words())
            }
            None => {
                let products = server.products(None).await?;
                let Some(first) = products.items.first() else {
                    return Err(ConnectorError::Refused(SEES_NOTHING.to_owned()));
                };
                let findings = server.count_findings(Part::Product(first.id)).await?;
                format!("findings of {} readable: {findings}", first.name)
            }
        };
        Ok(format!(
            "DefectDojo, key of {user} accepted, products visible: {count}, {what}"
        ))
    }

    async fn discover(&self) -> Result<Vec<Record>, ConnectorError> {
        let server = Api::new(self.client.clone());
        let products = whole(server.products(None).await?)?;
        let types = whole(server.product_types().await?)?;
        let types: BTreeMap<_, _> = types.iter().map(|one| (one.id, &one.name)).collect();
        let engagements = whole(server.engagements(None).await?)?;
        let tests = whole(server.tests(None).await?)?;
        let mut owners = HashMap::new();
        for engagement in &engagements {
            owners.insert((Kind::Engagement, engagement.id), engagement.product);
        }
        let mut counts: BTreeMap<u64, usize> = BTreeMap::new();
        for test in &tests {
            if let Some(&product) = owners.get(&(Kind::Engagement, test.engagement)) {
                owners.insert((Kind::Test, test.id), product);
                *counts.entry(product).or_default() += 1;
            }
        }
        *self.products.lock().unwrap_or_else(PoisonError::into_inner) = owners;
        let records = products.iter().map(|product| {
            let tests = counts.get(&product.id).copied().unwrap_or_default();
            let product_type = product.product_type.and_then(|id| types.get(&id));
            let product_type = product_type.map(|name| format!("{name}, "));
            Record {
                detail: Some(format!(
                    "{}tests: {tests}",
                    product_type.unwrap_or_default()
                )),
                ..product.record()
            }
        });
        Ok(records.collect())
    }

    fn selects(&self, api: &ApiConfiguration, record: &Record) -> bool {
        let products = self.products.lock().unwrap_or_else(PoisonError::into_inner);
        let is_of = |kind, id| {
            let product = products.get(&(kind, id));
            product.is_some_and(|product| product.to_string() == record.id)
        };
        match Selection::of(&api.settings).wanted {
            Wanted::All => true,
            Wanted::Named(name) => record.name.to_lowercase() == name.to_lowercase(),
            Wanted::Part(Part::Engagement(id)) => is_of(Kind::Engagement, id),
            Wanted::Part(Part::Test(id)) => is_of(Kind::Test, id),
            Wanted::Part(Part::Product(id)) => id.to_string() == record.id,
        }
    }

    async fn pull(&self, api: &ApiConfiguration, sink: &mut Sink) -> Result<(), ConnectorError> {
        let server = Api::new(self.client.metered(sink.meter()));
        let selection = Selection::of(&api.settings);
        let mut run = Run {
            server: &server,
            selection: &selection,
            sink,
        };
        match run::target(&server, &selection).await? {
            Some(target) => run.one(&target).await,
            None => run.all().await,
        }
    }
}

fn whole<T>(list: List<T>) -> Result<Vec<T>, ConnectorError> {
    match list.doubt {
        None => Ok(list.items),
        Some(reason) => Err(ConnectorError::Refused(format!(
            "a list could not be read as a whole: {reason}; try again"
        ))),
    }
}
