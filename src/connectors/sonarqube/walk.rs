//! Reads a search that gives ten thousand rows at most, and may have more: slice by slice, each row in one slice only.

use async_trait::async_trait;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::page::Page;
use super::reading::{Reading, Step, Window};
use crate::connectors::ConnectorError;

/// How often a slice is read whose rows moved meanwhile, and a whole whose slices do not add up.
const READINGS: u32 = 2;

/// No search is cut into more slices than this; a million issues of all ages need some hundred.
const MAX_SLICES: u32 = 5_000;

/// A search that can be cut.
#[async_trait]
pub(super) trait Search: Send {
    /// A part of what is searched for; the default is all of it.
    type Slice: Default + Clone + Send + Sync;

    /// A page, from 1.
    async fn page(&mut self, slice: &Self::Slice, number: u64) -> Result<Page, ConnectorError>;

    /// Hands the rows of a page on. Gives the identity of each, none of a row that has none.
    async fn take(&mut self, page: Page) -> Result<Vec<Option<u64>>, ConnectorError>;

    /// So many rows of a slice are to come.
    async fn expect(&mut self, rows: u64) -> Result<(), ConnectorError>;

    /// Cuts a slice of so many rows (as far as the tool counts) that cannot be seen as a whole.
    async fn cut(
        &mut self,
        slice: &Self::Slice,
        total: u64,
    ) -> Result<Cut<Self::Slice>, ConnectorError>;
}

/// How a slice can be cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cut<S> {
    /// Into these, which have no row in common and together hold what is expected.
    Into(Vec<S>, Expected),
    /// Not at all, for this reason.
    Never(String),
}

/// How many rows slices must have together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expected {
    Exactly(u64),
    /// The tool does not count further.
    AtLeast(u64),
}

impl Expected {
    fn is_met(self, rows: u64) -> bool {
        match self {
            Self::Exactly(expected) => rows == expected,
            Self::AtLeast(expected) => rows >= expected,
        }
    }

    fn number(self) -> u64 {
        match self {
            Self::Exactly(expected) | Self::AtLeast(expected) => expected,
        }
    }
}

/// What a slice came to.
#[derive(Debug, Default)]
struct Tally {
    rows: u64,
    doubt: Option<Doubt>,
}

#[derive(Debug)]
struct Doubt {
    reason: String,
    /// Whether reading the whole once more may help.
    may_pass: bool,
}

/// Reads everything. Gives the number of rows of the last reading, and why they may not be all, if so.
pub(super) async fn read_all<S: Search>(
    search: &mut S,
    window: Window,
) -> Result<(u64, Option<String>), ConnectorError> {
    let mut reading = 1;
    loop {
        let mut walk = Walk {
            search,
            window,
            left: MAX_SLICES,
            first: reading == 1,
        };
        let tally = walk.slice(S::Slice::default()).await?;
        match tally.doubt {
            Some(doubt) if doubt.may_pass && reading < READINGS => reading += 1,
            doubt => return Ok((tally.rows, doubt.map(|doubt| doubt.reason))),
        }
    }
}

struct Walk<'a, S: Search> {
    search: &'a mut S,
    window: Window,
    /// Slices that may still be read.
    left: u32,
    /// Whether this is the first reading, which alone tells what is to come.
    first: bool,
}

impl<S: Search> Walk<'_, S> {
    fn slice(&mut self, slice: S::Slice) -> BoxFuture<'_, Result<Tally, ConnectorError>> {
        async move {
            if self.left == 0 {
                return Ok(Tally::doubtful(
                    0,
                    format!("there are more than {MAX_SLICES} slices of fewer than 10000 rows"),
                ));
            }
            self.left -= 1;
            let first = self.search.page(&slice, 1).await?;
            let total = match first.total {
                Ok(total) if !self.window.holds(total) => total,
                _ => return self.pages(&slice, first, READINGS).await,
            };
            match self.search.cut(&slice, total).await? {
                Cut::Into(slices, expected) => self.slices(slices, expected).await,
                Cut::Never(reason) => {
                    // What can be seen is taken in all the same.
                    let seen = self.pages(&slice, first, 1).await?;
                    Ok(Tally::doubtful(seen.rows, reason))
                }
            }
        }
        .boxed()
    }

    async fn slices(
        &mut self,
        slices: Vec<S::Slice>,
        expected: Expected,
    ) -> Result<Tally, ConnectorError> {
        let mut tally = Tally::default();
        for slice in slices {
            let part = self.slice(slice).await?;
            tally.rows += part.rows;
            tally.doubt = tally.doubt.or(part.doubt);
        }
        if tally.doubt.is_none() && !expected.is_met(tally.rows) {
            let (whole, sum) = (expected.number(), tally.rows);
            tally.doubt = Some(Doubt {
                reason: format!("the tool counts {whole} rows as a whole and gave {sum} in slices"),
                may_pass: true,
            });
        }
        Ok(tally)
    }

    /// Reads a slice page by page; again, up to so many readings, if its rows moved meanwhile.
    async fn pages(
        &mut self,
        slice: &S::Slice,
        first: Page,
        readings: u32,
    ) -> Result<Tally, ConnectorError> {
        if let (true, Ok(total)) = (self.first, first.total) {
            let visible = self.window.pages().saturating_mul(self.window.page_size());
            self.search.expect(total.min(visible)).await?;
        }
        let mut first = Some(first);
        let mut attempt = 1;
        loop {
            let mut reading = Reading::new(self.window);
            loop {
                let page = match first.take() {
                    Some(page) => page,
                    None => self.search.page(slice, reading.next_page()).await?,
                };
                let total = page.total;
                let rows = self.search.take(page).await?;
                if reading.page(total, &rows) == Step::Stop {
                    break;
                }
            }
            let rows = reading.rows();
            match reading.doubt_of_end() {
                None => return Ok(Tally { rows, doubt: None }),
                Some(_) if attempt < readings => attempt += 1,
                Some(reason) => {
                    let reason = format!("{reason} (read {READINGS} times)");
                    return Ok(Tally::doubtful(rows, reason));
                }
            }
        }
    }
}

impl Tally {
    /// Of a doubt that reading once more would not dispel.
    fn doubtful(rows: u64, reason: String) -> Self {
        Self {
            rows,
            doubt: Some(Doubt {
                reason,
                may_pass: false,
            }),
        }
    }
}

#[cfg(test)]
mod tests;
