//! What is wrong with a configuration: a line each, all of them at once.

use std::error::Error;
use std::fmt::{self, Write as _};
use std::path::{Path, PathBuf};

/// Where a mistake is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A file or folder as a whole; the path is as the admin gave it.
    Path(PathBuf),
    /// A spot in a file.
    Spot {
        /// The file, by the path that the admin gave.
        file: PathBuf,
        /// Counted from 1.
        line: usize,
        /// Counted from 1, in characters.
        column: usize,
    },
    /// An environment variable.
    Variable(String),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => write!(f, "{}", path.display()),
            Self::Spot { file, line, column } => {
                write!(f, "{}:{line}:{column}", file.display())
            }
            Self::Variable(name) => write!(f, "environment variable {name}"),
        }
    }
}

/// One mistake. Its text never holds a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where it is.
    pub place: Place,
    /// The key with its tables, `tools.dtrack.timeout`; empty where the mistake has none (a syntax error).
    pub key: String,
    /// What is wrong and what is allowed.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = OneLine(f);
        write!(line, "{}: ", self.place)?;
        if !self.key.is_empty() {
            write!(line, "{}: ", self.key)?;
        }
        line.write_str(&self.message)
    }
}

/// Spells out control characters: a quoted name in TOML may hold line breaks and a terminal's escape sequences.
struct OneLine<'a, 'b>(&'a mut fmt::Formatter<'b>);

impl fmt::Write for OneLine<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        text.chars().try_for_each(|c| match c {
            c if c.is_control() => write!(self.0, "{}", c.escape_default()),
            c => self.0.write_char(c),
        })
    }
}

/// All mistakes of a configuration, at least one, in the order of files and lines. Displayed as one line each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// The mistakes; none gives none.
    pub(super) fn of(problems: Vec<Problem>) -> Option<Self> {
        (!problems.is_empty()).then_some(Self(problems))
    }

    /// For what no input is known to cause: a value that passed its checks and is missing all the same.
    pub(super) fn inner(path: &Path) -> Self {
        Self(vec![Problem {
            place: Place::Path(path.to_path_buf()),
            key: String::new(),
            message: "cannot be loaded, though nothing is wrong with it: a mistake in secpull"
                .into(),
        }])
    }

    /// One after the other.
    pub fn iter(&self) -> std::slice::Iter<'_, Problem> {
        self.0.iter()
    }
}

impl<'a> IntoIterator for &'a Problems {
    type Item = &'a Problem;
    type IntoIter = std::slice::Iter<'a, Problem>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{problem}")?;
        }
        Ok(())
    }
}

impl Error for Problems {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_control_characters_leave_a_problem_on_one_line() {
        let problem = Problem {
            place: Place::Variable("A\n".to_owned()),
            key: "tools.a\rb".to_owned(),
            message: "unknown tool \u{1b}[31m; allowed: caf\u{e9}\nd".to_owned(),
        };
        assert_eq!(
            problem.to_string(),
            "environment variable A\\n: tools.a\\rb: unknown tool \\u{1b}[31m; allowed: caf\u{e9}\\nd"
        );
    }
}
