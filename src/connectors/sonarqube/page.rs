//! A page of a search: its rows, and what the answer tells around them.

use std::collections::HashMap;

use bytes::Bytes;

use crate::connectors::lenient::{List, Object, Text, Whole};

/// A page of rows.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) rows: Vec<Bytes>,
    /// How many rows there are on all pages, or why that is not known.
    pub(super) total: Count,
    /// Path inside the project by key of the component.
    pub(super) paths: HashMap<String, String>,
    /// Name by key of the rule.
    pub(super) names: HashMap<String, String>,
    /// Values with their counts, of the facet that was asked for.
    pub(super) facet: Vec<(String, u64)>,
    /// Keys of the projects whose branches are told of; dependency risks do not tell theirs by themselves.
    pub(super) projects: Vec<String>,
}

/// What a page says of the number of all rows.
pub(super) type Count = Result<u64, Miscount>;

/// Why the number of all rows is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Miscount {
    #[error("the answer holds no total")]
    Missing,
    #[error("the answer counts {flat} rows in one place and {paging} in another")]
    Contradictory { flat: u64, paging: u64 },
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct Envelope<'a> {
    /// Deprecated since 9.8, in issues only.
    total: Whole,
    paging: Object<Paging>,
    /// Of the second generation of the API.
    page: Object<Paging>,
    #[serde(borrow)]
    components: List<Object<Component<'a>>>,
    rules: List<Object<RuleName<'a>>>,
    facets: List<Object<Facet<'a>>>,
    branches: List<Object<Branch<'a>>>,
}

#[derive(Default, serde::Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Branch<'a> {
    #[serde(borrow)]
    project_key: Text<'a>,
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct Paging {
    total: Whole,
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct Component<'a> {
    #[serde(borrow)]
    key: Text<'a>,
    path: Text<'a>,
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct RuleName<'a> {
    #[serde(borrow)]
    key: Text<'a>,
    name: Text<'a>,
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct Facet<'a> {
    #[serde(borrow)]
    values: List<Object<FacetValue<'a>>>,
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct FacetValue<'a> {
    #[serde(borrow)]
    val: Text<'a>,
    count: Whole,
}

impl Page {
    /// Of the elements of an answer's array, and the document around it.
    ///
    /// # Errors
    /// The document cannot be read.
    pub(super) fn of(rows: Vec<Bytes>, envelope: &str) -> Result<Self, String> {
        let Object(envelope) = serde_json::from_str::<Object<Envelope<'_>>>(envelope)
            .map_err(|error| format!("the answer around the rows cannot be read: {error}"))?;
        let Envelope {
            total,
            paging,
            page,
            components,
            rules,
            facets,
            branches,
        } = envelope;
        let number = |count: Whole| count.0.and_then(|count| u64::try_from(count).ok());
        let paging = number(paging.0.total).or_else(|| number(page.0.total));
        let pairs = |key: Text<'_>, value: Text<'_>| key.to_owned().zip(value.to_owned());
        Ok(Self {
            rows,
            total: count(number(total), paging),
            paths: components
                .0
                .into_iter()
                .filter_map(|one| pairs(one.0.key, one.0.path))
                .collect(),
            names: rules
                .0
                .into_iter()
                .filter_map(|one| pairs(one.0.key, one.0.name))
                .collect(),
            // Whichever comes: one is asked for at a time.
            facet: facets
                .0
                .into_iter()
                .flat_map(|facet| facet.0.values.0)
                .filter_map(|one| one.0.val.to_owned().zip(number(one.0.count)))
                .collect(),
            projects: branches
                .0
                .iter()
                .filter_map(|branch| branch.0.project_key.to_owned())
                .collect(),
        })
    }
}

fn count(flat: Option<u64>, paging: Option<u64>) -> Count {
    match (flat, paging) {
        (Some(flat), Some(paging)) if flat != paging => {
            Err(Miscount::Contradictory { flat, paging })
        }
        (flat, paging) => paging.or(flat).ok_or(Miscount::Missing),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_page_tells_its_total_paths_names_and_facets() {
        let page = Page::of(
            Vec::new(),
            r#"{"total":3,"p":1,"ps":500,"paging":{"pageIndex":1,"pageSize":500,"total":3},"issues":[],
                "components":[{"key":"p:a.c","path":"a.c"},{"key":"p","name":"P"},null],
                "rules":[{"key":"c:S1","name":"One"}],
                "facets":[{"property":"rules","values":[{"val":"c:S1","count":2},{"val":"c:S2","count":1},{"val":3}]}]}"#,
        )
        .unwrap();
        assert_eq!(page.total, Ok(3));
        assert_eq!(page.paths["p:a.c"], "a.c");
        assert_eq!(page.paths.len(), 1);
        assert_eq!(page.names["c:S1"], "One");
        assert_eq!(page.facet, [("c:S1".to_owned(), 2), ("c:S2".to_owned(), 1)]);
    }

    #[test]
    fn a_total_may_stand_in_three_places_and_must_not_contradict_itself() {
        let total = |envelope| Page::of(Vec::new(), envelope).unwrap().total;
        assert_eq!(total(r#"{"paging":{"total":7}}"#), Ok(7));
        assert_eq!(total(r#"{"total":7}"#), Ok(7));
        assert_eq!(total(r#"{"page":{"total":7}}"#), Ok(7));
        assert_eq!(
            total(r#"{"total":8,"paging":{"total":7}}"#),
            Err(Miscount::Contradictory { flat: 8, paging: 7 })
        );
        for none in ["{}", r#"{"paging":{"total":-1}}"#, r#"{"total":null}"#] {
            assert_eq!(total(none), Err(Miscount::Missing), "{none}");
        }
    }
}
