//! Commits with a forbidden content that MLS itself accepts: made with the real leaf key of a member.

use super::super::error::mls_error;
use super::super::{Error, Group, MeetingPolicy, PolicyEdit, credentials, ready};
use crate::Leaf;
use crate::credential::LeafCredential;
use crate::hostile::{Flaw, FlawedCrypto, key_package};
use crate::identity::{Identity, Profile};
use crate::provider::{Crypto, Provider, SigningKey};
use openmls::prelude::tls_codec::Deserialize as _;
use openmls::prelude::*;
use proto::{MeetingId, ParticipantId};
use std::time::SystemTime;

/// What a forged commit does.
#[derive(Clone, Debug)]
pub enum Forbidden {
    /// Adds an accomplice on a device of its own, as this participant.
    Add(ParticipantId),
    /// Adds the leaf of this key package, which may have been added before.
    Package(Vec<u8>),
    /// Removes these leaves.
    Remove(Vec<Leaf>),
    /// Replaces the policy, and removes these leaves.
    Policy(Box<MeetingPolicy>, Vec<Leaf>),
    /// Removes the policy.
    NoPolicy,
    /// Gives the committer another name.
    Rename(Profile),
    /// Gives the committer the id of another participant.
    Renumber(ParticipantId),
    /// Updates the committer's keys, with a flaw.
    Update(Flaw),
    /// Adds an accomplice whose key package has a flaw, as this participant.
    AddFlawed(ParticipantId, Flaw),
}

impl Forbidden {
    /// Returns the flaw of the committer's own nodes.
    const fn flaw(&self) -> Option<&Flaw> {
        if let Self::Update(flaw) = self { Some(flaw) } else { None }
    }
}

/// Returns a commit of this member, which no honest program makes. The group is as before: the commit is not pending. `identity` is
/// the member's device.
///
/// # Errors
/// Returns [`Error`] if the commit cannot be made.
pub fn forge(group: &mut Group, identity: &Identity, forbidden: Forbidden, now: SystemTime) -> Result<Vec<u8>, Error> {
    ready(&group.mls)?;
    let meeting = group.meeting;
    let me = credentials(&group.mls).into_iter().find(|(leaf, _)| *leaf == group.me()).ok_or(Error::Removed)?.1;
    let key = group.key.public();
    let renamed = |profile, participant| {
        let credential = LeafCredential::issue(identity, profile, participant, meeting, &key, now);
        LeafNodeParameters::builder().with_credential_with_key(credential.credential(&key)).build()
    };
    let leaves = |leaves: Vec<Leaf>| leaves.into_iter().map(|leaf| LeafNodeIndex::new(leaf.0));
    let Group { mls, provider, key: signer, .. } = group;
    let crypto = FlawedCrypto::of_commit(forbidden.flaw(), || made_keys(mls, provider, signer))?;
    let builder = mls.commit_builder().consume_proposal_store(false);
    let builder = match forbidden {
        Forbidden::Add(participant) => builder.propose_adds([accomplice(participant, meeting, now, None)?]),
        Forbidden::AddFlawed(participant, flaw) => {
            builder.propose_adds([accomplice(participant, meeting, now, Some(&flaw))?])
        }
        Forbidden::Package(package) => builder.propose_adds([validated(&package)?]),
        Forbidden::Update(flaw) => {
            let leaf = LeafNodeParameters::builder().with_capabilities(flaw.capabilities());
            builder.leaf_node_parameters(leaf.with_extensions(flaw.extensions()).build()).force_self_update(true)
        }
        Forbidden::Remove(removed) => builder.propose_removals(leaves(removed)),
        Forbidden::Policy(policy, removed) => builder
            .propose_removals(leaves(removed))
            .propose_group_context_extensions(policy.extensions())
            .map_err(mls_error)?,
        Forbidden::NoPolicy => builder.propose_group_context_extensions(without_policy()?).map_err(mls_error)?,
        Forbidden::Rename(profile) => {
            builder.leaf_node_parameters(renamed(profile, me.participant)).force_self_update(true)
        }
        Forbidden::Renumber(participant) => {
            builder.leaf_node_parameters(renamed(me.profile, participant)).force_self_update(true)
        }
    };
    let bundle = builder
        .load_psks(provider.storage())
        .map_err(mls_error)?
        .build(provider.rand(), &crypto, &**signer, |_| true)
        .map_err(mls_error)?
        .stage_commit(provider)
        .map_err(mls_error)?;
    let commit = bundle.into_commit().to_bytes().map_err(mls_error)?;
    group.clear_pending_commit();
    Ok(commit)
}

