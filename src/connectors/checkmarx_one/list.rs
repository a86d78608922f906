//! Lists of projects, scans and branches: pages that are counted by their items.

use std::collections::{BTreeMap, HashSet};

use serde_json::value::RawValue;

use crate::connectors::ConnectorError;
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

/// All items of a list, of which `ask` gets the page at an offset; read once more where a first reading is not to be believed.
pub(super) async fn whole<T>(
    ask: impl AsyncFn(usize) -> Result<Page, ConnectorError>,
    read: impl Fn(&RawValue) -> Result<T, String>,
    id: impl Fn(&T) -> &str,
) -> Result<List<T>, ConnectorError> {
    let first = once(&ask, &read, &id).await?;
    match first.doubt {
        None => Ok(first),
        Some(_) => once(&ask, &read, &id).await,
    }
}

async fn once<T>(
    ask: &impl AsyncFn(usize) -> Result<Page, ConnectorError>,
    read: &impl Fn(&RawValue) -> Result<T, String>,
    id: &impl Fn(&T) -> &str,
) -> Result<List<T>, ConnectorError> {
        let mut items: Vec<T> = Vec::new();
        let mut seen = HashSet::new();
        let (mut rows, mut counted, mut doubt) = (0, None, None);
        loop {
            let page = ask(rows).await?;
            if rows > 0 && page.total != counted {
                doubt = Some("its count changed between two pages".to_owned());
            }
            counted = page.total;
            if page.items.is_empty() {
                break;
            }
            rows += page.items.len();
            for item in &page.items {
                let item = read(item).map_err(ConnectorError::Refused)?;
                if seen.insert(id(&item).to_owned()) {
                    items.push(item);
                } else {
                    doubt = Some(format!("{} came twice", id(&item)));
                }
            }
            if counted.is_some_and(|total| rows >= total) || doubt.is_some() || rows > MAX_ITEMS {
                break;
            }
        }
        if let Some(total) = counted.filter(|total| *total != rows && doubt.is_none()) {
            doubt = Some(format!("the tool counts {total} and gave {rows}"));
        }
        Ok(List { items, doubt })
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
