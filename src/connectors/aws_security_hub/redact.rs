//! Takes credentials out of the vendor's JSON: details of resources hold the environment of functions, tasks and builds, and
//! the start-up scripts of machines, and people put passwords there.

use serde_json::Value;

const HIDDEN: &str = "***";

/// Members that hold an environment, with their values by name (`Variables`), or as a list of `Name` and `Value`.
const ENVIRONMENTS: [&str; 3] = ["Environment", "EnvironmentVariables", "Variables"];

/// Members that are hidden whole.
const SCRIPTS: [&str; 1] = ["UserData"];

/// The finding's JSON; as it came, unless there is something to hide.
pub(super) fn redact(raw: &str) -> String {
    let suspicious = raw.contains("\"Environment") || raw.contains("\"UserData\"");
    let parsed = suspicious.then(|| serde_json::from_str::<Value>(raw));
    match parsed {
        Some(Ok(mut finding)) => {
            if hide(&mut finding) {
                finding.to_string()
            } else {
                raw.to_owned()
            }
        }
        _ => raw.to_owned(),
    }
}

/// Hides what is to be hidden anywhere in a value; whether there was something.
fn hide(value: &mut Value) -> bool {
    match value {
        Value::Array(list) => list
            .iter_mut()
            .fold(false, |found, item| hide(item) | found),
        Value::Object(object) => object.iter_mut().fold(false, |found, (key, value)| {
            let hidden = if SCRIPTS.contains(&key.as_str()) {
                hide_text(value)
            } else if ENVIRONMENTS.contains(&key.as_str()) {
                hide_environment(value)
            } else {
                hide(value)
            };
            hidden | found
        }),
        _ => false,
    }
}

fn hide_environment(value: &mut Value) -> bool {
    match value {
        // Deeper: `Environment` of a function holds `Variables`, that of a build `EnvironmentVariables`.
        Value::Object(object) if object.keys().any(|key| is_environment(key)) => hide(value),
        Value::Object(object) => object
            .values_mut()
            .fold(false, |found, value| hide_text(value) | found),
        Value::Array(list) => list.iter_mut().fold(false, |found, item| {
            let hidden = item.get_mut("Value").is_some_and(hide_text);
            hidden | found
        }),
        _ => false,
    }
}

fn is_environment(key: &str) -> bool {
    ENVIRONMENTS.contains(&key)
}

fn hide_text(value: &mut Value) -> bool {
    let is_text = value.is_string();
    if is_text {
        *value = HIDDEN.into();
    }
    is_text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn environments_and_start_up_scripts_are_hidden_and_the_rest_stays() {
        let raw = r#"{"Id":"1","Resources":[{"Type":"AwsLambdaFunction","Details":{"AwsLambdaFunction":{"FunctionName":"f","Environment":{"Variables":{"DB_PASSWORD":"hunter2"}}}}},{"Details":{"AwsEcsTaskDefinition":{"ContainerDefinitions":[{"Name":"web","Environment":[{"Name":"KEY","Value":"hunter3"}]}]},"AwsCodeBuildProject":{"Environment":{"EnvironmentVariables":[{"Name":"T","Value":"hunter4"}],"Type":"LINUX"}},"AwsEc2LaunchTemplate":{"LaunchTemplateData":{"UserData":"aHVudGVyNQ=="}}}}]}"#;
        let redacted = redact(raw);
        for secret in ["hunter2", "hunter3", "hunter4", "aHVudGVyNQ=="] {
            assert!(!redacted.contains(secret), "{secret}");
        }
        for kept in ["DB_PASSWORD", "\"KEY\"", "\"web\"", "LINUX", "\"Id\":\"1\""] {
            assert!(redacted.contains(kept), "{kept}: {redacted}");
        }
    }

    #[test]
    fn json_without_them_is_kept_byte_by_byte() {
        for raw in [
            r#"{ "b" : 1.0, "a" : "x" }"#,
            r#"{"Title":"Environment","Details":{"Environment":"prod"}}"#,
        ] {
            assert_eq!(redact(raw), raw);
        }
    }
}
