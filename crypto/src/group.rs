//! The meeting's MLS group (RFC 9420). It takes and returns bytes. The delivery service orders the commits.
//!
//! Our own commit is staged, sent, and merged when the delivery service accepts it. Every commit is checked with
//! `authorize` before it is merged.

mod authorize;
pub mod beacon;
mod commit;
pub mod edits;
mod error;
pub mod filling;
#[doc(hidden)]
pub mod hostile;
pub mod log_epoch;
mod log_extension;
mod path_keys;
mod policy;
#[cfg(test)]
pub(crate) mod tests;
mod tree;
pub(crate) mod tree_vector;
pub mod typing;

pub use commit::{Changes, Member, MergedCommit, PendingCommit, Received};
pub use error::{Error, Reject};
use error::{mls_error, refusal};
pub use policy::{Gone, MeetingPolicy, Person, PolicyChange, PolicyContent, PolicyEdit, PolicyError, Rank};

use crate::Leaf;
use crate::authority::Binding;
use crate::credential::{LeafCredential, capabilities};
use crate::identity::{DeviceKey, Identity, Profile};
use crate::keyring::{Counters, MediaKeys, SignatureKeys};
use crate::knock_request::KnockRequest;
use crate::leaf_node;
use crate::manager_keys::ManagerKeys;
use crate::memory::Secret;
use crate::provider::{Provider, SUITE, SigningKey, sha256};
use crate::words::Words;
use authorize::{Proposed, authorize, refuse_departed};
use openmls::group::PastEpochDeletion;
use openmls::prelude::tls_codec::Deserialize as _;
use openmls::prelude::*;
use path_keys::path_keys;
use proto::{Epoch, MeetingId, ParticipantId, Rights};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::SystemTime;
use tree::TreeKey;
use zeroize::Zeroizing;

/// Our membership in a meeting's group.
pub struct Group {
    mls: MlsGroup,
    provider: Provider,
    key: Arc<SigningKey>,
    meeting: MeetingId,
    policy: MeetingPolicy,
    /// The members of this epoch, by leaf. Reading them from the tree costs more than the rest of a small commit.
    credentials: Vec<(Leaf, LeafCredential)>,
    /// The frame counters of this epoch, shared by all exports of its media keys.
    counters: Arc<Counters>,
    /// How many commits of the delivery service's log the members rejected.
    rejected: u64,
}

/// The state of a joiner until it enters the group.
pub(crate) struct Newcomer {
    pub(crate) provider: Provider,
    pub(crate) key: SigningKey,
    pub(crate) meeting: MeetingId,
    pub(crate) me: LeafCredential,
    /// What the link holds of the meeting's authority.
    pub(crate) link: Binding,
    /// True if a manager comes back: any member may have sent the Welcome.
    pub(crate) returning: bool,
}

impl Group {
    /// Creates the group of a new meeting at epoch 0, with the caller as only member and organiser. `now` is this
    /// client's time.
    ///
    /// # Errors
    /// Returns [`Error::NoRandomness`] if the system returns no random bytes, and [`Error::Mls`] if an MLS operation
    /// fails.
    pub fn create(
        identity: &Identity,
        profile: Profile,
        participant: ParticipantId,
        keys: &ManagerKeys,
        now: SystemTime,
    ) -> Result<Self, Error> {
        let meeting = keys.meeting();
        let (provider, key) = (Provider::default(), SigningKey::generate()?);
        let policy = MeetingPolicy::new(identity.public(), participant, keys)?;
        let me = LeafCredential::issue(identity, profile, participant, meeting, &key.public(), now);
        let config = MlsGroupCreateConfig::builder()
            .ciphersuite(SUITE)
            .capabilities(capabilities())
            .lifetime(me.lifetime())
            .use_ratchet_tree_extension(false)
            .wire_format_policy(PURE_CIPHERTEXT_WIRE_FORMAT_POLICY)
            .max_past_epochs(PAST_EPOCHS)
            .with_group_context_extensions(policy.extensions())
            .build();
        let id = GroupId::from_slice(&meeting.0);
        let credential = me.credential(&key.public());
        let mls = MlsGroup::new_with_group_id(&provider, &key, &config, id, credential).map_err(mls_error)?;
        Ok(member_of(mls, (provider, key), meeting, policy, 0))
    }

