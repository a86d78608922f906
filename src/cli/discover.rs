//! `secpull discover`: a tool's records, and where each would be filed.

use serde::Serialize;

use super::args::DiscoverArguments;
use super::context::Context;
use super::failure::{Exit, Failure};
use super::format::Format;
use super::listing::{self, Listed};
use super::table::{Column, Field};
use crate::config::{ApiConfiguration, Config, ConnectorSpec};
use crate::connectors::{Connector, Connectors, Record, spec_of};

/// A record, as one API configuration sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Discovered {
    id: String,
    name: String,
    detail: Option<String>,
    /// None where no API configuration imports from the tool.
    api_configuration: Option<String>,
    imported: bool,
    /// Where it is filed, or would be.
    product: Option<String>,
    branch: Option<String>,
    service: Option<String>,
    /// Why it is not imported.
    reason: Option<String>,
}

pub(super) async fn run(
    context: &mut Context,
    arguments: &DiscoverArguments,
) -> Result<Exit, Failure> {
    let config = context.load()?;
    let name = &arguments.tool;
    let Some(tool) = config.tools.get(name) else {
        let known = config.tools.keys().map(String::as_str);
        return Err(Failure::unknown("tool", name, known));
    };
    let failed = |error| Failure::failed(format!("tool {name}: {error}"));
    let connector = Connectors::open(&config).get(name).map_err(failed)?;
    let mut records = connector.discover().await.map_err(failed)?;
    records.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));

    let apis: Vec<&ApiConfiguration> = apis_of(&config, name);
    let rows = rows(&records, &apis, spec_of(&tool.connector), &*connector);
    listing::print(&mut context.output, arguments.listing.format, &rows)?;
    if arguments.listing.format == Format::Table {
        let notes = context.output.notes();
        if records.is_empty() {
            notes.line(format!(
                "{name} lists no records: do its credentials have the permissions that secpull connectors {} names?",
                tool.connector
            ));
        }
        if apis.is_empty() {
            notes.line(format!(
                "no API configuration imports from {name} yet; [api_configurations.{name}] with tool = \"{name}\" would \
                 import every record as a product of its own name"
            ));
        }
    }
    Ok(Exit::Complete)
}

fn apis_of<'a>(config: &'a Config, tool: &str) -> Vec<&'a ApiConfiguration> {
    let apis = config.api_configurations.values();
    apis.map(AsRef::as_ref)
        .filter(|api| api.tool == tool)
        .collect()
}

fn rows(
    records: &[Record],
    apis: &[&ApiConfiguration],
    spec: Option<&ConnectorSpec>,
    connector: &dyn Connector,
) -> Vec<Discovered> {
    let seen = |record| {
        let by_apis = apis.iter().map(move |api| {
            let several = spec.and_then(|spec| (spec.reads_several_branches)(&api.settings));
            filed(record, api, several, connector.selects(api, record))
        });
        let by_none = apis.is_empty().then(|| unconfigured(record));
        by_apis.chain(by_none)
    };
    records.iter().flat_map(seen).collect()
}

fn filed(
    record: &Record,
    api: &ApiConfiguration,
    several_branches: Option<&str>,
    selected: bool,
) -> Discovered {
    let reason = reason(record, api, selected);
    let branch = match several_branches {
        Some(key) => Some(format!("each that {key} selects")),
        None => api.labels.branch.clone(),
    };
    Discovered {
        api_configuration: Some(api.name.clone()),
        imported: reason.is_none(),
        product: Some(api.product.clone().unwrap_or_else(|| record.name.clone())),
        branch,
        service: api.labels.service.clone(),
        reason,
        ..unconfigured(record)
    }
}

fn reason(record: &Record, api: &ApiConfiguration, selected: bool) -> Option<String> {
    let name = &api.name;
    let matches = |set: &globset::GlobSet| set.is_match(&record.id) || set.is_match(&record.name);
    if !selected {
        return Some(format!("not selected by the settings of {name}"));
    }
    if api.records.exclude.as_ref().is_some_and(matches) {
        return Some(format!("excluded by {name}'s records.exclude"));
    }
    if api
        .records
        .include
        .as_ref()
        .is_some_and(|set| !matches(set))
    {
        return Some(format!("not in {name}'s records.include"));
    }
    None
}

