#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use bytes::Bytes;

use super::super::tables::CAP;
use super::*;

/// Numbers, cut in halves.
struct Numbers {
    /// How many there are.
    count: u64,
    /// Whether totals are told beyond the cap.
    counts_all: bool,
    /// Numbers closer together than this cannot be told apart.
    finest: u64,
    /// How many requests came.
    requests: u64,
    /// How often each number was handed on.
    taken: BTreeMap<u64, u32>,
    expected: u64,
    /// Changes the count before the request of this number.
    change: Option<(u64, u64)>,
    /// Whether every slice claims to have more than can be seen.
    lies: bool,
}

impl Numbers {
    fn new(count: u64) -> Self {
        Self {
            count,
            counts_all: true,
            finest: 1,
            requests: 0,
            taken: BTreeMap::new(),
            expected: 0,
            change: None,
            lies: false,
        }
    }

    fn each_once(&self) -> bool {
        self.taken.len() as u64 == self.count && self.taken.values().all(|times| *times == 1)
    }
}

/// From, and up to but without.
#[derive(Clone)]
struct Range(u64, u64);

impl Default for Range {
    fn default() -> Self {
        Self(0, 1 << 20)
    }
}

const PAGE: u64 = 500;

#[async_trait]
impl Search for Numbers {
    type Slice = Range;

    async fn page(&mut self, slice: &Range, number: u64) -> Result<Page, ConnectorError> {
        assert!(number * PAGE <= CAP, "asked beyond the cap");
        self.requests += 1;
        if let Some((at, count)) = self.change
            && at == self.requests
        {
            self.count = count;
        }
        let (from, to) = (slice.0.min(self.count), slice.1.min(self.count));
        let total = if self.lies { CAP } else { to - from };
        let start = from + (number - 1) * PAGE;
        let rows = start.min(to)..(start + PAGE).min(to);
        Ok(Page {
            rows: rows.map(|row| Bytes::from(row.to_string())).collect(),
            total: Ok(if self.counts_all {
                total
            } else {
                total.min(CAP)
            }),
            paths: std::collections::HashMap::new(),
            names: std::collections::HashMap::new(),
            facet: Vec::new(),
            projects: Vec::new(),
        })
    }

    async fn take(&mut self, page: Page) -> Result<Vec<Option<u64>>, ConnectorError> {
        let rows = page.rows.iter();
        let rows = rows.map(|row| std::str::from_utf8(row).unwrap().parse().unwrap());
        Ok(rows
            .map(|row: u64| {
                *self.taken.entry(row).or_default() += 1;
                Some(row)
            })
            .collect())
    }

    async fn expect(&mut self, rows: u64) -> Result<(), ConnectorError> {
        self.expected += rows;
        Ok(())
    }

    async fn cut(&mut self, slice: &Range, total: u64) -> Result<Cut<Range>, ConnectorError> {
        let width = slice.1 - slice.0;
        if width <= self.finest {
            return Ok(Cut::Never("too fine".to_owned()));
        }
        let middle = slice.0 + width / 2;
        let halves = vec![Range(slice.0, middle), Range(middle, slice.1)];
        let expected = match self.counts_all {
            true => Expected::Exactly(total),
            false => Expected::AtLeast(total),
        };
        Ok(Cut::Into(halves, expected))
    }
}

async fn read(numbers: &mut Numbers) -> (u64, Option<String>) {
    read_all(numbers, Window::new(PAGE)).await.unwrap()
}

#[tokio::test]
async fn what_can_be_seen_at_once_is_not_cut() {
    for (count, requests) in [(0, 1), (1, 1), (500, 1), (501, 2), (9_999, 20)] {
        let mut numbers = Numbers::new(count);
        assert_eq!(read(&mut numbers).await, (count, None));
        assert_eq!(numbers.requests, requests, "{count}");
        assert!(numbers.each_once());
        assert_eq!(numbers.expected, count);
    }
}

#[tokio::test]
async fn more_is_read_in_slices_and_every_row_once_whether_the_tool_counts_it_or_not() {
    for count in [10_000, 10_001, 35_000, 250_000] {
        for counts_all in [true, false] {
            let mut numbers = Numbers::new(count);
            numbers.counts_all = counts_all;
            assert_eq!(read(&mut numbers).await, (count, None));
            assert!(numbers.each_once(), "{count} {counts_all}");
            assert_eq!(numbers.expected, count);
        }
    }
}

#[tokio::test]
async fn what_cannot_be_cut_is_read_as_far_as_it_can_be_seen_and_is_not_complete() {
    let mut numbers = Numbers::new(35_000);
    numbers.finest = 1 << 15;
    let (rows, doubt) = read(&mut numbers).await;
    assert_eq!(doubt.as_deref(), Some("too fine"));
    assert_eq!(rows, 10_000 + (35_000 - (1 << 15)));
}

#[tokio::test]
async fn a_slice_that_changes_while_it_is_read_is_read_again() {
    let mut numbers = Numbers::new(1_200);
    numbers.change = Some((2, 1_199));
    assert_eq!(read(&mut numbers).await, (1_199, None));
    assert_eq!(numbers.expected, 1_200, "told once");
}

#[tokio::test]
async fn slices_that_do_not_add_up_are_read_again() {
    let mut numbers = Numbers::new(12_000);
    // After the whole was counted.
    numbers.change = Some((2, 11_000));
    assert_eq!(read(&mut numbers).await, (11_000, None));
}

#[tokio::test]
async fn a_tool_that_always_claims_more_is_left_at_a_limit() {
    let mut numbers = Numbers::new(10);
    numbers.lies = true;
    let (_, doubt) = read(&mut numbers).await;
    assert!(doubt.is_some());
    assert!(numbers.requests < u64::from(MAX_SLICES) * 3);
}
