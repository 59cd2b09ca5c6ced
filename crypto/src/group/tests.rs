//! Tests of attacks by a member with a modified client.

use super::{Changes, Error, Group, MeetingPolicy, PolicyChange, PolicyEdit, Reject, capabilities, credentials};
use crate::credential::LeafCredential;
use crate::hostile::{Flaw, key_package};
use crate::identity::{Identity, Profile};
use crate::provider::{Provider, SUITE};
use crate::{Gone, Joiner, KnockRequest, Leaf, ManagerKeys, knock, open_return, return_to_meeting};
use openmls::prelude::tls_codec::{Deserialize as _, Serialize as _};
use openmls::prelude::*;
use proto::{MeetingId, ParticipantId};
use std::time::SystemTime;

/// Returns an organiser and two guests, with the organiser's keys.
pub(crate) fn with_three_members() -> (ManagerKeys, Vec<Group>) {
    with_three_members_of(&Identity::generate().unwrap())
}

fn with_three_members_of(organiser: &Identity) -> (ManagerKeys, Vec<Group>) {
    let guests = [Identity::generate().unwrap(), Identity::generate().unwrap()];
    with_members_on(organiser, &guests)
}

/// Returns the devices of the members, too.
pub(super) fn with_three_members_of_devices() -> (ManagerKeys, [Identity; 3], Vec<Group>) {
    let devices = std::array::from_fn(|_| Identity::generate().unwrap());
    let (keys, groups) = with_members_on(&devices[0], &devices[1..]);
    (keys, devices, groups)
}

fn with_members_on(organiser: &Identity, guests: &[Identity]) -> (ManagerKeys, Vec<Group>) {
    let mut keys = ManagerKeys::new().unwrap();
    let now = SystemTime::now();
    let mut groups = vec![Group::create(organiser, profile("O"), ParticipantId(0), &keys, now).unwrap()];
    for (number, guest) in (1..).zip(guests) {
        let (joiner, request) = request_of(guest, &mut keys, number);
        let pending = groups[0].add(vec![request]).unwrap();
        groups[0].merge_pending_commit().unwrap();
        for group in &mut groups[1..] {
            group.process(&pending.commit, &|_| None).unwrap();
        }
        groups.push(joiner.enter(&pending.welcome.unwrap(), &pending.tree.unwrap()).unwrap());
    }
    (keys, groups)
}

fn profile(name: &str) -> Profile {
    Profile::new(name).unwrap()
}

pub(super) fn request(keys: &mut ManagerKeys, number: u64) -> (Joiner, KnockRequest) {
    request_of(&Identity::generate().unwrap(), keys, number)
}

fn request_of(device: &Identity, keys: &mut ManagerKeys, number: u64) -> (Joiner, KnockRequest) {
    let (invitation, now) = (keys.invitation("h", 1, None), SystemTime::now());
    let (chain, participant) = (keys.chain().encode(), ParticipantId(number));
    let (joiner, request) =
        knock(&invitation, keys.public_key(), &chain, device, profile("G"), participant, now).unwrap();
    (joiner, keys.open(&request, now).unwrap())
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
        .build(provider.rand(), provider.crypto(), &**key, |_| true)
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
        let error = group.process(commit, &|_| Some(Gone::Left)).unwrap_err();
        assert_eq!((group.epoch(), group.words()), (epoch, words));
        error
    };
    [0, 2].map(|index| verdict(&mut groups[index])).into()
}

#[test]
fn all_members_reject_an_add_by_a_guest() {
    let (mut keys, mut groups) = with_three_members();
    let (_, request) = request(&mut keys, 9);
    let commit = forge(&mut groups, |builder| builder.propose_adds([request.into_key_package()]));
    for error in refused(&mut groups, &commit) {
        assert!(matches!(error, Error::Rejected(Reject::NotAllowed)), "{error:?}");
    }
}

#[test]
fn all_members_reject_a_policy_of_a_guest() {
    let (_, mut groups) = with_three_members();
    let guest = groups[1].members().remove(1);
    let own = MeetingPolicy::new(guest.device, guest.participant, &ManagerKeys::new().unwrap()).unwrap();
    // Of another authority, and an old one of the right authority.
    for policy in [own, groups[1].policy().clone()] {
        let extensions = policy.extensions();
        let commit = forge(&mut groups, |builder| builder.propose_group_context_extensions(extensions).unwrap());
        for error in refused(&mut groups, &commit) {
            assert!(matches!(error, Error::Rejected(Reject::InvalidPolicy)), "{error:?}");
        }
        groups[1].clear_pending_commit();
    }
}

