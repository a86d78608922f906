//! When a list has been read to its end, and whether it can be believed.
//!
//! Pages go over an order that moves while a scan runs, so rows may come twice, and others then not at all. What a page
//! says of itself decides: not the number of its rows, for the server gives as many at once as it likes.

use std::collections::HashSet;

use crate::connectors::lenient::Whole;

/// A list is read so often until it is believed.
pub(super) const READINGS: u32 = 3;

/// What to do after a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Ask for the next page.
    Next,
    /// The list is at its end, or going on is pointless; see [`Reading::doubt`].
    Stop,
}

/// What stands around the rows of every page.
#[derive(Debug, Clone, Copy, Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct Envelope {
    /// Rows of the whole list.
    count: Whole,
    /// Pages of the whole list.
    page_total: Whole,
    /// Number of this page, from 1.
    page: Whole,
}

impl Envelope {
    /// Whatever it is; what cannot be read is missing.
    pub(super) fn parse(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_default()
    }

    /// How many rows the list has.
    pub(super) fn count(self) -> Option<u64> {
        self.count.0.and_then(|count| u64::try_from(count).ok())
    }

    fn pages(self) -> Option<u64> {
        self.page_total
            .0
            .and_then(|pages| u64::try_from(pages).ok())
    }
}

/// One reading of a list from its first page on. Eight bytes and a little more are remembered of each row.
#[derive(Debug, Default)]
pub(super) struct Reading {
    page: u64,
    rows: u64,
    rows_before_page: u64,
    seen: HashSet<u64>,
    count: Option<u64>,
    doubt: Option<String>,
}

impl Reading {
    /// The number of the page to ask for next, from 1.
    pub(super) fn next_page(&self) -> u64 {
        self.page + 1
    }

    /// How many rows the list has, once a page has told it.
    pub(super) fn count(&self) -> Option<u64> {
        self.count
    }

    /// A row has come, with its id if it has one.
    pub(super) fn row(&mut self, id: Option<&str>) {
        // A row that cannot be read is known by its place, so that two of them are not taken for one.
        let hash = id.map_or(u64::MAX - self.rows, short_hash);
        self.rows += 1;
        self.seen.insert(hash);
    }

    /// A page was read to its end.
    pub(super) fn close_page(&mut self, envelope: Envelope) -> Step {
        self.page += 1;
        let page = self.page;
        let rows = self.rows - self.rows_before_page;
        self.rows_before_page = self.rows;
        if let Some(told) = envelope
            .page
            .0
            .filter(|told| i64::try_from(page) != Ok(*told))
        {
            self.note(format!("page {page} was asked for and page {told} came"));
        }
        match (self.count, envelope.count()) {
            (_, None) => self.note("the answer does not tell the count of the list".to_owned()),
            (Some(before), Some(now)) if before != now => {
                self.note(format!(
                    "the tool counted {before} rows on one page and {now} on the next"
                ));
            }
            (_, count) => self.count = count,
        }
        let Some(pages) = envelope.pages() else {
            self.note("the answer does not tell the number of pages".to_owned());
            return Step::Stop;
        };
        if self.count.is_some_and(|count| self.rows > count) {
            self.note("it has more rows than the tool counts".to_owned());
        }
        if rows == 0 && page < pages {
            self.note(format!("page {page} of {pages} is empty"));
        }
        match self.doubt.is_some() || page >= pages {
            true => Step::Stop,
            false => Step::Next,
        }
    }

    /// The page that the last one announced is not there.
    pub(super) fn page_is_gone(&mut self) {
        self.note("it became shorter while it was read".to_owned());
    }

    /// Why what was read may not be the whole list, if so.
    pub(super) fn doubt(&self) -> Option<String> {
        let distinct = self.seen.len() as u64;
        let count = self.count.unwrap_or_default();
        let counted = (count != distinct)
            .then(|| format!("the tool counts {count} rows and gave {distinct} different ones"));
        self.doubt.clone().or(counted)
    }

    fn note(&mut self, doubt: String) {
        self.doubt.get_or_insert(doubt);
    }
}

