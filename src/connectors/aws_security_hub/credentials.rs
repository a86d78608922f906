//! Where the signature's keys come from.

use aws_config::default_provider::credentials::DefaultCredentialsChain;
use aws_config::provider_config::ProviderConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_sdk_securityhub::config::{
    Credentials, Region, SharedAsyncSleep, SharedCredentialsProvider,
};
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_async::time::SystemTimeSource;

use super::wire::Wire;
use crate::config::{Secret, Tool};

/// Where this program's credentials come from, in the SDK's messages; and the name of its sessions in an assumed role.
const NAME: &str = "secpull";

/// The tool's settings for credentials.
#[derive(Debug, Clone)]
pub(super) struct Source {
    keys: Option<Keys>,
    role: Option<Role>,
    region: Region,
}

#[derive(Debug, Clone)]
struct Keys {
    access_key: String,
    secret: Secret,
    session_token: Option<Secret>,
}

#[derive(Debug, Clone)]
struct Role {
    arn: String,
    external_id: Option<String>,
    sts_location: Option<String>,
}

impl Source {
    /// # Errors
    /// Access key without secret, or the reverse.
    pub(super) fn of(tool: &Tool, region: &str) -> Result<Self, String> {
        let settings = &tool.settings;
        let text = |key| settings.text(key).map(str::to_owned);
        let keys = match (text("access_key"), tool.secret.clone()) {
            (Some(access_key), Some(secret)) => Some(Keys {
                access_key,
                secret,
                session_token: settings.secret("session_token").cloned(),
            }),
            (None, None) => None,
            (Some(_), None) => {
                return Err(
                    "access_key is set, and the secret access key that belongs to it is missing; put it into secret, or leave both out for AWS's default provider chain"
                        .to_owned(),
                );
            }
            (None, Some(_)) => {
                return Err(
                    "secret is set, and the access key id that belongs to it is missing; put it into access_key, or leave both out for AWS's default provider chain"
                        .to_owned(),
                );
            }
        };
        let role = text("role_arn").map(|arn| Role {
            arn,
            external_id: text("external_id"),
            sts_location: text("sts_location"),
        });
        Ok(Self {
            keys,
            role,
            region: Region::new(region.to_owned()),
        })
    }

    /// Whether new credentials can be had when the old ones have expired.
    pub(super) fn renews(&self) -> bool {
        self.keys.is_none() || self.role.is_some()
    }

    /// What people call it.
    pub(super) fn describe(&self) -> &'static str {
        match (&self.keys, &self.role) {
            (Some(_), None) => "access key",
            (Some(_), Some(_)) => "access key and role",
            (None, None) => "default provider chain",
            (None, Some(_)) => "default provider chain and role",
        }
    }

    /// What provides them. Asks nobody yet.
    pub(super) async fn provider(&self, wire: &Wire) -> SharedCredentialsProvider {
        let base = match &self.keys {
            Some(keys) => SharedCredentialsProvider::new(Credentials::new(
                keys.access_key.as_str(),
                keys.secret.expose(),
                keys.session_token
                    .as_ref()
                    .map(|token| token.expose().to_owned()),
                None,
                NAME,
            )),
            None => {
                let config = ProviderConfig::without_region()
                    .with_behavior_version(Some(BehaviorVersion::latest()))
                    .with_http_client(wire.clone());
                let chain = DefaultCredentialsChain::builder()
                    .configure(config)
                    .region(self.region.clone());
                SharedCredentialsProvider::new(chain.build().await)
            }
        };
        match &self.role {
            None => base,
            Some(role) => SharedCredentialsProvider::new(self.assume(role, base, wire).await),
        }
    }

    async fn assume(
        &self,
        role: &Role,
        base: SharedCredentialsProvider,
        wire: &Wire,
    ) -> AssumeRoleProvider {
        let mut config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .http_client(wire.clone())
            // Given by nobody else, and the provider panics without the first.
            .time_source(SystemTimeSource::new())
            .sleep_impl(SharedAsyncSleep::new(TokioSleep::new()))
            .region(self.region.clone());
        config.set_endpoint_url(role.sts_location.clone());
        let mut provider = AssumeRoleProvider::builder(&role.arn)
            .session_name(NAME)
            .region(self.region.clone())
            .configure(&config.build());
        if let Some(external_id) = &role.external_id {
            provider = provider.external_id(external_id);
        }
        provider.build_from_provider(base).await
    }
}
