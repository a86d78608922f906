//! Queries are validated and executed as the GraphQL specification says, by a library; here is only what the fields are.

use apollo_compiler::resolvers::{Execution, FieldError, ObjectValue, ResolveInfo, ResolvedValue};
use apollo_compiler::response::JsonMap;
use apollo_compiler::schema::ExtendedType;
use apollo_compiler::validation::Valid;
use apollo_compiler::{ExecutableDocument, Schema};
use serde_json::{Map, Value, json};

use super::{Scan, World};

/// What a request says.
#[derive(Debug, serde::Deserialize)]
pub(super) struct Call {
    pub(super) query: String,
    #[serde(rename = "operationName")]
    pub(super) operation: Option<String>,
    pub(super) variables: Option<Map<String, Value>>,
}

/// The answer to a call, status 200 in every case.
pub(super) fn execute(schema: &Valid<Schema>, world: &World, call: &Call) -> Value {
    let document = match ExecutableDocument::parse_and_validate(schema, &call.query, "query") {
        Ok(document) => document,
        Err(invalid) => {
            let errors: Vec<_> = invalid
                .errors
                .iter()
                .map(|error| refusal(&format!("Validation error: {}", error.error)))
                .collect();
            return json!({"errors": errors});
        }
    };
    // The vendor wants a name on every operation.
    if document.operations.anonymous.is_some() {
        return json!({"errors": [refusal("Validation error: operations must have a name")]});
    }
    let variables = json!(call.variables);
    let variables = serde_json::from_value::<Option<JsonMap>>(variables)
        .ok()
        .flatten()
        .unwrap_or_default();
    let root = Root(world);
    let answer = Execution::new(schema, &document)
        .operation_name(call.operation.as_deref())
        .map(|execution| {
            execution
                .raw_variable_values(&variables)
                .enable_schema_introspection(world.tells_its_schema)
        })
        .and_then(|execution| execution.execute_sync(&root));
    match answer {
        Ok(answer) => json!(answer),
        Err(error) => {
            let message = error.to_graphql_error(&document.sources).message;
            json!({"errors": [refusal(&message)]})
        }
    }
}

fn refusal(message: &str) -> Value {
    json!({"message": message, "extensions": {"classification": "ValidationError"}})
}

struct Root<'a>(&'a World);

impl ObjectValue for Root<'_> {
    fn type_name(&self) -> &'static str {
        "Query"
    }

    fn resolve_field<'a>(
        &'a self,
        info: &'a ResolveInfo<'a>,
    ) -> Result<ResolvedValue<'a>, FieldError> {
        let world = self.0;
        match info.field_name() {
            "site_tree" => Ok(ResolvedValue::object(Fields::new("SiteTree", world.tree()))),
            "scan" => {
                let id = text(info, "id");
                let scan = world
                    .scans
                    .iter()
                    .find(|scan| Some(&scan.id) == id.as_ref());
                Ok(ResolvedValue::nullable_object(
                    scan.map(|scan| Scanned(scan, world)),
                ))
            }
            "scans" => Ok(ResolvedValue::list(
                scans(info, world)
                    .into_iter()
                    .map(|scan| ResolvedValue::object(Scanned(scan, world))),
            )),
            _ => Err(self.unknown_field_error(info)),
        }
    }
}

/// The scans that the arguments ask for. Without a sort column they come as they are.
fn scans<'a>(info: &ResolveInfo<'_>, world: &'a World) -> Vec<&'a Scan> {
    let target = text(info, "scan_target_id").or_else(|| text(info, "site_id"));
    let schedule = text(info, "schedule_item_id");
    let statuses: Option<Vec<String>> = info
        .arguments()
        .get("scan_status")
        .and_then(|list| list.as_array())
        .map(|list| {
            list.iter()
                .filter_map(|s| s.as_str())
                .map(str::to_owned)
                .collect()
        });
    let mut scans: Vec<_> = world
        .scans
        .iter()
        .filter(|scan| target.as_ref().is_none_or(|id| scan.site == *id))
        .filter(|scan| schedule.is_none() || scan.schedule == schedule)
        .filter(|scan| {
            statuses
                .as_ref()
                .is_none_or(|list| list.contains(&scan.status))
        })
        .collect();
    if text(info, "sort_column").as_deref() == Some("start") {
        scans.sort_by(|a, b| a.start.cmp(&b.start));
        if text(info, "sort_order").as_deref() == Some("desc") {
            scans.reverse();
        }
    }
    let number = |name| whole(info, name).and_then(|n| usize::try_from(n).ok());
    let kept = scans.into_iter().skip(number("offset").unwrap_or(0));
    kept.take(number("limit").unwrap_or(usize::MAX)).collect()
}

