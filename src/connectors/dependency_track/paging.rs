//! When a list has been read to its end, and whether it can be believed.
//!
//! Facts from the server's source, 4.0–5.0.4: 4.x ignores all paging parameters on a project's findings and gives every row
//! at once; 5.x pages. Nothing in an answer says which line it is from, and pre-release servers changed half-way. So the
//! answers decide, page by page, and no server can make a reading endless.

use std::collections::HashSet;

use reqwest::header::HeaderMap;

use crate::finding::SourceKey;

/// No list is followed further than this, whatever the tool says.
const MAX_ROWS: u64 = 50_000_000;

/// What a page says about the size of the whole list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Count {
    /// `X-Total-Count`.
    Exact(u64),
    /// The same with `X-Total-Count-Type: AT_LEAST` (5.1+): a lower bound.
    AtLeast(u64),
    /// The header is missing (a proxy dropped it) or no number.
    Missing,
}

impl Count {
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let total = text("x-total-count").and_then(|count| count.trim().parse().ok());
        let bound = text("x-total-count-type").is_some_and(|t| t.eq_ignore_ascii_case("AT_LEAST"));
        match total {
            Some(total) if bound => Self::AtLeast(total),
            Some(total) => Self::Exact(total),
            None => Self::Missing,
        }
    }

    fn exact(self) -> Option<u64> {
        match self {
            Self::Exact(total) => Some(total),
            _ => None,
        }
    }
}

/// What to do after a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Ask for the next page.
    Next,
    /// The list is at its end, or going on is pointless; see [`Reading::verdict`].
    Stop,
}

/// Whether a reading is the whole list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is.
    Whole,
    /// It may not be, for this reason; reading once more may help.
    Doubtful(String),
}

/// One reading of a list from its first page on. Eight bytes per row are remembered.
#[derive(Debug)]
pub(super) struct Reading {
    page_size: u64,
    page: u64,
    rows: u64,
    rows_before_page: u64,
    ids: Vec<u64>,
    first_ids: HashSet<u64>,
    count: Count,
    broken: Option<String>,
}

impl Reading {
    pub(super) fn new(page_size: u64) -> Self {
        Self {
            page_size,
            page: 0,
            rows: 0,
            rows_before_page: 0,
            ids: Vec::new(),
            first_ids: HashSet::new(),
            count: Count::Missing,
            broken: None,
        }
    }

    /// The number of the page to ask for next, from 1.
    pub(super) fn next_page(&self) -> u64 {
        self.page + 1
    }

    /// A page's answer has come.
    pub(super) fn open_page(&mut self, count: Count) {
        self.page += 1;
        self.rows_before_page = self.rows;
        if self.page == 1 {
            self.count = count;
        } else if let (Some(first), Some(now)) = (self.count.exact(), count.exact()) {
            if first != now {
                self.doubt(format!(
                    "the tool counted {first} rows on page 1 and {now} on page {}",
                    self.page
                ));
            }
        } else if count.exact().is_none() {
            self.count = count;
        }
    }

    /// A row of the open page has come, with its key if it has one.
    pub(super) fn row(&mut self, key: Option<&SourceKey>) {
        // A row that cannot be read is known by its place, so that two of them are not taken for one.
        let hash = key.map_or(u64::MAX - self.rows, short_hash);
        if self.rows == self.rows_before_page && !self.first_ids.insert(hash) {
            self.doubt(format!("page {} repeats an earlier page", self.page));
        }
        self.rows += 1;
        self.ids.push(hash);
    }

    /// The open page was read to its end.
    pub(super) fn close_page(&mut self) -> Step {
        let rows = self.rows - self.rows_before_page;
        if self.page > 1 && rows > self.page_size {
            self.doubt(format!(
                "page {} holds {rows} rows although {} were asked for",
                self.page, self.page_size
            ));
        }
        if self.rows >= MAX_ROWS {
            self.doubt(format!("the list does not end within {MAX_ROWS} rows"));
        }
        // A page that is not full is the last one; one that is more than full is the whole list, from a server that does
        // not page.
        let last = rows != self.page_size
            || self.count.exact().is_some_and(|total| self.rows >= total)
            || self.broken.is_some();
        if last { Step::Stop } else { Step::Next }
    }

