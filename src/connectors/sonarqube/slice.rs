//! Slices of a search for issues or hotspots, none of which has a row of another. Pure; what has to be asked for first is asked
//! by [`super::issues`] and [`super::hotspots`].

use super::tables::{REVIEWS, SEVERITIES};
use super::time;
use super::version::Dialect;

/// So many bytes of paths go into one query at most: longer URLs are refused by some proxies.
const PATHS_IN_A_QUERY: usize = 2_000;

/// Issues by time of creation, in whole seconds, then by severity, then by what a facet tells of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct IssueSlice {
    /// Seconds since 1970: from, and up to but without.
    created: Option<(i64, i64)>,
    severity: Option<&'static str>,
    /// Filters of facets, by their parameters.
    values: Vec<(&'static str, String)>,
    /// How many facets were used, or passed over.
    facets: usize,
}

/// What cuts a slice of issues.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum IssueCut {
    /// The times of its oldest and newest issue; see [`IssueSlice::within`].
    Ends,
    /// These.
    Into(Vec<IssueSlice>),
    /// The values of a facet, which is also the parameter; see [`IssueSlice::by`] and [`IssueSlice::without_facet`].
    Facet(&'static str),
    /// Nothing more.
    Nothing,
}

impl IssueSlice {
    pub(super) fn query(&self) -> Vec<(&'static str, String)> {
        let mut query = Vec::new();
        if let Some((from, to)) = self.created {
            let limit = |name, seconds| Some((name, time::parameter(seconds)?));
            query.extend(limit("createdAfter", from));
            query.extend(limit("createdBefore", to));
        }
        query.extend(self.severity.map(|word| ("severities", word.to_owned())));
        query.extend(self.values.iter().cloned());
        query
    }

    pub(super) fn cut(&self, dialect: &Dialect) -> IssueCut {
        let Some((from, to)) = self.created else {
            return IssueCut::Ends;
        };
        if to - from > 1 {
            return IssueCut::Into(self.halves(from, to));
        }
        if self.severity.is_none() {
            let of = |word| Self {
                severity: Some(word),
                ..self.clone()
            };
            let slices = SEVERITIES.iter().map(|(word, _)| of(*word));
            return IssueCut::Into(slices.collect());
        }
        let facets = ["rules", "directories", dialect.files];
        match facets.get(self.facets) {
            Some(facet) => IssueCut::Facet(facet),
            None => IssueCut::Nothing,
        }
    }

    /// The slices between the oldest and the newest issue, both included.
    pub(super) fn within(&self, oldest: i64, newest: i64) -> Vec<Self> {
        let (from, to) = (oldest.min(newest), oldest.max(newest).saturating_add(1));
        match to.saturating_sub(from) {
            ..=1 => vec![self.between(from, to)],
            _ => self.halves(from, to),
        }
    }

    fn halves(&self, from: i64, to: i64) -> Vec<Self> {
        let middle = from + (to - from) / 2;
        vec![self.between(from, middle), self.between(middle, to)]
    }

    fn between(&self, from: i64, to: i64) -> Self {
        Self {
            created: Some((from, to)),
            ..self.clone()
        }
    }

    /// The part that has this value of the facet whose turn it is.
    pub(super) fn by(&self, facet: &'static str, value: String) -> Self {
        let mut slice = self.without_facet();
        slice.values.push((facet, value));
        slice
    }

    /// The same, to be cut by the facet after the one whose turn it is.
    pub(super) fn without_facet(&self) -> Self {
        Self {
            facets: self.facets + 1,
            ..self.clone()
        }
    }

    /// For people: `created at 2026-10-01T07:55:00+0000`.
    pub(super) fn words(&self) -> String {
        match self.created.and_then(|(from, _)| time::parameter(from)) {
            Some(from) => format!("created at {from}"),
            None => "of the project".to_owned(),
        }
    }
}

