//! The public test vectors of RFC 9420, as far as they apply to our provider (`tests/vectors/rfc9420/README.md`).
//!
//! None has our suite, whose KEM is X-Wing. Those of suite 7 have the same hash and cipher (SHA-384, AES-256-GCM), so they check the
//! key schedule, the secret tree and the encryption of messages of our suite with our primitives, and suites 1 and 3 the
//! signatures (Ed25519). Suite 7's own KEM and signatures (P-384) are left out.

use super::oracle::hex;
use crate::provider::Crypto;
use openmls_traits::crypto::OpenMlsCrypto;
use openmls_traits::types::{AeadType, HashType, SignatureScheme};
use serde_json::Value;

const BASICS: &str = include_str!("../../tests/vectors/rfc9420/crypto-basics.json");
const SCHEDULE: &str = include_str!("../../tests/vectors/rfc9420/key-schedule.json");
const TREE: &str = include_str!("../../tests/vectors/rfc9420/secret-tree.json");
const TRANSCRIPTS: &str = include_str!("../../tests/vectors/rfc9420/transcript-hashes.json");
const MESSAGES: &str = include_str!("../../tests/vectors/rfc9420/message-protection.json");

/// The hash of a suite, with the functions of RFC 9420, sections 5 and 8.
#[derive(Clone, Copy)]
struct Suite {
    hash: HashType,
    /// Bytes of a hash.
    size: usize,
}

const SUITE_7: Suite = Suite { hash: HashType::Sha2_384, size: 48 };
const KEY: usize = 32;
const NONCE: usize = 12;

impl Suite {
    fn of(number: u64) -> Self {
        match number {
            1..=3 => Self { hash: HashType::Sha2_256, size: 32 },
            7 => SUITE_7,
            _ => Self { hash: HashType::Sha2_512, size: 64 },
        }
    }

    fn hash(self, bytes: &[u8]) -> Vec<u8> {
        Crypto.hash(self.hash, bytes).unwrap()
    }

    fn extract(self, salt: &[u8], secret: &[u8]) -> Vec<u8> {
        Crypto.hkdf_extract(self.hash, salt, secret).unwrap().as_slice().to_vec()
    }

    fn expand(self, secret: &[u8], label: &str, context: &[u8], length: usize) -> Vec<u8> {
        let prefix = u16::try_from(length).unwrap().to_be_bytes();
        let info = [&prefix, vector(format!("MLS 1.0 {label}").as_bytes()).as_slice(), &vector(context)].concat();
        Crypto.hkdf_expand(self.hash, secret, &info, length).unwrap().as_slice().to_vec()
    }

    fn derive(self, secret: &[u8], label: &str) -> Vec<u8> {
        self.expand(secret, label, &[], self.size)
    }

    fn derive_tree(self, secret: &[u8], label: &str, generation: u32, length: usize) -> Vec<u8> {
        self.expand(secret, label, &generation.to_be_bytes(), length)
    }

    /// Returns key and nonce of a leaf's ratchet at a generation.
    fn ratchet(self, leaf_secret: &[u8], kind: &str, generation: u32) -> (Vec<u8>, Vec<u8>) {
        let mut secret = self.derive(leaf_secret, kind);
        for passed in 0..generation {
            secret = self.derive_tree(&secret, "secret", passed, self.size);
        }
        let part = |label, length| self.derive_tree(&secret, label, generation, length);
        (part("key", KEY), part("nonce", NONCE))
    }

    /// Returns the secret of a leaf in a tree of `leaves` leaves.
    fn leaf_secret(self, root: &[u8], leaf: usize, leaves: usize) -> Vec<u8> {
        let (mut secret, mut first, mut span) = (root.to_vec(), 0, leaves.next_power_of_two());
        while span > 1 {
            span /= 2;
            let is_right = leaf >= first + span;
            first += if is_right { span } else { 0 };
            secret = self.expand(&secret, "tree", if is_right { b"right" } else { b"left" }, self.size);
        }
        secret
    }

    /// Returns key and nonce for the sender's data of a message with this ciphertext.
    fn sender_data(self, secret: &[u8], ciphertext: &[u8]) -> (Vec<u8>, Vec<u8>) {
        let sample = &ciphertext[..self.size.min(ciphertext.len())];
        (self.expand(secret, "key", sample, KEY), self.expand(secret, "nonce", sample, NONCE))
    }
}

/// Encodes a vector as RFC 9420, section 2.1.2, does.
fn vector(bytes: &[u8]) -> Vec<u8> {
    let length = bytes.len();
    let head = match length {
        0..64 => vec![u8::try_from(length).unwrap()],
        _ => (0x4000 | u16::try_from(length).unwrap()).to_be_bytes().to_vec(),
    };
    [head.as_slice(), bytes].concat()
}

