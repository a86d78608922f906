//! Asking for many packages at once: pages, packages that OSV refuses, and tokens that never end.
//!
//! Pages are per query: only those that gave a token are asked again. One bad query makes the whole call fail.

use std::collections::BTreeMap;

/// Queries of one call (documented; one more is an error).
pub(super) const MOST_QUERIES: usize = 1000;

/// No query is followed further, whatever OSV says.
const MOST_PAGES: u32 = 200;

/// A token that came so often in a row, with nothing new, leads nowhere (google/osv.dev issue 4104).
const MOST_REPEATS: u32 = 3;

/// The token of a query that the server had no time to begin: it is sent back as often as it takes.
const NOT_BEGUN: &str = "RklSU1RfUEFHRV9UT0tFTg==";

/// What OSV answers to one query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Page {
    Hits {
        /// Id and time of the last change.
        hits: Vec<(String, String)>,
        /// To be sent back for more.
        next: Option<String>,
    },
    /// It cannot be read, for this reason.
    Unreadable(String),
}

/// Why not all is known of a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trouble {
    Unreadable(String),
    /// OSV refuses to look for it.
    Refused(String),
    /// There was always one more page.
    Endless,
}

/// What is known of a package in the end.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Found {
    /// Times of the last change by id.
    pub(super) hits: BTreeMap<String, String>,
    pub(super) trouble: Option<Trouble>,
}

/// The state of one query.
#[derive(Debug, Default)]
struct Query {
    found: Found,
    token: Option<String>,
    pages: u32,
    repeats: u32,
}

/// Up to [`MOST_QUERIES`] queries on their way.
pub(super) struct Asking {
    queries: Vec<Query>,
    /// Places of queries that are to be asked together.
    waiting: Vec<Vec<usize>>,
    refused: usize,
}

impl Asking {
    pub(super) fn new(count: usize) -> Self {
        let all: Vec<usize> = (0..count).collect();
        Self {
            queries: all.iter().map(|_| Query::default()).collect(),
            waiting: [all].into_iter().filter(|all| !all.is_empty()).collect(),
            refused: 0,
        }
    }

    /// Places of the queries to be asked now; none at the end.
    pub(super) fn next(&mut self) -> Option<Vec<usize>> {
        self.waiting.pop()
    }

    /// The token to send along.
    pub(super) fn token(&self, place: usize) -> Option<&str> {
        self.queries[place].token.as_deref()
    }

    /// How many packages OSV refused so far.
    pub(super) fn refused(&self) -> usize {
        self.refused
    }

    /// Takes the answers in, one for each place.
    pub(super) fn answered(&mut self, places: &[usize], pages: Vec<Page>) {
        let mut progress = false;
        let mut more = Vec::new();
        for (&place, page) in places.iter().zip(pages) {
            let query = &mut self.queries[place];
            match page {
                Page::Unreadable(reason) => query.found.trouble = Some(Trouble::Unreadable(reason)),
                Page::Hits { hits, next } => {
                    let before = query.found.hits.len();
                    query.found.hits.extend(hits);
                    let new = query.found.hits.len() > before;
                    progress |= new || next.is_none();
                    if let Some(next) = next {
                        more.push((place, next, new));
                    }
                }
            }
        }
        let mut again = Vec::new();
        for (place, next, new) in more {
            if self.queries[place].goes_on(next, new, progress) {
                again.push(place);
            }
        }
        if !again.is_empty() {
            self.waiting.push(again);
        }
    }

    /// The call was refused: by this query of it, or by one that has to be found.
    pub(super) fn refuse(&mut self, mut places: Vec<usize>, index: Option<usize>, reason: &str) {
        let index = match index {
            Some(index) if index < places.len() => Some(index),
            _ if places.len() == 1 => Some(0),
            _ => None,
        };
        match index {
            Some(index) => {
                let place = places.remove(index);
                self.queries[place].found.trouble = Some(Trouble::Refused(reason.to_owned()));
                self.refused += 1;
                if !places.is_empty() {
                    self.waiting.push(places);
                }
            }
            None => {
                let second = places.split_off(places.len() / 2);
                self.waiting.push(places);
                self.waiting.push(second);
            }
        }
    }

    /// What was found, query by query.
    pub(super) fn finish(self) -> impl Iterator<Item = Found> {
        self.queries.into_iter().map(|query| query.found)
    }
}