/// Hotspots by status, by resolution, by files. They have no filter of times, and no facets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct HotspotSlice {
    status: Option<&'static str>,
    resolution: Option<&'static str>,
    /// Paths inside the project.
    files: Option<Vec<String>>,
}

/// What cuts a slice of hotspots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum HotspotCut {
    /// These.
    Into(Vec<HotspotSlice>),
    /// The paths of all files; see [`HotspotSlice::by_files`].
    Files,
    /// Nothing more.
    Nothing,
}

const TO_REVIEW: &str = "TO_REVIEW";
const REVIEWED: &str = "REVIEWED";

impl HotspotSlice {
    pub(super) fn query(&self) -> Vec<(&'static str, String)> {
        let mut query = Vec::new();
        query.extend(self.status.map(|word| ("status", word.to_owned())));
        query.extend(self.resolution.map(|word| ("resolution", word.to_owned())));
        query.extend(self.files.as_ref().map(|files| ("files", files.join(","))));
        query
    }

    pub(super) fn cut(&self, dialect: &Dialect) -> HotspotCut {
        match (self.status, self.resolution, &self.files) {
            (None, ..) => {
                let of = |word| Self {
                    status: Some(word),
                    ..self.clone()
                };
                HotspotCut::Into(vec![of(TO_REVIEW), of(REVIEWED)])
            }
            (Some(REVIEWED), None, _) => {
                let words = REVIEWS.iter().map(|(word, _)| *word);
                let known = |word: &&str| dialect.has_acknowledged || *word != "ACKNOWLEDGED";
                let of = |word| Self {
                    resolution: Some(word),
                    ..self.clone()
                };
                HotspotCut::Into(words.filter(known).map(of).collect())
            }
            (_, _, None) => HotspotCut::Files,
            (_, _, Some(files)) if files.len() > 1 => {
                let (one, other) = files.split_at(files.len() / 2);
                let of = |files: &[String]| self.of_files(files.to_vec());
                HotspotCut::Into(vec![of(one), of(other)])
            }
            _ => HotspotCut::Nothing,
        }
    }

    /// The parts by files, as many at once as go into a query.
    pub(super) fn by_files(&self, paths: &[String]) -> Vec<Self> {
        let mut slices = Vec::new();
        let (mut group, mut bytes) = (Vec::new(), 0);
        for path in paths {
            if bytes + path.len() > PATHS_IN_A_QUERY && !group.is_empty() {
                slices.push(self.of_files(std::mem::take(&mut group)));
                bytes = 0;
            }
            bytes += path.len() + 1;
            group.push(path.clone());
        }
        if !group.is_empty() {
            slices.push(self.of_files(group));
        }
        slices
    }