fn short_hash(id: &str) -> u64 {
    let hash = blake3::hash(id.as_bytes());
    let mut short = [0; 8];
    short.copy_from_slice(&hash.as_bytes()[..8]);
    u64::from_le_bytes(short)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn envelope(count: i64, pages: i64, page: u64) -> Envelope {
        Envelope {
            count: Whole(Some(count)),
            page_total: Whole(Some(pages)),
            page: Whole(i64::try_from(page).ok()),
        }
    }

    /// Reads a list from a server that answers page n with `answer(n)`; gives the doubt and the number of requests.
    fn read(answer: impl Fn(u64) -> (Envelope, Vec<u64>)) -> (Option<String>, u64) {
        let mut reading = Reading::default();
        loop {
            let page = reading.next_page();
            assert!(page < 1_000_000, "the reading is endless");
            let (envelope, ids) = answer(page);
            for id in ids {
                reading.row(Some(&id.to_string()));
            }
            if reading.close_page(envelope) == Step::Stop {
                return (reading.doubt(), page);
            }
        }
    }

    /// A list of 0..count in pages of `length`.
    fn paged(count: u64, length: u64) -> impl Fn(u64) -> (Envelope, Vec<u64>) {
        move |page| {
            let rows = ((page - 1) * length..count.min(page * length)).collect();
            let pages = count.div_ceil(length).max(1);
            let envelope = envelope(count.cast_signed(), pages.cast_signed(), page);
            (envelope, rows)
        }
    }

    fn doubt(answer: impl Fn(u64) -> (Envelope, Vec<u64>)) -> (String, u64) {
        let (doubt, requests) = read(answer);
        (doubt.unwrap_or_default(), requests)
    }

    #[test]
    fn a_list_is_read_to_the_page_that_says_it_is_the_last() {
        for (count, requests) in [
            (0, 1),
            (1, 1),
            (49, 1),
            (50, 1),
            (51, 2),
            (100, 2),
            (1234, 25),
        ] {
            assert_eq!(read(paged(count, 50)), (None, requests), "{count}");
        }
    }

    #[test]
    fn a_server_that_gives_fewer_rows_than_asked_for_is_read_on() {
        assert_eq!(read(paged(50, 10)), (None, 5));
    }

    #[test]
    fn a_row_that_moved_to_the_next_page_is_doubtful() {
        let (reason, _) = doubt(|page| match page {
            1 => (envelope(20, 2, 1), (0..10).collect()),
            _ => (envelope(20, 2, 2), (9..19).collect()),
        });
        assert!(
            reason.contains("counts 20 rows and gave 19 different ones"),
            "{reason}"
        );
    }

    #[test]
    fn a_count_that_changes_or_lies_is_doubtful() {
        let (reason, requests) = doubt(|page| {
            let rows = (page * 10..page * 10 + 10).collect();
            (envelope(20 + page.cast_signed(), 3, page), rows)
        });
        assert!(
            reason.contains("21 rows on one page and 22 on the next"),
            "{reason}"
        );
        assert_eq!(requests, 2);
        let (reason, _) = doubt(|page| (envelope(500, 1, page), vec![1, 2]));
        assert!(reason.contains("counts 500 rows and gave 2"), "{reason}");
        let (reason, _) = doubt(|page| (envelope(1, 9, page), vec![1, 2]));
        assert!(
            reason.contains("more rows than the tool counts"),
            "{reason}"
        );
    }

    #[test]
    fn pages_that_repeat_end_and_are_doubtful() {
        let (reason, requests) = doubt(|_| (envelope(100, 10, 1), (0..10).collect()));
        assert!(
            reason.contains("page 2 was asked for and page 1 came"),
            "{reason}"
        );
        assert_eq!(requests, 2);
        // Also where the page says that it is another one.
        let (reason, requests) = doubt(|page| (envelope(100, 1000, page), (0..10).collect()));
        assert!(reason.contains("more rows"), "{reason}");
        assert_eq!(requests, 11);
    }

    #[test]
    fn pages_that_never_end_are_left() {
        let (reason, requests) = doubt(|page| (envelope(20, i64::MAX, page), vec![page]));
        assert!(reason.contains("more rows"), "{reason}");
        assert_eq!(requests, 21);
        let (reason, requests) = doubt(|page| (envelope(20, i64::MAX, page), Vec::new()));
        assert!(reason.contains("page 1 of"), "{reason}");
        assert_eq!(requests, 1);
    }

    #[test]
    fn an_answer_that_does_not_count_is_doubtful() {
        for text in [
            "",
            "[]",
            "{}",
            r#"{"count":"many","page_total":1}"#,
            r#"{"count":-1,"page_total":1}"#,
        ] {
            let (reason, requests) = doubt(|_| (Envelope::parse(text), vec![1]));
            assert!(
                reason.contains("does not tell the count"),
                "{text}: {reason}"
            );
            assert_eq!(requests, 1);
        }
        let (reason, _) = doubt(|_| (Envelope::parse(r#"{"count":1}"#), vec![1]));
        assert!(reason.contains("number of pages"), "{reason}");
    }

    #[test]
    fn a_page_that_is_gone_is_doubtful() {
        let mut reading = Reading::default();
        reading.row(Some("1"));
        assert_eq!(reading.close_page(envelope(2, 2, 1)), Step::Next);
        reading.page_is_gone();
        assert!(
            reading
                .doubt()
                .is_some_and(|reason| reason.contains("shorter"))
        );
    }

    #[test]
    fn rows_that_cannot_be_read_are_told_apart_by_their_place() {
        let mut reading = Reading::default();
        reading.row(None);
        reading.row(None);
        assert_eq!(reading.close_page(envelope(2, 1, 1)), Step::Stop);
        assert_eq!(reading.doubt(), None);
    }
}
