//! Which findings are asked for, and in which order. What is not listed here is not known, and ignored.

use std::cmp::Ordering;

use super::Finding;
use super::access::Caller;
use super::answer::Refusal;
use super::model::World;

/// What `o` takes, with `-` before it for the other direction.
const ORDERS: &[&str] = &[
    "active",
    "component_name",
    "component_version",
    "created",
    "cwe",
    "date",
    "duplicate",
    "dynamic_finding",
    "false_p",
    "found_by",
    "id",
    "is_mitigated",
    "last_reviewed",
    "last_status_update",
    "numerical_severity",
    "out_of_scope",
    "planned_remediation_date",
    "reviewers",
    "severity",
    "sla_expiration_date",
    "static_finding",
    "test__engagement__product__name",
    "title",
    "under_defect_review",
    "under_review",
    "verified",
];

/// Whether a finding has it.
type Flag = fn(&Finding) -> bool;

/// Flags of a finding that can be asked for.
const FLAGS: &[(&str, Flag)] = &[
    ("active", |finding| finding.active),
    ("verified", |finding| finding.verified),
    ("duplicate", |finding| finding.duplicate),
    ("false_p", |finding| finding.false_p),
    ("out_of_scope", |finding| finding.out_of_scope),
    ("risk_accepted", |finding| finding.risk_accepted),
    ("under_review", |finding| finding.under_review),
    ("is_mitigated", |finding| finding.is_mitigated),
    ("static_finding", |finding| finding.static_finding),
    ("dynamic_finding", |finding| finding.dynamic_finding),
];

/// The findings that the caller sees and asks for, in the order asked for, by id.
///
/// `turn` is another number for each request: equals come in another order then.
pub(super) fn findings(world: &World, caller: &Caller, turn: u64) -> Result<Vec<u64>, Refusal> {
    let filter = Filter::of(world, caller)?;
    let order = Order::of(caller)?;
    let mut chosen: Vec<_> = world
        .findings
        .iter()
        .filter(|(id, finding)| world.shows_test(finding.test) && filter.admits(*id, finding))
        .collect();
    order.sort(&mut chosen, turn);
    Ok(chosen.into_iter().map(|(id, _)| id).collect())
}

struct Filter<'a> {
    world: &'a World,
    flags: Vec<(Flag, bool)>,
    ids: Option<Vec<u64>>,
    test: Option<u64>,
    engagements: Option<Vec<u64>>,
    products: Option<Vec<u64>>,
    product_name: Option<String>,
    severities: Option<Vec<&'a str>>,
    tags: Option<Vec<&'a str>>,
    test_tags: Option<Vec<&'a str>>,
    not_test_tags: Vec<&'a str>,
    title: Option<String>,
    unique_id: Option<String>,
}

impl<'a> Filter<'a> {
    fn of(world: &'a World, caller: &'a Caller) -> Result<Self, Refusal> {
        let flags = FLAGS.iter().filter_map(|(name, flag)| {
            let wanted = caller.last(name)?.to_ascii_lowercase();
            // A word that is neither asks for nothing.
            match wanted.as_str() {
                "true" => Some((*flag, true)),
                "false" => Some((*flag, false)),
                _ => None,
            }
        });
        let words = |name| caller.last(name).map(|list| list.split(',').collect());
        let lower = |name| caller.last(name).map(str::to_lowercase);
        Ok(Self {
            world,
            flags: flags.collect(),
            ids: caller.numbers("id")?,
            test: caller.existing("test", |id| world.tests.get(id).is_some())?,
            engagements: caller.numbers("test__engagement")?,
            products: caller.numbers("test__engagement__product")?,
            product_name: lower("product_name"),
            severities: words("severity"),
            tags: words("tags"),
            test_tags: words("test__tags"),
            not_test_tags: words("not_test__tags").unwrap_or_default(),
            title: lower("title"),
            unique_id: lower("unique_id_from_tool"),
        })
    }

