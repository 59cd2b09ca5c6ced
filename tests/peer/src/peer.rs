//! openmls with our primitives and storage, and another implementation (mls-rs), in one group: they add, remove and update each
//! other's members, and agree on each epoch.

use crate::classical::{Classical, SUITE};
use crate::provider::{SigningKey, Storage};
use mls_rs::client_builder::{BaseConfig, WithCryptoProvider, WithIdentityProvider, WithMlsRules};
use mls_rs::group::ReceivedMessage;
use mls_rs::identity::SigningIdentity;
use mls_rs::identity::basic::{BasicCredential as TheirCredential, BasicIdentityProvider};
use mls_rs::mls_rules::{DefaultMlsRules, EncryptionOptions};
use mls_rs::{CipherSuite, CipherSuiteProvider, Client, CryptoProvider, ExtensionList, Group, MlsMessage};
use mls_rs_crypto_rustcrypto::RustCryptoProvider;
use openmls::prelude::tls_codec::Deserialize as _;
use openmls::prelude::*;
use std::time::Duration;

/// A member of the group, of either implementation.
enum Peer {
    Ours(Box<Ours>),
    Theirs(Box<Theirs>),
}

struct Ours {
    provider: Classical<Storage>,
    key: SigningKey,
    group: Option<MlsGroup>,
}

type TheirConfig =
    WithMlsRules<DefaultMlsRules, WithCryptoProvider<RustCryptoProvider, WithIdentityProvider<BasicIdentityProvider, BaseConfig>>>;

struct Theirs {
    client: Client<TheirConfig>,
    group: Option<Group<TheirConfig>>,
}