/// Reads a vector at the start of `bytes`.
fn read_vector<'a>(bytes: &mut &'a [u8]) -> &'a [u8] {
    let (length, head) = match bytes[0] >> 6 {
        0 => (usize::from(bytes[0]), 1),
        _ => (usize::from(u16::from_be_bytes([bytes[0], bytes[1]]) & 0x3fff), 2),
    };
    let (taken, rest) = bytes[head..].split_at(length);
    *bytes = rest;
    taken
}

fn cases(text: &str) -> Vec<Value> {
    let cases: Vec<Value> = serde_json::from_str(text).unwrap();
    assert!(!cases.is_empty());
    cases
}

#[test]
fn labels_hashes_and_signatures_match_the_vectors_of_rfc_9420() {
    let mut signatures = 0;
    for case in cases(BASICS) {
        let number = case["cipher_suite"].as_u64().unwrap();
        let suite = Suite::of(number);
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let length = |value: &Value| usize::try_from(value["length"].as_u64().unwrap()).unwrap();
        let one = &case["ref_hash"];
        let input = [vector(text(&one["label"]).as_bytes()), vector(&hex(&one["value"]))].concat();
        assert_eq!(suite.hash(&input), hex(&one["out"]));
        let one = &case["expand_with_label"];
        let out = suite.expand(&hex(&one["secret"]), &text(&one["label"]), &hex(&one["context"]), length(one));
        assert_eq!(out, hex(&one["out"]));
        let one = &case["derive_secret"];
        assert_eq!(suite.derive(&hex(&one["secret"]), &text(&one["label"])), hex(&one["out"]));
        let one = &case["derive_tree_secret"];
        let generation = u32::try_from(one["generation"].as_u64().unwrap()).unwrap();
        let out = suite.derive_tree(&hex(&one["secret"]), &text(&one["label"]), generation, length(one));
        assert_eq!(out, hex(&one["out"]));
        if !matches!(number, 1 | 3) {
            continue;
        }
        let one = &case["sign_with_label"];
        let label = format!("MLS 1.0 {}", text(&one["label"]));
        let content = [vector(label.as_bytes()), vector(&hex(&one["content"]))].concat();
        let (public, signature) = (hex(&one["pub"]), hex(&one["signature"]));
        Crypto.verify_signature(SignatureScheme::ED25519, &content, &public, &signature).unwrap();
        assert_eq!(Crypto.sign(SignatureScheme::ED25519, &content, &hex(&one["priv"])).unwrap(), signature);
        signatures += 1;
    }
    assert_eq!(signatures, 2);
}

#[test]
fn the_key_schedule_matches_the_vectors_of_rfc_9420() {
    for case in cases(SCHEDULE) {
        let mut init = hex(&case["initial_init_secret"]);
        let mut epochs = 0_u64;
        for epoch in case["epochs"].as_array().unwrap() {
            let context = context(&hex(&case["group_id"]), epochs, epoch);
            assert_eq!(context, hex(&epoch["group_context"]));
            let extracted = SUITE_7.extract(&init, &hex(&epoch["commit_secret"]));
            let joiner = SUITE_7.expand(&extracted, "joiner", &context, 48);
            assert_eq!(joiner, hex(&epoch["joiner_secret"]));
            let member = SUITE_7.extract(&joiner, &hex(&epoch["psk_secret"]));
            assert_eq!(SUITE_7.derive(&member, "welcome"), hex(&epoch["welcome_secret"]));
            let secret = SUITE_7.expand(&member, "epoch", &context, 48);
            for (label, name) in [
                ("sender data", "sender_data_secret"),
                ("encryption", "encryption_secret"),
                ("exporter", "exporter_secret"),
                ("external", "external_secret"),
                ("confirm", "confirmation_key"),
                ("membership", "membership_key"),
                ("resumption", "resumption_psk"),
                ("authentication", "epoch_authenticator"),
                ("init", "init_secret"),
            ] {
                assert_eq!(SUITE_7.derive(&secret, label), hex(&epoch[name]), "{name}");
            }
            let exporter = &epoch["exporter"];
            let derived = SUITE_7.derive(&hex(&epoch["exporter_secret"]), exporter["label"].as_str().unwrap());
            let hashed = SUITE_7.hash(&hex(&exporter["context"]));
            let length = usize::try_from(exporter["length"].as_u64().unwrap()).unwrap();
            assert_eq!(SUITE_7.expand(&derived, "exported", &hashed, length), hex(&exporter["secret"]));
            (init, epochs) = (hex(&epoch["init_secret"]), epochs + 1);
        }
        assert!(epochs > 1);
    }
}

