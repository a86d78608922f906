//! Whether a list that is followed page by page gets on: this API is known to name the same page as the next one for ever, and to
//! give empty pages in between.

use std::collections::HashSet;

use serde_json::value::RawValue;
use url::form_urlencoded;

/// After so many pages in a row without anything new the list is given up.
const FRUITLESS: u32 = 1000;

/// No list is followed further than this.
const MAX_PAGES: u64 = 500_000;

/// What to do after a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// Ask with this query.
    Next(String),
    /// That was the last page.
    End,
    /// There may be more, and going on is pointless, for this reason.
    Doubt(String),
}

/// The pages of one list so far; 16 bytes a page are remembered.
#[derive(Debug)]
pub(super) struct Trail {
    asked: HashSet<u64>,
    came: HashSet<u64>,
    pages: u64,
    fruitless: u32,
}

impl Trail {
    pub(super) fn from(first: &str) -> Self {
        Self {
            asked: HashSet::from([of_query(first)]),
            came: HashSet::new(),
            pages: 0,
            fruitless: 0,
        }
    }

    /// Decides after a page with these rows, which named this query as the next one's.
    pub(super) fn turn(&mut self, rows: &[Box<RawValue>], next: Option<String>) -> Step {
        self.pages += 1;
        let news = !rows.is_empty() && self.came.insert(of_rows(rows));
        self.fruitless = if news { 0 } else { self.fruitless + 1 };
        let Some(next) = next else {
            return Step::End;
        };
        if !self.asked.insert(of_query(&next)) {
            // Seen on this API after the last page: nothing is left to come.
            if rows.is_empty() {
                return Step::End;
            }
            return Step::Doubt(format!(
                "page {} names a page as the next that was read before: the list goes in a circle, and may lack rows",
                self.pages
            ));
        }
        if self.fruitless >= FRUITLESS || self.pages >= MAX_PAGES {
            return Step::Doubt(format!(
                "the list does not come to an end: {} pages, nothing new on the last {}",
                self.pages, self.fruitless
            ));
        }
        Step::Next(next)
    }
}

/// The same for the same parameters, whatever their order and spelling.
fn of_query(query: &str) -> u64 {
    let mut pairs: Vec<_> = form_urlencoded::parse(query.as_bytes()).collect();
    pairs.sort();
    let mut hasher = blake3::Hasher::new();
    for (key, value) in &pairs {
        for part in [key, value] {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        }
    }
    short(&hasher.finalize())
}

fn of_rows(rows: &[Box<RawValue>]) -> u64 {
    let mut hasher = blake3::Hasher::new();
    for row in rows {
        hasher.update(row.get().as_bytes());
    }
    short(&hasher.finalize())
}

fn short(hash: &blake3::Hash) -> u64 {
    let mut short = [0; 8];
    short.copy_from_slice(&hash.as_bytes()[..8]);
    u64::from_le_bytes(short)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn rows(ids: &[u32]) -> Vec<Box<RawValue>> {
        ids.iter()
            .map(|id| RawValue::from_string(id.to_string()).unwrap())
            .collect()
    }

    fn cursor(number: u32) -> Option<String> {
        Some(format!("version=1&starting_after={number}"))
    }

    #[test]
    fn a_list_is_followed_to_the_page_without_a_next_one_over_empty_pages() {
        let mut trail = Trail::from("version=1");
        assert_eq!(
            trail.turn(&rows(&[1]), cursor(1)),
            Step::Next(cursor(1).unwrap())
        );
        assert_eq!(trail.turn(&[], cursor(2)), Step::Next(cursor(2).unwrap()));
        assert_eq!(trail.turn(&rows(&[2]), None), Step::End);
        assert_eq!(Trail::from("version=1").turn(&[], None), Step::End);
    }

    #[test]
    fn a_circle_is_the_end_after_an_empty_page_and_a_doubt_after_any_other() {
        for (asked, circle) in [
            ("version=1&a=%3D", "a=%3D&version=1"),
            ("version=1&a=%3D", "version=1&a=="),
        ] {
            let mut trail = Trail::from(asked);
            let step = trail.turn(&rows(&[1]), Some(circle.to_owned()));
            assert!(matches!(step, Step::Doubt(reason) if reason.contains("circle")));
            let step = Trail::from(asked).turn(&[], Some(circle.to_owned()));
            assert_eq!(step, Step::End);
        }
        let mut trail = Trail::from("version=1");
        trail.turn(&rows(&[1]), cursor(1));
        trail.turn(&rows(&[2]), cursor(2));
        assert!(matches!(trail.turn(&rows(&[3]), cursor(1)), Step::Doubt(_)));
    }

    #[test]
    fn a_page_that_comes_again_under_ever_new_cursors_is_not_followed_for_ever() {
        for page in [rows(&[1, 2]), rows(&[])] {
            let mut trail = Trail::from("version=1");
            let mut asked = 0;
            let step = loop {
                asked += 1;
                match trail.turn(&page, cursor(asked)) {
                    Step::Next(_) => assert!(asked < 2 * FRUITLESS, "endless"),
                    step => break step,
                }
            };
            assert!(matches!(step, Step::Doubt(reason) if reason.contains("come to an end")));
        }
    }
}