/// What a member commits.
enum Change<'a> {
    Add(&'a [u8]),
    Remove(&'a str),
    Update,
}

/// What all members of an epoch agree on.
#[derive(Debug, PartialEq, Eq)]
struct Agreed {
    epoch: u64,
    authenticator: Vec<u8>,
    exported: Vec<u8>,
    names: Vec<String>,
}

impl Ours {
    fn new() -> Self {
        Self { provider: Classical::default(), key: SigningKey::generate().unwrap(), group: None }
    }

    fn credential(&self, name: &str) -> CredentialWithKey {
        let public: &[u8] = &self.key.public();
        CredentialWithKey { credential: BasicCredential::new(name.into()).into(), signature_key: public.into() }
    }

    fn create(&mut self, name: &str) {
        let config = MlsGroupCreateConfig::builder()
            .ciphersuite(SUITE)
            .use_ratchet_tree_extension(true)
            .wire_format_policy(PURE_CIPHERTEXT_WIRE_FORMAT_POLICY)
            .build();
        let credential = self.credential(name);
        self.group = Some(MlsGroup::new(&self.provider, &self.key, &config, credential).unwrap());
    }

    fn key_package(&self, name: &str) -> Vec<u8> {
        let bundle = KeyPackage::builder().build(SUITE, &self.provider, &self.key, self.credential(name)).unwrap();
        MlsMessageOut::from(bundle.key_package().clone()).to_bytes().unwrap()
    }

    fn join(&mut self, welcome: &[u8]) {
        let MlsMessageBodyIn::Welcome(welcome) = MlsMessageIn::tls_deserialize_exact(welcome).unwrap().extract() else {
            panic!("no Welcome")
        };
        let config = MlsGroupJoinConfig::builder()
            .use_ratchet_tree_extension(true)
            .wire_format_policy(PURE_CIPHERTEXT_WIRE_FORMAT_POLICY)
            .build();
        let staged = StagedWelcome::new_from_welcome(&self.provider, &config, welcome, None).unwrap();
        self.group = Some(staged.into_group(&self.provider).unwrap());
    }

    /// Commits a change and merges it. Returns the commit and the Welcome.
    fn commit(&mut self, change: &Change<'_>) -> (Vec<u8>, Option<Vec<u8>>) {
        let (provider, group) = (&self.provider, self.group.as_mut().unwrap());
        let (mut packages, mut leaves) = (Vec::new(), Vec::new());
        match change {
            Change::Add(package) => {
                let message = MlsMessageIn::tls_deserialize_exact(*package).unwrap();
                let MlsMessageBodyIn::KeyPackage(package) = message.extract() else { panic!("no key package") };
                packages.push(package.validate(provider.crypto(), ProtocolVersion::Mls10).unwrap());
            }
            Change::Remove(name) => {
                let is_it = |member: &Member| name_of(member) == *name;
                leaves.push(group.members().find(is_it).unwrap().index);
            }
            Change::Update => {}
        }
        let builder = group.commit_builder().consume_proposal_store(false).force_self_update(packages.is_empty());
        let builder = builder.propose_adds(packages).propose_removals(leaves).load_psks(provider.storage()).unwrap();
        let bundle = builder.build(provider.rand(), provider.crypto(), &self.key, |_| true).unwrap();
        let (commit, welcome, _) = bundle.stage_commit(provider).unwrap().into_messages();
        group.merge_pending_commit(provider).unwrap();
        (commit.to_bytes().unwrap(), welcome.map(|welcome| welcome.to_bytes().unwrap()))
    }

    /// Handles a message. Returns what an application message says.
    fn handle(&mut self, bytes: &[u8]) -> Option<Vec<u8>> {
        let message = MlsMessageIn::tls_deserialize_exact(bytes).unwrap().try_into_protocol_message().unwrap();
        let group = self.group.as_mut().unwrap();
        match group.process_message(&self.provider, message).unwrap().into_content() {
            ProcessedMessageContent::ApplicationMessage(message) => Some(message.into_bytes()),
            ProcessedMessageContent::StagedCommitMessage(commit) => {
                group.merge_staged_commit(&self.provider, *commit).unwrap();
                None
            }
            ProcessedMessageContent::ProposalMessage(_)
            | ProcessedMessageContent::ExternalJoinProposalMessage(_)
            | ProcessedMessageContent::UnresolvedAppDataCommit(_)
            | ProcessedMessageContent::OwnPendingCommit
            | ProcessedMessageContent::OwnPrivateMessage => panic!("nobody sends that"),
        }
    }

    fn agreed(&self) -> Agreed {
        let group = self.group.as_ref().unwrap();
        let mut names: Vec<_> = group.members().map(|member| name_of(&member)).collect();
        names.sort();
        Agreed {
            epoch: group.epoch().as_u64(),
            authenticator: group.epoch_authenticator().as_slice().to_vec(),
            exported: group.export_secret(self.provider.crypto(), LABEL, CONTEXT, 32).unwrap(),
            names,
        }
    }
}

fn name_of(member: &Member) -> String {
    let credential = BasicCredential::try_from(member.credential.clone()).unwrap();
    String::from_utf8(credential.identity().to_vec()).unwrap()
}

impl Theirs {
    fn new(name: &str) -> Self {
        let crypto = RustCryptoProvider::default();
        let suite = crypto.cipher_suite_provider(CipherSuite::CURVE25519_AES128).unwrap();
        let (secret, public) = suite.signature_key_generate().unwrap();
        let identity = SigningIdentity::new(TheirCredential::new(name.into()).into_credential(), public);
        let rules = DefaultMlsRules::new().with_encryption_options(EncryptionOptions::new(true, Default::default()));
        let client = Client::builder()
            .identity_provider(BasicIdentityProvider)
            .crypto_provider(crypto)
            .mls_rules(rules)
            // openmls accepts at most 84 days.
            .key_package_lifetime(Duration::from_secs(80 * 86_400))
            .signing_identity(identity, secret, CipherSuite::CURVE25519_AES128)
            .build();
        Self { client, group: None }
    }

    fn create(&mut self) {
        self.group = Some(self.client.create_group(ExtensionList::default(), ExtensionList::default(), None).unwrap());
    }

    fn key_package(&self) -> Vec<u8> {
        let extensions = ExtensionList::default;
        self.client.generate_key_package_message(extensions(), extensions(), None).unwrap().to_bytes().unwrap()
    }

    fn join(&mut self, welcome: &[u8]) {
        let welcome = MlsMessage::from_bytes(welcome).unwrap();
        self.group = Some(self.client.join_group(None, &welcome, None).unwrap().0);
    }

    fn commit(&mut self, change: &Change<'_>) -> (Vec<u8>, Option<Vec<u8>>) {
        let group = self.group.as_mut().unwrap();
        let index = match change {
            Change::Remove(name) => {
                let members = group.roster().members();
                Some(members.iter().find(|member| their_name(member) == *name).unwrap().index)
            }
            Change::Add(_) | Change::Update => None,
        };
        let mut builder = group.commit_builder();
        if let Change::Add(package) = change {
            builder = builder.add_member(MlsMessage::from_bytes(package).unwrap()).unwrap();
        } else if let Some(index) = index {
            builder = builder.remove_member(index).unwrap();
        }
        let output = builder.build().unwrap();
        group.apply_pending_commit().unwrap();
        let welcome = output.welcome_messages.first().map(|welcome| welcome.to_bytes().unwrap());
        (output.commit_message.to_bytes().unwrap(), welcome)
    }

    fn handle(&mut self, bytes: &[u8]) -> Option<Vec<u8>> {
        let message = MlsMessage::from_bytes(bytes).unwrap();
        match self.group.as_mut().unwrap().process_incoming_message(message).unwrap() {
            ReceivedMessage::ApplicationMessage(message) => Some(message.data().to_vec()),
            _ => None,
        }
    }

    fn agreed(&self) -> Agreed {
        let group = self.group.as_ref().unwrap();
        let mut names: Vec<_> = group.roster().members().iter().map(their_name).collect();
        names.sort();
        Agreed {
            epoch: group.current_epoch(),
            authenticator: group.epoch_authenticator().unwrap().as_bytes().to_vec(),
            exported: group.export_secret(LABEL.as_bytes(), CONTEXT, 32).unwrap().as_bytes().to_vec(),
            names,
        }
    }
}

fn their_name(member: &mls_rs::group::Member) -> String {
    let basic = member.signing_identity.credential.as_basic().unwrap();
    String::from_utf8(basic.identifier.clone()).unwrap()
}

impl Peer {
    fn new(name: &str, ours: bool) -> Self {
        if ours { Self::Ours(Box::new(Ours::new())) } else { Self::Theirs(Box::new(Theirs::new(name))) }
    }

    fn key_package(&self, name: &str) -> Vec<u8> {
        match self {
            Self::Ours(peer) => peer.key_package(name),
            Self::Theirs(peer) => peer.key_package(),
        }
    }

    fn join(&mut self, welcome: &[u8]) {
        match self {
            Self::Ours(peer) => peer.join(welcome),
            Self::Theirs(peer) => peer.join(welcome),
        }
    }

    fn commit(&mut self, change: &Change<'_>) -> (Vec<u8>, Option<Vec<u8>>) {
        match self {
            Self::Ours(peer) => peer.commit(change),
            Self::Theirs(peer) => peer.commit(change),
        }
    }

    fn say(&mut self, text: &[u8]) -> Vec<u8> {
        match self {
            Self::Ours(peer) => {
                let message = peer.group.as_mut().unwrap().create_message(&peer.provider, &peer.key, text);
                message.unwrap().to_bytes().unwrap()
            }
            Self::Theirs(peer) => {
                let group = peer.group.as_mut().unwrap();
                group.encrypt_application_message(text, Vec::new()).unwrap().to_bytes().unwrap()
            }
        }
    }

    fn handle(&mut self, bytes: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::Ours(peer) => peer.handle(bytes),
            Self::Theirs(peer) => peer.handle(bytes),
        }
    }

    fn agreed(&self) -> Agreed {
        match self {
            Self::Ours(peer) => peer.agreed(),
            Self::Theirs(peer) => peer.agreed(),
        }
    }
}