    /// Joins the group of a Welcome, after [`verified_welcome`].
    pub(crate) fn enter(welcome: &[u8], tree: &[u8], newcomer: Newcomer) -> Result<Self, Error> {
        let (staged, log_epoch) = staged_welcome(welcome, tree, newcomer.meeting, &newcomer.provider)?;
        let policy = verified_welcome(&staged, &newcomer)?;
        let Newcomer { provider, key, meeting, .. } = newcomer;
        let mls = staged.into_group(&provider).map_err(mls_error)?;
        leaf_node::check_tree(mls.treesync())?;
        let rejected = log_extension::rejected(&mls, log_epoch)?;
        Ok(member_of(mls, (provider, key), meeting, policy, rejected))
    }

    /// Returns the current epoch.
    pub fn epoch(&self) -> Epoch {
        Epoch(self.mls.epoch().as_u64())
    }

    /// Returns our own leaf.
    pub fn me(&self) -> Leaf {
        Leaf(self.mls.own_leaf_index().u32())
    }

    /// Returns all members, by leaf.
    pub fn members(&self) -> Vec<Member> {
        self.credentials.iter().map(|(leaf, credential)| Member::new(*leaf, credential.clone(), &self.policy)).collect()
    }

    /// Returns our own effective rights.
    pub fn rights(&self) -> Rights {
        let own = self.credentials.iter().find(|(leaf, _)| *leaf == self.me());
        own.map_or(Rights::NONE, |(_, me)| self.policy.rights_of(me.device, me.participant))
    }

    /// Returns the policy of the meeting.
    pub fn policy(&self) -> &MeetingPolicy {
        &self.policy
    }

    /// Returns the twelve verification words of this epoch, equal for all members of the group.
    pub fn words(&self) -> Words {
        // The authenticator has 48 bytes (SHA-384), so this never falls back.
        Words::of(self.mls.epoch_authenticator().as_slice()).unwrap_or(Words::NONE)
    }

    /// Returns the epoch authenticator (RFC 9420, section 8.7).
    pub(crate) fn authenticator(&self) -> &[u8] {
        self.mls.epoch_authenticator().as_slice()
    }

    /// Returns the meeting of the group.
    pub(crate) fn meeting(&self) -> MeetingId {
        self.meeting
    }

    /// Returns the confirmed transcript hash of this epoch (RFC 9420, section 8.2), hashed to 32 bytes. Equal for all
    /// members of an epoch who have seen the same commits.
    pub fn transcript_hash(&self) -> [u8; 32] {
        sha256(self.mls.public_group().group_context().confirmed_transcript_hash())
    }

    /// Returns the leaves of a device, in order. More than one if it joined again, for example after it was cut off.
    pub fn leaves_of(&self, device: DeviceKey) -> Vec<Leaf> {
        self.credentials.iter().filter(|(_, member)| member.device == device).map(|(leaf, _)| *leaf).collect()
    }

    /// Stages a commit with `changes`. Its parts are accepted or rejected together.
    ///
    /// # Errors
    /// Returns [`Error::Rejected`] if the policy does not allow the commit, otherwise [`Error`].
    pub fn commit(&mut self, changes: Changes) -> Result<PendingCommit, Error> {
        ready(&self.mls)?;
        let Changes { add, mut remove, policy } = changes;
        remove.sort_unstable();
        remove.dedup();
        let members = &self.credentials;
        let added: Vec<ParticipantId> = add.iter().map(KnockRequest::participant).collect();
        let packages: Vec<KeyPackage> = add.into_iter().map(KnockRequest::into_key_package).collect();
        let mut proposals = Vec::with_capacity(packages.len() + remove.len() + 1);
        for package in &packages {
            proposals.push(added_by(package, self.meeting)?);
        }
        proposals.extend(remove.iter().copied().map(Proposed::Remove));
        proposals.extend(policy.iter().map(|policy| Proposed::Policy(Box::new(policy.clone()))));
        // The other members check `gone`. For our own commit, assume that it holds.
        authorize(&self.policy, members, self.me(), &proposals, &|_| Some(Gone::Left))?;
        let removed = members.iter().filter(|member| remove.contains(&member.0)).map(|member| member.1.participant);
        let removed = removed.collect();
        let key = Zeroizing::new(self.provider.rand().random_array()?);
        let (commit, welcome, tree) = self.build(packages, &remove, policy.as_ref(), proposals.is_empty(), &key)?;
        Ok(PendingCommit { commit, welcome, tree, added, removed })
    }

