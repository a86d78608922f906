//! Versions in the ordering of their ecosystem. What cannot be ordered surely is not ordered at all.

mod debian;
mod gems;
mod maven;
mod python;
mod rpm;
mod semantic;

use std::cmp::Ordering;

/// Orders two versions of an ecosystem (given without a release); none where either cannot be read, or the ordering is not known.
pub(super) fn compare(ecosystem: &str, a: &str, b: &str) -> Option<Ordering> {
    match ecosystem {
        "npm" | "Go" | "crates.io" | "Hex" | "Pub" | "NuGet" | "SwiftURL" | "Julia"
        | "Packagist" | "ConanCenter" | "Bitnami" | "Hackage" => semantic::compare(a, b),
        "CRAN" => semantic::compare(&a.replace('-', "."), &b.replace('-', ".")),
        "PyPI" => python::compare(a, b),
        "RubyGems" => gems::compare(a, b),
        "Maven" => Some(maven::compare(a, b)),
        "Debian" | "Ubuntu" | "Echo" | "opam" => Some(debian::compare(a, b)),
        "Red Hat" | "SUSE" | "openSUSE" | "AlmaLinux" | "Rocky Linux" | "Azure Linux"
        | "Mageia" | "openEuler" => Some(rpm::compare(a, b)),
        "Alpine" | "Chainguard" | "Wolfi" | "MinimOS" | "Alpaquita" => apk(a, b),
        _ => None,
    }
}

/// Semantic versions, whatever the ecosystem.
pub(super) fn compare_semantic(a: &str, b: &str) -> Option<Ordering> {
    semantic::compare(a, b)
}

/// Digits of any length by their value.
fn numbers(a: &str, b: &str) -> Ordering {
    let (a, b) = (a.trim_start_matches('0'), b.trim_start_matches('0'));
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

/// Alpine's `1.2.3-r4`: numbers and the package's revision. With letters and suffixes (`_p1`, `_rc2`) it is left undecided.
fn apk(a: &str, b: &str) -> Option<Ordering> {
    let (a, a_revision) = apk_parts(a)?;
    let (b, b_revision) = apk_parts(b)?;
    let versions = semantic::dotted(a, b)?;
    Some(versions.then_with(|| numbers(a_revision, b_revision)))
}

fn apk_parts(text: &str) -> Option<(&str, &str)> {
    let (version, revision) = text.rsplit_once("-r").unwrap_or((text, "0"));
    let is_number = !revision.is_empty() && revision.bytes().all(|b| b.is_ascii_digit());
    is_number.then_some((version, revision))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each list is in its ecosystem's order, least first; what stands in one text is equal.
    const ORDERS: &[(&str, &[&str])] = &[
        (
            "npm",
            &[
                "0",
                "1.0.0-alpha",
                "1.0.0-alpha.1",
                "1.0.0-alpha.beta",
                "1.0.0-beta.2",
                "1.0.0-beta.11",
                "1.0.0-rc.1",
                "1.0.0",
                "1.0.1",
                "1.10.0",
                "10.0.0",
            ],
        ),
        (
            "Go",
            &[
                "v1.2.2",
                "1.2.3-0.20200101000000-abcdef123456",
                "v1.2.3",
                "1.2.10+incompatible",
            ],
        ),
        ("NuGet", &["12.0.1", "12.0.1.1", "13.0.1"]),
        ("CRAN", &["1.0-1", "1.0-2", "1.1"]),
        (
            "PyPI",
            &[
                "0",
                "1.0.dev1",
                "1.0a1",
                "1.0b2",
                "1.0rc1",
                "1.0",
                "1.0.post1",
                "1.1",
                "1.10",
                "1!0.1",
            ],
        ),
        (
            "RubyGems",
            &[
                "0",
                "1.a",
                "1.0.0.pre1",
                "1.0.0.rc1",
                "1.0.0",
                "1.0.1",
                "1.10",
            ],
        ),
        (
            "Maven",
            &[
                "0",
                "1-alpha-1",
                "1-beta-1",
                "1-milestone-1",
                "1-rc-1",
                "1-SNAPSHOT",
                "1",
                "1-sp",
                "1-foo",
                "1.1",
                "1.1.1",
                "2.0-beta9",
                "2.0-rc1",
                "2.0",
                "2.3.1",
                "2.12.2",
                "2.14.1",
                "2.15.0",
                "2.17.0",
            ],
        ),
        (
            "Debian",
            &[
                "0",
                "1.0~rc1-1",
                "1.0-1",
                "1.0-1+deb12u1",
                "1.0-1+deb12u2",
                "1.0-1.1",
                "1.0.1-1",
                "1.1a",
                "3.0.11-1~deb12u1",
                "3.0.11-1~deb12u2",
                "1:0.1",
            ],
        ),
        (
            "Rocky Linux",
            &[
                "0",
                "1.a",
                "1.0~rc1-1",
                "1.0-1.el9",
                "1.0-1.el9_2",
                "1.0^20200101-1",
                "1.0.1-1",
                "1.1",
                "1:0.5-1",
            ],
        ),
        (
            "Alpine",
            &["0", "3.1.4-r1", "3.1.4-r2", "3.1.4-r10", "3.1.10-r0"],
        ),
    ];

    #[test]
    fn versions_are_ordered_as_their_ecosystem_orders_them() {
        for (ecosystem, versions) in ORDERS {
            for (at, a) in versions.iter().enumerate() {
                for (place, b) in versions.iter().enumerate() {
                    let order = compare(ecosystem, a, b);
                    assert_eq!(order, Some(at.cmp(&place)), "{ecosystem}: {a} {b}");
                }
            }
        }
    }

    #[test]
    fn different_spellings_of_a_version_are_equal() {
        for (ecosystem, a, b) in [
            ("npm", "1.2", "1.2.0"),
            ("Go", "v1.2.3", "1.2.3+incompatible"),
            ("PyPI", "1.0", "1.0.0"),
            ("PyPI", "1.0-RC1", "1.0rc1"),
            ("RubyGems", "1.0", "1"),
            ("Maven", "1", "1.0.0"),
            ("Maven", "1.0.ga", "1.0"),
            ("Maven", "1-RC1", "1-rc-1"),
            ("Maven", "1-a1", "1-alpha-1"),
            ("Debian", "0:1.0-1", "1.0-1"),
            ("Debian", "1.00", "1.0"),
            ("SUSE", "1.01", "1.1"),
        ] {
            assert_eq!(
                compare(ecosystem, a, b),
                Some(Ordering::Equal),
                "{ecosystem}: {a} {b}"
            );
        }
    }

    #[test]
    fn what_cannot_be_ordered_is_left_undecided() {
        for (ecosystem, a, b) in [
            ("npm", "latest", "1.0.0"),
            ("PyPI", "1.0", "unknown"),
            ("Alpine", "1.0_rc1-r0", "1.0-r0"),
            ("OSS-Fuzz", "1", "2"),
            ("Go", "", "1"),
        ] {
            assert_eq!(compare(ecosystem, a, b), None, "{ecosystem}: {a} {b}");
        }
    }

    #[test]
    fn numbers_of_any_length_are_compared() {
        let long = "9".repeat(60);
        let longer = format!("1{}", "0".repeat(60));
        for ecosystem in ["npm", "RubyGems", "Maven", "Debian", "SUSE", "Alpine"] {
            assert_eq!(
                compare(ecosystem, &long, &longer),
                Some(Ordering::Less),
                "{ecosystem}"
            );
        }
    }
}