struct Scanned<'a>(&'a Scan, &'a World);

impl ObjectValue for Scanned<'_> {
    fn type_name(&self) -> &'static str {
        "Scan"
    }

    fn resolve_field<'a>(
        &'a self,
        info: &'a ResolveInfo<'a>,
    ) -> Result<ResolvedValue<'a>, FieldError> {
        let Self(scan, world) = self;
        let site = world.sites.iter().find(|site| site.id == scan.site);
        let name = site.map_or("deleted", |site| site.name.as_str());
        match info.field_name() {
            "id" => Ok(ResolvedValue::leaf(scan.id.as_str())),
            "site_id" => Ok(ResolvedValue::leaf(scan.site.as_str())),
            "site_name" => Ok(ResolvedValue::leaf(name)),
            "status" => Ok(ResolvedValue::leaf(scan.status.as_str())),
            "start_time" => Ok(ResolvedValue::leaf(scan.start.as_str())),
            "end_time" => Ok(scan
                .end
                .as_deref()
                .map_or_else(ResolvedValue::null, ResolvedValue::leaf)),
            "scan_target" => {
                let from_pipeline = site.is_some_and(|site| site.from_pipeline);
                let kind = if from_pipeline { "cids_site" } else { "site" };
                let target = json!({"id": scan.site, "name": name, "type": kind});
                Ok(ResolvedValue::object(Fields::new("ScanTarget", target)))
            }
            "issue_counts" => {
                let counts = json!({"total": scan.total()});
                Ok(ResolvedValue::object(Fields::new("IssueCounts", counts)))
            }
            "issues" if world.lists_no_issues => Ok(ResolvedValue::null()),
            "issues" => {
                let start = whole(info, "start").unwrap_or(0).max(0).unsigned_abs();
                let count = whole(info, "count").unwrap_or(0).max(0).unsigned_abs();
                let count = count.min(world.page_cap);
                let places = start..start.saturating_add(count).min(scan.len());
                Ok(ResolvedValue::list(places.filter_map(|place| {
                    let issue = scan.issue(place)?;
                    Some(ResolvedValue::object(Fields::new("Issue", issue)))
                })))
            }
            _ => Err(self.unknown_field_error(info)),
        }
    }
}

/// An object whose fields are there already.
struct Fields {
    kind: String,
    fields: Value,
}

impl Fields {
    fn new(kind: &str, fields: Value) -> Self {
        let own = fields["__typename"].as_str().unwrap_or(kind).to_owned();
        Self { kind: own, fields }
    }
}

impl ObjectValue for Fields {
    fn type_name(&self) -> &str {
        &self.kind
    }

    fn resolve_field<'a>(
        &'a self,
        info: &'a ResolveInfo<'a>,
    ) -> Result<ResolvedValue<'a>, FieldError> {
        let field = &self.fields[info.field_name()];
        let kind = info.field_definition().ty.inner_named_type();
        let is_leaf = matches!(
            info.schema().types.get(kind),
            Some(ExtendedType::Scalar(_) | ExtendedType::Enum(_))
        );
        Ok(resolved(field, kind.as_str(), is_leaf))
    }
}

fn resolved<'a>(value: &Value, kind: &str, is_leaf: bool) -> ResolvedValue<'a> {
    match value {
        Value::Array(items) => {
            let items: Vec<_> = items
                .iter()
                .map(|item| resolved(item, kind, is_leaf))
                .collect();
            ResolvedValue::list(items)
        }
        Value::Object(_) if !is_leaf => ResolvedValue::object(Fields::new(kind, value.clone())),
        leaf => ResolvedValue::leaf(leaf.clone()),
    }
}

fn text(info: &ResolveInfo<'_>, name: &str) -> Option<String> {
    let value = info.arguments().get(name)?;
    value.as_str().map(str::to_owned)
}

fn whole(info: &ResolveInfo<'_>, name: &str) -> Option<i64> {
    info.arguments().get(name)?.as_i64()
}