    /// Stages a commit that adds the joiners of `requests`.
    ///
    /// # Errors
    /// Returns [`Error::Rejected`] if we have not the right to admit, or a joiner is barred or already a member, otherwise
    /// [`Error`].
    pub fn add(&mut self, requests: Vec<KnockRequest>) -> Result<PendingCommit, Error> {
        self.commit(Changes { add: requests, ..Changes::default() })
    }

    /// Stages a commit that removes these leaves. A member without the right to remove may remove only members that the delivery service reported
    /// gone. The other clients reject any other removal.
    ///
    /// # Errors
    /// Returns [`Error`] if the commit cannot be staged.
    pub fn remove(&mut self, leaves: &[Leaf]) -> Result<PendingCommit, Error> {
        self.commit(Changes { remove: leaves.to_vec(), ..Changes::default() })
    }

    /// Stages a commit that only updates our own keys.
    ///
    /// # Errors
    /// Returns [`Error`] if the commit cannot be staged.
    pub fn refresh(&mut self) -> Result<PendingCommit, Error> {
        self.commit(Changes::default())
    }

    /// Merges our pending commit after the delivery service accepted it.
    ///
    /// # Errors
    /// Returns [`Error::NoPendingCommit`] if there is no pending commit, and [`Error::Mls`] if an MLS operation fails.
    pub fn merge_pending_commit(&mut self) -> Result<MergedCommit, Error> {
        if self.mls.pending_commit().is_none() {
            return Err(Error::NoPendingCommit);
        }
        let committer = self.me();
        self.mls.merge_pending_commit(&self.provider).map_err(mls_error)?;
        Ok(self.describe_merged(committer))
    }

    /// Drops our pending commit after the delivery service accepted another one. The caller processes that one and
    /// tries again.
    pub fn clear_pending_commit(&mut self) {
        // Only the storage can fail. Ours does nothing here, because no proposal is queued.
        let _ = self.mls.clear_pending_commit(self.provider.storage());
    }

    /// Overwrites the secrets of past epochs, with which late application messages are decrypted. Otherwise each is kept
    /// until two more commits are merged.
    pub fn delete_past_epochs(&mut self) {
        // Only the storage can fail. Ours is in memory.
        let _ = self.mls.delete_past_epoch_secrets(&self.provider, PastEpochDeletion::delete_all());
    }

    /// Processes a message from the delivery service. A commit is merged if `authorize` allows it. `gone` returns why a
    /// participant is gone, if the delivery service has reported it. Merging a commit drops our own pending commit.
    ///
    /// # Errors
    /// Returns [`Error`] if the message is rejected: [`Reject::UnreadablePath`] if others may have merged it. The group is unchanged.
    pub fn process(&mut self, bytes: &[u8], gone: &dyn Fn(ParticipantId) -> Option<Gone>) -> Result<Received, Error> {
        let message = MlsMessageIn::tls_deserialize_exact(bytes).map_err(|_| Error::Malformed)?;
        let message = message.try_into_protocol_message().map_err(|_| Error::Malformed)?;
        let processed = self.mls.process_message(&self.provider, message).map_err(|error| refusal(&error))?;
        let Sender::Member(sender) = *processed.sender() else { return Err(Reject::NotAMember.into()) };
        let from = Leaf(sender.u32());
        let participant = LeafCredential::read(processed.credential())?.participant;
        match processed.into_content() {
            ProcessedMessageContent::ApplicationMessage(message) => {
                Ok(Received::Message { from, participant, bytes: message.into_bytes() })
            }
            ProcessedMessageContent::StagedCommitMessage(commit) => {
                self.merge(*commit, from, gone).map(Received::Commit)
            }
            ProcessedMessageContent::OwnPendingCommit | ProcessedMessageContent::OwnPrivateMessage => {
                Err(Error::OwnMessage)
            }
            // Members send proposals only inside commits.
            ProcessedMessageContent::ProposalMessage(_)
            | ProcessedMessageContent::ExternalJoinProposalMessage(_)
            | ProcessedMessageContent::UnresolvedAppDataCommit(_) => Err(Reject::UnsupportedProposal.into()),
        }
    }

