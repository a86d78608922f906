use bytes::{Bytes, BytesMut};
use serde::de::IgnoredAny;

/// Largest element, in bytes.
pub const MAX_ELEMENT: usize = 8 << 20;

/// Largest document around the array, in bytes.
pub const MAX_ENVELOPE: usize = 1 << 20;

pub(super) const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// Cuts one big JSON array into its elements while it arrives, without parsing them: only strings and brackets are looked
/// at. No I/O.
///
/// What it promises: if [`Self::finish`] succeeds and every element is valid JSON (its reader finds that out), then the
/// whole document was valid JSON and the elements are the array's, in order. Every other document ends in a [`SplitError`].
#[derive(Debug)]
pub struct Splitter {
    path: &'static [&'static str],
    state: State,
    /// The element that began in an earlier chunk.
    carry: BytesMut,
    /// The document without the array's elements.
    envelope: Vec<u8>,
    outline: Outline,
    /// The envelope as text, once the document has ended.
    text: String,
    offset: u64,
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
    /// An element is a number, a text, true, false or null.
    #[error("an element of the array is neither an object nor an array, at byte {0}")]
    Scalar(u64),
    /// Not JSON.
    #[error("the body is not JSON: {0}")]
    Malformed(String),
    /// An element is larger than [`MAX_ELEMENT`].
    #[error("an element of the array is larger than {max} MiB, at byte {place}", max = MAX_ELEMENT >> 20)]
    ElementTooLarge {
        /// Where it was noticed.
        place: u64,
    },
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
}

/// Whether the next byte is in a string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Text {
    Outside,
    String,
    /// After a backslash.
    Escape,
}

/// What is known of the document around the array. It is lenient: what it lets pass is refused when the envelope is parsed
/// at the end.
#[derive(Debug)]
struct Outline {
    /// How many bytes of a byte order mark were seen; some servers on Windows send one.
    byte_order_mark: usize,
    started: bool,
    text: Text,
    /// Where in the envelope the string began.
    string_start: usize,
    depth: usize,
    /// How many of the objects that lead to the array are open.
    on_path: usize,
    /// In an object that leads to the array: whether a key comes next.
    expects_key: bool,
    /// Whether the last key there is the one that leads on.
    key_leads: bool,
    found: bool,
    closed: bool,
}