/// A walk through changes that follows from its seed.
struct Walk {
    state: u64,
    members: Vec<(String, Peer)>,
    joined: usize,
}

impl Walk {
    fn new(seed: u64) -> Self {
        let mut walk = Self { state: 0x2545_f491_4f6c_dd1d ^ (seed << 17 | seed), members: Vec::new(), joined: 1 };
        let mut first = Peer::new("0", seed.is_multiple_of(2));
        match &mut first {
            Peer::Ours(peer) => peer.create("0"),
            Peer::Theirs(peer) => peer.create(),
        }
        walk.members.push(("0".into(), first));
        walk
    }

    fn below(&mut self, limit: usize) -> usize {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        usize::try_from(self.state % limit as u64).unwrap()
    }

    /// One commit of a random member, and a message of another one.
    fn step(&mut self) {
        let (count, kind) = (self.members.len(), self.below(4));
        let by = self.below(count);
        if count < 3 || (kind < 2 && count < MOST) {
            self.add(by);
        } else if kind == 2 || count == MOST {
            let victim = (by + 1 + self.below(count - 1)) % count;
            let (name, _) = self.members.remove(victim);
            let by = if victim < by { by - 1 } else { by };
            let (commit, _) = self.members[by].1.commit(&Change::Remove(&name));
            self.deliver(by, &commit);
        } else {
            let (commit, _) = self.members[by].1.commit(&Change::Update);
            self.deliver(by, &commit);
        }
        let agreed: Vec<_> = self.members.iter().map(|(_, peer)| peer.agreed()).collect();
        assert!(agreed.windows(2).all(|two| two[0] == two[1]), "{agreed:#?}");
        let by = self.below(self.members.len());
        let message = self.members[by].1.say(b"hello");
        for (at, (name, peer)) in self.members.iter_mut().enumerate().filter(|(at, _)| *at != by) {
            assert_eq!(peer.handle(&message).as_deref(), Some(b"hello".as_slice()), "{at} {name}");
        }
    }

