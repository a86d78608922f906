//! The part of PromQL that is understood here: numbers, strings, selectors, `last_over_time`, and the aggregations over them.

use regex::Regex;

/// An expression.
#[derive(Debug, Clone)]
pub(super) enum Expression {
    Number(f64),
    Text(String),
    Select(Selector),
    /// `selector[5m]`, and what `last_over_time` makes of it.
    Range {
        selector: Selector,
        last: bool,
    },
    Aggregate {
        operator: Operator,
        by: Vec<String>,
        of: Box<Expression>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Sum,
    Min,
    Max,
    Count,
    Group,
}

const OPERATORS: &[(&str, Operator)] = &[
    ("sum", Operator::Sum),
    ("min", Operator::Min),
    ("max", Operator::Max),
    ("count", Operator::Count),
    ("group", Operator::Group),
];

/// Label matchers, the metric's name among them.
#[derive(Debug, Clone)]
pub(super) struct Selector(pub(super) Vec<Matcher>);

#[derive(Debug, Clone)]
pub(super) struct Matcher {
    pub(super) label: String,
    equal: bool,
    pattern: Pattern,
}

#[derive(Debug, Clone)]
enum Pattern {
    Text(String),
    Regex(Regex),
}

impl Matcher {
    pub(super) fn fits(&self, value: &str) -> bool {
        let same = match &self.pattern {
            Pattern::Text(text) => text == value,
            Pattern::Regex(regex) => regex.is_match(value),
        };
        same == self.equal
    }
}

/// What the server says of a query that it cannot read.
pub(super) type ParseError = String;

pub(super) fn parse(query: &str) -> Result<Expression, ParseError> {
    let mut parser = Parser { query, at: 0 };
    if parser.rest().is_empty() {
        return Err("unknown position: parse error: no expression found in input".to_owned());
    }
    let expression = parser.expression()?;
    match parser.rest().chars().next() {
        None => Ok(expression),
        Some(character) => Err(parser.error(&format!("unexpected character: '{character}'"))),
    }
}

struct Parser<'a> {
    query: &'a str,
    at: usize,
}

