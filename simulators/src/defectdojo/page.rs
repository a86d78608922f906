//! The pages of lists.

use serde_json::{Value, json};

use super::access::Caller;

/// Rows of a page for which no limit was asked, or none that is one.
const DEFAULT_LIMIT: u64 = 25;

/// The part of a list that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) limit: u64,
    pub(super) offset: u64,
}

impl Window {
    pub(super) fn of(caller: &Caller, longest: u64) -> Self {
        let number = |name| caller.last(name).and_then(|text| text.trim().parse().ok());
        let limit = number("limit").filter(|limit| *limit > 0);
        Self {
            limit: limit.unwrap_or(DEFAULT_LIMIT).min(longest),
            offset: number("offset").unwrap_or(0),
        }
    }

    /// The rows of it.
    pub(super) fn cut<T>(self, rows: &[T]) -> &[T] {
        let place = |number: u64| {
            usize::try_from(number)
                .unwrap_or(usize::MAX)
                .min(rows.len())
        };
        let start = place(self.offset);
        &rows[start..place(self.offset.saturating_add(self.limit))]
    }

    /// The answer with these rows of so many.
    pub(super) fn answer(self, caller: &Caller, count: u64, rows: Vec<Value>) -> Value {
        let end = self.offset.saturating_add(self.limit);
        let next = (end < count).then(|| self.link(caller, Some(end)));
        let previous = self.offset.checked_sub(1).map(|_| {
            let start = self.offset.saturating_sub(self.limit);
            self.link(caller, Some(start).filter(|start| *start > 0))
        });
        json!({"count": count, "next": next, "previous": previous, "results": rows, "prefetch": {}})
    }

    /// All parameters of the request in the order of their names, with another window.
    fn link(self, caller: &Caller, offset: Option<u64>) -> String {
        let own = caller.parameters.iter();
        let own = own.filter(|(key, _)| key != "limit" && key != "offset");
        let mut parameters: Vec<_> = own.cloned().collect();
        parameters.push(("limit".to_owned(), self.limit.to_string()));
        parameters.extend(offset.map(|offset| ("offset".to_owned(), offset.to_string())));
        parameters.sort_by(|(a, _), (b, _)| a.cmp(b));
        let query = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(parameters)
            .finish();
        format!("{}{}?{query}", caller.origin, caller.path)
    }
}

impl Caller {
    /// The last value of a parameter that is not empty.
    pub(super) fn last(&self, name: &str) -> Option<&str> {
        let named = self.parameters.iter().rev().filter(|(key, _)| key == name);
        let mut values = named.map(|(_, value)| value.as_str());
        values.next().filter(|value| !value.is_empty())
    }
}
