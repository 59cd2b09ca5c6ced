//! The sealed tree of a group as a test vector.

use super::Group;
use super::error::{Error, mls_error};
use super::tree::{TreeKey, seal_bytes};
use openmls::prelude::tls_codec::Serialize as _;

/// Returns the tree of a group as it is now, sealed and plain.
pub(crate) fn current(group: &Group, key: &TreeKey) -> Result<(Vec<u8>, Vec<u8>), Error> {
    let plain = group.mls.export_ratchet_tree().tls_serialize_detached().map_err(mls_error)?;
    Ok((seal_bytes(&plain, key, group.meeting)?, plain))
}
