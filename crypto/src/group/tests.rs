//! Tests of attacks by a member with a modified client.

use super::{Error, Group, Reject, capabilities};
use crate::identity::{Identity, Profile};
use crate::provider::{Provider, SUITE};
use crate::{AdmissionKey, KnockRequest, knock};
use openmls::prelude::tls_codec::Serialize as _;
use openmls::prelude::*;
use proto::{MeetingId, ParticipantId};

const MEETING: MeetingId = MeetingId([5; 16]);

/// Returns an organiser and two guests, with the admission key.
fn with_three_members() -> (AdmissionKey, Vec<Group>) {
    let mut admission_key = AdmissionKey::new(MEETING).unwrap();
    let organiser = Identity::generate().unwrap();
    let mut groups = vec![Group::create(&organiser, profile("O"), ParticipantId(0), MEETING).unwrap()];
    for number in 1..3 {
        let (joiner, request) = request(&mut admission_key, number);
        let pending = groups[0].add(vec![request]).unwrap();
        groups[0].merge_pending_commit().unwrap();
        for group in &mut groups[1..] {
            group.process(&pending.commit, &|_| false).unwrap();
        }
        groups.push(joiner.enter(&pending.welcome.unwrap()).unwrap());
    }
    (admission_key, groups)
}

fn profile(name: &str) -> Profile {
    Profile::new(name).unwrap()
}

fn request(admission_key: &mut AdmissionKey, number: u64) -> (crate::Joiner, KnockRequest) {
    let invitation = admission_key.invitation("h", 1, None);
    let identity = Identity::generate().unwrap();
    let (joiner, request) =
        knock(&invitation, admission_key.public_key(), &identity, profile("G"), ParticipantId(number)).unwrap();
    (joiner, admission_key.open(&request).unwrap())
}