    fn of_files(&self, files: Vec<String>) -> Self {
        Self {
            files: Some(files),
            ..self.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::super::version::Version;
    use super::*;

    fn server() -> Dialect {
        Dialect::of_server(Version::parse("10.7").unwrap())
    }

    fn parameters(slice: &IssueSlice) -> Vec<String> {
        let query = slice.query().into_iter();
        query.map(|(key, value)| format!("{key}={value}")).collect()
    }

    #[test]
    fn issues_are_cut_by_time_then_severity_then_rule_directory_and_file() {
        let whole = IssueSlice::default();
        assert_eq!(whole.cut(&server()), IssueCut::Ends);
        assert!(whole.query().is_empty());
        let halves = whole.within(1_368_460_539, 1_368_460_542);
        assert_eq!(
            parameters(&halves[0]),
            [
                "createdAfter=2013-05-13T15:55:39+0000",
                "createdBefore=2013-05-13T15:55:41+0000"
            ]
        );
        assert_eq!(
            parameters(&halves[1])[0],
            "createdAfter=2013-05-13T15:55:41+0000"
        );
        let IssueCut::Into(seconds) = halves[0].cut(&server()) else {
            panic!("two seconds are not cut");
        };
        let IssueCut::Into(severities) = seconds[0].cut(&server()) else {
            panic!("a second is not cut");
        };
        assert_eq!(severities.len(), 5);
        let mut slice = severities[0].clone();
        for facet in ["rules", "directories", "files"] {
            assert_eq!(slice.cut(&server()), IssueCut::Facet(facet));
            slice = slice.by(facet, format!("one of {facet}"));
        }
        assert_eq!(slice.cut(&server()), IssueCut::Nothing);
        assert_eq!(
            parameters(&slice)[2..],
            [
                "severities=BLOCKER",
                "rules=one of rules",
                "directories=one of directories",
                "files=one of files"
            ]
        );
        assert!(slice.words().contains("2013-05-13T15:55:39"));
    }

    #[test]
    fn issues_of_one_second_are_one_slice_of_time() {
        let slices = IssueSlice::default().within(100, 100);
        assert_eq!(slices.len(), 1);
        assert!(matches!(slices[0].cut(&server()), IssueCut::Into(five) if five.len() == 5));
    }

    #[test]
    fn times_are_halved_without_gap_or_overlap() {
        let mut open = IssueSlice::default().within(0, 1000);
        let mut seconds = Vec::new();
        while let Some(slice) = open.pop() {
            let (from, to) = slice.created.unwrap();
            match slice.cut(&server()) {
                IssueCut::Into(parts) if to - from > 1 => open.extend(parts),
                _ => seconds.push((from, to)),
            }
        }
        seconds.sort_unstable();
        let expected: Vec<_> = (0..=1000).map(|second| (second, second + 1)).collect();
        assert_eq!(seconds, expected);
    }

    #[test]
    fn a_facet_that_is_passed_over_leaves_no_filter() {
        let second = &IssueSlice::default().within(1, 1)[0];
        let IssueCut::Into(severities) = second.cut(&server()) else {
            panic!("not cut");
        };
        let skipped = severities[0].without_facet();
        assert_eq!(
            skipped.cut(&Dialect::of_cloud()),
            IssueCut::Facet("directories")
        );
        let cloud = skipped.without_facet().cut(&Dialect::of_cloud());
        assert_eq!(cloud, IssueCut::Facet("fileUuids"));
    }

    #[test]
    fn hotspots_are_cut_by_status_then_resolution_then_files() {
        let into = |slice: &HotspotSlice, dialect: &Dialect| match slice.cut(dialect) {
            HotspotCut::Into(slices) => slices,
            other => panic!("{other:?}"),
        };
        let statuses = into(&HotspotSlice::default(), &server());
        assert_eq!(statuses[0].query(), [("status", "TO_REVIEW".to_owned())]);
        assert_eq!(statuses[0].cut(&server()), HotspotCut::Files);
        assert_eq!(into(&statuses[1], &server()).len(), 3);
        let resolutions = into(&statuses[1], &Dialect::of_cloud());
        assert_eq!(resolutions.len(), 2, "Cloud knows no acknowledged ones");
        assert_eq!(
            resolutions[0].query(),
            [
                ("status", "REVIEWED".to_owned()),
                ("resolution", "FIXED".to_owned())
            ]
        );
        let paths: Vec<_> = (0..100).map(|n| format!("src/{n:>020}.c")).collect();
        let groups = statuses[0].by_files(&paths);
        let all: Vec<_> = groups
            .iter()
            .flat_map(|g| g.files.clone().unwrap())
            .collect();
        assert_eq!(all, paths);
        assert!(groups.len() > 1);
        let length = |slice: &HotspotSlice| slice.query()[1].1.len();
        assert!(groups.iter().all(|group| length(group) <= PATHS_IN_A_QUERY));
        let halves = into(&groups[0], &server());
        assert_eq!(halves.len(), 2);
        let one = statuses[0].by_files(&paths[..1]);
        assert_eq!(one[0].cut(&server()), HotspotCut::Nothing);
    }
}
