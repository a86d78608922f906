#![allow(clippy::unwrap_used)]

use reqwest::StatusCode;

use super::*;

#[tokio::test]
async fn what_is_not_signed_gets_nothing() {
    let hub = SecurityHub::new().start().await.unwrap();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let ask = |authorization: &'static str| {
        client
            .get(format!("{}/accounts", hub.url()))
            .header("authorization", authorization)
            .send()
    };
    for authorization in [
        "Bearer x",
        "AWS4-HMAC-SHA256 Credential=AKIA/20260101/us-east-1/securityhub/aws4_request",
    ] {
        let answer = ask(authorization).await.unwrap();
        assert_eq!(answer.status(), StatusCode::FORBIDDEN);
        assert_eq!(
            answer.headers()["x-amzn-errortype"],
            "IncompleteSignatureException"
        );
    }
}

#[test]
fn the_samples_have_what_the_format_requires() {
    for finding in samples().iter().chain(&many(3)) {
        for member in [
            "SchemaVersion",
            "Id",
            "ProductArn",
            "GeneratorId",
            "AwsAccountId",
            "CreatedAt",
            "UpdatedAt",
            "Title",
            "Description",
        ] {
            assert!(finding[member].is_string(), "{member}");
        }
        assert!(!finding["Resources"].as_array().unwrap().is_empty());
    }
}
