//! What an instance has, and how it behaves.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use chrono::{DateTime, NaiveDate, Utc};
use serde_json::{Map, Value};

use super::{Finding, GENERIC};

/// Test types that every instance has; there are some two hundred in truth.
const TEST_TYPES: &[&str] = &["API Test", "Pen Test", "Snyk Scan", "ZAP Scan", GENERIC];

/// Rows by their ids, which count up from 1 and are never given twice.
#[derive(Debug, Clone)]
pub struct Table<T> {
    rows: BTreeMap<u64, T>,
    last: u64,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self {
            rows: BTreeMap::new(),
            last: 0,
        }
    }
}

impl<T> Table<T> {
    /// Adds a row and gives its id.
    pub fn add(&mut self, row: T) -> u64 {
        self.last += 1;
        self.rows.insert(self.last, row);
        self.last
    }

    /// The row of this id.
    #[must_use]
    pub fn get(&self, id: u64) -> Option<&T> {
        self.rows.get(&id)
    }

    /// The row of this id, to be changed.
    pub fn get_mut(&mut self, id: u64) -> Option<&mut T> {
        self.rows.get_mut(&id)
    }

    /// Removes a row.
    pub fn remove(&mut self, id: u64) -> Option<T> {
        self.rows.remove(&id)
    }

    /// All rows, by id.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (u64, &T)> {
        self.rows.iter().map(|(id, row)| (*id, row))
    }

    /// All rows, by id, to be changed.
    pub fn iter_mut(&mut self) -> impl DoubleEndedIterator<Item = (u64, &mut T)> {
        self.rows.iter_mut().map(|(id, row)| (*id, row))
    }

    /// Removes all rows but these.
    pub fn retain(&mut self, mut keep: impl FnMut(u64, &T) -> bool) {
        self.rows.retain(|id, row| keep(*id, row));
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.rows.len()
    }
}

/// An instance.
#[derive(Debug, Clone)]
pub struct World {
    /// Product types, which are called organizations since 3.0.
    pub product_types: Table<ProductType>,
    /// Products, which are called assets since 3.0.
    pub products: Table<Product>,
    /// Engagements of products.
    pub engagements: Table<Engagement>,
    /// Kinds of tests.
    pub test_types: Table<TestType>,
    /// Tests of engagements.
    pub tests: Table<Test>,
    /// Findings of tests.
    pub findings: Table<Finding>,
    /// What was imported into tests.
    pub test_imports: Table<TestImport>,
    /// How it answers.
    pub behaviour: Behaviour,
}

/// How an instance answers.
#[derive(Debug, Clone)]
pub struct Behaviour {
    /// The products that the key's user may see; none given means all. What belongs to others is not there for the user.
    pub visible: Option<BTreeSet<u64>>,
    /// Whether the key's user may change what is seen, and add to it.
    pub may_write: bool,
    /// Whether API tokens are accepted (`DD_API_TOKENS_ENABLED`).
    pub tokens_enabled: bool,
    /// What lists of findings say in place of their true count.
    pub count: Option<u64>,
    /// No page has more rows than this, whatever is asked for. DefectDojo itself knows no such thing.
    pub longest_page: u64,
    /// Parameters that this release does not know.
    pub unknown_parameters: BTreeSet<&'static str>,
    /// Whether the key's user may change single findings.
    pub may_edit: bool,
    /// Whether a risk can be accepted by a call; the product's own setting in truth.
    pub simple_risk_acceptance: bool,
    /// Whether imports are kept (`DD_TRACK_IMPORT_HISTORY`).
    pub import_history: bool,
    /// How long an import takes.
    pub import_takes: Duration,
    /// What the proxy before it does to the next imports, one after the other; the rest pass.
    pub gateway: Vec<Gateway>,
    /// Nothing but the proxy before it answers.
    pub down: bool,
    /// The parser refuses every report with these words.
    pub refuses: Option<String>,
    /// So many findings of the next report get lost, silently.
    pub loses: usize,
    /// Uploads are sent on to where nobody takes them.
    pub redirects: bool,
    /// Scheme and host in the links between pages, in place of those of the request.
    pub origin: Option<String>,
}

