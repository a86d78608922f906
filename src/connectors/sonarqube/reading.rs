//! When the pages of one slice have been read to their end, and whether that can be believed. Pure; the requests are made in
//! [`super::walk`].
//!
//! Pages are counted by offset: when rows come or go between two of them, others are skipped or repeated without a word. What
//! shows it is the count, or a row that comes twice.

use std::collections::HashSet;

use super::page::Count;
use super::tables::CAP;

/// How many rows can be seen through one search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window {
    page_size: u64,
}

impl Window {
    /// `page_size` is above zero.
    pub(super) fn new(page_size: u64) -> Self {
        Self { page_size }
    }

    pub(super) fn page_size(self) -> u64 {
        self.page_size
    }

    /// Pages that may be asked for: a page that reaches beyond the cap is refused as a whole.
    pub(super) fn pages(self) -> u64 {
        CAP / self.page_size
    }

    /// Whether all rows can be seen. A total of exactly the cap is what Cloud says of anything larger.
    pub(super) fn holds(self, total: u64) -> bool {
        total < CAP && total <= self.pages() * self.page_size
    }
}

/// What to do after a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Ask for the next one.
    Next,
    /// The slice is at its end, or going on is pointless; see [`Reading::doubt_of_end`].
    Stop,
}

/// One reading of a slice from its first page on. Eight bytes a row are remembered, of ten thousand rows at most.
#[derive(Debug)]
pub(super) struct Reading {
    window: Window,
    pages: u64,
    rows: u64,
    seen: HashSet<u64>,
    total: Option<u64>,
    broken: Option<String>,
}

impl Reading {
    pub(super) fn new(window: Window) -> Self {
        Self {
            window,
            pages: 0,
            rows: 0,
            seen: HashSet::new(),
            total: None,
            broken: None,
        }
    }

    /// Number of the page to ask for, from 1.
    pub(super) fn next_page(&self) -> u64 {
        self.pages + 1
    }

    /// Rows that came.
    pub(super) fn rows(&self) -> u64 {
        self.rows
    }

    /// A page has come: what it says of the total, and the identities of its rows (none of a row that has none).
    pub(super) fn page(&mut self, total: Count, rows: &[Option<u64>]) -> Step {
        self.pages += 1;
        self.rows += rows.len() as u64;
        let known = self.seen.len();
        self.seen.extend(rows.iter().flatten());
        let unnamed = rows.iter().filter(|row| row.is_none()).count();
        let fresh = self.seen.len() - known + unnamed;
        match (self.total, total) {
            (_, Err(miscount)) => self.doubt(miscount.to_string()),
            (Some(before), Ok(now)) if before != now => self.doubt(format!(
                "the tool counted {before} rows on one page and {now} on the next"
            )),
            (_, Ok(total)) => self.total = Some(total),
        }
        if fresh < rows.len() {
            self.doubt("rows came twice, so others may be missing".to_owned());
        }
        let read_all = self.total.is_some_and(|total| self.rows >= total);
        let last = self.pages >= self.window.pages();
        match self.broken.is_some() || rows.is_empty() || read_all || last {
            true => Step::Stop,
            false => Step::Next,
        }
    }

    /// Why what was read may not be all; none if it is.
    pub(super) fn doubt_of_end(&self) -> Option<String> {
        if self.broken.is_some() {
            return self.broken.clone();
        }
        let rows = self.rows;
        let total = self.total?;
        (total != rows).then(|| format!("the tool counts {total} rows and gave {rows}"))
    }

    fn doubt(&mut self, reason: String) {
        self.broken.get_or_insert(reason);
    }
}

/// Eight bytes that stand for an identity.
pub(super) fn short_hash(id: &str) -> u64 {
    let hash = blake3::hash(id.as_bytes());
    let mut short = [0; 8];
    short.copy_from_slice(&hash.as_bytes()[..8]);
    u64::from_le_bytes(short)
}