    /// Encrypts an application message for all members.
    ///
    /// # Errors
    /// Returns [`Error::CommitPending`] while our commit is pending, and [`Error::Removed`] if we were removed.
    pub fn seal_message(&mut self, bytes: &[u8]) -> Result<Vec<u8>, Error> {
        ready(&self.mls)?;
        let message = self.mls.create_message(&self.provider, &*self.key, bytes).map_err(mls_error)?;
        message.to_bytes().map_err(mls_error)
    }

    /// Exports the base key of this epoch: `MLS-Exporter("SFrame 1.0 Base Key", "", 32)`.
    ///
    /// # Errors
    /// Returns [`Error::Removed`] if we were removed.
    pub fn media_keys(&self) -> Result<MediaKeys, Error> {
        let base = self
            .mls
            .export_secret(self.provider.crypto(), "SFrame 1.0 Base Key", b"", BASE_KEY)
            .map_err(|_| Error::Removed)?;
        let signatures = SignatureKeys { ours: Arc::clone(&self.key), members: signature_keys(&self.mls) };
        Ok(MediaKeys::new(self.epoch(), self.me(), Secret::take(base), Arc::clone(&self.counters), signatures))
    }

    /// Stages the commit in the MLS group. Returns it, its Welcome and the sealed tree, serialised.
    fn build(
        &mut self,
        packages: Vec<KeyPackage>,
        leaves: &[Leaf],
        policy: Option<&MeetingPolicy>,
        refresh: bool,
        key: &TreeKey,
    ) -> Result<Staged, Error> {
        let leaves = leaves.iter().map(|leaf| LeafNodeIndex::new(leaf.0));
        let log_epoch = log_extension::log_epoch(&self.mls, self.rejected).next();
        let extensions = [tree::extension(key), log_extension::extension(log_epoch)];
        let mut builder = self
            .mls
            .commit_builder()
            .consume_proposal_store(false)
            .force_self_update(refresh)
            .propose_adds(packages)
            .propose_removals(leaves);
        if let Some(policy) = policy {
            builder = builder.propose_group_context_extensions(policy.extensions()).map_err(mls_error)?;
        }
        let bundle = builder
            .load_psks(self.provider.storage())
            .map_err(mls_error)?
            .create_group_info_with_extensions(extensions)
            .map_err(mls_error)?
            // It is made for the Welcome alone. Without joiners, nobody needs it.
            .create_group_info(false)
            .build(self.provider.rand(), self.provider.crypto(), &*self.key, |_| true)
            .map_err(mls_error)?
            .stage_commit(&self.provider)
            .map_err(mls_error)?;
        let (commit, welcome, _) = bundle.into_messages();
        let commit = commit.to_bytes().map_err(mls_error)?;
        let Some(welcome) = welcome else { return Ok((commit, None, None)) };
        let tree = tree::seal(&self.mls, key, self.meeting)?;
        Ok((commit, Some(welcome.to_bytes().map_err(mls_error)?), Some(tree)))
    }

    fn merge(
        &mut self,
        commit: StagedCommit,
        committer: Leaf,
        gone: &dyn Fn(ParticipantId) -> Option<Gone>,
    ) -> Result<MergedCommit, Error> {
        let proposals = proposals(&commit, committer, self.meeting)?;
        authorize(&self.policy, &self.credentials, committer, &proposals, gone)?;
        refuse_departed(&self.policy, &self.credentials, committer, &proposals, gone)?;
        self.mls.merge_staged_commit(&self.provider, commit).map_err(mls_error)?;
        Ok(self.describe_merged(committer))
    }