#[test]
fn all_members_reject_a_group_without_a_policy() {
    let (_, mut groups) = with_three_members();
    let policy = groups[0].policy().extensions();
    let required = Extension::RequiredCapabilities(policy.required_capabilities().unwrap().clone());
    let extensions = Extensions::from_vec(vec![required]).unwrap();
    let commit = forge(&mut groups, |builder| builder.propose_group_context_extensions(extensions).unwrap());
    for error in refused(&mut groups, &commit) {
        assert!(matches!(error, Error::Rejected(Reject::UnsupportedProposal)), "{error:?}");
    }
}

#[test]
fn all_members_reject_a_changed_name() {
    let (_, mut groups) = with_three_members();
    let mut person = credentials(&groups[1].mls).remove(1).1;
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
    let mut person = credentials(&groups[1].mls).remove(1).1;
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
    let proposal = mls.leave_group(provider, &**key).unwrap().to_bytes().unwrap();
    for error in refused(&mut groups, &proposal) {
        assert!(matches!(error, Error::Rejected(Reject::UnsupportedProposal)), "{error:?}");
    }
}

#[test]
fn the_group_works_after_a_rejected_commit() {
    let (mut keys, mut groups) = with_three_members();
    let (_, request) = request(&mut keys, 9);
    let commit = forge(&mut groups, |builder| builder.propose_adds([request.into_key_package()]));
    refused(&mut groups, &commit);
    groups[1].clear_pending_commit();
    let pending = groups[0].refresh().unwrap();
    groups[0].merge_pending_commit().unwrap();
    for group in &mut groups[1..] {
        group.process(&pending.commit, &|_| None).unwrap();
    }
    assert_eq!(groups[0].words(), groups[1].words());
    assert_eq!(groups[0].words(), groups[2].words());
}

/// A group that another client makes for a joiner of the meeting of `keys`.
struct FalseGroup<'a> {
    keys: &'a mut ManagerKeys,
    id: MeetingId,
    extensions: Extensions<GroupContext>,
    /// The credential of the sender's leaf.
    credential: LeafCredential,
    sender: Group,
}

impl<'a> FalseGroup<'a> {
    /// With the policy and the credential of a group that `mallory` made with its own keys.
    fn new(keys: &'a mut ManagerKeys, mallory: &Identity) -> Self {
        let own = ManagerKeys::new().unwrap();
        let sender = Group::create(mallory, profile("M"), ParticipantId(0), &own, SystemTime::now()).unwrap();
        let (id, extensions) = (keys.meeting(), sender.policy().extensions());
        let credential = issue(mallory, &sender, id);
        Self { keys, id, extensions, credential, sender }
    }

    /// Lets a joiner enter this group.
    fn joined(self) -> Result<Group, Error> {
        let (joiner, request) = request(self.keys, 3);
        let config = MlsGroupCreateConfig::builder()
            .ciphersuite(SUITE)
            .capabilities(capabilities())
            .use_ratchet_tree_extension(true)
            .wire_format_policy(PURE_CIPHERTEXT_WIRE_FORMAT_POLICY)
            .with_group_context_extensions(self.extensions)
            .build();
        let (provider, key) = (Provider::default(), &self.sender.key);
        let (id, credential) = (GroupId::from_slice(&self.id.0), self.credential.credential(&key.public()));
        let mut mls = MlsGroup::new_with_group_id(&provider, &**key, &config, id, credential).unwrap();
        let (_, welcome, _) = mls.add_members(&provider, &**key, &[request.into_key_package()]).unwrap();
        joiner.enter(&welcome.tls_serialize_detached().unwrap(), &[])
    }
}

/// Returns a credential of `identity` as participant 0 for the leaf key of `group`.
fn issue(identity: &Identity, group: &Group, meeting: MeetingId) -> LeafCredential {
    let (name, now) = (profile("O"), SystemTime::now());
    LeafCredential::issue(identity, name, ParticipantId(0), meeting, &group.key.public(), now)
}

#[test]
fn a_welcome_to_another_group_is_rejected() {
    let (mut keys, groups) = with_three_members();
    let mallory = Identity::generate().unwrap();
    let group = FalseGroup::new(&mut keys, &mallory);
    assert!(matches!(FalseGroup { extensions: Extensions::empty(), ..group }.joined(), Err(Error::Malformed)));
    // A policy that Mallory signed with an authority of its own.
    assert!(matches!(FalseGroup::new(&mut keys, &mallory).joined(), Err(Error::Forged)));
    // The right policy in a group of another id.
    let extensions = groups[0].policy().extensions();
    let group = FalseGroup { extensions, id: MeetingId([6; 16]), ..FalseGroup::new(&mut keys, &mallory) };
    assert!(matches!(group.joined(), Err(Error::Malformed)));
}

