//! Which version mends a package: the end of the range that the installed version lies in.

use std::cmp::Ordering;

use super::super::lenient::Object;
use super::package::Target;
use super::record::{Affected, Event, Range};
use super::versions;

/// The version that mends all that the entries say of the installed one; none if no range holds it, a range that holds it has no
/// fix, or versions cannot be compared.
pub(super) fn version(entries: &[&Affected<'_>], target: &Target) -> Option<String> {
    let mut latest: Option<String> = None;
    for Object(range) in entries.iter().flat_map(|entry| &entry.ranges.0) {
        let Some(compare) = ordering(range, target) else {
            continue;
        };
        match fix(range, &target.version, &compare) {
            Fix::Outside => {}
            // Whatever the others say, it is not mended.
            Fix::None => return None,
            Fix::Version(fixed) => match &latest {
                Some(known) if compare(known, &fixed)?.is_ge() => {}
                _ => latest = Some(fixed),
            },
        }
    }
    latest
}

type Compare<'a> = dyn Fn(&str, &str) -> Option<Ordering> + 'a;

/// How versions of a range are compared; none where it holds commits.
fn ordering<'a>(range: &Range<'_>, target: &'a Target) -> Option<Box<Compare<'a>>> {
    match range.ty.as_str()? {
        "SEMVER" => Some(Box::new(versions::compare_semantic)),
        "ECOSYSTEM" => {
            let ecosystem = target.ecosystem.split(':').next().unwrap_or_default();
            Some(Box::new(move |a, b| versions::compare(ecosystem, a, b)))
        }
        _ => None,
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Fix {
    /// The version does not lie in the range, or that cannot be told.
    Outside,
    /// It does, and no fix is known.
    None,
    Version(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn<'a> {
    Introduced(&'a str),
    Fixed(&'a str),
    LastAffected(&'a str),
    Limit(&'a str),
}

impl<'a> Turn<'a> {
    fn of(event: &'a Event<'_>) -> Option<Self> {
        let fixed = event.fixed.as_str().map(Self::Fixed);
        event
            .introduced
            .as_str()
            .map(Self::Introduced)
            .or(fixed)
            .or_else(|| event.last_affected.as_str().map(Self::LastAffected))
            .or_else(|| event.limit.as_str().map(Self::Limit))
    }

    fn rank(self) -> u8 {
        match self {
            Self::Fixed(_) | Self::Limit(_) => 0,
            Self::Introduced(_) => 1,
            Self::LastAffected(_) => 2,
        }
    }

    fn version(self) -> &'a str {
        match self {
            Self::Introduced(version)
            | Self::Fixed(version)
            | Self::LastAffected(version)
            | Self::Limit(version) => version,
        }
    }
}

/// Events may come in any order: they are sorted by their versions. `introduced: "0"` is before everything.
fn fix(range: &Range<'_>, own: &str, compare: &Compare<'_>) -> Fix {
    let mut turns: Vec<_> = range
        .events
        .0
        .iter()
        .filter_map(|Object(event)| Turn::of(event))
        .collect();
    let by_version = |a: Turn<'_>, b: Turn<'_>| match (a, b) {
        (Turn::Introduced("0"), Turn::Introduced("0")) => Some(Ordering::Equal),
        (Turn::Introduced("0"), _) => Some(Ordering::Less),
        (_, Turn::Introduced("0")) => Some(Ordering::Greater),
        // At one version a range ends before the next begins.
        (a, b) => Some(compare(a.version(), b.version())?.then(a.rank().cmp(&b.rank()))),
    };
    let comparable = turns
        .iter()
        .all(|turn| *turn == Turn::Introduced("0") || compare(turn.version(), own).is_some());
    if !comparable {
        return Fix::Outside;
    }
    turns.sort_by(|a, b| by_version(*a, *b).unwrap_or(Ordering::Equal));
    let mut inside = false;
    for turn in turns {
        let reached = match turn {
            Turn::Introduced("0") => Ordering::Less,
            turn => match compare(turn.version(), own) {
                Some(order) => order,
                None => return Fix::Outside,
            },
        };
        match (turn, reached) {
            (Turn::Introduced(_), Ordering::Less | Ordering::Equal) => inside = true,
            (Turn::Fixed(_) | Turn::Limit(_), Ordering::Less | Ordering::Equal)
            | (Turn::LastAffected(_), Ordering::Less) => inside = false,
            // Behind the own version: the first of these ends its range.
            (Turn::Fixed(version), Ordering::Greater) if inside => {
                return Fix::Version(version.to_owned());
            }
            _ if inside => return Fix::None,
            _ => {}
        }
    }
    match inside {
        true => Fix::None,
        false => Fix::Outside,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::{Value, json};

    use super::super::record::Record;
    use super::*;

    fn fixed(ecosystem: &str, own: &str, ranges: &Value) -> Option<String> {
        let record = json!({"affected": [
            {"package": {"ecosystem": ecosystem, "name": "other"}, "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "99"}]}]},
            {"package": {"ecosystem": ecosystem, "name": "own"}, "ranges": ranges}
        ]})
        .to_string();
        let target = Target {
            ecosystem: ecosystem.to_owned(),
            name: "own".to_owned(),
            version: own.to_owned(),
            is_released: ecosystem.contains(':'),
        };
        let record = Record::parse(&record).unwrap();
        version(&record.of_package(&target), &target)
    }

    fn range(ty: &str, events: &Value) -> Value {
        json!({"type": ty, "events": events})
    }

    #[test]
    fn of_several_ranges_the_one_that_holds_the_version_tells() {
        let log4j = json!([
            range(
                "ECOSYSTEM",
                &json!([{"introduced": "2.4"}, {"fixed": "2.12.2"}])
            ),
            range(
                "ECOSYSTEM",
                &json!([{"introduced": "2.13.0"}, {"fixed": "2.15.0"}])
            ),
            range(
                "ECOSYSTEM",
                &json!([{"introduced": "2.0-beta9"}, {"fixed": "2.3.1"}])
            ),
        ]);
        for (own, expected) in [
            ("2.14.1", Some("2.15.0")),
            ("2.12.1", Some("2.12.2")),
            ("2.0-rc1", Some("2.3.1")),
            ("2.12.2", None),
            ("2.15.0", None),
            ("1.2.17", None),
        ] {
            assert_eq!(fixed("Maven", own, &log4j).as_deref(), expected, "{own}");
        }
    }

    #[test]
    fn events_are_sorted_by_version_and_may_tell_of_several_ranges() {
        let events = json!([{"fixed": "2.10.0"}, {"introduced": "2.9.0"}, {"fixed": "1.10.0"}, {"introduced": "0"}]);
        for ty in ["SEMVER", "ECOSYSTEM"] {
            let ranges = json!([range(ty, &events)]);
            assert_eq!(fixed("npm", "1.9.0", &ranges).as_deref(), Some("1.10.0"));
            assert_eq!(fixed("npm", "2.9.5", &ranges).as_deref(), Some("2.10.0"));
            assert_eq!(fixed("npm", "2.0.0", &ranges), None);
        }
    }

    #[test]
    fn where_one_range_ends_another_may_begin() {
        for events in [
            json!([{"introduced": "0"}, {"fixed": "1.0.0"}, {"introduced": "1.0.0"}, {"fixed": "2.0.0"}]),
            json!([{"introduced": "1.0.0"}, {"fixed": "2.0.0"}, {"introduced": "0"}, {"fixed": "1.0.0"}]),
        ] {
            let ranges = json!([range("SEMVER", &events)]);
            assert_eq!(fixed("npm", "1.0.0", &ranges).as_deref(), Some("2.0.0"));
        }
    }

    #[test]
    fn a_range_without_a_fix_tells_none() {
        for events in [
            json!([{"introduced": "0"}, {"last_affected": "2.0.0"}]),
            json!([{"introduced": "0"}]),
            json!([{"introduced": "0"}, {"limit": "9"}]),
            json!([{"introduced": "0"}, {"last_affected": "1.0.0"}, {"introduced": "3.0.0"}, {"fixed": "4.0.0"}]),
        ] {
            assert_eq!(
                fixed("npm", "1.0.0", &json!([range("SEMVER", &events)])),
                None,
                "{events}"
            );
        }
        let both = json!([
            range("SEMVER", &json!([{"introduced": "0"}, {"fixed": "2.0.0"}])),
            range(
                "SEMVER",
                &json!([{"introduced": "0"}, {"last_affected": "3.0.0"}])
            ),
        ]);
        assert_eq!(fixed("npm", "1.0.0", &both), None);
    }

    #[test]
    fn ranges_that_overlap_are_all_to_be_left() {
        let both = json!([
            range("SEMVER", &json!([{"introduced": "0"}, {"fixed": "1.10.0"}])),
            range(
                "SEMVER",
                &json!([{"introduced": "1.0.0"}, {"fixed": "1.9.0"}])
            ),
        ]);
        assert_eq!(fixed("npm", "1.5.0", &both).as_deref(), Some("1.10.0"));
    }

    #[test]
    fn commits_and_versions_that_cannot_be_compared_are_left_out() {
        let git = range("GIT", &json!([{"introduced": "0"}, {"fixed": "6df77ae8"}]));
        let ecosystem = range("ECOSYSTEM", &json!([{"introduced": "0"}, {"fixed": "2.0"}]));
        assert_eq!(fixed("PyPI", "1.0", &json!([git])), None);
        assert_eq!(
            fixed("PyPI", "1.0", &json!([git, ecosystem])).as_deref(),
            Some("2.0")
        );
        assert_eq!(fixed("PyPI", "unknown", &json!([ecosystem])), None);
        assert_eq!(fixed("OSS-Fuzz", "1.0", &json!([ecosystem])), None);
        assert_eq!(
            fixed("PyPI", "1.0", &json!([{"type": "NEW"}, 7, null])),
            None
        );
    }

    #[test]
    fn a_distributions_own_ordering_counts() {
        let ranges = json!([range(
            "ECOSYSTEM",
            &json!([{"introduced": "0"}, {"fixed": "3.0.11-1~deb12u2"}])
        )]);
        assert_eq!(
            fixed("Debian:12", "3.0.11-1~deb12u1", &ranges).as_deref(),
            Some("3.0.11-1~deb12u2")
        );
        assert_eq!(fixed("Debian:12", "3.0.11-1", &ranges), None);
    }
}
