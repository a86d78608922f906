//! The shop in Checkmarx One: every sort of result, and the scans that one meets.

use serde_json::{Value, json};

use crate::checkmarx_one::{Project, Scan};
use crate::random::Random;

/// Two projects. `acme/shop` has a scan by SAST and SCA on main, an older one by the other engines, newer ones that failed, and a
/// branch `release/1` with a finding that main has too; `acme/tools` was never scanned.
#[must_use]
pub fn checkmarx_shop() -> Vec<Project> {
    let newest = Scan::new("main", 10, &["sast", "sca"]).with(code_and_packages());
    let older = Scan::new(
        "main",
        8,
        &["kics", "containers", "microengines", "sast", "sca"],
    )
    .with(everything_else());
    let mut failed = Scan::new("main", 12, &["sast", "sca", "kics"]).status("Failed");
    failed.failed = vec!["sast".to_owned()];
    let mut partial = Scan::new("main", 11, &["sast", "sca"]).status("Partial");
    partial.failed = vec!["sca".to_owned()];
    let release = Scan::new("release/1", 11, &["sast"]).with(vec![sql_injection(44)]);
    vec![
        Project::new("acme/shop", "main")
            .with(newest)
            .with(older)
            .with(failed)
            .with(partial)
            .with(release),
        Project::new("acme/tools", ""),
    ]
}

/// The same path through the code wherever it stands: its hash does not change with the line.
fn sql_injection(line: u32) -> Value {
    sast(
        "vu/B9/LA3CAJTW+YXs3WsnzYc14=",
        "SQL_Injection",
        "/src/App.java",
        line,
    )
}

/// A result of SAST of severity HIGH.
#[must_use]
pub fn sast(hash: &str, query: &str, file: &str, line: u32) -> Value {
    json!({
        "type": "sast", "id": hash, "similarityId": "-624652752", "status": "RECURRENT", "state": "TO_VERIFY",
        "severity": "HIGH", "confidenceLevel": 0, "created": "2026-11-10T06:09:05Z",
        "firstFoundAt": "2026-04-08T17:07:12Z", "foundAt": "2026-11-10T06:09:05Z",
        "firstScanId": "06befdb0-0c91-4cfd-9e6b-dc447cf3c4fc",
        "description": "The method gets data from outside,\r\nand it reaches a query unchecked.",
        "data": {
            "queryId": 12_956_636_075_206_043_460_u64, "queryName": query, "group": "Java_High_Risk",
            "resultHash": hash, "languageName": "Java",
            "nodes": [
                {"id": "R18g=", "line": line, "column": 29, "length": 3, "name": "get", "method": "main",
                 "methodLine": 14, "nodeID": 1227, "domType": "MethodInvokeExpr", "fileName": file,
                 "fullName": "a.get", "typeName": "get", "definitions": "0"},
                {"id": "R19g=", "line": line + 40, "column": 9, "length": 7, "name": "execute", "method": "query",
                 "methodLine": 80, "nodeID": 1301, "domType": "MethodInvokeExpr", "fileName": "/src/Db.java",
                 "fullName": "db.execute", "typeName": "execute", "definitions": "0"}
            ]
        },
        "comments": {}, "vulnerabilityDetails": {"cweId": 89, "compliances": ["OWASP Top 10 2021"]}
    })
}

fn lodash(package: &str, recommended: &str) -> Value {
    json!({
        "type": "sca", "scaType": "Vulnerability", "id": "CVE-2021-23337", "similarityId": "CVE-2021-23337",
        "status": "NEW", "state": "CONFIRMED", "severity": "HIGH", "created": "2026-11-10T06:09:05Z",
        "firstFoundAt": "2026-05-01T10:00:00Z", "foundAt": "2026-11-10T06:09:05Z",
        "updateAt": "2026-11-11T09:30:00Z", "firstScanId": "06befdb0-0c91-4cfd-9e6b-dc447cf3c4fc",
        "description": "Commands can be injected through template.",
        "data": {
            "packageIdentifier": package, "publishedAt": "2021-02-15T13:15:00Z", "recommendations": "",
            "recommendedVersion": recommended, "exploitableMethods": null,
            "packageData": [{"url": "https://example.com/advisories/CVE-2021-23337", "type": "Advisory", "comment": ""}]
        },
        "comments": {"comments": ""},
        "vulnerabilityDetails": {
            "cvssScore": 7.199_999_809_265_137, "cveName": "CVE-2021-23337", "cweId": "CWE-94",
            "cvss": {"version": 3, "attackVector": "NETWORK", "attackComplexity": "LOW", "privilegesRequired": "HIGH",
                "userInteraction": "NONE", "scope": "UNCHANGED", "confidentiality": "HIGH", "integrityImpact": "HIGH",
                "availability": "HIGH"}
        }
    })
}