#[test]
fn a_member_with_a_key_package_cannot_lead_its_owner_into_another_group() {
    // Mallory is a member, sees the Add with the key package, and copies everything that members know.
    let organiser = Identity::generate().unwrap();
    let (mut keys, groups) = with_three_members_of(&organiser);
    let mallory = Identity::generate().unwrap();
    let extensions = groups[1].policy().extensions();
    // As itself, with the policy of the meeting.
    let group = FalseGroup { extensions: extensions.clone(), ..FalseGroup::new(&mut keys, &mallory) };
    assert!(matches!(group.joined(), Err(Error::Rejected(Reject::NotAllowed))));
    // With the organiser's credential, which belongs to another leaf key.
    let credential = credentials(&groups[1].mls).remove(0).1;
    let group = FalseGroup { extensions: extensions.clone(), credential, ..FalseGroup::new(&mut keys, &mallory) };
    assert!(matches!(group.joined(), Err(Error::Credential)));
    // The organiser itself could.
    let mut group = FalseGroup { extensions, ..FalseGroup::new(&mut keys, &mallory) };
    group.credential = issue(&organiser, &group.sender, group.id);
    assert!(group.joined().is_ok(), "the Welcome is valid but for the signatures");
}

#[test]
fn a_group_with_a_barred_member_is_not_entered() {
    let organiser = Identity::generate().unwrap();
    let (mut keys, groups) = with_three_members_of(&organiser);
    // Only a modified client lists the organiser and bars its device.
    let mut policy = groups[0].policy().next(&PolicyChange::default(), &keys).unwrap();
    policy.content.barred.push(organiser.public());
    assert_eq!(MeetingPolicy::decode(&policy.encode()), None, "it is not even decoded");
    let mallory = Identity::generate().unwrap();
    let edits = vec![PolicyEdit::HandOver(mallory.public(), ParticipantId(0)), PolicyEdit::Bar(organiser.public())];
    let change = PolicyChange { edits, rotate: false };
    let extensions = groups[0].policy().next(&change, &keys).unwrap().extensions();
    let mut group = FalseGroup { extensions, ..FalseGroup::new(&mut keys, &Identity::generate().unwrap()) };
    group.credential = issue(&organiser, &group.sender, group.id);
    assert!(matches!(group.joined(), Err(Error::Rejected(Reject::Barred))));
}

#[test]
fn a_group_with_external_senders_is_rejected() {
    let (mut keys, groups) = with_three_members();
    let outsider = crate::provider::SigningKey::generate().unwrap();
    let sender =
        ExternalSender::new(outsider.public().as_slice().into(), BasicCredential::new(b"server".to_vec()).into());
    let mut extensions = groups[0].policy().extensions();
    extensions.add(Extension::ExternalSenders(vec![sender])).unwrap();
    let group = FalseGroup { extensions, ..FalseGroup::new(&mut keys, &Identity::generate().unwrap()) };
    assert!(matches!(group.joined(), Err(Error::Malformed)));
}

