//! How the server reads its paging parameters, in both lines and at all endpoints.

use super::answer::{Refusal, first};

/// Names of the page number.
pub(super) const PAGE: &[&str] = &["page", "pageNumber"];

/// Names of the page size.
const SIZE: &[&str] = &["size", "pageSize", "limit"];

const DEFAULT_SIZE: u64 = 100;

/// A part of a list. A size of 0 stands for the whole list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) offset: u64,
    pub(super) size: u64,
}

impl Window {
    /// An offset wins; a page counts only with a size, a size alone is ignored.
    pub(super) fn read(parameters: &[(String, String)]) -> Result<Self, Refusal> {
        let size = number(parameters, SIZE);
        let default = i64::try_from(DEFAULT_SIZE).unwrap_or(i64::MAX);
        let (offset, size) = match (
            number(parameters, &["offset"]),
            number(parameters, PAGE),
            size,
        ) {
            (Some(offset), _, size) => (offset.unwrap_or(0), size.flatten().unwrap_or(default)),
            (None, Some(page), Some(size)) => {
                let size = size.unwrap_or(default);
                ((page.unwrap_or(1) - 1).saturating_mul(size), size)
            }
            _ => (0, default),
        };
        match (u64::try_from(offset), u64::try_from(size)) {
            (Ok(offset), Ok(size)) => Ok(Self { offset, size }),
            _ => Err(Refusal::Uncaught),
        }
    }

    /// The positions of the part in a list of `total`.
    pub(super) fn of(self, total: u64) -> std::ops::Range<u64> {
        if self.size == 0 {
            return 0..total;
        }
        self.offset.min(total)..self.offset.saturating_add(self.size).min(total)
    }
}

/// Whether one of the names is there, and its number; nonsense counts as there, without a number.
#[expect(clippy::option_option, reason = "absent and unreadable differ")]
fn number(parameters: &[(String, String)], names: &[&str]) -> Option<Option<i64>> {
    names
        .iter()
        .find_map(|name| first(parameters, name))
        .map(|text| text.parse().ok())
}
