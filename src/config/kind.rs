//! What a key is, and what values it takes: said in words, and read.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use config::ValueKind;
use globset::{Glob, GlobSet, GlobSetBuilder};

use super::field::Field;
use super::template::{self, Template};
use super::wrong::{Wrong, quoted};
use super::{postgres, scalars};

/// See [`super::ConnectorSpec::endpoint_of_region`].
pub type EndpointOfRegion = fn(region: &str) -> Option<String>;

/// A key of a table.
#[derive(Debug, Clone)]
pub(super) struct Key {
    pub(super) key: &'static str,
    pub(super) kind: Kind,
    /// Whether it must be given.
    pub(super) required: bool,
    pub(super) default: Default,
    /// What it means, in a sentence or two, for the docs.
    pub(super) meaning: &'static str,
    /// A value as TOML, for the docs; empty for a connector's settings.
    pub(super) example: &'static str,
}

/// What holds where a key is left out.
#[derive(Debug, Clone)]
pub(super) enum Default {
    /// Nothing.
    None,
    /// This value, as TOML.
    Toml(Cow<'static, str>),
    /// What is said in words; the code that uses the key sees to it.
    Words(&'static str),
}

/// What values a key takes. One list serves reading, the "allowed" of messages, and the docs.
#[derive(Debug, Clone)]
pub(super) enum Kind {
    /// Text that is not empty.
    Text,
    /// Any text, also none.
    AnyText,
    /// One of these words.
    Words(&'static [&'static str]),
    /// One of these words, in whatever case it is written.
    AnyCase(&'static [&'static str]),
    /// Text with placeholders.
    Template,
    /// A whole number within these bounds.
    Integer { min: i64, max: i64 },
    /// A number within these bounds.
    Number { min: f64, max: f64 },
    /// True or false.
    Boolean,
    /// A time within these bounds.
    Duration { min: Duration, max: Duration },
    /// A list of texts, or of these words if there are any.
    List(&'static [&'static str]),
    /// A table of names, each with a list of texts.
    Lists,
    /// A list of globs.
    Patterns,
    /// Base URL of a tool, or the name of a region that has one.
    Location(Option<EndpointOfRegion>),
    /// A web address that becomes a label.
    WebAddress,
    /// `none` or a proxy's URL.
    Proxy,
    /// Where the store is.
    Store,
    /// IP address and port.
    Address,
    /// Absolute path.
    AbsolutePath,
    /// Five fields of cron.
    Cron,
    /// Where messages are posted to: a URL that may be a credential, which whoever uses the key decides.
    Endpoint,
    /// A credential.
    Secret,
    /// Names with credentials.
    Secrets,
    /// A table of these keys.
    Table(&'static [Key]),
}

/// Longest time that a connector's setting takes.
pub(super) const TEN_YEARS: Duration = Duration::from_secs(10 * 366 * 86_400);

impl Kind {
    /// What is allowed, in words that end a sentence.
    pub(super) fn allowed(&self) -> String {
        match self {
            Self::Text => "text that is not empty".into(),
            Self::AnyText => "text".into(),
            Self::Words(words) | Self::AnyCase(words) => one_of(words),
            Self::Template => template::ALLOWED.into(),
            Self::Integer { min, max: i64::MAX } => format!("a whole number from {min}"),
            Self::Integer { min, max } => format!("a whole number from {min} to {max}"),
            Self::Number { min, max } => format!("a number from {min} to {max}"),
            Self::Boolean => "true or false".into(),
            Self::Duration { min, max } => format!(
                "a time such as \"90s\", \"5m\", \"12h\" or \"1d\", from {} to {}",
                scalars::print_duration(*min),
                scalars::print_duration(*max)
            ),
            Self::List([]) => "a list of texts".into(),
            Self::List(words) => format!("a list of {}", one_of(words)),
            Self::Lists => "a table of names, each with a list of one text or more".into(),
            Self::Patterns => {
                "a list of texts with the wildcards * ? [a-z] {a,b}".into()
            }
            Self::Location(_) => {
                "an http:// or https:// URL without user name, password, query and fragment".into()
            }
            Self::WebAddress => "an http:// or https:// URL without user name and password".into(),
            Self::Proxy => "\"none\", or an http://, https://, socks5:// or socks5h:// URL".into(),
            Self::Store => format!("\"sqlite:\" and an absolute path, or {}", postgres::ALLOWED),
            Self::Address => "an IP address and port such as \"127.0.0.1:9464\"".into(),
            Self::AbsolutePath => "an absolute path".into(),
            Self::Cron => scalars::CRON_ALLOWED.into(),
            Self::Endpoint | Self::Secret => {
                "text, or { credential = \"NAME\" }, { env = \"NAME\" } or { file = \"/PATH\" }"
                    .into()
            }
            Self::Secrets => {
                "a table of names, each with text, { credential = \"NAME\" }, { env = \"NAME\" } or { file = \"/PATH\" }"
                    .into()
            }
            Self::Table(keys) => format!("a table of {}", list_keys(*keys)),
        }
    }

