//! The meeting's MLS group (RFC 9420). It takes and returns bytes. The delivery service orders the commits.
//!
//! Our own commit is staged, sent, and merged when the delivery service accepts it. Every commit is checked with
//! `policy::authorize` before it is merged.

mod commit;
pub(crate) mod credential;
mod error;
mod policy;
#[cfg(test)]
mod tests;

pub use commit::{Member, MergedCommit, PendingCommit, Received};
pub use error::{Error, Reject};
pub use policy::MeetingPolicy;

use crate::Leaf;
use crate::identity::{Identity, Profile};
use crate::keyring::{Counters, MediaKeys};
use crate::knock_request::KnockRequest;
use crate::memory::Secret;
use crate::provider::{Provider, SUITE, SigningKey};
use crate::words::Words;
use credential::LeafCredential;
use openmls::prelude::tls_codec::Deserialize as _;
use openmls::prelude::*;
use policy::{POLICY_TYPE, Proposed, authorize};
use proto::{Epoch, MeetingId, ParticipantId};
use std::sync::Arc;

/// Our membership in a meeting's group.
pub struct Group {
    mls: MlsGroup,
    provider: Provider,
    key: SigningKey,
    meeting: MeetingId,
    policy: MeetingPolicy,
    /// The frame counters of this epoch, shared by all exports of its media keys.
    counters: Arc<Counters>,
}

impl Group {
    /// Creates a group at epoch 0 with the caller as only member and organiser.
    ///
    /// # Errors
    /// Returns [`Error::NoRandomness`] if the system returns no random bytes, and [`Error::Mls`] if an MLS operation
    /// fails.
    pub fn create(
        identity: &Identity,
        profile: Profile,
        participant: ParticipantId,
        meeting: MeetingId,
    ) -> Result<Self, Error> {
        let (provider, key) = (Provider::default(), SigningKey::generate()?);
        let policy = MeetingPolicy::new(identity.public(), participant);
        let lifetime = Lifetime::new(LEAF_LIFETIME);
        let me = LeafCredential::issue(identity, profile, participant, meeting, &key.public(), lifetime);
        let config = MlsGroupCreateConfig::builder()
            .ciphersuite(SUITE)
            .capabilities(capabilities())
            .lifetime(lifetime)
            .use_ratchet_tree_extension(true)
            .wire_format_policy(PURE_CIPHERTEXT_WIRE_FORMAT_POLICY)
            .max_past_epochs(PAST_EPOCHS)
            .with_group_context_extensions(policy.extensions())
            .build();
        let id = GroupId::from_slice(&meeting.0);
        let credential = me.credential(&key.public());
        let mls = MlsGroup::new_with_group_id(&provider, &key, &config, id, credential).map_err(mls_error)?;
        Ok(Self { mls, provider, key, meeting, policy, counters: Counters::new() })
    }

