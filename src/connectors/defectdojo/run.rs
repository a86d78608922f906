//! One run over one product, or over all.

use std::collections::HashMap;

use super::api::{Api, SEES_NOTHING};
use super::import::{Import, Target};
use super::inventory::{FORWARDED, Part, Product, Test, named};
use super::spec::{Selection, Wanted};
use crate::connectors::{Completeness, ConnectorError, Pulled, Sink};
use crate::http::HttpErrorKind;

/// After so many products in a row that could not be read because of the server or the network, the rest is left.
const FAILURES_IN_A_ROW: u32 = 3;

/// What the settings name; none if it is everything. It is proven to be there, and visible.
pub(super) async fn target(
    server: &Api,
    selection: &Selection,
) -> Result<Option<Target>, ConnectorError> {
    let part = match &selection.wanted {
        Wanted::All => return Ok(None),
        Wanted::Named(name) => {
            let products = server.products(Some(name)).await?;
            let product = named(&products.items, name).map_err(|reason| {
                let doubt = products.doubt.map(|doubt| format!(" ({doubt})"));
                ConnectorError::Refused(format!("{reason}{}", doubt.unwrap_or_default()))
            })?;
            let part = Part::Product(product.id);
            return Ok(Some(Target { product, part }));
        }
        Wanted::Part(part) => *part,
    };
    let product = match part {
        Part::Product(id) => id,
        Part::Engagement(id) => server.engagement(id).await?.product,
        Part::Test(id) => {
            let test = server.test(id).await?;
            if test.is_forwarded {
                return Err(ConnectorError::Refused(format!(
                    "test {id} is tagged {}: secpull has forwarded its findings there, and does not pull them back",
                    FORWARDED
                )));
            }
            server.engagement(test.engagement).await?.product
        }
    };
    let product = server.product(product).await?;
    Ok(Some(Target { product, part }))
}

/// One run.
pub(super) struct Run<'a> {
    pub(super) server: &'a Api,
    pub(super) selection: &'a Selection,
    pub(super) sink: &'a mut Sink,
}

impl Run<'_> {
    /// Imports what the settings name.
    pub(super) async fn one(&mut self, target: &Target) -> Result<(), ConnectorError> {
        if !self.sink.wants(&target.product.record()) {
            let product = &target.product.name;
            let warning = format!("records leaves out the configured product {product}");
            return Ok(self.sink.put(Pulled::Warning(warning)).await?);
        }
        self.import(target, None, None).await.map(drop)
    }

    /// Imports all products, one after the other.
    pub(super) async fn all(&mut self) -> Result<(), ConnectorError> {
        let products = self.server.products(None).await?;
        if products.items.is_empty() {
            return Err(ConnectorError::Refused(format!(
                "{SEES_NOTHING}; nothing is concluded from that"
            )));
        }
        match products.doubt {
            None => {
                let records = products.items.iter().map(Product::record).collect();
                self.sink.put(Pulled::Records(records)).await?;
            }
            Some(reason) => {
                let warning = format!("the list of products may not be whole: {reason}");
                self.sink.put(Pulled::Warning(warning)).await?;
            }
        }
        let (mut tests, doubt) = self.all_tests().await?;
        let mut failures = 0;
        for product in products.items {
            if !self.sink.wants(&product.record()) {
                continue;
            }
            let part = Part::Product(product.id);
            let tests = tests.remove(&product.id).unwrap_or_default();
            let target = Target { product, part };
            match self.import(&target, Some(tests), doubt.as_deref()).await? {
                Some(failure) => {
                    failures += u32::from(concerns_all(&failure));
                    if failures >= FAILURES_IN_A_ROW {
                        return Err(failure);
                    }
                }
                None => failures = 0,
            }
        }
        Ok(())
    }

    /// The tests of all products by product, and why they may not be all.
    async fn all_tests(&self) -> Result<(HashMap<u64, Vec<Test>>, Option<String>), ConnectorError> {
        let engagements = self.server.engagements(None).await?;
        let tests = self.server.tests(None).await?;
        let products = engagements.items.iter();
        let products: HashMap<_, _> = products.map(|one| (one.id, one.product)).collect();
        let mut by_product: HashMap<u64, Vec<Test>> = HashMap::new();
        for test in tests.items {
            if let Some(product) = products.get(&test.engagement) {
                by_product.entry(*product).or_default().push(test);
            }
        }
        Ok((by_product, engagements.doubt.or(tests.doubt)))
    }

    /// Imports one product, or a part of it; gives the failure that spoilt it, if others may still do well.
    async fn import(
        &mut self,
        target: &Target,
        tests: Option<Vec<Test>>,
        doubt: Option<&str>,
    ) -> Result<Option<ConnectorError>, ConnectorError> {
        let mut import = Import::of(self.server, target, self.selection, self.sink);
        let read = match import.read(tests).await {
            Ok(Completeness::Complete) if import.is_empty() => {
                still_visible(self.server, target).await
            }
            read => read,
        };
        let (completeness, failure) = match (read, doubt) {
            (Ok(Completeness::Complete), Some(doubt)) => {
                let reason = format!("{}: {doubt}", target.words());
                (Completeness::Incomplete(reason), None)
            }
            (Ok(completeness), _) => (completeness, None),
            (Err(failure), _) if is_pointless(&failure) => return Err(failure),
            (Err(failure), _) => {
                let reason = format!("{}: {failure}", target.words());
                (Completeness::Incomplete(reason), Some(failure))
            }
        };
        import.end(completeness).await?;
        Ok(failure)
    }
}

/// That there are no findings is believed of what is still there after they were asked for.
async fn still_visible(server: &Api, target: &Target) -> Result<Completeness, ConnectorError> {
    let asked = match target.part {
        Part::Product(id) => server.product(id).await.map(drop),
        Part::Engagement(id) => server.engagement(id).await.map(drop),
        Part::Test(id) => server.test(id).await.map(drop),
    };
    match asked {
        Ok(()) => Ok(Completeness::Complete),
        Err(ConnectorError::Http(error)) if error.status() == Some(404) => {
            Ok(Completeness::Incomplete(format!(
                "{}: no findings came, and the key's user does not see it any more; nothing is concluded from that",
                target.words()
            )))
        }
        Err(failure) => Err(failure),
    }
}

/// Whether every other product would fail likewise.
fn is_pointless(failure: &ConnectorError) -> bool {
    match failure {
        ConnectorError::Closed(_) | ConnectorError::Credentials(_) => true,
        ConnectorError::Refused(_) => false,
        ConnectorError::Http(error) => {
            matches!(error.kind, HttpErrorKind::Redirected | HttpErrorKind::Setup)
        }
    }
}

/// Whether the failure is the server's or the network's rather than one product's.
fn concerns_all(failure: &ConnectorError) -> bool {
    failure.concerns_all()
        || matches!(failure, ConnectorError::Http(error) if error.status() == Some(403))
}
