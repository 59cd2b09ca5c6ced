//! The keys of a manager: the authority key, the admission key and the link's secret. They change together.

use crate::admission_key::{AdmissionKey, Error, LinkKeys};
use crate::authority::{Authority, AuthorityKey, Pair};
use crate::authority_chain::{AuthorityChain, Rotation};
use crate::credential::LeafCredential;
use crate::knock_request::KnockRequest;
use crate::link::{Fingerprint, Invitation};
use crate::sealed_keys::SharedKeys;
use proto::{MAX_ROTATIONS, MeetingId, ParticipantId, signed};
use std::time::SystemTime;

/// The keys of a manager. Has no `Debug`; the secret parts are in locked memory and overwritten on drop.
///
/// A rotation takes three steps: [`ManagerKeys::prepare_rotation`] makes the next keys; the delivery service accepts the
/// commit whose policy contains them, with [`ManagerKeys::next_rotation`] beside it; when the commit is merged, the caller
/// calls [`ManagerKeys::finish_rotation`].
pub struct ManagerKeys {
    authority: AuthorityKey,
    admission: AdmissionKey,
    chain: AuthorityChain,
    next: Option<NextKeys>,
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
        Ok(Self::of(AuthorityKey::generate()?, LinkKeys::generate()?))
    }

    /// Returns the keys of a new meeting that begins with `authority` and `link`.
    pub(crate) fn of(authority: AuthorityKey, link: LinkKeys) -> Self {
        let chain = AuthorityChain::new(Pair::new(authority.public(), &link.public));
        Self { authority, admission: AdmissionKey::new(link), chain, next: None }
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
    /// `MeetingPolicy::is_barred` and [`KnockRequest::via_old_link`].
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

    /// Returns the authority that the delivery service knows, if we hold it: the current one, or the one that is prepared
    /// if its commit was accepted and we do not know yet. `chain` is the encoded chain of the delivery service.
    pub fn known_authority(&self, chain: &[u8]) -> Option<Authority> {
        let known = AuthorityChain::decode(chain).ok()?.current().authority;
        self.key_of(known).map(AuthorityKey::public)
    }

    /// Signs the request of this manager to come back, with the authority that the delivery service knows.
    pub(crate) fn sign_return(
        &self,
        authority: Authority,
        participant: ParticipantId,
        request: &[u8],
    ) -> Option<[u8; 64]> {
        let message = signed::return_request(self.meeting(), participant, request);
        self.key_of(authority).map(|key| key.sign(&message))
    }

    /// Adds the authority's signature to the credential of this manager, who comes back.
    pub(crate) fn with_return(&self, me: LeafCredential, authority: Authority) -> Option<LeafCredential> {
        self.key_of(authority).map(|key| me.with_return(key))
    }

    /// Returns true if the keys can change once more.
    pub fn can_rotate(&self) -> bool {
        self.chain.rotations() < MAX_ROTATIONS
    }

    /// Makes the next authority, admission key and link secret. They are not in force before
    /// [`ManagerKeys::finish_rotation`]. They replace those that were prepared for an earlier commit, which was lost: a manager
    /// that has got them may be none by the next commit.
    ///
    /// # Errors
    /// Returns [`Error::Chain`] if the keys cannot change any more, [`Error::NoRandomness`] or [`Error::Crypto`].
    pub fn prepare_rotation(&mut self) -> Result<(), Error> {
        if !self.can_rotate() {
            return Err(crate::authority_chain::Error::Full.into());
        }
        self.prepare_rotation_to(AuthorityKey::generate()?, LinkKeys::generate()?);
        Ok(())
    }

    /// Prepares the rotation to these keys.
    pub(crate) fn prepare_rotation_to(&mut self, authority: AuthorityKey, link: LinkKeys) {
        let to = Pair::new(authority.public(), &link.public);
        let rotation = Rotation::sign(&self.authority, self.meeting(), self.chain.next_index(), to);
        self.next = Some(NextKeys { authority, link, rotation });
    }

    /// Returns the prepared rotation and the next public admission key, for the delivery service; `None` if none is
    /// prepared.
    pub fn next_rotation(&self) -> Option<(&Rotation, &[u8])> {
        self.next.as_ref().map(|next| (&next.rotation, next.link.public.as_slice()))
    }

    /// Returns true if `chain`, that of the policy in force, ends with the prepared rotation: then the caller calls
    /// [`ManagerKeys::finish_rotation`].
    pub fn is_rotation_merged(&self, chain: &AuthorityChain) -> bool {
        self.next.as_ref().is_some_and(|next| next.rotation.to == chain.current())
    }

    /// Puts the prepared keys in force: new links, the new authority for commands. Called when the commit is merged
    /// whose policy contains the rotation. Does nothing if none is prepared.
    pub fn finish_rotation(&mut self) {
        let Some(NextKeys { authority, link, rotation }) = self.next.take() else { return };
        // Our own rotation, made for this chain, is always valid.
        if self.chain.push(rotation).is_ok() {
            self.authority = authority;
            self.admission.rotate(link);
        }
    }

    /// Drops the prepared keys if `chain`, that of the policy in force, has another rotation than they continue.
    pub fn discard_outdated_rotation(&mut self, chain: &AuthorityChain) {
        self.next.take_if(|_| *chain != self.chain);
    }

    /// Returns the keys in force, for a manager who does not have them. The caller seals them ([`crate::SealingKey`]).
    pub fn shared(&self) -> SharedKeys {
        SharedKeys::new(&self.authority, self.admission.all())
    }

    /// Returns the prepared keys, for the other managers: they need them when the commit is merged. `None` if none is
    /// prepared.
    pub fn next_shared(&self) -> Option<SharedKeys> {
        let next = self.next.as_ref()?;
        Some(SharedKeys::new(&next.authority, std::iter::once(&next.link).chain(self.admission.all())))
    }

    /// Takes over keys that another manager shared. `chain` is that of the policy in force.
    ///
    /// # Errors
    /// Returns [`Error::WrongAdmissionKey`] if they are not those of the chain's newest pair. Nothing changes then.
    pub fn adopt(&mut self, shared: SharedKeys, chain: &AuthorityChain) -> Result<(), Error> {
        let (authority, current, old) = shared.into_keys(chain)?;
        self.authority = authority;
        self.admission.replace(current, old);
        self.chain = chain.clone();
        self.next = None;
        Ok(())
    }

    /// Returns the keys that another manager shared with a new one.
    ///
    /// # Errors
    /// Returns [`Error::WrongAdmissionKey`] if they are not those of the newest pair of `chain`, which is that of the policy
    /// in force.
    pub fn from_shared(shared: SharedKeys, chain: &AuthorityChain) -> Result<Self, Error> {
        let (authority, current, old) = shared.into_keys(chain)?;
        let mut admission = AdmissionKey::new(LinkKeys::generate()?);
        admission.replace(current, old);
        Ok(Self { authority, admission, chain: chain.clone(), next: None })
    }

    /// Returns the key pairs for requests.
    pub(crate) fn admission(&self) -> &AdmissionKey {
        &self.admission
    }

    /// Returns the private key of `authority`, if it is one of ours.
    pub(crate) fn key_of(&self, authority: Authority) -> Option<&AuthorityKey> {
        let next = self.next.as_ref().map(|next| &next.authority);
        std::iter::once(&self.authority).chain(next).find(|key| key.public() == authority)
    }
}