/// Returns how many key pairs a commit of this member makes. It depends on the tree.
fn made_keys(mls: &mut MlsGroup, provider: &Provider, signer: &SigningKey) -> Result<usize, Error> {
    let crypto = FlawedCrypto::default();
    let builder = mls.commit_builder().force_self_update(true).load_psks(provider.storage()).map_err(mls_error)?;
    builder.build(provider.rand(), &crypto, signer, |_| true).map_err(mls_error)?;
    Ok(crypto.made())
}

/// Returns the policy with edits, which the authority has not signed. `None` if the edits are not possible.
#[must_use]
pub fn unsigned_policy(policy: &MeetingPolicy, edits: &[PolicyEdit]) -> Option<MeetingPolicy> {
    Some(MeetingPolicy { content: policy.edited(edits).ok()?, signature: policy.signature })
}

/// Returns the extensions of a group without a policy.
fn without_policy() -> Result<Extensions<GroupContext>, Error> {
    let required = RequiredCapabilitiesExtension::new(&[], &[], &[]);
    Extensions::from_vec(vec![Extension::RequiredCapabilities(required)]).map_err(mls_error)
}

/// Reads a key package. MLS adds no invalid one.
fn validated(package: &[u8]) -> Result<KeyPackage, Error> {
    let package = KeyPackageIn::tls_deserialize_exact(package).map_err(|_| Error::Malformed)?;
    package.validate(&Crypto, ProtocolVersion::Mls10).map_err(|_| Error::Malformed)
}

/// Returns the key package of a device that nobody has admitted.
fn accomplice(
    participant: ParticipantId,
    meeting: MeetingId,
    now: SystemTime,
    flaw: Option<&Flaw>,
) -> Result<KeyPackage, Error> {
    let key = SigningKey::generate()?;
    let profile = Profile { name: "Accomplice".into() };
    let identity = Identity::generate().map_err(mls_error)?;
    let credential = LeafCredential::issue(&identity, profile, participant, meeting, &key.public(), now);
    let package = key_package(&key, credential.credential(&key.public()), credential.lifetime(), flaw);
    package.ok_or_else(|| Error::Mls("no key package".into()))
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "these tests are about it")]
mod tests {
    use super::super::super::tests::{request, with_three_members_of_devices};
    use super::super::super::{Reject, edits};
    use super::*;
    use proto::{Rights, Role};

    /// Nodes that make the group unusable, and why they are rejected.
    fn flaws() -> [(Flaw, Reject); 6] {
        [
            (Flaw::LeafKey(vec![1; 7]), Reject::BadKey),
            (Flaw::LeafKey(vec![0xff; 1_216]), Reject::BadKey),
            (Flaw::ParentKey(vec![1; 7]), Reject::BadKey),
            (Flaw::ParentKey(vec![0xff; 1_216]), Reject::BadKey),
            (Flaw::Capabilities(1_000), Reject::BadLeaf),
            (Flaw::Extension(60_000), Reject::BadLeaf),
        ]
    }

    /// Why another member rejects a commit.
    fn verdict(group: &mut Group, commit: &[u8]) -> Reject {
        let before = (group.epoch(), group.words());
        let error = group.process(commit, &|_| None).unwrap_err();
        assert_eq!((group.epoch(), group.words()), before);
        let Error::Rejected(reject) = error else { panic!("{error:?}") };
        reject
    }

