//! An opened and verified request to join.

use crate::group::credential::LeafCredential;
use crate::identity::DeviceKey;
use openmls::prelude::KeyPackage;
use proto::ParticipantId;

/// Somebody who asks to be let in, and whose papers are in order.
#[derive(Clone, Debug)]
pub struct KnockRequest {
    package: KeyPackage,
    person: LeafCredential,
}

impl KnockRequest {
    pub(crate) fn new(package: KeyPackage, person: LeafCredential) -> Self {
        Self { package, person }
    }

    /// What the delivery service calls them.
    pub fn participant(&self) -> ParticipantId {
        self.person.participant
    }

    /// What they call themselves.
    pub fn name(&self) -> &str {
        &self.person.profile.name
    }

    /// Their device.
    pub fn device(&self) -> DeviceKey {
        self.person.device
    }

    pub(crate) fn into_key_package(self) -> KeyPackage {
        self.package
    }
}
