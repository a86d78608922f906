//! When a list has been read to its end, and whether that can be believed.
//!
//! Lists of findings and projects have neither count nor cursor: the end is a page without rows, since a server may give fewer rows
//! than were asked for. Their order may change while they are read, so that a row moves over the edge of a page and is missed, and
//! nothing in the answers tells. What fits one page is one state of the list; more pages are believed when two readings in a row
//! hold the same rows.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use rapidhash::v3::rapidhash_v3;
use serde_json::value::RawValue;

use crate::connectors::lenient::Text;

/// So many readings of one list at most.
pub(super) const READINGS: usize = 3;

/// No list is followed further than this, whatever the tool says.
const MAX_PAGES: u64 = 5_000;

/// Nor further than this, which is far more than one project can be expected to have.
const MAX_ROWS: u64 = 2_000_000;

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
    /// It is not, and another reading would be no better.
    Hopeless(String),
}

/// One reading of a list by pages. Eight bytes a row are remembered.
#[derive(Debug, Default)]
pub(super) struct Reading {
    /// Pages with rows in them.
    pages: u64,
    rows: u64,
    rows_before_page: u64,
    ids: Vec<u64>,
    ids_before_page: usize,
    starts: HashSet<u64>,
    order: Order,
    broken: Option<Verdict>,
}

/// Findings come sorted by the time since when they are relevant, the newest first. A page that begins with newer ones than the
/// page before it ended with is none that follows it; only where a page itself is not sorted, nothing can be said.
#[derive(Debug, Default)]
struct Order {
    last: Option<DateTime<Utc>>,
    inside_a_page: bool,
    unsorted: bool,
    starts_anew: bool,
}

impl Order {
    fn row(&mut self, since: DateTime<Utc>) {
        let newer = self.last.is_some_and(|last| since > last);
        self.unsorted |= newer && self.inside_a_page;
        self.starts_anew |= newer && !self.inside_a_page;
        self.inside_a_page = true;
        self.last = Some(since);
    }

    /// Whether the page does not follow the one before it.
    fn close_page(&mut self) -> bool {
        self.inside_a_page = false;
        self.starts_anew && !self.unsorted
    }
}

impl Reading {
    /// The number of the page to ask for, from 0.
    pub(super) fn page(&self) -> u64 {
        self.pages
    }

    /// A row has come, with its id if it has one, and the time by which the list is sorted, if it is.
    pub(super) fn row(&mut self, id: Option<&str>, since: Option<DateTime<Utc>>) {
        self.rows += 1;
        self.ids.extend(id.map(|id| rapidhash_v3(id.as_bytes())));
        if let Some(since) = since {
            self.order.row(since);
        }
    }

    /// The page was read to its end.
    pub(super) fn close_page(&mut self) -> Step {
        if self.rows == self.rows_before_page {
            return Step::Stop;
        }
        let page = self.pages;
        self.pages += 1;
        self.rows_before_page = self.rows;
        let start = self.ids.get(self.ids_before_page).copied();
        self.ids_before_page = self.ids.len();
        if start.is_some_and(|start| !self.starts.insert(start)) {
            self.broken = Some(Verdict::Doubtful(format!(
                "page {page} begins like an earlier page"
            )));
        } else if self.order.close_page() {
            self.broken = Some(Verdict::Doubtful(format!(
                "page {page} begins with newer findings than the page before it ended with"
            )));
        } else if self.pages >= MAX_PAGES || self.rows >= MAX_ROWS {
            self.broken = Some(Verdict::Hopeless(format!(
                "the list does not end within {} pages and {} rows",
                self.pages, self.rows
            )));
        }
        match self.broken {
            Some(_) => Step::Stop,
            None => Step::Next,
        }
    }

    /// Whether what was read is the whole list; `earlier` is the reading before this one, if there was one.
    pub(super) fn verdict(&mut self, earlier: Option<&Self>) -> Verdict {
        if let Some(broken) = &self.broken {
            return broken.clone();
        }
        // A row that came twice has moved, or stands there twice; which of them, the other reading tells.
        self.ids.sort_unstable();
        self.ids.dedup();
        let confirmed = || earlier.is_some_and(|earlier| earlier.ids == self.ids);
        match self.pages {
            0 | 1 => Verdict::Whole,
            _ if confirmed() => Verdict::Whole,
            _ => Verdict::Doubtful(
                "the list changes while it is read: no two readings held the same rows".to_owned(),
            ),
        }
    }
}

/// The cursors of one reading.
#[derive(Debug, Default)]
pub(super) struct Cursors(HashSet<String>);