    /// Whether what was read is the whole list; `earlier` is another reading of it, if there was one.
    pub(super) fn verdict(&mut self, earlier: Option<&Self>) -> Verdict {
        if let Some(reason) = &self.broken {
            return Verdict::Doubtful(reason.clone());
        }
        self.ids.sort_unstable();
        let rows = self.rows;
        let reason = match self.count {
            Count::Exact(total) if total != rows => {
                format!("the tool counts {total} rows and gave {rows}")
            }
            Count::AtLeast(total) if rows < total => {
                format!("the tool counts at least {total} rows and gave {rows}")
            }
            // One answer is one state of the database: nothing can have moved, and 4.x may list one id twice.
            _ if self.page <= 1 => return Verdict::Whole,
            _ if self.has_duplicates() => {
                "rows moved between pages while they were read: some came twice, so others may be missing".to_owned()
            }
            Count::Exact(_) => return Verdict::Whole,
            // Without an exact count a gap between two pages cannot be seen; two equal readings prove that there was none.
            _ if earlier.is_some_and(|earlier| earlier.ids == self.ids) => return Verdict::Whole,
            Count::AtLeast(_) | Count::Missing => {
                "the answers hold no exact X-Total-Count, and two readings were not equal".to_owned()
            }
        };
        Verdict::Doubtful(reason)
    }

    fn has_duplicates(&self) -> bool {
        self.ids.windows(2).any(|pair| pair[0] == pair[1])
    }

    fn doubt(&mut self, reason: String) {
        self.broken.get_or_insert(reason);
    }
}