    /// Starts the counters of the new epoch, adopts its policy, and describes the merged commit: the difference between
    /// the members before and now.
    fn describe_merged(&mut self, committer: Leaf) -> MergedCommit {
        self.counters = Counters::new();
        let policy_changed = match MeetingPolicy::of(self.mls.extensions()) {
            Some(policy) if policy != self.policy => {
                self.policy = policy;
                true
            }
            // `authorize` accepts no commit without a policy.
            Some(_) | None => false,
        };
        let before = std::mem::replace(&mut self.credentials, credentials(&self.mls));
        let difference = |members: &[(Leaf, LeafCredential)], others: &[(Leaf, LeafCredential)]| -> Vec<Member> {
            // Both are sorted by leaf.
            let owner = |leaf: Leaf| {
                let at = others.binary_search_by_key(&leaf, |(other, _)| *other).ok()?;
                others.get(at).map(|(_, credential)| credential.participant)
            };
            let only_here = members.iter().filter(|(leaf, credential)| owner(*leaf) != Some(credential.participant));
            only_here.map(|(leaf, credential)| Member::new(*leaf, credential.clone(), &self.policy)).collect()
        };
        MergedCommit {
            epoch: self.epoch(),
            committer,
            added: difference(&self.credentials, &before),
            removed: difference(&before, &self.credentials),
            removed_me: !self.mls.is_active(),
            policy_changed,
        }
    }
}

fn member_of(
    mls: MlsGroup,
    (provider, key): (Provider, SigningKey),
    meeting: MeetingId,
    policy: MeetingPolicy,
    rejected: u64,
) -> Group {
    let credentials = credentials(&mls);
    Group { mls, provider, key: Arc::new(key), meeting, policy, credentials, counters: Counters::new(), rejected }
}

fn credentials(mls: &MlsGroup) -> Vec<(Leaf, LeafCredential)> {
    // Every credential was verified before its leaf was added to the tree.
    let read = |member: openmls::prelude::Member| {
        Some((Leaf(member.index.u32()), LeafCredential::read(&member.credential).ok()?))
    };
    mls.members().filter_map(read).collect()
}

/// Returns the public keys with which the members sign.
fn signature_keys(mls: &MlsGroup) -> HashMap<Leaf, [u8; 32]> {
    let key =
        |member: openmls::prelude::Member| Some((Leaf(member.index.u32()), member.signature_key.try_into().ok()?));
    mls.members().filter_map(key).collect()
}

/// Returns an error if nothing can be sent now.
fn ready(mls: &MlsGroup) -> Result<(), Error> {
    match (mls.is_active(), mls.pending_commit()) {
        (false, _) => Err(Error::Removed),
        (true, Some(_)) => Err(Error::CommitPending),
        (true, None) => Ok(()),
    }
}

/// Reads a Welcome and the sealed tree that belongs to it, with the private keys in `provider`. Returns also the log's epoch that
/// the Welcome names.
fn staged_welcome<P: OpenMlsProvider>(
    welcome: &[u8],
    tree: &[u8],
    meeting: MeetingId,
    provider: &P,
) -> Result<(StagedWelcome, Option<Epoch>), Error> {
    let message = MlsMessageIn::tls_deserialize_exact(welcome).map_err(|_| Error::Malformed)?;
    let MlsMessageBodyIn::Welcome(welcome) = message.extract() else { return Err(Error::Malformed) };
    let mut builder = StagedWelcome::build_from_welcome(provider, &join_config(), welcome)
        .map_err(|_| Error::Malformed)?
        // No member's clock decides: the manager checked the time of each leaf when it was added.
        .skip_lifetime_validation();
    let info = builder.processed_welcome().unverified_group_info();
    let (key, log_epoch) = (tree::key(info)?, log_extension::read(info)?);
    if let Some(key) = key {
        builder = builder.with_ratchet_tree(tree::open(tree, &key, meeting)?);
    }
    Ok((builder.build().map_err(|_| Error::Malformed)?, log_epoch))
}

