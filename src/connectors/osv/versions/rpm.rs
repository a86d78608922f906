//! RPM (`rpmvercmp`): epoch, version, release.

use std::cmp::Ordering;

use super::numbers;

pub(super) fn compare(a: &str, b: &str) -> Ordering {
    let (a_epoch, a_version, a_release) = parts(a);
    let (b_epoch, b_version, b_release) = parts(b);
    numbers(a_epoch, b_epoch)
        .then_with(|| texts(a_version, b_version))
        .then_with(|| match (a_release, b_release) {
            (Some(a), Some(b)) => texts(a, b),
            // Without a release any is meant.
            _ => Ordering::Equal,
        })
}

fn parts(text: &str) -> (&str, &str, Option<&str>) {
    let text = text.trim();
    let (epoch, rest) = text.split_once(':').unwrap_or(("0", text));
    match rest.rsplit_once('-') {
        Some((version, release)) => (epoch, version, Some(release)),
        None => (epoch, rest, None),
    }
}

fn texts(mut a: &str, mut b: &str) -> Ordering {
    'runs: loop {
        a = a.trim_start_matches(is_separator);
        b = b.trim_start_matches(is_separator);
        for (mark, missing) in [('~', Ordering::Greater), ('^', Ordering::Less)] {
            match (a.strip_prefix(mark), b.strip_prefix(mark)) {
                (Some(a_rest), Some(b_rest)) => {
                    (a, b) = (a_rest, b_rest);
                    continue 'runs;
                }
                // `~` is before everything, the end included; `^` is before everything but the end.
                (Some(_), None) if mark == '^' && !b.is_empty() => return Ordering::Less,
                (None, Some(_)) if mark == '^' && !a.is_empty() => return Ordering::Greater,
                (Some(_), None) => return missing.reverse(),
                (None, Some(_)) => return missing,
                (None, None) => {}
            }
        }
        match (a.bytes().next(), b.bytes().next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(one), Some(other)) => {
                let digits = one.is_ascii_digit();
                if digits != other.is_ascii_digit() {
                    return if digits {
                        Ordering::Greater
                    } else {
                        Ordering::Less
                    };
                }
                let (a_run, a_rest) = run(a, digits);
                let (b_run, b_rest) = run(b, digits);
                let order = if digits {
                    numbers(a_run, b_run)
                } else {
                    a_run.cmp(b_run)
                };
                if order.is_ne() {
                    return order;
                }
                (a, b) = (a_rest, b_rest);
            }
        }
    }
}

fn is_separator(c: char) -> bool {
    !c.is_ascii_alphanumeric() && c != '~' && c != '^'
}

fn run(text: &str, digits: bool) -> (&str, &str) {
    let belongs = |byte: u8| match digits {
        true => byte.is_ascii_digit(),
        false => byte.is_ascii_alphabetic(),
    };
    text.split_at(
        text.bytes()
            .position(|byte| !belongs(byte))
            .unwrap_or(text.len()),
    )
}