fn code_and_packages() -> Vec<Value> {
    let mut judged = sast("jU1dgeDHash0=", "Reflected_XSS", "/src/Page.java", 7);
    judged["state"] = json!("NOT_EXPLOITABLE");
    judged["severity"] = json!("MEDIUM");
    judged["vulnerabilityDetails"] = json!({"cweId": 79, "compliances": null});
    // A second path with the same similarity, and no description.
    let mut second = sast("s3condPath0=", "SQL_Injection", "/src/Cart.java", 12);
    second["state"] = json!("URGENT ");
    second["description"] = Value::Null;
    let mut fixed = sast("f1xedHash000=", "Path_Traversal", "/src/Files.java", 3);
    fixed["status"] = json!("FIXED");
    let own = json!({
        "type": "sca", "id": "Cxda14f253-4e52", "similarityId": "Cxda14f253-4e52", "status": "RECURRENT",
        "state": "ACCEPTED_BY_CISO", "severity": "LOW", "firstFoundAt": "0001-01-01T00:00:00Z",
        "foundAt": "2026-11-10T06:09:05Z", "description": "Memory leak",
        "data": {"packageIdentifier": "Npm-bluebird-3.7.2", "recommendations": "", "recommendedVersion": "",
            "packageData": null},
        "comments": {"comments": ""},
        "vulnerabilityDetails": {"cvssScore": 3.700_000_047_683_716, "cveName": "CWE-401", "cweId": "CWE-401",
            "cvss": {"version": 3, "attackVector": "NETWORK", "attackComplexity": "HIGH", "availability": "LOW"}}
    });
    vec![
        sql_injection(50),
        second,
        judged,
        fixed,
        lodash("Npm-lodash-4.17.15", "4.17.21"),
        lodash("Npm-lodash-es-4.17.15", "4.17.21"),
        own,
    ]
}

/// What the older scan has that counts, and what of it does not because a newer one has looked.
fn everything_else() -> Vec<Value> {
    vec![
        sast("0utdatedHash=", "Old_News", "/src/Old.java", 1),
        json!({
            "type": "kics", "id": "704597058", "similarityId": "05bdd0124158e318", "status": "NEW", "state": "TO_VERIFY",
            "severity": "MEDIUM", "firstFoundAt": "2026-10-01T00:00:00Z", "foundAt": "2026-11-08T06:09:05Z",
            "description": "Actions should be pinned to a hash.",
            "data": {"queryId": "555ab8f9-2001-455e-a077-f2d0f41e2fb9 [Taken from query_id]",
                "queryName": "Unpinned Actions [Taken from query_name]", "group": "Supply-Chain [Taken from category]",
                "queryUrl": "https://example.com/kics/unpinned", "fileName": "/.github/workflows/ci.yaml", "line": 17,
                "platform": "CICD", "issueType": "IncorrectValue", "expectedValue": "Action pinned to a hash",
                "value": "Action pinned to a tag"},
            "comments": {}, "vulnerabilityDetails": {}
        }),
        json!({
            "type": "containers", "id": "CVE-2023-5363", "similarityId": "x", "status": "RECURRENT",
            "state": "PROPOSED_NOT_EXPLOITABLE", "severity": "CRITICAL", "firstFoundAt": "2026-10-02T00:00:00Z",
            "foundAt": "2026-11-08T06:09:05Z", "description": "Key and IV lengths are taken over wrongly.",
            "data": {"packageName": "openssl", "packageVersion": "3.0.11-1~deb12u1",
                "imageName": "registry.example.com/shop/web", "imageTag": "1.2", "imageFilePath": "/Dockerfile",
                "imageOrigin": "Dockerfile", "packageData": [{"url": "https://example.com/advisories/CVE-2023-5363"}]},
            "vulnerabilityDetails": {"cvssScore": 7.5, "cveName": "CVE-2023-5363", "cweId": "",
                "cvss": {"attack_vector": "NETWORK", "attack_complexity": "LOW", "privileges_required": "NONE",
                    "user_interaction": "NONE", "scope": "UNCHANGED", "confidentiality": "HIGH",
                    "integrity_impact": "NONE", "availability": "NONE"}}
        }),
        json!({
            "type": "sscs-secret-detection", "id": "1", "similarityId": "5ecre7", "status": "NEW", "state": "TO_VERIFY",
            "severity": "HIGH", "firstFoundAt": "2026-10-03T00:00:00Z", "foundAt": "2026-11-08T06:09:05Z",
            "data": {"ruleId": "aws-access-key", "ruleName": "AWS access key", "ruleDescription": "A key in the code.",
                "snippet": "AWS_SECRET=wJalrNotARealSecret", "fileName": "/deploy.sh", "line": 3, "slsaStep": "Source",
                "validity": "Unknown", "remediation": "Revoke the key.",
                "remediationLink": "https://example.com/revoke", "commitUrl": "https://example.com/commit/1"}
        }),
        json!({
            "type": "sscs-scorecard", "id": "2", "similarityId": "5c0re", "status": "NEW", "state": "TO_VERIFY",
            "severity": "INFO", "firstFoundAt": "2026-10-04T00:00:00Z", "foundAt": "2026-11-08T06:09:05Z",
            "data": {"ruleId": "branch-protection", "ruleName": "Branch protection",
                "ruleDescription": "The main branch is not protected.", "slsaStep": "Source"}
        }),
    ]
}

/// Results that are made when they are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManyResults {
    count: u64,
    seed: u64,
}

/// `count` results of SAST of about 1 KB of JSON each; the same for the same seed.
#[must_use]
pub fn many_results(count: u64, seed: u64) -> ManyResults {
    ManyResults { count, seed }
}

impl ManyResults {
    /// How many.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.count
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The one of a number.
    #[must_use]
    pub fn result(&self, number: u64) -> Value {
        let mut random = Random::new(self.seed, number);
        let query = random.pick(&["SQL_Injection", "Reflected_XSS", "Path_Traversal", "SSRF"]);
        let line = u32::try_from(number % 900).unwrap_or(0) + 1;
        let file = format!("/src/generated/Part{}.java", number / 900);
        let mut result = sast(
            &format!("{:016x}{number:08x}=", random.next()),
            query,
            &file,
            line,
        );
        result["severity"] = json!(random.pick(&["CRITICAL", "HIGH", "MEDIUM", "LOW", "INFO"]));
        result
    }
}
