use crate::config::Secret;

/// How a tool's requests prove who they are. Headers are marked sensitive and never follow a redirect to another origin.
#[derive(Debug, Clone, Default)]
pub struct Authentication {
    /// Header names and values; the values are secrets.
    pub headers: Vec<(String, Secret)>,
    /// User name and password.
    pub basic: Option<(String, Secret)>,
    /// `Authorization: Bearer`.
    pub bearer: Option<Secret>,
}
