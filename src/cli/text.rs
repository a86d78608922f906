//! Values as people read them, and vendors' text made harmless for a terminal and a spreadsheet.

use chrono::{DateTime, TimeDelta, Utc};

/// Vendors' text on one line, without what a terminal would obey: control characters, and marks that turn the direction of
/// writing or hide text.
pub(crate) fn clean(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' | '\r' | '\t' | '\u{2028}' | '\u{2029}' => {
                if !clean.ends_with(' ') {
                    clean.push(' ');
                }
            }
            c if c.is_control() || is_invisible(c) => {}
            c => clean.push(c),
        }
    }
    clean.truncate(clean.trim_end().len());
    clean
}

/// Vendors' text of several lines; the lines stay.
pub(crate) fn clean_lines(text: &str) -> impl Iterator<Item = String> {
    text.lines().map(clean)
}

fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// A text as a CSV field that no spreadsheet takes for a formula.
pub(crate) fn no_formula(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

/// `2026-11-24 06:40Z`.
pub(crate) fn stamp(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%MZ").to_string()
}

/// How long ago or ahead: `2 h ago`, `in 3 d`.
pub(crate) fn relative(at: DateTime<Utc>, now: DateTime<Utc>) -> String {
    if at > now {
        format!("in {}", span(at - now))
    } else {
        format!("{} ago", span(now - at))
    }
}

/// How long, in the largest unit that fits: `40 s`, `12 min`, `2 h`, `3 d`.
pub(crate) fn span(length: TimeDelta) -> String {
    let seconds = length.num_seconds();
    match seconds {
        ..90 => format!("{seconds} s"),
        90..5_400 => format!("{} min", (seconds + 30) / 60),
        5_400..129_600 => format!("{} h", (seconds + 1_800) / 3_600),
        _ => format!("{} d", (seconds + 43_200) / 86_400),
    }
}

/// `1 finding`, `3 findings`.
pub(crate) fn count(number: u64, one: &str) -> String {
    if number == 1 {
        format!("1 {one}")
    } else {
        format!("{} {one}s", thousands(number))
    }
}

/// `1,234,567`.
pub(crate) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vendors_text_cannot_steer_a_terminal() {
        assert_eq!(clean("a\u{1b}[31mred\u{7}\u{9b}0m"), "a[31mred0m");
        assert_eq!(clean("one\r\n\ttwo\n"), "one two");
        assert_eq!(clean("exe\u{202e}gpj.\u{200b}x"), "exegpj.x");
        assert_eq!(clean("Schlüssel → 鍵"), "Schlüssel → 鍵");
    }

    #[test]
    fn a_csv_field_is_no_formula() {
        for bad in ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx"] {
            assert_eq!(no_formula(bad), format!("'{bad}"));
        }
        assert_eq!(no_formula("CVE-2026-1"), "CVE-2026-1");
    }

    #[test]
    fn times_are_told_in_the_unit_that_fits() {
        let now: DateTime<Utc> = "2026-11-24T06:40:31Z".parse().unwrap();
        assert_eq!(stamp(now), "2026-11-24 06:40Z");
        let ago = |seconds| relative(now - TimeDelta::seconds(seconds), now);
        assert_eq!(ago(0), "0 s ago");
        assert_eq!(ago(89), "89 s ago");
        assert_eq!(ago(90), "2 min ago");
        assert_eq!(ago(2 * 3600), "2 h ago");
        assert_eq!(ago(3 * 86_400), "3 d ago");
        assert_eq!(relative(now + TimeDelta::minutes(5), now), "in 5 min");
    }

    #[test]
    fn counts_are_readable() {
        assert_eq!(count(1, "finding"), "1 finding");
        assert_eq!(count(1_234_567, "finding"), "1,234,567 findings");
        assert_eq!(thousands(100), "100");
    }
}
