//! The passive clients of RFC 9420's test vectors: openmls joins the group of another implementation by a Welcome, follows its
//! commits, and has the same epoch authenticators.

use super::classical::{Classical, SUITE, config};
use super::oracle::hex;
use openmls::prelude::tls_codec::Deserialize as _;
use openmls::prelude::*;
use openmls::schedule::PreSharedKeyId;
use openmls_memory_storage::MemoryStorage;
use openmls_traits::storage::{CURRENT_VERSION, StorageProvider};
use openmls_traits::types::{HpkeCiphertext, HpkePrivateKey};
use serde_json::{Value, json};

const WELCOMES: &str = include_str!("../../tests/vectors/rfc9420/passive-client-welcome.json");
const COMMITS: &str = include_str!("../../tests/vectors/rfc9420/passive-client-handling-commit.json");
const BASICS: &str = include_str!("../../tests/vectors/rfc9420/crypto-basics.json");

#[test]
fn the_kem_of_the_classical_suite_matches_the_vectors_of_rfc_9420() {
    let cases: Vec<Value> = serde_json::from_str(BASICS).unwrap();
    let one = &cases[0]["encrypt_with_label"];
    let vector = |bytes: &[u8]| [&[u8::try_from(bytes.len()).unwrap()], bytes].concat();
    let label = format!("MLS 1.0 {}", one["label"].as_str().unwrap());
    let info = [vector(label.as_bytes()), vector(&hex(&one["context"]))].concat();
    let sealed =
        HpkeCiphertext { kem_output: hex(&one["kem_output"]).into(), ciphertext: hex(&one["ciphertext"]).into() };
    let provider = Classical::<MemoryStorage>::default();
    let plain = provider.crypto().hpke_open(config(), &sealed, &hex(&one["priv"]), &info, &[]).unwrap();
    assert_eq!(plain, hex(&one["plaintext"]));
}

#[test]
fn a_passive_client_enters_by_the_welcomes_of_rfc_9420() {
    let cases: Vec<Value> = serde_json::from_str(WELCOMES).unwrap();
    // Our storage holds no pre-shared keys, because our meetings use none.
    let (ours, others): (Vec<_>, Vec<_>) =
        cases.iter().partition(|case| case["external_psks"].as_array().unwrap().is_empty());
    assert_eq!((ours.len(), others.len()), (4, 4));
    for case in ours {
        enter(case, &Classical::<crate::provider::Storage>::default());
    }
    for case in others {
        enter(case, &with_psks(case));
    }
}

#[test]
fn a_passive_client_follows_the_commits_of_rfc_9420() {
    let cases: Vec<Value> = serde_json::from_str(COMMITS).unwrap();
    let (mut followed, mut expired) = (0, 0);
    for case in &cases {
        let provider = with_psks(case);
        let mut group = enter(case, &provider);
        for epoch in case["epochs"].as_array().unwrap() {
            let proposals = epoch["proposals"].as_array().unwrap().iter();
            let mut messages = proposals.chain([&epoch["commit"]]).map(hex);
            if messages.all(|message| handle(&mut group, &provider, &message)) {
                assert_eq!(group.epoch_authenticator().as_slice(), hex(&epoch["epoch_authenticator"]));
                followed += 1;
            } else {
                expired += 1;
                break;
            }
        }
    }
    println!("{followed} epochs, {expired} with a key package that has expired");
    assert!(followed >= 2 * cases.len() - expired && expired <= 3, "{followed}, {expired}");
}

/// Returns a provider that has the pre-shared keys of a case.
fn with_psks(case: &Value) -> Classical<MemoryStorage> {
    let provider = Classical::default();
    for psk in case["external_psks"].as_array().unwrap() {
        PreSharedKeyId::external(hex(&psk["psk_id"]), Vec::new()).store(&provider, &hex(&psk["psk"])).unwrap();
    }
    provider
}

/// Joins by the Welcome of a case.
fn enter<S: StorageProvider<CURRENT_VERSION>>(case: &Value, provider: &Classical<S>) -> MlsGroup {
    let package = MlsMessageIn::tls_deserialize_exact(hex(&case["key_package"])).unwrap();
    let MlsMessageBodyIn::KeyPackage(package) = package.extract() else { panic!("no key package") };
    // It has expired, so it is not verified. Both types have the same content.
    let package: KeyPackage = serde_json::from_value(serde_json::to_value(&package).unwrap()).unwrap();
    let private = |name| serde_json::to_value(HpkePrivateKey::from(hex(&case[name]))).unwrap();
    let bundle = json!({
        "key_package": serde_json::to_value(&package).unwrap(),
        "private_init_key": private("init_priv"),
        "private_encryption_key": { "key": private("encryption_priv") },
    });
    let bundle: KeyPackageBundle = serde_json::from_value(bundle).unwrap();
    let reference = package.hash_ref(provider.crypto()).unwrap();
    provider.storage.write_key_package(&reference, &bundle).unwrap();
    let tree = Some(&case["ratchet_tree"]).filter(|tree| !tree.is_null());
    let tree = tree.map(|tree| RatchetTreeIn::tls_deserialize_exact(hex(tree)).unwrap());
    let welcome = MlsMessageIn::tls_deserialize_exact(hex(&case["welcome"])).unwrap();
    let MlsMessageBodyIn::Welcome(welcome) = welcome.extract() else { panic!("no Welcome") };
    // The vectors have commits as public and as private messages.
    let config = MlsGroupJoinConfig::builder()
        .wire_format_policy(MIXED_PLAINTEXT_WIRE_FORMAT_POLICY)
        .use_ratchet_tree_extension(true)
        .number_of_resumption_psks(16)
        .build();
    let mut staged = StagedWelcome::build_from_welcome(provider, &config, welcome).unwrap().skip_lifetime_validation();
    if let Some(tree) = tree {
        staged = staged.with_ratchet_tree(tree);
    }
    let group = staged.build().unwrap().into_group(provider).unwrap();
    assert_eq!(group.ciphersuite(), SUITE);
    assert_eq!(group.epoch_authenticator().as_slice(), hex(&case["initial_epoch_authenticator"]));
    group
}

/// Handles a message. Returns false if it adds somebody whose key package has expired.
fn handle(group: &mut MlsGroup, provider: &Classical<MemoryStorage>, bytes: &[u8]) -> bool {
    let message = MlsMessageIn::tls_deserialize_exact(bytes).unwrap().try_into_protocol_message().unwrap();
    let processed = match group.process_message(provider, message) {
        Ok(processed) => processed,
        Err(error) => {
            let text = format!("{error:?}");
            assert!(text.contains("Lifetime") || text.contains("Expired"), "{text}");
            return false;
        }
    };
    match processed.into_content() {
        ProcessedMessageContent::ProposalMessage(proposal) => {
            group.store_pending_proposal(provider.storage(), *proposal).unwrap();
        }
        ProcessedMessageContent::StagedCommitMessage(commit) => group.merge_staged_commit(provider, *commit).unwrap(),
        ProcessedMessageContent::ApplicationMessage(_)
        | ProcessedMessageContent::ExternalJoinProposalMessage(_)
        | ProcessedMessageContent::UnresolvedAppDataCommit(_)
        | ProcessedMessageContent::OwnPendingCommit
        | ProcessedMessageContent::OwnPrivateMessage => panic!("no such message is in the vectors"),
    }
    true
}
