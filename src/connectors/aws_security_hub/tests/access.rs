//! Who is let in, and what is said to others.

use secpull_simulators::aws_security_hub::{
    ACCESS_KEY, REGION, SECRET_KEY, SecurityHub as Simulated, many,
};

use super::{HASTY, connector, pull, tool};
use crate::config::{Secret, Settings, Tool, Value};
use crate::connectors::Connector;
use crate::connectors::aws_security_hub::{SecurityHub, open};

/// The answer of STS to whatever it is asked; what it was asked.
async fn sts() -> (String, tokio::task::JoinHandle<String>) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let answering = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = Vec::new();
        while !String::from_utf8_lossy(&request).contains("RoleSessionName=secpull") {
            assert_ne!(stream.read_buf(&mut request).await.unwrap(), 0);
        }
        let body = format!(
            "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult><Credentials>\
             <AccessKeyId>{ACCESS_KEY}</AccessKeyId><SecretAccessKey>{SECRET_KEY}</SecretAccessKey>\
             <SessionToken>role-session</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration>\
             </Credentials></AssumeRoleResult></AssumeRoleResponse>"
        );
        let answer = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: text/xml\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(answer.as_bytes()).await.unwrap();
        String::from_utf8_lossy(&request).into_owned()
    });
    (url, answering)
}

#[tokio::test]
async fn a_role_is_assumed_with_its_external_id() {
    let hub = Simulated::new().findings(many(3)).start().await.unwrap();
    hub.change(|hub| hub.session_token = Some("role-session".to_owned()));
    let (url, asked) = sts().await;
    let mut tool = tool(hub.url());
    for (key, value) in [
        ("role_arn", "arn:aws:iam::444455556666:role/reader"),
        ("external_id", "shared-word"),
        ("sts_location", &url),
    ] {
        tool.settings.insert(key, Value::Text(value.to_owned()));
    }
    let connector = SecurityHub::with_patience(&tool, HASTY).unwrap();
    assert_eq!(pull(&connector).await.unwrap().count(), 3);
    let asked = asked.await.unwrap();
    assert!(asked.contains("ExternalId=shared-word"), "{asked}");
    assert!(asked.contains("role%2Freader"), "{asked}");
}

#[tokio::test]
async fn check_names_the_hub_and_proves_that_findings_can_be_read() {
    let hub = Simulated::new()
        .aggregator(REGION, "SPECIFIED_REGIONS", &["eu-west-1"])
        .start()
        .await
        .unwrap();
    let connector = connector(&hub);
    let line = connector.check(None).await.unwrap();
    assert_eq!(
        line,
        "AWS Security Hub, account 111122223333, us-east-1, home of 2 Regions, findings readable (access key)"
    );
    hub.change(|hub| hub.denied.insert("GetFindings".to_owned()));
    let error = connector.check(None).await.unwrap_err().to_string();
    assert!(
        error.contains("403 AccessDeniedException") && error.contains("securityhub:GetFindings"),
        "{error}"
    );
}

#[tokio::test]
async fn refusals_say_what_to_do_and_hold_no_credential() {
    let hub = Simulated::new().start().await.unwrap();
    let refused = |tool: Tool| async move {
        let connector = SecurityHub::with_patience(&tool, HASTY).unwrap();
        let error = connector.check(None).await.unwrap_err().to_string();
        assert!(
            !error.contains(SECRET_KEY) && !error.contains('\n'),
            "{error}"
        );
        assert!(
            !error.contains("Canonical") && !error.contains("aws4_request"),
            "{error}"
        );
        error
    };
    let mut wrong_secret = tool(hub.url());
    wrong_secret.secret = Some(Secret::new("another+secret/that+is+wrong"));
    let error = refused(wrong_secret).await;
    assert!(
        error.contains("InvalidSignatureException") && error.contains("does not belong"),
        "{error}"
    );

    let mut unknown_key = tool(hub.url());
    unknown_key
        .settings
        .insert("access_key", Value::Text("AKIAUNKNOWNUNKNOWN00".to_owned()));
    let error = refused(unknown_key).await;
    assert!(error.contains("UnrecognizedClientException"), "{error}");

    let mut wrong_region = tool(hub.url());
    wrong_region
        .settings
        .insert("region", Value::Text("eu-west-1".to_owned()));
    assert!(refused(wrong_region).await.contains("Region"));

    hub.change(|hub| hub.enabled = false);
    let error = refused(tool(hub.url())).await;
    assert!(
        error.contains("not subscribed") && error.contains("enabled"),
        "{error}"
    );

    let error = refused(tool("http://127.0.0.1:9")).await;
    assert!(error.contains("connection refused"), "{error}");
}

#[tokio::test]
async fn temporary_credentials_bring_their_token_and_their_end_is_told() {
    let hub = Simulated::new().findings(many(3)).start().await.unwrap();
    hub.change(|hub| hub.session_token = Some("temporary-session".to_owned()));
    let mut tool = tool(hub.url());
    let token = Value::Secret(Secret::new("temporary-session"));
    tool.settings.insert("session_token", token);
    let connector = SecurityHub::with_patience(&tool, HASTY).unwrap();
    assert_eq!(pull(&connector).await.unwrap().count(), 3);
    hub.change(|hub| hub.expired = true);
    let error = pull(&connector).await.unwrap_err().to_string();
    assert!(error.contains("ExpiredTokenException"), "{error}");
}

#[test]
fn a_tool_that_cannot_sign_is_told_so_before_anything_is_sent() {
    let opened = |tool: &Tool| open(tool).err().unwrap().to_string();
    let mut no_secret = tool("https://securityhub.us-east-1.amazonaws.com");
    no_secret.secret = None;
    assert!(opened(&no_secret).contains("put it into secret"));
    let mut no_key = tool("https://securityhub.us-east-1.amazonaws.com");
    no_key.settings = Settings::default();
    assert!(opened(&no_key).contains("access_key"));
    let mut no_region = tool("https://proxy.example.com");
    no_region.settings = Settings::default();
    assert!(opened(&no_region).contains("set region"));
}