impl Query {
    /// Whether to ask on with this token.
    fn goes_on(&mut self, next: String, new: bool, progress: bool) -> bool {
        let waits_for_others = next == NOT_BEGUN && progress;
        if self.token.as_ref() == Some(&next) && !new && !waits_for_others {
            self.repeats += 1;
        } else {
            self.repeats = 0;
        }
        self.pages += u32::from(!waits_for_others);
        self.token = Some(next);
        let ends = self.repeats >= MOST_REPEATS || self.pages >= MOST_PAGES;
        if ends {
            self.found.trouble = Some(Trouble::Endless);
        }
        !ends
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn page(ids: &[&str], next: Option<&str>) -> Page {
        Page::Hits {
            hits: ids
                .iter()
                .map(|id| ((*id).to_owned(), "2026".to_owned()))
                .collect(),
            next: next.map(str::to_owned),
        }
    }

    fn ids(found: &Found) -> Vec<&str> {
        found.hits.keys().map(String::as_str).collect()
    }

    /// Asks until the end; the answer is made from place, token and the number of the call.
    fn asked(
        count: usize,
        answer: impl Fn(usize, Option<&str>, usize) -> Page,
    ) -> (Vec<Found>, usize) {
        let mut asking = Asking::new(count);
        let mut calls = 0;
        while let Some(places) = asking.next() {
            let pages = places
                .iter()
                .map(|place| answer(*place, asking.token(*place), calls));
            let pages = pages.collect();
            asking.answered(&places, pages);
            calls += 1;
            assert!(calls < 2000, "does not end");
        }
        (asking.finish().collect(), calls)
    }

    #[test]
    fn nothing_is_asked_for_no_package_and_once_for_packages_of_one_page() {
        assert_eq!(asked(0, |_, _, _| panic!("asked")).1, 0);
        let (found, calls) = asked(3, |place, _, _| match place {
            1 => page(&[], None),
            _ => page(&["A"], None),
        });
        assert_eq!(calls, 1);
        assert_eq!(
            found.iter().map(ids).collect::<Vec<_>>(),
            [vec!["A"], vec![], vec!["A"]]
        );
        assert!(found.iter().all(|one| one.trouble.is_none()));
    }

    #[test]
    fn only_queries_with_a_token_are_asked_again_until_none_comes() {
        let mut asking = Asking::new(3);
        let first = asking.next().unwrap();
        assert_eq!(first, [0, 1, 2]);
        asking.answered(
            &first,
            vec![
                page(&["A"], Some("t")),
                page(&["B"], None),
                page(&[], Some("u")),
            ],
        );
        let second = asking.next().unwrap();
        assert_eq!(second, [0, 2]);
        assert_eq!((asking.token(0), asking.token(2)), (Some("t"), Some("u")));
        asking.answered(&second, vec![page(&["A", "C"], None), page(&["D"], None)]);
        assert_eq!(asking.next(), None);
        let found: Vec<_> = asking.finish().collect();
        assert_eq!(
            found.iter().map(ids).collect::<Vec<_>>(),
            [vec!["A", "C"], vec!["B"], vec!["D"]]
        );
    }

    #[test]
    fn a_token_that_comes_again_and_again_with_nothing_new_ends_in_doubt() {
        let (found, calls) = asked(2, |place, _, _| match place {
            0 => page(&["A"], Some("same")),
            _ => page(&["B"], None),
        });
        assert_eq!(calls, 4);
        assert_eq!(found[0].trouble, Some(Trouble::Endless));
        assert_eq!((ids(&found[0]), &found[1].trouble), (vec!["A"], &None));
    }

    #[test]
    fn tokens_that_never_end_are_given_up() {
        let (found, calls) = asked(1, |_, _, call| page(&[], Some(&format!("t{call}"))));
        assert_eq!((calls, &found[0].trouble), (200, &Some(Trouble::Endless)));
        let (found, calls) = asked(1, |_, _, call| {
            page(&[&format!("A-{call}")], Some(&format!("t{call}")))
        });
        assert_eq!((calls, &found[0].trouble), (200, &Some(Trouble::Endless)));
    }

    #[test]
    fn what_the_server_had_no_time_for_is_asked_again_while_others_get_on() {
        // One package a call.
        let (found, calls) = asked(10, |place, _, call| match place.cmp(&call) {
            std::cmp::Ordering::Greater => page(&[], Some(NOT_BEGUN)),
            _ => page(&["A"], None),
        });
        assert_eq!(calls, 10);
        assert!(
            found
                .iter()
                .all(|one| ids(one) == ["A"] && one.trouble.is_none())
        );
        let (found, calls) = asked(2, |_, _, _| page(&[], Some(NOT_BEGUN)));
        assert_eq!(calls, 4);
        assert_eq!(found[1].trouble, Some(Trouble::Endless));
    }

    #[test]
    fn the_refused_query_is_set_aside_and_the_rest_is_asked() {
        let mut asking = Asking::new(4);
        let places = asking.next().unwrap();
        asking.refuse(places, Some(2), "invalid");
        let places = asking.next().unwrap();
        assert_eq!(places, [0, 1, 3]);
        asking.refuse(places, Some(2), "invalid");
        let places = asking.next().unwrap();
        assert_eq!(
            (places.as_slice(), asking.refused()),
            ([0, 1].as_slice(), 2)
        );
        asking.answered(&places, vec![page(&["A"], None), page(&[], None)]);
        let found: Vec<_> = asking.finish().collect();
        assert_eq!(
            found[3].trouble,
            Some(Trouble::Refused("invalid".to_owned()))
        );
        assert_eq!(ids(&found[0]), ["A"]);
    }

    #[test]
    fn where_the_refused_query_is_not_named_it_is_found_by_halves() {
        let mut asking = Asking::new(1000);
        let mut calls = 0;
        while let Some(places) = asking.next() {
            calls += 1;
            match places.contains(&777) {
                // An index that cannot be is as good as none.
                true => asking.refuse(places, [None, Some(5000)][calls % 2], "bad"),
                false => {
                    let pages = places.iter().map(|_| page(&["A"], None)).collect();
                    asking.answered(&places, pages);
                }
            }
        }
        assert!(calls <= 25, "{calls} calls");
        let found: Vec<_> = asking.finish().collect();
        assert_eq!(found.iter().filter(|one| ids(one) == ["A"]).count(), 999);
        assert_eq!(found[777].trouble, Some(Trouble::Refused("bad".to_owned())));
    }

    #[test]
    fn an_answer_that_cannot_be_read_concerns_its_package_alone() {
        let (found, calls) = asked(2, |place, _, _| match place {
            0 => Page::Unreadable("null".to_owned()),
            _ => page(&["A"], None),
        });
        assert_eq!(calls, 1);
        assert_eq!(
            found[0].trouble,
            Some(Trouble::Unreadable("null".to_owned()))
        );
        assert_eq!((ids(&found[1]), &found[1].trouble), (vec!["A"], &None));
    }
}
