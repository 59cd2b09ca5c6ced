//! An opened and verified request to join.

use crate::group::credential::LeafCredential;
use crate::identity::DeviceKey;
use openmls::prelude::KeyPackage;
use proto::ParticipantId;

/// A request to join with a verified key package.
#[derive(Clone, Debug)]
pub struct KnockRequest {
    package: KeyPackage,
    credential: LeafCredential,
}

impl KnockRequest {
    pub(crate) fn new(package: KeyPackage, credential: LeafCredential) -> Self {
        Self { package, credential }
    }

    /// Returns the id from the delivery service.
    pub fn participant(&self) -> ParticipantId {
        self.credential.participant
    }

    /// Returns the name that the joiner chose.
    pub fn name(&self) -> &str {
        &self.credential.profile.name
    }

    /// Returns the key of the joiner's device.
    pub fn device(&self) -> DeviceKey {
        self.credential.device
    }

    pub(crate) fn into_key_package(self) -> KeyPackage {
        self.package
    }
}
