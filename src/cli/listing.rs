//! Prints lists of any sort in the four formats.

use std::io::Write;

use serde::Serialize;
use serde_json::Value;

use super::failure::Failure;
use super::format::Format;
use super::output::Output;
use super::table::{Column, Field, Grid};
use super::text::no_formula;

/// One row of a listing.
pub(crate) trait Listed: Serialize {
    /// The table's columns.
    const COLUMNS: &'static [Column];

    /// CSV: keys of the JSON, a dot between the keys of objects in objects; of a list of objects, the value of each.
    const CSV: &'static [&'static str];

    /// The table's fields, one for each column.
    fn fields(&self) -> Vec<Field>;
}

/// Prints the rows. An empty table prints nothing: say so beside it.
pub(crate) fn print<T: Listed>(
    output: &mut Output,
    format: Format,
    rows: &[T],
) -> Result<(), Failure> {
    match format {
        Format::Table => {
            let look = output.look();
            let fields = rows.iter().map(Listed::fields).collect();
            Grid::new(T::COLUMNS, look).print(output, fields)?;
        }
        Format::Json => print_json(output, &rows)?,
        Format::Jsonl => {
            for row in rows {
                serde_json::to_writer(&mut *output, row)?;
                output.write_all(b"\n")?;
            }
        }
        Format::Csv => {
            let mut csv = csv::Writer::from_writer(&mut *output);
            csv.write_record(T::CSV)?;
            for row in rows {
                let row = serde_json::to_value(row)?;
                csv.write_record(csv_record(&row, T::CSV))?;
            }
            csv.flush()?;
        }
    }
    Ok(())
}

/// Prints one JSON document for people and programs alike.
pub(crate) fn print_json(output: &mut Output, document: &impl Serialize) -> Result<(), Failure> {
    serde_json::to_writer_pretty(&mut *output, document)?;
    output.write_all(b"\n")?;
    Ok(())
}

/// A row of CSV out of the row's JSON.
pub(crate) fn csv_record(row: &Value, keys: &[&str]) -> Vec<String> {
    keys.iter().map(|key| csv_field(row, key)).collect()
}

fn csv_field(row: &Value, key: &str) -> String {
    match (row, key.split_once('.')) {
        (Value::Array(list), _) => {
            let mut values: Vec<String> = list.iter().map(|item| csv_field(item, key)).collect();
            values.dedup();
            values.join("; ")
        }
        (row, Some((key, rest))) => row
            .get(key)
            .map(|inner| csv_field(inner, rest))
            .unwrap_or_default(),
        (row, None) => row.get(key).map(csv_text).unwrap_or_default(),
    }
}

fn csv_text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => no_formula(text),
        Value::Array(list) => no_formula(&list.iter().map(plain).collect::<Vec<_>>().join("; ")),
        other => other.to_string(),
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::output::{Look, capture};
    use super::*;

    #[derive(Serialize)]
    struct Sample {
        name: &'static str,
        count: u64,
        inner: Option<Inner>,
        list: Vec<&'static str>,
        places: Vec<Inner>,
    }

    #[derive(Serialize)]
    struct Inner {
        value: &'static str,
    }

    impl Listed for Sample {
        const COLUMNS: &'static [Column] = &[Column::text("NAME"), Column::number("COUNT")];
        const CSV: &'static [&'static str] =
            &["name", "count", "inner.value", "list", "places.value"];

        fn fields(&self) -> Vec<Field> {
            vec![self.name.into(), self.count.to_string().into()]
        }
    }

    fn printed(format: Format) -> String {
        let (mut output, text, _) = capture::output(Look::default());
        let rows = [
            Sample {
                name: "=evil()",
                count: 2,
                inner: Some(Inner { value: "a,b" }),
                list: vec!["-x", "y"],
                places: vec![Inner { value: "p" }, Inner { value: "q" }],
            },
            Sample {
                name: "plain",
                count: 0,
                inner: None,
                list: vec![],
                places: vec![],
            },
        ];
        print(&mut output, format, &rows).unwrap();
        output.flush().unwrap();
        text.text()
    }

    #[test]
    fn csv_has_a_header_and_no_formulas() {
        assert_eq!(
            printed(Format::Csv),
            "name,count,inner.value,list,places.value\n'=evil(),2,\"a,b\",'-x; y,p; q\nplain,0,,,\n"
        );
    }

    #[test]
    fn jsonl_is_a_document_a_line_and_json_is_one_array() {
        assert_eq!(printed(Format::Jsonl).lines().count(), 2);
        let array: Vec<Value> = serde_json::from_str(&printed(Format::Json)).unwrap();
        assert_eq!(array.len(), 2);
        assert_eq!(array[1]["inner"], Value::Null);
    }

    #[test]
    fn a_table_shows_the_columns() {
        assert_eq!(
            printed(Format::Table),
            "NAME     COUNT\n=evil()      2\nplain        0\n"
        );
    }
}
