//! What is sealed with HPKE for one member, and lobby chats.

use super::{ADA_ID, BOB, BOB_ID, Common, EVE, NEXT_SEEDS, NOW, SEEDS, at, hex, identity, members};
use anyhow::{Context, Result};
use crypto::group::log_epoch;
use crypto::vectors::{kem_secret, key_package, lobby_key, sealing_key};
use crypto::{Complaint, Envelope, Group, Identity, LobbyMessage, Profile};
use proto::{Epoch, ParticipantId};
use serde_json::{Value, json};
use std::time::SystemTime;

/// The length of the KEM's output in bytes.
const ENC: usize = 1_120;

/// Returns requests to join.
pub(super) fn requests(common: &Common) -> Result<Vec<Value>> {
    let (keys, joiner) = (&common.keys, identity(BOB)?);
    let invitation = keys.invitation("192.0.2.1", 7_443, None);
    let (admission_key, chain) = (keys.public_key(), keys.chain().encode());
    let mut vectors = Vec::new();
    let complaint = Complaint { device: identity(EVE)?.public(), epoch: Epoch(0x0102_0304_0506) };
    for (name, complaint) in [("Bob", None), ("Zoé Müller", None), ("Bob", Some(complaint))] {
        let profile = Profile::new(name).context("it is a name")?;
        let (keys, me) = ((admission_key, &chain[..]), (&joiner, profile, BOB_ID));
        let (_, request) = crypto::knock_again(&invitation, keys, me, complaint, at(NOW))?;
        // Version 1 B, key id 8, length 2.
        let enc = request.get(11..11 + ENC).context("a request contains the KEM's output")?;
        let secret = kem_secret(&SEEDS.admission, enc).context("it was made for this key")?;
        vectors.push(json!({
            "meeting": hex(common.meeting().0), "admission_seed": hex(SEEDS.admission),
            "admission_key": hex(admission_key), "link_secret": hex(SEEDS.link), "request": hex(&request),
            "kem_secret": hex(secret), "device": hex(joiner.public().0), "participant": BOB_ID.0, "issued": NOW,
            "name": name,
            "complaint": complaint.map(|said| json!({"device": hex(said.device.0), "epoch": said.epoch.0})),
        }));
    }
    Ok(vectors)
}

/// Returns keys that a manager gets from another one, and private messages of the chat.
pub(super) fn for_one_member(common: &Common) -> Result<Vec<Value>> {
    let seed = [0xe2; 32];
    let receiver = sealing_key(&seed).context("32 bytes are a seed")?;
    let envelope = Envelope { meeting: common.meeting(), from: ADA_ID, to: BOB_ID };
    let vector = |kind: &str, sealed: &[u8], content: Value| {
        let enc = sealed.get(2..2 + ENC).context("the sealed bytes contain the KEM's output")?;
        let secret = kem_secret(&seed, enc).context("it was made for this key")?;
        Ok::<_, anyhow::Error>(json!({
            "kind": kind, "meeting": hex(envelope.meeting.0), "from": ADA_ID.0, "to": BOB_ID.0, "seed": hex(seed),
            "public": hex(receiver.public()), "sealed": hex(sealed), "kem_secret": hex(secret), "content": content,
        }))
    };
    let mut keys = SEEDS.keys().context("the seeds are keys")?;
    let link =
        |seeds: &crypto::vectors::ManagerSeeds| json!({"admission": hex(seeds.admission), "secret": hex(seeds.link)});
    let first = keys.shared().seal(receiver.public(), envelope)?;
    NEXT_SEEDS.prepare_rotation(&mut keys).context("the seeds are keys")?;
    keys.finish_rotation();
    let second = keys.shared().seal(receiver.public(), envelope)?;
    let mut vectors = vec![
        vector("manager keys", &first, json!({"authority": hex(SEEDS.authority), "links": [link(&SEEDS)]}))?,
        vector(
            "manager keys",
            &second,
            json!({"authority": hex(NEXT_SEEDS.authority), "links": [link(&NEXT_SEEDS), link(&SEEDS)]}),
        )?,
    ];
    for (plaintext, says) in members::private(common)? {
        let sealed = crypto::chat::seal_private(&plaintext, receiver.public(), envelope)?;
        vectors.push(vector("private chat", &sealed, says)?);
    }
    Ok(vectors)
}

