//! What is put on every sighting, whatever connector it comes from: labels, a severity where only CVSS is known, and limits
//! that keep a hostile text from doing harm.

use std::str::FromStr;

use crate::config::Labels;
use crate::finding::{Content, Endpoint, Image, ImageReference, Severity, Sighting};

/// Characters of a title that are kept; it is one line of a table.
const MAX_TITLE: usize = 500;

/// Bytes of a description or recommendation that are kept.
const MAX_TEXT: usize = 64 * 1024;

/// Makes a sighting ready to be stored.
pub(super) fn normalise(sighting: &mut Sighting, labels: &Labels) {
    let content = &mut sighting.content;
    tidy(content);
    complete_scores(content);
    if sighting.severity == Severity::Unknown {
        sighting.severity = severity_of_scores(content);
    }
    put_labels(content, labels);
}

fn tidy(content: &mut Content) {
    if content.title.len() > MAX_TITLE || content.title.contains(char::is_control) {
        content.title = one_line(&content.title);
    }
    for text in [&mut content.description, &mut content.recommendation] {
        if let Some(long) = text.as_mut().filter(|text| text.len() > MAX_TEXT) {
            long.truncate(long.floor_char_boundary(MAX_TEXT));
            long.push('…');
        }
        if text.as_deref().is_some_and(|text| text.trim().is_empty()) {
            *text = None;
        }
    }
    let own = content.vulnerability_id.clone();
    content
        .aliases
        .retain(|alias| !alias.is_empty() && Some(alias) != own.as_ref());
    deduplicate(&mut content.aliases);
    deduplicate(&mut content.references);
    deduplicate(&mut content.tags);
    if content.cwes.len() > 1 {
        content.cwes.sort_unstable();
        content.cwes.dedup();
    }
}

fn one_line(title: &str) -> String {
    let line: String = title
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(MAX_TITLE)
        .collect();
    line.trim().to_owned()
}

/// Keeps the first of equal items. Lists of a finding are short, so looking through them beats a set.
fn deduplicate(items: &mut Vec<String>) {
    let mut kept = 0;
    for next in 0..items.len() {
        if !items[..kept].contains(&items[next]) {
            items.swap(kept, next);
            kept += 1;
        }
    }
    items.truncate(kept);
}

/// A vector without a score gets the score that it stands for.
fn complete_scores(content: &mut Content) {
    if content.cvss3_score.is_none() {
        content.cvss3_score = content.cvss3_vector.as_deref().and_then(score_of_vector);
    }
    if content.cvss4_score.is_none() {
        content.cvss4_score = content.cvss4_vector.as_deref().and_then(score_of_vector);
    }
}

fn score_of_vector(vector: &str) -> Option<f64> {
    match cvss::Cvss::from_str(vector).ok()? {
        // A vector that lacks base metrics parses and scores 0.0, which it does not mean.
        cvss::Cvss::CvssV30(base) | cvss::Cvss::CvssV31(base) => has_all(
            vector,
            &["AV:", "AC:", "PR:", "UI:", "S:", "C:", "I:", "A:"],
        )
        .then(|| base.score().value()),
        cvss::Cvss::CvssV40(base) => has_all(
            vector,
            &[
                "AV:", "AC:", "AT:", "PR:", "UI:", "VC:", "VI:", "VA:", "SC:", "SI:", "SA:",
            ],
        )
        .then(|| base.score().value()),
        _ => None,
    }
}

fn has_all(vector: &str, metrics: &[&str]) -> bool {
    metrics
        .iter()
        .all(|metric| vector.split('/').any(|part| part.starts_with(metric)))
}

/// CVSS 4 before CVSS 3, as the newer standard is what the vendor means where both are given.
fn severity_of_scores(content: &Content) -> Severity {
    content
        .cvss4_score
        .or(content.cvss3_score)
        .map_or(Severity::Unknown, Severity::from_cvss_score)
}

fn put_labels(content: &mut Content, labels: &Labels) {
    if let Some(cluster) = &labels.kubernetes_cluster {
        content.kubernetes.get_or_insert_default().cluster = Some(cluster.clone());
    }
    if let Some(image) = &labels.docker_image
        && content.image.as_ref().is_none_or(|i| i.name.is_none())
    {
        content.image = Some(Image::from(ImageReference::parse(image)));
    }
    if let Some(url) = &labels.endpoint_url
        && content.endpoint.as_ref().is_none_or(|e| e.url.is_none())
    {
        let endpoint: &mut Endpoint = content.endpoint.get_or_insert_default();
        endpoint.url = Some(url.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn normalised(content: Content, labels: &Labels) -> Sighting {
        let mut sighting = Sighting {
            content,
            ..Sighting::default()
        };
        normalise(&mut sighting, labels);
        sighting
    }

    #[test]
    fn a_vector_alone_gives_score_and_severity() {
        let content = Content {
            cvss3_vector: Some("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H".to_owned()),
            ..Content::default()
        };
        let sighting = normalised(content, &Labels::default());
        assert_eq!(sighting.content.cvss3_score, Some(9.8));
        assert_eq!(sighting.severity, Severity::Critical);
    }

    #[test]
    fn cvss_4_decides_before_cvss_3() {
        let content = Content {
            cvss3_score: Some(9.8),
            cvss4_score: Some(5.1),
            ..Content::default()
        };
        assert_eq!(
            normalised(content, &Labels::default()).severity,
            Severity::Medium
        );
    }

    #[test]
    fn a_vector_without_all_base_metrics_says_nothing() {
        let content = Content {
            cvss3_vector: Some("CVSS:3.1/AV:N/AC:L".to_owned()),
            ..Content::default()
        };
        let sighting = normalised(content, &Labels::default());
        assert_eq!(sighting.content.cvss3_score, None);
        assert_eq!(sighting.severity, Severity::Unknown);
    }

    #[test]
    fn labels_fill_what_the_connector_did_not_find_and_name_the_cluster() {
        let labels = Labels {
            docker_image: Some("registry/shop:1.2".to_owned()),
            endpoint_url: Some("https://shop.example.com".to_owned()),
            kubernetes_cluster: Some("prod".to_owned()),
            ..Labels::default()
        };
        let content = normalised(Content::default(), &labels).content;
        let image = content.image.unwrap();
        assert_eq!(image.name.as_deref(), Some("registry/shop"));
        assert_eq!(image.tag.as_deref(), Some("1.2"));
        assert_eq!(
            content.endpoint.unwrap().url.as_deref(),
            Some("https://shop.example.com")
        );
        assert_eq!(content.kubernetes.unwrap().cluster.as_deref(), Some("prod"));

        let found = Content {
            image: Some(Image {
                name: Some("other".to_owned()),
                ..Image::default()
            }),
            ..Content::default()
        };
        let image = normalised(found, &labels).content.image.unwrap();
        assert_eq!(image.name.as_deref(), Some("other"));
    }

    #[test]
    fn a_title_is_one_line_and_lists_hold_nothing_twice() {
        let content = Content {
            title: "one\u{1b}[31m\ntwo".to_owned(),
            vulnerability_id: Some("CVE-1".to_owned()),
            aliases: ["GHSA-1", "CVE-1", "GHSA-1", ""]
                .map(str::to_owned)
                .to_vec(),
            ..Content::default()
        };
        let content = normalised(content, &Labels::default()).content;
        assert_eq!(content.title, "one [31m two");
        assert_eq!(content.aliases, ["GHSA-1"]);
    }
}
