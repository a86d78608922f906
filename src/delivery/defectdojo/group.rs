//! What goes into a test of its own: the findings of one API configuration in one product, branch and service.

use serde::Deserialize;

use crate::store::{FindingGroup, NewMessage};

/// Whose findings, and where they are filed here. It is a message's content and, as JSON, its topic.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Group {
    pub(super) api_configuration: String,
    pub(super) product: String,
    pub(super) branch: Option<String>,
    pub(super) service: Option<String>,
}

impl Group {
    pub(super) fn new(api_configuration: &str, group: FindingGroup) -> Self {
        Self {
            api_configuration: api_configuration.to_owned(),
            product: group.product,
            branch: group.branch,
            service: group.service,
        }
    }

    /// The group of a message.
    pub(super) fn of_message(content: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(content)
    }

    pub(super) fn is(&self, group: &FindingGroup) -> bool {
        (&self.product, &self.branch, &self.service)
            == (&group.product, &group.branch, &group.service)
    }

    /// One text for each group.
    pub(super) fn topic(&self) -> String {
        let Self {
            api_configuration,
            product,
            branch,
            service,
        } = self;
        serde_json::json!([api_configuration, product, branch, service]).to_string()
    }

    /// That the group is to be sent as it stands then. Later ones replace it while it waits.
    pub(super) fn message(&self, destination: &str) -> NewMessage {
        let Self {
            api_configuration,
            product,
            branch,
            service,
        } = self;
        let content = serde_json::json!({
            "api_configuration": api_configuration,
            "product": product,
            "branch": branch,
            "service": service,
        });
        NewMessage {
            destination: destination.to_owned(),
            topic: Some(self.topic()),
            content: content.to_string(),
        }
    }
}
