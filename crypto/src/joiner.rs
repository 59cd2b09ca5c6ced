//! Requests to join a meeting, and the way into its group.

use crate::admission_key::{Error, NONCE, seal};
use crate::authority_chain::AuthorityChain;
use crate::complaint::Complaint;
use crate::credential::{LeafCredential, capabilities};
use crate::group::{self, Group, Newcomer};
use crate::identity::{Identity, Profile};
use crate::knock_request::KnockRequest;
use crate::leaf_node;
use crate::link::Invitation;
use crate::lobby_key::LobbyKey;
use crate::manager_keys::ManagerKeys;
use crate::provider::{Crypto, Provider, SUITE, SigningKey, sha256};
use openmls::prelude::tls_codec::{Deserialize as _, Serialize as _};
use openmls::prelude::{KeyPackage, KeyPackageIn, OpenMlsProvider, OpenMlsRand, ProtocolVersion};
use proto::{MeetingId, ParticipantId};
use std::time::SystemTime;

/// The state of a joiner until the Welcome arrives. Has no `Debug`: it holds private keys.
pub struct Joiner {
    newcomer: Newcomer,
    lobby: Option<LobbyKey>,
}

impl Joiner {
    /// Joins the group of the Welcome. `tree` is the sealed ratchet tree that belongs to it.
    ///
    /// # Errors
    /// Returns [`group::Error::Tree`] if the tree is missing or another one, and [`group::Error`] if the Welcome is for another
    /// meeting, its group's policy was not signed by the authority that the link names, or a member without the right to admit
    /// made it. A manager who comes back accepts the Welcome of any member.
    pub fn enter(self, welcome: &[u8], tree: &[u8]) -> Result<Group, group::Error> {
        Group::enter(welcome, tree, self.newcomer)
    }

    /// Returns the state with which it enters the group.
    pub(crate) fn newcomer(&self) -> &Newcomer {
        &self.newcomer
    }

    /// Returns the key of the lobby chat with the managers; `None` for a manager who comes back.
    pub fn lobby(&self) -> Option<&LobbyKey> {
        self.lobby.as_ref()
    }
}

/// Makes a request to join, and the [`Joiner`] that turns the Welcome into a [`Group`]. `admission_key` and `chain`
/// come from the delivery service; the link shows whether they are the meeting's. `now` is this client's time.
///
/// # Errors
/// Returns [`Error::Chain`] if the chain does not begin with the meeting's first authority, has a wrong signature, or
/// does not contain the link's authority, and [`Error::WrongAdmissionKey`] if it does not lead to `admission_key`.
pub fn knock(
    invitation: &Invitation,
    admission_key: &[u8],
    chain: &[u8],
    identity: &Identity,
    profile: Profile,
    participant: ParticipantId,
    now: SystemTime,
) -> Result<(Joiner, Vec<u8>), Error> {
    knock_again(invitation, (admission_key, chain), (identity, profile, participant), None, now)
}

/// As [`knock`], of a member that joins again. The managers learn which commit it could not read, if there was one.
///
/// # Errors
/// As [`knock`].
pub fn knock_again(
    invitation: &Invitation,
    (admission_key, chain): (&[u8], &[u8]),
    (identity, profile, participant): (&Identity, Profile, ParticipantId),
    complaint: Option<Complaint>,
    now: SystemTime,
) -> Result<(Joiner, Vec<u8>), Error> {
    let meeting = invitation.meeting;
    let current = AuthorityChain::decode(chain)?.verify(meeting, invitation.binding)?;
    if sha256(admission_key) != current.admission_hash {
        return Err(Error::WrongAdmissionKey);
    }
    let (provider, key) = (Provider::default(), SigningKey::generate()?);
    let me = LeafCredential::issue(identity, profile, participant, meeting, &key.public(), now);
    let package = key_package(&provider, &key, &me)?;
    let nonce: [u8; NONCE] = provider.rand().random_array()?;
    let lobby = LobbyKey::generate(meeting, participant)?;
    let content = (nonce, &lobby, package.as_slice(), complaint);
    let request = seal(content, meeting, admission_key, invitation.secret.expose())?;
    let link = invitation.binding;
    let newcomer = Newcomer { provider, key, meeting, me, link, returning: false };
    Ok((Joiner { newcomer, lobby: Some(lobby) }, request))
}

/// A manager's request to come back to its meeting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReturnRequest {
    /// The MLS key package.
    pub package: Vec<u8>,
    /// The authority's signature for the delivery service ([`proto::signed::return_request`]).
    pub signature: [u8; 64],
}

/// Makes the request of a manager to come back to its meeting. `chain` is what the delivery service knows of the
/// authorities, and the [`Joiner`] for the answer. Any member may add
/// it. It is no manager until it commits a policy that names its new participant id ([`group::PolicyEdit::Return`]).
///
/// # Errors
/// Returns [`Error::WrongAdmissionKey`] if we do not hold the authority at the end of `chain`, [`Error::NoRandomness`] or
/// [`Error::Crypto`].
pub fn return_to_meeting(
    keys: &ManagerKeys,
    identity: &Identity,
    profile: Profile,
    participant: ParticipantId,
    chain: &[u8],
    now: SystemTime,
) -> Result<(Joiner, ReturnRequest), Error> {
    let meeting: MeetingId = keys.meeting();
    let authority = keys.known_authority(chain).ok_or(Error::WrongAdmissionKey)?;
    let (provider, key) = (Provider::default(), SigningKey::generate()?);
    let me = LeafCredential::issue(identity, profile, participant, meeting, &key.public(), now);
    let me = keys.with_return(me, authority).ok_or(Error::WrongAdmissionKey)?;
    let package = key_package(&provider, &key, &me)?;
    let signature = keys.sign_return(authority, participant, &package).ok_or(Error::WrongAdmissionKey)?;
    let link = keys.chain().current().binding();
    let newcomer = Newcomer { provider, key, meeting, me, link, returning: true };
    Ok((Joiner { newcomer, lobby: None }, ReturnRequest { package, signature }))
}

/// Verifies the request of a manager to come back (`package` of [`ReturnRequest`]), so that [`Group::add`] can add it. Any
/// member may do so.
///
/// # Errors
/// Returns [`group::Error::Rejected`] if the device is no manager's, the meeting's authority did not sign the request, or nobody can
/// encrypt to its keys, and
/// [`group::Error::Malformed`] or [`group::Error::Credential`] if it is not valid.
pub fn open_return(group: &Group, package: &[u8]) -> Result<KnockRequest, group::Error> {
    let package = KeyPackageIn::tls_deserialize_exact(package).map_err(|_| group::Error::Malformed)?;
    let package = package.validate(&Crypto, ProtocolVersion::Mls10).map_err(|_| group::Error::Malformed)?;
    let credential = LeafCredential::of_package(&package, group.meeting())?;
    leaf_node::check_package(&package)?;
    if group.policy().allows_return(&credential) {
        Ok(KnockRequest::new(package, credential, false))
    } else {
        Err(group::Reject::NotAllowed.into())
    }
}

/// Returns a new key package for `me`, serialised. Its private keys stay in `provider`.
fn key_package(provider: &Provider, key: &SigningKey, me: &LeafCredential) -> Result<Vec<u8>, Error> {
    let bundle = KeyPackage::builder()
        .leaf_node_capabilities(capabilities())
        .key_package_lifetime(me.lifetime())
        .build(SUITE, provider, key, me.credential(&key.public()))
        .map_err(|_| Error::Crypto)?;
    bundle.key_package().tls_serialize_detached().map_err(|_| Error::Crypto)
}