/// Half of a key, which is a hash, is enough.
fn short_hash(key: &SourceKey) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = *key;
    u64::from_le_bytes([a, b, c, d, e, f, g, h])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::source_key;

    /// Reads a list from a server that answers page n with `answer(n)`; gives the reading and the number of requests.
    fn read(page_size: u64, answer: impl Fn(u64) -> (Count, Vec<u64>)) -> (Reading, u64) {
        let mut reading = Reading::new(page_size);
        loop {
            let page = reading.next_page();
            assert!(page < 1_000_000, "the reading is endless");
            let (count, ids) = answer(page);
            reading.open_page(count);
            for id in ids {
                reading.row(Some(&source_key(None, &id.to_string())));
            }
            if reading.close_page() == Step::Stop {
                return (reading, page);
            }
        }
    }

    fn paged(total: u64, page: u64) -> Vec<u64> {
        ((page - 1) * 100..total.min(page * 100)).collect()
    }

    fn doubt(verdict: Verdict) -> String {
        match verdict {
            Verdict::Doubtful(reason) => reason,
            Verdict::Whole => String::new(),
        }
    }

    #[test]
    fn a_server_that_pages_is_read_page_by_page_up_to_its_count() {
        let (mut reading, requests) = read(100, |page| (Count::Exact(240), paged(240, page)));
        assert_eq!((reading.verdict(None), requests), (Verdict::Whole, 3));
        let (mut reading, requests) = read(100, |page| (Count::Exact(200), paged(200, page)));
        assert_eq!((reading.verdict(None), requests), (Verdict::Whole, 2));
    }

    #[test]
    fn a_server_that_does_not_page_is_asked_once() {
        for total in [0, 1, 99, 100, 101, 240] {
            let (mut reading, requests) =
                read(100, |_| (Count::Exact(total), (0..total).collect()));
            assert_eq!((reading.verdict(None), requests), (Verdict::Whole, 1));
        }
    }

    #[test]
    fn one_answer_may_list_an_id_twice() {
        let (mut reading, _) = read(100, |_| (Count::Exact(3), vec![1, 2, 2]));
        assert_eq!(reading.verdict(None), Verdict::Whole);
    }

    #[test]
    fn a_count_that_shrinks_between_pages_is_doubtful() {
        let (mut reading, requests) = read(100, |page| match page {
            1 | 2 => (Count::Exact(240), paged(240, page)),
            _ => (Count::Exact(0), Vec::new()),
        });
        assert_eq!(requests, 3);
        assert!(doubt(reading.verdict(None)).contains("240 rows on page 1 and 0 on page 3"));
    }

    #[test]
    fn a_count_that_lies_is_doubtful() {
        let (mut reading, _) = read(100, |page| (Count::Exact(500), paged(240, page)));
        assert!(doubt(reading.verdict(None)).contains("counts 500 rows and gave 240"));
        let (mut reading, _) = read(100, |page| (Count::Exact(5), paged(50, page)));
        assert!(doubt(reading.verdict(None)).contains("counts 5 rows and gave 50"));
    }

    #[test]
    fn a_page_that_repeats_for_ever_ends_and_is_doubtful() {
        for count in [Count::Exact(1000), Count::Missing, Count::AtLeast(1000)] {
            let (mut reading, requests) = read(100, |_| (count, paged(100, 1)));
            assert_eq!(requests, 2);
            assert!(doubt(reading.verdict(None)).contains("page 2 repeats"));
        }
    }

    #[test]
    fn pages_that_never_end_are_left_at_a_limit() {
        let page_size = MAX_ROWS / 10;
        let mut reading = Reading::new(page_size);
        for page in 1..=10 {
            reading.open_page(Count::Missing);
            // Only the bookkeeping of a page is played; that many rows would take long.
            reading.row(Some(&source_key(None, &page.to_string())));
            reading.rows = page * page_size;
            let step = reading.close_page();
            assert_eq!(step, if page < 10 { Step::Next } else { Step::Stop });
        }
        assert!(doubt(reading.verdict(None)).contains("does not end"));
    }

    #[test]
    fn a_row_that_moved_to_the_next_page_is_doubtful() {
        let (mut reading, _) = read(100, |page| match page {
            1 => (Count::Exact(200), (0..100).collect()),
            _ => (Count::Exact(200), (99..199).collect()),
        });
        assert!(doubt(reading.verdict(None)).contains("rows moved"));
    }

    #[test]
    fn without_a_count_two_equal_readings_are_believed_and_one_alone_is_not() {
        let answer = |page| (Count::Missing, paged(240, page));
        let (mut first, requests) = read(100, answer);
        assert_eq!(requests, 3);
        assert_ne!(first.verdict(None), Verdict::Whole);
        let (mut second, _) = read(100, answer);
        assert_eq!(second.verdict(Some(&first)), Verdict::Whole);
        let (mut other, _) = read(100, |page| (Count::Missing, paged(239, page)));
        assert_ne!(other.verdict(Some(&first)), Verdict::Whole);
    }

    #[test]
    fn without_a_count_one_short_or_unpaged_answer_is_believed() {
        for total in [0, 40, 240] {
            let (mut reading, _) = read(100, |_| (Count::Missing, (0..total).collect()));
            assert_eq!(reading.verdict(None), Verdict::Whole);
        }
    }

    #[test]
    fn a_lower_bound_does_not_end_a_reading() {
        let (mut reading, requests) = read(100, |page| (Count::AtLeast(101), paged(240, page)));
        assert_eq!(requests, 3);
        assert_ne!(reading.verdict(None), Verdict::Whole);
        assert_eq!(reading.rows, 240);
    }

    #[test]
    fn counts_are_read_from_headers() {
        let mut headers = HeaderMap::new();
        assert_eq!(Count::of(&headers), Count::Missing);
        headers.insert("x-total-count", "many".parse().unwrap());
        assert_eq!(Count::of(&headers), Count::Missing);
        headers.insert("x-total-count", "240".parse().unwrap());
        assert_eq!(Count::of(&headers), Count::Exact(240));
        headers.insert("x-total-count-type", "AT_LEAST".parse().unwrap());
        assert_eq!(Count::of(&headers), Count::AtLeast(240));
    }
}
