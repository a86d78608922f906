//! What surrounds the result of a query: status, type, warnings, errors.

use serde_json::value::RawValue;

use super::super::lenient::{Flag, List, Object, Text, finite};
use super::series::Labels;

/// Why the answer to a range selector is no source of findings.
pub(super) const RANGE: &str = "the query is a range selector, which gives many samples of each series; take the [duration] off, or put it into last_over_time(…)";

/// The answer to a query, its result not yet looked at.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Answer<'a> {
    #[serde(borrow)]
    status: Text<'a>,
    error_type: Text<'a>,
    error: Text<'a>,
    data: Object<Data<'a>>,
    warnings: List<Text<'a>>,
    /// VictoriaMetrics' way to say that a part of the cluster did not answer.
    is_partial: Flag,
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Data<'a> {
    #[serde(borrow)]
    result_type: Text<'a>,
    result: Option<&'a RawValue>,
}

/// What Prometheus says is wrong (server source 2.42–3.14).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Complaint {
    /// `bad_data`, `execution`, `timeout`, …
    pub(super) sort: String,
    /// Its words.
    pub(super) words: String,
}

/// One sample of a small query.
#[derive(Debug)]
pub(super) struct Sample<'a> {
    /// Its labels.
    pub(super) labels: Labels<'a>,
    /// Its value.
    pub(super) value: f64,
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct Element<'a> {
    #[serde(borrow)]
    metric: Labels<'a>,
    value: Option<(f64, Text<'a>)>,
}

impl Complaint {
    /// Reads an error's body; none if it is not Prometheus' own.
    pub(super) fn parse(body: &str) -> Option<Self> {
        let Object(answer) = serde_json::from_str::<Object<Answer<'_>>>(body).ok()?;
        answer.complaint()
    }
}

impl<'a> Answer<'a> {
    pub(super) fn parse(json: &'a str) -> Result<Self, String> {
        serde_json::from_str::<Object<Self>>(json)
            .map(|answer| answer.0)
            .map_err(|error| format!("the answer is not that of a Prometheus server: {error}"))
    }

    /// The error, if it is one: a proxy may have made a 200 of it.
    pub(super) fn complaint(&self) -> Option<Complaint> {
        (self.status.as_str() == Some("error")).then(|| Complaint {
            sort: self.error_type.to_owned().unwrap_or_default(),
            words: self.error.to_owned().unwrap_or_default(),
        })
    }

    /// Why the answer is no list of series, if it is none.
    pub(super) fn not_a_vector(&self) -> Option<String> {
        match (self.status.as_str(), self.data.0.result_type.as_str()) {
            (Some("success"), Some("vector")) => None,
            (Some("success"), Some("matrix")) => Some(RANGE.to_owned()),
            (Some("success"), Some(kind @ ("scalar" | "string"))) => Some(format!(
                "the query gives a {kind} and not series of the operator's metrics"
            )),
            _ => Some("the answer is not that of a Prometheus server".to_owned()),
        }
    }

    /// Why the answer may lack a part of the data although it is a success. `infos` are hints about PromQL and harmless.
    pub(super) fn partial(&self) -> Option<String> {
        let mut warnings = self.warnings.0.iter().filter_map(Text::as_str);
        match warnings.next() {
            Some(warning) => Some(format!("the server warns: {warning}")),
            None if !self.warnings.0.is_empty() => Some("the server warns".to_owned()),
            None => (self.is_partial.0 == Some(true))
                .then(|| "the server says that its answer is partial".to_owned()),
        }
    }

    /// The samples of a small query; a scalar is a sample without labels.
    pub(super) fn samples(&self) -> Result<Vec<Sample<'a>>, String> {
        let unreadable = |error| format!("the answer to a query cannot be read: {error}");
        let result = self.data.0.result.map_or("[]", RawValue::get);
        if self.data.0.result_type.as_str() == Some("scalar") {
            let (_, value): (f64, Text<'_>) = serde_json::from_str(result).map_err(unreadable)?;
            let value = value.as_str().and_then(|value| value.parse().ok());
            let labels = Labels::default();
            return Ok(value
                .map(|value| Sample { labels, value })
                .into_iter()
                .collect());
        }
        if let Some(reason) = self.not_a_vector() {
            return Err(reason);
        }
        let elements: Vec<Element<'a>> = serde_json::from_str(result).map_err(unreadable)?;
        let sample = |element: Element<'a>| {
            let value = element.value?.1.as_str()?.parse().ok()?;
            let labels = element.metric;
            Some(Sample { labels, value })
        };
        Ok(elements.into_iter().filter_map(sample).collect())
    }

    /// The server's time in a scalar answer, in seconds.
    pub(super) fn time(&self) -> Option<f64> {
        let result = self.data.0.result?;
        let (time, _): (f64, Text<'_>) = serde_json::from_str(result.get()).ok()?;
        finite(&time.to_string())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn warnings_make_an_answer_partial_and_infos_do_not() {
        let partial = |rest: &str| {
            let json = format!(
                r#"{{"status":"success","data":{{"resultType":"vector","result":[]}}{rest}}}"#
            );
            Answer::parse(&json).unwrap().partial()
        };
        assert_eq!(partial(""), None);
        assert_eq!(
            partial(r#","infos":["PromQL info: metric might not be a counter"]"#),
            None
        );
        assert_eq!(partial(r#","warnings":[],"isPartial":false"#), None);
        assert!(
            partial(r#","warnings":["store gateway is away"]"#)
                .unwrap()
                .contains("store gateway")
        );
        assert!(partial(r#","isPartial":true"#).is_some());
    }

    #[test]
    fn only_a_successful_vector_is_a_list_of_series() {
        let refusal = |status: &str, kind: &str| {
            let json =
                format!(r#"{{"status":"{status}","data":{{"resultType":"{kind}","result":[]}}}}"#);
            Answer::parse(&json).unwrap().not_a_vector()
        };
        assert_eq!(refusal("success", "vector"), None);
        assert!(
            refusal("success", "matrix")
                .unwrap()
                .contains("range selector")
        );
        assert!(refusal("success", "scalar").unwrap().contains("scalar"));
        assert!(refusal("success", "string").unwrap().contains("string"));
        assert!(refusal("ok", "vector").is_some());
        assert!(Answer::parse("[1]").unwrap().not_a_vector().is_some());
    }

    #[test]
    fn an_error_is_known_whatever_its_status_code() {
        let body = r#"{"status":"error","errorType":"bad_data","error":"1:24: parse error"}"#;
        assert_eq!(
            Complaint::parse(body).unwrap(),
            Complaint {
                sort: "bad_data".to_owned(),
                words: "1:24: parse error".to_owned()
            }
        );
        assert_eq!(Complaint::parse("404 page not found"), None);
    }

    #[test]
    fn samples_and_scalars_are_read_as_text_that_spells_numbers() {
        let json = r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{"cluster":"eu"},"value":[1.5,"1e+06"]}]}}"#;
        let answer = Answer::parse(json).unwrap();
        let samples = answer.samples().unwrap();
        assert_eq!(samples[0].labels.get("cluster"), Some("eu"));
        assert_eq!(samples[0].value, 1e6);
        let json =
            r#"{"status":"success","data":{"resultType":"scalar","result":[1727805273.894,"1"]}}"#;
        let answer = Answer::parse(json).unwrap();
        assert_eq!(answer.time(), Some(1_727_805_273.894));
        assert_eq!(answer.samples().unwrap()[0].value, 1.0);
    }
}
