//! What is done to a batch before its transaction, so that the writer need not.

use std::sync::Arc;

use zstd::dict::EncoderDictionary;

use super::import::{Change, Prepared, PreparedRow};
use super::names::other_names;
use super::pack::{self, BodyFault, Packer};

/// Compresses what the changes say.
pub(super) fn prepare(
    changes: &[Change],
    encoder: Option<Arc<EncoderDictionary<'static>>>,
) -> Result<Prepared, BodyFault> {
    let mut packer = Packer::with(encoder)?;
    let mut plain = Vec::new();
    let rows = changes.iter().map(|change| {
        let sighting = &change.sighting;
        pack::put_plain(&mut plain, sighting)?;
        Ok(PreparedRow {
            key: change.key,
            digest: change.digest,
            again: change.again,
            fingerprint: change.fingerprint,
            canonical_id: change.canonical_id.clone(),
            at: change.at,
            kind: sighting.content.kind,
            severity: sighting.severity,
            status: sighting.status,
            names: other_names(&sighting.content, change.canonical_id.as_deref()),
            body: packer.pack(&plain)?,
        })
    });
    Ok(Prepared {
        rows: rows.collect::<Result<_, BodyFault>>()?,
    })
}