    #[test]
    fn a_commit_that_mls_accepts_and_the_rules_forbid_is_rejected_for_its_content() {
        let (mut keys, devices, mut groups) = with_three_members_of_devices();
        let now = SystemTime::now();
        let (me, organiser) = (groups[1].members().remove(1), groups[0].members().remove(0));
        let policy = groups[1].policy().clone();
        let unsigned = |edit| Forbidden::Policy(Box::new(unsigned_policy(&policy, &[edit]).unwrap()), Vec::new());
        let id = (me.device, me.participant);
        let promoted = PolicyEdit::SetRole(id.0, id.1, Role::CoOrganiser);
        let handed = PolicyEdit::HandOver(id.0, id.1);
        let granted = PolicyEdit::Grant(id.0, id.1, Rights::SCREEN);
        // The keys of the authority, stolen: the committer's role decides.
        let stolen = edits::edited_policy(&policy, &[promoted], false, &mut keys).unwrap();
        for (forbidden, expected) in [
            (Forbidden::Add(ParticipantId(77)), Reject::NotAllowed),
            (Forbidden::Remove(vec![organiser.leaf]), Reject::NotAllowed),
            (Forbidden::Rename(Profile::new("O").unwrap()), Reject::IdentityChanged),
            (Forbidden::Renumber(organiser.participant), Reject::IdentityChanged),
            (unsigned(promoted), Reject::InvalidPolicy),
            (unsigned(handed), Reject::InvalidPolicy),
            (unsigned(granted), Reject::InvalidPolicy),
            (Forbidden::Policy(Box::new(stolen), Vec::new()), Reject::NotAllowed),
        ] {
            let commit = forge(&mut groups[1], &devices[1], forbidden.clone(), now).unwrap();
            for other in [0, 2] {
                assert_eq!(verdict(&mut groups[other], &commit), expected, "{forbidden:?}");
            }
        }
        for (flaw, expected) in flaws() {
            let commit = forge(&mut groups[1], &devices[1], Forbidden::Update(flaw.clone()), now).unwrap();
            assert_eq!(verdict(&mut groups[2], &commit), expected, "{flaw:?}");
            // The organiser is below the first node, so it finds that its key is not the one of the path secret.
            let is_parent = matches!(flaw, Flaw::ParentKey(_));
            let expected = if is_parent { Reject::UnreadablePath } else { expected };
            assert_eq!(verdict(&mut groups[0], &commit), expected, "{flaw:?}");
        }
        // The organiser's client is hostile, too: it may add.
        let added = Flaw::InitKey(vec![0xff; 1_216]);
        for (flaw, expected) in flaws().into_iter().chain([(added, Reject::BadKey)]) {
            if matches!(flaw, Flaw::ParentKey(_)) {
                continue;
            }
            let forbidden = Forbidden::AddFlawed(ParticipantId(78), flaw.clone());
            let commit = forge(&mut groups[0], &devices[0], forbidden, now).unwrap();
            for other in [1, 2] {
                assert_eq!(verdict(&mut groups[other], &commit), expected, "{flaw:?}");
            }
        }
        // The member itself goes on, and its honest commits are accepted.
        let pending = groups[1].refresh().unwrap();
        groups[1].merge_pending_commit().unwrap();
        assert!(groups[0].process(&pending.commit, &|_| None).is_ok());
    }

    /// Returns what a joiner says to the Welcome of an organiser with a hostile client, whose tree has a flaw.
    fn entered(flaw: &Flaw) -> Result<Group, Error> {
        let (mut keys, _, mut groups) = with_three_members_of_devices();
        let (joiner, request) = request(&mut keys, 9);
        let now = SystemTime::now();
        let package = request.into_key_package();
        let accomplice = accomplice(ParticipantId(78), groups[0].meeting, now, Some(flaw)).unwrap();
        let Group { mls, provider, key: signer, meeting, .. } = &mut groups[0];
        let is_parent = matches!(flaw, Flaw::ParentKey(_));
        let crypto = FlawedCrypto::of_commit(is_parent.then_some(flaw), || Ok::<_, Error>(0)).unwrap();
        let added = if is_parent { vec![package] } else { vec![accomplice, package] };
        let key = zeroize::Zeroizing::new([7; 32]);
        let bundle = mls
            .commit_builder()
            .force_self_update(is_parent)
            .propose_adds(added)
            .load_psks(provider.storage())
            .unwrap()
            .create_group_info_with_extensions([super::super::super::tree::extension(&key)])
            .unwrap()
            .build(provider.rand(), &crypto, &**signer, |_| true)
            .unwrap()
            .stage_commit(provider)
            .unwrap();
        let (_, welcome, _) = bundle.into_messages();
        let tree = super::super::super::tree::seal(mls, &key, *meeting).unwrap();
        joiner.enter(&welcome.unwrap().to_bytes().unwrap(), &tree)
    }

    #[test]
    fn a_joiner_does_not_enter_a_group_with_a_node_that_makes_it_unusable() {
        for (flaw, expected) in flaws() {
            let Err(error) = entered(&flaw) else { panic!("entered with {flaw:?}") };
            // MLS refuses a parent key that is not the one of the joiner's own path secret.
            let is_own = matches!((&flaw, &error), (Flaw::ParentKey(_), Error::Malformed));
            let is_expected = matches!(error, Error::Rejected(reject) if reject == expected);
            assert!(is_own || is_expected, "{flaw:?}: {error:?}");
        }
        let (_, valid) = crate::provider::hpke_pair(&crate::memory::Secret::copy_of(&[3; 32])).unwrap();
        assert!(
            entered(&Flaw::LeafKey(valid)).is_ok(),
            "a valid key that its owner does not have harms only the owner"
        );
    }
}
