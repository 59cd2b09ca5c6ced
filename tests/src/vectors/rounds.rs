//! What members show each other to know that they are in one group, and what they type: beacons, commitments, pictures, phrases.

use super::{ADA, ADA_ID, BOB_ID, Common, hex, identity, public};
use anyhow::{Context, Result};
use crypto::emoji::Purpose;
use crypto::vectors::{nonce_commitment, phrase, pictures, sign_beacon, typing_key};
use crypto::{Language, Leaf};
use net::meeting::chat::typing_samples;
use proto::{Epoch, MemberBeacon, ParticipantId};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The seed of the leaf's signature key.
const LEAF_SEED: [u8; 32] = [0xe1; 32];
const AUTHENTICATOR: [u8; 48] = [0x5a; 48];
const ROUND: u64 = 0x1020_3040_5060_7080;
const EPOCH: Epoch = Epoch(0x1_0203);

/// Returns beacons of two members.
pub(super) fn beacons(common: &Common) -> Result<Vec<Value>> {
    let vector = |from: ParticipantId, counter: u64| {
        let content =
            MemberBeacon { counter, epoch: EPOCH, mls_epoch: 300, transcript: [0xd5; 32], signature: [0; 64] };
        let beacon = sign_beacon(&LEAF_SEED, common.meeting(), from, &content).context("32 bytes are a seed")?;
        Ok::<_, anyhow::Error>(json!({
            "meeting": hex(common.meeting().0), "from": from.0, "leaf_key": hex(public(LEAF_SEED)?),
            "bytes": hex(proto::encode(&beacon)),
            "says": {"counter": counter, "epoch": EPOCH.0, "mls_epoch": 300, "transcript": hex([0xd5; 32])},
        }))
    };
    Ok(vec![vector(ADA_ID, 1)?, vector(BOB_ID, u64::MAX)?])
}

/// Returns comparisons of pictures and challenges with a phrase: nonces, their commitments, and what follows from them.
pub(super) fn all(common: &Common) -> Vec<Value> {
    let vector = |kind: &str, nonces: &[(u32, [u8; 32])]| {
        let purpose = if kind == "pictures" { Purpose::Emoji } else { Purpose::Phrase };
        let commit = |(leaf, nonce): &(u32, [u8; 32])| {
            let commitment = nonce_commitment((common.meeting(), EPOCH), purpose, ROUND, Leaf(*leaf), nonce);
            json!({"leaf": leaf, "nonce": hex(nonce), "commitment": hex(commitment)})
        };
        json!({
            "kind": kind, "meeting": hex(common.meeting().0), "mls_epoch": EPOCH.0, "authenticator": hex(AUTHENTICATOR),
            "round": ROUND, "nonces": nonces.iter().map(commit).collect::<Vec<_>>(),
        })
    };
    let mut vectors = Vec::new();
    for nonces in [&[(0, [1; 32]), (1, [2; 32])][..], &[(3, [0xfe; 32]), (5, [7; 32]), (1_023, [8; 32])]] {
        let by_leaf: BTreeMap<_, _> = nonces.iter().map(|(leaf, nonce)| (Leaf(*leaf), *nonce)).collect();
        let mut pictures_of = vector("pictures", nonces);
        pictures_of["pictures"] = json!(pictures(&AUTHENTICATOR, ROUND, &by_leaf).0);
        vectors.push(pictures_of);
    }
    for nonces in [[(4, [1; 32]), (2, [2; 32])], [(0, [9; 32]), (700, [0; 32])]] {
        let [(asker, first), (other, second)] = &nonces;
        let phrase = phrase(&AUTHENTICATOR, ROUND, (Leaf(*asker), first), (Leaf(*other), second));
        let mut phrase_of = vector("phrase", &nonces);
        phrase_of["english"] = json!(phrase.in_language(Language::English));
        phrase_of["french"] = json!(phrase.in_language(Language::French));
        phrase_of["indices"] = json!(phrase.0);
        vectors.push(phrase_of);
    }
    vectors
}

/// Returns sealed texts that are being typed: an empty one, a short one, and the end of a long one.
pub(super) fn typing(common: &Common) -> Result<Vec<Value>> {
    let (secret, device) = ([0xe5; 32], identity(ADA)?);
    let key = typing_key(&secret, common.meeting(), EPOCH);
    // A character of four bytes, 480 times, of which 120 are shown.
    let says = [(0, String::new()), (0, "two\nlines".into()), (360, "\u{1f600}".repeat(120))];
    let mut vectors = Vec::new();
    for ((body, (start, text)), count) in typing_samples().iter().zip(says).zip(1_u64..) {
        let message = key.seal(ADA_ID, count, body, &device).context("it is short")?;
        vectors.push(json!({
            "secret": hex(secret), "meeting": hex(common.meeting().0), "epoch": EPOCH.0, "from": ADA_ID.0,
            "device": hex(device.public().0), "count": count, "message": hex(message),
            "says": {"line": 1_u64 << 40, "start": start, "text": text},
        }));
    }
    Ok(vectors)
}
