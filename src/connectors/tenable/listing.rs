//! A list that comes by `limit` and `offset`, with a total that is not always told.

use std::collections::HashSet;

use serde_json::{Map, Value};

/// The reading of one list.
#[derive(Debug)]
pub(super) struct Listing {
    key: &'static str,
    limit: usize,
    most: usize,
    pub(super) items: Vec<Map<String, Value>>,
    /// The first item of each page, as text.
    starts: HashSet<String>,
    at_end: bool,
}

impl Listing {
    /// `key` is where the items stand; `limit` are asked for at once, and `most` are believed.
    pub(super) fn new(key: &'static str, limit: usize, most: usize) -> Self {
        Self {
            key,
            limit,
            most,
            items: Vec::new(),
            starts: HashSet::new(),
            at_end: false,
        }
    }

    /// Offset of the page to ask for; none at the end.
    pub(super) fn next(&self) -> Option<usize> {
        (!self.at_end).then_some(self.items.len())
    }

    /// Takes a page in.
    ///
    /// # Errors
    /// It is of another shape, or the list does not come to an end.
    pub(super) fn take(&mut self, page: &str) -> Result<(), String> {
        let mut page: Map<String, Value> =
            serde_json::from_str(page).map_err(|_| "the answer is no object".to_owned())?;
        let Some(Value::Array(rows)) = page.remove(self.key) else {
            return Err(format!("the answer holds no list {}", self.key));
        };
        let total = page
            .get("pagination")
            .and_then(|p| p.get("total")?.as_u64());
        if let Some(first) = rows.first()
            && !self.starts.insert(first.to_string())
        {
            return Err("a page came twice; try again".to_owned());
        }
        let count = rows.len();
        for row in rows {
            match row {
                Value::Object(row) => self.items.push(row),
                _ => return Err(format!("{} holds what is no object", self.key)),
            }
        }
        if self.items.len() > self.most {
            return Err(format!("the list has more than {} items", self.most));
        }
        self.at_end = match total {
            Some(total) => count == 0 || self.items.len() as u64 >= total,
            None => count < self.limit,
        };
        match total {
            Some(total) if self.at_end && (self.items.len() as u64) < total => Err(format!(
                "Tenable counts {total} items and gave {}; try again",
                self.items.len()
            )),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;

    /// Reads a list of so many numbered items, whose pages are made by `page`; gives the offsets asked for.
    fn read(page: impl Fn(usize) -> Value) -> (Result<usize, String>, Vec<usize>) {
        let mut listing = Listing::new("values", 10, 100);
        let mut asked = Vec::new();
        while let Some(offset) = listing.next() {
            assert!(asked.len() < 100, "the reading is endless");
            asked.push(offset);
            if let Err(reason) = listing.take(&page(offset).to_string()) {
                return (Err(reason), asked);
            }
        }
        (Ok(listing.items.len()), asked)
    }

    fn items(range: std::ops::Range<usize>) -> Vec<Value> {
        range.map(|number| json!({"uuid": number})).collect()
    }

    #[test]
    fn a_list_is_read_until_its_total_or_a_short_page() {
        for (total, pages) in [(0, 1), (1, 1), (10, 1), (11, 2), (25, 3)] {
            let told = |offset: usize| {
                let rows = items(offset..(offset + 10).min(total));
                json!({"values": rows, "pagination": {"total": total}})
            };
            let (read_of, asked) = read(told);
            assert_eq!((read_of, asked.len()), (Ok(total), pages), "{total}");
            let (read_of, _) =
                read(|offset| json!({"values": items(offset..(offset + 10).min(total))}));
            assert_eq!(read_of, Ok(total), "{total}, untold");
        }
    }

    #[test]
    fn a_list_that_repeats_grows_for_ever_or_stops_short_is_refused() {
        let (result, _) = read(|_| json!({"values": items(0..10), "pagination": {"total": 30}}));
        assert!(result.unwrap_err().contains("twice"));
        let (result, _) = read(
            |offset| json!({"values": items(offset..offset + 10), "pagination": {"total": offset + 20}}),
        );
        assert!(result.unwrap_err().contains("more than 100"));
        let (result, _) = read(|offset| {
            let rows = if offset == 0 { items(0..5) } else { vec![] };
            json!({"values": rows, "pagination": {"total": 30}})
        });
        assert!(result.unwrap_err().contains("counts 30 items and gave 5"));
        let (result, _) = read(|_| json!({"error": "no"}));
        assert!(result.unwrap_err().contains("no list values"));
    }
}
