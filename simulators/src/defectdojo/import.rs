//! What an import does to an instance. Not in one piece: what fails in the middle has done what comes before.

use std::collections::{BTreeMap, BTreeSet};

use aws_lc_rs::digest::{SHA256, digest};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value, json};

use super::form::Form;
use super::model::{Engagement, ProductType, World};
use super::report::{Fault, Item, parse};
use super::{Finding, GENERIC, Product, Test, TestImport, TestType};

/// Why an import answers no 201.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refused {
    /// Names or ids that do not go together, in a bare list.
    Context(String),
    /// The parser's words.
    Report(String),
    /// A 500.
    Unforeseen,
}

/// Where an import goes, as it is looked up before it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) test: Option<u64>,
}

/// Looks the names up, and makes what has to be there before the test.
pub(super) fn look_up(world: &mut World, form: &Form) -> Result<Target, Refused> {
    let missing = |what: &str| Refused::Context(what.to_owned());
    let product_name = form
        .text("product_name")
        .ok_or_else(|| missing("product_name parameter missing"))?;
    let (Some(engagement_name), true) = (form.text("engagement_name"), form.has("scan_type"))
    else {
        return Err(missing(
            "Need test_id or product_name + engagement_name + scan_type to perform reimport",
        ));
    };
    let creates = form.flag("auto_create_context").unwrap_or(false);
    let product = world
        .products
        .iter()
        .find(|(_, product)| product.name == product_name)
        .map(|(id, product)| (id, product.product_type));
    let type_name = form.text("product_type_name");
    if let (Some((_, kind)), Some(type_name)) = (product, type_name) {
        let kind = world.product_types.get(kind).map(|kind| kind.name.as_str());
        if kind != Some(type_name) {
            return Err(Refused::Context(format!(
                "The fetched product has a conflict with the supplied product type name: existing product type name - {} vs supplied product type name - {type_name}",
                kind.unwrap_or_default()
            )));
        }
    }
    let product = match (product, type_name) {
        (Some((id, _)), _) if world.behaviour.shows(id) => id,
        (None, Some(type_name)) if creates => add_product(world, product_name, type_name),
        _ => {
            return Err(Refused::Context(format!(
                "Product \"{product_name}\" does not exist"
            )));
        }
    };
    let is_named = |engagement: &Engagement| {
        engagement.product == product && engagement.name == engagement_name
    };
    let named = last_id(world.engagements.iter(), is_named);
    let engagement = match named {
        Some(id) => id,
        None if creates => add_engagement(world, product, engagement_name, form),
        None => {
            return Err(Refused::Context(format!(
                "Engagement \"{engagement_name}\" does not exist in Product \"{product_name}\""
            )));
        }
    };
    let title = form.text("test_title");
    let test = last_id(world.tests.iter(), |test: &Test| {
        test.engagement == engagement
            && test.scan_type.as_deref() == form.text("scan_type")
            && (title.is_none() || test.title.as_deref() == title)
    });
    if test.is_none() && !creates {
        return Err(missing("Test does not exist"));
    }
    Ok(Target { test })
}