/// What to do with a cursor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Turn {
    /// There is none: the list is at its end.
    End,
    /// Ask for the page of this cursor.
    Next(String),
    /// The cursors lead nowhere, for this reason.
    Stuck(String),
}

impl Cursors {
    /// Takes in the cursor of a page.
    pub(super) fn turn(&mut self, cursor: Option<String>) -> Turn {
        let Some(cursor) = cursor else {
            return Turn::End;
        };
        if !self.0.insert(cursor.clone()) {
            return Turn::Stuck("a cursor came twice".to_owned());
        }
        match self.0.len() as u64 {
            MAX_PAGES.. => Turn::Stuck(format!("the list does not end within {MAX_PAGES} pages")),
            _ => Turn::Next(cursor),
        }
    }
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct Envelope<'a> {
    #[serde(borrow)]
    findings: Option<&'a RawValue>,
    cursor: Option<&'a RawValue>,
}

/// The cursor of a page; none at the end.
pub(super) fn cursor(envelope: &str) -> Result<Option<String>, String> {
    let unlike = |_| "the cursor is no text".to_owned();
    let envelope: Envelope<'_> = serde_json::from_str(envelope).map_err(unlike)?;
    let Some(cursor) = envelope.cursor else {
        return Ok(None);
    };
    let cursor: String = serde_json::from_str(cursor.get()).map_err(unlike)?;
    let cursor = Text(Some(cursor.into())).to_owned();
    Ok(cursor.filter(|cursor| !cursor.trim().is_empty()))
}

