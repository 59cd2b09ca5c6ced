//! The keys of a manager: the authority key, the admission key and the link's secret. They change together.

use crate::admission_key::{AdmissionKey, Error, LinkKeys};
use crate::authority::{Authority, AuthorityKey, Pair};
use crate::authority_chain::{AuthorityChain, Rotation};
use crate::credential::LeafCredential;
use crate::knock_request::KnockRequest;
use crate::link::{Fingerprint, Invitation};
use proto::{MAX_ROTATIONS, MeetingId, ParticipantId, signed};
use std::time::SystemTime;

/// The keys of a manager. Has no `Debug`; the secret parts are in locked memory and overwritten on drop.
///
/// A rotation takes three steps: [`ManagerKeys::prepare_rotation`] makes the next keys; the commit whose policy
/// contains them is merged; then the caller signs the `Rotate` command with the old authority and calls
/// [`ManagerKeys::finish_rotation`].
pub struct ManagerKeys {
    authority: AuthorityKey,
    admission: AdmissionKey,
    chain: AuthorityChain,
    next: Option<NextKeys>,
    /// The authority before the last rotation, which the delivery service knows if it did not receive the rotation.
    previous: Option<AuthorityKey>,
}

struct NextKeys {
    authority: AuthorityKey,
    link: LinkKeys,
    rotation: Rotation,
}

impl ManagerKeys {
    /// Makes the keys of a new meeting. They determine its id.
    ///
    /// # Errors
    /// Returns [`Error::NoRandomness`] or [`Error::Crypto`].
    pub fn new() -> Result<Self, Error> {
        let (authority, link) = (AuthorityKey::generate()?, LinkKeys::generate()?);
        let chain = AuthorityChain::new(Pair::new(authority.public(), &link.public));
        Ok(Self { authority, admission: AdmissionKey::new(link), chain, next: None, previous: None })
    }

    /// Returns the id of the meeting. It never changes.
    pub fn meeting(&self) -> MeetingId {
        self.chain.meeting()
    }

    /// Returns the public authority key, which the delivery service registers.
    pub fn authority(&self) -> Authority {
        self.authority.public()
    }

    /// Returns the public admission key, which the delivery service gives to joiners.
    pub fn public_key(&self) -> &[u8] {
        &self.admission.current().public
    }

    /// Returns the chain from the first authority to the current one.
    pub fn chain(&self) -> &AuthorityChain {
        &self.chain
    }

    /// Returns the current invitation, for a server.
    pub fn invitation(&self, host: &str, port: u16, fingerprint: Option<Fingerprint>) -> Invitation {
        Invitation {
            host: host.to_owned(),
            port,
            meeting: self.meeting(),
            binding: self.chain.current().binding(),
            secret: self.admission.current().secret.clone(),
            fingerprint,
        }
    }

    /// Opens and verifies a request to join. `now` is this client's time. The caller then checks
    /// [`crate::MeetingPolicy::is_barred`] and [`KnockRequest::via_old_link`].
    ///
    /// # Errors
    /// Returns [`Error`] if the caller must refuse the request; [`Error::Clock`] names the difference of the clocks.
    pub fn open(&mut self, request: &[u8], now: SystemTime) -> Result<KnockRequest, Error> {
        self.admission.open(request, self.chain.meeting(), now)
    }

    /// Signs a command to the delivery service. `counter` rises with each command of a participant.
    pub fn sign_command(&self, sender: ParticipantId, counter: u64, command: &[u8]) -> [u8; 64] {
        self.authority.sign(&signed::command(self.meeting(), sender, counter, command))
    }

    /// Signs a command with the authority before the last rotation; `None` if there was none. Used to send the rotation
    /// again if the connection ended before the delivery service received it.
    pub fn sign_command_as_previous(&self, sender: ParticipantId, counter: u64, command: &[u8]) -> Option<[u8; 64]> {
        let message = signed::command(self.meeting(), sender, counter, command);
        self.previous.as_ref().map(|key| key.sign(&message))
    }

    /// Signs the request of this organiser to come back.
    pub(crate) fn sign_return(&self, participant: ParticipantId, request: &[u8]) -> [u8; 64] {
        self.authority.sign(&signed::return_request(self.meeting(), participant, request))
    }

    /// Signs the request of this organiser to come back with the authority before the last rotation; `None` if there was
    /// none. Used if the delivery service did not receive the rotation.
    pub fn sign_return_as_previous(&self, participant: ParticipantId, request: &[u8]) -> Option<[u8; 64]> {
        let message = signed::return_request(self.meeting(), participant, request);
        self.previous.as_ref().map(|key| key.sign(&message))
    }

    /// Adds the authority's signature to the credential of this organiser, who comes back.
    pub(crate) fn with_return(&self, me: LeafCredential) -> LeafCredential {
        me.with_return(&self.authority)
    }

    /// Returns true if the keys can change once more.
    pub fn can_rotate(&self) -> bool {
        self.chain.rotations() < MAX_ROTATIONS
    }

    /// Makes the next authority, admission key and link secret, unless they are made already. They are not in force
    /// before [`ManagerKeys::finish_rotation`].
    ///
    /// # Errors
    /// Returns [`Error::Chain`] if the keys cannot change any more, [`Error::NoRandomness`] or [`Error::Crypto`].
    pub fn prepare_rotation(&mut self) -> Result<(), Error> {
        if self.next.is_none() {
            if !self.can_rotate() {
                return Err(crate::authority_chain::Error::Full.into());
            }
            let (authority, link) = (AuthorityKey::generate()?, LinkKeys::generate()?);
            let to = Pair::new(authority.public(), &link.public);
            let rotation = Rotation::sign(&self.authority, self.meeting(), self.chain.next_index(), to);
            self.next = Some(NextKeys { authority, link, rotation });
        }
        Ok(())
    }

    /// Returns the prepared rotation and the next public admission key, for the `Rotate` command; `None` if none is
    /// prepared.
    pub fn next_rotation(&self) -> Option<(&Rotation, &[u8])> {
        self.next.as_ref().map(|next| (&next.rotation, next.link.public.as_slice()))
    }

    /// Returns true if `chain`, that of the policy in force, ends with the prepared rotation: then the caller sends the
    /// `Rotate` command and calls [`ManagerKeys::finish_rotation`].
    pub fn is_rotation_merged(&self, chain: &AuthorityChain) -> bool {
        self.next.as_ref().is_some_and(|next| next.rotation.to == chain.current())
    }

    /// Puts the prepared keys in force: new links, the new authority for commands. Called when the commit is merged
    /// whose policy contains the rotation, after the `Rotate` command was signed. Does nothing if none is prepared.
    pub fn finish_rotation(&mut self) {
        let Some(NextKeys { authority, link, rotation }) = self.next.take() else { return };
        // Our own rotation, made for this chain, is always valid.
        if self.chain.push(rotation).is_ok() {
            self.previous = Some(std::mem::replace(&mut self.authority, authority));
            self.admission.rotate(link);
        }
    }

    /// Returns the private key of `authority`, if it is one of ours.
    pub(crate) fn key_of(&self, authority: Authority) -> Option<&AuthorityKey> {
        let next = self.next.as_ref().map(|next| &next.authority);
        std::iter::once(&self.authority).chain(next).find(|key| key.public() == authority)
    }
}
