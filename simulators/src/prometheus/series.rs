//! A series with its newest sample.

use std::collections::BTreeMap;

/// A series. Labels with empty values do not exist.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    labels: BTreeMap<String, String>,
    /// The newest sample.
    pub value: f64,
}

impl Series {
    /// A series of this metric; an empty name stands for none.
    #[must_use]
    pub fn new(metric: &str, labels: &[(&str, &str)], value: f64) -> Self {
        let mut series = Self {
            labels: BTreeMap::new(),
            value,
        };
        series.set("__name__", metric);
        labels
            .iter()
            .for_each(|(name, value)| series.set(name, value));
        series
    }

    /// The name of the metric.
    #[must_use]
    pub fn metric(&self) -> &str {
        self.label("__name__")
    }

    /// The value of a label, empty if it does not exist.
    #[must_use]
    pub fn label(&self, name: &str) -> &str {
        self.labels.get(name).map_or("", String::as_str)
    }

    /// Sets a label; an empty value removes it.
    pub fn set(&mut self, name: &str, value: &str) {
        match value.is_empty() {
            true => self.labels.remove(name),
            false => self.labels.insert(name.to_owned(), value.to_owned()),
        };
    }

    /// All labels, `__name__` included.
    #[must_use]
    pub fn labels(&self) -> &BTreeMap<String, String> {
        &self.labels
    }
}

/// A sample's value as the server writes it.
pub(super) fn number(value: f64) -> String {
    if value.is_infinite() {
        let sign = if value > 0.0 { '+' } else { '-' };
        return format!("{sign}Inf");
    }
    value.to_string()
}
