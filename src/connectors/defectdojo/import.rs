//! The import of one product, or of a part of it. Each branch is a scope, and so is what has none.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::api::{Api, explain};
use super::finding::{self, Finding};
use super::inventory::{Part, Product, Test};
use super::reading::{Envelope, READINGS, Reading, Step};
use super::spec::Selection;
use crate::connectors::pages::Pages;
use crate::connectors::{Completeness, ConnectorError, Pulled, Scope, Sink, SinkClosed};
use crate::finding::{Sighting, SourceKey, Status};
use crate::http::HttpErrorKind;

type Branch = Option<String>;

/// So many keys of what is left out are handed over at once.
const KEYS: usize = 500;

/// What is read of which product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) product: Product,
    pub(super) part: Part,
}

impl Target {
    /// For messages.
    pub(super) fn words(&self) -> String {
        match self.part.name() {
            Some(part) => format!("{} ({part})", self.product.name),
            None => self.product.name.clone(),
        }
    }

    /// The tests that its findings are of.
    async fn tests(&self, api: &Api) -> Result<(Vec<Test>, Option<String>), ConnectorError> {
        let product = match self.part {
            Part::Test(id) => return Ok((vec![api.test(id).await?], None)),
            Part::Engagement(id) => {
                let tests = api.tests(Some(id)).await?;
                return Ok((tests.items, tests.doubt));
            }
            Part::Product(id) => id,
        };
        let engagements = api.engagements(Some(product)).await?;
        let (mut all, mut doubt) = (Vec::new(), engagements.doubt);
        for engagement in engagements.items {
            let tests = api.tests(Some(engagement.id)).await?;
            all.extend(tests.items);
            doubt = doubt.or(tests.doubt);
        }
        Ok((all, doubt))
    }
}

/// Where the findings of a test go.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    Branch(Branch),
    /// They came from secpull.
    Nowhere,
}

/// A product on its way into the sink.
pub(super) struct Import<'a> {
    api: &'a Api,
    target: &'a Target,
    selection: &'a Selection,
    places: HashMap<u64, Place>,
    pages: BTreeMap<Branch, Pages>,
    left_out: BTreeMap<Branch, BTreeSet<SourceKey>>,
    /// Rows that have come, in all readings.
    rows: u64,
    expected: bool,
    sink: &'a mut Sink,
}

impl<'a> Import<'a> {
    pub(super) fn of(
        api: &'a Api,
        target: &'a Target,
        selection: &'a Selection,
        sink: &'a mut Sink,
    ) -> Self {
        let mut import = Self {
            api,
            target,
            selection,
            places: HashMap::new(),
            pages: BTreeMap::new(),
            left_out: BTreeMap::new(),
            rows: 0,
            expected: false,
            sink,
        };
        // Also where nothing is left that has no branch: that is known then.
        import.open(None);
        import
    }

    /// Whether nothing has come, which may mean that there is nothing, or that it must not be seen any more.
    pub(super) fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// What is read of one engagement says nothing about another one, and branches read as one nothing about each of them.
    fn scope(&self, branch: Branch) -> Scope {
        let together = (!self.selection.branch_tags).then(|| "all branches".to_owned());
        let parts: Vec<_> = [self.target.part.name(), together]
            .into_iter()
            .flatten()
            .collect();
        Scope {
            record: self.target.product.record(),
            branch,
            part: (!parts.is_empty()).then(|| parts.join(", ")),
        }
    }

    fn open(&mut self, branch: Branch) -> &mut Pages {
        let scope = self.scope(branch.clone());
        self.pages.entry(branch).or_insert_with(|| Pages::of(scope))
    }

    /// Reads tests and findings, again while they are not to be believed. The tests may be known already.
    pub(super) async fn read(
        &mut self,
        mut known: Option<Vec<Test>>,
    ) -> Result<Completeness, ConnectorError> {
        let mut readings = 1;
        loop {
            let (tests, doubt) = match known.take() {
                Some(tests) => (tests, None),
                None => self.target.tests(self.api).await?,
            };
            self.place(tests);
            let doubt = match (doubt, self.read_once().await) {
                (_, Err(ConnectorError::Http(error)))
                    if error.kind == HttpErrorKind::Truncated && readings < READINGS =>
                {
                    Some(error.to_string())
                }
                (doubt, outcome) => outcome?.or(doubt),
            };
            match doubt {
                None => return Ok(Completeness::Complete),
                Some(reason) if readings == READINGS => {
                    return Ok(Completeness::Incomplete(format!(
                        "{}: the list of findings: {reason} (read {READINGS} times); it may have changed meanwhile",
                        self.target.words()
                    )));
                }
                Some(_) => readings += 1,
            }
        }
    }

