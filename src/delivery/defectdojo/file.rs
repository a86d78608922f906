//! A report in the making: packed in memory, a tenth of its size or less, so that its length and number of findings are
//! known before it is sent.

use std::io::{self, Cursor, Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use serde_json::{Map, Value};
use zstd::stream::{read, write};

use crate::export::generic_findings;

/// Fast, and small enough.
const LEVEL: i32 = 1;

/// Sent at a time.
const PIECE: usize = 64 << 10;

/// A report that grows.
pub(super) struct Draft {
    packer: write::Encoder<'static, Vec<u8>>,
    length: u64,
    findings: u64,
}

/// A report that is whole.
#[derive(Clone)]
pub(super) struct File {
    packed: Bytes,
    /// In bytes, unpacked.
    pub(super) length: u64,
    /// In it.
    pub(super) findings: u64,
}

impl Draft {
    /// One without findings, of this test type.
    pub(super) fn new(test_type: Option<&str>) -> io::Result<Self> {
        let mut draft = Self {
            packer: write::Encoder::new(Vec::new(), LEVEL)?,
            length: 0,
            findings: 0,
        };
        match test_type {
            Some(name) => draft.write(generic_findings::head_of_type(name).as_bytes())?,
            None => draft.write(generic_findings::HEAD.as_bytes())?,
        }
        Ok(draft)
    }

    pub(super) fn add(&mut self, finding: &Map<String, Value>) -> io::Result<()> {
        if self.findings > 0 {
            self.write(b",\n")?;
        }
        self.findings += 1;
        self.write(&serde_json::to_vec(finding)?)
    }

    /// In bytes, so far.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    pub(super) fn finish(mut self) -> io::Result<File> {
        self.write(generic_findings::TAIL.as_bytes())?;
        Ok(File {
            packed: self.packer.finish()?.into(),
            length: self.length,
            findings: self.findings,
        })
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.length += bytes.len() as u64;
        self.packer.write_all(bytes)
    }
}

impl File {
    /// Its bytes, and whether the last of them was asked for: until then no receiver can have begun.
    pub(super) fn content(&self) -> (BoxStream<'static, io::Result<Bytes>>, Arc<AtomicBool>) {
        let sent = Arc::new(AtomicBool::new(false));
        let reader = read::Decoder::new(Cursor::new(self.packed.clone()));
        let state = (reader.map(Some), self.length, Arc::clone(&sent));
        let pieces = stream::unfold(state, |(reader, left, sent)| async move {
            let mut reader = match reader {
                Ok(Some(reader)) => reader,
                Ok(None) => return None,
                Err(error) => return Some((Err(error), (Ok(None), left, sent))),
            };
            let piece = match read_piece(&mut reader) {
                Ok(piece) if piece.is_empty() => return None,
                Ok(piece) => piece,
                Err(error) => return Some((Err(error), (Ok(None), left, sent))),
            };
            let left = left.saturating_sub(piece.len() as u64);
            if left == 0 {
                sent.store(true, Ordering::Relaxed);
            }
            Some((Ok(piece), (Ok(Some(reader)), left, sent)))
        });
        (pieces.boxed(), sent)
    }
}

fn read_piece(reader: &mut impl Read) -> io::Result<Bytes> {
    let mut piece = Vec::with_capacity(PIECE);
    reader.take(PIECE as u64).read_to_end(&mut piece)?;
    Ok(piece.into())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;

    fn file(test_type: Option<&str>, many: usize) -> File {
        let mut draft = Draft::new(test_type).unwrap();
        for number in 0..many {
            let finding = json!({"title": format!("Weakness {number}")});
            draft.add(finding.as_object().unwrap()).unwrap();
        }
        draft.finish().unwrap()
    }

    async fn unpacked(file: &File) -> Vec<u8> {
        let (content, sent) = file.content();
        let pieces: Vec<_> = content.collect().await;
        assert!(sent.load(Ordering::Relaxed));
        pieces.into_iter().flat_map(Result::unwrap).collect()
    }

    #[tokio::test]
    async fn length_and_count_are_those_of_what_is_sent() {
        for (many, test_type) in [(0, None), (1, Some("My \"type\"")), (10_000, None)] {
            let file = file(test_type, many);
            let bytes = unpacked(&file).await;
            assert_eq!(bytes.len() as u64, file.length);
            let report: Value = serde_json::from_slice(&bytes).unwrap();
            let findings = report["findings"].as_array().unwrap();
            assert_eq!((findings.len(), file.findings), (many, many as u64));
            assert_eq!(report.get("type").and_then(Value::as_str), test_type);
        }
    }

    #[tokio::test]
    async fn until_the_last_piece_is_asked_for_nothing_can_have_begun() {
        let file = file(None, 10_000);
        let (mut content, sent) = file.content();
        content.next().await.unwrap().unwrap();
        assert!(!sent.load(Ordering::Relaxed));
        assert!(file.packed.len() as u64 * 10 < file.length, "held packed");
    }
}
