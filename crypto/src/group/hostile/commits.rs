//! Commits with a forbidden content that MLS itself accepts: made with the real leaf key of a member.

use super::super::error::mls_error;
use super::super::{Error, Group, MeetingPolicy, PolicyEdit, capabilities, credentials, ready};
use crate::Leaf;
use crate::credential::LeafCredential;
use crate::identity::{Identity, Profile};
use crate::provider::{Crypto, Provider, SUITE, SigningKey};
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
    let builder = mls.commit_builder().consume_proposal_store(false);
    let builder = match forbidden {
        Forbidden::Add(participant) => builder.propose_adds([accomplice(participant, meeting, now)?]),
        Forbidden::Package(package) => builder.propose_adds([validated(&package)?]),
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
        .build(provider.rand(), provider.crypto(), &**signer, |_| true)
        .map_err(mls_error)?
        .stage_commit(provider)
        .map_err(mls_error)?;
    let commit = bundle.into_commit().to_bytes().map_err(mls_error)?;
    group.clear_pending_commit();
    Ok(commit)
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
fn accomplice(participant: ParticipantId, meeting: MeetingId, now: SystemTime) -> Result<KeyPackage, Error> {
    let (provider, key) = (Provider::default(), SigningKey::generate()?);
    let profile = Profile { name: "Accomplice".into() };
    let identity = Identity::generate().map_err(mls_error)?;
    let credential = LeafCredential::issue(&identity, profile, participant, meeting, &key.public(), now);
    let bundle = KeyPackage::builder()
        .leaf_node_capabilities(capabilities())
        .key_package_lifetime(credential.lifetime())
        .build(SUITE, &provider, &key, credential.credential(&key.public()))
        .map_err(mls_error)?;
    Ok(bundle.key_package().clone())
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "these tests are about it")]
mod tests {
    use super::super::super::tests::with_three_members_of_devices;
    use super::super::super::{Reject, edits};
    use super::*;
    use proto::{Rights, Role};

    /// Why another member rejects a commit.
    fn verdict(group: &mut Group, commit: &[u8]) -> Reject {
        let before = (group.epoch(), group.words());
        let error = group.process(commit, &|_| false).unwrap_err();
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
        // The member itself goes on, and its honest commits are accepted.
        let pending = groups[1].refresh().unwrap();
        groups[1].merge_pending_commit().unwrap();
        assert!(groups[0].process(&pending.commit, &|_| false).is_ok());
    }
}