#[test]
fn an_organiser_comes_back_only_as_the_authority_signed() {
    let organiser = Identity::generate().unwrap();
    let (keys, mut groups) = with_three_members_of(&organiser);
    let now = SystemTime::now();
    let again = |identity: &Identity, keys: &ManagerKeys| {
        return_to_meeting(keys, identity, profile("O"), ParticipantId(9), &keys.chain().encode(), now).unwrap()
    };
    let (joiner, request) = again(&organiser, &keys);
    assert!(keys.authority().signed_return(keys.meeting(), ParticipantId(9), &request.package, &request.signature));
    // A guest that has the organiser's keys, but not its device; and the device with other keys.
    let (_, stolen) = again(&Identity::generate().unwrap(), &keys);
    assert!(matches!(open_return(&groups[1], &stolen.package), Err(Error::Rejected(Reject::NotAllowed))));
    let (_, other) = again(&organiser, &ManagerKeys::new().unwrap());
    assert!(open_return(&groups[1], &other.package).is_err());
    let package = KeyPackageIn::tls_deserialize_exact(stolen.package.as_slice()).unwrap();
    let package = package.validate(&crate::provider::Crypto, ProtocolVersion::Mls10).unwrap();
    let commit = forge(&mut groups, |builder| builder.propose_adds([package]));
    for error in refused(&mut groups, &commit) {
        assert!(matches!(error, Error::Rejected(Reject::NotAllowed)), "{error:?}");
    }
    groups[1].clear_pending_commit();
    // The organiser is gone; a guest adds it.
    let request = open_return(&groups[1], &request.package).unwrap();
    let pending = groups[1].commit(Changes { add: vec![request], remove: vec![Leaf(0)], policy: None }).unwrap();
    groups[1].merge_pending_commit().unwrap();
    groups[2].process(&pending.commit, &|participant| (participant.0 == 0).then_some(Gone::Left)).unwrap();
    let mut back = joiner.enter(&pending.welcome.unwrap(), &pending.tree.unwrap()).unwrap();
    assert!(back.members().iter().all(|member| !member.role.is_manager()));
    // It takes its role again.
    let edits = vec![PolicyEdit::Return(organiser.public(), ParticipantId(9))];
    let change = PolicyChange { edits, rotate: false };
    let policy = Some(back.policy().next(&change, &keys).unwrap());
    let pending = back.commit(Changes { policy, ..Changes::default() }).unwrap();
    assert!(back.merge_pending_commit().unwrap().policy_changed);
    for group in &mut groups[1..] {
        group.process(&pending.commit, &|_| None).unwrap();
        assert_eq!(group.words(), back.words());
        let organisers: Vec<_> = group.members().into_iter().filter(|member| member.role.is_manager()).collect();
        assert_eq!(organisers.iter().map(|member| member.participant.0).collect::<Vec<_>>(), [9]);
    }
}

#[test]
fn an_organiser_does_not_come_back_with_an_unusable_key() {
    let organiser = Identity::generate().unwrap();
    let (keys, groups) = with_three_members_of(&organiser);
    let key = crate::provider::SigningKey::generate().unwrap();
    let name = profile("O");
    let me =
        LeafCredential::issue(&organiser, name, ParticipantId(9), keys.meeting(), &key.public(), SystemTime::now());
    let me = keys.with_return(me, keys.authority()).unwrap();
    let opened = |flaw: Option<&Flaw>| {
        let package = key_package(&key, me.credential(&key.public()), me.lifetime(), flaw).unwrap();
        open_return(&groups[1], &package.tls_serialize_detached().unwrap()).map(|_| ())
    };
    assert!(matches!(opened(None), Ok(())));
    let error = opened(Some(&Flaw::LeafKey(vec![0xff; 1_216]))).unwrap_err();
    assert!(matches!(error, Error::Rejected(Reject::BadKey)), "{error:?}");
    let error = opened(Some(&Flaw::Capabilities(900))).unwrap_err();
    assert!(matches!(error, Error::Rejected(Reject::BadLeaf)), "{error:?}");
}

#[test]
fn a_key_package_with_another_lifetime_is_rejected_by_all() {
    // Members whose clocks differ by seconds would not agree on a lifetime that begins or ends now.
    let (keys, mut groups) = with_three_members();
    let (provider, key, now) =
        (Provider::default(), crate::provider::SigningKey::generate().unwrap(), SystemTime::now());
    let identity = Identity::generate().unwrap();
    let person = LeafCredential::issue(&identity, profile("G"), ParticipantId(9), keys.meeting(), &key.public(), now);
    let bundle = KeyPackage::builder()
        .leaf_node_capabilities(capabilities())
        .key_package_lifetime(Lifetime::new(3_600))
        .build(SUITE, &provider, &key, person.credential(&key.public()))
        .unwrap();
    let package = bundle.key_package().clone();
    let commit = forge(&mut groups, |builder| builder.propose_adds([package]));
    for error in refused(&mut groups, &commit) {
        assert!(matches!(error, Error::Credential), "{error:?}");
    }
}

#[test]
fn messages_of_past_epochs_cannot_be_read_after_their_secrets_were_deleted() {
    let (_, mut groups) = with_three_members();
    let nobody = |_| None;
    let [early, late] = [b"early", b"late!"].map(|text| groups[1].seal_message(text).unwrap());
    let commit = groups[0].refresh().unwrap().commit;
    groups[0].merge_pending_commit().unwrap();
    groups[2].process(&commit, &nobody).unwrap();
    assert!(matches!(groups[2].process(&early, &nobody), Ok(crate::Received::Message { .. })));
    groups[2].delete_past_epochs();
    assert!(groups[2].process(&late, &nobody).is_err(), "no commit was needed");
    // Messages of this epoch are still read.
    let message = groups[0].seal_message(b"now").unwrap();
    assert!(matches!(groups[2].process(&message, &nobody), Ok(crate::Received::Message { .. })));
}