impl<'a> Parser<'a> {
    /// What is left, from the next character that is not white space.
    fn rest(&mut self) -> &'a str {
        let rest = &self.query[self.at..];
        let trimmed = rest.trim_start();
        self.at += rest.len() - trimmed.len();
        trimmed
    }

    fn error(&self, what: &str) -> ParseError {
        format!("1:{}: parse error: {what}", self.at + 1)
    }

    fn eat(&mut self, token: &str) -> bool {
        let found = self.rest().starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }

    fn expect(&mut self, token: &str) -> Result<(), ParseError> {
        match self.eat(token) {
            true => Ok(()),
            false => Err(self.error(&format!("unexpected input, expected \"{token}\""))),
        }
    }

    fn word(&mut self) -> Option<&'a str> {
        let rest = self.rest();
        let end = rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == ':'))
            .unwrap_or(rest.len());
        let starts_well = rest.starts_with(|c: char| !c.is_ascii_digit());
        (end > 0 && starts_well).then(|| {
            self.at += end;
            &rest[..end]
        })
    }

    fn expression(&mut self) -> Result<Expression, ParseError> {
        let rest = self.rest();
        if rest.starts_with(|c: char| c.is_ascii_digit() || c == '-' || c == '.') {
            return self.number();
        }
        if rest.starts_with(['"', '\'', '`']) {
            return self.text().map(Expression::Text);
        }
        let start = self.at;
        let word = self.word();
        if let Some((_, operator)) = OPERATORS.iter().find(|(name, _)| Some(*name) == word) {
            let opened = self.rest().starts_with('(') || self.rest().starts_with("by");
            if opened {
                return self.aggregate(*operator);
            }
        }
        if word == Some("last_over_time") && self.eat("(") {
            let inner = self.expression()?;
            self.expect(")")?;
            return match inner {
                Expression::Range { selector, .. } => Ok(Expression::Range {
                    selector,
                    last: true,
                }),
                _ => Err(self.error(
                    "expected type range vector in call to function \"last_over_time\", got instant vector",
                )),
            };
        }
        if self.rest().starts_with('(') {
            let name = word.unwrap_or_default();
            return Err(self.error(&format!("unknown function with name \"{name}\"")));
        }
        self.selector(word, start)
    }

    fn number(&mut self) -> Result<Expression, ParseError> {
        let rest = self.rest();
        let end = rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || "+-.".contains(c)))
            .unwrap_or(rest.len());
        match rest[..end].parse() {
            Ok(number) => {
                self.at += end;
                Ok(Expression::Number(number))
            }
            Err(_) => Err(self.error(&format!("bad number or duration syntax: \"{rest}\""))),
        }
    }

    fn aggregate(&mut self, operator: Operator) -> Result<Expression, ParseError> {
        let mut by = self.grouping()?;
        self.expect("(")?;
        let of = self.expression()?;
        self.expect(")")?;
        if by.is_empty() {
            by = self.grouping()?;
        }
        let got = match of {
            Expression::Number(_) => "scalar",
            Expression::Text(_) => "string",
            Expression::Range { last: false, .. } => "range vector",
            _ => {
                return Ok(Expression::Aggregate {
                    operator,
                    by,
                    of: Box::new(of),
                });
            }
        };
        Err(self.error(&format!(
            "expected type instant vector in aggregation expression, got {got}"
        )))
    }

    fn grouping(&mut self) -> Result<Vec<String>, ParseError> {
        let mut labels = Vec::new();
        if !self.eat("by") {
            return Ok(labels);
        }
        self.expect("(")?;
        while let Some(label) = self.word() {
            labels.push(label.to_owned());
            if !self.eat(",") {
                break;
            }
        }
        self.expect(")")?;
        Ok(labels)
    }

    fn selector(&mut self, metric: Option<&str>, start: usize) -> Result<Expression, ParseError> {
        let mut matchers = Vec::new();
        if let Some(metric) = metric {
            matchers.push(Matcher {
                label: "__name__".to_owned(),
                equal: true,
                pattern: Pattern::Text(metric.to_owned()),
            });
        }
        if self.eat("{") {
            while let Some(label) = self.word() {
                matchers.push(self.matcher(label)?);
                if !self.eat(",") {
                    break;
                }
            }
            self.expect("}")?;
        } else if metric.is_none() {
            let next = self.rest().chars().next().unwrap_or(' ');
            return Err(self.error(&format!("unexpected character: '{next}'")));
        }
        if matchers.iter().all(|matcher| matcher.fits("")) {
            self.at = start;
            return Err(self.error("vector selector must contain at least one non-empty matcher"));
        }
        let selector = Selector(matchers);
        if !self.eat("[") {
            return Ok(Expression::Select(selector));
        }
        let rest = self.rest();
        let duration = rest.split(']').next().unwrap_or_default();
        let unit = duration.trim_start_matches(|c: char| c.is_ascii_digit());
        if duration == unit || !["ms", "s", "m", "h", "d", "w", "y"].contains(&unit) {
            return Err(self.error(&format!("not a valid duration string: \"{duration}\"")));
        }
        self.at += duration.len();
        self.expect("]")?;
        Ok(Expression::Range {
            selector,
            last: false,
        })
    }

    fn matcher(&mut self, label: &str) -> Result<Matcher, ParseError> {
        let (equal, regex) = if self.eat("=~") {
            (true, true)
        } else if self.eat("!~") {
            (false, true)
        } else if self.eat("!=") {
            (false, false)
        } else if self.eat("=") {
            (true, false)
        } else {
            return Err(
                self.error("unexpected input in label matching, expected label matching operator")
            );
        };
        let text = self.text()?;
        let pattern = match regex {
            false => Pattern::Text(text),
            true => Regex::new(&format!("^(?s:{text})$"))
                .map(Pattern::Regex)
                .map_err(|error| self.error(&format!("error parsing regexp: {error}")))?,
        };
        Ok(Matcher {
            label: label.to_owned(),
            equal,
            pattern,
        })
    }

    fn text(&mut self) -> Result<String, ParseError> {
        let rest = self.rest();
        let mut characters = rest.char_indices();
        let quote = characters.next().map(|(_, quote)| quote);
        let Some(quote @ ('"' | '\'' | '`')) = quote else {
            return Err(self.error("unexpected input in label matching, expected string"));
        };
        let mut text = String::new();
        while let Some((index, character)) = characters.next() {
            match character {
                c if c == quote => {
                    self.at += index + 1;
                    return Ok(text);
                }
                '\\' if quote != '`' => match characters.next() {
                    Some((_, 'n')) => text.push('\n'),
                    Some((_, 't')) => text.push('\t'),
                    Some((_, c @ ('\\' | '"' | '\''))) => text.push(c),
                    _ => return Err(self.error("unknown escape sequence")),
                },
                c => text.push(c),
            }
        }
        Err(self.error("unterminated quoted string"))
    }
}
