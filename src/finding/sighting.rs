//! A sighting as a connector hands it over.

use chrono::{DateTime, Utc};
use rapidhash::v3::rapidhash_v3;

use super::{Content, Severity, Status};

/// One vendor finding, seen by one API configuration.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Sighting {
    /// The vendor's stable id; its form is in the connector's documentation.
    pub source_id: String,
    /// What the vendor's id is unique in, where that is less than the record (a product among several): ids of two spaces are
    /// never one sighting.
    pub id_space: Option<String>,
    /// Severity after the connector's table.
    pub severity: Severity,
    /// Status after the connector's table.
    pub status: Status,
    /// The vendor's own word for the severity.
    pub source_severity: Option<String>,
    /// The vendor's own word for the status.
    pub source_status: Option<String>,
    /// When the tool found it.
    pub found_at: Option<DateTime<Utc>>,
    /// When the tool last changed it.
    pub source_updated_at: Option<DateTime<Utc>>,
    /// What it is and where.
    pub content: Content,
    /// What makes the weakness the same one where there is no vulnerability id: the connector's rule (a check's or rule's
    /// id). Without it the title counts.
    pub weakness: Option<String>,
    /// The vendor's JSON, secrets taken out. Volatile values that are no news (a sample's time) must not be in it.
    pub raw: String,
}

/// The first 16 bytes of a hash over a `source_id` and its space; the key of a sighting in its scope.
pub type SourceKey = [u8; 16];

/// Eight bytes over everything that a sighting says; equal digests mean that nothing changed.
pub type Digest = [u8; 8];

/// The key of a `source_id` in the space that it is unique in.
#[must_use]
pub fn source_key(id_space: Option<&str>, source_id: &str) -> SourceKey {
    let mut hasher = blake3::Hasher::new();
    if let Some(space) = id_space {
        hasher.update(space.as_bytes());
        // No id holds this byte, so the two texts cannot be cut apart in another way.
        hasher.update(&[0xff]);
    }
    hasher.update(source_id.as_bytes());
    let mut key = [0; 16];
    key.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    key
}

/// Makes digests of vendors' rows before they are mapped.
#[derive(Debug, Clone, Copy)]
pub struct RowDigest {
    salt: u64,
}

impl RowDigest {
    /// Salted with all that counts besides the row itself: where it is filed, what is put on it, and who maps it.
    #[must_use]
    pub fn salted<'a>(with: impl IntoIterator<Item = Option<&'a str>>) -> Self {
        let mut fields = DigestWriter::new();
        with.into_iter().for_each(|field| fields.text(field));
        Self {
            salt: u64::from_le_bytes(fields.finish()),
        }
    }

    /// The digest of what this row will be mapped to. Never all zeroes.
    #[must_use]
    pub fn of(&self, row: &[u8]) -> Digest {
        let hashes = [self.salt, rapidhash_v3(row), row.len() as u64];
        never_zero(rapidhash_v3(hashes.map(u64::to_le_bytes).as_flattened()))
    }
}

fn never_zero(hash: u64) -> Digest {
    hash.max(1).to_le_bytes()
}

impl Sighting {
    /// The key by which the store knows this sighting in its scope.
    #[must_use]
    pub fn source_key(&self) -> SourceKey {
        source_key(self.id_space.as_deref(), &self.source_id)
    }

    /// A digest over everything that this sighting says, salted with `filing`: whatever is put on it from outside (product,
    /// branch, service). Never all zeroes, which the store uses for "not seen".
    #[must_use]
    pub fn digest(&self, filing: &[u8]) -> Digest {
        let mut hasher = DigestWriter::new();
        hasher.bytes(filing);
        hasher.text(Some(&self.source_id));
        hasher.bytes(&[self.severity as u8, self.status as u8]);
        hasher.text(self.source_severity.as_deref());
        hasher.text(self.source_status.as_deref());
        hasher.time(self.found_at);
        hasher.time(self.source_updated_at);
        hasher.text(self.weakness.as_deref());
        hasher.text(Some(&self.raw));
        hasher.content(&self.content);
        hasher.finish()
    }

    /// Takes in another row that the vendor sent for the same `source_id`: the worse severity, the more urgent status and
    /// the earlier dates win, all else stays as in the first row, whatever the order of the rows.
    pub fn merge(&mut self, other: Self) {
        if other.severity < self.severity {
            self.severity = other.severity;
            self.source_severity = other.source_severity;
        }
        if other.status.urgency() < self.status.urgency() {
            self.status = other.status;
            self.source_status = other.source_status;
        }
        self.found_at = earliest(self.found_at, other.found_at);
        self.source_updated_at = self.source_updated_at.max(other.source_updated_at);
    }
}

fn earliest(a: Option<DateTime<Utc>>, b: Option<DateTime<Utc>>) -> Option<DateTime<Utc>> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

/// Gathers fields so that no two different sightings give the same bytes, each with its length, and hashes them.
///
/// Not with a cryptographic hash: it goes over all that is ever imported, and who can make two texts of one digest can as
/// well give the tool the second one at once. The algorithm is one whose results never change, as they are stored.
struct DigestWriter(Vec<u8>);

impl DigestWriter {
    /// A longer field is there as its own hash: it need not be copied.
    const LONG: usize = 128;

    fn new() -> Self {
        Self(Vec::with_capacity(1024))
    }

    fn bytes(&mut self, bytes: &[u8]) {
        let length = (bytes.len() as u64).to_le_bytes();
        self.0.extend_from_slice(&length);
        if bytes.len() > Self::LONG {
            self.0.extend_from_slice(&rapidhash_v3(bytes).to_le_bytes());
        } else {
            self.0.extend_from_slice(bytes);
        }
    }

    fn field(&mut self, field: Option<&[u8]>) {
        match field {
            Some(bytes) => self.bytes(bytes),
            None => self.0.extend_from_slice(&u64::MAX.to_le_bytes()),
        }
    }

    fn text(&mut self, text: Option<&str>) {
        self.field(text.map(str::as_bytes));
    }

    fn time(&mut self, time: Option<DateTime<Utc>>) {
        let milliseconds = time.map_or(i64::MIN, |time| time.timestamp_millis());
        self.0.extend_from_slice(&milliseconds.to_le_bytes());
    }

    fn finish(self) -> Digest {
        never_zero(rapidhash_v3(&self.0))
    }

    fn content(&mut self, content: &Content) {
        content.visit(|field| self.field(field));
    }
}