/// Returns sealed ratchet trees: of one member, and of two after an update of the first one, which gives the root a key.
pub(super) fn trees(common: &Common) -> Result<Vec<Value>> {
    let (mut keys, key) = (SEEDS.keys().context("the seeds are keys")?, [0xe4; 32]);
    // The MLS library takes only key packages that are valid now.
    let now = SystemTime::now();
    let issued = now.duration_since(SystemTime::UNIX_EPOCH)?.as_secs();
    let profile = |name| Profile::new(name).context("it is a name");
    let mut ada = Group::create(&common.ada, profile("Ada")?, ADA_ID, &keys, now)?;
    let member = |participant: ParticipantId, name: &str, identity: &Identity| {
        json!({
            "participant": participant.0, "name": name, "device": hex(identity.public().0), "issued": issued,
        })
    };
    let vector = |group: &Group, members: Value| {
        let (sealed, tree) = crypto::vectors::tree(group, &key).context("a group has a tree")?;
        Ok::<_, anyhow::Error>(json!({
            "meeting": hex(common.meeting().0), "key": hex(key), "sealed": hex(sealed), "tree": hex(tree),
            "members": members,
        }))
    };
    let first = vector(&ada, json!([member(ADA_ID, "Ada", &common.ada)]))?;
    let (invitation, chain, bob) = (keys.invitation("192.0.2.1", 7_443, None), keys.chain().encode(), identity(BOB)?);
    let (_, request) = crypto::knock(&invitation, keys.public_key(), &chain, &bob, profile("Bob")?, BOB_ID, now)?;
    ada.add(vec![keys.open(&request, now)?])?;
    ada.merge_pending_commit()?;
    ada.refresh()?;
    ada.merge_pending_commit()?;
    let members = json!([member(ADA_ID, "Ada", &common.ada), member(BOB_ID, "Bob", &bob)]);
    Ok(vec![first, vector(&ada, members)?])
}

/// Returns Welcomes with the trees that belong to them: of the first joiner, and of the second one, before whom two commits were
/// rejected. The key of the tree and the log's epoch are in the Welcome.
pub(super) fn welcomes(common: &Common) -> Result<Vec<Value>> {
    let mut keys = SEEDS.keys().context("the seeds are keys")?;
    let (now, profile) = (SystemTime::now(), |name| Profile::new(name).context("it is a name"));
    let mut ada = Group::create(&common.ada, profile("Ada")?, ADA_ID, &keys, now)?;
    let (invitation, chain) = (keys.invitation("192.0.2.1", 7_443, None), keys.chain().encode());
    let (mut vectors, mut names) = (Vec::new(), vec!["Ada"]);
    for (seed, id, name) in [(BOB, BOB_ID, "Bob"), (EVE, ParticipantId(3), "Eve")] {
        let (device, public) = (identity(seed)?, keys.public_key().to_vec());
        let (joiner, request) = crypto::knock(&invitation, &public, &chain, &device, profile(name)?, id, now)?;
        let request = keys.open(&request, now)?;
        let (package, init_key) = key_package(&joiner, &request).context("the joiner has it")?;
        let log_epoch = log_epoch::of(&ada).next();
        let staged = ada.add(vec![request])?;
        ada.merge_pending_commit()?;
        names.push(name);
        vectors.push(json!({
            "meeting": hex(common.meeting().0), "package": hex(package), "init_key": hex(init_key), "epoch": ada.epoch().0,
            "log_epoch": log_epoch.0, "welcome": hex(staged.welcome.context("somebody joins")?), "tree": hex(staged.tree.context("somebody joins")?),
            "policy": hex(ada.policy().encode()), "names": names,
        }));
        log_epoch::set(&mut ada, Epoch(log_epoch.0 + 2));
    }
    Ok(vectors)
}

/// Returns messages of a lobby chat in both directions.
pub(super) fn lobby(common: &Common) -> Result<Vec<Value>> {
    let (secret, meeting) = ([0xe3; 32], common.meeting());
    let key = lobby_key(&secret, meeting, BOB_ID);
    let mut vectors = Vec::new();
    for (counter, content, says) in members::lobby()? {
        for from in [BOB_ID, ADA_ID] {
            let message = LobbyMessage { counter, content: content.clone() };
            vectors.push(json!({
                "secret": hex(secret), "meeting": hex(meeting.0), "joiner": BOB_ID.0, "from": from.0,
                "message": hex(key.seal(from, &message)?), "counter": counter, "says": says,
            }));
        }
    }
    Ok(vectors)
}
