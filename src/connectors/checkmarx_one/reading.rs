//! When the results of a scan have been read to their end, and whether that can be believed.
//!
//! The `offset` of this one call is the number of a page, from 0, although the vendor's own description says "items". Servers
//! that take it for items are known by their second page, which then begins with the second row of the first.

use std::collections::HashSet;

/// What to do after a row or a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Go on.
    Next,
    /// Drop this page: the server counts items, and the next page is asked for that way.
    AskAgain,
    /// The results are at their end, or going on is pointless; see [`Reading::verdict`].
    Stop,
}

/// Whether a reading is all results of the scan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is.
    Whole,
    /// It may not be, for this reason; reading once more may help.
    Doubtful(String),
}

/// One reading of a scan's results. Eight bytes a row are remembered.
#[derive(Debug)]
pub(super) struct Reading {
    limit: u64,
    counts_items: bool,
    pages: u64,
    rows: u64,
    rows_before_page: u64,
    total: Option<u64>,
    hashes: Vec<u64>,
    starts: HashSet<u64>,
    broken: Option<String>,
}

impl Reading {
    /// A reading by pages of `limit` rows.
    pub(super) fn new(limit: u64) -> Self {
        Self {
            limit,
            counts_items: false,
            pages: 0,
            rows: 0,
            rows_before_page: 0,
            total: None,
            hashes: Vec::new(),
            starts: HashSet::new(),
            broken: None,
        }
    }

    pub(super) fn limit(&self) -> u64 {
        self.limit
    }

    /// `offset` of the page to ask for.
    pub(super) fn offset(&self) -> u64 {
        if self.counts_items {
            self.rows
        } else {
            self.pages
        }
    }

    /// The total, once a page has told it.
    pub(super) fn total(&self) -> Option<u64> {
        self.total
    }

    /// A row has come.
    pub(super) fn row(&mut self, row: &[u8]) -> Step {
        let hash = short_hash(row);
        if self.rows == self.rows_before_page {
            let second_page = self.pages == 1 && !self.counts_items;
            if second_page && self.hashes.get(1) == Some(&hash) && self.hashes[0] != hash {
                self.counts_items = true;
                return Step::AskAgain;
            }
            if !self.starts.insert(hash) {
                self.doubt("a page came twice".to_owned());
                return Step::Stop;
            }
        }
        self.rows += 1;
        self.hashes.push(hash);
        Step::Next
    }

    /// The page was read to its end; it says that there are so many rows.
    pub(super) fn close_page(&mut self, total: Option<u64>) -> Step {
        let rows = self.rows - self.rows_before_page;
        self.rows_before_page = self.rows;
        self.pages += 1;
        match (self.total, total) {
            (_, None) => self.doubt("the answer holds no totalCount".to_owned()),
            (Some(before), Some(now)) if before != now => {
                self.doubt(format!(
                    "the tool counted {before} results on one page and {now} on the next"
                ));
            }
            _ => self.total = total,
        }
        let read_all = self.total.is_some_and(|total| self.rows >= total);
        if self.broken.is_some() || rows == 0 || read_all {
            Step::Stop
        } else {
            Step::Next
        }
    }

    /// Whether what was read is all; `earlier` is another reading, if there was one.
    pub(super) fn verdict(&mut self, earlier: Option<&Self>) -> Verdict {
        if let Some(reason) = &self.broken {
            return Verdict::Doubtful(reason.clone());
        }
        let rows = self.rows;
        match self.total {
            Some(total) if total == rows => {}
            Some(total) => {
                return Verdict::Doubtful(format!(
                    "the tool counts {total} results and gave {rows}"
                ));
            }
            None => return Verdict::Doubtful("the answer holds no totalCount".to_owned()),
        }
        self.hashes.sort_unstable();
        // Rows with equal sort keys have no order of their own: one that came twice may have pushed out another. If the same
        // rows come twice again, they are twice there.
        let twice = self.hashes.windows(2).any(|pair| pair[0] == pair[1]);
        let confirmed = earlier.is_some_and(|earlier| earlier.hashes == self.hashes);
        if self.pages > 1 && twice && !confirmed {
            return Verdict::Doubtful(
                "some results came twice, so others may be missing".to_owned(),
            );
        }
        Verdict::Whole
    }

    fn doubt(&mut self, reason: String) {
        self.broken.get_or_insert(reason);
    }
}