/// What the proxy before an instance does to an import.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gateway {
    /// Nothing.
    Passes,
    /// It answers 502, and nothing comes through.
    NotReached,
    /// It answers 502 when all is done.
    GivesUp,
    /// It answers 502 at once, and the instance goes on.
    IsImpatient,
    /// It never answers, and the instance goes on.
    Hangs,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            visible: None,
            may_write: true,
            tokens_enabled: true,
            may_edit: true,
            simple_risk_acceptance: true,
            import_history: true,
            import_takes: Duration::ZERO,
            gateway: Vec::new(),
            down: false,
            refuses: None,
            loses: 0,
            redirects: false,
            count: None,
            longest_page: u64::MAX,
            unknown_parameters: BTreeSet::new(),
            origin: None,
        }
    }
}

impl Behaviour {
    pub(super) fn shows(&self, product: u64) -> bool {
        let visible = self.visible.as_ref();
        visible.is_none_or(|visible| visible.contains(&product))
    }
}

/// A product type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductType {
    /// Unique.
    pub name: String,
}

/// A product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Product {
    /// Unique.
    pub name: String,
    /// Id of its type.
    pub product_type: u64,
    /// Words of people.
    pub tags: Vec<String>,
}

/// An engagement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Engagement {
    /// Not unique, not even in its product.
    pub name: String,
    /// Id of its product.
    pub product: u64,
    /// `Interactive` or `CI/CD`.
    pub kind: String,
    /// First day.
    pub target_start: NaiveDate,
    /// Last day.
    pub target_end: NaiveDate,
    /// Whether findings of other engagements are not looked at for duplicates.
    pub deduplication_on_engagement: bool,
}

/// A kind of test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestType {
    /// Unique.
    pub name: String,
}

/// A test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Test {
    /// Not unique, not even in its engagement.
    pub title: Option<String>,
    /// Id of its engagement.
    pub engagement: u64,
    /// Id of its type.
    pub test_type: u64,
    /// The `scan_type` of its imports.
    pub scan_type: Option<String>,
    /// In lower case.
    pub tags: Vec<String>,
    /// Version of what was tested.
    pub version: Option<String>,
    /// Build of what was tested.
    pub build_id: Option<String>,
    /// Commit of what was tested.
    pub commit_hash: Option<String>,
    /// Branch of what was tested.
    pub branch_tag: Option<String>,
    /// When it was added.
    pub created: DateTime<Utc>,
    /// When it was changed last.
    pub updated: DateTime<Utc>,
}

/// One import into a test.
#[derive(Debug, Clone, PartialEq)]
pub struct TestImport {
    /// Id of the test.
    pub test: u64,
    /// `import` or `reimport`.
    pub kind: String,
    /// When.
    pub created: DateTime<Utc>,
    /// What was asked for, as the answer repeats it.
    pub settings: Map<String, Value>,
    /// `version` of the import.
    pub version: Option<String>,
    /// `build_id` of the import.
    pub build_id: Option<String>,
    /// `branch_tag` of the import.
    pub branch_tag: Option<String>,
    /// Findings and what happened to them: `N` new, `C` closed, `R` reactivated, `U` untouched.
    pub actions: Vec<(u64, char)>,
}

impl Default for World {
    fn default() -> Self {
        let mut world = Self {
            product_types: Table::default(),
            products: Table::default(),
            engagements: Table::default(),
            test_types: Table::default(),
            tests: Table::default(),
            findings: Table::default(),
            test_imports: Table::default(),
            behaviour: Behaviour::default(),
        };
        // A new instance has one.
        world.product_types.add(ProductType {
            name: "Research and Development".to_owned(),
        });
        for &name in TEST_TYPES {
            world.test_types.add(TestType {
                name: name.to_owned(),
            });
        }
        world
    }
}

