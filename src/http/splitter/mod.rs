mod outline;

use bytes::{Bytes, BytesMut};

pub(super) use outline::BYTE_ORDER_MARK;
use outline::Outline;

/// Largest element, in bytes.
pub const MAX_ELEMENT: usize = 8 << 20;

/// Largest document around the array, in bytes.
pub const MAX_ENVELOPE: usize = 1 << 20;

/// Longest run of white space outside elements, in bytes. No tool indents that far; a body that unpacks to gigabytes of it
/// is an attack.
const MAX_BLANK: usize = 64 << 10;

/// Cuts one big JSON array into its elements while it arrives, without parsing them: only strings and brackets are looked
/// at. No I/O.
///
/// What it promises: if [`Self::finish`] succeeds and every element is valid JSON (its reader finds that out), then the
/// whole document was valid JSON and the elements are the array's, in order. Every other document ends in a [`SplitError`].
#[derive(Debug)]
pub struct Splitter {
    state: State,
    outline: Outline,
    /// The element that began in an earlier chunk.
    carry: BytesMut,
    /// How many bytes came before this chunk.
    offset: u64,
    /// How many bytes of white space the present run has, outside elements.
    blank: usize,
}

/// Why a document cannot be split.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SplitError {
    /// The input ended before the document did.
    #[error("the body ends in the middle of the JSON document, after {0} bytes")]
    Truncated(u64),
    /// The input goes on after the document.
    #[error("the body goes on after the end of the JSON document, at byte {0}")]
    Trailing(u64),
    /// Not JSON.
    #[error("the body is not JSON: {0}")]
    Malformed(String),
    /// An element is larger than [`MAX_ELEMENT`].
    #[error("an element of the array is larger than {max} MiB, at byte {place}", max = MAX_ELEMENT >> 20)]
    ElementTooLarge {
        /// Where it was noticed.
        place: u64,
    },
    /// A run of white space is longer than `MAX_BLANK`.
    #[error("more than {max} KiB of white space in a row, at byte {0}", max = MAX_BLANK >> 10)]
    TooBlank(u64),
    /// The rest is larger than [`MAX_ENVELOPE`].
    #[error("the document around the array is larger than {} MiB", MAX_ENVELOPE >> 20)]
    EnvelopeTooLarge,
    /// Valid JSON, but no array at the path.
    #[error("{0}")]
    NoArray(String),
}

/// Where in the document the next byte is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Outside the array.
    Outline,
    /// In the array, before its first element or its end.
    First,
    /// In the array, after a comma.
    Element,
    /// In the array, after an element.
    Comma,
    /// In an element, this many brackets deep.
    Inside { depth: usize, text: Text },
    /// In an element that is a text, a number, true, false or null; nothing before its first byte.
    Scalar(Option<Text>),
}

/// Whether the next byte is in a string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Text {
    Outside,
    String,
    /// After a backslash.
    Escape,
}

