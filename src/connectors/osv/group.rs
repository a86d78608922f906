//! Which records of one package are about the same flaw: OSV has one of each database.

use std::collections::HashMap;

use super::row::Row;

/// Puts together what is about the same flaw, the best record first in each group: that of the CVE, then GitHub's, then any.
pub(super) fn of_one_package(mut rows: Vec<Row>) -> Vec<Vec<Row>> {
    // The order of the answer must not decide which one is kept.
    rows.sort_by(|a, b| (rank(&a.id), &a.id).cmp(&(rank(&b.id), &b.id)));
    rows.dedup_by(|a, b| a.id == b.id);
    let mut sets = Sets::new(rows.len());
    let mut known: HashMap<&str, usize> = HashMap::new();
    for (place, row) in rows.iter().enumerate() {
        for id in names(row) {
            match known.get(id) {
                Some(&earlier) => sets.join(earlier, place),
                None => {
                    known.insert(id, place);
                }
            }
        }
    }
    let places: Vec<usize> = (0..rows.len()).map(|place| sets.root(place)).collect();
    let mut groups: Vec<Vec<Row>> = Vec::new();
    let mut group_of: HashMap<usize, usize> = HashMap::new();
    for (row, root) in rows.into_iter().zip(places) {
        let group = *group_of.entry(root).or_insert_with(|| {
            groups.push(Vec::new());
            groups.len() - 1
        });
        groups[group].push(row);
    }
    groups
}

fn rank(id: &str) -> u8 {
    match id {
        id if is_cve(id) => 0,
        id if id.starts_with("GHSA-") => 1,
        _ => 2,
    }
}

pub(super) fn is_cve(id: &str) -> bool {
    id.starts_with("CVE-")
}

/// The ids under which a record's one flaw goes. An advisory about several flaws is known by its own id only: by theirs it would
/// make one of them all.
fn names(row: &Row) -> Vec<&str> {
    let others = || row.aliases.iter().chain(&row.upstream).map(String::as_str);
    let mut cves: Vec<_> = others().filter(|id| is_cve(id)).collect();
    cves.sort_unstable();
    cves.dedup();
    let mut names = vec![row.id.as_str()];
    if cves.len() <= 1 {
        names.extend(row.aliases.iter().map(String::as_str));
        names.extend(cves);
    }
    names
}

/// Disjoint sets of places.
struct Sets(Vec<usize>);

impl Sets {
    fn new(size: usize) -> Self {
        Self((0..size).collect())
    }

    fn root(&mut self, mut place: usize) -> usize {
        while self.0[place] != place {
            self.0[place] = self.0[self.0[place]];
            place = self.0[place];
        }
        place
    }

    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        self.0[a.max(b)] = a.min(b);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(id: &str, aliases: &[&str], upstream: &[&str]) -> Row {
        let own = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect();
        Row {
            id: id.to_owned(),
            aliases: own(aliases),
            upstream: own(upstream),
            ..Row::default()
        }
    }

    fn grouped(rows: Vec<Row>) -> Vec<Vec<String>> {
        let groups = of_one_package(rows).into_iter();
        groups
            .map(|group| group.into_iter().map(|row| row.id).collect())
            .collect()
    }

    #[test]
    fn records_of_several_databases_for_one_flaw_are_one_group_whatever_their_order() {
        let rows = [
            row(
                "PYSEC-2021-66",
                &["CVE-2020-28493", "GHSA-g3rq-g295-4j3m"],
                &[],
            ),
            row("GHSA-g3rq-g295-4j3m", &["CVE-2020-28493"], &[]),
            row("GHSA-other", &["CVE-2024-1"], &[]),
        ];
        let expected = [
            vec!["GHSA-g3rq-g295-4j3m", "PYSEC-2021-66"],
            vec!["GHSA-other"],
        ];
        assert_eq!(grouped(rows.to_vec()), expected);
        assert_eq!(grouped(rows.iter().rev().cloned().collect()), expected);
    }

    #[test]
    fn what_only_a_third_record_connects_is_one_group() {
        let rows = vec![
            row("A-1", &["X-1"], &[]),
            row("B-1", &["Y-1"], &[]),
            row("C-1", &["X-1", "Y-1"], &[]),
        ];
        assert_eq!(grouped(rows), [["A-1", "B-1", "C-1"]]);
    }

    #[test]
    fn the_cves_own_record_is_kept_before_githubs_before_others() {
        let rows = vec![
            row("DSA-1", &[], &["CVE-2024-1"]),
            row("GHSA-1", &["CVE-2024-1"], &[]),
            row("CVE-2024-1", &[], &[]),
            row("DEBIAN-CVE-2024-1", &[], &["CVE-2024-1"]),
        ];
        assert_eq!(
            grouped(rows),
            [["CVE-2024-1", "GHSA-1", "DEBIAN-CVE-2024-1", "DSA-1"]]
        );
    }

    #[test]
    fn an_advisory_about_several_flaws_makes_no_one_flaw_of_them() {
        let rows = vec![
            row("DEBIAN-CVE-2024-1", &[], &["CVE-2024-1"]),
            row("DEBIAN-CVE-2024-2", &[], &["CVE-2024-2"]),
            row("DSA-5", &[], &["CVE-2024-1", "CVE-2024-2"]),
        ];
        assert_eq!(
            grouped(rows),
            [["DEBIAN-CVE-2024-1"], ["DEBIAN-CVE-2024-2"], ["DSA-5"]]
        );
    }

    #[test]
    fn a_record_that_comes_twice_is_one() {
        assert_eq!(
            grouped(vec![row("A", &[], &[]), row("A", &[], &[])]),
            [["A"]]
        );
        assert!(grouped(Vec::new()).is_empty());
    }
}
