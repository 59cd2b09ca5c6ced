//! The epoch of the delivery service's log in a Welcome.
//!
//! The log counts all commits that the delivery service accepted, also those that the members rejected. A joiner learns the number
//! from the delivery service, which could lie: then the joiner's beacons would differ from those of the others, although it has
//! their keys. So the committer says the number, too: extension 0xF5C3 of the encrypted and signed `GroupInfo` in the Welcome, 8
//! bytes, the log's epoch after the commit. Without the extension, it is the MLS epoch.

use super::error::Error;
use openmls::prelude::group_info::VerifiableGroupInfo;
use openmls::prelude::{Extension, MlsGroup, UnknownExtension};
use proto::Epoch;

/// Returns the extension of a `GroupInfo`.
pub(super) fn extension(epoch: Epoch) -> Extension {
    Extension::Unknown(LOG_EPOCH, UnknownExtension(epoch.0.to_be_bytes().to_vec()))
}

/// Returns the log's epoch that a `GroupInfo` names, if it does.
pub(super) fn read(info: &VerifiableGroupInfo) -> Result<Option<Epoch>, Error> {
    let Some(extension) = info.extensions().unknown(LOG_EPOCH) else { return Ok(None) };
    let bytes = extension.0.as_slice().try_into().map_err(|_| Error::Malformed)?;
    Ok(Some(Epoch(u64::from_be_bytes(bytes))))
}

/// Returns how many commits of the log were rejected before the group's epoch.
pub(super) fn rejected(mls: &MlsGroup, epoch: Option<Epoch>) -> Result<u64, Error> {
    epoch.map_or(Ok(0), |epoch| epoch.0.checked_sub(mls_epoch(mls)).ok_or(Error::Malformed))
}

/// Returns the log's epoch after `rejected` commits that were rejected.
pub(super) fn log_epoch(mls: &MlsGroup, rejected: u64) -> Epoch {
    Epoch(mls_epoch(mls).saturating_add(rejected))
}

fn mls_epoch(mls: &MlsGroup) -> u64 {
    mls.epoch().as_u64()
}

/// The extension type of the number, from the range that RFC 9420, section 17.3 leaves to private use.
const LOG_EPOCH: u16 = 0xf5c3;
