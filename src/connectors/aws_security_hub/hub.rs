//! One hub: the SDK's client, and the four calls that the least-privilege policy allows.

use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_securityhub::Client as Sdk;
use aws_sdk_securityhub::config::http::HttpResponse;
use aws_sdk_securityhub::config::interceptors::BeforeDeserializationInterceptorContextMut;
use aws_sdk_securityhub::config::retry::{RetryConfig, RetryPartition, TokenBucket};
use aws_sdk_securityhub::config::timeout::TimeoutConfig;
use aws_sdk_securityhub::config::{
    BehaviorVersion, Config, ConfigBag, IdentityCache, Intercept, Region, RuntimeComponents,
    StalledStreamProtectionConfig,
};
use aws_sdk_securityhub::error::{BoxError, ProvideErrorMetadata, SdkError};
use aws_sdk_securityhub::types::{AwsSecurityFindingFilters, SortCriterion, SortOrder};

use super::credentials::Source;
use super::failure::{self, Trouble};
use super::pace::Pace;
use super::retry::{Impatience, Patience};
use super::wire::Wire;
use crate::http::Client;

/// Most findings on one page (GetFindings). Its default is not documented, so it is always said.
pub(super) const PAGE: i32 = 100;

/// A hub as one run, or one check, sees it.
#[derive(Clone)]
pub(super) struct Hub {
    sdk: Sdk,
    client: Client,
    pace: Arc<Pace>,
    /// Host of the endpoint, for messages.
    host: String,
    renews: bool,
}

/// How a hub is reached.
pub(super) struct Endpoint {
    pub(super) url: String,
    pub(super) host: String,
    pub(super) region: String,
    /// Name of the tool.
    pub(super) tool: String,
    pub(super) credentials: Source,
    pub(super) patience: Patience,
}

impl Endpoint {
    /// The SDK's configuration. Nothing but the tool's settings is in it: no environment, no profile.
    pub(super) async fn config(&self, wire: &Wire) -> Config {
        // Own tokens, and no end of them: else one tool's bad day takes the retries away from all others of its Region. The
        // number of attempts bounds them.
        let retries = RetryPartition::custom(self.tool.clone())
            .token_bucket(TokenBucket::unlimited())
            .build();
        let patience = &self.patience;
        Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(self.region.clone()))
            .endpoint_url(&self.url)
            .credentials_provider(self.credentials.provider(wire).await)
            .identity_cache(IdentityCache::lazy().build())
            .http_client(wire.clone())
            .retry_config(
                RetryConfig::standard()
                    .with_max_attempts(patience.attempts)
                    .with_initial_backoff(patience.first)
                    .with_max_backoff(patience.longest),
            )
            .retry_partition(retries)
            .retry_classifier(Impatience)
            // The wire keeps the time limits, for each attempt and for silence.
            .timeout_config(TimeoutConfig::disabled())
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .build()
    }
}

/// What DescribeHub says.
pub(super) struct Described {
    pub(super) account: String,
    pub(super) region: String,
}

/// What a finding aggregator says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Aggregator {
    /// The home Region.
    pub(super) home: String,
    /// ALL_REGIONS, ALL_REGIONS_EXCEPT_SPECIFIED, SPECIFIED_REGIONS, NO_REGIONS.
    pub(super) mode: String,
    /// Linked Regions; with ALL_REGIONS_EXCEPT_SPECIFIED those that are not.
    pub(super) regions: Vec<String>,
}

impl Hub {
    pub(super) fn new(
        config: &Config,
        wire: &Wire,
        client: Client,
        endpoint: &Endpoint,
        pace: Arc<Pace>,
    ) -> Self {
        let config = config.to_builder().http_client(wire.by(client.clone()));
        Self {
            sdk: Sdk::from_conf(config.build()),
            client,
            pace,
            host: endpoint.host.clone(),
            renews: endpoint.credentials.renews(),
        }
    }

