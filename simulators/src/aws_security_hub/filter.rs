//! The filters of GetFindings that secpull may send; others are refused, so that none is ignored by mistake.

use serde_json::Value;

use super::answer::Refusal;

/// Most values of one attribute.
const MAX_VALUES: usize = 20;

/// Whether a finding passes: all attributes, any value of each.
pub(super) fn passes(filters: &Value, finding: &Value) -> Result<bool, Refusal> {
    let Some(attributes) = filters.as_object() else {
        return Err(Refusal::invalid("Filters must be an object"));
    };
    let mut all = true;
    for (name, values) in attributes {
        if !matches!(name.as_str(), "AwsAccountId" | "Region" | "RecordState") {
            return Err(Refusal::invalid(format!("{name} is not simulated")));
        }
        let values = values.as_array().map(Vec::as_slice).unwrap_or_default();
        if values.is_empty() || values.len() > MAX_VALUES {
            return Err(Refusal::invalid(format!("{name} takes 1 to 20 values")));
        }
        let mut any = false;
        for value in values {
            if value["Comparison"] != "EQUALS" {
                return Err(Refusal::invalid("only EQUALS is simulated"));
            }
            any |= finding[name] == value["Value"];
        }
        all &= any;
    }
    Ok(all)
}