fn last_id<'w, T: 'w>(
    rows: impl Iterator<Item = (u64, &'w T)>,
    is_it: impl Fn(&T) -> bool,
) -> Option<u64> {
    let rows = rows.filter(|(_, row)| is_it(row));
    rows.last().map(|(id, _)| id)
}

fn add_product(world: &mut World, name: &str, type_name: &str) -> u64 {
    let known = last_id(world.product_types.iter(), |kind| kind.name == type_name);
    let product_type = match known {
        Some(id) => id,
        None => world.product_types.add(ProductType {
            name: type_name.to_owned(),
        }),
    };
    world.products.add(Product {
        name: name.to_owned(),
        product_type,
        tags: Vec::new(),
    })
}

fn add_engagement(world: &mut World, product: u64, name: &str, form: &Form) -> u64 {
    let today = Utc::now().date_naive();
    world.engagements.add(Engagement {
        name: name.to_owned(),
        product,
        kind: "CI/CD".to_owned(),
        target_start: today,
        target_end: today + TimeDelta::days(365),
        deduplication_on_engagement: form.flag("deduplication_on_engagement").unwrap_or(false),
    })
}

/// Imports into what was looked up.
pub(super) fn import(world: &mut World, form: &Form, target: Target) -> Result<Value, Refused> {
    let now = Utc::now();
    if let Some(words) = &world.behaviour.refuses {
        return Err(Refused::Report(words.clone()));
    }
    let report = parse(form.file(), 0, now).map_err(|fault| match fault {
        Fault::Refused(words) => Refused::Report(words),
        Fault::Unforeseen => Refused::Unforeseen,
    })?;
    let type_name = match &report.test_type {
        Some(name) => format!("{name} Scan ({GENERIC})"),
        None => GENERIC.to_owned(),
    };
    let test = match target.test {
        Some(test) => {
            let kind = world.tests.get(test).map(|test| test.test_type);
            let kind = kind.and_then(|kind| world.test_types.get(kind));
            if kind.is_none_or(|kind| kind.name != type_name) {
                return Err(Refused::Report(format!("Test type mismatch: {type_name}")));
            }
            test
        }
        None => add_test(world, form, &type_name, now)?,
    };
    let before = target.test.map(|_| statistics(world, test, |_| true));
    let minimum = form.text("minimum_severity").unwrap_or("Info");
    let items = report.findings.into_iter();
    let items = items.filter(|item| rank(&item.finding.severity) <= rank(minimum));
    let items = items.skip(std::mem::take(&mut world.behaviour.loses));
    let mut actions = BTreeMap::new();
    let own: Vec<u64> = findings_of(world, test).map(|(id, _)| id).collect();
    for item in items {
        if item.breaks {
            return Err(Refused::Unforeseen);
        }
        let (id, action) = store(world, test, item, form, target.test.is_some(), now);
        // What a report says of a finding again is no other action.
        actions.entry(id).or_insert(action);
    }
    // A new test has nothing to close.
    if form.flag("close_old_findings").unwrap_or(true) && target.test.is_some() {
        let service = form.text("service");
        for id in own {
            if actions.contains_key(&id) {
                continue;
            }
            let Some(finding) = world.findings.get_mut(id) else {
                continue;
            };
            if finding.service.as_deref() == service && !finding.is_mitigated {
                close(finding, now);
                actions.insert(id, 'C');
            }
        }
    }
    describe(world, test, form, now);
    world.test_imports.add(TestImport {
        test,
        kind: "reimport".to_owned(),
        created: now,
        settings: Map::new(),
        version: form.text("version").map(str::to_owned),
        build_id: form.text("build_id").map(str::to_owned),
        branch_tag: form.text("branch_tag").map(str::to_owned),
        actions: actions.iter().map(|(id, action)| (*id, *action)).collect(),
    });
    Ok(answer(world, form, test, before, &actions))
}

fn add_test(
    world: &mut World,
    form: &Form,
    type_name: &str,
    now: DateTime<Utc>,
) -> Result<u64, Refused> {
    let engagement = last_id(world.engagements.iter(), |engagement| {
        let product = world.products.get(engagement.product);
        product.map(|product| product.name.as_str()) == form.text("product_name")
            && Some(engagement.name.as_str()) == form.text("engagement_name")
    });
    let engagement = engagement.ok_or(Refused::Unforeseen)?;
    let known = last_id(world.test_types.iter(), |kind| kind.name == type_name);
    let test_type = match known {
        Some(id) => id,
        None => world.test_types.add(TestType {
            name: type_name.to_owned(),
        }),
    };
    Ok(world.tests.add(Test {
        title: form.text("test_title").map(str::to_owned),
        engagement,
        test_type,
        scan_type: form.text("scan_type").map(str::to_owned),
        tags: Vec::new(),
        version: None,
        build_id: None,
        commit_hash: None,
        branch_tag: None,
        created: now,
        updated: now,
    }))
}

/// What an import says of the test as a whole.
fn describe(world: &mut World, test: u64, form: &Form, now: DateTime<Utc>) {
    let Some(test) = world.tests.get_mut(test) else {
        return;
    };
    let tags = form.tags();
    if !tags.is_empty() {
        test.tags = tags;
    }
    for (field, name) in [
        (&mut test.version, "version"),
        (&mut test.build_id, "build_id"),
        (&mut test.branch_tag, "branch_tag"),
        (&mut test.commit_hash, "commit_hash"),
    ] {
        if let Some(text) = form.text(name) {
            *field = Some(text.to_owned());
        }
    }
    test.updated = now;
}

fn findings_of(world: &World, test: u64) -> impl Iterator<Item = (u64, &Finding)> {
    let all = world.findings.iter();
    all.filter(move |(_, finding)| finding.test == test)
}

/// Matches one finding of a report, or adds it; what has become of which. The first import into a test matches nothing, not
/// even what it has just added.
fn store(
    world: &mut World,
    test: u64,
    item: Item,
    form: &Form,
    matches: bool,
    now: DateTime<Utc>,
) -> (u64, char) {
    let mut reported = item.finding;
    reported.test = test;
    if let Some(service) = form.text("service") {
        reported.service = Some(service.to_owned());
    }
    if let Some(active) = form.flag("active") {
        reported.active = active;
    }
    if let Some(verified) = form.flag("verified") {
        reported.verified = verified;
    }
    let hash = hash_code(&reported);
    reported.hash_code = Some(hash.clone());
    let same = findings_of(world, test)
        .find(|(_, finding)| matches && finding.hash_code.as_deref() == Some(hash.as_str()));
    let known = same.map(|(id, _)| id);
    let Some((id, known)) = known.and_then(|id| Some((id, world.findings.get_mut(id)?))) else {
        return (world.findings.add(reported), 'N');
    };
    let judged = |finding: &Finding| [finding.false_p, finding.out_of_scope, finding.risk_accepted];
    if judged(known).contains(&true) {
        let differs = judged(known) != judged(&reported);
        if differs && !known.is_mitigated {
            close(known, now);
            return (id, 'C');
        }
        return (id, 'U');
    }
    if known.is_mitigated {
        if reported.is_mitigated || form.flag("do_not_reactivate").unwrap_or(false) {
            return (id, 'U');
        }
        known.is_mitigated = false;
        known.mitigated = None;
        known.active = true;
        known.last_status_update = now;
        return (id, 'R');
    }
    known.vulnerability_ids = reported.vulnerability_ids;
    known.cwes = reported.cwes;
    known.fix_available = reported.fix_available;
    known.fix_version = reported.fix_version;
    known.component_name = known.component_name.take().or(reported.component_name);
    if reported.is_mitigated {
        close(known, now);
        return (id, 'C');
    }
    (id, 'U')
}

pub(super) fn close(finding: &mut Finding, now: DateTime<Utc>) {
    finding.is_mitigated = true;
    finding.mitigated = Some(now);
    finding.active = false;
    finding.last_status_update = now;
}

/// The algorithm of this format where nothing else is set: neither severity nor component nor the scanner's id is in it.
fn hash_code(finding: &Finding) -> String {
    let line = finding.line.map(|line| line.to_string());
    let text = [
        finding.title.as_str(),
        &finding.cwe.unwrap_or(0).to_string(),
        line.as_deref().unwrap_or("None"),
        finding.file_path.as_deref().unwrap_or("None"),
        &finding.description,
        finding.service.as_deref().unwrap_or_default(),
    ];
    let hash = digest(&SHA256, text.concat().to_lowercase().as_bytes());
    hash.as_ref().iter().map(|b| format!("{b:02x}")).collect()
}

fn rank(severity: &str) -> usize {
    let order = ["Critical", "High", "Medium", "Low", "Info"];
    order.iter().position(|word| *word == severity).unwrap_or(4)
}

fn statistics(world: &World, test: u64, wanted: impl Fn(u64) -> bool) -> Value {
    let findings: Vec<_> = findings_of(world, test)
        .filter(|(id, _)| wanted(*id))
        .map(|(_, finding)| finding)
        .collect();
    let of = |severity: Option<&str>| {
        let chosen: Vec<_> = findings
            .iter()
            .filter(|finding| severity.is_none_or(|word| finding.severity == word))
            .collect();
        let many = |flag: fn(&Finding) -> bool| chosen.iter().filter(|f| flag(f)).count();
        json!({
            "active": many(|f| f.active), "verified": many(|f| f.verified), "duplicate": many(|f| f.duplicate),
            "false_p": many(|f| f.false_p), "out_of_scope": many(|f| f.out_of_scope),
            "is_mitigated": many(|f| f.is_mitigated), "risk_accepted": many(|f| f.risk_accepted), "total": chosen.len(),
        })
    };
    json!({
        "info": of(Some("Info")), "low": of(Some("Low")), "medium": of(Some("Medium")), "high": of(Some("High")),
        "critical": of(Some("Critical")), "total": of(None),
    })
}

fn answer(
    world: &World,
    form: &Form,
    test: u64,
    before: Option<Value>,
    actions: &BTreeMap<u64, char>,
) -> Value {
    let after = statistics(world, test, |_| true);
    let statistics = match before {
        None => json!({"after": after}),
        Some(before) if !world.behaviour.import_history => {
            json!({"before": before, "after": after})
        }
        Some(before) => {
            let delta = |action: char| {
                let ids: BTreeSet<_> = actions
                    .iter()
                    .filter(|(_, done)| **done == action)
                    .map(|(id, _)| *id)
                    .collect();
                statistics(world, test, |id| ids.contains(&id))
            };
            json!({"before": before, "after": after, "delta": {
                "created": delta('N'), "closed": delta('C'), "reactivated": delta('R'), "untouched": delta('U')}})
        }
    };
    let engagement = world.engagement_of(test);
    let product = world.product_of(test);
    let kind = product.and_then(|id| world.products.get(id));
    json!({
        "minimum_severity": form.text("minimum_severity").unwrap_or("Info"), "active": false, "verified": false,
        "product_name": form.text("product_name"), "engagement_name": form.text("engagement_name"),
        "test_title": form.text("test_title"), "auto_create_context": form.flag("auto_create_context"),
        "deduplication_execution_mode": null, "test_id": test, "test": test, "engagement_id": engagement,
        "product_id": product, "product_type_id": kind.map(|product| product.product_type),
        "deduplication_complete": false, "scan_type": form.text("scan_type"),
        "close_old_findings": form.flag("close_old_findings").unwrap_or(true),
        "do_not_reactivate": form.flag("do_not_reactivate").unwrap_or(false), "statistics": statistics,
    })
}