    /// Account and Region of the hub; proves the credentials, and that Security Hub is on.
    pub(super) async fn describe(&self) -> Result<Described, Trouble> {
        let answer = self.sdk.describe_hub().send().await;
        let answer = answer.map_err(|error| self.failed("DescribeHub", &error))?;
        let arn = answer.hub_arn().unwrap_or_default();
        match super::region::of_arn(arn) {
            (Some(region), Some(account)) => Ok(Described {
                account: account.to_owned(),
                region: region.to_owned(),
            }),
            _ => Err(self.odd("DescribeHub", "has no HubArn that tells account and Region")),
        }
    }

    /// The finding aggregator, if there is one.
    pub(super) async fn aggregator(&self) -> Result<Option<Aggregator>, Trouble> {
        let listed = self.sdk.list_finding_aggregators().send().await;
        let listed = listed.map_err(|error| self.failed("ListFindingAggregators", &error))?;
        // At most one exists (AWS's own words), so there is no second page.
        let arn = listed.finding_aggregators().first();
        let Some(arn) = arn.and_then(|aggregator| aggregator.finding_aggregator_arn()) else {
            return Ok(None);
        };
        let call = self
            .sdk
            .get_finding_aggregator()
            .finding_aggregator_arn(arn);
        let answer = call.send().await;
        let answer = answer.map_err(|error| self.failed("GetFindingAggregator", &error))?;
        let Some(home) = answer.finding_aggregation_region() else {
            return Err(self.odd("GetFindingAggregator", "has no FindingAggregationRegion"));
        };
        Ok(Some(Aggregator {
            home: home.to_owned(),
            mode: answer.region_linking_mode().unwrap_or_default().to_owned(),
            regions: answer.regions().to_vec(),
        }))
    }

    /// The body of a page of findings.
    pub(super) async fn findings(
        &self,
        filters: Option<&AwsSecurityFindingFilters>,
        token: Option<&str>,
        most: i32,
    ) -> Result<Vec<u8>, Trouble> {
        self.pace.pass().await;
        let kept = Kept::default();
        let newest_last = SortCriterion::builder()
            .field("UpdatedAt")
            .sort_order(SortOrder::Ascending)
            .build();
        let answer = self
            .sdk
            .get_findings()
            .set_filters(filters.cloned())
            .sort_criteria(newest_last)
            .set_next_token(token.map(str::to_owned))
            .max_results(most)
            .customize()
            .interceptor(kept.clone())
            .send()
            .await;
        answer.map_err(|error| self.failed("GetFindings", &error))?;
        kept.take()
            .ok_or_else(|| self.odd("GetFindings", "has no body"))
    }

    /// The same hub with new credentials, if it can have any.
    pub(super) fn renewed(&self) -> Option<Self> {
        let config = self.sdk.config().to_builder();
        let config = config.identity_cache(IdentityCache::lazy().build()).build();
        self.renews.then(|| Self {
            sdk: Sdk::from_conf(config),
            ..self.clone()
        })
    }

    /// An answer that cannot be what it should be.
    pub(super) fn odd(&self, call: &str, what: &str) -> Trouble {
        Trouble::odd(&self.client, call, &self.host, what)
    }

    fn failed<E>(&self, call: &str, error: &SdkError<E, HttpResponse>) -> Trouble
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        failure::explain(&self.client, call, &self.host, error)
    }
}

/// Takes the body of a page of findings, and leaves an empty one to the SDK: its types drop what they do not know, fail for
/// the whole page at one null, take an answer without findings for an empty page, and need megabytes of stack where they are
/// not optimised.
#[derive(Debug, Clone, Default)]
struct Kept(Arc<Mutex<Option<Vec<u8>>>>);

impl Kept {
    fn take(&self) -> Option<Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

#[aws_smithy_runtime_api::client::interceptors::dyn_dispatch_hint]
impl Intercept for Kept {
    fn name(&self) -> &'static str {
        "KeepBody"
    }

    fn modify_before_deserialization(
        &self,
        context: &mut BeforeDeserializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let response = context.response_mut();
        if response.status().is_success() {
            let body = response.take_body();
            let bytes = body.bytes().ok_or("the body was not read")?.to_vec();
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(bytes);
            *response.body_mut() = "{}".into();
        }
        Ok(())
    }
}
