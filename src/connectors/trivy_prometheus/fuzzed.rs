//! Answers to queries, and queries, for fuzzing.

use super::super::fuzzed::{elements, hold};
use super::answer::{Answer, Complaint};
use super::finding;
use super::metric::Metric;
use super::query::Query;
use super::series::{Labels, Series};

/// An answer, read as the source of findings, as a small query's, and as an error; up to a zero byte stands a query.
pub(in crate::connectors) fn page(input: &[u8]) {
    let (promql, answer) = match input.iter().position(|byte| *byte == 0) {
        Some(zero) => (&input[..zero], &input[zero + 1..]),
        None => (&[][..], input),
    };
    if let Ok(promql) = std::str::from_utf8(promql) {
        query(promql);
    }
    if let Ok(text) = std::str::from_utf8(answer) {
        small(text);
    }
    let Some((elements, envelope)) = elements(answer, &["data", "result"]) else {
        return;
    };
    small(&envelope);
    for element in elements {
        let Ok(Series::Present(labels)) = Series::parse(&element) else {
            continue;
        };
        let name = labels.get("__name__");
        if let Some((_, metric)) = name.and_then(Metric::named)
            && finding::is_failing(metric, &labels)
        {
            let cluster = labels.get("cluster").unwrap_or_default();
            let mapped = finding::map(metric, &labels, cluster);
            let kept = labels.raw();
            let kept = Labels::parse_kept(kept.as_bytes());
            let from_kept = kept.and_then(|kept| finding::map(metric, &kept, cluster));
            assert_eq!(
                mapped, from_kept,
                "what is kept is mapped to something else"
            );
            if let Ok(sighting) = &mapped {
                let id = finding::id(metric, &labels, cluster);
                assert_eq!(id, sighting.source_id, "known by another id");
            }
            hold(mapped);
        }
    }
}

fn small(text: &str) {
    if let Ok(answer) = Answer::parse(text) {
        let is_error = answer.complaint().is_some();
        assert!(
            !is_error || answer.not_a_vector().is_some(),
            "an error is taken for series"
        );
        answer.partial();
        answer.time();
        if let Ok(samples) = answer.samples() {
            samples.iter().for_each(|sample| drop(sample.labels.raw()));
        }
    }
    Complaint::parse(text);
}

/// A bare selector, written out, is the same selector again, and matchers can be added to it.
fn query(text: &str) {
    let Ok(query) = Query::parse(text) else {
        return;
    };
    if let Query::Bare(selector) = &query {
        let written = selector.with(&[]);
        let again = Query::parse(&written);
        assert!(
            matches!(again, Ok(Query::Bare(_))),
            "{written:?} is no selector any more"
        );
        let narrowed = selector.with(&[super::query::equals("namespace", text)]);
        let again = Query::parse(&narrowed);
        assert!(
            matches!(again, Ok(Query::Bare(_))),
            "{narrowed:?} is no selector any more"
        );
    }
    assert!(!query.promql().is_empty());
    query.metrics();
}
