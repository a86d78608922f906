//! Damage to the rows of an otherwise right answer. What is not JSON, or has no rows, stays as it is.

use std::collections::BTreeMap;

use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

use super::Dialect;

pub(super) fn as_of_page(dialect: &Dialect, body: &[u8], page: u32) -> Vec<u8> {
    each_row(dialect, body, |_, row| (dialect.as_of_page)(row, page))
}

/// The body's own total so many times over, where it has one.
pub(super) fn with_total(dialect: &Dialect, body: &[u8], times: u64) -> Vec<u8> {
    let Some(key) = dialect.total_key else {
        return body.to_vec();
    };
    let raised = || {
        let mut members = serde_json::from_slice::<BTreeMap<String, Box<RawValue>>>(body).ok()?;
        let total = members.get_mut(key)?;
        let number: u64 = total.get().parse().ok()?;
        *total = to_raw_value(&number.saturating_mul(times)).ok()?;
        serde_json::to_vec(&members).ok()
    };
    raised().unwrap_or_else(|| body.to_vec())
}

pub(super) fn with_unknown_words(dialect: &Dialect, body: &[u8]) -> Vec<u8> {
    each_row(dialect, body, |index, row| {
        if index % 2 == 0 {
            replace(row, dialect.words, &Value::from("NEW_IN_THIS_RELEASE"));
        }
    })
}

pub(super) fn with_wrong_types(dialect: &Dialect, body: &[u8]) -> Vec<u8> {
    each_row(dialect, body, |index, row| {
        if index == 0 {
            replace(row, dialect.words, &Value::from(42));
            replace(row, dialect.texts, &Value::Null);
        }
    })
}

pub(super) fn with_null_row(dialect: &Dialect, body: &[u8]) -> Vec<u8> {
    each_row(dialect, body, |index, row| {
        if index == 0 {
            *row = Value::Null;
        }
    })
}

/// The text in new members of the first row, wherever it has texts already.
pub(super) fn with_text(dialect: &Dialect, body: &[u8], text: &str) -> Vec<u8> {
    each_row(dialect, body, |index, row| {
        if index == 0 {
            mention(row, dialect.texts, text);
        }
    })
}

fn mention(value: &mut Value, beside: &[&str], text: &str) {
    match value {
        Value::Object(members) => {
            members
                .values_mut()
                .for_each(|member| mention(member, beside, text));
            if beside.iter().any(|key| members.contains_key(*key)) {
                for key in ["title", "description"] {
                    members.insert(key.to_owned(), format!("sent with {text}").into());
                }
            }
        }
        Value::Array(values) => values
            .iter_mut()
            .for_each(|value| mention(value, beside, text)),
        _ => {}
    }
}

/// Latin-1's é in place of the first letter after the middle.
pub(super) fn with_invalid_utf8(body: &[u8]) -> Vec<u8> {
    let mut damaged = body.to_vec();
    let half = damaged.len() / 2;
    if let Some(letter) = damaged[half..].iter_mut().find(|b| b.is_ascii_alphabetic()) {
        *letter = 0xe9;
    }
    damaged
}

fn each_row(dialect: &Dialect, body: &[u8], damage: impl Fn(usize, &mut Value)) -> Vec<u8> {
    serde_json::from_slice::<&RawValue>(body)
        .and_then(|answer| at_rows(answer, dialect.rows, &damage))
        .map_or_else(|_| body.to_vec(), |answer| answer.get().as_bytes().to_vec())
}

/// Follows the keys to the list of rows. Rows that are not damaged keep their very text.
fn at_rows(
    value: &RawValue,
    keys: &[&str],
    damage: &impl Fn(usize, &mut Value),
) -> serde_json::Result<Box<RawValue>> {
    let Some((key, deeper)) = keys.split_first() else {
        let mut rows = serde_json::from_str::<Vec<Box<RawValue>>>(value.get())?;
        for (index, raw) in rows.iter_mut().enumerate() {
            let row = serde_json::from_str::<Value>(raw.get())?;
            let mut damaged = row.clone();
            damage(index, &mut damaged);
            if damaged != row {
                *raw = to_raw_value(&damaged)?;
            }
        }
        return to_raw_value(&rows);
    };
    let mut members = serde_json::from_str::<BTreeMap<String, Box<RawValue>>>(value.get())?;
    if let Some(member) = members.get_mut(*key) {
        *member = at_rows(member, deeper, damage)?;
    }
    to_raw_value(&members)
}

/// Sets every member of one of these names, however deep.
fn replace(value: &mut Value, names: &[&str], with: &Value) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match names.contains(&name.as_str()) {
                    true => *member = with.clone(),
                    false => replace(member, names, with),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| replace(item, names, with)),
        _ => {}
    }
}
