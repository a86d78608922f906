//! The tree of folders and sites, and which of its sites an API configuration reads.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::api::Server;
use super::query::operations::{SiteTree, site_tree};
use super::spec::Selector;
use crate::connectors::{ConnectorError, Record};

/// A site, or the target of scans that a pipeline drives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Site {
    pub(super) id: String,
    pub(super) name: String,
    parent: String,
    from_pipeline: bool,
}

impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "site {} ({})", self.name, self.id)
    }
}

/// All that the API user sees.
#[derive(Debug, Clone, Default)]
pub(super) struct Tree {
    /// Name and parent by id.
    folders: BTreeMap<String, (String, Option<String>)>,
    pub(super) sites: Vec<Site>,
}

impl Tree {
    pub(super) async fn read(server: &Server) -> Result<Self, ConnectorError> {
        let answer = server.ask::<SiteTree>(site_tree::Variables, &[]).await?;
        let tree = answer.site_tree.ok_or_else(|| {
            ConnectorError::Refused(
                "the server gave no site tree; the API user's role needs the permission to view sites".to_owned(),
            )
        })?;
        let folders = tree.folders.into_iter();
        let folders = folders.map(|folder| (folder.id, (folder.name, folder.parent_id)));
        let sites = tree.sites.into_iter().map(|site| Site {
            name: named(site.name, &site.id),
            id: site.id,
            parent: site.parent_id,
            from_pipeline: false,
        });
        let pipelines = tree.cids_sites.into_iter().flatten().map(|site| Site {
            name: named(Some(site.name), &site.id),
            id: site.id,
            parent: site.parent_id,
            from_pipeline: true,
        });
        Ok(Self {
            folders: folders.collect(),
            sites: sites.chain(pipelines).collect(),
        })
    }

    /// All sites as records, the pipelines' ones only if asked for.
    pub(super) fn records(&self, pipelines: bool) -> Vec<Record> {
        let sites = self.sites.iter();
        let sites = sites.filter(|site| pipelines || !site.from_pipeline);
        sites.map(|site| self.record(site)).collect()
    }

    pub(super) fn record(&self, site: &Site) -> Record {
        let path = self.path(site);
        let names: Vec<_> = path
            .iter()
            .rev()
            .filter_map(|id| self.folders.get(*id))
            .map(|(name, _)| name.as_str())
            .collect();
        let kind = if site.from_pipeline {
            ", CI-driven"
        } else {
            ""
        };
        let detail = format!("{}{kind}", names.join(" / "));
        Record {
            id: site.id.clone(),
            name: site.name.clone(),
            detail: (!detail.is_empty()).then_some(detail),
        }
    }

    /// Whether the site is in the folder, or in one below it.
    pub(super) fn is_in(&self, site: &Site, folder: &str) -> bool {
        self.path(site).contains(&folder)
    }

    /// The sites that a selector asks for.
    pub(super) fn selected(
        &self,
        selector: &Selector,
        pipelines: bool,
    ) -> Result<Vec<&Site>, ConnectorError> {
        let wanted = |site: &&Site| pipelines || !site.from_pipeline;
        match selector {
            Selector::All => Ok(self.sites.iter().filter(wanted).collect()),
            Selector::Site(id) => match self.sites.iter().find(|site| site.id == *id) {
                Some(site) => Ok(vec![site]),
                None => Err(ConnectorError::Refused(format!(
                    "site {id} not found or not visible to the API user; its findings stay as they are"
                ))),
            },
            Selector::Folder(id) if !self.folders.contains_key(id) => {
                Err(ConnectorError::Refused(format!(
                    "folder {id} not found or not visible to the API user; the findings of its sites stay as they are"
                )))
            }
            Selector::Folder(id) => Ok(self
                .sites
                .iter()
                .filter(wanted)
                .filter(|site| self.is_in(site, id))
                .collect()),
        }
    }

    /// The ids of the folders that the site is in, innermost first.
    fn path<'a>(&'a self, site: &'a Site) -> Vec<&'a str> {
        let mut seen = BTreeSet::new();
        let mut path = Vec::new();
        let mut next = Some(site.parent.as_str());
        // A circle would be the server's mistake, and ours to survive.
        while let Some(id) = next.filter(|id| seen.insert(*id)) {
            path.push(id);
            next = self
                .folders
                .get(id)
                .and_then(|(_, parent)| parent.as_deref());
        }
        path
    }
}

/// A name that is missing is replaced by the id.
fn named(name: Option<String>, id: &str) -> String {
    name.filter(|name| !name.trim().is_empty())
        .unwrap_or_else(|| format!("site {id}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn tree() -> Tree {
        let site = |id: &str, parent: &str, from_pipeline| Site {
            id: id.to_owned(),
            name: "Shop".to_owned(),
            parent: parent.to_owned(),
            from_pipeline,
        };
        let folder = |id: &str, name: &str, parent: Option<&str>| {
            (id.to_owned(), (name.to_owned(), parent.map(str::to_owned)))
        };
        Tree {
            folders: BTreeMap::from([
                folder("0", "All Sites", None),
                folder("1", "EU", Some("0")),
                folder("2", "Web", Some("1")),
                folder("8", "a circle", Some("9")),
                folder("9", "a circle", Some("8")),
            ]),
            sites: vec![
                site("11", "1", false),
                site("12", "2", false),
                site("13", "0", false),
                site("14", "8", false),
                site("20", "2", true),
            ],
        }
    }

    fn ids(sites: &[&Site]) -> Vec<String> {
        sites.iter().map(|site| site.id.clone()).collect()
    }

    #[test]
    fn a_folder_holds_the_sites_of_the_folders_below_it() {
        let tree = tree();
        let selected = |selector, pipelines| ids(&tree.selected(&selector, pipelines).unwrap());
        assert_eq!(
            selected(Selector::Folder("1".to_owned()), false),
            ["11", "12"]
        );
        assert_eq!(
            selected(Selector::Folder("1".to_owned()), true),
            ["11", "12", "20"]
        );
        assert_eq!(selected(Selector::Folder("8".to_owned()), false), ["14"]);
        assert_eq!(selected(Selector::All, false), ["11", "12", "13", "14"]);
        assert_eq!(selected(Selector::Site("20".to_owned()), false), ["20"]);
    }

    #[test]
    fn a_site_or_folder_that_is_not_there_is_an_error_and_not_nothing() {
        let tree = tree();
        for selector in [
            Selector::Site("99".to_owned()),
            Selector::Folder("99".to_owned()),
        ] {
            let error = tree.selected(&selector, false).unwrap_err().to_string();
            assert!(error.contains("99 not found or not visible"), "{error}");
        }
    }

    #[test]
    fn sites_of_one_name_are_told_apart_by_their_folders() {
        let records = tree().records(true);
        let details: Vec<_> = records.iter().filter_map(|r| r.detail.as_deref()).collect();
        assert_eq!(details[0], "All Sites / EU");
        assert_eq!(details[1], "All Sites / EU / Web");
        assert_eq!(details[4], "All Sites / EU / Web, CI-driven");
    }
}