    /// Notes where the findings of the tests go; their branches are scopes from now on.
    fn place(&mut self, tests: Vec<Test>) {
        for test in tests {
            let place = match (test.is_forwarded, self.selection.branch_tags) {
                (true, _) => Place::Nowhere,
                (false, true) => Place::Branch(test.branch),
                (false, false) => Place::Branch(None),
            };
            if let Place::Branch(branch) = &place {
                self.open(branch.clone());
            }
            self.places.insert(test.id, place);
        }
    }

    /// Reads the findings from the first page on; gives why the list may not be whole, if so.
    async fn read_once(&mut self) -> Result<Option<String>, ConnectorError> {
        let mut reading = Reading::with_limit(self.selection.page_size);
        loop {
            let page = self.api.findings(self.target.part, reading.next_page());
            let mut elements = page.await.map_err(explain)?;
            while let Some(rows) = elements.next().await.map_err(explain)? {
                for row in rows {
                    self.rows += 1;
                    self.row(finding::map(&row), &mut reading).await?;
                }
            }
            let step = reading.close_page(&Envelope::parse(elements.envelope()));
            drop(elements);
            self.flush(&reading).await?;
            if step == Step::Stop {
                return Ok(reading.doubt());
            }
        }
    }

    async fn row(
        &mut self,
        row: Result<Finding, String>,
        reading: &mut Reading,
    ) -> Result<(), SinkClosed> {
        reading.row(row.as_ref().ok().map(|finding| finding.id));
        let finding = match row {
            Ok(finding) => finding,
            // Whose it is nobody knows; one that is unreadable keeps the whole run from conclusions.
            Err(reason) => return self.add(None, Err(reason)).await,
        };
        let branch = match self.places.get(&finding.test) {
            Some(Place::Nowhere) => return Ok(()),
            Some(Place::Branch(branch)) => branch.clone(),
            None => {
                reading.note(format!(
                    "finding {} is of test {}, which is not listed",
                    finding.id, finding.test
                ));
                return Ok(());
            }
        };
        // Also where an older release does not know the filter.
        if finding.is_duplicate {
            return Ok(());
        }
        let sighting = finding.sighting;
        let is_told = finding.is_active || sighting.status == Status::Resolved;
        if !self.selection.include_inactive && !is_told {
            let keys = self.left_out.entry(branch).or_default();
            keys.insert(sighting.source_key());
            return Ok(());
        }
        self.add(branch, Ok(sighting)).await
    }

    async fn add(
        &mut self,
        branch: Branch,
        row: Result<Sighting, String>,
    ) -> Result<(), SinkClosed> {
        let scope = self.scope(branch.clone());
        let pages = self.pages.entry(branch);
        let pages = pages.or_insert_with(|| Pages::of(scope));
        pages.add(row, self.sink).await
    }

    /// Hands over what is there, so that it does not wait for more.
    async fn flush(&mut self, reading: &Reading) -> Result<(), SinkClosed> {
        if let Some(count) = reading.count().filter(|_| !self.expected) {
            self.expected = true;
            self.sink.put(Pulled::Expected(count)).await?;
        }
        for pages in self.pages.values_mut() {
            pages.flush(self.sink).await?;
        }
        for (branch, keys) in std::mem::take(&mut self.left_out) {
            let keys: Vec<_> = keys.into_iter().collect();
            for keys in keys.chunks(KEYS) {
                let scope = self.scope(branch.clone());
                let keys = keys.to_vec();
                self.sink.put(Pulled::LeftOut { scope, keys }).await?;
            }
        }
        Ok(())
    }

    /// Ends the scopes of all branches.
    pub(super) async fn end(self, completeness: Completeness) -> Result<(), SinkClosed> {
        for pages in self.pages.into_values() {
            pages.end(completeness.clone(), self.sink).await?;
        }
        Ok(())
    }
}