    /// Reads a value that is neither a secret nor a table.
    ///
    /// # Errors
    /// What is wrong, without what is allowed. Values of kinds that can hold credentials are not repeated.
    pub(super) fn read(&self, value: &ValueKind) -> Result<Field, Wrong> {
        match (self, value) {
            (Self::AnyText, ValueKind::String(text)) => Ok(Field::Text(text.clone())),
            (_, ValueKind::String(text)) if text.trim().is_empty() => Wrong::so("is empty"),
            (Self::Text, ValueKind::String(text)) => Ok(Field::Text(text.trim().into())),
            (Self::Words(words), ValueKind::String(text)) => {
                if words.contains(&text.as_str()) {
                    Ok(Field::Text(text.clone()))
                } else {
                    Wrong::so(format!("{} is not known", quoted(text)))
                }
            }
            (Self::AnyCase(words), ValueKind::String(text)) => {
                let known = words.iter().find(|word| word.eq_ignore_ascii_case(text));
                match known {
                    Some(word) => Ok(Field::Text((*word).into())),
                    None => Wrong::so(format!("{} is not known", quoted(text))),
                }
            }
            (Self::Template, ValueKind::String(text)) => Template::parse(text).map(Field::Template),
            (Self::Integer { min, max }, ValueKind::I64(number)) => {
                if (min..=max).contains(&number) {
                    Ok(Field::Integer(*number))
                } else {
                    Wrong::so(format!("{number} is out of range"))
                }
            }
            (Self::Integer { .. }, ValueKind::Float(_)) => {
                Wrong::so("is not a whole number, or too large for one")
            }
            (Self::Number { min, max }, ValueKind::I64(_) | ValueKind::Float(_)) => {
                let number = match value {
                    ValueKind::I64(number) => *number as f64,
                    ValueKind::Float(number) => *number,
                    _ => f64::NAN,
                };
                if (*min..=*max).contains(&number) {
                    Ok(Field::Number(number))
                } else {
                    Wrong::so(format!("{number} is out of range"))
                }
            }
            (Self::Boolean, ValueKind::Boolean(value)) => Ok(Field::Boolean(*value)),
            (Self::Duration { min, max }, ValueKind::String(text)) => {
                scalars::duration(text, *min, *max).map(Field::Duration)
            }
            (Self::List(words), ValueKind::Array(items)) => texts(items, |text| {
                if words.is_empty() || words.contains(&text) {
                    Ok(text.to_owned())
                } else {
                    Wrong::so(format!("{} is not known", quoted(text)))
                }
            })
            .map(Field::List),
            (Self::Lists, ValueKind::Table(table)) => lists(table).map(Field::Lists),
            (Self::Patterns, ValueKind::Array(items)) => patterns(items).map(Field::Patterns),
            (Self::Location(endpoint_of_region), ValueKind::String(text)) => {
                let endpoint = endpoint_of_region.and_then(|of| of(text.trim()));
                scalars::location(endpoint.as_deref().unwrap_or(text)).map(Field::Url)
            }
            (Self::WebAddress, ValueKind::String(text)) => {
                scalars::web_address(text).map(|url| Field::Text(url.into()))
            }
            (Self::Proxy, ValueKind::String(text)) => scalars::proxy(text).map(Field::Proxy),
            (Self::Store, ValueKind::String(text)) => scalars::store(text).map(Field::Store),
            (Self::Address, ValueKind::String(text)) => text
                .parse()
                .map(Field::Address)
                .or_else(|_| Wrong::so(format!("{} is not an address", quoted(text)))),
            (Self::AbsolutePath, ValueKind::String(text)) => {
                scalars::absolute_path(text).map(Field::Path)
            }
            (Self::Cron, ValueKind::String(text)) => scalars::cron(text).map(Field::Text),
            _ => Wrong::so(format!("is {}", type_in_words(value))),
        }
    }
}

fn texts<T>(
    items: &[config::Value],
    read: impl Fn(&str) -> Result<T, Wrong>,
) -> Result<Vec<T>, Wrong> {
    items
        .iter()
        .enumerate()
        .map(|(index, item)| {
            let item = match &item.kind {
                ValueKind::String(text) => read(text),
                other => Wrong::so(format!("holds {}", type_in_words(other))),
            };
            item.map_err(|wrong| wrong.in_item(index))
        })
        .collect()
}

fn lists(
    table: &config::Map<String, config::Value>,
) -> Result<BTreeMap<String, Vec<String>>, Wrong> {
    table
        .iter()
        .map(|(name, value)| {
            let wrong = |what: &str| Wrong::so(format!("{} {what}", quoted(name)));
            let ValueKind::Array(items) = &value.kind else {
                return wrong(&format!("is {}", type_in_words(&value.kind)));
            };
            match texts(items, |text| Ok(text.to_owned())) {
                Ok(list) if list.is_empty() => wrong("is an empty list"),
                Ok(list) => Ok((name.clone(), list)),
                Err(error) => wrong(&error.what),
            }
        })
        .collect()
}

fn patterns(items: &[config::Value]) -> Result<GlobSet, Wrong> {
    let globs = texts(items, |text| {
        Glob::new(text).or_else(|error| Wrong::so(format!("{}: {}", quoted(text), error.kind())))
    })?;
    let mut set = GlobSetBuilder::new();
    for glob in globs {
        set.add(glob);
    }
    set.build().or_else(|error| Wrong::so(error.to_string()))
}

/// `"a", "b" or "c"`.
pub(super) fn one_of(words: &[&str]) -> String {
    let quoted: Vec<_> = words.iter().map(|word| quoted(word)).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
        None => "nothing".into(),
    }
}

pub(super) fn list_keys<'a>(keys: impl IntoIterator<Item = &'a Key>) -> String {
    let keys: Vec<_> = keys.into_iter().map(|key| key.key).collect();
    keys.join(", ")
}

/// What a value is, for people; never the value itself.
pub(super) fn type_in_words(value: &ValueKind) -> &'static str {
    match value {
        ValueKind::String(_) => "text",
        ValueKind::Boolean(_) => "true or false",
        ValueKind::I64(_) | ValueKind::I128(_) | ValueKind::U64(_) | ValueKind::U128(_) => {
            "a whole number"
        }
        ValueKind::Float(_) => "a number with a fraction",
        ValueKind::Array(_) => "a list",
        ValueKind::Table(_) => "a table",
        ValueKind::Nil => "a date or time of day",
    }
}
