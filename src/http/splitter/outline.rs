use serde::de::IgnoredAny;

use super::{MAX_ENVELOPE, SplitError, Text};

pub(in crate::http) const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// The document around the array, and the way to the array. It is lenient: what it lets pass is refused when the document is
/// parsed at the end.
#[derive(Debug)]
pub(super) struct Outline {
    path: &'static [&'static str],
    /// The document without the array's elements.
    envelope: Vec<u8>,
    /// The same as text, once it has ended.
    finished: String,
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
    /// Whether there is an array at the path.
    found: bool,
    closed: bool,
}

impl Outline {
    pub(super) fn new(path: &'static [&'static str]) -> Self {
        Self {
            path,
            envelope: Vec::new(),
            finished: String::new(),
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
        }
    }

    /// Takes a byte outside the array, the `place`th of the document. True if it opens the array.
    pub(super) fn takes(&mut self, byte: u8, place: u64) -> Result<bool, SplitError> {
        if self.envelope.len() >= MAX_ENVELOPE {
            return Err(SplitError::EnvelopeTooLarge);
        }
        if self.closed {
            return match byte {
                b' ' | b'\n' | b'\r' | b'\t' => Ok(false),
                _ => Err(SplitError::Trailing(place)),
            };
        }
        if self.is_byte_order_mark(byte, place)? {
            return Ok(false);
        }
        self.envelope.push(byte);
        match (self.text, byte) {
            (Text::Escape, _) => self.text = Text::String,
            (Text::String, b'\\') => self.text = Text::Escape,
            (Text::String, b'"') => {
                self.text = Text::Outside;
                self.string_ended();
            }
            (Text::String, _) => {}
            (Text::Outside, b'"') => {
                self.started = true;
                self.text = Text::String;
                self.string_start = self.envelope.len() - 1;
            }
            (Text::Outside, b':') if self.at_path() => self.expects_key = false,
            (Text::Outside, b',') if self.at_path() => {
                self.expects_key = true;
                self.key_leads = false;
            }
            (Text::Outside, b'[') => return self.list_opens(place),
            (Text::Outside, b'{') => {
                let leads_on = self.on_path < self.path.len() && self.at_step();
                self.open(leads_on);
            }
            (Text::Outside, b'}' | b']') if self.depth == 0 => {
                return Err(SplitError::Malformed(format!(
                    "unexpected {:?}, at byte {place}",
                    char::from(byte)
                )));
            }
            (Text::Outside, b'}' | b']') => self.close(),
            (Text::Outside, b' ' | b'\n' | b'\r' | b'\t') => {}
            (Text::Outside, _) => self.started = true,
        }
        Ok(false)
    }

    /// The array's closing bracket has come.
    pub(super) fn array_ended(&mut self) {
        self.envelope.push(b']');
        self.close();
    }

    /// The input has ended after `length` bytes.
    pub(super) fn finish(&mut self, length: u64) -> Result<(), SplitError> {
        if self.depth > 0 || self.text != Text::Outside || !self.started {
            return Err(SplitError::Truncated(length));
        }
        let text = String::from_utf8(std::mem::take(&mut self.envelope))
            .map_err(|error| SplitError::Malformed(error.utf8_error().to_string()))?;
        serde_json::from_str::<IgnoredAny>(&text).map_err(|error| {
            if error.is_eof() {
                SplitError::Truncated(length)
            } else {
                SplitError::Malformed(format!("{error} of the document without the array"))
            }
        })?;
        self.finished = text;
        if self.found {
            return Ok(());
        }
        Err(SplitError::NoArray(match self.path {
            [] => "the answer is not a JSON array".to_owned(),
            path => format!("the answer has no array at {}", path.join(".")),
        }))
    }

    pub(super) fn envelope(&self) -> &str {
        &self.finished
    }

    fn is_byte_order_mark(&mut self, byte: u8, place: u64) -> Result<bool, SplitError> {
        let seen = self.byte_order_mark;
        if place == seen as u64 && BYTE_ORDER_MARK.get(seen) == Some(&byte) {
            self.byte_order_mark += 1;
            return Ok(true);
        }
        if matches!(seen, 1 | 2) {
            return Err(SplitError::Malformed(
                "it begins with half a byte order mark".to_owned(),
            ));
        }
        Ok(false)
    }

    fn list_opens(&mut self, place: u64) -> Result<bool, SplitError> {
        let is_target = self.on_path == self.path.len() && self.at_step();
        if is_target && self.found {
            return Err(SplitError::Malformed(format!(
                "{} occurs twice, at byte {place}",
                self.path.join(".")
            )));
        }
        self.open(false);
        if is_target {
            self.found = true;
        }
        Ok(is_target)
    }

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

    fn string_ended(&mut self) {
        if !self.at_path() || !self.expects_key {
            return;
        }
        // A key may be written with escapes: "d\u0061ta".
        let key = serde_json::from_slice::<String>(&self.envelope[self.string_start..]);
        let leading = self.path.get(self.on_path - 1);
        self.key_leads = key.is_ok_and(|key| Some(&key.as_str()) == leading);
    }
}