impl World {
    /// One without products.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a product of the first type and gives its id.
    pub fn add_product(&mut self, name: &str) -> u64 {
        self.products.add(Product {
            name: name.to_owned(),
            product_type: 1,
            tags: Vec::new(),
        })
    }

    /// Adds an engagement of half a year and gives its id.
    pub fn add_engagement(&mut self, product: u64, name: &str) -> u64 {
        let day = |year, month| NaiveDate::from_ymd_opt(year, month, 1).unwrap_or_default();
        self.engagements.add(Engagement {
            name: name.to_owned(),
            product,
            kind: "CI/CD".to_owned(),
            target_start: day(2026, 7),
            target_end: day(2027, 1),
            deduplication_on_engagement: false,
        })
    }

    /// Adds a test of reports in DefectDojo's own format and gives its id.
    pub fn add_test(&mut self, engagement: u64, title: &str) -> u64 {
        let generic = self
            .test_types
            .iter()
            .find(|(_, kind)| kind.name == GENERIC);
        let created = DateTime::UNIX_EPOCH + chrono::TimeDelta::days(20_667);
        self.tests.add(Test {
            title: Some(title.to_owned()),
            engagement,
            test_type: generic.map_or(1, |(id, _)| id),
            scan_type: Some(GENERIC.to_owned()),
            tags: Vec::new(),
            version: None,
            build_id: None,
            commit_hash: None,
            branch_tag: None,
            created,
            updated: created,
        })
    }

    /// A product with one engagement and in it one test of that branch; gives the test's id.
    pub fn add_tested_product(&mut self, name: &str, branch: Option<&str>) -> u64 {
        let product = self.add_product(name);
        let engagement = self.add_engagement(product, "Pipeline");
        let test = self.add_test(engagement, "Scan");
        if let Some(test) = self.tests.get_mut(test) {
            test.branch_tag = branch.map(str::to_owned);
        }
        test
    }

    /// Adds a finding and gives its id.
    pub fn add_finding(&mut self, finding: Finding) -> u64 {
        self.findings.add(finding)
    }

    /// Deletes a product with all that belongs to it.
    pub fn delete_product(&mut self, product: u64) {
        self.products.remove(product);
        let engagements: Vec<_> = self
            .engagements
            .iter()
            .filter(|(_, engagement)| engagement.product == product)
            .map(|(id, _)| id)
            .collect();
        for engagement in engagements {
            self.delete_engagement(engagement);
        }
    }

    /// Deletes an engagement with all that belongs to it.
    pub fn delete_engagement(&mut self, engagement: u64) {
        self.engagements.remove(engagement);
        let tests: Vec<_> = self
            .tests
            .iter()
            .filter(|(_, test)| test.engagement == engagement)
            .map(|(id, _)| id)
            .collect();
        for test in tests {
            self.delete_test(test);
        }
    }

    /// Deletes a test with its findings.
    pub fn delete_test(&mut self, test: u64) {
        self.tests.remove(test);
        self.findings.retain(|_, finding| finding.test != test);
        self.test_imports.retain(|_, import| import.test != test);
    }

    /// The engagement of a test, by id.
    #[must_use]
    pub fn engagement_of(&self, test: u64) -> Option<u64> {
        self.tests.get(test).map(|test| test.engagement)
    }

    /// The product of a test, by id.
    #[must_use]
    pub fn product_of(&self, test: u64) -> Option<u64> {
        let engagement = self.engagements.get(self.engagement_of(test)?)?;
        Some(engagement.product)
    }

    /// Whether the key's user sees what belongs to the test.
    pub(super) fn shows_test(&self, test: u64) -> bool {
        let product = self.product_of(test);
        product.is_some_and(|product| self.behaviour.shows(product))
    }
}
