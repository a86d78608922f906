//! The splitter: what it accepts is JSON, and where chunks end makes no difference.

use bytes::Bytes;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use crate::http::{SplitError, Splitter};

const PATHS: [&[&str]; 3] = [&[], &["data"], &["data", "result"]];

/// The first byte chooses the path, the second the length of the chunks; the rest is the document.
pub(super) fn run(input: &[u8]) {
    let [path, size, document @ ..] = input else {
        return;
    };
    let path = PATHS[usize::from(*path) % PATHS.len()];
    let whole = split(path, document, document.len().max(1));
    let pieces = split(path, document, usize::from(*size).max(1));
    match (&whole, &pieces) {
        (Ok(whole), Ok(pieces)) => assert!(whole == pieces, "chunks change what is found"),
        (Err(whole), Err(pieces)) => assert_eq!(
            std::mem::discriminant(whole),
            std::mem::discriminant(pieces),
            "chunks change the refusal: {whole}; {pieces}"
        ),
        _ => panic!("chunks decide whether it is accepted: {whole:?}; {pieces:?}"),
    }
    let Ok((elements, envelope)) = whole else {
        return;
    };
    if !elements.iter().all(|element| is_json(element)) {
        return;
    }
    let document = document.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(document);
    assert!(is_json(document), "accepted what is not JSON");
    assert!(
        is_json(envelope.as_bytes()),
        "made an envelope that is not JSON"
    );
    if path.is_empty() {
        let listed: Vec<&RawValue> = match serde_json::from_slice(document) {
            Ok(listed) => listed,
            Err(error) => panic!("accepted what is no array: {error}"),
        };
        let same = listed.iter().map(|value| value.get().as_bytes());
        assert!(
            same.eq(elements.iter().map(|element| &element[..])),
            "other elements"
        );
    }
}

type Split = (Vec<Bytes>, String);

fn split(path: &'static [&'static str], document: &[u8], size: usize) -> Result<Split, SplitError> {
    let mut splitter = Splitter::new(path);
    let mut elements = Vec::new();
    for chunk in document.chunks(size) {
        splitter.feed(&Bytes::copy_from_slice(chunk), &mut elements)?;
    }
    splitter.finish()?;
    Ok((elements, splitter.envelope().to_owned()))
}

fn is_json(text: &[u8]) -> bool {
    serde_json::from_slice::<IgnoredAny>(text).is_ok()
}
