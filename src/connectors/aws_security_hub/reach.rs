//! What a hub reaches: its account, and the Regions whose findings it shows.

use std::collections::BTreeSet;

use super::failure::{DENIED, Trouble};
use super::hub::{Aggregator, Hub};
use super::region;

/// What a hub reaches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reach {
    pub(super) account: String,
    pub(super) region: String,
    /// Its own Region and those that are linked to it.
    pub(super) regions: BTreeSet<String>,
    /// What an operator should know of it.
    pub(super) warning: Option<String>,
}

/// Asks the hub. That aggregation may not be looked at leaves one Region, with a warning.
pub(super) async fn of(hub: &Hub) -> Result<Reach, Trouble> {
    let described = hub.describe().await?;
    let mut reach = Reach {
        account: described.account,
        regions: BTreeSet::from([described.region.clone()]),
        region: described.region,
        warning: None,
    };
    match hub.aggregator().await {
        Ok(None) => {}
        Ok(Some(aggregator)) => reach.extend(&aggregator),
        Err(trouble) if trouble.is(DENIED) || trouble.status == Some(404) => {
            reach.warning = Some(format!(
                "linked Regions are not known, so only {} is sure to be read to its end: {}",
                reach.region, trouble.error
            ));
        }
        Err(trouble) => return Err(trouble),
    }
    Ok(reach)
}

impl Reach {
    fn extend(&mut self, aggregator: &Aggregator) {
        if aggregator.home != self.region {
            self.warning = Some(format!(
                "{} is linked to the home Region {}: only its own findings come back here; for all linked Regions let location be {}",
                self.region,
                aggregator.home,
                region::endpoint(&aggregator.home)
            ));
            return;
        }
        let named = aggregator.regions.iter().cloned();
        match aggregator.mode.as_str() {
            "SPECIFIED_REGIONS" => self.regions.extend(named),
            "ALL_REGIONS" => self.regions.extend(region::beside(&self.region)),
            "ALL_REGIONS_EXCEPT_SPECIFIED" => {
                self.regions.extend(region::beside(&self.region));
                for excluded in named.filter(|excluded| *excluded != self.region) {
                    self.regions.remove(&excluded);
                }
            }
            // NO_REGIONS, and modes that do not exist yet: whatever comes back is taken all the same.
            _ => {}
        }
    }

    /// Why the end of a reading that began with `before` proves nothing, if so.
    pub(super) fn shrunk(&self, before: &Self) -> Option<String> {
        let lost: Vec<_> = before.regions.difference(&self.regions).cloned().collect();
        (!lost.is_empty()).then(|| {
            format!(
                "Regions were unlinked from {} during the import: {}",
                before.region,
                lost.join(", ")
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reach(home: &str, mode: &str, regions: &[&str]) -> Reach {
        let mut reach = Reach {
            account: "111122223333".to_owned(),
            region: "us-east-1".to_owned(),
            regions: BTreeSet::from(["us-east-1".to_owned()]),
            warning: None,
        };
        reach.extend(&Aggregator {
            home: home.to_owned(),
            mode: mode.to_owned(),
            regions: regions.iter().map(|region| (*region).to_owned()).collect(),
        });
        reach
    }

    #[test]
    fn the_mode_says_which_regions_are_linked() {
        let linked = |mode, regions| {
            let reach = reach("us-east-1", mode, regions).regions;
            (
                reach.contains("eu-west-1"),
                reach.contains("eu-west-2"),
                reach.len(),
            )
        };
        assert_eq!(
            linked("SPECIFIED_REGIONS", &["eu-west-1"]),
            (true, false, 2)
        );
        assert_eq!(linked("NO_REGIONS", &[]), (false, false, 1));
        assert_eq!(linked("SOMETHING_NEW", &[]), (false, false, 1));
        let (one, other, all) = linked("ALL_REGIONS", &[]);
        assert!(one && other && all > 20);
        let (one, other, rest) = linked("ALL_REGIONS_EXCEPT_SPECIFIED", &["eu-west-1"]);
        assert!(!one && other && rest == all - 1);
    }

    #[test]
    fn a_linked_region_names_the_home_regions_endpoint() {
        let reach = reach("eu-central-1", "ALL_REGIONS", &[]);
        assert_eq!(reach.regions.len(), 1);
        let warning = reach.warning.unwrap_or_default();
        assert!(
            warning.contains("https://securityhub.eu-central-1.amazonaws.com"),
            "{warning}"
        );
    }

    #[test]
    fn regions_that_are_lost_on_the_way_are_told() {
        let before = reach("us-east-1", "SPECIFIED_REGIONS", &["eu-west-1"]);
        let after = reach("us-east-1", "SPECIFIED_REGIONS", &["eu-west-2"]);
        assert!(
            after
                .shrunk(&before)
                .is_some_and(|reason| reason.contains("eu-west-1"))
        );
        assert_eq!(before.shrunk(&before), None);
    }
}
