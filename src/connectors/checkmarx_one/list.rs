//! Lists of projects, scans and branches: pages that are counted by their items.

use std::collections::{BTreeMap, HashSet};

use serde_json::value::RawValue;

use crate::connectors::lenient::Whole;

/// No list is followed further than this, whatever the tool says.
const MAX_ITEMS: usize = 1_000_000;

/// Some pages of a list, or all.
pub(super) struct List<T> {
    pub(super) items: Vec<T>,
    /// Why it may not be whole, if so.
    pub(super) doubt: Option<String>,
}

/// One page as it came.
pub(super) struct Page {
    pub(super) items: Vec<Box<RawValue>>,
    /// How many there are under the filters that were given.
    pub(super) total: Option<usize>,
}

/// Items of a page; the vendor's clients ask for 50 to 500.
pub(super) const PAGE: usize = 100;

/// One reading of a list from its first page on.
pub(super) struct Listing<T> {
    list: List<T>,
    seen: HashSet<String>,
    rows: usize,
    counted: Option<usize>,
}

impl<T> Listing<T> {
    pub(super) fn new() -> Self {
        Self {
            list: List {
                items: Vec::new(),
                doubt: None,
            },
            seen: HashSet::new(),
            rows: 0,
            counted: None,
        }
    }

    /// Offset of the page to ask for.
    pub(super) fn offset(&self) -> usize {
        self.rows
    }

    /// Takes a page in; true at the end of the list.
    pub(super) fn take(
        &mut self,
        page: &Page,
        read: impl Fn(&RawValue) -> Result<T, String>,
        id: impl Fn(&T) -> &str,
    ) -> Result<bool, String> {
        let doubt = &mut self.list.doubt;
        if self.rows > 0 && page.total != self.counted {
            *doubt = Some("its count changed between two pages".to_owned());
        }
        self.counted = page.total;
        self.rows += page.items.len();
        for item in &page.items {
            let item = read(item)?;
            if self.seen.insert(id(&item).to_owned()) {
                self.list.items.push(item);
            } else {
                *doubt = Some(format!("{} came twice", id(&item)));
            }
        }
        let read_all = self.counted.is_some_and(|total| self.rows >= total);
        Ok(page.items.is_empty() || read_all || doubt.is_some() || self.rows > MAX_ITEMS)
    }

    pub(super) fn finish(self) -> List<T> {
        let mut list = self.list;
        if let Some(total) = self.counted.filter(|total| *total != self.rows) {
            list.doubt
                .get_or_insert(format!("the tool counts {total} and gave {}", self.rows));
        }
        list
    }
}

/// `totalCount` ignores the filters, `filteredTotalCount` obeys them.
pub(super) fn parse(body: &str, key: &str) -> Result<Page, String> {
    let members: BTreeMap<String, &RawValue> = serde_json::from_str(body)
        .map_err(|_| "the answer is no object, which a list comes in".to_owned())?;
    let items = members
        .get(key)
        .ok_or_else(|| format!("the answer has no {key}; is location that of Checkmarx One?"))?;
    let items: Option<Vec<Box<RawValue>>> =
        serde_json::from_str(items.get()).map_err(|_| format!("{key} is no list"))?;
    let count = |name: &str| {
        let count = serde_json::from_str::<Whole>(members.get(name)?.get()).ok()?;
        usize::try_from(count.0?).ok()
    };
    Ok(Page {
        items: items.unwrap_or_default(),
        total: count("filteredTotalCount").or_else(|| count("totalCount")),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_page_counts_what_its_filters_let_through_and_null_is_an_empty_list() {
        let page = parse(
            r#"{"totalCount":812,"filteredTotalCount":2,"scans":[{"id":"a"}],"new":{}}"#,
            "scans",
        )
        .unwrap();
        assert_eq!((page.items.len(), page.total), (1, Some(2)));
        let page = parse(r#"{"totalCount":0,"projects":null}"#, "projects").unwrap();
        assert_eq!((page.items.len(), page.total), (0, Some(0)));
        assert!(parse("[]", "projects").is_err());
        assert!(parse(r#"{"projects":7}"#, "projects").is_err());
        assert!(parse("{}", "projects").is_err());
    }
}