/// Checks that the Welcome leads to the meeting's own group: the group's id, a policy of the link's authority,
/// credentials signed by their devices, none of them barred, a Welcome from a member with the right to admit, and our leaf
/// unchanged.
/// Returns the policy.
fn verified_welcome(staged: &StagedWelcome, newcomer: &Newcomer) -> Result<MeetingPolicy, Error> {
    let meeting = newcomer.meeting;
    let context = staged.group_context();
    if context.group_id().as_slice() != meeting.0 || context.ciphersuite() != SUITE {
        return Err(Error::Malformed);
    }
    let policy = MeetingPolicy::of(context.extensions()).ok_or(Error::Malformed)?;
    if !policy.is_valid_for(meeting, newcomer.link) {
        return Err(Error::Forged);
    }
    for member in staged.members() {
        let member = LeafCredential::verified_with(&member.credential, &member.signature_key, meeting)?;
        if policy.is_barred(member.device) {
            return Err(Reject::Barred.into());
        }
    }
    let sender = LeafCredential::verified(staged.welcome_sender().map_err(mls_error)?, meeting)?;
    let rights = policy.rights_of(sender.device, sender.participant);
    if !newcomer.returning && !rights.contains(Rights::ADMIT) {
        return Err(Reject::NotAllowed.into());
    }
    let own = staged.own_leaf_node().ok_or(Error::Malformed)?;
    if LeafCredential::read(own.credential())?.has_same_identity(&newcomer.me) {
        Ok(policy)
    } else {
        Err(Reject::IdentityChanged.into())
    }
}

/// Returns the proposals of another member's commit.
fn proposals(commit: &StagedCommit, committer: Leaf, meeting: MeetingId) -> Result<Vec<Proposed>, Error> {
    let mut proposals = Vec::new();
    for queued in commit.queued_proposals() {
        let own = matches!(queued.sender(), Sender::Member(sender) if sender.u32() == committer.0);
        proposals.push(match queued.proposal() {
            Proposal::Add(add) if own => added_by(add.key_package(), meeting)?,
            Proposal::Remove(remove) if own => Proposed::Remove(Leaf(remove.removed().u32())),
            Proposal::GroupContextExtensions(next) if own => {
                let policy = MeetingPolicy::of(next.extensions());
                policy.map_or(Proposed::Other, |policy| Proposed::Policy(Box::new(policy)))
            }
            Proposal::Add(_)
            | Proposal::Remove(_)
            | Proposal::Update(_)
            | Proposal::PreSharedKey(_)
            | Proposal::ReInit(_)
            | Proposal::ExternalInit(_)
            | Proposal::GroupContextExtensions(_)
            | Proposal::AppDataUpdate(_)
            | Proposal::SelfRemove
            | Proposal::AppEphemeral(_)
            | Proposal::Custom(_) => Proposed::Other,
        });
    }
    if let Some(leaf) = commit.update_path_leaf_node() {
        proposals.push(Proposed::Update(LeafCredential::verified(leaf, meeting)?));
        leaf_node::check_leaf(leaf)?;
        check_path(commit)?;
    }
    Ok(proposals)
}

/// Checks the keys of the parent nodes that a commit with a path changes.
fn check_path(commit: &StagedCommit) -> Result<(), Error> {
    if commit.self_removed() {
        // We need not encrypt to anybody any more.
        return Ok(());
    }
    let keys = path_keys(commit).ok_or(Reject::BadKey)?;
    if keys.is_empty() {
        // We and the committer are below a common node, which has a key.
        return Err(Reject::BadKey.into());
    }
    Ok(keys.iter().try_for_each(|key| leaf_node::check_key(key))?)
}

/// Returns the proposal to add the owner of a key package, whose credential and leaf are verified.
fn added_by(package: &KeyPackage, meeting: MeetingId) -> Result<Proposed, Error> {
    let credential = LeafCredential::of_package(package, meeting)?;
    leaf_node::check_package(package)?;
    Ok(Proposed::Add(credential))
}

fn join_config() -> MlsGroupJoinConfig {
    MlsGroupJoinConfig::builder()
        .use_ratchet_tree_extension(false)
        .wire_format_policy(PURE_CIPHERTEXT_WIRE_FORMAT_POLICY)
        .max_past_epochs(PAST_EPOCHS)
        .build()
}

/// The number of past epochs whose application messages are decrypted. A message may be ordered after the next commit.
const PAST_EPOCHS: usize = 2;

/// A commit, its Welcome and the sealed tree, serialised.
type Staged = (Vec<u8>, Option<Vec<u8>>, Option<Vec<u8>>);

const BASE_KEY: usize = 32;