    fn add(&mut self, by: usize) {
        let name = self.joined.to_string();
        self.joined += 1;
        // Both implementations are in each group.
        let ours = if self.joined == 2 { !self.is_ours(0) } else { self.below(2) == 0 };
        let mut newcomer = Peer::new(&name, ours);
        let package = newcomer.key_package(&name);
        let (commit, welcome) = self.members[by].1.commit(&Change::Add(&package));
        self.deliver(by, &commit);
        newcomer.join(&welcome.unwrap());
        self.members.push((name, newcomer));
    }

    fn is_ours(&self, at: usize) -> bool {
        matches!(self.members[at].1, Peer::Ours(_))
    }

    fn deliver(&mut self, by: usize, commit: &[u8]) {
        for (_, peer) in self.members.iter_mut().enumerate().filter(|(at, _)| *at != by).map(|(_, member)| member) {
            assert_eq!(peer.handle(commit), None);
        }
    }
}

/// What a run has compared.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    /// Epochs on which all members agreed.
    pub epochs: usize,
    /// Those with members of both implementations.
    pub mixed: usize,
}

/// Runs one walk. Panics if the members do not agree, or one rejects what another one sends.
pub fn run(seed: u64, mut sum: Counts) -> Counts {
    let mut walk = Walk::new(seed);
    for _ in 0..STEPS {
        walk.step();
        let ours = (0..walk.members.len()).filter(|at| walk.is_ours(*at)).count();
        sum.epochs += 1;
        sum.mixed += usize::from(ours > 0 && ours < walk.members.len());
    }
    sum
}

const LABEL: &str = "SFrame 1.0 Base Key";
const CONTEXT: &[u8] = b"";
const STEPS: usize = 25;
/// The largest group.
const MOST: usize = 7;
