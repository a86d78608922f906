//! The reference of all common keys, for `docs/configuration.md`.

use std::fmt::Write;

use super::keys::{Form, SECTIONS, Section};
use super::kind::{Default, Key, Kind};

/// `docs/configuration.md`, written from the tables that the configuration is read by. Connectors' own settings have pages
/// of their own.
#[must_use]
pub fn reference_markdown() -> String {
    let mut page = include_str!("intro.md").to_owned();
    for section in SECTIONS {
        page.push_str(&chapter(section));
    }
    page.trim_end().to_owned() + "\n"
}

fn chapter(section: &Section) -> String {
    let heading = match section.form {
        Form::Single => section.key.to_owned(),
        Form::Named => format!("{}.NAME", section.key),
    };
    let mut rows = String::new();
    write_rows(&mut rows, "", section.keys);
    format!(
        "## `[{heading}]`\n\n{}\n\n| key | meaning | allowed | default | example |\n|---|---|---|---|---|\n{rows}\n",
        section.meaning
    )
}

/// The keys of a table, and after a key that is a table, that one's.
fn write_rows(rows: &mut String, prefix: &str, keys: &[Key]) {
    for key in keys {
        let name = format!("{prefix}{}", key.key);
        let allowed = match key.kind {
            Kind::Table(_) => "a table of the keys below".into(),
            _ => key.kind.allowed(),
        };
        let default = match &key.default {
            _ if key.required => "must be given".into(),
            Default::None => "not set".into(),
            Default::Toml(value) => format!("`{value}`"),
            Default::Words(words) => (*words).into(),
        };
        // Writing to a String cannot fail.
        let _ = writeln!(
            rows,
            "| `{name}` | {} | {} | {} | `{}` |",
            cell(key.meaning),
            cell(&allowed),
            cell(&default),
            key.example
        );
        if let Kind::Table(inner) = key.kind {
            write_rows(rows, &format!("{name}."), inner);
        }
    }
}

/// Text that cannot break a table: outside of `code`, what Markdown would take for markup is escaped.
fn cell(text: &str) -> String {
    let mut out = String::new();
    let mut in_code = false;
    for c in text.chars() {
        if c == '`' {
            in_code = !in_code;
        }
        if c == '|' || (!in_code && matches!(c, '*' | '_' | '<' | '[' | ']')) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}