/// Returns a commit of the second member that an unmodified client would not make.
fn forge(
    groups: &mut [Group],
    change: impl FnOnce(CommitBuilder<'_, Initial>) -> CommitBuilder<'_, Initial>,
) -> Vec<u8> {
    let Group { mls, provider, key, .. } = &mut groups[1];
    let bundle = change(mls.commit_builder())
        .load_psks(provider.storage())
        .unwrap()
        .build(provider.rand(), provider.crypto(), key, |_| true)
        .unwrap()
        .stage_commit(provider)
        .unwrap();
    bundle.into_commit().to_bytes().unwrap()
}

/// Checks that all other members reject `commit` and are unchanged. They consider every participant gone. Returns their
/// errors.
fn refused(groups: &mut [Group], commit: &[u8]) -> Vec<Error> {
    let epoch = groups[0].epoch();
    let verdict = |group: &mut Group| {
        let words = group.words();
        let error = group.process(commit, &|_| true).unwrap_err();
        assert_eq!((group.epoch(), group.words()), (epoch, words));
        error
    };
    [0, 2].map(|index| verdict(&mut groups[index])).into()
}

#[test]
fn all_members_reject_an_add_by_a_guest() {
    let (mut admission_key, mut groups) = with_three_members();
    let (_, request) = request(&mut admission_key, 9);
    let commit = forge(&mut groups, |builder| builder.propose_adds([request.into_key_package()]));
    for error in refused(&mut groups, &commit) {
        assert!(matches!(error, Error::Rejected(Reject::NotOrganiser)), "{error:?}");
    }
}

#[test]
fn all_members_reject_a_policy_of_a_guest() {
    let (_, mut groups) = with_three_members();
    let guest = groups[1].members().remove(1);
    let policy = crate::MeetingPolicy::new(guest.device, guest.participant).extensions();
    let commit = forge(&mut groups, |builder| builder.propose_group_context_extensions(policy).unwrap());
    for error in refused(&mut groups, &commit) {
        assert!(matches!(error, Error::Rejected(Reject::UnsupportedProposal)), "{error:?}");
    }
}

#[test]
fn all_members_reject_a_changed_name() {
    let (_, mut groups) = with_three_members();
    let mut person = groups[1].credentials().remove(1).1;
    person.profile = profile("The organiser");
    let credential = person.credential(&groups[1].key.public());
    let leaf = LeafNodeParameters::builder().with_credential_with_key(credential).build();
    let commit = forge(&mut groups, |builder| builder.leaf_node_parameters(leaf).force_self_update(true));
    for error in refused(&mut groups, &commit) {
        assert!(matches!(error, Error::Rejected(Reject::IdentityChanged)), "{error:?}");
    }
}

#[test]
fn all_members_reject_a_changed_participant_id() {
    let (_, mut groups) = with_three_members();
    let mut person = groups[1].credentials().remove(1).1;
    person.participant = ParticipantId(0);
    let credential = person.credential(&groups[1].key.public());
    let leaf = LeafNodeParameters::builder().with_credential_with_key(credential).build();
    let commit = forge(&mut groups, |builder| builder.leaf_node_parameters(leaf).force_self_update(true));
    for error in refused(&mut groups, &commit) {
        assert!(matches!(error, Error::Credential), "{error:?}");
    }
}

#[test]
fn a_proposal_without_a_commit_is_rejected() {
    let (_, mut groups) = with_three_members();
    let Group { mls, provider, key, .. } = &mut groups[1];
    let proposal = mls.leave_group(provider, key).unwrap().to_bytes().unwrap();
    for error in refused(&mut groups, &proposal) {
        assert!(matches!(error, Error::Rejected(Reject::UnsupportedProposal)), "{error:?}");
    }
}

#[test]
fn the_group_works_after_a_rejected_commit() {
    let (mut admission_key, mut groups) = with_three_members();
    let (_, request) = request(&mut admission_key, 9);
    let commit = forge(&mut groups, |builder| builder.propose_adds([request.into_key_package()]));
    refused(&mut groups, &commit);
    groups[1].clear_pending_commit();
    let pending = groups[0].refresh().unwrap();
    groups[0].merge_pending_commit().unwrap();
    for group in &mut groups[1..] {
        group.process(&pending.commit, &|_| false).unwrap();
    }
    assert_eq!(groups[0].words(), groups[1].words());
    assert_eq!(groups[0].words(), groups[2].words());
}

/// Joins a group with other extensions or another id through its Welcome.
fn joined(extensions: Extensions<GroupContext>, id: MeetingId) -> Result<Group, Error> {
    let mut admission_key = AdmissionKey::new(MEETING).unwrap();
    let (joiner, request) = request(&mut admission_key, 3);
    let mallory = Identity::generate().unwrap();
    let template = Group::create(&mallory, profile("M"), ParticipantId(0), MEETING).unwrap();
    let person = template.credentials().remove(0).1;
    let Group { key, provider, .. } = template;
    let config = MlsGroupCreateConfig::builder()
        .ciphersuite(SUITE)
        .capabilities(capabilities())
        .use_ratchet_tree_extension(true)
        .wire_format_policy(PURE_CIPHERTEXT_WIRE_FORMAT_POLICY)
        .with_group_context_extensions(extensions)
        .build();
    let other = Provider::default();
    drop(provider);
    let id = GroupId::from_slice(&id.0);
    let credential = person.credential(&key.public());
    let mut mls = MlsGroup::new_with_group_id(&other, &key, &config, id, credential).unwrap();
    let (_, welcome, _) = mls.add_members(&other, &key, &[request.into_key_package()]).unwrap();
    joiner.enter(&welcome.tls_serialize_detached().unwrap())
}

#[test]
fn a_welcome_to_another_group_is_rejected() {
    let stranger = crate::MeetingPolicy::new(Identity::generate().unwrap().public(), ParticipantId(0));
    assert!(matches!(joined(Extensions::empty(), MEETING), Err(Error::Malformed)));
    // Its policy names an organiser, but not the sender of the Welcome.
    let verdict = joined(stranger.extensions(), MEETING);
    assert!(matches!(verdict, Err(Error::Rejected(Reject::NotOrganiser))));
    assert!(matches!(joined(stranger.extensions(), MeetingId([6; 16])), Err(Error::Malformed)));
}

#[test]
fn a_group_with_external_senders_is_rejected() {
    let outsider = crate::provider::SigningKey::generate().unwrap();
    let sender =
        ExternalSender::new(outsider.public().as_slice().into(), BasicCredential::new(b"server".to_vec()).into());
    let mut extensions =
        crate::MeetingPolicy::new(Identity::generate().unwrap().public(), ParticipantId(0)).extensions();
    extensions.add(Extension::ExternalSenders(vec![sender])).unwrap();
    assert!(matches!(joined(extensions, MEETING), Err(Error::Malformed)));
}
