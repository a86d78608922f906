//! CVSS ratings as vendors give them, checked before they are believed.

use crate::finding::Cvss;

/// A CVSS 3 rating. A vector without the prefix, or without all base metrics, and a score out of range are left out; a
/// missing score is reckoned from the vector.
pub(super) fn cvss3(vector: Option<&str>, score: Option<f64>) -> Cvss {
    let parsed = vector.and_then(|vector| {
        let parsed: cvss::v3::Vector = vector.parse().ok()?;
        // The crate takes a vector of two metrics for one and scores it 0.0.
        let whole = parsed.av.is_some()
            && parsed.ac.is_some()
            && parsed.pr.is_some()
            && parsed.ui.is_some()
            && parsed.s.is_some()
            && parsed.c.is_some()
            && parsed.i.is_some()
            && parsed.a.is_some();
        whole.then_some((vector, parsed))
    });
    rating(parsed, score, |parsed| parsed.base_score().value())
}

/// A CVSS 4 rating, likewise.
pub(super) fn cvss4(vector: Option<&str>, score: Option<f64>) -> Cvss {
    let parsed = vector.and_then(|vector| Some((vector, vector.parse().ok()?)));
    rating(parsed, score, |parsed: &cvss::v4::Vector| {
        parsed.score().value()
    })
}

fn rating<V>(vector: Option<(&str, V)>, score: Option<f64>, score_of: impl Fn(&V) -> f64) -> Cvss {
    let score = score.filter(|score| (0.0..=10.0).contains(score));
    Cvss {
        score: score.or_else(|| vector.as_ref().map(|(_, parsed)| score_of(parsed))),
        vector: vector.map(|(text, _)| text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_score_is_reckoned_from_the_vector() {
        let cvss = cvss3(Some("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H"), None);
        assert_eq!(cvss.score, Some(10.0));
        let cvss = cvss4(
            Some("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N"),
            None,
        );
        assert_eq!(cvss.score, Some(9.3));
    }

    #[test]
    fn a_vector_that_lacks_base_metrics_is_left_out_and_the_score_kept() {
        let cvss = cvss3(Some("CVSS:3.1/AV:N/AC:L"), Some(7.5));
        assert_eq!((cvss.vector, cvss.score), (None, Some(7.5)));
        let cvss = cvss4(Some("CVSS:4.0/AV:N"), None);
        assert_eq!(cvss, Cvss::default());
    }

    #[test]
    fn a_score_out_of_range_is_left_out() {
        assert_eq!(cvss3(None, Some(11.0)), Cvss::default());
        assert_eq!(cvss3(None, Some(-1.0)), Cvss::default());
        assert_eq!(cvss3(None, Some(0.0)).score, Some(0.0));
    }
}