impl Splitter {
    /// For the array at these keys; none means that the document itself is the array.
    #[must_use]
    pub fn new(path: &'static [&'static str]) -> Self {
        Self {
            path,
            state: State::Outline,
            carry: BytesMut::new(),
            envelope: Vec::new(),
            outline: Outline {
                byte_order_mark: 0,
                started: false,
                text: Text::Outside,
                string_start: 0,
                depth: 0,
                on_path: 0,
                expects_key: false,
                key_leads: false,
                found: false,
                closed: false,
            },
            text: String::new(),
            offset: 0,
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
                State::Outline => {
                    self.outline_byte(bytes[at], at)?;
                    at += 1;
                }
                State::First | State::Element | State::Comma => {
                    self.between(bytes[at], at)?;
                    if matches!(self.state, State::Inside { .. }) {
                        start = at;
                    } else {
                        at += 1;
                    }
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
        let open = self.outline.depth > 0 || self.outline.text != Text::Outside;
        if self.state != State::Outline || open || !self.outline.started {
            return Err(SplitError::Truncated(self.offset));
        }
        let text = String::from_utf8(std::mem::take(&mut self.envelope))
            .map_err(|error| SplitError::Malformed(error.utf8_error().to_string()))?;
        serde_json::from_str::<IgnoredAny>(&text).map_err(|error| {
            if error.is_eof() {
                SplitError::Truncated(self.offset)
            } else {
                SplitError::Malformed(format!("{error} of the document without the array"))
            }
        })?;
        self.text = text;
        if self.outline.found {
            return Ok(());
        }
        Err(SplitError::NoArray(if self.path.is_empty() {
            "the answer is not a JSON array".to_owned()
        } else {
            format!("the answer has no array at {}", self.path.join("."))
        }))
    }

    /// The document with the array emptied, once [`Self::finish`] was called; empty before.
    #[must_use]
    pub fn envelope(&self) -> &str {
        &self.text
    }

    /// A byte of the array that is in no element.
    fn between(&mut self, byte: u8, at: usize) -> Result<(), SplitError> {
        let place = self.offset + at as u64;
        self.state = match (byte, self.state) {
            (b' ' | b'\n' | b'\r' | b'\t', state) => state,
            (b'{' | b'[', State::First | State::Element) => State::Inside {
                // Its first bracket has not been looked at.
                depth: 0,
                text: Text::Outside,
            },
            (b',', State::Comma) => State::Element,
            (b']', State::First | State::Comma) => {
                self.envelope.push(b']');
                self.outline.close();
                State::Outline
            }
            (b'"' | b'-' | b'0'..=b'9' | b't' | b'f' | b'n', State::First | State::Element) => {
                return Err(SplitError::Scalar(place));
            }
            _ => {
                return Err(SplitError::Malformed(format!(
                    "unexpected {:?} in the array, at byte {place}",
                    char::from(byte)
                )));
            }
        };
        Ok(())
    }

    /// A byte outside the array.
    fn outline_byte(&mut self, byte: u8, at: usize) -> Result<(), SplitError> {
        let place = self.offset + at as u64;
        if self.envelope.len() >= MAX_ENVELOPE {
            return Err(SplitError::EnvelopeTooLarge);
        }
        let outline = &mut self.outline;
        if outline.closed {
            return match byte {
                b' ' | b'\n' | b'\r' | b'\t' => Ok(()),
                _ => Err(SplitError::Trailing(place)),
            };
        }
        if place == outline.byte_order_mark as u64
            && BYTE_ORDER_MARK.get(outline.byte_order_mark) == Some(&byte)
        {
            outline.byte_order_mark += 1;
            return Ok(());
        }
        if matches!(outline.byte_order_mark, 1 | 2) {
            return Err(SplitError::Malformed(
                "it begins with half a byte order mark".to_owned(),
            ));
        }
        self.envelope.push(byte);
        match (outline.text, byte) {
            (Text::Escape, _) => outline.text = Text::String,
            (Text::String, b'\\') => outline.text = Text::Escape,
            (Text::String, b'"') => {
                outline.text = Text::Outside;
                outline.string_ended(self.path, &self.envelope);
            }
            (Text::String, _) => {}
            (Text::Outside, b'"') => {
                outline.started = true;
                outline.text = Text::String;
                outline.string_start = self.envelope.len() - 1;
            }
            (Text::Outside, b':') if outline.at_path() => outline.expects_key = false,
            (Text::Outside, b',') if outline.at_path() => {
                outline.expects_key = true;
                outline.key_leads = false;
            }
            (Text::Outside, b'[') => {
                let is_target = outline.at_target(self.path);
                if is_target && outline.found {
                    return Err(SplitError::Malformed(format!(
                        "{} occurs twice, at byte {place}",
                        self.path.join(".")
                    )));
                }
                outline.open(false);
                if is_target {
                    outline.found = true;
                    self.state = State::First;
                }
            }
            (Text::Outside, b'{') => outline.open(outline.leads_on(self.path)),
            (Text::Outside, b'}' | b']') => {
                if outline.depth == 0 {
                    return Err(SplitError::Malformed(format!(
                        "unexpected {:?}, at byte {place}",
                        char::from(byte)
                    )));
                }
                outline.close();
            }
            (Text::Outside, b' ' | b'\n' | b'\r' | b'\t') => {}
            (Text::Outside, _) => outline.started = true,
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

impl Outline {
    /// Directly in an object that leads to the array.
    fn at_path(&self) -> bool {
        self.depth > 0 && self.depth == self.on_path
    }

    /// Where the value that comes next is one that the path goes through or ends at.
    fn at_step(&self) -> bool {
        if self.depth == 0 {
            !self.started
        } else {
            self.at_path() && !self.expects_key && self.key_leads
        }
    }

    fn at_target(&self, path: &[&str]) -> bool {
        self.on_path == path.len() && self.at_step()
    }

    fn leads_on(&self, path: &[&str]) -> bool {
        self.on_path < path.len() && self.at_step()
    }

    fn open(&mut self, leads_on: bool) {
        self.started = true;
        self.depth += 1;
        if leads_on {
            self.on_path = self.depth;
            self.expects_key = true;
            self.key_leads = false;
        }
    }

    fn close(&mut self) {
        if self.at_path() {
            self.on_path -= 1;
        }
        self.depth -= 1;
        self.closed = self.depth == 0;
        if self.at_path() {
            // A value has ended; until the next comma there is no place for another.
            self.expects_key = false;
            self.key_leads = false;
        }
    }

    fn string_ended(&mut self, path: &[&str], envelope: &[u8]) {
        if !self.at_path() || !self.expects_key {
            return;
        }
        // A key may be written with escapes: "d\u0061ta".
        let key = serde_json::from_slice::<String>(&envelope[self.string_start..]);
        self.key_leads = key.is_ok_and(|key| Some(&key.as_str()) == path.get(self.on_path - 1));
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