/// The product is what it would be without further settings.
fn unconfigured(record: &Record) -> Discovered {
    Discovered {
        id: record.id.clone(),
        name: record.name.clone(),
        detail: record.detail.clone(),
        api_configuration: None,
        imported: false,
        product: Some(record.name.clone()),
        branch: None,
        service: None,
        reason: None,
    }
}

impl Discovered {
    /// `Shop, branch main, service checkout`.
    fn place(&self) -> String {
        if let Some(reason) = &self.reason {
            return format!("not imported: {reason}");
        }
        let mut place = self.product.clone().unwrap_or_default();
        for (word, value) in [("branch", &self.branch), ("service", &self.service)] {
            if let Some(value) = value {
                place = format!("{place}, {word} {value}");
            }
        }
        if self.api_configuration.is_none() {
            place = format!("not imported yet; product would be {place}");
        }
        place
    }
}

impl Listed for Discovered {
    const COLUMNS: &'static [Column] = &[
        Column::text("RECORD"),
        Column::text("ID"),
        Column::text("DETAIL"),
        Column::word("API CONFIGURATION"),
        Column::text("FILED AS"),
    ];
    const CSV: &'static [&'static str] = &[
        "id",
        "name",
        "detail",
        "api_configuration",
        "imported",
        "product",
        "branch",
        "service",
        "reason",
    ];

    fn fields(&self) -> Vec<Field> {
        vec![
            (&self.name).into(),
            (&self.id).into(),
            self.detail.as_deref().unwrap_or_default().into(),
            self.api_configuration.as_deref().unwrap_or_default().into(),
            self.place().into(),
        ]
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::config::{Labels, MissingRecords, RecordFilter, ScheduleSetting, Settings};

    fn record(id: &str, name: &str) -> Record {
        Record {
            id: id.to_owned(),
            name: name.to_owned(),
            detail: None,
        }
    }

    fn globs(pattern: &str) -> Option<globset::GlobSet> {
        let mut set = globset::GlobSetBuilder::new();
        set.add(globset::Glob::new(pattern).unwrap());
        Some(set.build().unwrap())
    }

    fn api(product: Option<&str>, records: RecordFilter) -> ApiConfiguration {
        ApiConfiguration {
            name: "shop".to_owned(),
            tool: "dtrack".to_owned(),
            product: product.map(str::to_owned),
            labels: Labels {
                branch: Some("main".to_owned()),
                ..Labels::default()
            },
            records,
            missing_records: MissingRecords::Keep,
            resolve_after: 1,
            automatic_import: true,
            schedule: ScheduleSetting::Daily { hour: 2, minute: 0 },
            run_timeout: Duration::from_secs(60),
            settings: Settings::default(),
            revision: [0; 8],
        }
    }

    #[test]
    fn without_a_product_each_record_is_its_own() {
        let row = filed(
            &record("1", "shop-api"),
            &api(None, RecordFilter::default()),
            None,
            true,
        );
        assert!(row.imported);
        assert_eq!(row.place(), "shop-api, branch main");
    }

    #[test]
    fn a_record_that_is_left_out_says_by_what() {
        let record = record("1", "shop-old");
        let excluded = RecordFilter {
            include: None,
            exclude: globs("*-old"),
        };
        let row = filed(&record, &api(Some("Shop"), excluded), None, true);
        assert!(!row.imported);
        assert_eq!(
            row.place(),
            "not imported: excluded by shop's records.exclude"
        );

        let others = RecordFilter {
            include: globs("pay-*"),
            exclude: None,
        };
        let row = filed(&record, &api(Some("Shop"), others), None, true);
        assert_eq!(row.place(), "not imported: not in shop's records.include");

        let row = filed(
            &record,
            &api(Some("Shop"), RecordFilter::default()),
            None,
            false,
        );
        assert_eq!(
            row.place(),
            "not imported: not selected by the settings of shop"
        );
    }

    #[test]
    fn branches_that_the_tool_names_are_told_as_such() {
        let api = api(Some("Shop"), RecordFilter::default());
        let row = filed(&record("1", "shop-api"), &api, Some("branches"), true);
        assert_eq!(row.place(), "Shop, branch each that branches selects");
    }
}