/// Whether it is a page of a list by cursors that leaves its empty list out.
pub(super) fn lists_nothing(envelope: &str) -> bool {
    let envelope = serde_json::from_str::<Envelope<'_>>(envelope);
    envelope.is_ok_and(|envelope| envelope.findings.is_none() && envelope.cursor.is_some())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// Reads from a server that answers a page's number with ids; gives the reading and the number of requests.
    fn read(answer: impl Fn(u64) -> Vec<u64>) -> (Reading, u64) {
        let mut reading = Reading::default();
        let mut requests = 0;
        loop {
            assert!(requests <= MAX_PAGES, "the reading is endless");
            requests += 1;
            for id in answer(reading.page()) {
                reading.row(Some(&id.to_string()), None);
            }
            if reading.close_page() == Step::Stop {
                return (reading, requests);
            }
        }
    }

    fn by_pages(total: u64) -> impl Fn(u64) -> Vec<u64> {
        move |page| ((page * 100).min(total)..((page + 1) * 100).min(total)).collect()
    }

    fn doubt(verdict: Verdict) -> String {
        match verdict {
            Verdict::Doubtful(reason) => reason,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_list_is_read_up_to_a_page_without_rows() {
        for (total, requests) in [
            (0, 1),
            (1, 2),
            (99, 2),
            (100, 2),
            (101, 3),
            (250, 4),
            (300, 4),
        ] {
            let (reading, asked) = read(by_pages(total));
            assert_eq!((asked, reading.rows), (requests, total), "{total}");
        }
    }

    #[test]
    fn one_page_is_believed_at_once_and_more_when_they_come_again() {
        for total in [0, 1, 100] {
            assert_eq!(read(by_pages(total)).0.verdict(None), Verdict::Whole);
        }
        let (mut first, _) = read(by_pages(250));
        assert!(doubt(first.verdict(None)).contains("two readings"));
        let (mut second, _) = read(by_pages(250));
        assert_eq!(second.verdict(Some(&first)), Verdict::Whole);
        let (mut grown, _) = read(by_pages(251));
        assert!(doubt(grown.verdict(Some(&second))).contains("changes"));
        let (mut shrunk, _) = read(by_pages(80));
        assert_eq!(shrunk.verdict(Some(&grown)), Verdict::Whole);
    }

    #[test]
    fn a_short_page_is_not_the_end() {
        let (reading, requests) = read(|page| match page {
            0..3 => vec![page * 10, page * 10 + 1],
            _ => Vec::new(),
        });
        assert_eq!((reading.rows, requests), (6, 4));
    }

    #[test]
    fn a_row_that_moved_is_found_out_by_the_next_reading() {
        // A new finding at the head pushes row 99 onto the second page.
        let (mut first, _) = read(|page| match page {
            0 => (0..100).collect(),
            1 => (99..150).collect(),
            _ => Vec::new(),
        });
        assert!(doubt(first.verdict(None)).contains("changes"));
        let after = |page| match page {
            0 => std::iter::once(1000).chain(0..99).collect(),
            1 => (99..150).collect(),
            _ => Vec::new(),
        };
        let (mut second, _) = read(after);
        assert!(doubt(second.verdict(Some(&first))).contains("changes"));
        let (mut third, _) = read(after);
        assert_eq!(third.verdict(Some(&second)), Verdict::Whole);
    }

    #[test]
    fn rows_that_always_come_twice_are_believed() {
        let twice = |page| match page {
            0 => (0..100).collect(),
            1 => (100..150).chain([7]).collect(),
            _ => Vec::new(),
        };
        let (mut first, _) = read(twice);
        assert!(doubt(first.verdict(None)).contains("changes"));
        assert_eq!(read(twice).0.verdict(Some(&first)), Verdict::Whole);
    }

    #[test]
    fn a_page_that_repeats_ends_and_is_doubtful() {
        let (mut reading, requests) = read(|_| (0..100).collect());
        assert_eq!(requests, 2);
        assert!(doubt(reading.verdict(None)).contains("page 1 begins like an earlier page"));
    }

    /// Reads pages of times, in seconds; whether the second page follows the first.
    fn follows(first: &[i64], second: &[i64]) -> bool {
        let mut reading = Reading::default();
        for (page, times) in [first, second].into_iter().enumerate() {
            for (row, seconds) in times.iter().enumerate() {
                let id = format!("{page}-{row}");
                reading.row(Some(&id), DateTime::from_timestamp(*seconds, 0));
            }
            reading.close_page();
        }
        reading.broken.is_none()
    }

    #[test]
    fn a_page_that_begins_with_newer_findings_does_not_follow() {
        assert!(follows(&[9, 8, 7], &[7, 6]));
        assert!(follows(&[9, 9, 9], &[9, 9]));
        assert!(!follows(&[9, 8, 7], &[9, 8]), "made up for ever, say");
        assert!(follows(&[7, 9, 8], &[9, 8]), "this list is not sorted");
        assert!(follows(&[9, 8, 7], &[8, 9, 7]), "nor is this one");
        assert!(follows(&[], &[9]));
    }

    #[test]
    fn pages_that_never_end_are_left_at_a_limit() {
        let (mut reading, requests) = read(|page| vec![page]);
        assert_eq!(requests, MAX_PAGES);
        assert!(matches!(reading.verdict(None), Verdict::Hopeless(_)));
        // Rows without ids tell no page from another.
        let mut nameless = Reading::default();
        let mut pages = 0;
        loop {
            nameless.row(None, None);
            pages += 1;
            if nameless.close_page() == Step::Stop {
                break;
            }
        }
        assert_eq!(pages, MAX_PAGES);
    }

    #[test]
    fn cursors_end_with_none_and_must_not_come_again() {
        let mut cursors = Cursors::default();
        let turn = |cursors: &mut Cursors, cursor: &str| cursors.turn(Some(cursor.to_owned()));
        assert_eq!(turn(&mut cursors, "a"), Turn::Next("a".to_owned()));
        assert_eq!(turn(&mut cursors, "b"), Turn::Next("b".to_owned()));
        assert!(matches!(turn(&mut cursors, "a"), Turn::Stuck(reason) if reason.contains("twice")));
        assert_eq!(cursors.turn(None), Turn::End);
    }

    #[test]
    fn cursors_that_never_end_are_left_at_a_limit() {
        let mut cursors = Cursors::default();
        let mut number = 0;
        while let Turn::Next(_) = cursors.turn(Some(number.to_string())) {
            number += 1;
        }
        assert_eq!(number + 1, MAX_PAGES);
    }

    #[test]
    fn a_page_tells_its_cursor_or_the_end() {
        assert_eq!(
            cursor(r#"{"findings":[],"cursor":"Pm0R=","previous":"x"}"#),
            Ok(Some("Pm0R=".to_owned()))
        );
        for end in [
            r#"{"findings":[]}"#,
            r#"{"cursor":""}"#,
            r#"{"cursor":null}"#,
            r#"{"cursor":" "}"#,
        ] {
            assert_eq!(cursor(end), Ok(None), "{end}");
        }
        assert!(cursor(r#"{"cursor":7}"#).is_err());
    }

    #[test]
    fn an_empty_list_may_be_left_out_where_there_is_a_cursor() {
        assert!(lists_nothing(r#"{"cursor":""}"#));
        assert!(lists_nothing(r#"{"findings":null,"cursor":""}"#));
        assert!(!lists_nothing("{}"));
        assert!(!lists_nothing(r#"{"error":"x"}"#));
        assert!(!lists_nothing(r#"{"findings":{},"cursor":""}"#));
        assert!(!lists_nothing(""));
    }
}
