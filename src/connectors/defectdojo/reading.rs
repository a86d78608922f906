//! When a list has been read to its end, and whether it can be believed.
//!
//! Offsets shift when rows go or come meanwhile, so that others are never seen. A limit that the server does not like becomes
//! its own without a word. What decides is the link to the next page, and that the count was the same on all pages and is that
//! of the rows.

use std::collections::HashSet;

use url::form_urlencoded;

use crate::connectors::lenient::{Text, Whole};

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
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct Envelope<'a> {
    /// Rows of the whole list.
    count: Whole,
    /// Where the next page is: null at the end, and not there where this is no page.
    #[serde(borrow, deserialize_with = "told")]
    next: Option<Text<'a>>,
}

fn told<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Text<'de>>, D::Error> {
    serde::Deserialize::deserialize(deserializer).map(Some)
}

impl<'a> Envelope<'a> {
    /// Whatever it is; what cannot be read is missing.
    pub(super) fn parse(text: &'a str) -> Self {
        serde_json::from_str(text).unwrap_or_default()
    }

    /// How many rows the list has.
    pub(super) fn count(&self) -> Option<u64> {
        self.count.0.and_then(|count| u64::try_from(count).ok())
    }
}

/// One reading of a list from its first page on. Eight bytes and a little more are remembered of each row.
#[derive(Debug)]
pub(super) struct Reading {
    offset: u64,
    limit: u64,
    rows: u64,
    rows_before_page: u64,
    seen: HashSet<u64>,
    count: Option<u64>,
    doubt: Option<String>,
}

impl Reading {
    /// Of pages of so many rows, as far as the server agrees.
    pub(super) fn with_limit(limit: u64) -> Self {
        Self {
            offset: 0,
            limit,
            rows: 0,
            rows_before_page: 0,
            seen: HashSet::new(),
            count: None,
            doubt: None,
        }
    }

    /// Limit and offset of the page to ask for next.
    pub(super) fn next_page(&self) -> (u64, u64) {
        (self.limit, self.offset)
    }

    /// How many rows the list has, once a page has told it.
    pub(super) fn count(&self) -> Option<u64> {
        self.count
    }

    /// A row has come, with its id if it has one.
    pub(super) fn row(&mut self, id: Option<u64>) {
        // A row that cannot be read is known by its place, so that two of them are not taken for one.
        self.seen.insert(id.unwrap_or(u64::MAX - self.rows));
        self.rows += 1;
    }

    /// Something is wrong with the list as a whole.
    pub(super) fn note(&mut self, doubt: String) {
        self.doubt.get_or_insert(doubt);
    }

    /// A page was read to its end.
    pub(super) fn close_page(&mut self, envelope: &Envelope<'_>) -> Step {
        let rows = self.rows - self.rows_before_page;
        self.rows_before_page = self.rows;
        match (self.count, envelope.count()) {
            (_, None) => self.note("the answer does not tell the count of the list".to_owned()),
            (Some(before), Some(now)) if before != now => {
                self.note(format!(
                    "the tool counted {before} rows on one page and {now} on the next"
                ));
            }
            (_, count) => self.count = count,
        }
        if self.count.is_some_and(|count| self.rows > count) {
            self.note("it has more rows than the tool counts".to_owned());
        }
        let Some(next) = &envelope.next else {
            self.note("the answer does not tell whether there is a next page".to_owned());
            return Step::Stop;
        };
        // Null, and what is no text: then the count tells what is missing.
        let Some(link) = next.as_str() else {
            return Step::Stop;
        };
        self.follow(link, rows);
        match self.doubt {
            Some(_) => Step::Stop,
            None => Step::Next,
        }
    }

    /// Takes limit and offset out of the link, and nothing else: its host is what some proxy thinks it is.
    fn follow(&mut self, link: &str, rows: u64) {
        let query = link.split_once('?').map_or("", |(_, query)| query);
        let query = query.split_once('#').map_or(query, |(query, _)| query);
        let number = |name: &str| {
            let mut pairs = form_urlencoded::parse(query.as_bytes());
            let named = pairs.find(|(key, _)| key == name);
            named.and_then(|(_, value)| value.parse::<u64>().ok())
        };
        match number("offset") {
            Some(offset) if rows > 0 && offset == self.offset + rows => {
                self.offset = offset;
                self.limit = number("limit")
                    .filter(|limit| *limit > 0)
                    .unwrap_or(self.limit);
            }
            Some(offset) => self.note(format!(
                "the page from row {} on has {rows} rows, and the next one begins at {offset}",
                self.offset
            )),
            None => self.note("the link to the next page has no offset".to_owned()),
        }
    }

