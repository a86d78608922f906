//! Who may see what.

use std::collections::BTreeSet;

use axum::http::request::Parts;

use super::DependencyTrack;

/// What a key's team may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Permission {
    /// `VIEW_PORTFOLIO`: projects.
    ViewPortfolio,
    /// `VIEW_VULNERABILITY`: findings.
    ViewVulnerability,
}

/// A key's team.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    permissions: BTreeSet<Permission>,
    /// None: assigned to all.
    assigned: Option<BTreeSet<String>>,
}

impl Key {
    /// All permissions, all projects.
    #[must_use]
    pub fn all() -> Self {
        Self::with([Permission::ViewPortfolio, Permission::ViewVulnerability])
    }

    /// These permissions, all projects.
    #[must_use]
    pub fn with(permissions: impl IntoIterator<Item = Permission>) -> Self {
        Self {
            permissions: permissions.into_iter().collect(),
            assigned: None,
        }
    }

    /// Assigned to the projects of these UUIDs only; it matters where portfolio access control is on.
    #[must_use]
    pub fn assigned_to<'a>(mut self, projects: impl IntoIterator<Item = &'a str>) -> Self {
        self.assigned = Some(projects.into_iter().map(str::to_owned).collect());
        self
    }

    pub(super) fn may(&self, permission: Permission) -> bool {
        self.permissions.contains(&permission)
    }
}

impl DependencyTrack {
    /// The key that came along, if it is known. Only 4.x looks into the URL, and only where the header is absent.
    pub(super) fn key_of(&self, parts: &Parts, parameters: &[(String, String)]) -> Option<&Key> {
        let in_url = || {
            let named = parameters.iter().find(|(name, _)| name == "apiKey");
            named
                .filter(|_| !self.version.pages_findings())
                .map(|(_, value)| value.as_str())
        };
        match parts.headers.get("x-api-key") {
            Some(value) => value.to_str().ok(),
            None => in_url(),
        }
        .and_then(|secret| self.keys.get(secret))
    }

    pub(super) fn admits(&self, key: &Key, project: &str) -> bool {
        let assigned = key.assigned.as_ref();
        !self.access_control || assigned.is_none_or(|projects| projects.contains(project))
    }
}
