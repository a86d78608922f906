//! Maven (the POM reference's "Version Order Specification").

use std::cmp::Ordering;

use super::numbers;

/// Qualifiers in their order; the release itself stands between `snapshot` and `sp`, unknown ones behind all.
const QUALIFIERS: &[&str] = &["alpha", "beta", "milestone", "rc", "snapshot", "", "sp"];

pub(super) fn compare(a: &str, b: &str) -> Ordering {
    let (a, b) = (tokens(a), tokens(b));
    for at in 0..a.len().max(b.len()) {
        let order = match (a.get(at), b.get(at)) {
            (Some(a), Some(b)) => a.order(b),
            (Some(a), None) => a.order(&a.padding()),
            (None, Some(b)) => b.padding().order(b),
            (None, None) => Ordering::Equal,
        };
        if order.is_ne() {
            return order;
        }
    }
    Ordering::Equal
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Token {
    /// Whether a dash stands before it (or a change between digits and letters, which is the same).
    dashed: bool,
    text: String,
}

impl Token {
    fn is_number(&self) -> bool {
        !self.text.is_empty() && self.text.bytes().all(|b| b.is_ascii_digit())
    }

    fn is_null(&self) -> bool {
        self.text.bytes().all(|b| b == b'0')
    }

    /// What stands in its place where there is nothing.
    fn padding(&self) -> Self {
        Self {
            dashed: self.dashed,
            text: match self.is_number() {
                true => "0".to_owned(),
                false => String::new(),
            },
        }
    }

    /// `.qualifier` = `-qualifier` < `-number` < `.number`
    fn kind(&self) -> u8 {
        match (self.is_number(), self.dashed) {
            (false, _) => 0,
            (true, true) => 1,
            (true, false) => 2,
        }
    }

    fn order(&self, other: &Self) -> Ordering {
        self.kind()
            .cmp(&other.kind())
            .then_with(|| match self.is_number() {
                true => numbers(&self.text, &other.text),
                false => qualifiers(&self.text, &other.text),
            })
    }
}

fn qualifiers(a: &str, b: &str) -> Ordering {
    let rank = |text: &str| {
        QUALIFIERS
            .iter()
            .position(|known| *known == text)
            .unwrap_or(QUALIFIERS.len())
    };
    rank(a)
        .cmp(&rank(b))
        .then_with(|| match rank(a) == QUALIFIERS.len() {
            true => a.cmp(b),
            false => Ordering::Equal,
        })
}

fn tokens(text: &str) -> Vec<Token> {
    let text = text.trim().to_ascii_lowercase();
    let mut tokens: Vec<Token> = Vec::new();
    let mut dashed = false;
    let mut rest = text.as_str();
    loop {
        let end = rest.find(['.', '-', '_']).unwrap_or(rest.len());
        push_runs(&rest[..end], dashed, &mut tokens);
        let Some(separator) = rest[end..].chars().next() else {
            break;
        };
        dashed = separator != '.';
        rest = &rest[end + 1..];
    }
    trim(&mut tokens);
    tokens
}

/// The runs of digits and letters of what stands between two separators; nothing there counts as 0.
fn push_runs(part: &str, mut dashed: bool, tokens: &mut Vec<Token>) {
    let mut rest = part;
    if rest.is_empty() {
        rest = "0";
    }
    while let Some(first) = rest.bytes().next() {
        let digits = first.is_ascii_digit();
        let end = rest
            .bytes()
            .position(|b| b.is_ascii_digit() != digits)
            .unwrap_or(rest.len());
        let (run, behind) = rest.split_at(end);
        let before_digits = !digits && !behind.is_empty();
        let text = match run {
            "a" if before_digits => "alpha",
            "b" if before_digits => "beta",
            "m" if before_digits => "milestone",
            "cr" => "rc",
            "ga" | "final" | "release" => "",
            run => run,
        };
        tokens.push(Token {
            dashed,
            text: text.to_owned(),
        });
        dashed = true;
        rest = behind;
    }
}

/// Takes out what means nothing at the end, and before each dash.
fn trim(tokens: &mut Vec<Token>) {
    let mut at = tokens.len();
    while at > 0 {
        let is_end = at == tokens.len() || tokens[at].dashed;
        at -= 1;
        // The first stays: it is what all others are behind.
        if is_end && tokens[at].is_null() && at > 0 {
            tokens.remove(at);
        }
    }
}