    /// Why what was read may not be the whole list, if so.
    pub(super) fn doubt(&self) -> Option<String> {
        let distinct = self.seen.len() as u64;
        let count = self.count.unwrap_or_default();
        let counted = (count != distinct)
            .then(|| format!("the tool counts {count} rows and gave {distinct} different ones"));
        self.doubt.clone().or(counted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads a list in pages of 10 from a server that answers limit and offset; gives the doubt and the number of requests.
    fn read(answer: impl Fn(u64, u64) -> (String, Vec<u64>)) -> (Option<String>, u64) {
        let mut reading = Reading::with_limit(10);
        let mut requests = 0;
        loop {
            requests += 1;
            assert!(requests < 10_000, "the reading is endless");
            let (limit, offset) = reading.next_page();
            let (envelope, ids) = answer(limit, offset);
            for id in ids {
                reading.row(Some(id));
            }
            if reading.close_page(&Envelope::parse(&envelope)) == Step::Stop {
                return (reading.doubt(), requests);
            }
        }
    }

    fn envelope(count: u64, next: Option<(u64, u64)>) -> String {
        let next = next.map_or("null".to_owned(), |(limit, offset)| {
            format!("\"http://inside:8080/api/v2/findings/?limit={limit}&o=id&offset={offset}\"")
        });
        format!(r#"{{"count":{count},"next":{next},"previous":null,"prefetch":{{}}}}"#)
    }

    /// A list of 1..=count.
    fn paged(count: u64, longest: u64) -> impl Fn(u64, u64) -> (String, Vec<u64>) {
        move |limit, offset| {
            let limit = limit.min(longest);
            let end = (offset + limit).min(count);
            let next = (end < count).then_some((limit, end));
            (envelope(count, next), (offset + 1..=end).collect())
        }
    }

    fn doubt(answer: impl Fn(u64, u64) -> (String, Vec<u64>)) -> (String, u64) {
        let (doubt, requests) = read(answer);
        (doubt.unwrap_or_default(), requests)
    }

    #[test]
    fn a_list_is_read_until_there_is_no_next_page() {
        for (count, requests) in [
            (0, 1),
            (1, 1),
            (9, 1),
            (10, 1),
            (11, 2),
            (20, 2),
            (1234, 124),
        ] {
            assert_eq!(read(paged(count, 1000)), (None, requests), "{count}");
        }
    }

    #[test]
    fn a_server_with_a_limit_of_its_own_is_read_on_in_its_steps() {
        assert_eq!(read(paged(50, 7)), (None, 8));
        // The limit fell back to one that is larger.
        assert_eq!(read(|_, offset| paged(60, 25)(25, offset)), (None, 3));
    }

    #[test]
    fn a_truncated_list_is_doubtful() {
        let (reason, _) = doubt(|_, _| (envelope(60, None), (1..=25).collect()));
        assert!(reason.contains("counts 60 rows and gave 25"), "{reason}");
        let (reason, requests) = doubt(|_, _| (envelope(60, Some((10, 10))), (1..=8).collect()));
        assert!(
            reason.contains("from row 0 on has 8 rows, and the next one begins at 10"),
            "{reason}"
        );
        assert_eq!(requests, 1);
    }

    #[test]
    fn rows_that_shifted_are_doubtful() {
        // One row went: count changed, and a row was never seen.
        let (reason, requests) = doubt(|limit, offset| match offset {
            0 => paged(30, 100)(limit, 0),
            _ => (envelope(29, Some((10, 20))), (12..=21).collect()),
        });
        assert!(
            reason.contains("30 rows on one page and 29 on the next"),
            "{reason}"
        );
        assert_eq!(requests, 2);
        // One went and one came: the count is the same, and a row came twice.
        let (reason, _) = doubt(|_, offset| match offset {
            0 => (envelope(20, Some((10, 10))), (1..=10).collect()),
            _ => (envelope(20, None), (10..=19).collect()),
        });
        assert!(
            reason.contains("counts 20 rows and gave 19 different ones"),
            "{reason}"
        );
    }

    #[test]
    fn pages_that_repeat_or_never_end_are_left() {
        let (reason, requests) = doubt(|_, _| (envelope(100, Some((10, 10))), (1..=10).collect()));
        assert!(
            reason.contains("from row 10 on has 10 rows, and the next one begins at 10"),
            "{reason}"
        );
        assert_eq!(requests, 2);
        let (reason, requests) = doubt(|_, offset| {
            (
                envelope(25, Some((10, offset + 10))),
                (offset + 1..=offset + 10).collect(),
            )
        });
        assert!(
            reason.contains("more rows than the tool counts"),
            "{reason}"
        );
        assert_eq!(requests, 3);
        let (reason, requests) = doubt(|_, offset| (envelope(100, Some((10, offset))), Vec::new()));
        assert!(reason.contains("has 0 rows"), "{reason}");
        assert_eq!(requests, 1);
    }

    #[test]
    fn what_is_no_page_is_doubtful() {
        for (text, words) in [
            ("", "does not tell the count"),
            ("[]", "does not tell the count"),
            (r#"{"next":null}"#, "does not tell the count"),
            (r#"{"count":"many","next":null}"#, "does not tell the count"),
            (r#"{"count":1}"#, "whether there is a next page"),
            (r#"{"count":2,"next":7}"#, "counts 2 rows and gave 1"),
            (
                r#"{"count":2,"next":"/api/v2/findings/?cursor=b"}"#,
                "has no offset",
            ),
            (r#"{"count":2,"next":"nonsense"}"#, "has no offset"),
        ] {
            let (reason, requests) = doubt(|_, _| (text.to_owned(), vec![1]));
            assert!(reason.contains(words), "{text}: {reason}");
            assert_eq!(requests, 1);
        }
    }

    #[test]
    fn rows_that_cannot_be_read_are_told_apart_by_their_place() {
        let mut reading = Reading::with_limit(10);
        reading.row(None);
        reading.row(None);
        assert_eq!(
            reading.close_page(&Envelope::parse(&envelope(2, None))),
            Step::Stop
        );
        assert_eq!(reading.doubt(), None);
    }
}