#[cfg(test)]
mod tests {
    use super::super::page::Miscount;
    use super::*;

    /// Reads from a server that answers page n with a total and rows; gives the doubt and how many pages were asked for.
    fn read(page_size: u64, answer: impl Fn(u64) -> (Count, Vec<u64>)) -> (Option<String>, u64) {
        let mut reading = Reading::new(Window::new(page_size));
        loop {
            let page = reading.next_page();
            assert!(page <= CAP, "the reading is endless");
            let (total, rows) = answer(page);
            let rows: Vec<_> = rows.into_iter().map(Some).collect();
            if reading.page(total, &rows) == Step::Stop {
                return (reading.doubt_of_end(), page);
            }
        }
    }

    fn paged(total: u64, page: u64) -> (Count, Vec<u64>) {
        let rows = ((page - 1) * 100).min(total)..total.min(page * 100);
        (Ok(total), rows.collect())
    }

    #[test]
    fn a_window_ends_where_a_page_would_reach_beyond_the_cap() {
        let window = Window::new(500);
        assert_eq!(window.pages(), 20);
        assert!(window.holds(0) && window.holds(9_999) && !window.holds(10_000));
        let odd = Window::new(300);
        assert_eq!(odd.pages(), 33);
        assert!(odd.holds(9_900) && !odd.holds(9_901));
    }

    #[test]
    fn pages_are_read_up_to_the_count() {
        for (total, pages) in [(0, 1), (1, 1), (99, 1), (100, 1), (101, 2), (9_999, 100)] {
            assert_eq!(
                read(100, |page| paged(total, page)),
                (None, pages),
                "{total}"
            );
        }
    }

    #[test]
    fn a_page_is_never_asked_for_beyond_the_window() {
        let (doubt, pages) = read(300, |page| {
            (Ok(20_000), ((page - 1) * 300..page * 300).collect())
        });
        assert_eq!(pages, 33);
        assert!(doubt.is_some_and(|doubt| doubt.contains("counts 20000 rows and gave 9900")));
    }

    #[test]
    fn counts_that_change_are_missing_or_wrong_are_doubtful() {
        let doubt = |answer: &dyn Fn(u64) -> (Count, Vec<u64>)| {
            let (doubt, pages) = read(100, answer);
            (doubt.unwrap_or_default(), pages)
        };
        let (reason, pages) = doubt(&|page| (Ok(page * 200), paged(1000, page).1));
        assert!(reason.contains("200 rows on one page and 400"), "{reason}");
        assert_eq!(pages, 2);
        let (reason, _) = doubt(&|page| (Err(Miscount::Missing), paged(1000, page).1));
        assert!(reason.contains("no total"), "{reason}");
        let (reason, pages) = doubt(&|page| (Ok(500), paged(240, page).1));
        assert!(reason.contains("counts 500 rows and gave 240"), "{reason}");
        assert_eq!(pages, 4, "up to the empty one");
        let (reason, _) = doubt(&|page| (Ok(5), paged(50, page).1));
        assert!(reason.contains("counts 5 rows and gave 50"), "{reason}");
    }

    #[test]
    fn a_row_that_comes_twice_is_doubtful_and_a_page_that_does_ends() {
        let (doubt, pages) = read(100, |_| (Ok(1000), (0..100).collect()));
        assert_eq!(pages, 2);
        assert!(doubt.is_some_and(|doubt| doubt.contains("twice")));
        let moved = |page| match page {
            1 => (Ok(200), (0..100).collect()),
            _ => (Ok(200), (99..199).collect()),
        };
        assert!(read(100, moved).0.is_some());
    }

    #[test]
    fn rows_without_identity_are_counted() {
        let mut reading = Reading::new(Window::new(100));
        let step = reading.page(Ok(3), &[Some(1), None, None]);
        assert_eq!((step, reading.doubt_of_end()), (Step::Stop, None));
        assert_eq!(reading.rows(), 3);
    }
}