/// Returns a group context of suite 7 without extensions.
fn context(group: &[u8], epoch: u64, case: &Value) -> Vec<u8> {
    let (tree, transcript) = (vector(&hex(&case["tree_hash"])), vector(&hex(&case["confirmed_transcript_hash"])));
    [&[0, 1, 0, 7], vector(group).as_slice(), &epoch.to_be_bytes(), &tree, &transcript, &[0]].concat()
}

#[test]
fn the_secret_tree_matches_the_vectors_of_rfc_9420() {
    for case in cases(TREE) {
        let sender = &case["sender_data"];
        let (key, nonce) = SUITE_7.sender_data(&hex(&sender["sender_data_secret"]), &hex(&sender["ciphertext"]));
        assert_eq!((key, nonce), (hex(&sender["key"]), hex(&sender["nonce"])));
        let leaves = case["leaves"].as_array().unwrap();
        for (leaf, generations) in leaves.iter().enumerate() {
            let secret = SUITE_7.leaf_secret(&hex(&case["encryption_secret"]), leaf, leaves.len());
            for one in generations.as_array().unwrap() {
                let generation = u32::try_from(one["generation"].as_u64().unwrap()).unwrap();
                for kind in ["handshake", "application"] {
                    let expected = (hex(&one[format!("{kind}_key")]), hex(&one[format!("{kind}_nonce")]));
                    assert_eq!(SUITE_7.ratchet(&secret, kind, generation), expected, "{kind} {leaf} {generation}");
                }
            }
        }
    }
}

#[test]
fn transcript_hashes_match_the_vectors_of_rfc_9420() {
    for case in cases(TRANSCRIPTS) {
        let content = hex(&case["authenticated_content"]);
        // The confirmation tag is the last vector.
        let (signed, tag) = content.split_at(content.len() - 49);
        let confirmed = SUITE_7.hash(&[hex(&case["interim_transcript_hash_before"]), signed.to_vec()].concat());
        assert_eq!(confirmed, hex(&case["confirmed_transcript_hash_after"]));
        let mac = Crypto.hmac(SUITE_7.hash, &hex(&case["confirmation_key"]), &confirmed).unwrap();
        assert_eq!(vector(mac.as_slice()), tag);
        let interim = SUITE_7.hash(&[confirmed, tag.to_vec()].concat());
        assert_eq!(interim, hex(&case["interim_transcript_hash_after"]));
    }
}

#[test]
fn private_messages_match_the_vectors_of_rfc_9420() {
    for case in cases(MESSAGES) {
        for (name, kind) in [("application", "application"), ("proposal", "handshake"), ("commit", "handshake")] {
            let plain = decrypted(&case, &hex(&case[format!("{name}_priv")]), kind);
            let expected = hex(&case[name]);
            let expected = if name == "application" { vector(&expected) } else { expected };
            assert!(plain.starts_with(&expected), "{name}");
        }
    }
}

/// Decrypts a `PrivateMessage` of the member at leaf 1 of 2 (RFC 9420, section 6.3).
fn decrypted(case: &Value, message: &[u8], kind: &str) -> Vec<u8> {
    let mut rest = message.strip_prefix(&[0, 1, 0, 2]).unwrap();
    let group = read_vector(&mut rest);
    let (epoch_and_type, mut rest) = rest.split_at(9);
    let authenticated = read_vector(&mut rest);
    let (sender, content) = (read_vector(&mut rest), read_vector(&mut rest));
    assert!(rest.is_empty());
    let head = [vector(group).as_slice(), epoch_and_type].concat();
    let (key, nonce) = SUITE_7.sender_data(&hex(&case["sender_data_secret"]), content);
    let sender = Crypto.aead_decrypt(AeadType::Aes256Gcm, &key, sender, &nonce, &head).unwrap();
    let (place, guard) = sender.split_at(8);
    assert_eq!(place[..4], [0, 0, 0, 1], "the leaf");
    let generation = u32::from_be_bytes(place[4..].try_into().unwrap());
    let secret = SUITE_7.leaf_secret(&hex(&case["encryption_secret"]), 1, 2);
    let (key, mut nonce) = SUITE_7.ratchet(&secret, kind, generation);
    nonce.iter_mut().zip(guard).for_each(|(byte, guard)| *byte ^= guard);
    let aad = [head, vector(authenticated)].concat();
    let plain = Crypto.aead_decrypt(AeadType::Aes256Gcm, &key, content, &nonce, &aad).unwrap();
    let mut changed = content.to_vec();
    changed[0] ^= 1;
    assert!(Crypto.aead_decrypt(AeadType::Aes256Gcm, &key, &changed, &nonce, &aad).is_err());
    plain
}
