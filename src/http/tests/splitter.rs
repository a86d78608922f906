use bytes::Bytes;
use proptest::prelude::*;
use serde_json::Value;

use crate::http::{SplitError, Splitter};

/// Elements and envelope of a document that comes in these pieces.
fn split(
    path: &'static [&'static str],
    pieces: impl IntoIterator<Item = Bytes>,
) -> Result<(Vec<Bytes>, String), SplitError> {
    let mut splitter = Splitter::new(path);
    let mut elements = Vec::new();
    for piece in pieces {
        splitter.feed(&piece, &mut elements)?;
    }
    splitter.finish()?;
    Ok((elements, splitter.envelope().to_owned()))
}

fn whole(path: &'static [&'static str], text: &[u8]) -> Result<(Vec<Bytes>, String), SplitError> {
    let in_one = split(path, [Bytes::copy_from_slice(text)]);
    let by_byte = split(
        path,
        text.iter().map(|byte| Bytes::copy_from_slice(&[*byte])),
    );
    match (&in_one, &by_byte) {
        (Ok(one), Ok(other)) => assert_eq!(one, other),
        (Err(one), Err(other)) => assert_eq!(
            std::mem::discriminant(one),
            std::mem::discriminant(other),
            "{one} {other}"
        ),
        _ => panic!("{in_one:?} {by_byte:?}"),
    }
    in_one
}

const RESULT: &[&str] = &["data", "result"];

#[test]
fn an_element_within_one_chunk_is_not_copied() {
    let chunk = Bytes::from_static(b"[{\"a\":1}]");
    let (elements, _) = split(&[], [chunk.clone()]).unwrap();
    assert_eq!(elements[0].as_ptr(), chunk[1..].as_ptr());
}