fn short_hash(row: &[u8]) -> u64 {
    let hash = blake3::hash(row);
    let mut short = [0; 8];
    short.copy_from_slice(&hash.as_bytes()[..8]);
    u64::from_le_bytes(short)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads from a server that answers (offset, limit) with a total and rows; gives the reading and the offsets asked for.
    fn read(
        limit: u64,
        answer: impl Fn(u64, u64) -> (Option<u64>, Vec<u64>),
    ) -> (Reading, Vec<u64>) {
        let mut reading = Reading::new(limit);
        let mut asked = Vec::new();
        'pages: loop {
            assert!(asked.len() < 1000, "the reading is endless");
            let offset = reading.offset();
            asked.push(offset);
            let (total, rows) = answer(offset, limit);
            for row in rows {
                match reading.row(row.to_string().as_bytes()) {
                    Step::Next => {}
                    Step::AskAgain => continue 'pages,
                    Step::Stop => return (reading, asked),
                }
            }
            if reading.close_page(total) == Step::Stop {
                return (reading, asked);
            }
        }
    }

    fn by_pages(total: u64) -> impl Fn(u64, u64) -> (Option<u64>, Vec<u64>) {
        move |offset, limit| {
            let rows = (offset * limit).min(total)..((offset + 1) * limit).min(total);
            (Some(total), rows.collect())
        }
    }

    fn by_items(total: u64) -> impl Fn(u64, u64) -> (Option<u64>, Vec<u64>) {
        move |offset, limit| {
            (
                Some(total),
                (offset.min(total)..(offset + limit).min(total)).collect(),
            )
        }
    }

    fn doubt(verdict: Verdict) -> String {
        match verdict {
            Verdict::Doubtful(reason) => reason,
            Verdict::Whole => String::new(),
        }
    }

    #[test]
    fn pages_are_read_by_their_number() {
        for (total, pages) in [(0, 1), (1, 1), (100, 1), (101, 2), (250, 3), (300, 3)] {
            let (mut reading, asked) = read(100, by_pages(total));
            assert_eq!(reading.verdict(None), Verdict::Whole, "{total}");
            assert_eq!(asked, (0..pages).collect::<Vec<_>>(), "{total}");
            assert_eq!(reading.rows, total);
        }
    }

    #[test]
    fn a_server_that_counts_items_is_found_out_and_read_by_items() {
        let (mut reading, asked) = read(100, by_items(250));
        assert_eq!(reading.verdict(None), Verdict::Whole);
        assert_eq!(asked, [0, 1, 100, 200]);
        assert_eq!(reading.rows, 250);
    }

    #[test]
    fn an_empty_page_before_the_end_a_lost_row_and_no_count_are_doubtful() {
        let (mut reading, _) = read(100, |offset, _| match offset {
            0 => (Some(250), (0..100).collect()),
            _ => (Some(250), Vec::new()),
        });
        assert!(doubt(reading.verdict(None)).contains("counts 250 results and gave 100"));
        let (mut reading, _) = read(100, |_, _| (Some(5), (0..9).collect()));
        assert!(doubt(reading.verdict(None)).contains("counts 5 results and gave 9"));
        let (mut reading, _) = read(100, |_, _| (None, vec![1]));
        assert!(doubt(reading.verdict(None)).contains("totalCount"));
    }

    #[test]
    fn a_page_that_comes_again_and_a_count_that_grows_end_and_are_doubtful() {
        let (mut reading, asked) = read(100, |_, _| (Some(1000), (0..100).collect()));
        assert_eq!(asked, [0, 1]);
        assert!(doubt(reading.verdict(None)).contains("came twice"));
        let (mut reading, asked) = read(100, |offset, _| {
            let rows = (offset * 100..(offset + 1) * 100).collect();
            (Some((offset + 2) * 100), rows)
        });
        assert_eq!(asked, [0, 1]);
        assert!(doubt(reading.verdict(None)).contains("200 results on one page and 300"));
    }

    #[test]
    fn a_row_that_came_twice_is_believed_only_when_it_comes_twice_again() {
        let moved = |offset: u64, _| match offset {
            0 => (Some(200), (0..100).collect()),
            _ => (Some(200), (100..199).chain([50]).collect::<Vec<u64>>()),
        };
        let (mut first, _) = read(100, moved);
        assert!(doubt(first.verdict(None)).contains("came twice"));
        let (mut again, _) = read(100, moved);
        assert_eq!(again.verdict(Some(&first)), Verdict::Whole);
        let (mut well, _) = read(100, by_pages(200));
        assert_eq!(well.verdict(Some(&first)), Verdict::Whole);
    }

    #[test]
    fn one_page_may_hold_a_row_twice() {
        let (mut reading, _) = read(100, |_, _| (Some(2), vec![7, 7]));
        assert_eq!(reading.verdict(None), Verdict::Whole);
    }
}