impl Splitter {
    /// For the array at these keys; none means that the document itself is the array.
    #[must_use]
    pub fn new(path: &'static [&'static str]) -> Self {
        Self {
            state: State::Outline,
            carry: BytesMut::new(),
            outline: Outline::new(path),
            offset: 0,
            blank: 0,
        }
    }

    /// Takes the next bytes, and puts the elements that they complete at the end of `elements`. An element within one chunk
    /// is a slice of it, not a copy.
    ///
    /// # Errors
    /// The document cannot be split; do not go on.
    pub fn feed(&mut self, chunk: &Bytes, elements: &mut Vec<Bytes>) -> Result<(), SplitError> {
        let bytes = chunk.as_ref();
        let mut at = 0;
        // Where the open element begins in this chunk.
        let mut start = 0;
        while at < bytes.len() {
            match self.state {
                State::Inside { depth, text } => match scan(bytes, at, depth, text) {
                    Scan::Ended(end) => {
                        elements.push(self.take_element(chunk, start, end)?);
                        self.state = State::Comma;
                        at = end;
                    }
                    Scan::Open(depth, text) => {
                        self.keep(&bytes[start..], start)?;
                        self.state = State::Inside { depth, text };
                        at = bytes.len();
                    }
                },
                State::Scalar(text) => match scalar_end(bytes, at, text) {
                    Ok(end) => {
                        elements.push(self.take_element(chunk, start, end)?);
                        self.state = State::Comma;
                        at = end;
                    }
                    Err(text) => {
                        self.keep(&bytes[start..], start)?;
                        self.state = State::Scalar(Some(text));
                        at = bytes.len();
                    }
                },
                State::Outline => {
                    self.count_blank(bytes[at], at)?;
                    if self.outline.takes(bytes[at], self.offset + at as u64)? {
                        self.state = State::First;
                    }
                    at += 1;
                }
                State::First | State::Element | State::Comma => {
                    self.count_blank(bytes[at], at)?;
                    start = at;
                    at += usize::from(self.between(bytes[at], at)?);
                }
            }
        }
        self.offset += bytes.len() as u64;
        Ok(())
    }

    /// The input has ended.
    ///
    /// # Errors
    /// The document has not, or it is not what was expected. After [`SplitError::NoArray`] the envelope can be read.
    pub fn finish(&mut self) -> Result<(), SplitError> {
        if self.state != State::Outline {
            return Err(SplitError::Truncated(self.offset));
        }
        self.outline.finish(self.offset)
    }

    /// The document with the array emptied, once [`Self::finish`] was called; empty before.
    #[must_use]
    pub fn envelope(&self) -> &str {
        self.outline.envelope()
    }

    /// A byte of the array that is in no element; false if it begins something that has still to take it.
    fn between(&mut self, byte: u8, at: usize) -> Result<bool, SplitError> {
        let place = self.offset + at as u64;
        let taken = match (byte, self.state) {
            (b' ' | b'\n' | b'\r' | b'\t', _) => true,
            (b'{' | b'[', State::First | State::Element) => {
                self.state = State::Inside {
                    depth: 0,
                    text: Text::Outside,
                };
                false
            }
            (b',', State::Comma) => {
                self.state = State::Element;
                true
            }
            (b']', State::First | State::Comma) => {
                self.outline.array_ended();
                self.state = State::Outline;
                true
            }
            (b'"' | b'-' | b'0'..=b'9' | b't' | b'f' | b'n', State::First | State::Element) => {
                self.state = State::Scalar(None);
                false
            }
            _ => {
                return Err(SplitError::Malformed(format!(
                    "unexpected {:?} in the array, at byte {place}",
                    char::from(byte)
                )));
            }
        };
        Ok(taken)
    }

    fn count_blank(&mut self, byte: u8, at: usize) -> Result<(), SplitError> {
        self.blank = if byte.is_ascii_whitespace() {
            self.blank + 1
        } else {
            0
        };
        if self.blank > MAX_BLANK {
            return Err(SplitError::TooBlank(self.offset + at as u64));
        }
        Ok(())
    }

    /// The element that ends before `end`.
    fn take_element(
        &mut self,
        chunk: &Bytes,
        start: usize,
        end: usize,
    ) -> Result<Bytes, SplitError> {
        let place = self.offset + end as u64;
        let element = if self.carry.is_empty() {
            chunk.slice(start..end)
        } else {
            self.carry.extend_from_slice(&chunk[..end]);
            self.carry.split().freeze()
        };
        if element.len() > MAX_ELEMENT {
            return Err(SplitError::ElementTooLarge { place });
        }
        if std::str::from_utf8(&element).is_err() {
            return Err(SplitError::Malformed(format!(
                "the element that ends at byte {place} is not UTF-8"
            )));
        }
        Ok(element)
    }

    /// Keeps the beginning of an element for the next chunk.
    fn keep(&mut self, part: &[u8], start: usize) -> Result<(), SplitError> {
        if self.carry.len() + part.len() > MAX_ELEMENT {
            return Err(SplitError::ElementTooLarge {
                place: self.offset + start as u64,
            });
        }
        self.carry.extend_from_slice(part);
        Ok(())
    }
}

enum Scan {
    /// The element ends before this index.
    Ended(usize),
    /// It does not end in these bytes.
    Open(usize, Text),
}

/// Looks for the end of an element from `at` on. The hot loop: every byte of every finding goes through it.
fn scan(bytes: &[u8], mut at: usize, mut depth: usize, text: Text) -> Scan {
    match text {
        Text::Outside => {}
        Text::String => match string_end(bytes, at) {
            Ok(end) => at = end,
            Err(text) => return Scan::Open(depth, text),
        },
        Text::Escape => match string_end(bytes, at + 1) {
            Ok(end) => at = end,
            Err(text) => return Scan::Open(depth, text),
        },
    }
    while let Some(&byte) = bytes.get(at) {
        at += 1;
        match byte {
            b'"' => match string_end(bytes, at) {
                Ok(end) => at = end,
                Err(text) => return Scan::Open(depth, text),
            },
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth -= 1;
                if depth == 0 {
                    return Scan::Ended(at);
                }
            }
            _ => {}
        }
    }
    Scan::Open(depth, Text::Outside)
}

/// The index after a scalar, or how the bytes end. Whether a word or a number is one is found out by the element's reader.
fn scalar_end(bytes: &[u8], at: usize, text: Option<Text>) -> Result<usize, Text> {
    match text {
        None if bytes[at] == b'"' => string_end(bytes, at + 1),
        Some(Text::String) => string_end(bytes, at),
        Some(Text::Escape) => string_end(bytes, at + 1),
        None | Some(Text::Outside) => bytes[at..]
            .iter()
            .position(|byte| matches!(byte, b' ' | b'\n' | b'\r' | b'\t' | b',' | b']'))
            .map(|length| at + length)
            .ok_or(Text::Outside),
    }
}

/// The index after the quote that ends a string, or how the bytes end.
fn string_end(bytes: &[u8], mut at: usize) -> Result<usize, Text> {
    loop {
        let rest = bytes.get(at..).unwrap_or_default();
        match memchr::memchr2(b'"', b'\\', rest) {
            None => return Err(Text::String),
            Some(index) if rest[index] == b'"' => return Ok(at + index + 1),
            Some(index) if index + 1 == rest.len() => return Err(Text::Escape),
            Some(index) => at += index + 2,
        }
    }
}