#[test]
fn only_the_array_at_the_path_is_taken() {
    let text = br#" {"result":[{}],"x":{"data":{"result":[1]}},"d\u0061ta" : {"a":["result",{"result":[7]}],"result" : [ {"y":"\\\"]"} , [1,[2]] ] ,"z":[1]},"w":"data"} "#;
    let (elements, envelope) = whole(RESULT, text).unwrap();
    assert_eq!(elements, [&br#"{"y":"\\\"]"}"#[..], b"[1,[2]]"]);
    let envelope: Value = serde_json::from_str(&envelope).unwrap();
    assert_eq!(envelope["data"]["result"], serde_json::json!([]));
    assert_eq!(envelope["data"]["z"], serde_json::json!([1]));
}

#[test]
fn a_byte_order_mark_is_passed_over_only_if_it_is_whole() {
    let (elements, envelope) = whole(&[], b"\xEF\xBB\xBF[{}]").unwrap();
    assert_eq!((elements.len(), envelope.as_str()), (1, "[]"));
    assert!(whole(&[], b"\xEF\xBB[{}]").is_err());
    assert!(whole(&[], b"\xBB\xBF[{}]").is_err());
}

#[test]
fn what_is_wrong_is_told_apart() {
    let of = |path, text: &[u8]| whole(path, text).unwrap_err();
    for cut in [
        "",
        " ",
        "[",
        "[{}",
        "[{},",
        "[{\"a",
        "[{\"a\\",
        "[nul",
        "[null",
        "[\"a",
        "[\"a\\",
        "{\"data\"",
        "{\"data\":{\"result\":[]}",
    ] {
        let path = if cut.starts_with('{') { RESULT } else { &[] };
        assert!(
            matches!(of(path, cut.as_bytes()), SplitError::Truncated(_)),
            "{cut}"
        );
    }
    for trailing in ["[]x", "[{}]]", "[] []"] {
        assert!(
            matches!(of(&[], trailing.as_bytes()), SplitError::Trailing(_)),
            "{trailing}"
        );
    }
    for malformed in [
        "[,{}]", "[{},]", "[{}{}]", "[}", "]", "[{}}", "[1 2]", "[\"a\"b]", "[null,]", "[x]",
    ] {
        assert!(
            matches!(of(&[], malformed.as_bytes()), SplitError::Malformed(_)),
            "{malformed}"
        );
    }
    for no_array in [
        "{}",
        "1",
        "\"x\"",
        r#"{"data":[]}"#,
        r#"{"data":{"result":{"result":[]}}}"#,
        r#"{"data":{"result":"[]"}}"#,
    ] {
        assert!(
            matches!(of(RESULT, no_array.as_bytes()), SplitError::NoArray(_)),
            "{no_array}"
        );
    }
    for around in [
        r#"{"data":{"result":[{}] 1}}"#,
        r#"{"data":{"result":[{}]},"x":}"#,
        r#"{"data":{"result":[{}]},}"#,
        r#"{"data":{"result":[]]]"#,
        r#"{"data" {"result":[]}}"#,
        r#"{"data":1 {"result":[]}}"#,
        r#"{"data":{"result":[],"result":[]}}"#,
    ] {
        assert!(whole(RESULT, around.as_bytes()).is_err(), "{around}");
    }
    assert!(matches!(
        of(&[], b"[{\"a\":\"\xff\"}]"),
        SplitError::Malformed(_)
    ));
    assert!(matches!(
        of(RESULT, b"{\"a\":\"\xff\"}"),
        SplitError::Malformed(_)
    ));
}

#[test]
fn scalars_are_elements_as_others_are() {
    let text = br#"{"data":{"result":[null,{"a":1}, "x,]\"" ,-1.5e3,true]}}"#;
    let (elements, envelope) = whole(RESULT, text).unwrap();
    assert_eq!(
        elements,
        [
            &b"null"[..],
            br#"{"a":1}"#,
            br#""x,]\"""#,
            b"-1.5e3",
            b"true"
        ]
    );
    assert_eq!(envelope, r#"{"data":{"result":[]}}"#);
}

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        r#"([a-z"\\\[\]{},: \né😀]|data|result){0,6}"#.prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(r#"(data|result|[a"\\]{0,3})"#, inner, 0..5)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn pieces(text: &[u8], borders: &[prop::sample::Index]) -> Vec<Bytes> {
    let mut borders: Vec<_> = borders.iter().map(|at| at.index(text.len() + 1)).collect();
    borders.extend([0, text.len()]);
    borders.sort_unstable();
    let pairs = borders.windows(2);
    pairs
        .map(|pair| Bytes::copy_from_slice(&text[pair[0]..pair[1]]))
        .collect()
}

fn written(value: &Value, pretty: bool) -> Vec<u8> {
    if pretty {
        serde_json::to_vec_pretty(value).unwrap()
    } else {
        serde_json::to_vec(value).unwrap()
    }
}

#[test]
fn a_body_of_nothing_but_white_space_ends_soon() {
    let blank = " ".repeat(70 << 10);
    for document in [
        format!("[{blank}]"),
        format!("{blank}[]"),
        format!("[]{blank}"),
    ] {
        let refused = split(&[], vec![Bytes::from(document)]);
        assert!(
            matches!(refused, Err(SplitError::TooBlank(_))),
            "{refused:?}"
        );
    }
}

proptest! {
    #[test]
    fn it_finds_what_serde_json_finds_wherever_the_chunks_end(
        elements in prop::collection::vec(json(), 0..6),
        around in json(),
        pretty: bool,
        borders in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
    ) {
        let list = Value::from(elements.clone());
        let document = serde_json::json!({"a": around, "data": {"b": around, "result": list, "z": around}, "y": around});
        for (path, document) in [(&[][..], &list), (RESULT, &document)] {
            let text = written(document, pretty);
            let (found, envelope) = split(path, pieces(&text, &borders)).unwrap();
            let found: Vec<Value> = found.iter().map(|text| serde_json::from_slice(text).unwrap()).collect();
            prop_assert_eq!(&found, &elements);
            let mut expected = document.clone();
            match path {
                [] => expected = serde_json::json!([]),
                _ => expected["data"]["result"] = serde_json::json!([]),
            }
            prop_assert_eq!(serde_json::from_str::<Value>(&envelope).unwrap(), expected);
        }
    }

    #[test]
    fn what_it_accepts_is_json_and_holds_these_elements(
        elements in json(),
        at: prop::sample::Index,
        by in prop_oneof![Just(b'"'), Just(b'['), Just(b']'), Just(b'{'), Just(b'}'), Just(b','), Just(b':'), Just(b'\\'), Just(b'1'), any::<u8>()],
        insert: bool,
        borders in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
    ) {
        let document = serde_json::json!({"data": {"result": [elements, {"data": elements}]}});
        let mut text = written(&document, false);
        let at = at.index(text.len());
        if insert { text.insert(at, by) } else { text[at] = by }
        if let Ok((found, _)) = split(RESULT, pieces(&text, &borders)) {
            let found: Result<Vec<Value>, _> = found.iter().map(|text| serde_json::from_slice(text)).collect();
            if let Ok(found) = found {
                let document: Value = serde_json::from_slice(&text).unwrap();
                prop_assert_eq!(Value::from(found), document["data"]["result"].clone());
            }
        }
    }
}