    fn admits(&self, id: u64, finding: &Finding) -> bool {
        let is_in = |list: &Option<Vec<u64>>, value: Option<u64>| {
            let list = list.as_ref();
            list.is_none_or(|list| value.is_some_and(|value| list.contains(&value)))
        };
        let contains = |part: &Option<String>, text: &str| {
            let part = part.as_ref();
            part.is_none_or(|part| text.to_lowercase().contains(part))
        };
        let any =
            |list: &[&str], tags: &[String]| tags.iter().any(|tag| list.contains(&tag.as_str()));
        let tags_of_test: &[String] = match self.world.tests.get(finding.test) {
            Some(test) => &test.tags,
            None => &[],
        };
        let product = self.world.product_of(finding.test);
        let named = self.product_name.as_ref().is_none_or(|name| {
            let product = product.and_then(|id| self.world.products.get(id));
            product.is_some_and(|product| product.name.to_lowercase() == *name)
        });
        let severities = self.severities.as_ref();
        self.flags
            .iter()
            .all(|(flag, wanted)| flag(finding) == *wanted)
            && is_in(&self.ids, Some(id))
            && self.test.is_none_or(|test| test == finding.test)
            && is_in(&self.engagements, self.world.engagement_of(finding.test))
            && is_in(&self.products, product)
            && named
            && severities.is_none_or(|list| list.contains(&finding.severity.as_str()))
            && self
                .tags
                .as_ref()
                .is_none_or(|list| any(list, &finding.tags))
            && self
                .test_tags
                .as_ref()
                .is_none_or(|list| any(list, tags_of_test))
            && !any(&self.not_test_tags, tags_of_test)
            && contains(&self.title, &finding.title)
            && contains(
                &self.unique_id,
                finding.unique_id_from_tool.as_deref().unwrap_or_default(),
            )
    }
}

/// By what findings are sorted: field, and whether the other way round.
struct Order<'a>(Vec<(&'a str, bool)>);

impl<'a> Order<'a> {
    fn of(caller: &'a Caller) -> Result<Self, Refusal> {
        let Some(asked) = caller.last("o") else {
            return Ok(Self(vec![
                ("numerical_severity", false),
                ("date", true),
                ("title", false),
            ]));
        };
        let mut fields = Vec::new();
        for word in asked.split(',') {
            let field = word.strip_prefix('-').unwrap_or(word);
            if !ORDERS.contains(&field) {
                return Err(Refusal::Invalid {
                    parameter: "o",
                    message: format!(
                        "Select a valid choice. {word} is not one of the available choices."
                    ),
                });
            }
            fields.push((field, field != word));
        }
        Ok(Self(fields))
    }

    fn sort(&self, findings: &mut [(u64, &Finding)], turn: u64) {
        if !findings.is_empty() {
            let by = usize::try_from(turn).unwrap_or(0) % findings.len();
            findings.rotate_left(by);
        }
        findings.sort_by(|a, b| {
            let orders = self.0.iter().map(|(field, reversed)| {
                let order = compare(field, a, b);
                if *reversed { order.reverse() } else { order }
            });
            orders.fold(Ordering::Equal, Ordering::then)
        });
    }
}

fn compare(field: &str, a: &(u64, &Finding), b: &(u64, &Finding)) -> Ordering {
    let ((id_a, a), (id_b, b)) = (a, b);
    match field {
        "id" => id_a.cmp(id_b),
        "numerical_severity" => a.numerical_severity().cmp(b.numerical_severity()),
        "severity" => a.severity.cmp(&b.severity),
        "date" => a.date.cmp(&b.date),
        "title" => a.title.cmp(&b.title),
        "created" => a.created.cmp(&b.created),
        "last_status_update" => a.last_status_update.cmp(&b.last_status_update),
        // Sorted by that too, but nobody here asks.
        _ => Ordering::Equal,
    }
}

impl Caller {
    /// The numbers of a list in one parameter.
    pub(super) fn numbers(&self, name: &'static str) -> Result<Option<Vec<u64>>, Refusal> {
        let Some(list) = self.last(name) else {
            return Ok(None);
        };
        let numbers = list.split(',').map(|text| text.trim().parse().ok());
        let numbers: Option<Vec<_>> = numbers.collect();
        numbers.map(Some).ok_or(Refusal::no_number(name))
    }

    /// The id in a parameter that takes only one of something that there is.
    pub(super) fn existing(
        &self,
        name: &'static str,
        exists: impl FnOnce(u64) -> bool,
    ) -> Result<Option<u64>, Refusal> {
        let Some(text) = self.last(name) else {
            return Ok(None);
        };
        match text.trim().parse() {
            Ok(id) if exists(id) => Ok(Some(id)),
            _ => Err(Refusal::no_choice(name)),
        }
    }
}