    /// Joins the group of a Welcome. It must be the group of `meeting`, the sender an organiser, and our leaf
    /// unchanged.
    pub(crate) fn enter(
        welcome: &[u8],
        provider: Provider,
        key: SigningKey,
        meeting: MeetingId,
        me: &LeafCredential,
    ) -> Result<Self, Error> {
        let message = MlsMessageIn::tls_deserialize_exact(welcome).map_err(|_| Error::Malformed)?;
        let MlsMessageBodyIn::Welcome(welcome) = message.extract() else { return Err(Error::Malformed) };
        let staged = StagedWelcome::build_from_welcome(&provider, &join_config(), welcome)
            .map_err(|_| Error::Malformed)?
            // Members were admitted while their leaves were valid. A meeting may last longer than that.
            .skip_lifetime_validation()
            .build()
            .map_err(|_| Error::Malformed)?;
        let context = staged.group_context();
        if context.group_id().as_slice() != meeting.0 || context.ciphersuite() != SUITE {
            return Err(Error::Malformed);
        }
        let policy = MeetingPolicy::of(context.extensions()).ok_or(Error::Malformed)?;
        for member in staged.members() {
            LeafCredential::verified_with(&member.credential, &member.signature_key, meeting)?;
        }
        let sender = LeafCredential::verified(staged.welcome_sender().map_err(mls_error)?, meeting)?;
        if !policy.is_organiser(sender.device, sender.participant) {
            return Err(Reject::NotOrganiser.into());
        }
        let own = staged.own_leaf_node().ok_or(Error::Malformed)?;
        if !LeafCredential::read(own.credential())?.has_same_identity(me) {
            return Err(Reject::IdentityChanged.into());
        }
        let mls = staged.into_group(&provider).map_err(mls_error)?;
        Ok(Self { mls, provider, key, meeting, policy, counters: Counters::new() })
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
        self.credentials().into_iter().map(|(leaf, credential)| self.member(leaf, credential)).collect()
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

    /// Stages a commit that adds the joiners of `requests`.
    ///
    /// # Errors
    /// Returns [`Error::Rejected`] if we are not an organiser or a joiner is already a member, otherwise [`Error`].
    pub fn add(&mut self, requests: Vec<KnockRequest>) -> Result<PendingCommit, Error> {
        let added = requests.iter().map(KnockRequest::participant).collect();
        let packages = requests.into_iter().map(KnockRequest::into_key_package).collect();
        self.stage(packages, &[], added)
    }

    /// Stages a commit that removes these leaves. A guest may remove only members that the delivery service reported
    /// gone. The other clients reject any other removal.
    ///
    /// # Errors
    /// Returns [`Error`] if the commit cannot be staged.
    pub fn remove(&mut self, leaves: &[Leaf]) -> Result<PendingCommit, Error> {
        self.stage(Vec::new(), leaves, Vec::new())
    }

    /// Stages a commit that only updates our own keys.
    ///
    /// # Errors
    /// Returns [`Error`] if the commit cannot be staged.
    pub fn refresh(&mut self) -> Result<PendingCommit, Error> {
        self.stage(Vec::new(), &[], Vec::new())
    }

    /// Merges our pending commit after the delivery service accepted it.
    ///
    /// # Errors
    /// Returns [`Error::NoPendingCommit`] if there is no pending commit, and [`Error::Mls`] if an MLS operation fails.
    pub fn merge_pending_commit(&mut self) -> Result<MergedCommit, Error> {
        if self.mls.pending_commit().is_none() {
            return Err(Error::NoPendingCommit);
        }
        let (before, committer) = (self.credentials(), self.me());
        self.mls.merge_pending_commit(&self.provider).map_err(mls_error)?;
        Ok(self.describe_merged(&before, committer))
    }

    /// Drops our pending commit after the delivery service accepted another one. The caller processes that one and
    /// tries again.
    pub fn clear_pending_commit(&mut self) {
        // Only the storage can fail. Ours does nothing here, because no proposal is queued.
        let _ = self.mls.clear_pending_commit(self.provider.storage());
    }

    /// Processes a message from the delivery service. A commit is merged if `authorize` allows it. `gone` returns true
    /// for participants that the delivery service reported gone. Merging a commit drops our own pending commit.
    ///
    /// # Errors
    /// Returns [`Error`] if the message is rejected. The group is unchanged.
    pub fn process(&mut self, bytes: &[u8], gone: &dyn Fn(ParticipantId) -> bool) -> Result<Received, Error> {
        let message = MlsMessageIn::tls_deserialize_exact(bytes).map_err(|_| Error::Malformed)?;
        let message = message.try_into_protocol_message().map_err(|_| Error::Malformed)?;
        let processed = self.mls.process_message(&self.provider, message).map_err(|_| Error::Malformed)?;
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
        self.ready()?;
        let message = self.mls.create_message(&self.provider, &self.key, bytes).map_err(mls_error)?;
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
        Ok(MediaKeys::new(self.epoch(), self.me(), Secret::take(base), Arc::clone(&self.counters)))
    }

    fn stage(
        &mut self,
        packages: Vec<KeyPackage>,
        leaves: &[Leaf],
        added: Vec<ParticipantId>,
    ) -> Result<PendingCommit, Error> {
        self.ready()?;
        let members = self.credentials();
        let mut proposals = Vec::with_capacity(packages.len() + leaves.len());
        for package in &packages {
            proposals.push(Proposed::Add(LeafCredential::verified(package.leaf_node(), self.meeting)?));
        }
        proposals.extend(leaves.iter().copied().map(Proposed::Remove));
        // The other members check `gone`. For our own commit, assume that it holds.
        authorize(&self.policy, &members, self.me(), &proposals, &|_| true)?;
        let removed = members.iter().filter(|member| leaves.contains(&member.0)).map(|member| member.1.participant);
        let removed = removed.collect();
        let refresh = packages.is_empty() && leaves.is_empty();
        let leaves = leaves.iter().map(|leaf| LeafNodeIndex::new(leaf.0));
        let bundle = self
            .mls
            .commit_builder()
            .consume_proposal_store(false)
            .force_self_update(refresh)
            .propose_adds(packages)
            .propose_removals(leaves)
            .load_psks(self.provider.storage())
            .map_err(mls_error)?
            .build(self.provider.rand(), self.provider.crypto(), &self.key, |_| true)
            .map_err(mls_error)?
            .stage_commit(&self.provider)
            .map_err(mls_error)?;
        let (commit, welcome, _) = bundle.into_messages();
        let welcome = welcome.map(|welcome| welcome.to_bytes()).transpose().map_err(mls_error)?;
        Ok(PendingCommit { commit: commit.to_bytes().map_err(mls_error)?, welcome, added, removed })
    }

    fn merge(
        &mut self,
        commit: StagedCommit,
        committer: Leaf,
        gone: &dyn Fn(ParticipantId) -> bool,
    ) -> Result<MergedCommit, Error> {
        let before = self.credentials();
        let proposals = self.proposals(&commit, committer)?;
        authorize(&self.policy, &before, committer, &proposals, gone)?;
        self.mls.merge_staged_commit(&self.provider, commit).map_err(mls_error)?;
        Ok(self.describe_merged(&before, committer))
    }

    /// Returns the proposals of another member's commit.
    fn proposals(&self, commit: &StagedCommit, committer: Leaf) -> Result<Vec<Proposed>, Error> {
        let mut proposals = Vec::new();
        for queued in commit.queued_proposals() {
            let own = matches!(queued.sender(), Sender::Member(sender) if sender.u32() == committer.0);
            proposals.push(match queued.proposal() {
                Proposal::Add(add) if own => self.admitted(add.key_package())?,
                Proposal::Remove(remove) if own => Proposed::Remove(Leaf(remove.removed().u32())),
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
            proposals.push(Proposed::Update(LeafCredential::verified(leaf, self.meeting)?));
        }
        Ok(proposals)
    }

    fn admitted(&self, package: &KeyPackage) -> Result<Proposed, Error> {
        verified_package(package, self.meeting).map(Proposed::Add)
    }

    /// Starts the counters of the new epoch, and describes the merged commit: the difference between `before` and the
    /// current members.
    fn describe_merged(&mut self, before: &[(Leaf, LeafCredential)], committer: Leaf) -> MergedCommit {
        self.counters = Counters::new();
        let after = self.credentials();
        let difference = |members: &[(Leaf, LeafCredential)], others: &[(Leaf, LeafCredential)]| -> Vec<Member> {
            let only_here = members.iter().filter(|(leaf, credential)| {
                !others.iter().any(|(other, credential_there)| {
                    leaf == other && credential.participant == credential_there.participant
                })
            });
            only_here.map(|(leaf, credential)| self.member(*leaf, credential.clone())).collect()
        };
        MergedCommit {
            epoch: self.epoch(),
            committer,
            added: difference(&after, before),
            removed: difference(before, &after),
            removed_me: !self.mls.is_active(),
        }
    }

    fn credentials(&self) -> Vec<(Leaf, LeafCredential)> {
        // Every credential was verified before its leaf was added to the tree.
        let read = |member: openmls::prelude::Member| {
            Some((Leaf(member.index.u32()), LeafCredential::read(&member.credential).ok()?))
        };
        self.mls.members().filter_map(read).collect()
    }

    fn member(&self, leaf: Leaf, credential: LeafCredential) -> Member {
        let LeafCredential { participant, device, profile, .. } = credential;
        Member {
            leaf,
            participant,
            name: profile.name,
            device,
            organiser: self.policy.is_organiser(device, participant),
        }
    }

    fn ready(&self) -> Result<(), Error> {
        match (self.mls.is_active(), self.mls.pending_commit()) {
            (false, _) => Err(Error::Removed),
            (true, Some(_)) => Err(Error::CommitPending),
            (true, None) => Ok(()),
        }
    }
}

/// Returns the verified credential of a key package. Both must have the same lifetime.
pub(crate) fn verified_package(package: &KeyPackage, meeting: MeetingId) -> Result<LeafCredential, Error> {
    let credential = LeafCredential::verified(package.leaf_node(), meeting)?;
    let lifetime = package.life_time();
    let same = credential.valid == (lifetime.not_before(), lifetime.not_after());
    if same && package.ciphersuite() == SUITE { Ok(credential) } else { Err(Error::Credential) }
}

/// Returns the capabilities of every leaf.
pub(crate) fn capabilities() -> Capabilities {
    Capabilities::new(None, Some(&[SUITE]), Some(&[POLICY_TYPE]), None, None)
}

fn join_config() -> MlsGroupJoinConfig {
    MlsGroupJoinConfig::builder()
        .use_ratchet_tree_extension(true)
        .wire_format_policy(PURE_CIPHERTEXT_WIRE_FORMAT_POLICY)
        .max_past_epochs(PAST_EPOCHS)
        .build()
}

/// Converts an error of openmls, which has an error type for each call. The text is only logged.
fn mls_error(error: impl std::error::Error) -> Error {
    Error::Mls(error.to_string())
}

/// The lifetime of a new leaf, in seconds.
pub(crate) const LEAF_LIFETIME: u64 = 86_400;

/// The number of past epochs whose application messages are decrypted. A message may be ordered after the next commit.
const PAST_EPOCHS: usize = 2;

const BASE_KEY: usize = 32;
