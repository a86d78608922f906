//! Rules. Those whose key begins with `generated:` are all alike.

use serde_json::{Value, json};

/// A rule as `rules/show` has it; `standards` are told by the search alone.
pub(super) fn rule(key: &str) -> Option<Value> {
    let (name, sections) = match key {
        "java:S3649" => (
            "Database queries should not be vulnerable to injection attacks",
            json!([
                {"key": "introduction", "content": "<p>Queries that are put together from input can be changed by it.</p>"},
                {"key": "root_cause", "content": "<h4>Why is this an issue?</h4><p>The input is <b>not</b> checked.</p>"},
                {"key": "how_to_fix", "content": "<p>Use <code>PreparedStatement</code>.</p>",
                 "context": {"key": "java_se", "displayName": "Java SE"}},
                {"key": "how_to_fix", "content": "<p>Use parameters of Spring JDBC.</p>",
                 "context": {"key": "spring_jdbc", "displayName": "Spring JDBC"}},
                {"key": "resources", "content": "<ul><li><a href=\"https://cwe.mitre.org/data/definitions/89\">CWE-89</a></li><li>CWE-20</li></ul>"},
            ]),
        ),
        "java:S2068" => (
            "Credentials should not be hard-coded",
            json!([
                {"key": "root_cause", "content": "<p>Credentials in code are found by others.</p>"},
                {"key": "assess_the_problem", "content": "<p>Ask whether it is one.</p>"},
                {"key": "how_to_fix", "content": "<p>Store it elsewhere.</p>"},
                {"key": "resources", "content": "<p>CWE-798</p>"},
            ]),
        ),
        key if key.starts_with("generated:") => (
            "A generated rule",
            json!([
                {"key": "root_cause", "content": "<p>There is a reason.</p>"},
                {"key": "how_to_fix", "content": "<p>There is a way.</p>"},
                {"key": "resources", "content": "<p>CWE-79</p>"},
            ]),
        ),
        // Made by hand from a template, with one text of old.
        "custom:old" => {
            return Some(json!({
                "key": key, "repo": "custom", "name": "An old rule", "isExternal": false, "status": "READY",
                "htmlDesc": "<p>One text, see CWE-477 and <a href=\"https://example.com/old\">this</a>.</p>",
                "sysTags": [], "tags": [], "lang": "java", "langName": "Java", "type": "CODE_SMELL", "severity": "MAJOR",
            }));
        }
        "external_lint:E1" => {
            return Some(json!({
                "key": key, "repo": "external_lint", "name": "lint:E1", "isExternal": true, "sysTags": [], "tags": [],
            }));
        }
        _ => return None,
    };
    Some(json!({
        "key": key, "repo": key.split(':').next(), "name": name, "severity": "MAJOR", "status": "READY", "isTemplate": false,
        "tags": [], "sysTags": ["cwe"], "lang": "java", "langName": "Java", "scope": "MAIN", "isExternal": false,
        "type": "VULNERABILITY", "descriptionSections": sections,
    }))
}

/// What the search tells beside.
pub(super) fn standards(key: &str) -> Value {
    match key {
        "java:S3649" => json!(["cwe:20", "cwe:564", "cwe:89", "owaspTop10:a1"]),
        "java:S2068" => json!(["cwe:798"]),
        key if key.starts_with("generated:") => json!(["cwe:79"]),
        _ => json!([]),
    }
}
