//! An opened and verified request to join.

use crate::certificate::CertificateChain;
use crate::complaint::Complaint;
use crate::credential::LeafCredential;
use crate::identity::DeviceKey;
use crate::lobby_key::LobbyKey;
use openmls::prelude::KeyPackage;
use proto::ParticipantId;
use std::fmt;

/// A request to join with a verified key package.
#[derive(Clone)]
pub struct KnockRequest {
    package: KeyPackage,
    credential: LeafCredential,
    via_old_link: bool,
    lobby: Option<LobbyKey>,
    complaint: Option<Complaint>,
}

impl KnockRequest {
    pub(crate) fn new(package: KeyPackage, credential: LeafCredential, via_old_link: bool) -> Self {
        Self { package, credential, via_old_link, lobby: None, complaint: None }
    }

    pub(crate) fn with_lobby(self, lobby: LobbyKey) -> Self {
        Self { lobby: Some(lobby), ..self }
    }

    pub(crate) fn with_complaint(self, complaint: Option<Complaint>) -> Self {
        Self { complaint, ..self }
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

    /// Returns certificates of that key by an organisation, not verified.
    pub fn certificate(&self) -> Option<&CertificateChain> {
        self.credential.organisation.as_ref()
    }

    /// Returns true if the request was made with a link from before the last removal. Only the organiser's own decision
    /// admits it, no rule: the person may have been removed and come back with another device.
    pub fn via_old_link(&self) -> bool {
        self.via_old_link
    }

    /// Returns the key of the joiner's lobby chat; `None` for a manager who comes back.
    pub fn lobby(&self) -> Option<&LobbyKey> {
        self.lobby.as_ref()
    }

    /// Returns the commit that the joiner could not read, if that is why it joins again. Nothing proves it.
    pub fn complaint(&self) -> Option<Complaint> {
        self.complaint
    }

    pub(crate) fn into_key_package(self) -> KeyPackage {
        self.package
    }
}

impl fmt::Debug for KnockRequest {
    /// Omits name and keys.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KnockRequest").field("via_old_link", &self.via_old_link).finish_non_exhaustive()
    }
}
