//! What the fuzz targets of all connectors share. Not in the shipped binary.

use bytes::Bytes;
use serde::de::IgnoredAny;

use crate::finding::{Sighting, fingerprint};
use crate::http::Splitter;

/// The elements of the array at the path, as a page's reader gets them, and the document around it; none if there is no
/// proper array.
pub(super) fn elements(page: &[u8], path: &'static [&'static str]) -> Option<(Vec<Bytes>, String)> {
    let mut splitter = Splitter::new(path);
    let mut elements = Vec::new();
    let page = Bytes::copy_from_slice(page);
    splitter.feed(&page, &mut elements).ok()?;
    splitter.finish().ok()?;
    Some((elements, splitter.envelope().to_owned()))
}

/// What is true of every row that a mapping takes or refuses.
pub(super) fn hold(row: Result<Sighting, String>) {
    let sighting = match row {
        Ok(sighting) => sighting,
        Err(reason) => {
            assert!(!reason.is_empty(), "refused for no reason");
            return;
        }
    };
    assert!(
        !sighting.source_id.is_empty(),
        "a sighting without identity"
    );
    let raw = serde_json::from_str::<IgnoredAny>(&sighting.raw);
    assert!(raw.is_ok(), "raw is not JSON: {}", sighting.raw);
    let content = &sighting.content;
    for (score, highest) in [
        (content.cvss3_score, 10.0),
        (content.cvss4_score, 10.0),
        (content.epss_score, 1.0),
    ] {
        let right = score.is_none_or(|score| (0.0..=highest).contains(&score));
        assert!(right, "a score of {score:?}");
    }
    let own = content.vulnerability_id.as_deref().unwrap_or_default();
    let twice = content.aliases.iter().any(|alias| alias == own);
    assert!(!twice, "{own} is its own alias");
    // Both go over everything that the row says.
    let _print = fingerprint(content, sighting.weakness.as_deref());
    assert_eq!(sighting.digest(b""), sighting.clone().digest(b""));
}
