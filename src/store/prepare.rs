//! What is done to a batch before its transaction, so that the writer need not.

use std::sync::Arc;

use zstd::dict::EncoderDictionary;

use super::import::Change;
use super::names::other_names;
use super::pack::{self, BodyFault, Packer};
use super::prepared::{Prepared, PreparedRow};

/// Compresses what the changes say.
pub(super) fn prepare(
    changes: &[Change],
    encoder: Option<Arc<EncoderDictionary<'static>>>,
) -> Result<Prepared, BodyFault> {
    let mut packer = Packer::with(encoder)?;
    let mut plain = Vec::new();
    let mut prepared = Prepared::default();
    for change in changes {
        pack::put_plain(&mut plain, &change.sighting)?;
        let body = packer.pack(&plain)?;
        let names = other_names(&change.sighting.content, change.canonical_id.as_deref());
        let names = names.iter().map(|(name, pair)| (name.as_str(), *pair));
        prepared
            .push(PreparedRow::of(change, body), names)
            .map_err(|_| {
                BodyFault::Unpackable("a batch of findings is larger than 4 GiB".to_owned())
            })?;
    }
    Ok(prepared.finish())
}
