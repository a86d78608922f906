//! Who issued a certificate, and to whom: as much of X.509 (RFC 5280, section 4.1) as a message needs.

/// How much of a name is shown, in characters.
const LONGEST: usize = 80;

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const OBJECT_IDENTIFIER: u8 = 0x06;
/// The version, which the oldest certificates leave out.
const VERSION: u8 = 0xa0;

/// What to show of a name, the best first: 2.5.4.3 (common name), 2.5.4.11 (unit), 2.5.4.10 (organisation).
const TELLING: [[u8; 3]; 3] = [[0x55, 4, 3], [0x55, 4, 11], [0x55, 4, 10]];

/// The two names of a certificate, in DER.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Names<'a> {
    pub(super) issuer: &'a [u8],
    pub(super) subject: &'a [u8],
}

impl<'a> Names<'a> {
    /// None of what is no certificate.
    pub(super) fn of(certificate: &'a [u8]) -> Option<Self> {
        let mut whole = Elements(certificate).of(SEQUENCE)?;
        let mut fields = Elements(whole.of_bytes(SEQUENCE)?);
        let (tag, _) = fields.clone().next()?;
        // Version, serial number, algorithm.
        fields.nth(if tag == VERSION { 2 } else { 1 })?;
        let issuer = fields.of_bytes(SEQUENCE)?;
        let _validity = fields.next()?;
        let subject = fields.of_bytes(SEQUENCE)?;
        Some(Self { issuer, subject })
    }
}

/// The telling part of a name, fit to be shown.
pub(super) fn shown(name: &[u8]) -> String {
    let mut found: [Option<String>; TELLING.len()] = Default::default();
    for (_, set) in Elements(name).filter(|(tag, _)| *tag == SET) {
        for (_, pair) in Elements(set).filter(|(tag, _)| *tag == SEQUENCE) {
            let mut pair = Elements(pair);
            let Some(kind) = pair.of_bytes(OBJECT_IDENTIFIER) else {
                continue;
            };
            if let Some(rank) = TELLING.iter().position(|telling| telling == kind) {
                found[rank] = pair.next().map(|(tag, bytes)| text(tag, bytes));
            }
        }
    }
    let name = found.into_iter().flatten().find(|name| !name.is_empty());
    name.unwrap_or_else(|| "without a name".to_owned())
}

/// A string of any of ASN.1's kinds.
fn text(tag: u8, bytes: &[u8]) -> String {
    const BMP: u8 = 0x1e;
    let text = if tag == BMP {
        let units: Vec<_> = bytes
            .chunks_exact(2)
            .map(|pair| u16::from_be_bytes([pair[0], pair[1]]))
            .collect();
        String::from_utf16_lossy(&units)
    } else {
        String::from_utf8_lossy(bytes).into_owned()
    };
    // Whoever answers has written it.
    let plain = text.chars().filter(|c| !c.is_control());
    plain.take(LONGEST).collect::<String>().trim().to_owned()
}

/// The elements of DER that stand side by side: tag and content. Ends at what is none.
#[derive(Clone)]
struct Elements<'a>(&'a [u8]);

impl<'a> Elements<'a> {
    /// The content of the next one, if it is of this kind.
    fn of_bytes(&mut self, tag: u8) -> Option<&'a [u8]> {
        let (found, content) = self.next()?;
        (found == tag).then_some(content)
    }

    fn of(&mut self, tag: u8) -> Option<Self> {
        self.of_bytes(tag).map(Self)
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = (u8, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (&tag, rest) = self.0.split_first()?;
        let (&first, mut rest) = rest.split_first()?;
        let mut length = usize::from(first);
        // Of more than 127 bytes: how many bytes the length has.
        if first & 0x80 != 0 {
            let bytes = usize::from(first & 0x7f);
            if bytes > 4 || bytes > rest.len() {
                return None;
            }
            let (head, tail) = rest.split_at(bytes);
            length = head
                .iter()
                .fold(0, |length, &byte| length << 8 | usize::from(byte));
            rest = tail;
        }
        if length > rest.len() {
            return None;
        }
        let (content, rest) = rest.split_at(length);
        self.0 = rest;
        Some((tag, content))
    }
}
