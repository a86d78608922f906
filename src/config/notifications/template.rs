//! Templates are tried when the configuration is loaded, so that no message waits for a mistake in them.

use std::path::PathBuf;

use crate::config::field::Fields;
use crate::config::files::read_bytes;
use crate::config::key_path::KeyPath;
use crate::config::read::Reader;
use crate::notice::{Flavour, Templates};

/// Longer is no message.
const LARGEST_FILE: u64 = 64 << 10;

const ALLOWED: &str = "a template in the language of Jinja over what docs/notifications.md lists";

pub(super) fn read(
    reader: &mut Reader<'_>,
    path: &KeyPath,
    fields: &mut Fields,
    flavour: Flavour,
) -> Option<Templates> {
    if !fields.given("template") {
        return Some(Templates::none(flavour));
    }
    let mut own: Fields = fields.take("template")?;
    let mut body_key = "body";
    let mut body: Option<String> = own.take("body");
    if own.given("body") && own.given("body_file") {
        reader.wrong_key(
            &path.child("body_file"),
            "stands beside body; allowed: one of the two".into(),
        );
    } else if let Some(file) = own.take::<PathBuf>("body_file") {
        body_key = "body_file";
        body = Some(file_text(reader, &path.child(body_key), &file)?);
    }
    match Templates::new(flavour, own.take("subject"), body) {
        Ok(templates) => Some(templates),
        Err(fault) => {
            let key = if fault.of_subject {
                "subject"
            } else {
                body_key
            };
            reader.wrong(&path.child(key), format!("{fault}; allowed: {ALLOWED}"));
            None
        }
    }
}

fn file_text(reader: &mut Reader<'_>, at: &KeyPath, file: &std::path::Path) -> Option<String> {
    let text = read_bytes(file, LARGEST_FILE)
        .map_err(|error| error.to_string())
        .and_then(|(bytes, _)| {
            String::from_utf8(bytes).map_err(|_| "it is not UTF-8 text".to_owned())
        });
    match text {
        Ok(text) => Some(text),
        Err(what) => {
            let file = file.display();
            reader.wrong(
                at,
                format!("{file} cannot be read: {what}; allowed: {ALLOWED}"),
            );
            None
        }
    }
}
